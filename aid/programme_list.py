"""What the rows of a list of programmes become: programmes of the county with their dated standards, one row a standard.

Standards are kept in yuan a semester. Lists also give yuan a year; a bare amount that may be either is refused with both.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from aid import words
from aid.models import Programme, Standard
from aid.programmebook import name_key
from aid.services import may_change_national
from households.words import word
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.resources import Planned, Row, by_key
from povertyaid.lib.cells import (
    CellError,
    Cleaned,
    Context,
    Repair,
    as_text,
    clean_amount,
    clean_date,
    clean_semester,
    split_list,
)
from povertyaid.lib.messages import Message
from povertyaid.lib.periods import semester_of, shift_semester

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django_stubs_ext import StrOrPromise

    from aid.words import Per
    from povertyaid.imports.context import ImportContext
    from povertyaid.lib.cells import PartialDate
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import User

_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ONCE = re.compile(r"一次性|[/每]次")
_SEMESTER = re.compile(r"[/每·]?(?:学期|半年)")
_YEAR = re.compile(r"[/每·]?(?:学年|年度|年)")
_PUPIL = re.compile(r"[/每·]?[生人]")
_CENT = Decimal("0.01")
# Fields of a programme by column key, with the words of those that have some.
_WORDS: dict[str, dict[str, Any]] = {
    "level": words.LEVELS,
    "source": words.SOURCES,
    "form": words.FORMS,
    "boarding": words.BOARDING,
}
_FIELDS = ("synonyms", *_WORDS)
_DATES = ("valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class Rate:
    """An amount of a list; `per` is "" where the cell does not say for how long it is."""

    amount: Decimal
    per: Per | str = ""


def clean_rate(value: Value, *, ctx: Context) -> Cleaned[Rate]:
    """An amount, with or without what it is for: 625 · 625元/学期 · 每生每年1250元 · 6000元/次."""
    per = ""
    if isinstance(value, str):
        text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", value))
        for pattern, meaning in ((_ONCE, "once"), (_SEMESTER, "semester"), (_YEAR, "year")):
            if pattern.search(text):
                text, per = pattern.sub("", text), meaning
                break
        value = _PUPIL.sub("", text) if per else value
    found = clean_amount(value, ctx=ctx)
    if found.value is None:
        return Cleaned(None, found.repairs)
    return Cleaned(Rate(found.value, per), found.repairs)


def clean_beginning(value: Value, *, ctx: Context) -> Cleaned[str]:
    """The semester from which (or to which) a standard holds: a semester, or a date in it.

    A January is refused: it lies in the autumn semester, but who writes it usually means the spring. Error codes:
    those of dates, and month, january.
    """
    try:
        return clean_semester(value, ctx=ctx)
    except CellError:
        date = clean_date(value, ctx=ctx, future=True)
    found: PartialDate | None = date.value
    if found is None:
        return Cleaned(None)
    if found.precision == "year":
        raise CellError("month", _("A year has two semesters. Write which one, for example 2026年春季学期."))
    if found.value.month == 1:
        text = _("A January may mean %(autumn)s or %(spring)s. Write the semester.")
        autumn = semester_of(found.value)
        raise CellError("january", text, {"autumn": autumn, "spring": shift_semester(autumn, 1)})
    semester = semester_of(found.value)
    return Cleaned(semester, [*date.repairs, Repair("semester_of_date", as_text(value), semester)])


def clean_code(value: Value, *, ctx: Context) -> Cleaned[str]:  # noqa: ARG001 - every cleaner takes the context
    """The code of a programme: letters, digits, - and _. Error code: code."""
    text = as_text(value).strip()
    if not text:
        return Cleaned(None)
    if not _CODE.fullmatch(text):
        raise CellError(
            "code", _("A code has up to 40 letters, digits, - and _. Leave it empty for a new programme.")
        )
    return Cleaned(text)


@dataclass(eq=False)
class _Group:
    """The rows of one programme."""

    rows: list[Row]
    programme: Programme | None = None
    stored: list[Standard] = field(default_factory=list)

    @property
    def base(self) -> Row:
        """The first row: what holds for the programme is told there."""
        return self.rows[0]

    def refuse(self, key: str, message: StrOrPromise | Message) -> None:
        """Refuse every row of the programme."""
        for row in self.rows:
            row.refuse(key, message)

    @cached_property
    def told(self) -> dict[str, Any]:
        """The fields of the programme that its rows hold; each row that says otherwise is refused."""
        found: dict[str, Any] = {}
        said: dict[str, Row] = {}
        for row in self.rows:
            for key in (*_FIELDS, *_DATES):
                value = row.get(key)
                if value is None:
                    continue
                first = said.setdefault(key, row)
                if found.setdefault(key, value) != value:
                    text = _(
                        "Row %(row)d says “%(value)s” here for the same programme. Correct one of the two."
                    )
                    row.refuse(
                        key, Message("differs", text, {"row": first.number, "value": first.shown(key)})
                    )
        return found


class ProgrammePlanner:
    """Plans a list of programmes: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports; programmes are the county's, not a school's."""
        self.context = context
        self.user = context.user

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each programme, with all its standards; ImportRefusedError for who is not the bureau."""
        if not self.context.county_wide:
            raise ImportRefusedError("county", _("Programmes are entered by the county bureau alone."))
        for row in rows:
            self._check(row)
        groups = self._groups([row for row in rows if row.ok])
        self._find(groups)
        self.national = may_change_national()
        return [item for group in groups if (item := self._planned(group)) is not None]

    # What a row says

    def _check(self, row: Row) -> None:
        """One amount, in one unit, from one semester on."""
        for key in _DATES:
            day: PartialDate | None = row.get(key)
            if day is not None and day.precision != "day":
                row.refuse(key, _("Only a whole date is kept here, for example 2026-09-01."))
        given = [key for key in ("amount", "semester_amount", "year_amount") if row.get(key) is not None]
        if len(given) > 1:
            row.refuse(given[1], _("The row gives the amount twice. Keep one of the two columns."))
        elif given:
            self._settle(row, given[0])
        elif row.get("from") or row.get("to"):
            row.refuse("amount", _("The amount of the standard is missing."))
        if row.ok and given and not row.get("from"):
            row.refuse(
                "from", _("The semester is missing from which the amount holds, for example 2026年春季学期.")
            )
        if row.ok and row.get("to") and row.get("to") < row.get("from"):
            row.refuse("to", _("The last semester lies before the first."))

    @staticmethod
    def _settle(row: Row, key: str) -> None:
        """Put the amount of a semester into `row.values["standard"]`; half of a year's is told."""
        rate: Rate | Decimal = row.get(key)
        amount, per = (rate.amount, rate.per) if isinstance(rate, Rate) else (rate, "")
        unit = {"semester_amount": "semester", "year_amount": "year"}.get(key) or row.get("unit", "")
        if per and unit and per != unit:
            row.refuse(
                key, _("The cell and its heading or unit name different times. Correct one of the two.")
            )
            return
        half = amount / 2
        if not (per or unit):
            text = _(
                "%(amount)s yuan may be for a semester, or for a year and so %(half)s yuan a semester. "
                "Write %(amount)s元/学期 or %(amount)s元/年."
            )
            row.refuse(
                key, Message("unit", text, {"amount": f"{amount.normalize():f}", "half": f"{half:.2f}"})
            )
            return
        if (per or unit) == "year":
            if half != half.quantize(_CENT):
                row.refuse(key, _("Half of the amount is no whole fen. Write the amount of a semester."))
                return
            row.repaired(key, row.shown(key), f"{half:.2f}", "half_of_year")
            amount = half
        row.values["standard"] = amount.quantize(_CENT)

    def _groups(self, rows: Iterable[Row]) -> list[_Group]:
        groups: dict[str, _Group] = {}
        rows = list(rows)
        codes = {name_key(row.get("name")): row.get("code") for row in rows if row.get("code")}
        for row in rows:
            name = name_key(row.get("name"))
            key = row.get("code") or codes.get(name) or name
            groups.setdefault(key, _Group([])).rows.append(row)
        return list(groups.values())

    # What is known already

    def _find(self, groups: list[_Group]) -> None:
        """The stored programmes and standards: by code, else by name, the county's own before a national one."""
        county = self.context.county
        known = [
            item for item in Programme.objects.visible_to(self.user) if item.county_id in {None, county.pk}
        ]
        known.sort(key=lambda item: item.county_id is None)
        codes = {item.code: item for item in known}
        by_pk = {item.pk: item for item in known}
        named: dict[str, Programme] = {}
        for item in known:
            named.setdefault(name_key(item.name), item)
        also = {name_key(text): item for item in reversed(known) for text in split_list(item.synonyms)}
        # Not by scope: codes are unique everywhere. The answer is neutral.
        wanted = [group.base.get("code") for group in groups if group.base.get("code")]
        taken = by_key(Programme.objects.only("code"), "code", wanted)
        for group in groups:
            row, name = group.base, name_key(group.base.get("name"))
            code = row.get("code", "")
            found = by_pk.get(row.returned or 0) or codes.get(code) or named.get(name)
            if found is None and name in also:
                found = also[name]
                text = _("This is another spelling of “%(name)s” on record, which is meant.")
                row.warn("name", Message("synonym", text, {"name": found.name}))
            if found is not None and code and found.code != code:
                text = _(
                    "“%(name)s” is on record with the code %(code)s. Correct the code, or leave it empty."
                )
                group.refuse("code", Message("other_code", text, {"name": found.name, "code": found.code}))
            elif found is None and code in taken:
                group.refuse(
                    "code", _("This code cannot be entered here; choose another one or leave it empty.")
                )
            group.programme = found
        self._refuse_doubles(groups)
        stored = by_key(
            Standard.objects.visible_to(self.user),
            "programme_id",
            {group.programme.pk for group in groups if group.programme is not None},
        )
        for group in groups:
            if group.programme is not None:
                group.stored = stored.get(group.programme.pk, [])

    @staticmethod
    def _refuse_doubles(groups: list[_Group]) -> None:
        """Refuse the rows that name a programme of earlier rows in another spelling."""
        first: dict[int, Row] = {}
        for group in groups:
            if group.programme is None:
                continue
            base = first.setdefault(group.programme.pk, group.base)
            if base is not group.base:
                text = _("This is the programme of row %(row)d in another spelling. Write it in one.")
                group.refuse("name", Message("spelling", text, {"row": base.number}))

    # What is written

    def _planned(self, group: _Group) -> Planned | None:
        told = group.told
        self._refuse_repeated(group)
        group.rows = [row for row in group.rows if row.ok]
        if not group.rows:
            return None
        item = Planned(group.base, rows=group.rows)
        programme = self._programme(group, told, item)
        if programme is None:
            return None
        standards = [
            standard
            for row in group.rows
            if row.get("standard") is not None
            and (standard := self._standard(row, programme, group, item)) is not None
        ]
        if not all(row.ok for row in group.rows):
            return None
        self._close(group, standards, item)
        if programme.county_id is None and item.action != "unchanged" and not self.national:
            text = _(
                "“%(name)s” is a national programme that other counties share; a list does not change it. "
                "Give the county's own programme another name."
            )
            group.refuse("name", Message("national", text, {"name": programme.name}))
            return None
        item.values = self._values(programme, told, group.rows)
        return item

    @staticmethod
    def _refuse_repeated(group: _Group) -> None:
        """A standard stands once in the file."""
        first: dict[Any, int] = {}
        for row in group.rows:
            if row.get("standard") is None:
                continue
            key = (row.get("stage", ""), row.get("tier", ""), row.get("from"))
            if key in first:
                text = _(
                    "Row %(row)d has the standard of this stage, tier and semester already. Keep one of the two."
                )
                row.refuse("from", Message("repeated", text, {"row": first[key]}))
            first.setdefault(key, row.number)

    def _programme(self, group: _Group, told: dict[str, Any], item: Planned) -> Programme | None:
        """The stored programme with what changes, or a new one; None after refusing the rows."""
        row = group.base
        values = {key: told[key] for key in _FIELDS if key in told}
        values |= {key: told[key].value for key in _DATES if key in told}
        if "synonyms" in values:
            values["synonyms"] = "、".join(split_list(values["synonyms"]))
        if group.programme is not None:
            if row.returned == group.programme.pk:
                values["name"] = row.get("name")
            item.change(group.programme, values)
            return group.programme
        stages = {found.get("stage") for found in group.rows} - {None}
        levels = {words.LEVEL_OF_STAGE[stage] for stage in stages}
        if "level" not in values and len(levels) == 1:
            values["level"] = levels.pop()
        for key, text in (
            (
                "level",
                _("The stage of education is missing. A new programme needs it, for example 义务教育."),
            ),
            ("source", _("The level is missing. A new programme needs it, for example 国家 or 县级.")),
        ):
            if key not in values:
                group.refuse(key, text)
        if not row.ok:
            return None
        code = row.get("code") or f"own-{uuid.uuid4().hex[:12]}"
        new = Programme(county=self.context.county, code=code, name=row.get("name"), **values)
        return item.add(new, main=True)

    @staticmethod
    def _standard(row: Row, programme: Programme, group: _Group, item: Planned) -> Standard | None:
        """The stored standard with what changes, or a new one."""
        key = (row.get("stage", ""), row.get("tier", ""), row.get("from"))
        stored = next((it for it in group.stored if (it.stage, it.tier, it.valid_from) == key), None)
        values: dict[str, Any] = {"amount": row.get("standard")}
        if row.get("to"):
            values["valid_to"] = row.get("to")
        if stored is not None:
            item.change(stored, values, row=row, keys={"valid_to": "to"})
            return stored
        stage, tier, begin = key
        new = Standard(programme=programme, stage=stage, tier=tier, valid_from=begin, **values)
        return item.add(new)

    @staticmethod
    def _close(group: _Group, told: list[Standard], item: Planned) -> None:
        """End what holds before a new standard of the same stage and tier: two would be in force at once."""
        line: dict[tuple[str, str], list[Standard]] = {}
        new = [standard for standard in told if standard._state.adding]
        for standard in (*group.stored, *new):
            line.setdefault((standard.stage, standard.tier), []).append(standard)
        for standards in line.values():
            standards.sort(key=lambda standard: standard.valid_from)
            for before, after in pairwise(standards):
                old = not before._state.adding
                if old and not after._state.adding:
                    continue
                if before.valid_to:
                    if before.valid_to >= after.valid_from:
                        text = _(
                            "Two standards of this stage and tier overlap from %(semester)s on. Check their semesters."
                        )
                        item.row.warn("to", Message("overlap", text, {"semester": after.valid_from}))
                    continue
                end = shift_semester(after.valid_from, -1)
                if old:
                    item.change(before, {"valid_to": end}, keys={"valid_to": "to"})
                else:
                    before.valid_to = end
                item.row.repaired(
                    "to", f"{before.valid_from}—", f"{before.valid_from}—{end}", "standard_closed"
                )

    @staticmethod
    def _values(programme: Programme, told: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
        """The record for the JSON and the preview."""
        return {
            "资助项目": programme.name,
            **{
                label: word(_WORDS[key], told.get(key, getattr(programme, key)))
                for label, key in (("教育阶段", "level"), ("级别", "source"), ("资助形式", "form"))
            },
            "standards": [
                {
                    "row": row.number,
                    "学段": word(words.STAGES, row.get("stage")),
                    "档次": row.get("tier", ""),
                    "标准(元/学期)": f"{row.get('standard'):.2f}",
                    "执行起始学期": row.get("from"),
                    "执行截止学期": row.get("to", ""),
                }
                for row in rows
                if row.get("standard") is not None
            ],
        }


def programme_words(programme: Programme) -> dict[str, str]:
    """A programme in the words of its list."""
    told = {"code": programme.code, "name": programme.name, "synonyms": programme.synonyms}
    told |= {key: word(table, getattr(programme, key)) for key, table in _WORDS.items()}
    told |= {key: str(getattr(programme, key) or "") for key in _DATES}
    empty = ("stage", "tier", "semester_amount", "year_amount", "amount", "unit", "from", "to")
    return told | dict.fromkeys(empty, "")


def listed_programmes(user: User) -> QuerySet[Programme]:
    """The programmes that a list may change: the county's own, and national ones that no other county shares."""
    found = Programme.objects.visible_to(user)
    if not may_change_national():
        found = found.filter(county__isnull=False)
    return found.order_by("position", "name", "pk")
