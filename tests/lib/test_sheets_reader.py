"""Reading files: every kind by its bytes, what Excel hides, and every refusal with its sentence."""

from __future__ import annotations

import codecs
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from povertyaid.lib.sheets.model import Limits, Sheet, UnreadableFileError
from povertyaid.lib.sheets.reader import read_workbook

WORKBOOKS = Path(__file__).parent.parent / "data" / "workbooks"
ODS_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def workbook_bytes(rows: list[list[object]]) -> bytes:
    """An xlsx with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def zip_bytes(parts: dict[str, str | bytes]) -> bytes:
    """A zip with these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def rewritten(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """An xlsx in which one part has been changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts: dict[str, str | bytes] = {entry: archive.read(entry) for entry in archive.namelist()}
    content = parts[name]
    assert isinstance(content, bytes)
    assert old in content
    parts[name] = content.replace(old, new)
    return zip_bytes(parts)


def ods_bytes(tables: str, manifest: str = "") -> bytes:
    """An ods with these tables in its content."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODS_NAMESPACES} office:version="1.2">'
        '<office:automatic-styles><style:style style:name="ta2" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return zip_bytes(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>",
        }
    )


def code_of(data: bytes, limits: Limits | None = None) -> str:
    """The code with which these bytes are refused."""
    with pytest.raises(UnreadableFileError) as caught:
        read_workbook(data, "x.xlsx", limits=limits)
    assert str(caught.value)
    return caught.value.code


def test_roster_with_a_hidden_row_and_merges() -> None:
    book = read_workbook((WORKBOOKS / "students-roster.xlsx").read_bytes(), "students-roster.xlsx")
    sheet = book.sheets[0]
    assert (book.kind, [entry.name for entry in book.sheets]) == ("xlsx", ["花名册", "说明"])
    assert (sheet.first_row, len(sheet.rows), sheet.hidden_rows) == (1, 50, {38})
    assert (3, 8, 3, 10) in sheet.merges
    assert isinstance(sheet.rows[21][3], float), "a numeric identity number stays a number"
    assert sheet.rows[4][3] == "431202201808214614"


def test_registry_in_biff() -> None:
    sheet = read_workbook((WORKBOOKS / "registry.xls").read_bytes()).sheets[0]
    assert (len(sheet.rows), sheet.hidden_rows, sheet.merges) == (37, {28}, [(1, 1, 1, 32)])
    assert sheet.rows[2][6] == 4312020013.0
    assert sheet.rows[9][25] == 41988.0


def test_payments_in_gb18030() -> None:
    book = read_workbook((WORKBOOKS / "payments.csv").read_bytes(), "payments")
    assert (book.kind, book.encoding, book.sheets[0].name) == ("csv", "gb18030", "payments")
    assert book.sheets[0].rows[11][4] == "李䶮"
    assert book.sheets[0].rows[3][12] == '="6217415776519259574"'
    assert all(isinstance(value, str) or value is None for row in book.sheets[0].rows for value in row)


def test_types_errors_and_offsets_of_xlsx() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    moment = datetime(2020, 1, 2, 3, 4)  # noqa: DTZ001 - cells have no time zone
    sheet["C5"], sheet["D5"], sheet["E5"], sheet["F5"] = True, 4.0, moment, date(2020, 1, 2)
    sheet["G5"], sheet["H5"] = "#N/A", "末"
    sheet["G5"].data_type = "e"
    sheet.merge_cells("C5:C7")
    sheet.column_dimensions["D"].hidden = True
    sheet.row_dimensions[6].hidden = True
    sheet["C6"].number_format = "0"  # formatted, but empty: neither the row nor the merge holds anything
    book.create_sheet("隐")["A1"] = "x"
    book.worksheets[1].sheet_state = "hidden"
    book.create_chartsheet("图")
    buffer = io.BytesIO()
    book.save(buffer)
    read = read_workbook(buffer.getvalue())
    first = read.sheets[0]
    assert first.first_row == 5
    assert first.rows[0] == [
        None,
        None,
        True,
        4.0,
        moment,
        date(2020, 1, 2),
        "#N/A",
        "末",
    ]
    assert (first.hidden_rows, first.hidden_columns, first.merges) == (set(), {4}, [])
    assert [(entry.name, entry.visible) for entry in read.sheets] == [("Sheet", True), ("隐", False)]


def test_a_row_without_height_is_hidden() -> None:
    data = rewritten(
        workbook_bytes([["a"], ["b"]]), "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="2" ht="0"'
    )
    assert read_workbook(data).sheets[0].hidden_rows == {2}


def test_cells_without_addresses() -> None:
    data = workbook_bytes([["a", "b"], ["c", "d"]])
    for address in (b"A1", b"B1", b"A2", b"B2"):
        data = rewritten(data, "xl/worksheets/sheet1.xml", b' r="' + address + b'"', b"")
    assert read_workbook(data).sheets[0].rows == [["a", "b"], ["c", "d"]]
    assert code_of(data, Limits(columns=1)) == "too_large"


