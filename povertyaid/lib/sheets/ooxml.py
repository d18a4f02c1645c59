"""xlsx and xlsm: values by calamine; hidden rows, columns and sheets, and error cells, by scanning the XML.

A full parse of the XML only for what is hidden takes a hundred times as long as calamine takes for the
values, so the sheets are scanned with regular expressions over their tags, which the format keeps flat.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from povertyaid.lib.sheets.calamine import read_values
from povertyaid.lib.sheets.model import Limits, Merge, Rows, Sheet, Workbook
from povertyaid.lib.sheets.zips import Container, damaged, too_large

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COL = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
# Cells that are more than a format: an empty cell closes itself.
_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
_PLAIN_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_ADDRESSED_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="[A-Z]')
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*?\bt="e")(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*>'
    rb"(?:(?!</?(?:\w+:)?c[\s>]).)*?<(?:\w+:)?v>([^<]*)</",
    re.DOTALL,
)
_SHARED_REFERENCE = re.compile(rb'\bt="s"[^>]*>\s*<(?:\w+:)?v>(\d{1,9})<')
_SHARED_END = re.compile(rb"</(?:\w+:)?si>")
_ATTRIBUTE = re.compile(rb'\b(r|hidden|ht|min|max|width)="([^"]*)"')
_TRUE = {b"1", b"true", b"on"}


@dataclass(slots=True)
class _Scan:
    """What a sheet's XML tells beside its values."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)


def column_number(letters: bytes | str) -> int:
    """A → 1, Z → 26, AA → 27."""
    number = 0
    for letter in letters.encode() if isinstance(letters, str) else letters:
        number = number * 26 + letter - 64
    return number


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(tag))


