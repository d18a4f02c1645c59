"""Tables as forty schools draw them: headers, feet, second tables, and what a person decides about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from povertyaid.lib.sheets.layout import (
    Table,
    find_table,
)
from povertyaid.lib.sheets.model import Sheet
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
