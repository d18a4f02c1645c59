"""What the XML of an OOXML sheet tells beside its values, by scanning its tags.

A full parse only for what is hidden takes a hundred times as long as calamine takes for the values, so that the
tags, which the format keeps flat, are scanned with regular expressions, a few megabytes at a time.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from povertyaid.lib.sheets.grid import LAST_COLUMN, LAST_ROW
from povertyaid.lib.sheets.refusals import damaged, too_large, unsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from povertyaid.lib.sheets.model import Limits, Merge

_ROW_START = re.compile(rb"<(?:\w+:)?row[\s>]")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COL = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_MERGE = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})"'
)
# Cells that hold more than a format: an empty one closes itself or is closed at once, and a formula with an empty
# text as its result holds nothing either.
_HOLDS = (
    rb"(?<!/)>(?!</(?:\w+:)?c>|(?:<(?:\w+:)?f\b[^>]*>(?:[^<]*</(?:\w+:)?f>)?)?"
    rb"(?:<(?:\w+:)?v></(?:\w+:)?v>|<(?:\w+:)?v\s*/>)</(?:\w+:)?c>)"
)
_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Za-z]+)(\d+)"[^>]*' + _HOLDS)
_PLAIN_CELL = re.compile(rb'<c r="([A-Za-z]+)(\d+)"[^>]*' + _HOLDS)
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_HOLDING_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>])[^>]*" + _HOLDS)
_ADDRESSED_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="[A-Za-z]')
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*?\bt="e")(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*>'
    rb"(?:(?!</?(?:\w+:)?c[\s>]).)*?<(?:\w+:)?v>([^<]*)</",
    re.DOTALL,
)
# A formula, and what stands between it and the end of its cell.
_FORMULA_CELL = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)(?<!/)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)\s*"
    rb"(|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>|<(?:\w+:)?v>0</(?:\w+:)?v>)\s*</(?:\w+:)?c>"
)
_ADDRESS = re.compile(rb'(?:^|\s)r="([A-Z]{1,3})(\d{1,7})"')
_ATTRIBUTE = re.compile(rb'\b(r|hidden|ht|min|max|width)="([^"]*)"')
_SINGLE_QUOTED = re.compile(rb"=\s*'([^'\"<>]*)'")
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_TRUE = {b"1", b"true", b"on"}
_PIECE = 4 * 1024 * 1024


@dataclass(slots=True)
class SheetScan:
    """The last row and column that hold something, and what calamine does not tell.

    `texts` are cells that calamine leaves empty and that must not pass for blanks: errors, and formulas whose
    result the file does not hold.
    """

    rows: int = 0
    columns: int = 0
    cells: int = 0
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    _current: int = 0


def column_number(letters: bytes) -> int:
    """A → 1, Z → 26, AA → 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def plain_xml(xml: bytes) -> bytes:
    """The XML without comments and with its CDATA sections as escaped text; a DOCTYPE is refused.

    Scanning would take the tags inside them for tags, and calamine loses the text of a CDATA section.
    """
    if b"<!" not in xml:
        return xml
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise unsafe("DOCTYPE")
    without = _COMMENT.sub(b"", xml)
    return _CDATA.sub(lambda match: escape(match[1].decode("utf-8", "replace")).encode(), without)


def scan_sheet(xml: bytes, limits: Limits, *, stale: bool = False) -> SheetScan:
    """Scan the XML of a sheet, as `plain_xml` gives it.

    `stale` says that the workbook asks to be calculated when it is opened: then a formula with the result 0
    was never calculated. UnreadableFileError: too_large above the limits, damaged when a row or cell comes twice.
    """
    if b"='" in xml:
        # Some programs quote attributes so; the values themselves are calamine's.
        xml = _SINGLE_QUOTED.sub(rb'="\1"', xml)
    scan = SheetScan()
    start = _ROW_START.search(xml)
    first = start.start() if start is not None else len(xml)
    end = max(xml.rfind(b"sheetData>"), first)
    for piece in _pieces(xml, first, end):
        numbers = _scan_rows(piece, scan)
        _scan_cells(piece, numbers, scan)
        _check(scan, limits)
        _scan_texts(piece, scan, stale=stale)
    scan.rows = max([scan.rows, *(row for row, _column in scan.texts)])
    scan.columns = max([scan.columns, *(column for _row, column in scan.texts)])
    _check(scan, limits)
    for tag in _COL.findall(xml[:first]):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get(b"hidden") in _TRUE or attributes.get(b"width") == b"0":
            left = _number(attributes.get(b"min"), 1)
            scan.hidden_columns.append((left, _number(attributes.get(b"max"), left)))
    for left_letters, top, right_letters, bottom in _MERGE.findall(xml[end:]):
        scan.merges.append((int(top), column_number(left_letters), int(bottom), column_number(right_letters)))
    return scan


