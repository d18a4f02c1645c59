"""What was done to a cell on the way, in words; the codes stand in the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

RULES: dict[str, StrOrPromise] = {
    "apostrophe": _("apostrophe removed"),
    "binary_noise": _("rounding error of the spreadsheet removed"),
    "class_created": _("class added"),
    "code": _("code read as a word"),
    "currency_sign": _("currency sign removed"),
    "day_month": _("day and month put in order"),
    "disbursement_created": _("disbursement added"),
    "dot": _("one form of the middle dot"),
    "formula_text": _("formula around the text removed"),
    "fullwidth": _("full-width characters made ordinary"),
    "half_of_year": _("half of a year's amount"),
    "head_row": _("follows the row of the head"),
    "inner_blanks": _("blanks inside removed"),
    "invisible": _("invisible characters removed"),
    "minutes_of_span": _("length told by beginning and end"),
    "negative": _("brackets read as a minus sign"),
    "nfkc": _("compatibility characters made ordinary"),
    "number_as_text": _("numeric cell read as text"),
    "phone_prefix": _("country code removed"),
    "preschool_class": _("pre-school class read as 大班"),
    "phone_separators": _("blanks and dashes in the telephone number removed"),
    "school_short_name": _("short name of the school completed"),
    "semester_of_date": _("semester of the date"),
    "serial": _("spreadsheet's day number read as a date"),
    "staff_created": _("person added to the staff"),
    "standard_closed": _("ends before the next standard"),
    "thousands": _("thousands separators removed"),
    "time_dropped": _("time of day left out"),
    "trimmed": _("blanks at the ends removed"),
    "unit": _("unit removed"),
    "unit_wan": _("ten thousands of yuan turned into yuan"),
    "unit_yuan": _("unit removed"),
    "uppercase": _("capital letter at the end"),
}


def rule_text(code: str) -> StrOrPromise:
    """A rule in words; its code where it has none."""
    return RULES.get(code, code)
