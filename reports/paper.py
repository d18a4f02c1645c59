"""A summary as a paper: figures and own text become HTML, PDF and JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone

from povertyaid.lib.pdf import render_pdf, signature_layout, text_width
from povertyaid.lib.periods import Period
from reports.indicators import Figures, Target, assert_rules, evaluate
from reports.indicators.base import Figure, Group, Value
from reports.passages import RenderedSection, attachments_for, gaps_in, render_sections
from reports.words import (
    aid_semesters,
    chinese_date,
    date_range,
    deadline,
    one_line,
    own_paragraphs,
    period_words,
    unbroken,
    words_of,
)

if TYPE_CHECKING:
    from reports.models import Summary

TEMPLATE = "reports/summary.html"
# At 22 points a line of the text area holds 20 characters (POLICY §7).
TITLE_CHARACTERS = 20
_STYLESHEET = re.compile(r'<link rel="stylesheet" href="[^"]*paper/paper[^"]*\.css">')

RecordsUrl = Callable[[str, dict[str, str]], str]


@dataclass(frozen=True)
class OwnText:
    """What people write: everything else comes from the records."""

    basis: str = ""  # 《title》（number）
    problems: str = ""
    next_steps: str = ""
    issued_on: date | None = None
    sealed: bool = True

    @classmethod
    def of(cls, summary: Summary) -> OwnText:
        return cls(
            basis=str(summary.basis) if summary.basis else "",
            problems=summary.problems,
            next_steps=summary.next_steps,
            issued_on=summary.issued_on,
            sealed=summary.sealed,
        )


@dataclass
class Paper:
    """The summary of a target and period, with the figures as they stand now."""

    target: Target
    period: Period
    own: OwnText = field(default_factory=OwnText)

    @classmethod
    def of(cls, summary: Summary) -> Paper:
        return cls(Target(summary.county, summary.school), Period.parse(summary.period), OwnText.of(summary))

    @cached_property
    def figures(self) -> Figures:
        return evaluate(self.target, self.period)

    @property
    def title(self) -> str:
        """Unit, period, words for the work, and 工作总结."""
        return f"{self.target.name}{self._subject}"

    @property
    def _subject(self) -> str:
        return f"{self.period.label}{self.target.county.title_words}工作总结"

    @property
    def title_lines(self) -> list[str]:
        """Return the title on one line, or the unit's name on a line of its own."""
        if text_width(self.title) <= TITLE_CHARACTERS:
            return [self.title]
        return [self.target.name, self._subject]

    @property
    def file_name(self) -> str:
        return self.title

    def context(self, *, records_url: RecordsUrl | None = None, printing: bool = False) -> dict[str, Any]:
        """Return what the templates need; `records_url` makes each figure a link."""
        figures, period, target = self.figures, self.period, self.target
        county = target.school is None
        names = period_words(period, county=county)
        today = timezone.localdate(figures.data_time)
        issued = chinese_date(self.own.issued_on or today)
        context: dict[str, Any] = {
            "figures": figures,
            "f": {key: figure.value for key, figure in figures.items()},
            "records_url": records_url,
            "printing": printing,
            "target": target,
            "county": target.county if county else None,
            "kindergarten": bool(target.school and target.school.is_kindergarten),
            "w": words_of(target),
            "period": period,
            "period_words": names,
            "semesters": aid_semesters(period),
            "long_semesters": period.semester_label,
            "dates": date_range(period.start, period.end),
            "cutoff": chinese_date(today),
            "deadline": deadline(period),
            "basis": self.own.basis,
            "gaps": gaps_in(figures),
            "own_problems": own_paragraphs(self.own.problems),
            "own_next_steps": own_paragraphs(self.own.next_steps),
            "title": self.title,
            "title_lines": self.title_lines,
            "sealed": self.own.sealed,
            "signature_unit": target.name,
            "signature_date": issued,
            "signature_layout": signature_layout(target.name, issued),
            "groups": {key: figure.breakdowns for key, figure in figures.items()},
            "crosses": crossings(figures),
            "aid_parts": aid_parts(figures),
            "school_rows": school_rows(figures) if county else [],
        }
        titles = {"period": period.label, "semesters": context["semesters"], "pupil": context["w"].pupil}
        attachments = attachments_for(figures, titles)
        context["attachment_titles"] = [title for title, _template in attachments]
        # The passages say whether there is an attachment to look at.
        context["attachment_of"] = {
            Path(template).stem: "附件" if len(attachments) == 1 else f"附件{number}"
            for number, (_title, template) in enumerate(attachments, 1)
        }
        context["attachments"] = attachments
        context["opening"] = unbroken(one_line(render_to_string("reports/sections/opening.html", context)))
        context["sections"] = render_sections(figures, context, names.plans)
        return context

    def html(self, *, records_url: RecordsUrl | None = None, printing: bool = False, **extra: Any) -> str:
        """Return the paper as a page of HTML; `printing` leaves out all that only a screen shows."""
        context = self.context(records_url=records_url, printing=printing)
        return render_to_string(TEMPLATE, context | extra)

    def standalone_html(self) -> str:
        """Return the paper as one file that needs no server: the stylesheet stands inside."""
        stylesheet = finders.find("paper/paper.css")
        css = Path(str(stylesheet)).read_text(encoding="utf-8")
        return _STYLESHEET.sub(lambda _match: f"<style>\n{css}</style>", self.html(), count=1)

    def pdf(self) -> bytes:
        """Return the paper as PDF. Raises PdfError when it cannot be rendered."""
        return render_pdf(
            self.html(printing=True),
            title=self.title,
            author=self.target.name,
            created=self.figures.data_time,
        )

    def json(self) -> dict[str, Any]:
        """Return scope, period, data time, figures, sections and the digest of all but the data time."""
        sections: list[RenderedSection] = self.context()["sections"]
        school = self.target.school
        content: dict[str, Any] = {
            "scope": {
                "kind": "school" if school else "county",
                "code": school.code if school else "",
                "name": school.name if school else self.target.county.name,
            },
            "period": self.period.code,
            "figures": {key: _json_figure(figure) for key, figure in self.figures.items()},
            "sections": [{"heading": item.heading, "text": _body(item)} for item in sections],
        }
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        content["data_time"] = self.figures.data_time.isoformat()
        content["digest"] = hashlib.sha256(canonical.encode()).hexdigest()
        return content

    def broken_rules(self) -> list[Any]:
        return assert_rules(self.figures)