def _number(text: bytes | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() and len(text) < 9 else default


def _scan_size(xml: bytes, scan: _Scan) -> None:
    # Excel and WPS write the address first and no prefix; the general patterns cost twice as much.
    plain = xml.count(b'<c r="')
    as_usual = plain == xml.count(b"<c ") + xml.count(b"<c>") + xml.count(b"<c/") and b":c " not in xml
    found = (_PLAIN_CELL if as_usual else _CELL).findall(xml)
    scan.cells = len(found)
    scan.rows = max((int(row) for _letters, row in found), default=0)
    scan.columns = max(map(column_number, {letters for letters, _row in found}), default=0)
    if not as_usual and len(_ANY_CELL.findall(xml)) != len(_ADDRESSED_CELL.findall(xml)):
        # Cells without an address stand one after the other; programs other than Excel write so.
        parts = _ROW.split(xml)[2::2]
        counts = [len(_ANY_CELL.findall(part)) for part in parts]
        scan.rows = max(scan.rows, len(parts))
        scan.columns = max(scan.columns, *counts, 0)
        scan.cells = max(scan.cells, sum(counts))


def _scan(xml: bytes, limits: Limits) -> _Scan:
    scan = _Scan()
    _scan_size(xml, scan)
    if scan.rows > limits.rows or scan.columns > limits.columns or scan.rows * scan.columns > limits.cells:
        raise too_large()
    current = 0
    for tag in _ROW.findall(xml):
        if b"hidden" not in tag and b'ht="0' not in tag:
            # The common row: only its number is wanted, and reading all attributes costs five times as much.
            position = tag.find(b'r="')
            number = tag[position + 3 : tag.find(b'"', position + 3)] if position >= 0 else b""
            current = int(number) if number.isdigit() and len(number) < 9 else current + 1
            continue
        attributes = _attributes(tag)
        current = _number(attributes.get(b"r"), current + 1)
        no_height = attributes.get(b"ht", b"1").rstrip(b"0").rstrip(b".") == b""
        if attributes.get(b"hidden") in _TRUE or no_height:
            scan.hidden_rows.add(current)
    for tag in _COL.findall(xml):
        attributes = _attributes(tag)
        if attributes.get(b"hidden") in _TRUE or attributes.get(b"width") == b"0":
            first = _number(attributes.get(b"min"), 1)
            last = min(_number(attributes.get(b"max"), first), scan.columns)
            scan.hidden_columns.update(range(first, last + 1))
    for left, top, right, bottom in _MERGE.findall(xml):
        scan.merges.append((int(top), column_number(left), int(bottom), column_number(right)))
    if b't="e"' in xml:
        for letters, row, text in _ERROR_CELL.findall(xml):
            scan.errors[int(row), column_number(letters)] = text.decode("utf-8", "replace")
    return scan


def _check_shared_strings(container: Container, sheets: dict[str, _Scan], limits: Limits) -> None:
    """Refuse a long text that many cells repeat: every cell becomes a copy of its own in memory."""
    name = next((name for name in container.names if name.lower().endswith("sharedstrings.xml")), "")
    lengths = [len(part) for part in _SHARED_END.split(container.text(name))]
    longest = max(lengths, default=0)
    for path, scan in sheets.items():
        if longest * scan.cells <= limits.sheet_characters:
            continue
        uses = Counter(int(index) for index in _SHARED_REFERENCE.findall(container.text(path)))
        if (
            sum(lengths[index] * count for index, count in uses.items() if index < len(lengths))
            > limits.sheet_characters
        ):
            raise too_large()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def workbook_part(container: Container) -> str:
    """The part that is the workbook, as the container itself names it; empty when it names none.

    The parser behind us follows the same name, so that no sheet can hide from the scan.
    """
    for relation in _parse(container.text("_rels/.rels")):
        if relation.get("Type", "").endswith("/officeDocument"):
            return posixpath.normpath(relation.get("Target", "").lstrip("/"))
    return ""


def _parse(xml: bytes) -> Element:
    try:
        return SafeTree.fromstring(xml)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise damaged(error) from error


def _sheet_paths(container: Container) -> list[tuple[str, str, bool]]:
    """Name, part and visibility of each sheet, in the order of the workbook."""
    workbook = workbook_part(container)
    folder, name = posixpath.split(workbook)
    relations = {
        element.get("Id", ""): element.get("Target", "")
        for element in _parse(container.text(posixpath.join(folder, "_rels", f"{name}.rels")))
    }
    found = []
    for element in _parse(container.text(workbook)).iter():
        if _local(element.tag) != "sheet":
            continue
        identifier = next(
            (value for key, value in element.attrib.items() if _local(key) == "id" and "}" in key), ""
        )
        target = relations.get(identifier, "")
        path = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join(folder, target))
        )
        found.append((element.get("name", ""), path, element.get("state", "visible") == "visible"))
    return found


def read_ooxml(data: bytes, container: Container, limits: Limits) -> Workbook:
    """The workbook in an xlsx or xlsm file."""
    paths = [
        entry
        for entry in _sheet_paths(container)
        if entry[1] in container and "/worksheets/" in f"/{entry[1]}"
    ]
    if not paths:
        raise damaged("no sheets")
    if len(paths) > limits.sheets:
        raise too_large()
    scans = {path: _scan(container.text(path), limits) for _name, path, _visible in paths}
    _check_shared_strings(container, scans, limits)
    values = read_values(io.BytesIO(data), limits)
    sheets = []
    for name, path, visible in paths:
        if name not in values:
            raise damaged(name)
        first_row, rows = values[name]
        scan = scans[path]
        for (row, column), text in scan.errors.items():
            _put(rows, row - first_row, column - 1, text)
        sheets.append(
            Sheet(name, rows, first_row, scan.hidden_rows, scan.hidden_columns, scan.merges, visible)
        )
    return Workbook("xlsx", "", sheets)


def _put(rows: Rows, row: int, column: int, text: str) -> None:
    """Place the text of an error cell, which calamine leaves empty and which must not pass for a blank."""
    if 0 <= row < len(rows) and column < len(rows[row]):
        rows[row][column] = text
