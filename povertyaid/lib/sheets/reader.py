"""Bytes in, workbook out: the kind of a file is told by its bytes, never by its name.

Readable: xlsx, xlsm, xltx, xls and et (BIFF), ods and fods, SpreadsheetML 2003, web pages with tables (.htm,
.mht), and text with commas, tabs, semicolons or bars in UTF-8, UTF-16 or gb18030; each of them under any name.
Everything else is refused with a sentence that says what it is and how to mend it.

A stranger's file is read through `child.read_in_child`, which calls this module within limits of time and memory.
"""

from __future__ import annotations

import io
import re

from povertyaid.lib.sheets.biff import read_biff
from povertyaid.lib.sheets.markup import decode_page, read_archive, read_page
from povertyaid.lib.sheets.model import Kind, Limits, Sheet, UnreadableFileError, Value, Workbook
from povertyaid.lib.sheets.ods import read_flat, read_ods
from povertyaid.lib.sheets.ooxml import read_ooxml, workbook_part
from povertyaid.lib.sheets.refusals import (
    binary_workbook,
    damaged,
    empty,
    encrypted,
    not_spreadsheet,
    too_large,
)
from povertyaid.lib.sheets.spreadsheetml import read_spreadsheetml
from povertyaid.lib.sheets.texts import decode, read_text
from povertyaid.lib.sheets.zips import Container

__all__ = ["Kind", "Limits", "Sheet", "UnreadableFileError", "Value", "Workbook", "read_workbook"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# BIFF without the container around it: the first record of versions 2, 3, 4 and 5.
_BARE_BIFF = (
    b"\x09\x00\x04\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x04\x06\x00",
    b"\x09\x08\x08\x00",
    b"\x09\x08\x10\x00",
)
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
    b"MZ",
    b"\x7fELF",
    b"SQLite format 3\x00",
)
_BITMAP = re.compile(rb"BM.{4}\x00\x00\x00\x00", re.DOTALL)
_FLAT = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")
_ROOT = re.compile(r"(?:<!--.*?-->|<\?[^>]*>|<!DOCTYPE[^\[>]*(?:\[[^\]]*\])?\s*>|\s)*<([\w:.-]+)", re.DOTALL)
_MARK = "\ufeff \t\r\n"


def read_workbook(data: bytes, name: str = "", *, limits: Limits | None = None) -> Workbook:
    """The workbook in the bytes of a file; UnreadableFileError says what is wrong and how to mend it.

    `name` is only the name of the single sheet of a text file or web page.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise too_large("bytes", limits.file_bytes)
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise empty()
    try:
        workbook = _read(data, name, limits)
    except RecursionError as error:
        # XML nested a thousand deep.
        raise damaged(error) from error
    if all(sheet.is_empty for sheet in workbook.sheets):
        raise empty()
    return workbook


def _read(data: bytes, name: str, limits: Limits) -> Workbook:
    if data.startswith(_ZIP):
        return _read_zip(data, limits)
    if data.startswith(_OLE):
        return _read_ole(data, limits)
    if data.startswith(_BARE_BIFF):
        return read_biff(data, limits)
    if data.startswith(_OTHER) or _BITMAP.match(data):
        raise not_spreadsheet()
    return _read_text(data, name, limits)


def _read_zip(data: bytes, limits: Limits) -> Workbook:
    container = Container(data, limits)
    workbook = workbook_part(container) if "_rels/.rels" in container else ""
    if workbook.startswith("xl/") and workbook.endswith(".xml") and workbook in container:
        return read_ooxml(data, container, limits)
    if "xl/workbook.bin" in container:
        raise binary_workbook()
    if "content.xml" in container and b"opendocument.spreadsheet" in container.raw("mimetype"):
        return read_ods(container, limits)
    if any(name.startswith("xl/") for name in container.names):
        raise damaged("no workbook part")
    raise not_spreadsheet()


def _read_ole(data: bytes, limits: Limits) -> Workbook:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise encrypted()
    if any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book", "WORKBOOK", "BOOK")):
        return read_biff(data, limits)
    if any(stream.encode("utf-16-le") in data for stream in ("WordDocument", "PowerPoint Document")):
        raise not_spreadsheet()
    raise damaged("no workbook stream")


def _read_text(data: bytes, name: str, limits: Limits) -> Workbook:
    start = data[:400].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").replace(b"\x00", b"").lower()
    if start.startswith(b"mime-version:") or (b"\nmime-version:" in start and start.startswith(b"from:")):
        return read_archive(data, name, limits)
    if not start.startswith(b"<"):
        text, encoding = decode(data)
        return read_text(text, encoding, name, limits)
    text, encoding = decode_page(data)
    text = text.lstrip(_MARK)
    root = _ROOT.match(text)
    kind = root[1].rpartition(":")[2].lower() if root is not None else ""
    if kind == "workbook":
        return read_spreadsheetml(_DECLARATION.sub("", text, count=1), encoding, limits)
    if kind == "document" and _FLAT in text[:10_000]:
        return read_flat(io.StringIO(_DECLARATION.sub("", text, count=1)), limits)
    if text.startswith("<?xml") and kind != "html" and "<table" not in text.lower():
        # Declarations that a parser refuses are told as such; the rest is some other program's XML.
        return read_spreadsheetml(_DECLARATION.sub("", text, count=1), encoding, limits)
    return read_page(data, name, limits)