def test_formatted_but_empty_cells_do_not_count() -> None:
    data = rewritten(
        workbook_bytes([["a"]]),
        "xl/worksheets/sheet1.xml",
        b"</sheetData>",
        b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>',
    )
    assert read_workbook(data).sheets[0].rows == [["a"]]


def test_a_far_away_cell_is_refused_before_it_fills_the_memory() -> None:
    data = rewritten(
        workbook_bytes([["a"]]),
        "xl/worksheets/sheet1.xml",
        b"</sheetData>",
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
    )
    assert code_of(data) == "too_large"


def test_a_long_text_that_many_cells_repeat_is_refused() -> None:
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rows = "".join(
        f'<row r="{row}">'
        + "".join(f'<c r="{column}{row}" t="s"><v>0</v></c>' for column in "ABCDEFGH")
        + "</row>"
        for row in range(1, 51)
    )
    data = zip_bytes(
        {
            "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook {namespace} xmlns:r="{relation}"><sheets>'
            '<sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{relation}/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{relation}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            "xl/sharedStrings.xml": f"<sst {namespace}><si><t>{'长' * 10_000}</t></si></sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {namespace}><sheetData>{rows}</sheetData></worksheet>",
        }
    )
    assert read_workbook(data).sheets[0].rows[49] == ["长" * 10_000] * 8
    assert code_of(data, Limits(sheet_characters=5_000_000)) == "too_large"


