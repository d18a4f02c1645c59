"""The sections of a summary and what they say: one declaration each; the sentences stand in templates.

A section whose template prints nothing is left out, and the numbers close up (SUMMARIES §3 rule 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from reports.words import numeral, one_line, plain, run_in, unbroken

if TYPE_CHECKING:
    from reports.indicators import Figures


@dataclass(frozen=True)
class Section:
    """A section of the body: its heading (a function of the words of the period) and its template."""

    key: str
    heading: Callable[[str], str]
    template: str


@dataclass(frozen=True)
class Attachment:
    """A table behind the text; `needs` are the figures without which it is left out."""

    key: str
    title: str  # %(period)s, %(semesters)s and %(pupil)s are filled in
    template: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """A shortcoming that the figures show: told as a problem, and answered in the plan (SUMMARIES §3 rule 7)."""

    key: str
    unit: str
    problem: str  # {} stands for the figure with its unit
    remedy: str
    county_only: bool = False


@dataclass(frozen=True)
class RenderedSection:
    """A section that has something to say."""

    key: str
    heading: str  # with its number: 一、摸底建档
    html: str

    @property
    def text(self) -> str:
        """The section without markup, a line for each paragraph, the heading left out."""
        return plain(self.html)


def _fixed(heading: str) -> Callable[[str], str]:
    return lambda _plans: heading


SCHOOL_SECTIONS = (
    Section("survey", _fixed("摸底建档"), "reports/sections/survey.html"),
    Section("pairing", _fixed("结对帮扶"), "reports/sections/pairing.html"),
    Section("aid", _fixed("资助发放"), "reports/sections/aid.html"),
    Section("problems", _fixed("存在问题"), "reports/sections/problems.html"),
    Section("next", lambda plans: plans, "reports/sections/next.html"),
)
COUNTY_SECTIONS = (
    Section("survey", _fixed("摸清底数"), "reports/sections/survey.html"),
    Section("aid", _fixed("资助落实"), "reports/sections/aid.html"),
    Section("pairing", _fixed("结对帮扶"), "reports/sections/pairing.html"),
    Section("homes", _fixed("定点帮扶"), "reports/sections/homes.html"),
    Section("problems", _fixed("存在问题"), "reports/sections/problems.html"),
    Section("next", lambda plans: plans, "reports/sections/next.html"),
)
ATTACHMENTS = (
    Attachment("aid", "%(semesters)s%(pupil)s资助情况统计表", "reports/tables/aid.html", ("aid_person_times",)),
    Attachment("pairing", "%(period)s结对帮扶情况统计表", "reports/tables/pairing.html", ("pairs", "contacts")),
    Attachment(
        "recognised", "家庭经济困难%(pupil)s分布情况统计表", "reports/tables/recognised.html", ("recognised_pupils",)
    ),
)
COUNTY_ATTACHMENTS = (
    *ATTACHMENTS,
    Attachment(
        "schools",
        "%(period)s各学校帮扶资助情况统计表",
        "reports/tables/schools.html",
        ("recognised_pupils", "pairs", "aid_person_times"),
    ),
)
GAPS = (
    Gap("unpaired_pupils", "名", "{}家庭经济困难学生尚未落实帮扶教师", "为{}学生落实帮扶教师"),
    Gap("pupils_unvisited", "名", "{}家庭经济困难学生没有家访记录", "完成{}学生的家访"),
    Gap("payments_waiting", "笔", "{}资金尚未发放", "完成{}资金的发放"),
    Gap("returned_payments", "笔", "{}资金被银行退回，尚未补发", "核对银行卡信息，补发退回资金{}"),
    Gap("unsigned_payments", "笔", "{}资金已到账，尚未登记签领", "完成{}资金的签领登记"),
    Gap("uncollected_payments", "笔", "{}资金无人领取", "核实{}未领资金的去向并办结"),
    Gap("households_under_two", "户", "{}结对家庭不足2名帮扶责任人", "为{}家庭配齐帮扶责任人", county_only=True),
)


def gaps_in(figures: Figures) -> list[Gap]:
    """Return the shortcomings that these figures show."""
    county = figures.target.school is None
    return [gap for gap in GAPS if figures.count(gap.key) and (county or not gap.county_only)]


def render_sections(figures: Figures, context: dict[str, Any], plans: str) -> list[RenderedSection]:
    """Return the sections that say something, numbered."""
    county = figures.target.school is None
    rendered: list[RenderedSection] = []
    for section in COUNTY_SECTIONS if county else SCHOOL_SECTIONS:
        html = one_line(render_to_string(section.template, context))
        if not html:
            continue
        heading = f"{numeral(len(rendered) + 1)}、{section.heading(plans)}"
        if county:
            html = html.replace("<p>", f"<p>{run_in(heading)}", 1)
        rendered.append(RenderedSection(section.key, heading, unbroken(html)))
    return rendered


def attachments_for(figures: Figures, names: dict[str, str]) -> list[tuple[str, str]]:
    """Return (title, template) of the attachments that have records."""
    chosen = COUNTY_ATTACHMENTS if figures.target.school is None else ATTACHMENTS
    return [
        (item.title % names, item.template) for item in chosen if any(figures.count(key) for key in item.needs)
    ]
