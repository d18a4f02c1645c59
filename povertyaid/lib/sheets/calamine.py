"""The values of a workbook by python-calamine, in plain types."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import BinaryIO

from python_calamine import CalamineWorkbook, SheetTypeEnum

from povertyaid.lib.sheets.model import Limits, Rows, UnreadableFileError, Value
from povertyaid.lib.sheets.zips import damaged, too_large


def read_values(source: BinaryIO, limits: Limits) -> dict[str, tuple[int, Rows]]:
    """For each worksheet by name: the number of its first row as Excel counts, and its rows from column A on.

    Anything that goes wrong inside the parser is a damaged file: it reads bytes of strangers, and its panics
    do not even derive from Exception.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(source)
        return {
            meta.name: _sheet_values(workbook, index, limits)
            for index, meta in enumerate(workbook.sheets_metadata)
            if meta.typ is SheetTypeEnum.WorkSheet
        }
    except (KeyboardInterrupt, SystemExit, MemoryError, UnreadableFileError):
        raise
    except BaseException as error:
        raise damaged(error) from error


def _sheet_values(workbook: CalamineWorkbook, index: int, limits: Limits) -> tuple[int, Rows]:
    sheet = workbook.get_sheet_by_index(index)
    if sheet.start is None or sheet.end is None:
        return 1, []
    top, left = sheet.start
    bottom, right = sheet.end
    if (
        bottom - top >= limits.rows
        or right >= limits.columns
        or (bottom - top + 1) * (right + 1) > limits.cells
    ):
        raise too_large()
    padding: list[Value] = [None] * left
    rows = [
        padding + [_plain(value, limits) for value in row] for row in sheet.to_python(skip_empty_area=True)
    ]
    return top + 1, rows


def _plain(value: float | str | bool | date | datetime | time | timedelta, limits: Limits) -> Value:
    if isinstance(value, str):
        if len(value) > limits.cell_characters:
            raise too_large()
        return value or None
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds() // 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return value.isoformat() if isinstance(value, time) else value