def _body(section: RenderedSection) -> str:
    """The text without the heading that a county's paper has in the first paragraph."""
    return section.text.removeprefix(f"{section.heading}。")


def _json_value(value: Value | None) -> int | str | None:
    """Counts stay numbers; money and shares become text with their places, so that no reader rounds them."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _json_figure(figure: Figure) -> dict[str, Any]:
    breakdowns: dict[str, dict[str, int | str | None]] = {}
    for name, groups in figure.breakdowns.items():
        summed: dict[str, Value] = {}
        for group in groups:
            # Two cohorts that have left school are both called 已毕业.
            summed[group.label] = summed.get(group.label, 0) + group.value
        breakdowns[name] = {label: _json_value(value) for label, value in summed.items()}
    return {
        "label": figure.indicator.label,
        "value": _json_value(figure.value),
        "unit": figure.indicator.unit,
        "breakdowns": breakdowns,
    }


@dataclass(frozen=True)
class CrossRow:
    """A row of a table of two breakdowns."""

    token: str
    label: str
    cells: list[tuple[dict[str, str], int]]  # (filters of the list behind it, value)
    total: int


def crossings(figures: Figures) -> dict[str, list[CrossRow]]:
    """Return the rows of recognised pupils by grade and by primary group, with a cell for each level."""
    columns = figures.groups("recognised_pupils", "level")
    found = {}
    for name in ("grade", "primary_group"):
        cells = {
            (cell.row, cell.column): int(cell.value) for cell in figures.crosses["recognised", name, "level"]
        }
        found[name] = [
            CrossRow(
                row.token,
                row.label,
                [
                    ({name: row.token, "level": column.token}, cells.get((row.token, column.token), 0))
                    for column in columns
                ],
                int(row.value),
            )
            for row in figures.groups("recognised_pupils", name)
        ]
    return found


@dataclass(frozen=True)
class TablePart:
    """Rows of a table that break the same total down in one way."""

    name: str
    title: str
    groups: tuple[Group, ...]


def aid_parts(figures: Figures) -> list[TablePart]:
    """Return the parts of the table of aid: always by programme; by the rest where there is more than one group."""
    titles = (
        ("programme", "按项目"),
        ("source", "按来源"),
        ("stage", "按学段"),
        ("primary_group", "按统计类别"),
        ("level", "按困难等级"),
    )
    parts = [TablePart(name, title, figures.groups("aid_person_times", name)) for name, title in titles]
    return [part for part in parts if len(part.groups) > 1 or (part.groups and part.name == "programme")]


def school_rows(figures: Figures) -> list[Group]:
    """Return every school with a record among the figures of the county's table, by school code."""
    found: dict[str, Group] = {}
    for key in ("recognised_pupils", "paired_pupils", "aid_person_times"):
        for group in figures.groups(key, "school"):
            found.setdefault(group.token, group)
    return sorted(found.values(), key=lambda group: (not group.token, group.token))
