"""ods: values by calamine; merges, hidden rows and columns from the content part, which repeats rows by a number."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from povertyaid.lib.sheets.calamine import read_values
from povertyaid.lib.sheets.model import Limits, Merge, Sheet, Workbook
from povertyaid.lib.sheets.zips import Container, damaged, encrypted, too_large

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_HIDDEN = {"collapse", "filter"}


@dataclass(slots=True)
class _Scan:
    """What a table's XML tells beside its values."""

    name: str
    visible: bool
    rows: int = 0
    columns: int = 0
    characters: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)


def _repeat(element: Element, what: str) -> int:
    text = element.get(f"{_TABLE}number-{what}", "1")
    # Nine digits are far above any limit, and longer ones would only cost time.
    return max(1, int(text[:9])) if text.isdecimal() else 1


def _below(table: Element, name: str) -> Iterator[Element]:
    """Rows or columns of a table, inside groups and header parts too, but not those of a table in a cell."""
    for child in table:
        if child.tag == _TABLE + name:
            yield child
        elif child.tag.endswith(("-group", "-rows", "-columns")):
            yield from _below(child, name)


def _scan_row(row: Element, number: int, scan: _Scan) -> bool:
    """Note the merges of a row and its width; whether it holds anything."""
    column = 1
    used = 0
    for cell in row:
        if cell.tag not in {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}:
            continue
        repeat = _repeat(cell, "columns-repeated")
        down, across = _repeat(cell, "rows-spanned"), _repeat(cell, "columns-spanned")
        if down > 1 or across > 1:
            scan.merges.append((number, column, number + down - 1, column + across - 1))
        if len(cell):
            used = column + repeat - 1
            scan.characters += repeat * sum(map(len, cell.itertext()))
        column += repeat
    scan.columns = max(scan.columns, used)
    return used > 0


def _scan_table(table: Element, hidden_styles: set[str], limits: Limits) -> _Scan:
    scan = _Scan(table.get(f"{_TABLE}name", ""), table.get(f"{_TABLE}style-name", "") not in hidden_styles)
    number = 1
    hidden: list[tuple[int, int]] = []
    for row in _below(table, "table-row"):
        repeat = _repeat(row, "rows-repeated")
        before = scan.characters
        if _scan_row(row, number, scan):
            scan.rows = number + repeat - 1
            scan.characters += (scan.characters - before) * (repeat - 1)
        if row.get(f"{_TABLE}visibility") in _HIDDEN:
            hidden.append((number, number + repeat - 1))
        number += repeat
    too_wide = scan.columns > limits.columns or scan.rows * scan.columns > limits.cells
    if too_wide or scan.rows > limits.rows or scan.characters > limits.sheet_characters:
        raise too_large()
    for first, last in hidden:
        scan.hidden_rows.update(range(first, min(last, scan.rows) + 1))
    number = 1
    for column in _below(table, "table-column"):
        repeat = _repeat(column, "columns-repeated")
        if column.get(f"{_TABLE}visibility") in _HIDDEN:
            scan.hidden_columns.update(range(number, min(number + repeat - 1, scan.columns) + 1))
        number += repeat
    return scan


def read_ods(data: bytes, container: Container, limits: Limits) -> Workbook:
    """The workbook in an ods file."""
    if b"encryption-data" in container.text("META-INF/manifest.xml"):
        raise encrypted()
    try:
        root = SafeTree.fromstring(container.text("content.xml"))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise damaged(error) from error
    hidden_styles = {
        style.get(f"{_STYLE}name", "")
        for style in root.iter(f"{_STYLE}style")
        if any(child.get(f"{_TABLE}display") == "false" for child in style)
    }
    scans = [_scan_table(table, hidden_styles, limits) for table in root.iter(f"{_TABLE}table")]
    if len(scans) > limits.sheets:
        raise too_large()
    values = read_values(io.BytesIO(data), limits)
    sheets = []
    for scan in scans:
        if scan.name in values:
            first_row, rows = values[scan.name]
            sheets.append(
                Sheet(
                    scan.name,
                    rows,
                    first_row,
                    scan.hidden_rows,
                    scan.hidden_columns,
                    scan.merges,
                    scan.visible,
                )
            )
    if not sheets:
        raise damaged("no sheets")
    return Workbook("ods", "", sheets)
