"""What an indicator is, and how figures are computed from many of them at once.

An indicator names a base (a queryset of records for a school or county and a period), perhaps a condition on it, and
how it counts. The figure, its breakdowns, the list behind it and the county's roll-up all come from that one queryset.
Indicators of one base share their queries: one aggregate for all measures and one GROUP BY for each breakdown, so that
the number of queries depends neither on the number of schools nor on the number of records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.db.models import Count, Q, QuerySet, Sum

from povertyaid.lib.periods import Period
from povertyaid.schools.base import Record
from povertyaid.schools.models import County, School
from students.models import SpecialGroup

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Value: TypeAlias = int | Decimal
Records: TypeAlias = QuerySet[Any, Any]

CENT = Decimal("0.01")
TENTH = Decimal("0.1")
# Field paths are split into a token by this sign; no code, stage or number contains it.
BETWEEN_PARTS = "~"


class UnknownIndicator(KeyError):
    """No indicator has this key."""


class WrongFilter(ValueError):
    """A list was asked for with a breakdown or a value that its indicator does not have."""


@dataclass(frozen=True)
class Target:
    """Whom figures tell about: a school, or a whole county (`school` is None)."""

    county: County
    school: School | None = None

    @property
    def name(self) -> str:
        """The school's name, or that of the bureau that writes the county's paper."""
        return self.school.name if self.school else self.county.bureau_name

    def within(self, path: str = "") -> Q:
        """Return the condition that `path` (a school, "" for records with a `school` of their own) is the target's."""
        prefix = f"{path}__" if path else ""
        if self.school is not None:
            return Q(**{f"{prefix}school": self.school.pk})
        return Q(**{f"{prefix}school__county": self.county.pk})


@dataclass(frozen=True)
class Measure:
    """How records become one value: their number, the number of distinct things they point to, or a sum."""

    kind: Literal["records", "distinct", "sum"]
    field: str = ""
    # What the list behind a distinct count shows.
    of: type[Record] | None = None

    def expression(self, condition: Q | None) -> Count | Sum:
        """Return the aggregate over a base for the records that fit the condition."""
        if self.kind == "sum":
            return Sum(self.field, filter=condition)
        if self.kind == "distinct":
            return Count(self.field, distinct=True, filter=condition)
        return Count("pk", filter=condition)

    def value(self, raw: Any) -> Value:
        """Return the aggregate's result as a count or as yuan with two places."""
        if self.kind == "sum":
            return Decimal(raw or 0).quantize(CENT, ROUND_HALF_UP)
        return int(raw or 0)


RECORDS = Measure("records")


def distinct(path: str, of: type[Record]) -> Measure:
    """Count the distinct `of` records that `path` leads to; records without one are not counted."""
    return Measure("distinct", path, of)


def total(path: str) -> Measure:
    """Add up an amount in yuan."""
    return Measure("sum", path)


class Wording:
    """What labels of groups need to know: the period, and names that are read once for all of them."""

    def __init__(self, period: Period) -> None:
        self.period = period

    @cached_property
    def special_groups(self) -> dict[str, tuple[str, int]]:
        """Name and position in tables of each special group, by code."""
        rows = SpecialGroup.objects.order_by().values_list("code", "name", "position")
        return {code: (name, position) for code, name, position in rows}


@dataclass(frozen=True)
class Breakdown:
    """How the records of a base fall into groups.

    `fields` tell the groups apart and make the token of a list's address; `told_by` are further columns that the label
    needs and that depend on the fields. `label` and `order` get all their values and the wording.
    """

    name: str
    title: StrOrPromise
    fields: tuple[str, ...]
    label: Callable[[tuple[Any, ...], Wording], str]
    order: Callable[[tuple[Any, ...], Wording], Any]
    told_by: tuple[str, ...] = ()
    # Columns among `fields` that hold numbers: "" is no value for them.
    numbers: tuple[str, ...] = ()
    # Told only for a county: a school's records all have the same school and township.
    county_only: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.fields + self.told_by

    def token(self, values: tuple[Any, ...]) -> str:
        """Return what a list's address says for a group; an empty part stands for a missing value."""
        return BETWEEN_PARTS.join("" if value is None else str(value) for value in values[: len(self.fields)])

    def label_in(self, records: Records, wording: Wording) -> str:
        """Return the label of the group in which all these records stand, "" when there are none."""
        values = records.order_by().values_list(*self.columns).first()
        return self.label(tuple(values), wording) if values is not None else ""

    def condition(self, token: str) -> Q:
        """Return the condition for one group. Raises WrongFilter for a token with another number of parts."""
        parts = token.split(BETWEEN_PARTS)
        if len(parts) != len(self.fields) or "\0" in token:
            msg = f"{self.name}={token}"
            raise WrongFilter(msg)
        found = Q()
        for name, part in zip(self.fields, parts, strict=True):
            if part:
                found &= Q(**{name: part})
            elif name in self.numbers:
                found &= Q(**{f"{name}__isnull": True})
            else:
                found &= Q(**{f"{name}__isnull": True}) | Q(**{name: ""})
        return found


