"""Cleaners for classes and grades, which every school writes in its own way.

一年级2班 · 一(2)班 · 2.1 · 201 · 2024级1班 · 七(3)班 · 高一(2)班 · 大一班 · 1年级
"""

# ruff: noqa: ARG001 - every cleaner takes the context, whether it needs it or not

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.cells.base import (
    Cleaned,
    Context,
    Repair,
    ambiguous,
    begin,
    error,
    is_blank,
    is_number,
)
from povertyaid.lib.periods import year_in_stage
from povertyaid.lib.sheets.model import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_stubs_ext import StrOrPromise

_DIGITS = "零一二三四五六七八九"
_NUMERAL = r"(?:\d{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_PREFIX = r"(?P<prefix>小学|小|初中|中学|高中|普高|高|初|中职|职高|职|中专|幼儿园)?"
_CLASS_NUMBER = rf"[(\[]?\s*第?(?P<number>{_NUMERAL})\s*[)\]]?\s*班?"

_COHORT = re.compile(rf"{_PREFIX}\s*(?P<cohort>\d{{4}}|\d{{2}})\s*[级届]\s*(?:{_CLASS_NUMBER})?")
_PRESCHOOL = re.compile(
    rf"(?:幼儿园)?(?P<size>[小中大])\s*(?:班?\s*[(\[]?\s*(?P<number>{_NUMERAL})\s*[)\]]?)?\s*班?"
)
_GRADE_CLASS = re.compile(
    rf"{_PREFIX}\s*(?P<grade>{_NUMERAL})\s*(?:年级?|级)?\s*"
    rf"(?:[(\[]\s*第?(?P<bracket>{_NUMERAL})\s*[)\]]\s*班?|第?(?P<plain>{_NUMERAL})\s*班|[.·-]\s*(?P<dotted>\d{{1,2}})\s*班?)"
)
# 三1 · 三年级1 · 初一3: Chinese grade, then digits.
_GRADE_DIGITS = re.compile(
    rf"{_PREFIX}(?P<grade>[一二三四五六七八九])(?:年级?|级)?(?P<number>\d{{1,2}})|"
    rf"{_PREFIX.replace('prefix', 'prefix2')}(?P<grade2>\d)年级(?P<number2>{_NUMERAL})"
)
# The one year before school, in places that have no 大班.
_BEFORE_SCHOOL = re.compile(rf"(?:幼儿园)?学前(?:班|一年)?(?:[(\[]?第?(?P<number>{_NUMERAL})[)\]]?班?)?")
_GRADE_ONLY = re.compile(rf"{_PREFIX}\s*(?P<grade>{_NUMERAL})\s*(?:年级|年)?")
_GRADE_WORD = re.compile(rf"{_PREFIX}\s*(?P<grade>{_NUMERAL})\s*年级?|(?:高|初|职高|中职)(?:{_NUMERAL})")
_CLASS_ONLY = re.compile(rf"[(\[]?\s*第?(?P<number>{_NUMERAL})\s*[)\]]?\s*班")
_DOTTED = re.compile(r"(\d)[.\-](\d{1,2})")
_THREE_DIGITS = re.compile(r"([1-9])(0[1-9]|[1-9]\d)班?")
_TWO_DIGITS = re.compile(r"([1-9])([1-9])班?")
_SLASHED = re.compile(r"([1-9一二三四五六七八九])/(\d{1,2})(班?)")
# 小三 and 大一 name a class of the kindergarten or a grade.
_TWO_STAGES = {"小": "小学{}年级", "大": "大学{}年级", "中": "中学{}年级"}
_MOST_CLASSES = 20

_STAGES = {
    "小学": "primary",
    "小": "primary",
    "初中": "junior",
    "初": "junior",
    "高中": "senior",
    "普高": "senior",
    "高": "senior",
    "中职": "vocational",
    "职高": "vocational",
    "职": "vocational",
    "中专": "vocational",
    "幼儿园": "preschool",
}
_SIZES = {"小": 1, "中": 2, "大": 3}


