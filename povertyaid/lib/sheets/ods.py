"""ods, and its flat form fods: read as a stream, since a long sheet as a tree takes gigabytes."""

from __future__ import annotations

import io
import math
import re
from datetime import date, datetime
from typing import IO, TYPE_CHECKING

from povertyaid.lib.sheets.grid import Builder
from povertyaid.lib.sheets.model import Limits, Sheet, Value, Workbook
from povertyaid.lib.sheets.refusals import damaged, encrypted, too_large
from povertyaid.lib.sheets.xmlevents import events

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from povertyaid.lib.sheets.zips import Container

_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_TABLE = f"{{{_NAMESPACE}table:1.0}}"
_STYLE = f"{{{_NAMESPACE}style:1.0}}"
_TEXT = f"{{{_NAMESPACE}text:1.0}}"
_OFFICE = f"{{{_NAMESPACE}office:1.0}}"
_LIBRE_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_HIDDEN = {"collapse", "filter"}
_CELLS = {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}
# Rows and columns may stand in groups and header parts, which hold them then.
_WANTED = {
    f"{_STYLE}style",
    f"{_TABLE}table",
    f"{_TABLE}table-source",
    *(f"{_TABLE}table-{what}{part}" for what in ("row", "column") for part in ("", "s", "-group")),
    f"{_TABLE}table-header-rows",
    f"{_TABLE}table-header-columns",
}
_NUMBERS = {"float", "currency", "percentage"}
# Pronunciation and foot notes are beside the text, not in it.
_ASIDE = {f"{_TEXT}ruby-text", f"{_TEXT}note", f"{_OFFICE}annotation"}
_BLANKS = re.compile(r"[ \t\r\n]+")


def read_ods(container: Container, limits: Limits) -> Workbook:
    """The workbook in an ods file."""
    manifest = container.text("META-INF/manifest.xml")
    if b"encryption-data" in manifest or "encrypted-package" in container:
        raise encrypted()
    return read_flat(io.BytesIO(container.text("content.xml")), limits)


def read_flat(source: IO[bytes] | IO[str], limits: Limits) -> Workbook:
    """The workbook in the XML of an ods's content, or of a fods file."""
    tables: list[_Table] = []
    hidden_styles: set[str] = set()
    depth = 0
    for event, element, ancestors in events(source, _WANTED):
        if element.tag == f"{_TABLE}table":
            # A table inside a table's cell is that cell's business.
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1:
                tables.append(_Table(element, limits))
                if len(tables) > limits.sheets:
                    raise too_large("sheets", limits.sheets)
        elif event == "start":
            continue
        elif element.tag == f"{_STYLE}style":
            if any(child.get(f"{_TABLE}display") == "false" for child in element):
                hidden_styles.add(element.get(f"{_STYLE}name", ""))
        elif depth == 1:
            tables[-1].take(element)
            if element.tag == f"{_TABLE}table-row":
                del ancestors[-1][:]
    found = [table.sheet(hidden_styles) for table in tables if not table.linked]
    if not found:
        raise damaged("no sheets")
    return Workbook("ods", "", found)