def test_ods_with_repeats_hidden_rows_and_merges() -> None:
    def cell(text: str, span: str = "") -> str:
        return (
            f'<table:table-cell{span} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        )

    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    tables = (
        '<table:table table:name="册"><table:table-column table:number-columns-repeated="2"/>'
        '<table:table-column table:visibility="collapse"/>'
        f'<table:table-row table:number-rows-repeated="2">{empty}</table:table-row>'
        f"<table:table-row>{cell('标题', WIDE)}"
        '<table:covered-table-cell table:number-columns-repeated="2"/></table:table-row>'
        f"<table:table-row>{cell('姓名')}{cell('班级')}{cell('备注')}</table:table-row>"
        f'<table:table-row-group><table:table-row table:visibility="filter">{cell("张三")}</table:table-row>'
        f'<table:table-row table:number-rows-repeated="2">{cell("李四")}</table:table-row>'
        "</table:table-row-group>"
        f'<table:table-row table:number-rows-repeated="1048570">{empty}</table:table-row></table:table>'
        f'<table:table table:name="隐" table:style-name="ta2"><table:table-row>{cell("a")}</table:table-row>'
        "</table:table>"
    )
    read = read_workbook(ods_bytes(tables))
    sheet = read.sheets[0]
    assert (read.kind, sheet.first_row, len(sheet.rows)) == ("ods", 3, 5)
    assert [row[0] for row in sheet.rows] == ["标题", "姓名", "张三", "李四", "李四"]
    assert (sheet.hidden_rows, sheet.hidden_columns, sheet.merges) == ({5}, {3}, [(3, 1, 3, 3)])
    assert [entry.visible for entry in read.sheets] == [True, False]
    bomb = f'<table:table table:name="a"><table:table-row table:number-rows-repeated="9999999">{cell("x")}'
    assert code_of(ods_bytes(f"{bomb}</table:table-row></table:table>")) == "too_large"
    assert code_of(ods_bytes(tables, "<encryption-data/>")) == "encrypted"


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [
        (lambda text: text.encode(), "utf-8"),
        (lambda text: codecs.BOM_UTF8 + text.encode(), "utf-8-sig"),
        (lambda text: text.encode("utf-16"), "utf-16"),
        (lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"), "utf-16"),
        (lambda text: text.encode("gb18030"), "gb18030"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_in_every_encoding_and_with_every_delimiter(
    encode: object, encoding: str, delimiter: str
) -> None:
    lines = [["名单"], ["姓名", "备注，说明", "金额"], ["李䶮", "“甲”、乙", "312.5"], [], ["朱平", "", "1"]]
    text = "\r\n".join(delimiter.join(line) for line in lines)
    assert callable(encode)
    book = read_workbook(encode(text))
    assert (book.kind, book.encoding) == ("csv", encoding)
    assert book.sheets[0].rows == [
        ["名单", None, None],
        ["姓名", "备注，说明", "金额"],
        ["李䶮", "“甲”、乙", "312.5"],
        [None, None, None],
        ["朱平", None, "1"],
    ]


def test_a_separator_line_is_obeyed_and_not_counted() -> None:
    assert read_workbook(b"sep=|\r\na|b\r\n").sheets[0].rows == [["a", "b"]]


def test_line_breaks_in_quoted_cells_do_not_shift_the_rows() -> None:
    assert read_workbook(b'a,b\n"x\ny",z\nq,r\n').sheets[0].rows[2] == ["q", "r"]


WIDE = ' table:number-columns-spanned="3"'
XLSX = workbook_bytes([["姓名", "班级"], ["张三", "一(1)班"]])
XLS = (WORKBOOKS / "registry.xls").read_bytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (b"\x00" * 50, "empty"),
        (workbook_bytes([]), "empty"),
        (b"%PDF-1.7 ...", "not_spreadsheet"),
        (b"\x89PNG\r\n\x1a\n", "not_spreadsheet"),
        (zip_bytes({"word/document.xml": "<a/>"}), "not_spreadsheet"),
        (zip_bytes({"xl/workbook.bin": b"x"}), "xlsb"),
        (zip_bytes({"xl/workbook.xml": b"x"}), "damaged"),
        (XLSX[: len(XLSX) // 2], "damaged"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
        (XLS[:9000], "damaged"),
        (XLS[:512] + b"\x00" * 2000, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "not_spreadsheet"),
        (b"<html><body>1</body></html>", "html"),
        (codecs.BOM_UTF8 + b"\n<!DOCTYPE html><table>", "empty"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related", "html"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "damaged"),
        (b'<?xml version="1.0"?><invoice/>', "xml"),
        (b"abc\x00\x01\x02def", "unknown"),
        (b"\xff\xfeabc", "encoding"),
        (b"\x81\xff\xff\xff" * 5, "encoding"),
        (rewritten(XLSX, "xl/workbook.xml", b"<sheets>", b"<sheets"), "damaged"),
        (
            rewritten(
                XLSX, "xl/workbook.xml", b"<workbook", b'<?xml version="1.0" encoding="UTF-Y"?><workbook'
            ),
            "damaged",
        ),
        (rewritten(XLSX, "xl/worksheets/sheet1.xml", b"</sheetData>", b"<"), "damaged"),
        (
            rewritten(
                XLSX,
                "xl/workbook.xml",
                b"<workbook",
                b'<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/passwd">]><workbook',
            ),
            "unsafe",
        ),
    ],
)
def test_every_refusal(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_limits() -> None:
    assert code_of(XLSX, Limits(file_bytes=100)) == "too_large"
    assert code_of(XLSX, Limits(unpacked_bytes=100)) == "too_large"
    assert code_of(XLSX, Limits(rows=1)) == "too_large"
    assert code_of(XLSX, Limits(columns=1)) == "too_large"
    assert code_of(XLSX, Limits(cells=3)) == "too_large"
    assert code_of(XLSX, Limits(cell_characters=1)) == "too_large"
    assert code_of(XLS, Limits(rows=10)) == "too_large"
    assert code_of(XLS, Limits(columns=10)) == "too_large"
    assert code_of(b"a,b\nc,d\n", Limits(rows=1)) == "too_large"
    assert code_of(b"a,b\nc,d\n", Limits(columns=1)) == "too_large"
    assert code_of(b'a,"\n' + b"x" * 200, Limits(cell_characters=100)) == "damaged"


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(XLSX)) as archive:
        size = archive.getinfo(name).file_size
    # The size stands in the directory at the end as well as before the part; only the directory is believed.
    start = XLSX.rindex(name.encode()) - 46
    lying = bytearray(XLSX)
    assert int.from_bytes(lying[start + 24 : start + 28], "little") == size
    lying[start + 24 : start + 28] = (10).to_bytes(4, "little")
    assert code_of(bytes(lying)) == "damaged"


def test_an_error_survives_the_way_between_processes() -> None:
    import pickle

    with pytest.raises(UnreadableFileError) as caught:
        read_workbook(b"")
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (again.code, str(again)) == ("empty", str(caught.value))


@settings(max_examples=150)
@given(
    st.sampled_from([XLSX, XLS, b"", (WORKBOOKS / "payments.csv").read_bytes()]),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=6),
    st.floats(0.05, 1),
)
def test_whatever_the_bytes_a_workbook_or_a_refusal(
    data: bytes, changes: list[tuple[float, bytes]], kept: float
) -> None:
    spoiled = bytearray(data[: int(len(data) * kept)])
    for place, content in changes:
        position = int(place * len(spoiled))
        spoiled[position : position + len(content)] = content
    try:
        book = read_workbook(bytes(spoiled))
    except UnreadableFileError as error:
        message = str(error)
    else:
        message = "read"
        assert all(isinstance(sheet, Sheet) for sheet in book.sheets)
    assert message


@given(st.binary(max_size=300))
def test_any_bytes_are_a_workbook_or_a_refusal(data: bytes) -> None:
    try:
        book = read_workbook(data)
    except UnreadableFileError as error:
        code = error.code
    else:
        code = book.kind
    assert code
