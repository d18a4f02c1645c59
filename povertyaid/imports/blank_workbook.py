"""The workbook that a kind is filled in: headings, drop-downs, text format, an example row, instructions."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from povertyaid.lib.cells import clean_amount, clean_integer

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from povertyaid.imports.resources import Column, SheetResource

SEQUENCE = "序号"
# The reader knows a row that begins so as no record (povertyaid.lib.sheets.rows).
EXAMPLE = "示例"
SHEET, INSTRUCTIONS, CHOICES = "填写", "填写说明", "选项"
# Rows that get drop-downs; longer lists are pasted in anyway.
_ROWS = 5000
_FILL_REQUIRED = PatternFill("solid", fgColor="FCE4D6")
_FILL_OTHER = PatternFill("solid", fgColor="E2EFDA")
GREY = Font(color="7F7F7F", italic=True)
TEXT_FORMAT = "@"


def blank_workbook(resource: SheetResource) -> bytes:
    """The template of a kind as the bytes of an .xlsx file."""
    workbook = Workbook()
    sheet = workbook.active
    if sheet is None:  # a new workbook always has one
        raise RuntimeError
    sheet.title = SHEET
    head_row(sheet, resource)
    _example(sheet, resource)
    _instructions(workbook.create_sheet(INSTRUCTIONS), resource)
    drop_downs(workbook, sheet, resource, first_row=3)
    workbook.properties.creator = "povertyaid"
    workbook.properties.title = resource.kind
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def keeps_text(column: Column) -> bool:
    """Whether cells must be text: everything but amounts and counts, since Excel turns 2014-12, 3.1 and 301 into others."""
    cleaner = column.cleaner.func if isinstance(column.cleaner, partial) else column.cleaner
    return cleaner not in {clean_amount, clean_integer}


def head_row(sheet: Worksheet, resource: SheetResource) -> None:
    """The headings, 序号 first; orange where a cell must be filled in. Columns of numbers that are names are text."""
    sheet.cell(1, 1, SEQUENCE).font = Font(bold=True)
    sheet.column_dimensions["A"].width = 7
    for index, column in enumerate(resource.columns, start=2):
        letter = get_column_letter(index)
        head = sheet.cell(1, index, column.header)
        head.font = Font(bold=True)
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        head.fill = _FILL_REQUIRED if column.required else _FILL_OTHER
        if keeps_text(column):
            sheet.column_dimensions[letter].number_format = TEXT_FORMAT
        sheet.column_dimensions[letter].width = max(12, 2 * len(column.header) + 4, 2 * len(column.example))
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "B2"


def _example(sheet: Worksheet, resource: SheetResource) -> None:
    sheet.cell(2, 1, EXAMPLE).font = GREY
    for index, column in enumerate(resource.columns, start=2):
        example = sheet.cell(2, index, column.example or None)
        example.font = GREY
        if keeps_text(column):
            example.number_format = TEXT_FORMAT


def drop_downs(workbook: Workbook, target: Worksheet, resource: SheetResource, *, first_row: int) -> None:
    """Drop-downs: their words stand on a hidden sheet, since a list inside a rule is limited to 255 characters."""
    sheet = workbook.create_sheet(CHOICES)
    position = 0
    for index, column in enumerate(resource.columns, start=2):
        if not column.choices:
            continue
        position += 1
        source = get_column_letter(position)
        for row, word in enumerate(column.choices, start=1):
            sheet.cell(row, position, word)
        rule = DataValidation(
            type="list", formula1=f"{CHOICES}!${source}$1:${source}${len(column.choices)}", allow_blank=True
        )
        rule.errorTitle = column.header
        rule.error = _("Choose one of the words in the list.")
        target.add_data_validation(rule)
        letter = get_column_letter(index)
        rule.add(f"{letter}{first_row}:{letter}{_ROWS}")
    sheet.sheet_state = "hidden"


def _instructions(sheet: Worksheet, resource: SheetResource) -> None:
    lines = [
        _("Fill in the sheet “%(sheet)s”, one record a row, below the example row.") % {"sheet": SHEET},
        _("Do not change the headings; columns that you do not need may be deleted."),
        _("Orange headings must be filled in. An empty cell never erases what is stored."),
        _(
            "Identity numbers, accounts and pupil numbers must stay text: a numeric cell loses their last digits."
        ),
        _("Stored records are found again by: %(key)s.") % {"key": resource.key_help},
    ]
    for number, line in enumerate(lines, start=1):
        sheet.cell(number, 1, f"{number}. {line}")
    column_table(sheet, resource, top=len(lines) + 2)


def column_table(sheet: Worksheet, resource: SheetResource, *, top: int) -> None:
    """What each column holds: required or not, allowed words, an example, an explanation."""
    for index, text in enumerate(
        (_("Column"), _("Required"), _("Allowed words"), _("Example"), _("Explanation")), start=1
    ):
        sheet.cell(top, index, text).font = Font(bold=True)
    for row, column in enumerate(resource.columns, start=top + 1):
        sheet.cell(row, 1, column.header)
        sheet.cell(row, 2, _("yes") if column.required else "")
        sheet.cell(row, 3, "、".join(column.choices))
        sheet.cell(row, 4, column.example).number_format = TEXT_FORMAT
        sheet.cell(row, 5, str(column.help))
    for letter, width in zip("ABCDE", (24, 8, 60, 24, 60), strict=True):
        sheet.column_dimensions[letter].width = width
