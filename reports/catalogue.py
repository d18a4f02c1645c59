"""The registry as a table: for the command `indicators` and for docs/indicators.md."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import translation

from reports.indicators import REGISTRY, Indicator

HEAD = """# Indicators

Every figure of a summary is one of these. Each counts one set of records; the figure, its breakdowns, the list behind
it and the county's roll-up all come from that set (`reports/indicators/`). "date" figures select records by the days
of the period, "semester" figures by its semesters; a "flow" happened during the period, a "stock" stood on its last
day. `manage.py indicators` prints this table, `manage.py indicators --json` for programs.

| key | label | unit | calendar | kind | counts | breakdowns | definition |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Entry:
    """What a reader needs to know of an indicator."""

    key: str
    label: str
    unit: str
    calendar: str
    kind: str
    counts: str
    definition: str
    breakdowns: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def entries() -> list[Entry]:
    """Return all indicators in the order of the papers, definitions in the active language."""
    found = []
    for item in REGISTRY:
        if isinstance(item, Indicator):
            measure = item.measure
            counts = "records" if measure.kind == "records" else f"{measure.kind} {measure.field}"
            counts = f"{item.base.model._meta.label_lower}: {counts}"
            breakdowns = list(item.breakdowns)
        else:
            counts, breakdowns = f"{item.part} / {item.whole}", []
        found.append(
            Entry(
                key=item.key,
                label=item.label,
                unit=item.unit,
                calendar=item.calendar,
                kind=item.kind,
                counts=counts,
                definition=str(item.definition),
                breakdowns=breakdowns,
            )
        )
    return found


def markdown() -> str:
    """Return docs/indicators.md, in English like the other documents for developers."""
    with translation.override("en"):
        rows = [
            f"| `{entry.key}` | {entry.label} | {entry.unit} | {entry.calendar} | {entry.kind} | {entry.counts} "
            f"| {', '.join(entry.breakdowns)} | {entry.definition} |"
            for entry in entries()
        ]
    return HEAD + "\n".join(rows) + "\n"
