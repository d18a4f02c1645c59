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
_GREY = Font(color="7F7F7F", italic=True)
_TEXT_FORMAT = "@"


def blank_workbook(resource: SheetResource) -> bytes:
    """The template of a kind as the bytes of an .xlsx file."""
    workbook = Workbook()
    sheet = workbook.active
    if sheet is None:  # a new workbook always has one
        raise RuntimeError
    sheet.title = SHEET
    _headings(sheet, resource)
    _instructions(workbook.create_sheet(INSTRUCTIONS), resource)
    _choices(workbook.create_sheet(CHOICES), sheet, resource)
    workbook.properties.creator = "povertyaid"
    workbook.properties.title = resource.kind
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def keeps_text(column: Column) -> bool:
    """Whether cells must be text: everything but amounts and counts, since Excel turns 2014-12, 3.1 and 301 into others."""
    cleaner = column.cleaner.func if isinstance(column.cleaner, partial) else column.cleaner
    return cleaner not in {clean_amount, clean_integer}


def _headings(sheet: Worksheet, resource: SheetResource) -> None:
    sheet.cell(1, 1, SEQUENCE).font = Font(bold=True)
    sheet.cell(2, 1, EXAMPLE).font = _GREY
    sheet.column_dimensions["A"].width = 7
    for index, column in enumerate(resource.columns, start=2):
        letter = get_column_letter(index)
        head = sheet.cell(1, index, column.header)
        head.font = Font(bold=True)
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        head.fill = _FILL_REQUIRED if column.required else _FILL_OTHER
        example = sheet.cell(2, index, column.example or None)
        example.font = _GREY
        if keeps_text(column):
            sheet.column_dimensions[letter].number_format = _TEXT_FORMAT
            example.number_format = _TEXT_FORMAT
        sheet.column_dimensions[letter].width = max(12, 2 * len(column.header) + 4, 2 * len(column.example))
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "B2"


def _choices(sheet: Worksheet, target: Worksheet, resource: SheetResource) -> None:
    """Drop-downs: their words stand on a hidden sheet, since a list inside a rule is limited to 255 characters."""
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
        rule.add(f"{letter}3:{letter}{_ROWS}")
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
    top = len(lines) + 2
    for index, text in enumerate(
        (_("Column"), _("Required"), _("Allowed words"), _("Example"), _("Explanation")), start=1
    ):
        sheet.cell(top, index, text).font = Font(bold=True)
    for row, column in enumerate(resource.columns, start=top + 1):
        sheet.cell(row, 1, column.header)
        sheet.cell(row, 2, _("yes") if column.required else "")
        sheet.cell(row, 3, "、".join(column.choices))
        sheet.cell(row, 4, column.example).number_format = _TEXT_FORMAT
        sheet.cell(row, 5, str(column.help))
    for letter, width in zip("ABCDE", (24, 8, 60, 24, 60), strict=True):
        sheet.column_dimensions[letter].width = width
