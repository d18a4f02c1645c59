"""xls (BIFF, also what WPS calls .et) by xlrd: values, merges, and what is hidden, in one parse.

Only xlrd tells hidden rows here, so that a second parser for the values would cost more than it saves.
"""

from __future__ import annotations

import io
import math
from typing import Literal

import xlrd
from xlrd.biffh import XLRDError, error_text_from_code
from xlrd.xldate import xldate_as_datetime

from povertyaid.lib.sheets.grid import Builder
from povertyaid.lib.sheets.model import Limits, Sheet, UnreadableFileError, Value, Workbook
from povertyaid.lib.sheets.refusals import damaged, encrypted, too_large


def read_biff(data: bytes, limits: Limits) -> Workbook:
    """The workbook in an xls file.

    Anything that goes wrong inside the parser is a damaged file: xlrd reads bytes of strangers with plain
    indexing.
    """
    try:
        book = xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
        )
        if book.nsheets > limits.sheets:
            raise too_large("sheets", limits.sheets)
        return Workbook("xls", "", [_sheet(book, sheet, limits) for sheet in book.sheets()])
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except XLRDError as error:
        raise (encrypted() if "encrypt" in str(error).lower() else damaged(error)) from error
    except UnreadableFileError:
        raise
    except Exception as error:
        raise damaged(error) from error


def _sheet(book: xlrd.book.Book, sheet: xlrd.sheet.Sheet, limits: Limits) -> Sheet:
    builder = Builder(sheet.name, limits, sheet.visibility == 0)
    datemode: Literal[0, 1] = 1 if book.datemode else 0
    for index in range(sheet.nrows):
        kinds, values = sheet.row_types(index), sheet.row_values(index)
        builder.add(
            index + 1, [_plain(kind, value, datemode) for kind, value in zip(kinds, values, strict=True)]
        )
    builder.hidden_rows = [
        (row + 1, row + 1) for row, info in sheet.rowinfo_map.items() if info.hidden or info.height == 0
    ]
    builder.hidden_columns = [
        (column + 1, column + 1)
        for column, info in sheet.colinfo_map.items()
        if info.hidden or info.width == 0
    ]
    builder.merges = [(top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells]
    return builder.build()


def _plain(kind: int, value: object, datemode: Literal[0, 1]) -> Value:
    if kind == xlrd.XL_CELL_TEXT:
        return str(value) or None
    if kind == xlrd.XL_CELL_NUMBER and isinstance(value, float):
        # Not a number, or infinite: no amount, and not to be counted with.
        return value if math.isfinite(value) else str(value)
    if kind == xlrd.XL_CELL_DATE and isinstance(value, float):
        try:
            return xldate_as_datetime(value, datemode)
        except (ValueError, OverflowError):
            return value
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR and isinstance(value, int):
        return error_text_from_code.get(value, "#N/A")
    return None
