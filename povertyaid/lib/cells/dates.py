"""Cleaners for dates, which arrive with the precision of a day, a month or a year, and for semesters."""

# ruff: noqa: ARG001 - every cleaner takes the context, whether it needs it or not

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.cells.base import (
    CellError,
    Cleaned,
    Context,
    Steps,
    ambiguous,
    begin,
    error,
    is_blank,
)
from povertyaid.lib.periods import PeriodError, Semester, parse_semester, semester_code, semester_label
from povertyaid.lib.sheets.model import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

Precision = Literal["day", "month", "year"]

# Excel counts days from here; the shift of two days is its year 1900 with a 29 February.
_EXCEL_EPOCH = date(1899, 12, 30)
_FIRST_SERIAL = 10_000  # 18 May 1927: a shorter number is a year, or nobody knows what
_LAST_SERIAL = 73_050  # 31 December 2099
# Years of which 20123 may be a month written without its nought.
_FIRST_MONTH = 1990
_LAST_MONTH = 2035
_FIRST_YEAR = 1900
_LAST_YEAR = 2199

_DAY = re.compile(
    r"(\d{4})\s*(?:[-/.—–_]\s*(\d{1,2})\s*[-/.—–_]\s*(\d{1,2})|年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?)\.?"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
)
_MONTH = re.compile(r"(\d{4})\s*(?:[-/.—–_]\s*(\d{1,2})|年\s*(\d{1,2})\s*月份?)\.?")
_YEAR = re.compile(r"(\d{4})\s*年?")
_DIGITS = re.compile(r"\d{5,8}")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_SHORT_YEAR = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{1,2})")
_NO_YEAR = re.compile(r"(\d{1,2})(?:[-/.](\d{1,2})|月(\d{1,2})[日号]?)")


_SEMESTER_PARTS = re.compile(r"[()、,;和及与至\n]+")
_ONE_YEAR = re.compile(r"(20\d\d)(年|学年)?度?(上|下|第一|第二|第1|第2)(?:学期)?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date as exact as it was written: `value` is the first day of the month or year when no day is known."""

    value: date
    precision: Precision

    def __str__(self) -> str:
        """2014-12-15, 2014-12 or 2014."""
        return self.value.isoformat()[: {"day": 10, "month": 7, "year": 4}[self.precision]]


def clean_date(value: Value, *, ctx: Context, future: bool = False) -> Cleaned[PartialDate]:
    """A date in any of the forms of POLICY §6; `future` allows days after `ctx.today`.

    2012.3 · 2012.03.01 · 2012年3月 · 20120301 · 201203 · 2012 · 2012-03-01 00:00:00 · Excel serial 41988.
    What can be read in two ways is refused with both: the number 2012.1 (it may have been 2012.10), 01/02/2024,
    12.3.1, 20123. Error codes: date, undecidable, year, future, type.
    """
    if is_blank(value):
        return Cleaned(None)
    steps = begin(value)
    if isinstance(value, bool):
        raise CellError("type", _("This cell must hold a date, not a logical value."))
    if isinstance(value, datetime):
        found = PartialDate(value.date(), "day")
        if value.time() != time():
            steps.apply("time_dropped", value.date().isoformat())
    elif isinstance(value, date):
        found = PartialDate(value, "day")
    elif isinstance(value, (int, float)):
        found = _from_number(value, steps)
    else:
        if is_blank(steps.text):
            return Cleaned(None)
        found = _from_text(value, steps)
    if not _FIRST_YEAR <= found.value.year <= _LAST_YEAR:
        raise error("year", _("The year in %(value)s is out of range. Check the date."), value)
    if not future and found.value > ctx.today:
        raise error("future", _("The date %(value)s lies in the future. Check the year."), str(found))
    return Cleaned(found, steps.repairs)


def _date_error(value: object) -> CellError:
    return error("date", _("“%(value)s” is not a date. Write it as 2026-03-01, 2026年3月 or 2026.3."), value)


def _make(year: int, month: int, day: int, precision: Precision, original: object) -> PartialDate:
    try:
        return PartialDate(date(year, month, day), precision)
    except ValueError:
        raise error("date", _("The date %(value)s does not exist. Check day and month."), original) from None


def _from_digits(digits: str, steps: Steps, original: object) -> PartialDate:
    """20120301, 201203, or a serial number of Excel, by the number of digits."""
    if len(digits) == 8:
        return _make(int(digits[:4]), int(digits[4:6]), int(digits[6:]), "day", original)
    if len(digits) == 6:
        return _make(int(digits[:4]), int(digits[4:]), 1, "month", original)
    number = int(digits)
    if len(digits) == 5 and _FIRST_MONTH <= int(digits[:4]) <= _LAST_MONTH and digits[4] != "0":
        # 20123 is 2012年3月, or the 20123rd day of Excel.
        raise ambiguous(
            "undecidable",
            original,
            f"{digits[:4]}-0{digits[4]}",
            (_EXCEL_EPOCH + timedelta(days=number)).isoformat(),
        )
    if len(digits) == 7:
        # 2012111 is 11 January or 1 November.
        raise _several(
            original, [(digits[:4], digits[4:5], digits[5:]), (digits[:4], digits[4:6], digits[6:])]
        )
    if _FIRST_SERIAL <= number <= _LAST_SERIAL:
        day = _EXCEL_EPOCH + timedelta(days=number)
        steps.apply("serial", day.isoformat())
        return PartialDate(day, "day")
    if len(digits) == 4:
        return _make(number, 1, 1, "year", original)
    raise _date_error(original)


def _from_number(value: float, steps: Steps) -> PartialDate:
    if not -1e9 < value < 1e9:
        raise _date_error(value)
    whole = int(value)
    if value == whole:
        return _from_digits(str(whole), steps, value) if whole > 0 else _raise(value)
    if _FIRST_SERIAL <= value <= _LAST_SERIAL:
        day = _EXCEL_EPOCH + timedelta(days=whole)
        steps.apply("serial", day.isoformat())
        return PartialDate(day, "day")
    if not _FIRST_YEAR <= whole <= _LAST_YEAR:
        raise _date_error(value)
    places = repr(value).partition(".")[2]
    if places == "1":
        raise error(
            "undecidable",
            _(
                "The number %(value)s may mean January (%(first)s) or October (%(second)s). "
                "Set the cell to text and write the month with two digits."
            ),
            value,
            first=f"{whole}-01",
            second=f"{whole}-10",
        )
    if len(places) > 2:
        raise _date_error(value)
    return _make(whole, int(places), 1, "month", value)


def _days(parts: Sequence[tuple[str, str, str]]) -> list[date]:
    """The days that exist among several readings (year, month, day), each once; a short year is of this century."""
    found: list[date] = []
    for year, month, day in parts:
        try:
            reading = date(int(year) + (2000 if len(year) <= 2 else 0), int(month), int(day))
        except ValueError:
            continue
        if reading not in found:
            found.append(reading)
    return found


def _several(original: object, parts: Sequence[tuple[str, str, str]]) -> CellError:
    """The refusal of a date that can be read in several ways, with those that exist."""
    found = _days(parts)
    if len(found) > 1:
        return ambiguous("undecidable", original, *(day.isoformat() for day in found))
    return _date_error(original)


def _raise(value: object) -> PartialDate:
    raise _date_error(value)


def _from_text(value: object, steps: Steps) -> PartialDate:
    if len(steps.text) > 60:
        raise _date_error(value)
    steps.apply("fullwidth", unicodedata.normalize("NFKC", steps.text))
    text = steps.text
    match = _DAY.fullmatch(text)
    if match is not None:
        found = _make(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]), "day", value)
        if any(int(part or 0) for part in match.group(6, 7, 8)):
            steps.apply("time_dropped", str(found))
        return found
    match = _MONTH.fullmatch(text)
    if match is not None:
        return _make(int(match[1]), int(match[2] or match[3]), 1, "month", value)
    match = _YEAR.fullmatch(text)
    if match is not None:
        return _make(int(match[1]), 1, 1, "year", value)
    if _DIGITS.fullmatch(text) and text.isascii():
        return _from_digits(text, steps, value)
    match = _YEAR_LAST.fullmatch(text)
    if match is not None:
        readings = _days([(match[3], match[1], match[2]), (match[3], match[2], match[1])])
        if len(readings) == 1:
            steps.apply("day_month", readings[0].isoformat())
            return PartialDate(readings[0], "day")
        raise _several(value, [(match[3], match[1], match[2]), (match[3], match[2], match[1])])
    match = _SHORT_YEAR.fullmatch(text)
    if match is not None:
        first, second, third = match.groups()
        raise _several(value, [(first, second, third), (third, first, second), (third, second, first)])
    if _NO_YEAR.fullmatch(text):
        raise error("date", _("The date %(value)s has no year. Write it as 2026-03-01."), value)
    raise _date_error(value)


