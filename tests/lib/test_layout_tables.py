"""What is hidden or merged, two tables on a sheet, and what a person decides about header and columns."""

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