class _Table:
    """One table while its rows go by."""

    def __init__(self, element: Element, limits: Limits) -> None:
        self._builder = Builder(element.get(f"{_TABLE}name", ""), limits)
        self._style = element.get(f"{_TABLE}style-name", "")
        self._limits = limits
        self._row = self._column = 1
        # The copy of another file that a formula refers to is no sheet of this one.
        self.linked = False

    def take(self, element: Element) -> None:
        """Note a row or column, which has just ended."""
        if element.tag == f"{_TABLE}table-row":
            self._take_row(element)
        elif element.tag == f"{_TABLE}table-column":
            repeat = _count(element, "number-columns-repeated")
            if element.get(f"{_TABLE}visibility") in _HIDDEN:
                self._builder.hidden_columns.append((self._column, self._column + repeat - 1))
            self._column += repeat
        elif element.tag == f"{_TABLE}table-source":
            self.linked = True

    def _take_row(self, row: Element) -> None:
        number, repeat = self._row, _count(row, "number-rows-repeated")
        self._row += repeat
        if row.get(f"{_TABLE}visibility") in _HIDDEN:
            self._builder.hidden_rows.append((number, number + repeat - 1))
        values: list[Value] = []
        column = 1
        for cell in row:
            if cell.tag not in _CELLS:
                continue
            times = _count(cell, "number-columns-repeated")
            down, across = _count(cell, "number-rows-spanned"), _count(cell, "number-columns-spanned")
            if down > 1 or across > 1:
                self._builder.merges.append((number, column, number + down - 1, column + across - 1))
            value = self._value(cell)
            if value is not None:
                if column + times - 1 > self._limits.columns:
                    raise too_large("columns", self._limits.columns)
                values.extend([None] * (column - 1 - len(values)))
                values.extend([value] * times)
            column += times
        if any(value is not None for value in values):
            if number + repeat - 1 > self._limits.rows:
                raise too_large("rows", self._limits.rows)
            self._builder.add(number, values, repeat)

    def _value(self, cell: Element) -> Value:
        kind = cell.get(f"{_OFFICE}value-type")
        if kind in _NUMBERS and cell.get(_LIBRE_TYPE) != "error":
            return _number(cell.get(f"{_OFFICE}value", ""))
        if kind == "boolean":
            return cell.get(f"{_OFFICE}boolean-value") == "true"
        if kind == "date":
            return _date(cell.get(f"{_OFFICE}date-value", "")) or self._text(cell)
        formula = cell.get(f"{_TABLE}formula", "")
        if not len(cell) and kind is None and formula:
            # A formula that was never calculated.
            return f"={formula.partition('=')[2]}"
        if kind == "string" and cell.get(f"{_OFFICE}string-value") is not None:
            return cell.get(f"{_OFFICE}string-value") or None
        return self._text(cell)

    def _text(self, cell: Element) -> str | None:
        """The paragraphs of a cell, one under the other."""
        if not len(cell):
            return None
        most = self._limits.cell_characters
        parts: list[str] = []
        for child in cell:
            if child.tag == f"{_TEXT}p":
                parts.append("\n") if parts else None
                if len(child):
                    _collect(child, parts, most)
                elif child.text:
                    parts.append(_collapsed(child.text))
        text = "".join(parts)
        if len(text) > most:
            raise too_large("cell_characters", most)
        return text or None

    def sheet(self, hidden_styles: set[str]) -> Sheet:
        """The sheet, once all rows have gone by."""
        self._builder.visible = self._style not in hidden_styles
        return self._builder.build()


def _count(element: Element, name: str) -> int:
    """How often a row, column or cell repeats, or how far it spans: from 1."""
    text = element.get(_TABLE + name)
    # Nine digits are far above any limit, and longer ones would only cost time.
    return max(1, int(text[:9])) if text is not None and text.isdecimal() else 1


def _number(text: str) -> Value:
    try:
        value = float(text)
    except ValueError:
        return text or None
    return value if math.isfinite(value) else text


def _date(text: str) -> date | datetime | None:
    try:
        return datetime.fromisoformat(text[:26]) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return None


def _collapsed(text: str) -> str:
    """Text as the format wants it read: several blanks in a row are one."""
    return _BLANKS.sub(" ", text) if "  " in text or "\n" in text or "\t" in text else text


def _collect(element: Element, parts: list[str], most: int) -> None:
    """The text of a paragraph with links, blanks and breaks inside."""
    if element.text:
        parts.append(_collapsed(element.text))
    for child in element:
        if child.tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            times = int(count[:9]) if count.isdecimal() else 1
            if times > most:
                raise too_large("cell_characters", most)
            parts.append(" " * times)
        elif child.tag == f"{_TEXT}tab":
            parts.append("\t")
        elif child.tag == f"{_TEXT}line-break":
            parts.append("\n")
        elif child.tag not in _ASIDE:
            _collect(child, parts, most)
        if child.tail:
            parts.append(_collapsed(child.tail))
