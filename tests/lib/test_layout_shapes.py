"""Tables as forty schools draw them: headers, feet, second tables, and what a person decides about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from povertyaid.lib.sheets.headers import ForcedHeader, header_signature
from povertyaid.lib.sheets.layout import (
    NoTableError,
    Table,
    columns_of,
    find_table,
    find_tables,
    guess_header,
)
from povertyaid.lib.sheets.model import Sheet, Workbook
from tests.lib.test_sheets_layout import fields, ignored

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Rows, Value

PEOPLE = fields("姓名|学生姓名", "身份证号|身份证号码", "班级", "金额", "联系电话|电话|监护人电话")
IDENTITY = "431202201808214614"


def table_of(rows: Rows, merges: list[tuple[int, int, int, int]] | None = None, **options: object) -> Table:
    """The table of a sheet with these rows, read as a list of people."""
    return find_table(Sheet("表", rows, merges=merges or [], **options), PEOPLE, {"姓名"})  # type: ignore[arg-type]


def names(table: Table) -> list[Value]:
    """The names of its records."""
    return [row.cells["姓名"].value for row in table.rows]


def why(table: Table) -> dict[int, str]:
    """Row number → why, with the header."""
    return {item.row: item.why for item in table.ignored}


# Title, unit and date rows


@pytest.mark.parametrize(
    "titles",
    [
        [["2026年春季学期资助花名册"]],
        [
            ["附件2"],
            ["青石坳中心完小2026年春季学期资助花名册"],
            ["填报单位：青石坳中心完小", None, "单位：元"],
        ],
        [["花名册"], [None], ["填报日期：2026年3月10日", None, None, "第1页"]],
        [["姓名填写须与户口簿一致，班级填写到班"], ["单位：元"]],
        [["填表说明："], ["1.姓名须与身份证一致"], ["2.班级写到班"], ["3.金额以元计"], ["花名册"]],
    ],
)
def test_rows_above_the_header_are_titles(titles: Rows) -> None:
    table = table_of([*titles, ["序号", "姓名", "身份证号", "班级", "金额"], [1, "张三", None, "一(1)班", 5]])
    filled = [number for number, row in enumerate(titles, start=1) if any(row)]
    assert [number for number, reason in why(table).items() if reason == "title"] == filled
    assert names(table) == ["张三"]


def test_a_long_instruction_above_the_table_is_passed() -> None:
    rows: Rows = [[f"说明第{number}条：请认真填写"] for number in range(1, 50)]
    table = table_of([*rows, ["姓名", "班级"], ["张三", "一(1)班"]])
    assert names(table) == ["张三"]
    assert why(table)[50] == "header"


# Headers of one to three rows


def test_the_lower_half_of_a_header_is_no_record() -> None:
    rows: Rows = [
        ["序号", "姓名", "班级", "其他", None],
        [None, None, None, "应发", "实发"],
        [1, "张三", "一(1)班", 5, 6],
    ]
    for merges in ([], [(1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 2, 3), (1, 4, 1, 5)], [(1, 4, 1, 5)]):
        table = table_of(rows, merges)
        assert why(table) == {1: "header", 2: "header"}
        assert names(table) == ["张三"]
        assert [(header.group, header.text) for header in table.headers[3:]] == [
            ("其他", "应发"),
            ("其他", "实发"),
        ]


def test_units_and_numbers_of_columns_below_the_header() -> None:
    table = table_of(
        [
            ["序号", "姓名", "班级", "金额"],
            [None, None, None, "（元）"],
            ["（1）", "（2）", "（3）", "（4）"],
            [1, "张三", "一(1)班", 5],
        ]
    )
    assert set(why(table).values()) == {"header"}
    assert names(table) == ["张三"]


def test_a_text_file_has_no_merged_cells() -> None:
    table = table_of(
        [
            ["姓名", "班级", "监护人", None, "备注"],
            [None, None, "身份证号", "电话", None],
            ["张三", "一(1)班", "x", "13800000000", None],
        ]
    )
    assert [(header.group, header.text, header.key) for header in table.headers] == [
        ("", "姓名", "姓名"),
        ("", "班级", "班级"),
        ("监护人", "身份证号", None),
        ("监护人", "电话", "联系电话"),
        ("", "备注", None),
    ]


def test_a_name_over_a_merged_group_does_not_reach_beyond_it() -> None:
    table = table_of(
        [["监护人", None, None, None], ["称呼", "单位", "姓名", "身份证号"], ["父", "无", "张三", None]],
        [(1, 1, 1, 2)],
    )
    assert {header.text: header.group for header in table.headers} == {
        "称呼": "监护人",
        "单位": "监护人",
        "姓名": "",
        "身份证号": "",
    }
    assert names(table) == ["张三"]


@pytest.mark.parametrize(
    "group", ["监护人信息", "家长", "父亲", "班主任", "户主情况", "学生家长", "家庭成员", "开户人"]
)
@pytest.mark.parametrize("field", ["身份证号", "身份证号码", "性别"])
def test_what_is_another_persons_is_never_the_pupils(group: str, field: str) -> None:
    columns = [*fields("姓名|学生姓名", "身份证号|身份证号码|学生身份证号", "性别", "班级")]
    rows: Rows = [
        ["姓名", "班级", group, None],
        [None, None, "姓名", field],
        ["张三", "一(1)班", "张大", IDENTITY],
    ]
    merges = [(1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 4)]
    table = find_table(Sheet("表", rows, merges=merges), columns, {"姓名"})
    assert {header.index: header.key for header in table.headers} == {0: "姓名", 1: "班级", 2: None, 3: None}


@pytest.mark.parametrize("group", ["学生信息", "学生基本情况", "本人", "基本信息", "学生及家长信息", "幼儿"])
def test_what_stands_above_the_pupils_own_columns_does_not_hide_them(group: str) -> None:
    columns = fields("姓名|学生姓名|幼儿姓名", "身份证号|学生身份证号", "性别", "班级")
    rows: Rows = [
        [group, None, None, None],
        ["姓名", "身份证号", "性别", "班级"],
        ["张三", IDENTITY, "男", "1"],
    ]
    table = find_table(Sheet("表", rows, merges=[(1, 1, 1, 4)]), columns, {"姓名"})
    assert [header.key for header in table.headers] == ["姓名", "身份证号", "性别", "班级"]


def test_a_header_merged_over_two_columns_is_one_column() -> None:
    rows: Rows = [["姓名", None, "班级"], ["张三", None, "一(1)班"], ["李四", None, "一(2)班"]]
    table = table_of(rows, [(1, 1, 1, 2), (2, 1, 2, 2), (3, 1, 3, 2)])
    assert names(table) == ["张三", "李四"]
    assert table.duplicates == []
    assert table.warnings == []


def test_two_filled_columns_of_one_name_are_told() -> None:
    table = table_of([["姓名", "班级", "姓名"], ["张三", "一(1)班", "张大"]])
    assert table.duplicates == [(2, "姓名")]


def test_a_column_without_a_name_is_told_by_its_letter() -> None:
    table = table_of([["姓名", "班级", None, None], ["张三", "一(1)班", None, "转学"]])
    assert [(header.index, header.text) for header in table.unmatched] == [(3, "D列")]


@pytest.mark.parametrize("merges", [[], [(2, 1, 2, 3), (2, 4, 2, 5)]])
@pytest.mark.parametrize("title", ["某校学生花名册", "家长联系表"])
def test_names_over_groups_belong_to_the_header(title: str, merges: list[tuple[int, int, int, int]]) -> None:
    rows: Rows = [
        [title, None, None, None, None],
        ["学生信息", None, None, "监护人信息", None],
        ["姓名", "性别", "班级", "姓名", "身份证号"],
        ["张三", "男", "1", "张大", IDENTITY],
    ]
    columns = fields("姓名|学生姓名", "身份证号", "班级", "性别")
    table = find_table(Sheet("表", rows, merges=[(1, 1, 1, 5), *merges]), columns, {"姓名"})
    assert why(table) == {1: "title", 2: "header", 3: "header"}
    assert [header.key for header in table.headers] == ["姓名", "性别", "班级", None, None]
    assert table.title_text == title


@pytest.mark.parametrize(
    ("titles", "group", "header", "unit"),
    [
        (["单位：万元"], "", "金额", "wan"),
        (["填报单位：青石坳中心完小          单位：万元"], "", "金额", "wan"),
        (["单位：人、万元"], "", "金额", "wan"),
        (["金额单位:人民币万元"], "", "金额", "wan"),
        (["2026年春季学期资助情况表（万元）"], "", "金额", "wan"),
        (["填报单位：万元镇小学", "单位：元"], "", "金额", "yuan"),
        (["单位：元"], "", "金额", "yuan"),
        (["花名册"], "", "金额", "yuan"),
        (["单位：元"], "资助金额（万元）", "金额", "wan"),
        (["单位：万元"], "资助金额（元）", "金额", "yuan"),
        (["单位：万元"], "", "金额（元）", "yuan"),
        (["花名册"], "", "金额（万元）", "wan"),
    ],
)
def test_the_unit_of_money(titles: list[str], group: str, header: str, unit: str) -> None:
    rows: Rows = [[title] for title in titles]
    if group:
        rows.append(["学生信息", None, group, None])
    rows += [["姓名", "班级", header, "应补"], ["张三", "1", 5, 6]]
    top = len(titles) + 1
    merges = [(top, 1, top, 2), (top, 3, top, 4)] if group else []
    table = table_of(rows, merges)
    assert table.money_unit(table.rows[0].cells["金额"].header_text) == unit


# Feet, notes and numbers between the records


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["一年级合计", None, None, None, 30], "total"),
        (["第1页小计", None, None, None, 30], "subtotal"),
        (["全校总计", "37人", None, None, 30], "total"),
        (["共37人", None, None, None, None], "total"),
        (["共计37人，金额23125元", None, None, None, None], "total"),
        (["大写：贰万叁仟壹佰贰拾伍元整", None, None, None, 23125], "total"),
        (["人民币（大写）：壹仟元整", None, None, None, None], "total"),
        (["过次页", None, None, None, None], "note"),
        (["第1页，共3页", None, None, None, None], "note"),
        (["第 1 页 共 3 页", None, None, None, None], "note"),
        (["以下空白", None, None, None, None], "note"),
        ([None, "（以下空白）", None, None, None], "note"),
        (["青石坳中心完小（盖章）", None, None, None, None], "signature"),
        ([None, None, None, "学校（公章）", None], "signature"),
        (["二〇二六年三月十日", None, None, None, None], "signature"),
        ([None, None, None, None, "2026年3月10日"], "signature"),
        ([None, None, None, "    年   月   日", None], "signature"),
        (["校长（签字）：        经办人（签字）：", None, None, None, None], "signature"),
        (["制表：张三", None, "审核：李四", None, "负责人：王五"], "signature"),
        (["填写说明", "须与身份证一致", "18位文本格式", "写到班", "元"], "note"),
        (["必填", "必填", "必填", "选填", "选填"], "note"),
        ([7, "/", "/", "/", "/"], "numbered_blank"),
        ([7, None, None, None, 0], "numbered_blank"),
        ([7, None, None, None, "0.00"], "numbered_blank"),
        ([None, "/", "—", None, "无"], "empty"),
        (["\u200b", "'", None, None, None], "empty"),
    ],
)
def test_a_row_that_is_no_record(row: list[Value], reason: str | None) -> None:
    table = table_of(
        [
            ["序号", "姓名", "身份证号", "班级", "金额"],
            [1, "韩航英", None, "一(1)班", 5],
            row,
            [2, "张三", None, "1", 5],
        ]
    )
    assert ignored(table) == ({3: reason} if reason else {})
    assert names(table) == ["韩航英", "张三"]


@pytest.mark.parametrize(
    "row",
    [
        [7, "共产", None, None, None],
        [7, "张三", "/", "/", 0],
        [7, 0, None, None, 0],
        [None, "张三", None, None, "2026年3月10日"],
        [None, "年月日", None, "一(1)班", None],
        [7, "张三", None, None, "签字："],
        [None, None, None, None, 5],
        [None, "共计", IDENTITY, "一(1)班", None],
    ],
)
def test_a_row_that_may_be_a_record_is_never_passed(row: list[Value]) -> None:
    table = table_of([["序号", "姓名", "身份证号", "班级", "金额"], [1, "韩航英", None, "一(1)班", 5], row])
    assert [found.number for found in table.rows] == [2, 3]


def test_numbering_that_restarts_and_records_below_a_total() -> None:
    header: list[Value] = ["序号", "姓名", "身份证号", "班级", "金额"]
    table = table_of(
        [
            header,
            ["一年级", None, None, None, None],
            [1, "张三", None, "一(1)班", 5],
            ["小计", None, None, None, 5],
            ["二年级", None, None, None, None],
            [1, "李四", None, "二(1)班", 5],
            ["合计", None, None, None, 10],
            ["制表人：何某", None, None, None, None],
            [2, "王五", None, "二(1)班", 5],
        ],
        [(2, 1, 2, 5), (5, 1, 5, 5)],
    )
    assert names(table) == ["张三", "李四", "王五"]
    assert list(ignored(table).values()) == ["section", "subtotal", "section", "total", "signature"]


def test_a_section_merged_over_the_names_is_no_person() -> None:
    table = table_of(
        [["姓名", "班级", "金额"], ["三年级", None, None], ["张三", "三(1)班", 5]], [(2, 1, 2, 3)]
    )
    assert ignored(table) == {2: "section"}
    assert names(table) == ["张三"]


def test_a_subtotal_inside_a_merged_number_is_no_record() -> None:
    table = table_of(
        [["序号", "姓名", "班级", "金额"], [1, "张三", "一(1)班", 5], [None, "小计", None, 5]], [(2, 1, 3, 1)]
    )
    assert ignored(table) == {3: "subtotal"}


# Hidden rows and columns, merged cells


def test_hidden_rows_and_columns_are_read_and_said() -> None:
    table = table_of(
        [["姓名", "班级", "联系电话"], ["张三", "1", "13800000000"], ["李四", "1", None]],
        hidden_rows={3},
        hidden_columns={3},
    )
    assert [(row.number, row.hidden) for row in table.rows] == [(2, False), (3, True)]
    assert [header.text for header in table.headers if header.hidden] == ["联系电话"]
    assert table.rows[0].cells["联系电话"].value == "13800000000"


def test_a_cell_merged_across_two_fields_is_read_once_and_said() -> None:
    columns = fields("姓名", "应发", "实发")
    rows: Rows = [["姓名", "应发", "实发"], ["张三", 625, None], ["李四", 5, 6], ["王五", 625, None]]
    table = find_table(Sheet("表", rows, merges=[(2, 2, 2, 3), (4, 2, 4, 3)]), columns, {"姓名"})
    assert [row.cells["实发"].value for row in table.rows] == [None, 6, None]
    assert [(row, message.code) for row, message in table.warnings] == [(2, "merged_across")]
    assert "2、4" in str(table.warnings[0][1])
    assert "应发、实发" in str(table.warnings[0][1])


def test_a_family_merged_down_over_several_columns() -> None:
    rows: Rows = [
        ["户主", "地址", "姓名", "班级"],
        ["张大", "三组", "张三", "1"],
        [None, None, "张四", "2"],
        ["李大", None, "李四", "1"],
    ]
    table = find_table(
        Sheet("表", rows, merges=[(2, 1, 3, 1), (2, 2, 3, 2)]),
        fields("户主", "地址", "姓名", "班级"),
        {"姓名"},
    )
    assert [row.cells["户主"].value for row in table.rows] == ["张大", "张大", "李大"]
    assert [row.cells["地址"].value for row in table.rows] == ["三组", "三组", None]


def test_a_header_merged_into_the_records_is_no_value() -> None:
    table = table_of([["姓名", "班级"], ["张三", None]], [(1, 2, 2, 2)])
    assert all(row.cells["班级"].value is None for row in table.rows)


# Two tables on one sheet


SECOND: Rows = [
    ["某校资助花名册", None, None, None],
    ["序号", "姓名", "班级", "金额"],
    [1, "张三", "一(1)班", 5],
    [2, "李四", "一(2)班", 5],
    [None, None, None, None],
    ["转出学生", None, None, None],
    ["序号", "班级", "姓名", "联系电话"],
    [1, "三(1)班", "王五", "13800000000"],
    ["合计", "1人", None, None],
]


def test_a_second_table_is_never_read_under_the_first_header() -> None:
    table = table_of(SECOND)
    assert names(table) == ["张三", "李四"]
    assert table.second == 7
    assert [number for number, reason in why(table).items() if reason == "second_table"] == [7, 8, 9]
    ((row, message),) = table.warnings
    assert (row, message.code) == (7, "second_table")
    assert "7" in str(message)
    assert "9" in str(message)


def test_a_second_table_of_the_same_kind_is_read_under_its_own_header() -> None:
    tables, skipped = find_tables(Workbook("xlsx", "", [Sheet("表", SECOND)]), PEOPLE, {"姓名"})
    assert [names(table) for table in tables] == [["张三", "李四"], ["王五"]]
    assert skipped == []
    assert tables[1].rows[0].cells["联系电话"].value == "13800000000"
    assert [table.title_text for table in tables] == ["某校资助花名册", "转出学生"]
    rows = [row.number for table in tables for row in table.rows]
    rows += [item.row for table in tables for item in table.ignored]
    assert sorted(rows) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert all(table.second is None and not table.warnings for table in tables)


def test_a_second_table_of_another_kind_is_ignored_with_its_reason() -> None:
    rows: Rows = [
        *SECOND[:5],
        ["物品名称", "数量", "单价", "备注"],
        ["书包", 10, 50, None],
        ["铅笔", 5, 1, "支"],
    ]
    tables, _skipped = find_tables(Workbook("xlsx", "", [Sheet("表", rows)]), PEOPLE, {"姓名"})
    assert [names(table) for table in tables] == [["张三", "李四"]]
    assert tables[0].second == 6
    assert {7, 8} <= {item.row for item in tables[0].ignored if item.why == "second_table"}


def test_a_second_table_with_more_columns_does_not_swallow_the_first() -> None:
    rows: Rows = [
        ["姓名", "班级"],
        ["张三", "1"],
        [None],
        ["姓名", "班级", "金额", "电话", "身份证号"],
        ["李四", "2", 5, None, None],
    ]
    tables, _skipped = find_tables(Workbook("xlsx", "", [Sheet("表", rows)]), PEOPLE, {"姓名"})
    assert [names(table) for table in tables] == [["张三"], ["李四"]]


def test_a_second_table_with_a_header_of_two_rows() -> None:
    rows: Rows = [
        ["姓名", "班级", "金额", None],
        ["张三", "1", 5, None],
        ["学生", None, "家长", None],
        ["姓名", "班级", "姓名", "电话"],
        ["李四", "2", "李大", "13800000000"],
    ]
    columns = fields("姓名|学生姓名", "班级", "金额", "家长姓名", "电话|家长电话")
    sheet = Sheet("表", rows, merges=[(3, 1, 3, 2), (3, 3, 3, 4)])
    tables, _skipped = find_tables(Workbook("xlsx", "", [sheet]), columns, {"姓名"})
    assert [[row.number for row in table.rows] for table in tables] == [[2], [5]]
    assert tables[1].rows[0].cells["家长姓名"].value == "李大"


def test_the_same_header_again_is_no_second_table() -> None:
    header: Rows = [["序号", "姓名", "家庭", None], [None, None, "班级", "电话"]]
    merges = [(1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 4), (4, 1, 5, 1), (4, 2, 5, 2), (4, 3, 4, 4)]
    table = table_of([*header, [1, "张三", "1", None], *header, [2, "李四", "1", None]], merges)
    assert names(table) == ["张三", "李四"]
    assert ignored(table) == {4: "repeated_header", 5: "repeated_header"}
    assert table.second is None


def test_the_same_names_over_other_columns_are_a_second_table() -> None:
    rows: Rows = [["姓名", "班级", "金额"], ["张三", "1", 5], ["金额", "姓名", "班级"], [6, "李四", "2"]]
    tables, _skipped = find_tables(Workbook("xlsx", "", [Sheet("表", rows)]), PEOPLE, {"姓名"})
    assert [names(table) for table in tables] == [["张三"], ["李四"]]
    assert [table.rows[0].cells["金额"].value for table in tables] == [5, 6]


# What a person decides


def test_columns_set_by_hand() -> None:
    rows: Rows = [["姓名", "曾用名", "号码", "班级", "金额"], ["张三", "张叁", IDENTITY, "1", 5]]
    table = find_table(
        Sheet("表", rows), PEOPLE, {"姓名"}, ForcedHeader(keys={0: "", 1: "姓名", 2: "身份证号", 9: "金额"})
    )
    assert {header.index: header.key for header in table.headers if header.key} == {
        1: "姓名",
        2: "身份证号",
        3: "班级",
        9: "金额",
    }
    assert names(table) == ["张叁"]
    assert table.rows[0].cells["金额"].value is None
    assert table.duplicates == []


def test_one_field_set_twice_by_hand_is_a_duplicate() -> None:
    rows: Rows = [["甲", "乙"], ["张三", "李四"]]
    table = find_table(Sheet("表", rows), PEOPLE, {"姓名"}, ForcedHeader(1, 1, {0: "姓名", 1: "姓名"}))
    assert table.duplicates == [(1, "姓名")]


def test_a_header_set_by_hand() -> None:
    rows: Rows = [["姓名", "班级"], ["张三", "1"], ["李四", "2"], [None], ["学生", "所属"], ["王五", "3"]]
    sheet = Sheet("表", rows, first_row=11)
    table = find_table(sheet, PEOPLE, {"姓名"}, ForcedHeader(15, 1, {0: "姓名", 1: "班级"}))
    assert [(row.number, row.cells["姓名"].value) for row in table.rows] == [(16, "王五")]
    assert sorted(item.row for item in table.ignored) == [11, 12, 13, 15]


def test_rows_of_a_table_above_a_header_set_by_hand_are_no_titles() -> None:
    sheet = Sheet("表", SECOND)
    table = find_table(sheet, PEOPLE, {"姓名"}, ForcedHeader(7, 1))
    assert names(table) == ["王五"]
    assert [why(table)[row] for row in (1, 2, 3, 4, 6)] == ["second_table"] * 4 + ["title"]
    assert table.title_text == "转出学生"


def test_a_sheet_whose_headers_nobody_knows_is_read_by_the_columns_set() -> None:
    rows: Rows = [["台账"], ["娃娃", "屋里", "好多钱"], ["张三", "三组", 5], ["李四", "四组", 6]]
    sheet = Sheet("表", rows)
    assert guess_header(sheet) == (2, 1)
    table = find_table(sheet, PEOPLE, {"姓名"}, ForcedHeader(keys={0: "姓名", 2: "金额"}))
    assert [(row.cells["姓名"].value, row.cells["金额"].value) for row in table.rows] == [
        ("张三", 5),
        ("李四", 6),
    ]


@pytest.mark.parametrize("first_row", [0, -3, 99])
def test_a_header_outside_the_sheet_is_refused(first_row: int) -> None:
    with pytest.raises(NoTableError):
        find_table(Sheet("表", [["姓名", "班级"]]), PEOPLE, {"姓名"}, ForcedHeader(first_row, 1))


def test_a_hidden_sheet_that_a_person_chose_is_read() -> None:
    sheet = Sheet("隐", [["姓名", "班级"], ["张三", "1"]], visible=False)
    tables, skipped = find_tables(Workbook("xlsx", "", [sheet]), PEOPLE, {"姓名"}, {"隐": ForcedHeader()})
    assert [names(table) for table in tables] == [["张三"]]
    assert skipped == []


@pytest.mark.parametrize(
    ("rows", "merges", "guess"),
    [
        ([["花名册"], ["娃", "班", "钱"], ["张三", "1", 5], ["李四", "1", 6]], [], (2, 1)),
        (
            [["单位：某校", "日期：3月"], ["甲名", "乙项", "丙值"], ["张三", "一班", 5], ["李四", "一班", 6]],
            [],
            (2, 1),
        ),
        (
            [["序", "人", "钱款", None], [None, None, "该给", "给了"], [1, "张三", 5, 5], [2, "李四", 6, 6]],
            [(1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 4)],
            (1, 2),
        ),
        ([[1, 2, 3], [4, 5, 6]], [], None),
        ([], [], None),
        ([["只有一句话"]], [], None),
    ],
)
def test_guessing_a_header(
    rows: Rows, merges: list[tuple[int, int, int, int]], guess: tuple[int, int] | None
) -> None:
    assert guess_header(Sheet("表", rows, merges=merges)) == guess


def test_columns_of_a_header_and_their_signatures() -> None:
    rows: Rows = [["姓名", "监护人", None], [None, "姓 名", "电话*"], ["张三", "张大", "1", "转学"]]
    headers = columns_of(Sheet("表", rows, merges=[(1, 1, 2, 1), (1, 2, 1, 3)]), 1, 2)
    assert [(header.index, header.text, header.group) for header in headers] == [
        (0, "姓名", ""),
        (1, "姓 名", "监护人"),
        (2, "电话*", "监护人"),
        (3, "D列", ""),
    ]
    assert [header_signature(header.group, header.text) for header in headers] == [
        "姓名",
        "监护人/姓名",
        "监护人/电话",
        "d列",
    ]
    assert header_signature("", "√") == "√"


def test_no_header_at_all_is_said() -> None:
    with pytest.raises(NoTableError) as caught:
        table_of([["张三", "一(1)班", 5], ["李四", "一(1)班", 6]])
    assert caught.value.code == "no_table"
