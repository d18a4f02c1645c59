"""Whatever the bytes and tags, in whatever order: a workbook or a refusal, and nothing else."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from povertyaid.lib.sheets.grid import tidy_merges
from povertyaid.lib.sheets.model import UnreadableFileError, Workbook
from povertyaid.lib.sheets.reader import read_workbook
from tests.lib.sheets_made import (
    biff,
    biff_number,
    biff_text,
    ods,
    ods_cell,
    ods_table,
    text_cell,
    xlsx,
    xml_2003,
)

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Merge

PAGE = (
    '<html><meta charset="gb2312"><style>td {}</style><h3>册</h3><table><col hidden><tr><th rowspan=2>姓名<th colspan=2>家'
    "<tr><td>李&nbsp;<td>大<br>小</tr></table>尾"
)

VALID = [
    xlsx(f'<row r="1">{text_cell("A1", "姓名")}<c r="B1"><f>1</f><v>2</v></c></row>', tail="<mergeCells/>"),
    biff(biff_text(0, 0, "姓名"), biff_number(0, 1, 2.0)),
    ods(ods_table(ods_cell("姓名") + ods_cell("班级"))),
    xml_2003('<Row><Cell><Data ss:Type="Number">2</Data></Cell></Row>').encode(),
    PAGE.encode(),
    "姓名,班级\r\n张三,一班\r\n".encode("gb18030"),
    "姓名\t班级\r\n张三\t一班\r\n".encode("utf-16"),
]


@settings(max_examples=200)
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=8),
    st.floats(0.2, 1),
)
def test_whatever_is_spoilt_a_workbook_or_a_refusal(
    data: bytes, changes: list[tuple[float, bytes]], kept: float
) -> None:
    spoiled = bytearray(data[: int(len(data) * kept)])
    for place, content in changes:
        position = int(place * len(spoiled))
        spoiled[position : position + len(content)] = content
    try:
        found: object = read_workbook(bytes(spoiled))
    except UnreadableFileError as error:
        found = error
    # What comes out of a child process must survive the way.
    assert type(pickle.loads(pickle.dumps(found))) in {Workbook, UnreadableFileError}  # noqa: S301 - our own bytes


PIECES = st.sampled_from(
    [
        "<row>",
        '<row r="3" hidden="1">',
        "</row>",
        "<c>",
        '<c r="B3" t="e">',
        "</c>",
        "<v>",
        "1",
        "</v>",
        "<f>",
        "<f/>",
        "<is><t>",
        "</t></is>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "'",
        '"',
        "&amp;",
        "<c/>",
        '<c r="A1"/>',
        "<v/>",
    ]
)
TAGS = st.sampled_from(
    [
        "<table>",
        "</table>",
        "<tr>",
        "</tr>",
        "<td>",
        "<td rowspan=3>",
        "<td colspan=0>",
        "</td>",
        "<br>",
        "文",
        "&#0;",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<col span=9 hidden>",
        "<tr hidden>",
        "<p>",
        "<![if",
        "<?",
        "&nbsp;",
        "</",
    ]
)


@given(st.lists(PIECES, max_size=30))
def test_any_order_of_the_tags_of_a_sheet(pieces: list[str]) -> None:
    try:
        found: object = read_workbook(xlsx("".join(pieces)))
    except UnreadableFileError as error:
        found = error.code
    assert isinstance(found, Workbook) or found in {"damaged", "empty", "unsafe"}


@given(st.lists(TAGS, max_size=40))
def test_any_order_of_the_tags_of_a_page(pieces: list[str]) -> None:
    try:
        found: object = read_workbook(f"<html><table>{''.join(pieces)}".encode())
    except UnreadableFileError as error:
        found = error.code
    assert isinstance(found, Workbook) or found in {"damaged", "empty", "unknown"}


RANGES = st.lists(st.tuples(*[st.integers(-2, 9)] * 4), max_size=12)


@given(RANGES, st.integers(0, 6), st.integers(0, 6))
def test_merges_stay_inside_and_never_overlap(ranges: list[Merge], rows: int, columns: int) -> None:
    seen: set[tuple[int, int]] = set()
    for top, left, bottom, right in tidy_merges(ranges, rows, columns):
        assert 1 <= top <= bottom <= rows
        assert 1 <= left <= right <= columns
        cells = {(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)}
        assert len(cells) > 1
        assert seen.isdisjoint(cells)
        seen |= cells