def labelled(
    name: str,
    title: StrOrPromise,
    path: str,
    labels: Mapping[str, str],
    *,
    missing: str,
) -> Breakdown:
    """Return a breakdown by a column with a fixed set of values, in the order of `labels`; others are `missing`."""
    places = {value: place for place, value in enumerate(labels)}
    return Breakdown(
        name,
        title,
        (path,),
        lambda values, _wording: labels.get(values[0] or "", missing),
        lambda values, _wording: places.get(values[0] or "", len(places)),
    )


@dataclass(frozen=True)
class Base:
    """The records that some indicators count: `query` gives them for a target and period."""

    key: str
    model: type[Record]
    query: Callable[[Target, Period], Records]
    breakdowns: tuple[Breakdown, ...] = ()
    # Two breakdowns at once, for tables with rows and columns.
    crosses: tuple[tuple[str, str], ...] = ()

    def breakdown(self, name: str) -> Breakdown:
        """Return a breakdown by name. Raises WrongFilter when there is none."""
        for item in self.breakdowns:
            if item.name == name:
                return item
        raise WrongFilter(name)


@dataclass(frozen=True)
class Indicator:
    """One figure: what it is called, what it counts, over which calendar."""

    key: str
    label: str  # the words of Chinese papers
    title: StrOrPromise
    definition: StrOrPromise
    unit: str
    base: Base
    calendar: Literal["date", "semester"]
    kind: Literal["flow", "stock"]
    measure: Measure = RECORDS
    condition: Callable[[Target, Period], Q] | None = None
    breakdowns: tuple[str, ...] = ()

    def condition_for(self, target: Target, period: Period) -> Q | None:
        return self.condition(target, period) if self.condition else None

    def records(
        self, target: Target, period: Period, filters: Mapping[str, str] | None = None
    ) -> Records:
        """Return the records that the figure counts, narrowed by groups ({breakdown: token}).

        Raises WrongFilter for a breakdown or a value that does not exist here.
        """
        records = self.base.query(target, period)
        condition = self.condition_for(target, period)
        if condition is not None:
            records = records.filter(condition)
        try:
            for name, token in (filters or {}).items():
                records = records.filter(self.base.breakdown(name).condition(token))
        except (ValueError, TypeError) as error:
            raise WrongFilter(str(error)) from error
        return records

    def listed(self, target: Target, period: Period, filters: Mapping[str, str] | None = None) -> Records:
        """Return what the list behind the figure shows: the records, or the distinct things that are counted."""
        records = self.records(target, period, filters)
        if self.measure.kind != "distinct" or self.measure.of is None:
            return records
        keys = records.order_by().filter(**{f"{self.measure.field}__isnull": False}).values(self.measure.field)
        return self.measure.of._default_manager.filter(pk__in=keys)

    def value(self, target: Target, period: Period, filters: Mapping[str, str] | None = None) -> Value:
        """Return the figure alone, with one query."""
        records = self.records(target, period, filters).order_by()
        return self.measure.value(records.aggregate(value=self.measure.expression(None))["value"])


@dataclass(frozen=True)
class Ratio:
    """A share in percent of two indicators of one base; None when there is nothing to divide by."""

    key: str
    label: str
    title: StrOrPromise
    definition: StrOrPromise
    part: str
    whole: str
    unit: str = "%"
    calendar: Literal["date", "semester"] = "semester"
    kind: Literal["flow", "stock"] = "stock"

    def value(self, part: Value, whole: Value) -> Decimal | None:
        """Return the share in percent with one place."""
        if not whole:
            return None
        return (Decimal(part) * 100 / Decimal(whole)).quantize(TENTH, ROUND_HALF_UP)


@dataclass(frozen=True)
class Group:
    """One row of a breakdown."""

    token: str
    label: str
    value: Value


@dataclass(frozen=True)
class Figure:
    """A computed indicator."""

    indicator: Indicator | Ratio
    value: Value | None
    breakdowns: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)

    @property
    def is_money(self) -> bool:
        return self.indicator.unit == "元"


@dataclass(frozen=True)
class Cell:
    """One cell of a crossing of two breakdowns."""

    row: str
    column: str
    value: Value


class Registry:
    """All indicators by key, in the order in which they are declared."""

    def __init__(self) -> None:
        self._items: dict[str, Indicator | Ratio] = {}

    def add(self, *items: Indicator | Ratio) -> None:
        for item in items:
            if item.key in self._items:
                msg = f"Two indicators are called {item.key}."
                raise ValueError(msg)
            self._items[item.key] = item

    def __getitem__(self, key: str) -> Indicator | Ratio:
        try:
            return self._items[key]
        except KeyError:
            raise UnknownIndicator(key) from None

    def __iter__(self) -> Iterator[Indicator | Ratio]:
        return iter(self._items.values())

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)

    def indicators(self) -> list[Indicator]:
        """Return those that count records themselves."""
        return [item for item in self._items.values() if isinstance(item, Indicator)]

    def ratios(self) -> list[Ratio]:
        return [item for item in self._items.values() if isinstance(item, Ratio)]

    def bases(self) -> dict[str, list[Indicator]]:
        """Return the indicators of each base."""
        found: dict[str, list[Indicator]] = {}
        for item in self.indicators():
            found.setdefault(item.base.key, []).append(item)
        return found


REGISTRY = Registry()
