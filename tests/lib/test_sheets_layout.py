"""Finding tables: titles, headers with merges, and every row accounted for exactly once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib.periods import find_period_in_text
from povertyaid.lib.sheets.headers import match_columns, normalise_header
from povertyaid.lib.sheets.layout import NoTableError, Table, find_table, find_tables
from povertyaid.lib.sheets.model import Sheet, Workbook
from povertyaid.lib.sheets.reader import read_workbook

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Value

WORKBOOKS = Path(__file__).parent.parent / "data" / "workbooks"


@dataclass(frozen=True)
class Field:
    """A column as resources declare it."""

    key: str
    headers: tuple[str, ...]


def fields(*names: str) -> list[Field]:
    """Columns whose key is their first header; further headers stand after a bar."""
    return [Field(name.split("|")[0], tuple(name.split("|"))) for name in names]


ROSTER = fields(
    "姓名", "性别", "身份证号码|身份证号", "年级班级", "户主姓名", "与户主关系", "联系电话", "认定等级"
)
REGISTRY = fields("户编号", "姓名", "证件号码", "与户主关系", "首次识别时间")
PAYMENTS = fields("姓名", "身份证号", "资助项目", "学期", "实发", "账号")
PAIRINGS = fields("帮扶责任人", "职务", "联系电话", "帮扶对象", "年级班级", "结对时间")
PEOPLE = fields("姓名", "身份证号", "班级", "金额")


def people(*rows: list[Value], merges: list[tuple[int, int, int, int]] | None = None) -> Table:
    """The table of a sheet with a numbered list of people and these rows from row 2 on."""
    header: list[Value] = ["序号", "姓名", "身份证号", "班级", "金额"]
    return find_table(Sheet("表", [header, *rows], merges=merges or []), PEOPLE, {"姓名"})


def ignored(table: Table) -> dict[int, str]:
    """Row number → why, without the header."""
    return {entry.row: entry.why for entry in table.ignored if entry.why != "header"}


@pytest.mark.parametrize(
    ("name", "columns", "required", "records"),
    [
        ("students-roster.xlsx", ROSTER, {"姓名"}, 37),
        ("registry.xls", REGISTRY, {"户编号", "姓名"}, 34),
        ("payments.csv", PAYMENTS, {"姓名", "实发"}, 24),
        ("pairings.xlsx", PAIRINGS, {"帮扶责任人", "帮扶对象"}, 22),
    ],
)
def test_the_given_workbooks(name: str, columns: list[Field], required: set[str], records: int) -> None:
    truth = json.loads((WORKBOOKS / name).with_suffix(".expected.json").read_text("utf-8"))
    tables, _skipped = find_tables(read_workbook((WORKBOOKS / name).read_bytes(), name), columns, required)
    table = tables[0]
    assert [entry.row for entry in table.ignored] == truth["ignored"]
    assert len(table.rows) == records
    taken = {entry["row"] for entry in truth["rejected"]}
    taken |= {entry["row"] for entry in truth["accepted"] if "row" in entry}
    taken |= {member["row"] for entry in truth["accepted"] for member in entry.get("members", [])}
    assert {row.number for row in table.rows} == taken
    assert not table.duplicates


def test_the_roster_in_detail() -> None:
    book = read_workbook((WORKBOOKS / "students-roster.xlsx").read_bytes())
    (table,), skipped = find_tables(book, ROSTER, {"姓名"})
    assert find_period_in_text(table.title_text) == "2025-2026-2"
    assert "青石坳中心完小" in table.title_text
    assert [(entry.row, entry.why) for entry in table.ignored][:5] == [
        (1, "title"),
        (2, "title"),
        (3, "header"),
        (4, "header"),
        (11, "subtotal"),
    ]
    assert [(entry.row, entry.why) for entry in table.ignored][-2:] == [(48, "total"), (50, "signature")]
    assert [row.number for row in table.rows if row.hidden] == [38]
    assert next(header for header in table.headers if header.text == "户主姓名").group == "家庭情况"
    assert [header.text for header in table.unmatched] == [
        "序号",
        "学籍号",
        "就读方式",
        "困难类型",
        "留守儿童",
        "备注",
    ]
    numeric = [row.number for row in table.rows if row.cells["身份证号码"].numeric]
    assert numeric == [22]
    assert [entry.sheet for entry in skipped] == ["说明"]
    assert "姓名" in str(skipped[0].message)


def test_merged_helpers_are_given_to_their_rows_and_to_no_others() -> None:
    (table,), _skipped = find_tables(
        read_workbook((WORKBOOKS / "pairings.xlsx").read_bytes()), PAIRINGS, {"帮扶对象"}
    )
    by_number = {row.number: row for row in table.rows}
    assert [by_number[number].cells["帮扶责任人"].value for number in (8, 9, 10)] == ["金琪娜"] * 3
    assert [by_number[number].cells["帮扶责任人"].filled for number in (8, 9, 10)] == [False, True, True]
    assert by_number[9].cells["帮扶对象"].value == "魏佳"
    assert not by_number[9].cells["帮扶对象"].filled


def test_an_empty_cell_without_a_merge_stays_empty() -> None:
    table = people([1, "张三", None, "一(1)班", 5], [2, "李四", None, None, None])
    assert table.rows[1].cells["班级"].value is None


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["小计", "6人", None, None, 30], "subtotal"),
        (["一年级小计", None, None, None, 30], "subtotal"),
        ([None, "小计：", None, None, 30], "subtotal"),
        (["合计", None, None, None, 30], "total"),
        (["合 计", "37人", None, None, 30], "total"),
        ([None, "合计", None, None, 30], "total"),
        (["总计（大写）：壹仟元整", None, None, None, None], "total"),
        (["本页合计", None, None, None, 30], "total"),
        (["累计", None, None, None, 30], "total"),
        (["制表人：", None, "审核人：", None, None], "signature"),
        (["制表人：张三", "审核人：李四", None, "校长：", None], "signature"),
        ([None, "填表人：张三", None, "负责人（签字）", None], "signature"),
        ([None, None, None, "校长：", None], "signature"),
        (["经办人", None, "负责人", None, None], "signature"),
        (["单位负责人（签章）：", None, None, "联系电话：13800000000", None], "signature"),
        (["填表日期：2026年3月10日", None, None, None, None], "signature"),
        (["备注：本表一式三份", None, None, None, None], "note"),
        (["注：1.身份证号码须为文本格式", None, None, None, None], "note"),
        (["2、本表由班主任填报，学校审核盖章", None, None, None, None], "note"),
        (["单位：元", None, None, None, None], "note"),
        (["序号", "姓名", "身份证号", "班级", "金额"], "repeated_header"),
        (["示例", "张三", "431202201808214614", "一(1)班", 5], "example"),
        (["示例", "张三", "（18位）", "一(1)班", 5], "example"),
        (["一年级", None, None, None, None], "section"),
        ([38, None, None, None, None], "numbered_blank"),
        (["1", "2", "3", "4", "5"], "header"),
        (["甲", "乙", "1", "2", "3"], "header"),
        # Records that look like something else.
        ([1, "合计", None, None, None], None),
        ([1, "王小计", None, None, 5], None),
        (["1", "张三", "校长：", None, None], None),
        ([None, "张三", None, None, None], None),
        ([None, "王小计", "431202201808214614", "一(1)班", 5], None),
        ([20, None, "431202201507075868", "四(2)班", None], None),
        ([None, None, "431202201507075868", None, None], None),
        (["无", "张三", "负责人：李四", "一(1)班", None], None),
        ([3.0, "制表人", None, None, None], None),
    ],
)
def test_what_a_row_is(row: list[Value], why: str | None) -> None:
    table = people([1, "韩航英", None, "一(1)班", 5], row)
    numbering = {entry.row: entry.why for entry in table.ignored if entry.row > 1}
    assert numbering == ({3: why} if why else {})
    assert len(table.rows) == (1 if why else 2)


def test_title_and_header_that_come_again_on_the_next_page() -> None:
    rows: list[list[Value]] = [
        ["某校花名册", None],
        ["姓名", "班级"],
        ["张三", "一(1)班"],
        ["某校花名册", None],
        ["姓名", "班级"],
        ["李四", "一(1)班"],
    ]
    table = find_table(Sheet("表", rows), fields("姓名", "班级"), {"姓名"})
    assert [(entry.row, entry.why) for entry in table.ignored] == [
        (1, "title"),
        (2, "header"),
        (4, "title"),
        (5, "repeated_header"),
    ]
    assert [row.cells["姓名"].value for row in table.rows] == ["张三", "李四"]


def test_a_helper_without_a_number_is_no_signature() -> None:
    rows: list[list[Value]] = [["职务", "姓名"], ["校长", "何曦平"], ["班主任", "尤兰"], ["校长：", None]]
    table = find_table(Sheet("表", rows), fields("职务", "姓名"), {"姓名"})
    assert [row.number for row in table.rows] == [2, 3]
    assert ignored(table) == {4: "signature"}


def test_three_header_rows_with_groups() -> None:
    rows: list[list[Value]] = [
        ["序号", "姓名", "监护人", None, "资助金额（元）", None],
        [None, None, "监护人1", None, "应发", "实发"],
        [None, None, "姓名", "电话", None, None],
        [1, "张三", "张大", "13800000000", 5, 6],
    ]
    merges = [
        (1, 1, 3, 1),
        (1, 2, 3, 2),
        (1, 3, 1, 4),
        (2, 3, 2, 4),
        (1, 5, 1, 6),
        (2, 5, 3, 5),
        (2, 6, 3, 6),
    ]
    table = find_table(
        Sheet("表", rows, merges=merges),
        fields("姓名", "监护人电话|监护人监护人1电话", "应发", "实发"),
        {"姓名"},
    )
    cells = table.rows[0].cells
    assert {key: cell.value for key, cell in cells.items()} == {
        "姓名": "张三",
        "监护人电话": "13800000000",
        "应发": 5,
        "实发": 6,
    }
    assert table.duplicates == []
    assert [header.index for header in table.unmatched] == [0, 2]
    assert [entry.row for entry in table.ignored] == [1, 2, 3]


def test_rows_are_numbered_as_excel_shows_them() -> None:
    table = find_table(
        Sheet("表", [["姓名", "班级"], ["张三", "1"]], first_row=5), fields("姓名", "班级"), {"姓名"}
    )
    assert [row.number for row in table.rows] == [6]
    assert [entry.row for entry in table.ignored] == [5]


def test_sheets_without_a_table_and_hidden_sheets() -> None:
    rows: list[list[Value]] = [["姓名", "班级"], ["张三", "1"]]
    book = Workbook(
        "xlsx",
        "",
        [Sheet("空", []), Sheet("说明", [["填表说明"]]), Sheet("隐", rows, visible=False), Sheet("表", rows)],
    )
    tables, skipped = find_tables(book, fields("姓名", "班级"), {"姓名"})
    assert [table.sheet for table in tables] == ["表"]
    assert [(entry.sheet, entry.message.code) for entry in skipped] == [
        ("说明", "no_table"),
        ("隐", "hidden_sheet"),
    ]


def test_a_header_that_lacks_a_column_is_named() -> None:
    with pytest.raises(NoTableError) as caught:
        find_table(Sheet("表", [["题"], ["姓名", "班级"], ["张三", "1"]]), PEOPLE, {"姓名", "身份证号"})
    assert caught.value.code == "columns"
    assert "身份证号" in str(caught.value)
    assert caught.value.message.params["row"] == 2


def test_a_header_below_a_row_that_shares_a_merge_begins_above() -> None:
    rows: list[list[Value]] = [["姓名", "家庭", None], [None, "户主", "电话"], ["张三", "张大", "1"]]
    table = find_table(
        Sheet("表", rows, merges=[(1, 1, 2, 1), (1, 2, 1, 3)]), fields("姓名", "户主", "电话"), {"姓名"}
    )
    assert [(entry.row, entry.why) for entry in table.ignored] == [(1, "header"), (2, "header")]


def test_the_unit_of_money_in_titles_and_headers() -> None:
    rows: list[list[Value]] = [["某校发放表"], ["单位：万元"], ["姓名", "金额"], ["张三", 0.0625]]
    table = find_table(Sheet("表", rows), fields("姓名", "金额"), {"姓名"})
    assert table.money_unit() == "wan"
    assert table.money_unit("金额（元）") == "yuan"
    assert table.money_unit("金额（万元）") == "wan"
    assert people([1, "张三", None, None, 5]).money_unit() == "yuan"


def test_headers_are_compared_without_dress() -> None:
    assert normalise_header(" 姓 名* ") == "姓名"
    assert normalise_header("县(市、区、旗)") == normalise_header("县（市、区、旗）")
    matching = match_columns(["姓 名", "实发金额（元）", "姓名", "备 注"], fields("姓名", "实发金额", "备注"))
    assert matching.keys == {0: "姓名", 1: "实发金额", 3: "备注"}
    assert matching.duplicates == [(2, "姓名")]


def test_a_group_makes_another_column_of_the_same_header() -> None:
    matching = match_columns(
        ["姓名", "电话", "姓名"], fields("姓名", "监护人姓名", "监护人电话"), ["监护人", "监护人", ""]
    )
    assert matching.keys == {0: "监护人姓名", 1: "监护人电话", 2: "姓名"}


WORDS = st.sampled_from(
    [
        "姓名",
        "班级",
        "张三",
        "合计",
        "小计",
        "制表人：",
        "备注：",
        "序号",
        "1",
        "校长",
        "",
        " ",
        "431202201808214614",
        "一年级",
    ]
)
CELLS = st.one_of(
    st.none(), WORDS, st.text(max_size=6), st.integers(0, 40), st.floats(allow_nan=False), st.booleans()
)


@given(
    st.lists(st.lists(CELLS, max_size=5), max_size=12),
    st.lists(st.tuples(*[st.integers(1, 14)] * 4), max_size=3),
    st.integers(1, 9),
)
def test_every_row_is_accounted_for_exactly_once(
    rows: list[list[Value]], merges: list[tuple[int, int, int, int]], first_row: int
) -> None:
    sheet = Sheet("表", [["序号", "姓名", "班级"], *rows], first_row=first_row, merges=merges)
    try:
        table = find_table(sheet, fields("姓名", "班级"), {"姓名"})
    except NoTableError as error:
        assert error.code in {"no_table", "columns"}  # noqa: PT017 - either outcome is right
        return
    accounted = Counter([row.number for row in table.rows] + [entry.row for entry in table.ignored])
    assert set(accounted.values()) <= {1}
    for offset, row in enumerate(sheet.rows):
        if any(value is not None and str(value).strip() for value in row):
            assert accounted[first_row + offset] == 1


@given(
    st.integers(1, 999),
    st.text(alphabet="张李王合计小总制表人校长备注", min_size=2, max_size=4),
    st.booleans(),
)
def test_a_number_and_a_name_are_always_a_record(number: int, name: str, as_text: bool) -> None:
    table = people([str(number) if as_text else float(number), name, None, None, None])
    assert [row.number for row in table.rows] == [2]
