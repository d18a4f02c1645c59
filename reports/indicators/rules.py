"""What must hold between figures (DESIGN §3, SUMMARIES §3 rule 8): a broken rule names its records."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import Message
from reports.indicators.base import Indicator
from reports.indicators.evaluation import Figures


@dataclass(frozen=True)
class BrokenRule:
    """A rule that the figures break, and the figure whose records to look at."""

    message: Message
    key: str

    def __str__(self) -> str:
        return str(self.message)


# Persons, and the person-times that they may not exceed.
PERSONS_AND_TIMES = (
    ("aid_persons", "aid_person_times"),
    ("boarding_persons", "boarding_person_times"),
    ("day_persons", "day_person_times"),
)
# Breakdowns in which everything counted stands exactly once.
ADD_UP = (
    ("recognised_pupils", "level"),
    ("recognised_pupils", "grade"),
    ("recognised_pupils", "primary_group"),
    ("households", "category"),
    ("contacts", "kind"),
    ("aid_persons", "primary_group"),
    ("aid_persons", "level"),
    ("aid_person_times", "programme"),
    ("aid_person_times", "stage"),
    ("aid_amount", "programme"),
    ("aid_amount", "source"),
    ("aid_amount", "stage"),
)
# A whole and its parts.
SUMS = (
    ("recognised_pupils", ("level_special", "level_hard", "level_general")),
    ("recognised_pupils", ("recognised_paired", "unpaired_pupils")),
    ("recognised_pupils", ("visited_pupils", "pupils_unvisited")),
    ("aid_person_times", ("signed_payments", "unsigned_payments")),
)


def assert_rules(figures: Figures) -> list[BrokenRule]:
    """Return the rules that these figures break; empty when all hold."""
    broken = []
    for persons, times in PERSONS_AND_TIMES:
        if figures.count(persons) > figures.count(times):
            text = _("%(persons)s (%(count)s) are more than %(times)s (%(events)s).")
            broken.append(_broken(figures, text, persons, times, "persons"))
    for key, name in ADD_UP:
        groups = sum((Decimal(group.value) for group in figures.groups(key, name)), Decimal(0))
        whole = figures.count(key)
        if groups != whole:
            text = _("The groups of %(figure)s by %(breakdown)s add up to %(sum)s, not to %(whole)s.")
            indicator = figures[key].indicator
            title = indicator.base.breakdown(name).title if isinstance(indicator, Indicator) else name
            params = {"figure": indicator.label, "breakdown": title, "sum": groups, "whole": whole}
            broken.append(BrokenRule(Message("groups", text, params), key))
    for key, parts in SUMS:
        added = sum((Decimal(figures.count(part)) for part in parts), Decimal(0))
        if added != figures.count(key):
            text = _("The parts of %(figure)s (%(parts)s) add up to %(sum)s, not to %(whole)s.")
            params = {
                "figure": figures[key].indicator.label,
                "parts": "、".join(figures[part].indicator.label for part in parts),
                "sum": added,
                "whole": figures.count(key),
            }
            broken.append(BrokenRule(Message("parts", text, params), key))
    return broken


def _broken(figures: Figures, text: object, persons: str, times: str, code: str) -> BrokenRule:
    params = {
        "persons": figures[persons].indicator.label,
        "count": figures.count(persons),
        "times": figures[times].indicator.label,
        "events": figures.count(times),
    }
    return BrokenRule(Message(code, text, params), persons)  # type: ignore[arg-type]
