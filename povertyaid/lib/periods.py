"""The two calendars of the office: half-years by date, semesters and school years for aid and recognition.

This is the only module that knows them. A period is written `2026H1`, `2026H2`, `2026`, `2025-2026-1`,
`2025-2026-2` or `2025-2026`; a semester is its code as a plain string (`2025-2026-2`), which sorts by time.

Half-years are January–June and July–December. The first semester runs from 1 September to 31 January, the
second from 1 February to 31 August. The spring semester belongs to the first half-year, the autumn semester
to the second; a school year is told as its second half-year and the first half-year after it, so 1 July to
30 June.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, TypeAlias

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import MessageError

Semester: TypeAlias = str
Kind = Literal["half_year", "year", "semester", "school_year"]

FIRST_YEAR = 1950
LAST_YEAR = 2149

_DIGITS = "〇一二三四五六七八九"
_HANZI_YEAR = re.compile(r"[〇零○一二三四五六七八九]{4}(?=\s*(?:年|[-—–－~～至]|学年))")
_HANZI_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_DASH = r"\s*[-—–－―‐‑~～至/]{1,2}\s*"
_YEAR = r"(?<!\d)(\d{4})"
_NUMBER_1 = "第一|第1|上|1|一|秋季"
_NUMBER_2 = "第二|第2|下|2|二|春季"
_SCHOOL_SEMESTER = re.compile(
    rf"{_YEAR}{_DASH}(\d{{4}}|\d{{2}})\s*学?年?度?\s*[（(]?\s*({_NUMBER_1}|{_NUMBER_2})\s*学期"
)
_SCHOOL_SEMESTER_CODE = re.compile(rf"{_YEAR}-(\d{{4}})-([12])(?!\d)")
_SEASON = re.compile(rf"{_YEAR}\s*年?\s*([春秋])(?:\s*季)?(?:\s*学?期)?")
_HALF_YEAR = re.compile(rf"{_YEAR}\s*年?度?\s*([上下])\s*半年")
_SCHOOL_YEAR = re.compile(rf"{_YEAR}{_DASH}(\d{{4}}|\d{{2}})\s*学年")
_YEAR_ONLY = re.compile(rf"{_YEAR}\s*(?:年度|全年)")
_CODE = re.compile(r"(\d{4})(?:H([12])|-(\d{4})(?:-([12]))?)?")


class PeriodError(MessageError):
    """A period, semester, stage or grade that does not exist."""


def _semester_error(text: object) -> PeriodError:
    return PeriodError(
        "semester",
        _("“%(text)s” is not a semester. Write it as 2025-2026-2 or 2026年春季学期."),
        {"text": text},
    )


def _year_in_range(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


def _school_year_in_range(year: int) -> bool:
    # The spring of the first year belongs to the school year before it.
    return FIRST_YEAR - 1 <= year <= LAST_YEAR


# Semesters


def semester_code(school_year: int, number: int) -> Semester:
    """The code of a semester: `semester_code(2025, 2)` is `2025-2026-2`.

    `school_year` is the year in which the school year starts, `number` is 1 (autumn) or 2 (spring).
    """
    if number not in {1, 2} or not _school_year_in_range(school_year):
        raise _semester_error(f"{school_year}-{school_year + 1}-{number}")
    return f"{school_year}-{school_year + 1}-{number}"


def split_semester(code: Semester) -> tuple[int, int]:
    """The starting year and the number (1 or 2) of a semester code; PeriodError for anything else."""
    match = _SCHOOL_SEMESTER_CODE.fullmatch(code)
    if match is None or not _school_year_in_range(int(match[1])) or int(match[2]) != int(match[1]) + 1:
        raise _semester_error(code)
    return int(match[1]), int(match[3])


def semester_of(day: date) -> Semester:
    """The semester in which a day lies: January belongs to the first semester, August to the second."""
    school_year = school_year_of(day)
    return semester_code(school_year, 2 if date(school_year + 1, 2, 1) <= day else 1)


def school_year_of(day: date) -> int:
    """The year in which the school year of a day started; it starts on 1 September."""
    return day.year if day.month >= 9 else day.year - 1


def half_year_of(day: date) -> str:
    """The code of the half-year in which a day lies: `2026H1` is January to June."""
    return f"{day.year}H{1 if day.month <= 6 else 2}"


def semester_dates(code: Semester) -> tuple[date, date]:
    """First and last day of a semester."""
    school_year, number = split_semester(code)
    if number == 1:
        return date(school_year, 9, 1), date(school_year + 1, 1, 31)
    return date(school_year + 1, 2, 1), date(school_year + 1, 8, 31)


def semester_label(code: Semester) -> str:
    """The short Chinese name: 2026年春季学期 for `2025-2026-2`, 2025年秋季学期 for `2025-2026-1`."""
    school_year, number = split_semester(code)
    return f"{school_year}年秋季学期" if number == 1 else f"{school_year + 1}年春季学期"


def semester_long_label(code: Semester) -> str:
    """Both Chinese names, as papers about aid give them: 2026年春季学期（2025—2026学年第二学期）."""
    school_year, number = split_semester(code)
    ordinal = "一" if number == 1 else "二"
    return f"{semester_label(code)}（{school_year}—{school_year + 1}学年第{ordinal}学期）"


def shift_semester(code: Semester, steps: int) -> Semester:
    """The semester that lies `steps` semesters later (negative: earlier)."""
    school_year, number = split_semester(code)
    index = school_year * 2 + number - 1 + steps
    return semester_code(index // 2, index % 2 + 1)


def _plain(text: str) -> str:
    """The text with years in Chinese digits (二〇二六年) and full-width digits written as ASCII digits."""
    halfwidth = text.translate({code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)})
    return _HANZI_YEAR.sub(lambda match: match[0].translate(_HANZI_DIGITS), halfwidth)


def _second_year_fits(first: str, second: str) -> bool:
    return int(second) == (int(first) + 1 if len(second) == 4 else (int(first) + 1) % 100)


def _find_semester(text: str) -> Semester | None:
    match = _SCHOOL_SEMESTER.search(text)
    if match is not None and _second_year_fits(match[1], match[2]) and _school_year_in_range(int(match[1])):
        return semester_code(int(match[1]), 1 if re.fullmatch(_NUMBER_1, match[3]) else 2)
    match = _SCHOOL_SEMESTER_CODE.search(text)
    if match is not None and _second_year_fits(match[1], match[2]) and _school_year_in_range(int(match[1])):
        return semester_code(int(match[1]), int(match[3]))
    match = _SEASON.search(text)
    if match is not None:
        number = 1 if match[2] == "秋" else 2
        school_year = int(match[1]) - number + 1
        return semester_code(school_year, number) if _school_year_in_range(school_year) else None
    return None


def parse_semester(text: str) -> Semester:
    """The semester that a cell names, in any of the usual spellings.

    2026年春季学期, 2026春, 2025-2026学年第二学期, 2025—2026学年下学期, 2025-2026-2. A half-year
    (2026年上半年) is not a semester: PeriodError.
    """
    plain = _plain(text).strip()
    found = None if "半年" in plain else _find_semester(plain)
    if found is None:
        raise _semester_error(text)
    return found


def find_period_in_text(title: str) -> str | None:
    """The code of the period that a title names, or None: semester, half-year, school year, then whole year."""
    text = _plain(title)
    semester = _find_semester(text)
    if semester is not None:
        return semester
    match = _HALF_YEAR.search(text)
    if match is not None and _year_in_range(int(match[1])):
        return f"{match[1]}H{1 if match[2] == '上' else 2}"
    match = _SCHOOL_YEAR.search(text)
    if match is not None and _second_year_fits(match[1], match[2]) and _year_in_range(int(match[1])):
        return f"{match[1]}-{int(match[1]) + 1}"
    match = _YEAR_ONLY.search(text)
    return match[1] if match is not None and _year_in_range(int(match[1])) else None


# Periods


@dataclass(frozen=True, order=False)
class Period:
    """A period that a summary tells about; `code` is one of the six written forms.

    Use `Period.parse` for text from outside: the constructor trusts its code.
    """

    code: str

    def __str__(self) -> str:
        """The code."""
        return self.code

    @classmethod
    def parse(cls, text: str) -> Period:
        """The period with this code; PeriodError with the allowed forms for anything else."""
        stripped = text.strip().upper()
        match = _CODE.fullmatch(stripped)
        if (
            match is None
            or not stripped.isascii()
            or not (_school_year_in_range if match[4] else _year_in_range)(int(match[1]))
            or (match[3] is not None and int(match[3]) != int(match[1]) + 1)
        ):
            raise PeriodError(
                "period",
                _(
                    "“%(text)s” is not a period. Allowed: a half-year 2026H1 or 2026H2, a year 2026, "
                    "a semester 2025-2026-1 or 2025-2026-2, a school year 2025-2026."
                ),
                {"text": text},
            )
        return cls(stripped)

    @cached_property
    def _parts(self) -> tuple[Kind, int, int]:
        """Kind, (first) year and number of the half or semester (0 when there is none)."""
        match = _CODE.fullmatch(self.code)
        if match is None:
            raise PeriodError("period", _("“%(text)s” is not a period."), {"text": self.code})
        year = int(match[1])
        if match[2]:
            return "half_year", year, int(match[2])
        if match[4]:
            return "semester", year, int(match[4])
        return ("school_year", year, 0) if match[3] else ("year", year, 0)

    @property
    def kind(self) -> Kind:
        """half_year, year, semester or school_year."""
        return self._parts[0]

    @property
    def start(self) -> date:
        """The first day, for records that are selected by date."""
        kind, year, number = self._parts
        if kind == "semester":
            return semester_dates(self.code)[0]
        return date(year, 7 if kind == "school_year" or number == 2 else 1, 1)

    @property
    def end(self) -> date:
        """The last day; a stock is counted on it."""
        kind, year, number = self._parts
        if kind == "semester":
            return semester_dates(self.code)[1]
        if kind == "school_year":
            return date(year + 1, 6, 30)
        return date(year, 6, 30) if number == 1 else date(year, 12, 31)

    @property
    def semesters(self) -> tuple[Semester, ...]:
        """The semesters whose aid and recognition belong to the period, in order of time."""
        kind, year, number = self._parts
        if kind == "semester":
            return (self.code,)
        spring, autumn = semester_code(year - 1, 2), semester_code(year, 1)
        if kind == "half_year":
            return (spring,) if number == 1 else (autumn,)
        return (spring, autumn) if kind == "year" else (autumn, semester_code(year, 2))

    @property
    def last_semester(self) -> Semester:
        """The semester in force at the end of the period."""
        return self.semesters[-1]

    @property
    def school_year(self) -> int:
        """The starting year of the school year of the last semester: classes are named by it."""
        return split_semester(self.last_semester)[0]

    @property
    def label(self) -> str:
        """The Chinese name: 2026年上半年, 2026年, 2026年春季学期, 2025—2026学年."""
        kind, year, number = self._parts
        if kind == "half_year":
            return f"{year}年{'上' if number == 1 else '下'}半年"
        if kind == "semester":
            return semester_label(self.code)
        return f"{year}年" if kind == "year" else f"{year}—{year + 1}学年"

    @property
    def semester_label(self) -> str:
        """Both Chinese names of each semester of the period, as papers about aid give them."""
        return "、".join(semester_long_label(code) for code in self.semesters)

    def previous(self) -> Period:
        """The period of the same kind just before."""
        return self._shift(-1)

    def next(self) -> Period:
        """The period of the same kind just after."""
        return self._shift(1)

    def same_last_year(self) -> Period:
        """The same period one year earlier."""
        return self._shift(-1 if self.kind in {"year", "school_year"} else -2)

    def _shift(self, steps: int) -> Period:
        kind, year, number = self._parts
        if kind == "semester":
            return Period(shift_semester(self.code, steps))
        if kind == "half_year":
            index = year * 2 + number - 1 + steps
            return Period.parse(f"{index // 2}H{index % 2 + 1}")
        return Period.parse(f"{year + steps}" if kind == "year" else f"{year + steps}-{year + steps + 1}")


# Grades

_GRADES: dict[str, tuple[str, ...]] = {
    "preschool": ("小班", "中班", "大班"),
    "primary": tuple(f"{_DIGITS[n]}年级" for n in range(1, 7)),
    "junior": ("七年级", "八年级", "九年级"),
    "senior": ("高一", "高二", "高三"),
    "vocational": tuple(f"中职{_DIGITS[n]}年级" for n in range(1, 6)),
    "special": tuple(f"{_DIGITS[n]}年级" for n in range(1, 10)),
    "higher": tuple(f"大学{_DIGITS[n]}年级" for n in range(1, 9)),
}
STAGES = tuple(_GRADES)


def grade_of(entry_year: int, school_year: int) -> int:
    """The year in its stage (1 = first) of the class that entered in `entry_year`, in `school_year`."""
    return school_year - entry_year + 1


def entry_year_of(grade: int, school_year: int) -> int:
    """The cohort that is in its `grade`-th year of the stage in `school_year`; the inverse of `grade_of`."""
    return school_year - grade + 1


def last_grade(stage: str) -> int:
    """How many grades a stage has; PeriodError for an unknown stage."""
    if stage not in _GRADES:
        raise PeriodError("stage", _("“%(text)s” is not a stage of schooling."), {"text": stage})
    return len(_GRADES[stage])


def year_in_stage(stage: str, grade: int) -> int:
    """The year in the stage of a grade as people say it: 七年级 is the first year of junior school.

    Junior grades 7–9 become 1–3; every other number already is the year in its stage.
    """
    return grade - 6 if stage == "junior" and grade > 6 else grade


def grade_label(stage: str, grade: int) -> str:
    """The Chinese name of a grade: 小班, 一年级, 七年级, 高一, 中职一年级; a cohort that has left is told as such.

    `grade` is the year in the stage; junior grades may also come as 7–9.
    """
    count = last_grade(stage)
    year = year_in_stage(stage, grade)
    if year > count:
        return "已毕业"
    return _GRADES[stage][year - 1] if year >= 1 else "未入学"
