"""What the month asks of a person: a list on the home page to which every app adds its lines.

An app registers a function in its AppConfig.ready: `todo.register(function)`. The function gets the account and the day
and yields lines; it starts from visible_to(user), counts with one query a line, and yields nothing for who may not see
the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    import datetime as dt

    from django_stubs_ext import StrOrPromise

    from povertyaid.schools.models import User

Source = Callable[["User", "dt.date"], Iterable["Todo"]]


@dataclass(frozen=True)
class Todo:
    """One line: what is to be done, how many records wait, and the list of them. Lines without a count are left out."""

    label: StrOrPromise
    count: int
    url: str
    # Higher stands first.
    weight: int = 0


_SOURCES: list[Source] = []

# The office's year (DESIGN §6), told in one sentence a month.
MONTHS: dict[int, StrOrPromise] = {
    1: _("Late autumn payments, Spring Festival visits; close the autumn semester's files."),
    2: _("Late autumn payments, Spring Festival visits; prepare the return to school."),
    3: _("Who has not returned to school; departments' lists; re-verification; enter holiday visits."),
    4: _("Public notices, payments of the spring semester."),
    5: _("Payments of the spring semester, return visits by sample."),
    6: _("Payments and return visits of the spring semester; prepare the half-year summary."),
    7: _("Half-year summary; loans of students who go on."),
    8: _("Loans; promotion and graduates; teachers who change; new lists."),
    9: _("New pupils, new lists; recognition for the new school year begins."),
    10: _("Recognition, class reviews, public notices."),
    11: _("Payments of the autumn semester; pupil numbers of new pupils."),
    12: _("Payments, year-end balances, annual summary, archive."),
}


def register(source: Source) -> Source:
    """Add a source of lines; registering one twice changes nothing."""
    if source not in _SOURCES:
        _SOURCES.append(source)
    return source


def lines(user: User, day: dt.date) -> list[Todo]:
    """Return what waits for an account, the weightiest first."""
    found = [line for source in _SOURCES for line in source(user, day) if line.count]
    return sorted(found, key=lambda line: -line.weight)
