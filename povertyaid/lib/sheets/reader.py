"""Bytes in, workbook out: the kind of a file is told by its bytes, never by its name.

Readable: xlsx, xlsm, xls and et (BIFF), ods, and text with commas, tabs or semicolons in UTF-8, UTF-16 with
a mark, or gb18030. Everything else is refused with a sentence that says what it is and how to mend it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.sheets.biff import read_biff
from povertyaid.lib.sheets.model import Kind, Limits, Rows, Sheet, UnreadableFileError, Value, Workbook
from povertyaid.lib.sheets.ods import read_ods
from povertyaid.lib.sheets.ooxml import read_ooxml, workbook_part
from povertyaid.lib.sheets.zips import Container, damaged, encrypted, too_large

__all__ = ["Kind", "Limits", "Sheet", "UnreadableFileError", "Value", "Workbook", "read_workbook"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# Formats that offices send by mistake; their name helps more than "unknown".
_OTHER = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"{\\rtf",
    b"\x1f\x8b",
    b"BM",
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_DELIMITERS = ",\t;|"
_SNIFFED_LINES = 60


def read_workbook(data: bytes, name: str = "", *, limits: Limits | None = None) -> Workbook:
    """The workbook in the bytes of a file; UnreadableFileError says what is wrong and how to mend it.

    `name` is only the name of the single sheet of a text file.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise too_large()
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise _empty()
    if data.startswith(_ZIP):
        workbook = _read_zip(data, limits)
    elif data.startswith(_OLE):
        workbook = _read_ole(data, limits)
    elif data.startswith(_OTHER):
        raise _not_spreadsheet()
    else:
        workbook = _read_text(data, name, limits)
    if all(sheet.is_empty for sheet in workbook.sheets):
        raise _empty()
    return workbook


def _empty() -> UnreadableFileError:
    return UnreadableFileError("empty", _("The file is empty. Choose the file that holds the list."))


def _not_spreadsheet() -> UnreadableFileError:
    return UnreadableFileError(
        "not_spreadsheet",
        _(
            "The file is not a spreadsheet but a document, picture or archive. Choose an .xlsx, .xls, .ods or .csv file."
        ),
    )


def _read_zip(data: bytes, limits: Limits) -> Workbook:
    container = Container(data, limits)
    workbook = workbook_part(container) if "_rels/.rels" in container else ""
    if workbook.startswith("xl/") and workbook.endswith(".xml") and workbook in container:
        return read_ooxml(data, container, limits)
    if "xl/workbook.bin" in container:
        raise UnreadableFileError(
            "xlsb",
            _(
                "The file is a binary workbook (.xlsb). "
                "Open it in Excel or WPS, save it as .xlsx, and send that file."
            ),
        )
    if "content.xml" in container and b"opendocument.spreadsheet" in container.raw("mimetype"):
        return read_ods(data, container, limits)
    if any(name.startswith("xl/") for name in container.names):
        raise damaged("no workbook part")
    raise _not_spreadsheet()


def _read_ole(data: bytes, limits: Limits) -> Workbook:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise encrypted()
    if any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book", "WORKBOOK", "BOOK")):
        return read_biff(data, limits)
    if any(stream.encode("utf-16-le") in data for stream in ("WordDocument", "PowerPoint Document")):
        raise _not_spreadsheet()
    raise damaged("no workbook stream")


def _decode(data: bytes) -> tuple[str, str]:
    """Text and encoding; by the mark, else UTF-8, else gb18030 (gbk lacks characters of real names)."""
    if data.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            break
        return text, encoding
    else:
        raise UnreadableFileError(
            "encoding",
            _(
                "The text in the file is in an unknown encoding, or the file is damaged. "
                "Open it in Excel or WPS, save it as .xlsx, and send that file."
            ),
        )
    raise UnreadableFileError(
        "unknown", _("The file is of no kind that can be read. Choose an .xlsx, .xls, .ods or .csv file.")
    )


def _read_text(data: bytes, name: str, limits: Limits) -> Workbook:
    text, encoding = _decode(data)
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(("<?xml", "<workbook", "<ss:workbook")) and "<html" not in start:
        raise UnreadableFileError(
            "xml",
            _(
                "The file is an XML table under the name of a workbook. "
                "Open it in Excel or WPS, save it as .xlsx, and send that file."
            ),
        )
    if start.startswith(("<", "mime-version:")):
        raise UnreadableFileError(
            "html",
            _(
                "The file is a web page under the name of a workbook. "
                "Open it in Excel or WPS, save it as .xlsx, and send that file."
            ),
        )
    separator = _SEPARATOR_LINE.match(text)
    if separator is not None:
        # Excel obeys this line and does not count it as a row.
        text = text[separator.end() :]
    rows = _parse_text(text, separator[1] if separator is not None else _delimiter(text), limits)
    return Workbook("csv", encoding, [Sheet(name, rows)])


def _delimiter(text: str) -> str:
    """The character that splits most of the first lines into the same number of cells."""
    lines = list(io.StringIO(text, newline=""))[:_SNIFFED_LINES]
    best, best_score = ",", 0
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        score = max((wide.count(width) * width for width in set(wide)), default=0)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _parse_text(text: str, delimiter: str, limits: Limits) -> Rows:
    rows: Rows = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            values: list[Value] = [value or None for value in row]
            cells += len(values)
            longest = max(map(len, row), default=0)
            if longest > limits.cell_characters:
                raise damaged("a quote that does not end")
            if len(rows) >= limits.rows or len(values) > limits.columns or cells > limits.cells:
                raise too_large()
            rows.append(values)
    except csv.Error as error:
        raise damaged(error) from error
    width = max(map(len, rows), default=0)
    if width * len(rows) > limits.cells:
        raise too_large()
    return [row + [None] * (width - len(row)) for row in rows]
