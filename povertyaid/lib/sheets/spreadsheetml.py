"""SpreadsheetML 2003 (“XML 表格”), which many systems write under the name .xls."""

from __future__ import annotations

import io
import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from povertyaid.lib.sheets.grid import LAST_ROW, Builder
from povertyaid.lib.sheets.model import Limits, Sheet, Value, Workbook
from povertyaid.lib.sheets.refusals import damaged, foreign_xml, too_large
from povertyaid.lib.sheets.xmlevents import events, local

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_VISIBLE = "{urn:schemas-microsoft-com:office:excel}Visible"

_WANTED = {*(f"{_SS}{tag}" for tag in ("Workbook", "Worksheet", "Table", "Column", "Row")), _VISIBLE}


def read_spreadsheetml(text: str, encoding: str, limits: Limits) -> Workbook:
    """The workbook in a text of SpreadsheetML 2003; UnreadableFileError when it is another XML."""
    sheets: list[_Worksheet] = []
    for event, element, ancestors in events(io.StringIO(text), _WANTED):
        if event == "start":
            if not ancestors and element.tag != f"{_SS}Workbook":
                raise foreign_xml()
            if element.tag == f"{_SS}Worksheet":
                sheets.append(_Worksheet(element.get(f"{_SS}Name", ""), limits))
                if len(sheets) > limits.sheets:
                    raise too_large("sheets", limits.sheets)
        elif not sheets:
            continue
        elif element.tag == _VISIBLE:
            sheets[-1].hide()
        elif element.tag == f"{_SS}Column":
            sheets[-1].take_column(element)
        elif element.tag == f"{_SS}Row":
            sheets[-1].take_row(element)
            del ancestors[-1][:]
    if not sheets:
        raise damaged("no sheets")
    return Workbook("xml", encoding, [sheet.sheet() for sheet in sheets])


class _Worksheet:
    """One sheet while its rows go by."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._builder = Builder(name, limits)
        self._limits = limits
        self._row = self._column = 1

    def hide(self) -> None:
        """The sheet is hidden: the element says SheetHidden or SheetVeryHidden, and is missing otherwise."""
        self._builder.visible = False

    def take_column(self, column: Element) -> None:
        """Note a column, which has just ended."""
        first = _number(column, "Index", self._column)
        last = first + _number(column, "Span", 0)
        if column.get(f"{_SS}Hidden") == "1" or column.get(f"{_SS}Width") == "0":
            self._builder.hidden_columns.append((first, last))
        self._column = last + 1

    def take_row(self, row: Element) -> None:
        """Note a row, which has just ended."""
        number = _number(row, "Index", self._row)
        last = number + _number(row, "Span", 0)
        if number < self._row or last > LAST_ROW:
            raise damaged(f"row {number}")
        self._row = last + 1
        if row.get(f"{_SS}Hidden") == "1" or row.get(f"{_SS}Height") == "0":
            self._builder.hidden_rows.append((number, last))
        values: list[Value] = []
        column = 1
        for cell in row:
            if cell.tag != f"{_SS}Cell":
                continue
            index = _number(cell, "Index", column)
            if index < column:
                raise damaged(f"column {index}")
            down, across = _number(cell, "MergeDown", 0), _number(cell, "MergeAcross", 0)
            if down or across:
                self._builder.merges.append((number, index, number + down, index + across))
            value = _value(cell)
            if value is not None:
                if index > self._limits.columns:
                    raise too_large("columns", self._limits.columns)
                values.extend([None] * (index - 1 - len(values)))
                values.append(value)
            column = index + across + 1
        self._builder.add(number, values)

    def sheet(self) -> Sheet:
        """The sheet, once all rows have gone by."""
        return self._builder.build()


def _number(element: Element, name: str, default: int) -> int:
    text = element.get(_SS + name, "")
    return int(text[:9]) if text.isdecimal() else default


def _value(cell: Element) -> Value:
    # A comment has a Data element too, further inside.
    data = next((child for child in cell if local(child.tag) == "Data"), None)
    if data is None or (data.text is None and not len(data)):
        formula = cell.get(f"{_SS}Formula")
        text_result = data is not None and data.get(f"{_SS}Type") == "String"
        return formula if formula and not text_result else None
    text = "".join(data.itertext())
    kind = data.get(f"{_SS}Type", "String")
    if kind == "Number":
        return _float(text)
    if kind == "DateTime":
        return _date(text)
    if kind == "Boolean":
        return text.strip() == "1"
    return text or None


def _float(text: str) -> Value:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def _date(text: str) -> Value:
    """2026-03-01T00:00:00.000 as a date; with a time of day as a moment; on the last day of 1899 as a time."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    if moment.date() == date(1899, 12, 31):
        return moment.time().isoformat()
    return moment.date() if moment.time() == time() else moment
