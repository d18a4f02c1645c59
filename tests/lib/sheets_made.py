"""Files made byte by byte: parts of an xlsx as no program writes them, zips that lie, BIFF records, XML and pages."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STRICT_MAIN = 'xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"'
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)
SS = (
    'xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
BILLION_LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "哈">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>'


@dataclass(frozen=True)
class Packed:
    """Content of a zip's part, already deflated; `told` is the size that the zip says of it."""

    deflated: bytes
    size: int
    checksum: int
    told: int | None = None


def repeated(before: bytes, unit: bytes, times: int, after: bytes, *, checked: bool = True) -> Packed:
    """`before` + `unit` * `times` + `after`, deflated without ever standing in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(after) + packer.flush()
    checksum = zlib.crc32(before)
    for _time in range(times if checked else 0):
        checksum = zlib.crc32(unit, checksum)
    return Packed(
        head + block * times + tail,
        len(before) + len(unit) * times + len(after),
        zlib.crc32(after, checksum),
    )


def zipped(parts: dict[str, str | bytes | Packed]) -> bytes:
    """A zip with these parts."""
    local, directory = bytearray(), bytearray()
    for name, content in parts.items():
        if not isinstance(content, Packed):
            plain = content.encode() if isinstance(content, str) else content
            content = repeated(plain, b"", 0, b"")  # noqa: PLW2901 - the same content, packed
        title = name.encode()
        told = content.size if content.told is None else content.told
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, 8, 0, 33, content.checksum, len(content.deflated), told, len(title), 0
        )
        directory += b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(local)) + title
        local += b"PK\x03\x04" + common + title + content.deflated
    count = min(len(parts), 0xFFFF)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(local), 0)
    return bytes(local + directory + end)


def xlsx(
    rows: str | Packed,
    *,
    shared: str | Packed = "",
    styles: str = "",
    head: str = "",
    tail: str = "",
    prefix: str = "",
    settings: str = "",
    calculation: str = "",
    main: str = MAIN,
    relations: str = RELATIONS,
    root: str = "",
    state: str = "",
    more: dict[str, str | bytes | Packed] | None = None,
) -> bytes:
    """An xlsx with one sheet 表: `rows` are the XML inside sheetData; `root` is put before absolute targets."""
    targets = f'<Relationship Id="r1" Type="{relations}/worksheet" Target="{root and f"{root}xl/"}worksheets/sheet1.xml"/>'
    if shared:
        targets += f'<Relationship Id="r2" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/>'
    if styles:
        targets += f'<Relationship Id="r3" Type="{relations}/styles" Target="styles.xml"/>'
    sheet = (
        rows
        if isinstance(rows, Packed)
        else f"{head}<{prefix}worksheet {main}><{prefix}sheetData>{rows}</{prefix}sheetData>{tail}</{prefix}worksheet>"
    )
    parts: dict[str, str | bytes | Packed] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{relations}/officeDocument"'
        f' Target="{root}xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<{prefix}workbook {main} xmlns:r="{relations}">{settings}<{prefix}sheets>'
        f'<{prefix}sheet name="表" sheetId="1"{state} r:id="r1"/></{prefix}sheets>{calculation}</{prefix}workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{targets}</Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    if shared:
        parts["xl/sharedStrings.xml"] = (
            shared if isinstance(shared, Packed) else f"<sst {main}>{shared}</sst>"
        )
    if styles:
        parts["xl/styles.xml"] = f"<styleSheet {main}>{styles}</styleSheet>"
    return zipped(parts | (more or {}))


def sheet_of(before: str, unit: str, times: int, after: str = "") -> Packed:
    """The part of a sheet whose rows are `before`, `times` times `unit`, and `after`."""
    blocks = 1000
    return repeated(
        f"<worksheet {MAIN}><sheetData>{before}".encode(),
        # In blocks, which a zip packs better than single rows.
        (unit * max(1, times // blocks)).encode(),
        min(times, blocks),
        f"{after}</sheetData></worksheet>".encode(),
    )


def text_cell(address: str, text: str) -> str:
    """A cell of an xlsx with its text inside."""
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


def ods(tables: str | Packed, *, manifest: str = "", head: str = "", styles: str = "") -> bytes:
    """An ods with these tables; a Packed is its whole content."""
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": tables
            if isinstance(tables, Packed)
            else f'{head}<office:document-content {ODF} office:version="1.2"><office:automatic-styles>{styles}'
            f"</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
            "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>",
        }
    )


def ods_cell(text: str, attributes: str = "") -> str:
    """A cell of an ods with a text."""
    return f'<table:table-cell office:value-type="string" {attributes}><text:p>{text}</text:p></table:table-cell>'


def ods_table(*rows: str) -> str:
    """A table of an ods with these rows, each the XML of its cells."""
    inside = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    return f'<table:table table:name="表">{inside}</table:table>'


def xml_2003(
    rows: str, *, head: str = '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
) -> str:
    """A SpreadsheetML 2003 workbook with one sheet 表."""
    return f'{head}<Workbook {SS}><Worksheet ss:Name="表"><Table>{rows}</Table></Worksheet></Workbook>'


def record(number: int, content: bytes = b"") -> bytes:
    """A BIFF record."""
    return struct.pack("<HH", number, len(content)) + content


def biff(*cells: bytes, before: bytes = b"", sheets: bytes | None = None) -> bytes:
    """A bare BIFF8 stream with one sheet “S” of these records; `before` stands in the part before the sheets."""
    opening = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 6)
    sheet_opening = struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 6)
    start = record(0x0809, opening) + before
    sheet_record_length = 4 + 9
    offset = len(start) + sheet_record_length + 4
    bound = record(0x0085, struct.pack("<IBBBB", offset, 0, 0, 1, 0) + b"S")
    body = record(0x0809, sheet_opening) + b"".join(cells) + record(0x000A)
    return start + (bound if sheets is None else sheets) + record(0x000A) + body


def biff_number(row: int, column: int, value: float) -> bytes:
    """A NUMBER record; row and column from 0."""
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def biff_text(row: int, column: int, text: str) -> bytes:
    """A LABEL record; row and column from 0."""
    return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le"))


def replaced(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """A zip in which one part has been changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts: dict[str, str | bytes | Packed] = {entry: archive.read(entry) for entry in archive.namelist()}
    content = parts[name]
    assert isinstance(content, bytes)
    assert old in content
    parts[name] = content.replace(old, new)
    return zipped(parts)
