"""Bad and hostile files through the child process: each is read right, or refused with a sentence that names why.

The limits of time and memory are the child's own: whatever passes them comes back as `time` or `memory`, so that a
file that is read here, or refused for what it is, stayed within both.
"""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from povertyaid.lib.sheets.child import read_in_child, told_limits
from povertyaid.lib.sheets.model import UnreadableFileError
from tests.lib.sheets_made import (
    BILLION_LAUGHS,
    MAIN,
    ODF,
    OUTSIDE,
    Packed,
    biff,
    biff_number,
    ods,
    ods_cell,
    ods_table,
    record,
    repeated,
    sheet_of,
    text_cell,
    xlsx,
    xml_2003,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from povertyaid.lib.sheets.model import Sheet

WORKBOOKS = Path(__file__).parent.parent / "data" / "workbooks"
XLS = (WORKBOOKS / "registry.xls").read_bytes()
OLE = XLS[:8]
NAMES = f'<row r="1">{text_cell("A1", "姓名")}{text_cell("B1", "班级")}</row>'
RECORD = f'<row r="2">{text_cell("A2", "张三")}{text_cell("B2", "一(1)班")}</row>'
LIST = NAMES + RECORD
DEEP = 100_000
MILLION = 1_000_000


def roster() -> bytes:
    """A real workbook."""
    return (WORKBOOKS / "students-roster.xlsx").read_bytes()


def ole_named(stream: str) -> bytes:
    """The head of an OLE file in whose directory this stream stands."""
    return OLE + bytes(504) + stream.encode("utf-16-le") + bytes(512)


def xls_with_password() -> bytes:
    """The real xls with a FILEPASS record behind its first one."""
    start = XLS.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    second = start + 4 + 16
    spoiled = bytearray(XLS)
    spoiled[second : second + 2] = struct.pack("<H", 0x2F)
    return bytes(spoiled)


def xls_in_a_loop() -> bytes:
    """The real xls whose table of sectors leads every sector back to the first."""
    (sector,) = struct.unpack_from("<I", XLS, 76)
    place = 512 * (sector + 1)
    return XLS[:place] + struct.pack("<128I", *[0] * 128) + XLS[place + 512 :]


def nested_zip() -> bytes:
    """A zip of zips of nothing but noughts."""
    inner = zipped({"0.bin": repeated(b"", bytes(1024 * 1024), 500, b"")})
    return zipped({f"{n}.zip": inner for n in range(3)})


def many_parts() -> bytes:
    """An xlsx with sixty thousand further parts."""
    return xlsx(LIST, more={f"xl/media/{n}.xml": "<a/>" for n in range(60_000)})


def overlapping_parts() -> bytes:
    """A zip whose directory names the same gigabyte thousands of times."""
    bomb = repeated(b"<a>", bytes(1024 * 1024), 300, b"</a>", checked=False)
    return xlsx(LIST, more={f"xl/worksheets/{n}.xml": Packed(b"", bomb.size, 0) for n in range(2000)})


def lying(part: Packed) -> Packed:
    """The same part, said to hold ten bytes."""
    return Packed(part.deflated, part.size, part.checksum, told=10)


def laughing_sheet(doctype: str) -> bytes:
    """An xlsx whose sheet declares entities."""
    return xlsx(f'<row r="1">{text_cell("A1", "&l9;")}</row>', head=doctype)


def laughing_strings() -> bytes:
    """An xlsx whose shared texts declare entities."""
    cell = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    text = f"{BILLION_LAUGHS}<sst {MAIN}><si><t>&l9;</t></si></sst>".encode()
    return xlsx(cell, shared=repeated(text, b"", 0, b""))


def merged(*ranges: str) -> str:
    """The part of a sheet with its merged ranges."""
    inside = "".join(f'<mergeCell ref="{one}"/>' for one in ranges)
    return f"<mergeCells>{inside}</mergeCells>"


def docx() -> bytes:
    """What a text document is inside."""
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>"})


def twice_the_same_part() -> bytes:
    """An xlsx that holds another sheet under the name of its sheet."""
    buffer = io.BytesIO(roster())
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return buffer.getvalue()


def many_paragraphs() -> bytes:
    """An ods with three million empty paragraphs in one cell."""
    before = f'<office:document-content {ODF}><office:body><office:spreadsheet><table:table table:name="a">'
    return ods(
        repeated(
            f"{before}<table:table-row><table:table-cell>".encode(),
            b"<text:p/>" * 1000,
            3000,
            b"</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
            b"</office:document-content>",
        )
    )


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "only blanks": (lambda: b"\r\n  \t\r\n" * 1000, "empty"),
    "a table of nothing": (lambda: b",,,,\r\n" * MILLION, "empty"),
    "truncated zip": (lambda: roster()[:5000], "damaged"),
    "truncated xls": (lambda: XLS[:9000], "damaged"),
    "pdf": (lambda: b"%PDF-1.7\n" + bytes(1000), "not_spreadsheet"),
    "docx": (docx, "not_spreadsheet"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "not_spreadsheet"),
    "program": (lambda: b"MZ\x90\x00" + bytes(1000), "not_spreadsheet"),
    "doc": (lambda: ole_named("WordDocument"), "not_spreadsheet"),
    "zip of junk": (lambda: zipped({"a.txt": "a", "b.bin": b"\x00\x01"}), "not_spreadsheet"),
    "zip of zips": (nested_zip, "not_spreadsheet"),
    "binary workbook": (lambda: zipped({"xl/workbook.bin": b"x"}), "xlsb"),
    "noise": (lambda: bytes(range(256)) * 100, "unknown"),
    "noughts between letters": (lambda: b"a\x00b,c\x00\x00\x00d\r\n" * 50, "unknown"),
    "xlsx with a password": (lambda: ole_named("EncryptedPackage"), "encrypted"),
    "xls with a password": (xls_with_password, "encrypted"),
    "ods with a password": (
        lambda: ods(ods_table(ods_cell("a")), manifest="<manifest:encryption-data/>"),
        "encrypted",
    ),
    "entities in a sheet": (lambda: laughing_sheet(BILLION_LAUGHS), "unsafe"),
    "a file of ours in a sheet": (lambda: laughing_sheet(OUTSIDE), "unsafe"),
    "entities in the shared texts": (laughing_strings, "unsafe"),
    "entities in the workbook": (
        lambda: xlsx(LIST, more={"xl/workbook.xml": f"{BILLION_LAUGHS}<a>&l9;</a>"}),
        "unsafe",
    ),
    "entities in an ods": (lambda: ods(ods_table(ods_cell("&l9;")), head=BILLION_LAUGHS), "unsafe"),
    "a file of ours in an ods": (lambda: ods(ods_table(ods_cell("&l9;")), head=OUTSIDE), "unsafe"),
    "entities in XML 2003": (
        lambda: xml_2003(
            "<Row><Cell><Data>&l9;</Data></Cell></Row>", head=f'<?xml version="1.0"?>{BILLION_LAUGHS}'
        ).encode(),
        "unsafe",
    ),
    "two gigabytes in a sheet": (
        lambda: xlsx(repeated(b"<a>", bytes(1024 * 1024), 2048, b"</a>", checked=False)),
        "too_large",
    ),
    "two gigabytes that say they are ten bytes": (
        lambda: xlsx(lying(repeated(b"<a>", bytes(1024 * 1024), 2048, b"</a>", checked=False))),
        "damaged",
    ),
    "two gigabytes beside the sheet that say they are ten bytes": (
        lambda: xlsx(
            LIST,
            more={"xl/x.xml": lying(repeated(b"<a>", bytes(1024 * 1024), 2048, b"</a>", checked=False))},
        ),
        "damaged",
    ),
    "the same part two thousand times": (overlapping_parts, "too_large"),
    "ten million tiny cells": (
        lambda: xlsx(sheet_of("", "<row>" + "<c><v>1</v></c>" * 400 + "</row>", 25_000)),
        "too_large",
    ),
    "a million full rows": (
        lambda: xlsx(sheet_of("", "<row><c><v>1</v></c><c><v>2</v></c></row>", MILLION)),
        "too_large",
    ),
    "a far corner": (
        lambda: xlsx(LIST + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "too_large",
    ),
    "every column filled": (lambda: xlsx(f"<row>{'<c><v>1</v></c>' * 16_384}</row>"), "too_large"),
    "a long text ten thousand times": (
        lambda: xlsx(
            sheet_of("", "<row>" + '<c t="s"><v>0</v></c>' * 10 + "</row>", 1000),
            shared=f"<si><t>{'长' * 30_000}</t></si>",
        ),
        "too_large",
    ),
    "a cell of forty thousand characters": (
        lambda: xlsx(f'<row r="1">{text_cell("A1", "长" * 40_000)}</row>'),
        "too_large",
    ),
    "an ods row nine million times": (
        lambda: ods(
            '<table:table table:name="a"><table:table-row table:number-rows-repeated="9000000">'
            f"{ods_cell('a')}</table:table-row></table:table>"
        ),
        "too_large",
    ),
    "an ods cell in every column of many rows": (
        lambda: ods(
            '<table:table table:name="a"><table:table-row table:number-rows-repeated="190000">'
            + ods_cell("a", 'table:number-columns-repeated="400"')
            + "</table:table-row></table:table>"
        ),
        "too_large",
    ),
    "an ods cell of a billion blanks": (
        lambda: ods(ods_table(ods_cell('<text:s text:c="999999999"/>'))),
        "too_large",
    ),
    "XML nested very deep": (
        lambda: ods(ods_table(ods_cell("<text:span>" * DEEP + "a" + "</text:span>" * DEEP))),
        "damaged",
    ),
    "a page with cells over the whole sheet": (
        lambda: b"<table>" + b'<tr><td rowspan="65000" colspan="16000">a</td>' * 300,
        "too_large",
    ),
    "a row beyond the sheet": (
        lambda: xlsx('<row r="1048577"><c r="A1048577"><v>1</v></c></row>'),
        "damaged",
    ),
    "a row beyond all numbers": (
        lambda: xlsx('<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'),
        "damaged",
    ),
    "a column beyond the sheet": (lambda: xlsx('<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>'), "damaged"),
    "rows out of order": (
        lambda: xlsx('<row r="3"><c r="A3"><v>3</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'),
        "damaged",
    ),
    "a row twice": (lambda: xlsx(LIST + RECORD), "damaged"),
    "a cell twice": (
        lambda: xlsx('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>'),
        "damaged",
    ),
    "two parts of one name": (twice_the_same_part, "damaged"),
    "xls whose sectors run in a loop": (xls_in_a_loop, "damaged"),
    "xls with a record that does not end": (
        lambda: biff(biff_number(0, 0, 1), struct.pack("<HH", 0x0204, 0xFFFF)),
        "damaged",
    ),
    "xls with shared texts that are not there": (
        lambda: biff(
            record(0x00FD, struct.pack("<HHHI", 0, 0, 0, 4_000_000_000)),
            before=record(0x00FC, struct.pack("<II", 4_000_000_000, 4_000_000_000)),
        ),
        "damaged",
    ),
    "a quote that does not end": (lambda: b'name,class\r\n"' + b"x,y\r\n" * 100_000, "damaged"),
    "twenty megabytes of quotes": (lambda: b'"' * (20 * 1024 * 1024 - 1), "damaged"),
    "a page of tables in tables": (lambda: b"<table><tr><td>" * 1_300_000, "damaged"),
    "larger than may be sent": (lambda: b"a,b\r\n" * 4_300_000, "too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why(case: str) -> None:
    make, code = REFUSED[case]
    with pytest.raises(UnreadableFileError) as caught:
        read_in_child(make(), "x.xlsx")
    assert caught.value.code == code
    # In whole sentences, with every figure filled in.
    assert str(caught.value).endswith(("。", "."))
    assert "%(" not in str(caught.value)


def filled_down(row: str) -> Packed:
    """The list, then this row a million times."""
    return sheet_of(LIST, row, MILLION)


def with_macros() -> bytes:
    """An xlsm: the macros stand in a part of their own."""
    return xlsx(LIST, more={"xl/vbaProject.bin": OLE + b"Attribute VB_Name" + bytes(2000)})


def two_tables() -> bytes:
    """Two tables on a sheet, the second without headings, and a heading twice."""
    book = openpyxl.Workbook()
    for row in (["姓名", "姓名"], ["张三", 1], [], ["李四", 2]):
        book.worksheets[0].append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def first_cells(sheet: Sheet) -> list[object]:
    """The first row and the number of rows."""
    return [*sheet.rows[0][:2], len(sheet.rows)]


READ: dict[str, tuple[Callable[[], bytes], Callable[[Sheet], object], object]] = {
    "macros": (with_macros, first_cells, ["姓名", "班级", 2]),
    "a million empty rows": (lambda: xlsx(filled_down("<row/>")), first_cells, ["姓名", "班级", 2]),
    "a million rows with formats only": (
        lambda: xlsx(filled_down('<row ht="20"><c s="1"/><c s="1"/></row>')),
        first_cells,
        ["姓名", "班级", 2],
    ),
    "a million formulas with empty results": (
        lambda: xlsx(numbered_formulas(300_000)),
        first_cells,
        ["姓名", "班级", 2],
    ),
    "a million empty lines of text": (
        lambda: "姓名,班级\r\n张三,一班\r\n".encode() + b",\r\n" * MILLION,
        first_cells,
        ["姓名", "班级", 2],
    ),
    "a million empty rows of ods": (
        lambda: ods(
            f'<table:table table:name="a"><table:table-row>{ods_cell("姓名")}{ods_cell("班级")}</table:table-row>'
            '<table:table-row table:number-rows-repeated="1048575">'
            '<table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>'
        ),
        first_cells,
        ["姓名", "班级", 1],
    ),
    "a million empty rows of a page": (
        lambda: "<table><tr><td>姓名<td>班级".encode() + b"<tr>" * MILLION,
        first_cells,
        ["姓名", "班级", 1],
    ),
    "every column formatted": (
        lambda: xlsx(
            f'<row r="1">{text_cell("A1", "姓名")}{text_cell("B1", "班级")}<c r="XFD1" s="0"/></row>'
        ),
        first_cells,
        ["姓名", "班级", 1],
    ),
    "a cell of thirty-two thousand characters": (
        lambda: xlsx(f'<row r="1">{text_cell("A1", "长" * 32_000)}</row>'),
        lambda sheet: len(str(sheet.rows[0][0])),
        32_000,
    ),
    "formulas as values": (
        lambda: xlsx(
            f'<row r="1">{text_cell("A1", "=cmd|&apos;/c calc&apos;!A1")}<c r="B1"><f>1+1</f></c></row>'
        ),
        lambda sheet: sheet.rows[0],
        ["=cmd|'/c calc'!A1", "=1+1"],
    ),
    "control characters and marks from right to left": (
        lambda: xlsx(f'<row r="1">{text_cell("A1", "张_x0007_三&#x202e;&#x200f;")}</row>'),
        lambda sheet: sheet.rows[0],
        ["张\x07三\u202e\u200f"],
    ),
    "control characters in a text": (
        ("姓名,班级\r\n" + "张三,一班\r\n" * 50 + "李\x07四,二班\r\n\x1a").encode,
        lambda sheet: sheet.rows[51],
        ["李\x07四", "二班"],
    ),
    "a wrong dimension record": (
        lambda: xlsx(
            repeated(
                f'<worksheet {MAIN}><dimension ref="A1:A1"/><sheetData>{LIST}</sheetData></worksheet>'.encode(),
                b"",
                0,
                b"",
            )
        ),
        first_cells,
        ["姓名", "班级", 2],
    ),
    "two tables and a heading twice": (two_tables, first_cells, ["姓名", "姓名", 4]),
    "merges over the whole sheet, a hundred thousand times": (
        lambda: xlsx(LIST, tail=merged(*[f"A1:XFD{1048576 - n}" for n in range(100_000)])),
        lambda sheet: sheet.merges,
        [(1, 1, 2, 2)],
    ),
    "merges from the end to the start": (
        lambda: xlsx(LIST, tail=merged("B2:A2", "A2:B2", "C9:A7", "A1:A1")),
        lambda sheet: sheet.merges,
        [(2, 1, 2, 2)],
    ),
    "numbers beyond all amounts": (
        lambda: xlsx(
            '<row r="1"><c r="A1"><v>1e308</v></c><c r="B1"><v>1e999</v></c><c r="C1"><v>NaN</v></c></row>'
        ),
        lambda sheet: sheet.rows[0],
        [1e308, "inf", "nan"],
    ),
    "sixty thousand further parts": (many_parts, first_cells, ["姓名", "班级", 2]),
}


def numbered_formulas(count: int) -> Packed:
    """The list, then a formula down to the end of the sheet whose result is an empty text."""
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="str"><f>B{n}</f><v></v></c></row>' for n in range(3, count))
    return sheet_of(LIST, "", 0, rows)


@pytest.mark.parametrize("case", READ)
def test_what_is_strange_but_whole_is_read(case: str) -> None:
    make, look, expected = READ[case]
    book = read_in_child(make(), "x")
    assert look(book.sheets[0]) == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"<table>" + b"<tr><td>a</td><td>b</td></tr>" * 180_000,
        lambda: b"<table><!--" * 1_800_000,
    ],
)
def test_a_file_that_takes_too_long_is_given_up(make: Callable[[], bytes], settings: Settings) -> None:
    settings.IMPORT_READ_SECONDS = 1
    with pytest.raises(UnreadableFileError) as caught:
        read_in_child(make())
    assert caught.value.code == "time"
    assert "1" in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        # What is too much for Python's parser, and for the way back.
        many_paragraphs,
        lambda: xlsx(sheet_of("", "<row>" + "<c><v>1</v></c>" * 30 + "</row>", 99_000)),
    ],
)
def test_a_file_that_takes_too_much_memory_is_given_up(make: Callable[[], bytes], settings: Settings) -> None:
    settings.IMPORT_READ_MB = 200
    with pytest.raises(UnreadableFileError) as caught:
        read_in_child(make())
    assert caught.value.code == "memory"
    assert "200" in str(caught.value)


def test_the_page_can_state_the_limits(settings: Settings) -> None:
    settings.UPLOAD_LIMIT_BYTES = 7 * 1024 * 1024
    told = told_limits()
    assert told["megabytes"] == 7
    assert (told["seconds"], told["memory_megabytes"]) == (20, 500)
    assert told["rows"] >= 50_000
