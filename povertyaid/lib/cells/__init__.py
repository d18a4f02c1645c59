"""Cleaners: what a person typed into a cell becomes a value, with a note of every change, or a clear refusal.

Each is `clean_x(value, *, ctx) -> Cleaned` and raises nothing but CellError.
"""

from __future__ import annotations

from povertyaid.lib.cells.base import (
    CellError,
    Cleaned,
    Context,
    Repair,
    Sensitive,
    as_text,
    is_blank,
    is_number,
    mask_value,
)
from povertyaid.lib.cells.classes import ClassName, clean_class_name, clean_grade
from povertyaid.lib.cells.dates import PartialDate, Precision, clean_date, clean_semester
from povertyaid.lib.cells.numbers import clean_account, clean_identity, clean_phone, clean_pupil_number
from povertyaid.lib.cells.quantities import clean_amount, clean_integer
from povertyaid.lib.cells.text import (
    clean_boarding,
    clean_choice,
    clean_left_behind,
    clean_name,
    clean_people,
    clean_sex,
    clean_text,
    clean_yes_no,
    split_list,
)

__all__ = [
    "CellError",
    "ClassName",
    "Cleaned",
    "Context",
    "PartialDate",
    "Precision",
    "Repair",
    "Sensitive",
    "as_text",
    "clean_account",
    "clean_amount",
    "clean_boarding",
    "clean_choice",
    "clean_class_name",
    "clean_date",
    "clean_grade",
    "clean_identity",
    "clean_integer",
    "clean_left_behind",
    "clean_name",
    "clean_people",
    "clean_phone",
    "clean_pupil_number",
    "clean_semester",
    "clean_sex",
    "clean_text",
    "clean_yes_no",
    "is_blank",
    "is_number",
    "mask_value",
    "split_list",
]
