"""Which school a text means: by code, by name, by short name, by an abbreviation that only one school can have.

Only schools whose records the account sees whole are known here. A foreign school and one that does not exist get the
same answer, so that nothing is told about schools of others.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from povertyaid.schools.models import School
from povertyaid.schools.roles import TABLE
from povertyaid.schools.scope import Scope, scope_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.schools.models import User

_REMARK = re.compile(r"\((?:盖章|公章|签章|章|加盖公章|盖公章)\)?")
# What stands before the name of the unit that sends a list, up to the next blank or bracket.
_UNIT = re.compile(
    r"(?:填报单位|填报学校|单位名称|学校名称|报送单位|学校|单位)\s*(?:\((?:盖章|公章|章|签章)\))?\s*[:：]\s*([^\s:：]+)"
)
# Words in titles that look like a school's name; those of whole counties or stages are no name.
_SCHOOL_LIKE = re.compile(r"([\u4e00-\u9fff]{2,15}?(?:完小|小学|中学|学校|幼儿园|教学点|村小))")
_GENERAL = re.compile(r"全|各|义务|家庭|中小|农村|乡镇|城乡|学前|普通|公办|民办|我校|本校")
_MONEY_UNIT = re.compile(r"^(?:人民币)?[百千万亿]*元|^人$|^户$")
_SHORTEST = 3


def school_key(text: str) -> str:
    """A school's name for comparison: compatibility forms unified, no blanks, no remark about the seal."""
    return re.sub(r"\s+", "", _REMARK.sub("", unicodedata.normalize("NFKC", text))).casefold()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The one school that a text means, or None with the candidates; `short` when an abbreviation was completed."""

    school: School | None
    short: bool = False
    candidates: tuple[School, ...] = ()


def import_scope(user: User, label: str) -> Scope:
    """The counties and schools for which a role of the account may import records of `label` today.

    A clerk who also inspects another school reads there, but imports at home alone.
    """
    scope = scope_of(user)
    if scope.everything:
        return scope
    return scope.of_roles([role for role in scope.roles if "import" in TABLE[role].get(label, ())])


class SchoolBook:
    """The schools that an account may import for, looked up by what people write."""

    def __init__(self, user: User, *, scope: Scope | None = None, more: Sequence[School] = ()) -> None:
        """Remember whose schools these are; they are read at the first question, in one query.

        `scope` narrows them to those for which the account may import (`import_scope`); `more` are schools that are
        not stored yet: those of the same file.
        """
        self._user = user
        self._scope = scope or scope_of(user)
        self._more = more
        self._resolved: dict[str, Resolution] = {}

    @cached_property
    def schools(self) -> list[School]:
        """The schools whose records the account sees whole, by code."""
        found = School.objects.visible_to(self._user).select_related("county").order_by("code")
        if not self._scope.everything:
            found = found.filter(pk__in=self._scope.schools)
        return [*found, *self._more]

    @cached_property
    def _exact(self) -> dict[str, list[School]]:
        table: dict[str, list[School]] = {}
        for school in self.schools:
            for text in {school.code, *map(school_key, school.all_names)}:
                table.setdefault(text, []).append(school)
        return table

    def resolve(self, text: str) -> Resolution:
        """The school that a cell or an option means.

        A full name comes before a short name that another school has too. An abbreviation is completed when its
        characters stand in this order in the name of exactly one school, the first two being the same: 青石坳完小
        for 青石坳中心完小. Of several those count that also end alike, so that 青石坳中心完小竹溪教学点 is not meant.
        Two candidates are no answer.
        """
        # The same few names stand in every row of a list.
        known = self._resolved.get(text)
        if known is None:
            known = self._resolved[text] = self._resolve(text)
        return known

    def _resolve(self, text: str) -> Resolution:
        key = school_key(text)
        if not key:
            return Resolution(None)
        exact = self._exact.get(key, [])
        full = [school for school in exact if key in {school.code, school_key(school.name)}]
        for found in (full, exact):
            if len(found) == 1:
                return Resolution(found[0])
            if found:
                return Resolution(None, candidates=tuple(found))
        fitting = (
            [school for school in self.schools if _is_short_for(key, school)] if len(key) >= _SHORTEST else []
        )
        if len(fitting) > 1:
            fitting = [school for school in fitting if school_key(school.name).endswith(key[-1])] or fitting
        if len(fitting) == 1:
            return Resolution(fitting[0], short=True)
        return Resolution(None, candidates=tuple(fitting))

    def named_in(self, title: str) -> Resolution:
        """The school whose name stands in a title; of names within names the longest."""
        key = school_key(title)
        hits = [
            (len(name), school) for name, schools in self._exact.items() if name in key for school in schools
        ]
        hits = [(length, school) for length, school in hits if length >= _SHORTEST]
        longest = max((length for length, _school in hits), default=0)
        found = {school.code: school for length, school in hits if length == longest}
        if len(found) == 1:
            return Resolution(next(iter(found.values())))
        return Resolution(None, candidates=tuple(found.values()))


def unit_in(title: str) -> str:
    """The sender that a title row names behind 填报单位： and the like, or the empty text."""
    for match in _UNIT.finditer(unicodedata.normalize("NFKC", title)):
        unit = _REMARK.sub("", match[1]).strip("()")
        if unit and not _MONEY_UNIT.match(unit):
            return unit
    return ""


def school_like(title: str) -> str:
    """What looks like the name of a school in a title, or the empty text."""
    match = _SCHOOL_LIKE.search(school_key(title))
    return match[1] if match is not None and not _GENERAL.search(match[1]) else ""


def _is_short_for(key: str, school: School) -> bool:
    return any(_is_abbreviation(key, school_key(name)) for name in school.all_names)


def _is_abbreviation(short: str, name: str) -> bool:
    """Whether the characters of `short` stand in `name` in this order, beginning with the same two."""
    if len(short) >= len(name) or short[:2] != name[:2]:
        return False
    rest = iter(name)
    return all(character in rest for character in short)


def names_of(schools: Sequence[School]) -> str:
    """The names of candidates for a message: five at most."""
    shown = "、".join(school.name for school in schools[:5])
    return f"{shown}…" if len(schools) > 5 else shown