def clean_semester(value: Value, *, ctx: Context) -> Cleaned[Semester]:
    """The code of a semester from any spelling that `periods.parse_semester` knows.

    Two semesters in a cell, and names that schools use for either (2025年上学期), are refused with both. Error code:
    semester.
    """
    if is_blank(value):
        return Cleaned(None)
    steps = begin(value)
    if is_blank(steps.text):
        return Cleaned(None)
    if len(steps.text) > 60:
        raise _semester_error(value)
    text = unicodedata.normalize("NFKC", steps.text)
    _refuse_two_semesters(value, text)
    try:
        return Cleaned(parse_semester(steps.text), steps.repairs)
    except PeriodError:
        raise _semester_error(value) from None


def _semester_error(value: object) -> CellError:
    return error(
        "semester", _("“%(value)s” is not a semester. Write it as 2025-2026-2 or 2026年春季学期."), value
    )


def _refuse_two_semesters(value: object, text: str) -> None:
    """CellError where a cell names two semesters, or one by a name that stands for either."""
    found: list[Semester] = []
    for part in _SEMESTER_PARTS.split(text):
        try:
            code = parse_semester(part)
        except PeriodError:
            continue
        if code not in found:
            found.append(code)
    if len(found) > 1:
        raise ambiguous("semester", value, *map(semester_label, found))
    match = _ONE_YEAR.fullmatch(text.replace(" ", ""))
    if match is not None:
        year, number = int(match[1]), 1 if match[3] in {"上", "第一", "第1"} else 2
        if match[2] == "学年":
            # The school year 2025 began, or ended, in 2025.
            codes = [semester_code(year, number), semester_code(year - 1, number)]
        else:
            # 2025年上学期 is the spring where terms follow the year, the autumn where they follow the school year.
            codes = [semester_code(year - 1, 2), semester_code(year, 1)]
            codes += [semester_code(year, 2)] if number == 2 else []
        raise ambiguous("semester", value, *map(semester_label, codes))
