"""The Chinese words of a summary: who writes it, about whom, over which time (SUMMARIES §3 and §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from povertyaid.lib import periods

if TYPE_CHECKING:
    from povertyaid.lib.periods import Period
    from reports.indicators import Target

_TAG = re.compile(r"(<[^>]*>)")
# A figure with its unit, a year, a day, the number of an attachment: never parted at the line's end. A school year
# may part behind its dash: held together, its nine characters would pull the line before them apart.
_UNBREAKABLE = re.compile(r"附件\d+|\d{4}—|\d{4}学年|\d[\d.]*(?:万元|人次|[年月日人名户元次对笔份件项个所%％])")
_NUMERALS = "一二三四五六七八九十"
# How people number their own paragraphs; the paper numbers them itself.
_OWN_NUMBER = re.compile(
    r"^\s*(?:[一二三四五六七八九十]+是|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]+[）)]|\d+[.、．](?!\d))\s*"
)


@dataclass(frozen=True)
class Words:
    """How a paper speaks of its writer and of the children."""

    we: str
    pupil: str
    on_roll: str
    leaders: str


SCHOOL = Words("我校", "学生", "在校学生", "学校领导和处室负责人")
KINDERGARTEN = Words("我园", "幼儿", "在园幼儿", "园领导")
COUNTY = Words("我局", "学生", "在校学生（在园幼儿）", "学校领导和处室负责人")


def words_of(target: Target) -> Words:
    """Return the words for a target: 幼儿 and 我园 in a kindergarten, 我局 and 全县 in the county's paper."""
    if target.school is None:
        return COUNTY
    return KINDERGARTEN if target.school.is_kindergarten else SCHOOL


@dataclass(frozen=True)
class PeriodWords:
    """How a paper names its period, the one before and the one after."""

    this: str
    before: str
    plans: str


def period_words(period: Period, *, county: bool) -> PeriodWords:
    """Return the words for a period; the county speaks of work (工作) where a school speaks of plans (打算)."""
    plans = "工作" if county else "打算"
    if period.kind == "half_year":
        first = period.code.endswith("H1")
        return PeriodWords("上半年" if first else "下半年", "上学期", f"{'下半年' if first else '明年'}{plans}")
    if period.kind == "semester":
        return PeriodWords("本学期", "上学期", f"下学期{plans}")
    if period.kind == "year":
        return PeriodWords("全年", "上年末", f"明年{plans}")
    return PeriodWords("本学年", "上学年末", f"下学年{plans}")


def chinese_date(day: date) -> str:
    """Return 2026年7月5日: Arabic digits without leading zeros."""
    return f"{day.year}年{day.month}月{day.day}日"


def date_range(first: date, last: date) -> str:
    """Return 2026年1月1日至6月30日; the second year only where it differs."""
    end = f"{last.month}月{last.day}日" if first.year == last.year else chinese_date(last)
    return f"{chinese_date(first)}至{end}"


def aid_semesters(period: Period) -> str:
    """Return the short names of the semesters whose aid is told: 2026年春季学期."""
    return "、".join(periods.semester_label(code) for code in period.semesters)


def deadline(period: Period) -> str:
    """Return until when gaps are to be closed: one month into the semester after the period."""
    following = periods.semester_label(periods.shift_semester(period.last_semester, 1))
    return f"{following}开学后一个月内"


def numeral(number: int) -> str:
    """Return a number from 1 to 99 in Chinese numerals: 一, 十二, 二十."""
    if number <= 10:
        return _NUMERALS[number - 1]
    tens, ones = divmod(number, 10)
    return f"{_NUMERALS[tens - 1] if tens > 1 else ''}十{_NUMERALS[ones - 1] if ones else ''}"


def own_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a person's own text, one a line, without their numbers, each with its full stop."""
    lines = (_OWN_NUMBER.sub("", line).strip() for line in text.splitlines())
    return [line if line[-1] in "。！？；…" else f"{line}。" for line in lines if line]


def unbroken(html: str) -> SafeString:
    """Keep figures with their units, years and days together in a piece of HTML."""
    parts = _TAG.split(html)
    kept = [
        part if part.startswith("<") else _UNBREAKABLE.sub(lambda match: f'<span class="nb">{match[0]}</span>', part)
        for part in parts
    ]
    return mark_safe("".join(kept))  # noqa: S308 - the input is HTML that templates have escaped


def one_line(html: str) -> str:
    """Take out the line breaks and indents of a template: Chinese has no spaces between words."""
    return re.sub(r"\s*\n\s*", "", html).strip()


def plain(html: str) -> str:
    """Return the text of a piece of HTML, a line for each paragraph."""
    text = re.sub(r"</(?:p|h2|h3|tr|caption)>", "\n", html)
    text = _TAG.sub("", text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def run_in(heading: str) -> SafeString:
    """Return a heading that opens its paragraph, as county papers have them: 一、摸清底数。"""
    return format_html('<span class="run-in">{}。</span>', heading)
