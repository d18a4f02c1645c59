"""Computing all figures of a target and period with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from povertyaid.lib.periods import Period
from reports.indicators.base import (
    RECORDS,
    REGISTRY,
    Base,
    Breakdown,
    Cell,
    Figure,
    Group,
    Indicator,
    Target,
    Value,
    Wording,
)


@dataclass(frozen=True)
class Figures(Mapping[str, Figure]):
    """All figures of a target and period as they stood at `data_time`."""

    target: Target
    period: Period
    data_time: datetime
    items_by_key: dict[str, Figure] = field(default_factory=dict)
    crosses: dict[tuple[str, str, str], tuple[Cell, ...]] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Figure:
        return self.items_by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.items_by_key)

    def __len__(self) -> int:
        return len(self.items_by_key)

    def count(self, key: str) -> Value:
        """Return the value, 0 for a ratio that cannot be computed."""
        return self.items_by_key[key].value or 0

    def groups(self, key: str, breakdown: str) -> tuple[Group, ...]:
        """Return the groups of a figure; empty when the breakdown is not told for this target."""
        return self.items_by_key[key].breakdowns.get(breakdown, ())


def evaluate(target: Target, period: Period) -> Figures:
    """Return every figure of the registry, its breakdowns and crossings."""
    wording = Wording(period)
    values: dict[str, Value] = {}
    groups: dict[str, dict[str, tuple[Group, ...]]] = {}
    crosses: dict[tuple[str, str, str], tuple[Cell, ...]] = {}
    for indicators in REGISTRY.bases().values():
        base = indicators[0].base
        values |= _totals(base, indicators, target, period)
        for breakdown in base.breakdowns:
            if breakdown.county_only and target.school is not None:
                continue
            asked = [item for item in indicators if breakdown.name in item.breakdowns]
            if not asked:
                continue
            for key, found in _grouped(base, breakdown, asked, target, wording).items():
                groups.setdefault(key, {})[breakdown.name] = found
        for row, column in base.crosses:
            crosses[base.key, row, column] = _crossed(base, row, column, target, wording)
    for ratio in REGISTRY.ratios():
        share = ratio.value(values[ratio.part], values[ratio.whole])
        if share is not None:
            values[ratio.key] = share
    figures = {item.key: Figure(item, values.get(item.key), groups.get(item.key, {})) for item in REGISTRY}
    return Figures(target, period, timezone.now(), figures, crosses)


def _expressions(indicators: Iterable[Indicator], target: Target, period: Period) -> dict[str, Any]:
    return {
        f"value_{item.key}": item.measure.expression(item.condition_for(target, period)) for item in indicators
    }


def _totals(base: Base, indicators: list[Indicator], target: Target, period: Period) -> dict[str, Value]:
    raw = base.query(target, period).order_by().aggregate(**_expressions(indicators, target, period))
    return {item.key: item.measure.value(raw[f"value_{item.key}"]) for item in indicators}


def _grouped(
    base: Base, breakdown: Breakdown, indicators: list[Indicator], target: Target, wording: Wording
) -> dict[str, tuple[Group, ...]]:
    """Return the groups of each indicator in the breakdown's order; groups without records are left out."""
    period = wording.period
    rows = (
        base.query(target, period)
        .order_by()
        .values(*breakdown.columns)
        .annotate(**_expressions(indicators, target, period))
    )
    found = sorted(
        ((tuple(row[name] for name in breakdown.columns), row) for row in rows),
        key=lambda pair: breakdown.order(pair[0], wording),
    )
    return {
        item.key: tuple(
            Group(breakdown.token(values), breakdown.label(values, wording), value)
            for values, row in found
            if (value := item.measure.value(row[f"value_{item.key}"]))
        )
        for item in indicators
    }


def _crossed(base: Base, row: str, column: str, target: Target, wording: Wording) -> tuple[Cell, ...]:
    """Return how many records stand in each pair of groups."""
    down, across = base.breakdown(row), base.breakdown(column)
    columns = (*down.columns, *across.columns)
    found = base.query(target, wording.period).order_by().values(*columns).annotate(value=RECORDS.expression(None))
    split = len(down.columns)
    cells = []
    for item in found:
        values = tuple(item[name] for name in columns)
        cells.append(Cell(down.token(values[:split]), across.token(values[split:]), int(item["value"])))
    return tuple(cells)