def _pieces(xml: bytes, first: int, end: int) -> Iterator[bytes]:
    """The rows between two places, some megabytes at a time, no row cut."""
    while first < end:
        following = _ROW_START.search(xml, first + _PIECE, end)
        stop = following.start() if following is not None else end
        yield xml[first:stop]
        first = stop


def _check(scan: SheetScan, limits: Limits) -> None:
    if scan.rows > limits.rows:
        raise too_large("rows", limits.rows)
    if scan.columns > limits.columns:
        raise too_large("columns", limits.columns)
    if scan.rows * scan.columns > limits.cells:
        raise too_large("cells", limits.cells)


def _number(text: bytes | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() and len(text) < 9 else default


def _scan_rows(piece: bytes, scan: SheetScan) -> list[int]:
    """Note the hidden rows; the numbers of all rows of the piece."""
    numbers = []
    current = scan._current
    for tag in _ROW.findall(piece):
        attributes: dict[bytes, bytes] = {}
        if b"hidden" in tag or b'ht="0' in tag:
            attributes = dict(_ATTRIBUTE.findall(tag))
            number = attributes.get(b"r", b"")
        else:
            # The common row: only its number is wanted, and reading all attributes costs five times as much.
            position = tag.find(b'r="')
            number = tag[position + 3 : tag.find(b'"', position + 3)] if position >= 0 else b""
        following = int(number) if number.isdigit() and len(number) < 9 else current + 1
        if following <= current or following > LAST_ROW:
            # Excel calls such a file damaged too.
            raise damaged(f"row {following} after {current}")
        current = following
        numbers.append(current)
        if attributes and (
            attributes.get(b"hidden") in _TRUE or attributes.get(b"ht", b"1").rstrip(b"0").rstrip(b".") == b""
        ):
            scan.hidden_rows.append((current, current))
    scan._current = current
    return numbers


def _count_cells(xml: bytes, *, prefixed: bool) -> int:
    if prefixed:
        return len(_ANY_CELL.findall(xml))
    return xml.count(b"<c ") + xml.count(b"<c>") + xml.count(b"<c/>")


def _scan_cells(piece: bytes, numbers: list[int], scan: SheetScan) -> None:
    # Excel and WPS write the address first and no prefix; the general patterns cost twice as much.
    prefixed = any(tag in piece for tag in (b":c ", b":c>", b":c/>"))
    cells = _count_cells(piece, prefixed=prefixed)
    as_usual = not prefixed and piece.count(b'<c r="') == cells
    found = (_PLAIN_CELL if as_usual else _CELL).findall(piece)
    if found:
        if len(set(found)) != len(found):
            raise damaged("a cell comes twice")
        scan.cells += len(found)
        rows = {row for _letters, row in found}
        scan.rows = max(scan.rows, *(int(row) if len(row) < 9 else LAST_ROW + 1 for row in rows))
        letters = {letters for letters, _row in found}
        scan.columns = max(
            scan.columns, *(column_number(some) if len(some) < 4 else LAST_COLUMN + 1 for some in letters)
        )
    if scan.rows > LAST_ROW or scan.columns > LAST_COLUMN:
        raise damaged("a cell beyond the sheet")
    if not as_usual and cells != len(_ADDRESSED_CELL.findall(piece)):
        # Cells without an address stand one after the other; programs other than Excel write so.
        counts = [
            _count_cells(part, prefixed=prefixed) if _HOLDING_CELL.search(part) else 0
            for part in _ROW.split(piece)[2::2]
        ]
        scan.cells += sum(counts)
        scan.columns = max(scan.columns, *counts, 0)
        scan.rows = max(
            [scan.rows, *(number for number, count in zip(numbers, counts, strict=True) if count)]
        )


def _scan_texts(piece: bytes, scan: SheetScan, *, stale: bool) -> None:
    if b't="e"' in piece:
        for letters, row, text in _ERROR_CELL.findall(piece):
            scan.texts[int(row), column_number(letters)] = text.decode("utf-8", "replace")
    if b"<f" not in piece and b":f" not in piece:
        return
    for attributes, formula, result in _FORMULA_CELL.findall(piece):
        zero = result.endswith((b">0</v>", b":v>")) and b">0<" in result
        if (zero and not stale) or (result and not zero and b't="str"' in attributes):
            # A result, be it 0 or an empty text.
            continue
        address = _ADDRESS.search(attributes)
        if address is not None:
            text = html.unescape(formula.decode("utf-8", "replace"))
            scan.texts[int(address[2]), column_number(address[1])] = f"={text or '…'}"