@dataclass(frozen=True, slots=True)
class ClassName:
    """What a cell says about a class; what it does not say is None.

    `grade` is as people count: 1–6 primary, 7–9 junior, 1–3 in senior, vocational and preschool (小班 = 1).
    `number` is the class in its grade, `cohort` the year of entry, `stage` a stage code where the words give
    it away.
    """

    grade: int | None
    number: int | None
    cohort: int | None = None
    stage: str | None = None

    @property
    def year_in_stage(self) -> int | None:
        """The grade counted from the first year of its stage: 1 for 七年级."""
        if self.grade is None:
            return None
        return year_in_stage(self.stage or "", self.grade)


def numeral(text: str) -> int:
    """1–99 in digits or Chinese: 12 and 十二."""
    if text.isdecimal():
        return int(text)
    tens, found, units = text.rpartition("十")
    if not found:
        return _DIGITS.index(text)
    return (_DIGITS.index(tens) if tens else 1) * 10 + (_DIGITS.index(units) if units else 0)


def _text(value: Value) -> str:
    """The cell as text for the patterns: full-width signs and brackets as ASCII, blanks removed."""
    text = unicodedata.normalize("NFKC", begin(value).text)
    return re.sub(r"\s+", "", text).translate(str.maketrans("【】〔〕﹙﹚{}．。—–", "[][]()[]..--"))


def _graded(prefix: str | None, grade: int, number: int | None) -> ClassName | None:
    """Grade and stage put right: 初一 is grade 7, 七年级 is junior, 高四 is nothing."""
    stage = _STAGES.get(prefix or "")
    if stage == "junior" and grade <= 3:
        grade += 6
    if stage is None and 7 <= grade <= 9:
        stage = "junior"
    highest = {"primary": 6, "junior": 9, "senior": 3, "vocational": 5, "preschool": 3}.get(stage or "", 9)
    if not 1 <= grade <= highest or (stage == "junior" and grade < 7) or number == 0:
        return None
    return ClassName(grade, number, None, stage)


def _cohort(match: re.Match[str]) -> ClassName | None:
    year = int(match["cohort"])
    year = year + 2000 if len(match["cohort"]) == 2 else year
    number = numeral(match["number"]) if match["number"] else None
    # 届 is the year of leaving, and without the stage nobody can tell the entry from it.
    if "届" in match[0] or not 1980 <= year <= 2100 or number == 0:
        return None
    return ClassName(None, number, year, _STAGES.get(match["prefix"] or ""))


def _refuse_two_readings(value: Value, text: str) -> None:
    """CellError for what may be two classes; each message names both."""
    match = re.fullmatch(r"([1-9])\.1", text) if is_number(value) else None
    if match is not None:
        # 3.10 typed as a number has become 3.1.
        grade = numeral_of(int(match[1]))
        raise ambiguous("class_name", value, f"{grade}年级1班", f"{grade}年级10班")
    match = _TWO_DIGITS.fullmatch(text)
    if match is not None and int(match[1] + match[2]) > _MOST_CLASSES:
        raise ambiguous(
            "class_name", value, f"{numeral_of(int(match[1]))}年级{match[2]}班", f"{match[1]}{match[2]}班"
        )
    match = _SLASHED.fullmatch(text)
    if match is not None:
        raise ambiguous("class_name", value, f"{match[1]}年级{match[2]}班", f"{match[1]}班、{match[2]}班")
    match = re.fullmatch(rf"([小中大])({_NUMERAL})", text)
    if match is not None:
        raise ambiguous(
            "class_name", value, f"{match[1]}班{match[2]}班", _TWO_STAGES[match[1]].format(match[2])
        )
    match = re.fullmatch(rf"{_PREFIX}(\d{{4}})届(.*)", text)
    if match is not None:
        raise error(
            "class_name",
            _(
                "“%(value)s” may mean the year of entry or of leaving. "
                "Write the year of entry with 级, for example 2024级1班."
            ),
            value,
        )


def numeral_of(number: int) -> str:
    """一 for 1; 1 to 9 only."""
    return _DIGITS[number]


