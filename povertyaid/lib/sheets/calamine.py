"""The values of a workbook by python-calamine, in plain types."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from typing import BinaryIO

from python_calamine import CalamineWorkbook, SheetTypeEnum

from povertyaid.lib.sheets.model import Limits, Rows, UnreadableFileError, Value
from povertyaid.lib.sheets.refusals import damaged

# Equal texts of a sheet are one object as long as no more than so many are known: lists name the same schools, classes
# and groups in every row, and copies of them would take most of the memory of a long list. Bounded, so that a sheet
# of millions of different texts takes no more memory for it.
_SHARED_TEXTS, _LONGEST_SHARED = 20_000, 40


def read_values(source: BinaryIO, last_rows: dict[str, int], limits: Limits) -> dict[str, tuple[int, Rows]]:
    """For each worksheet by name: the number of its first row as Excel counts, and its rows from column A on.

    `last_rows` gives for each the last row that holds something: the parser also counts formulas whose results
    are empty, down to the end of the sheet. Anything that goes wrong inside the parser is a damaged file: it
    reads bytes of strangers, and its panics do not even derive from Exception.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(source)
        return {
            meta.name: _sheet_values(workbook, index, last_rows.get(meta.name, 0), limits)
            for index, meta in enumerate(workbook.sheets_metadata)
            if meta.typ is SheetTypeEnum.WorkSheet
        }
    except (KeyboardInterrupt, SystemExit, MemoryError, UnreadableFileError):
        raise
    except BaseException as error:
        raise damaged(error) from error


def _sheet_values(workbook: CalamineWorkbook, index: int, last_row: int, limits: Limits) -> tuple[int, Rows]:
    sheet = workbook.get_sheet_by_index(index)
    if sheet.start is None or sheet.end is None:
        return 1, []
    top, left = sheet.start
    bottom, right = sheet.end
    padding: list[Value] = [None] * left
    # Usually everything is taken; where a format reaches down to the end of the sheet, only what holds something.
    taken = None if (bottom + 1) * (right + 1) <= limits.cells else max(0, last_row - top)
    rows: Rows = []
    known: dict[str, str] = {}
    for row in sheet.to_python(skip_empty_area=True, nrows=taken):
        values = padding + [_plain(value, known) for value in row]
        while values and values[-1] is None:
            values.pop()
        rows.append(values)
    return top + 1, rows


def _plain(value: float | str | bool | date | datetime | time | timedelta, known: dict[str, str]) -> Value:
    if isinstance(value, str):
        same = known.get(value)
        if same is not None:
            return same
        if value and len(known) < _SHARED_TEXTS and len(value) <= _LONGEST_SHARED:
            known[value] = value
        return value or None
    if isinstance(value, float):
        # Not a number, or infinite: no amount, and not to be counted with.
        return value if math.isfinite(value) else str(value)
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds() // 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return value.isoformat() if isinstance(value, time) else value
