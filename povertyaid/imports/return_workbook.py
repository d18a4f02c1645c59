"""The workbook of a list for return: the template of its kind, filled with what is stored, a key in every row."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from povertyaid.imports.blank_workbook import (
    GREY,
    INSTRUCTIONS,
    SEQUENCE,
    SHEET,
    TEXT_FORMAT,
    column_table,
    drop_downs,
    head_row,
)
from povertyaid.imports.returning import COLUMN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from povertyaid.imports.models import ReturnSheet
    from povertyaid.imports.resources import SheetResource

_FIRST = 2


def return_workbook(
    resource: SheetResource, sheet: ReturnSheet, rows: Sequence[tuple[str, dict[str, str]]]
) -> bytes:
    """The list as the bytes of an .xlsx file; `rows` are the keys with what is told of their records."""
    workbook = Workbook()
    target = workbook.active
    if target is None:  # a new workbook always has one
        raise RuntimeError
    target.title = SHEET
    head_row(target, resource)
    last = len(resource.columns) + _FIRST
    target.cell(1, last, COLUMN.header).font = GREY
    # Out of the way of those who fill in the list; sorting and deleting rows takes it along.
    target.column_dimensions[get_column_letter(last)].hidden = True
    for number, (key, told) in enumerate(rows, start=2):
        target.cell(number, 1, number - 1)
        for index, column in enumerate(resource.columns, start=_FIRST):
            if told.get(column.key):
                _write_text(target, number, index, told[column.key])
        _write_text(target, number, last, key)
    _instructions(workbook.create_sheet(INSTRUCTIONS), resource, sheet)
    drop_downs(workbook, target, resource, first_row=2)
    workbook.properties.creator = "povertyaid"
    workbook.properties.title = resource.kind
    workbook.properties.identifier = sheet.token
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _write_text(target: Worksheet, row: int, column: int, text: str) -> None:
    """A cell of text: what begins with = is no formula, and numbers keep every digit."""
    cell = target.cell(row, column, text)
    cell.data_type = "s"
    cell.number_format = TEXT_FORMAT
    # As after an apostrophe: an editor that opens the cell does not make a formula of it either.
    cell.quotePrefix = text[:1] in "=+-@"


def _instructions(target: Worksheet, resource: SheetResource, sheet: ReturnSheet) -> None:
    lines = [
        _(
            "Correct the cells that are wrong and send the workbook back. Rows that are right may stay or be deleted."
        ),
        _(
            "Stars stand for digits that are not shown. A number that is right stays as it is; "
            "a wrong one is typed anew, whole."
        ),
        _("An empty cell never erases what is stored. New records are added below, without a key."),
        _("The hidden column “%(column)s” tells which record a row is about; do not change it.")
        % {"column": COLUMN.header},
        _(
            "A record that somebody changed after this list was given out is refused when the list comes back: "
            "get a new list for it."
        ),
        _("Number of this list: %(token)s. Given out on %(date)s.")
        % {"token": sheet.token, "date": f"{sheet.created_at:%Y-%m-%d}"},
    ]
    for number, line in enumerate(lines, start=1):
        target.cell(number, 1, f"{number}. {line}")
    column_table(target, resource, top=len(lines) + 2)


__all__ = ["SEQUENCE", "return_workbook"]