def _parse_class(text: str) -> ClassName | None:
    match = _THREE_DIGITS.fullmatch(text) or _DOTTED.fullmatch(text)
    if match is not None:
        return _graded(None, int(match[1]), int(match[2]))
    if text.isdecimal() and len(text) <= 2:
        return ClassName(None, int(text)) if int(text) else None
    match = _CLASS_ONLY.fullmatch(text)
    if match is not None:
        return ClassName(None, numeral(match["number"])) if numeral(match["number"]) else None
    if _BEFORE_SCHOOL.fullmatch(text) or (_PRESCHOOL.fullmatch(text) and text not in _SIZES):
        return _parse_preschool(text)
    return _parse_graded(text)


def _parse_graded(text: str) -> ClassName | None:
    match = _COHORT.fullmatch(text)
    if match is not None:
        return _cohort(match)
    match = _GRADE_CLASS.fullmatch(text)
    if match is not None:
        number = match["bracket"] or match["plain"] or match["dotted"]
        return _graded(match["prefix"], numeral(match["grade"]), numeral(number))
    match = _GRADE_DIGITS.fullmatch(text)
    if match is not None:
        number = match["number"] or match["number2"]
        return _graded(
            match["prefix"] or match["prefix2"], numeral(match["grade"] or match["grade2"]), numeral(number)
        )
    match = _GRADE_WORD.fullmatch(text)
    return _parse_grade(text) if match is not None else None


def _parse_preschool(text: str) -> ClassName | None:
    match = _BEFORE_SCHOOL.fullmatch(text) or _PRESCHOOL.fullmatch(text)
    if match is None:
        return None
    number = numeral(match["number"]) if match["number"] else None
    size = match.groupdict().get("size") or "大"
    return None if number == 0 else ClassName(_SIZES[size], number, None, "preschool")


def _parse_grade(text: str) -> ClassName | None:
    found = _parse_preschool(text)
    if found is not None and found.number is None:
        return found
    match = _GRADE_ONLY.fullmatch(text)
    return _graded(match["prefix"], numeral(match["grade"]), None) if match is not None else None


def clean_class_name(value: Value, *, ctx: Context) -> Cleaned[ClassName]:
    """A class with or without its grade; 2.1 and 201 are grade 2 class 1, a bare 2 is class 2 of a grade told elsewhere.

    What may be two classes is refused with both: the number 2.1 (2.10 has become 2.1 in a numeric cell), 3/1, 31, 小三.
    学前班 is read as 大班, and told. Error code: class_name.
    """
    if isinstance(value, date):
        # Excel makes a date of 3-1.
        raise error(
            "class_name",
            _(
                "The spreadsheet has made the date %(value)s of this class: it may have been %(first)s or %(second)s. "
                "Set the cell to text and write the class again."
            ),
            f"{value:%Y-%m-%d}",
            first=f"{value.month}-{value.day}",
            second=f"{value.day}-{value.month}",
        )
    if isinstance(value, (str, int, float)) and not is_blank(value):
        _refuse_two_readings(value, _text(value))
    return _clean(
        value,
        _parse_class,
        _("“%(value)s” is not a class. Write it as 一年级2班, 一(2)班 or 2024级1班."),
        "class_name",
    )


def clean_grade(value: Value, *, ctx: Context) -> Cleaned[ClassName]:
    """A grade alone: 1, 一, 一年级, 七年级, 小学四年级, 高一, 大班. Error code: grade."""
    return _clean(
        value, _parse_grade, _("“%(value)s” is not a grade. Write it as 一年级, 七年级 or 高一."), "grade"
    )


def _clean(
    value: Value, parse: Callable[[str], ClassName | None], message: StrOrPromise, code: str
) -> Cleaned[ClassName]:
    if is_blank(value):
        return Cleaned(None)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise error(code, message, value)
    if is_blank(begin(value).text):
        return Cleaned(None)
    text = _text(value)
    found = parse(text) if len(text) <= 20 else None
    if found is None:
        raise error(code, message, value)
    before_school = text.startswith(("学前", "幼儿园学前"))
    return Cleaned(found, [Repair("preschool_class", text, "大班")] if before_school else [])
