"""What a batch keeps of a plan: its report and one line for each row, masked, as the pages show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from povertyaid.imports.engine import LEFT_OUT
from povertyaid.imports.models import ImportRow
from povertyaid.imports.resources import Row
from povertyaid.imports.sendback_layout import tables_of

if TYPE_CHECKING:
    from povertyaid.imports.models import ImportBatch
    from povertyaid.imports.plans import FilePlan
    from povertyaid.imports.resources import Note

_LONGEST_SHEET = 60
# Texts of a column that are remembered as they are shown.
_REMEMBERED = 1_000


def report_of(plan: FilePlan) -> dict[str, Any]:
    """What the pages show beside the rows: as in the JSON, masked."""
    told = plan.as_json()
    parts = told.get("parts", [told])
    report = {
        "fingerprint": plan.fingerprint,
        "tables": tables_of(plan),
        "headers": _headers(plan),
        "repairs": told["repairs"],
        "ignored": told["ignored"],
        "sheets": told["sheets"],
        "columns": {
            key: [item for part in parts for item in part["columns"][key]]
            for key in ("matched", "unmatched", "duplicates")
        },
        "table_warnings": [
            {"sheet": sheet, "row": row, "message": str(message)}
            for item in plan.plans
            for sheet, row, message in item.warnings
        ],
    }
    found: dict[str, Any] = storable(report)
    return found


def _headers(plan: FilePlan) -> list[str]:
    """The columns of the preview's table, in the order of the file."""
    seen: dict[str, None] = {}
    for item in plan.plans:
        for table in item.tables:
            for header in table.headers:
                if header.key is not None:
                    seen.setdefault(header.text)
    return list(seen)


# The columns of `ImportRow` that `stored_line` gives.
LINE = ("batch_id", "kind", "sheet", "row", "outcome", "values", "messages", "warned", "question")


def lines_of(plan: FilePlan) -> list[Line]:
    """One line for each row of each kind, and one for each row that was ignored, in the order of the file.

    The pages show them so without sorting.
    """
    lines = [Line(row.sheet, row.number, item.resource.kind, row) for item in plan.plans for row in item.rows]
    left_out = [
        Line(row.sheet, row.number, item.resource.kind, row, str(LEFT_OUT))
        for item in plan.plans
        for row in item.left_out
    ]
    told = {(line.sheet, line.number) for line in left_out}
    lines += left_out
    lines += [
        Line(item.sheet, item.row, ignored=item.why)
        for item in plan.ignored
        if (item.sheet, item.row) not in told
    ]
    sheets: dict[str, int] = {}
    for line in lines:
        sheets.setdefault(line.sheet, len(sheets))
    lines.sort(key=lambda line: (sheets[line.sheet], line.number))
    return lines


class Line(NamedTuple):
    """A row to be kept: of a kind, or ignored with the reason."""

    sheet: str
    number: int
    kind: str = ""
    row: Row | None = None
    ignored: str = ""


class LineWriter:
    """Makes of lines what is stored of them, masked; what many rows share is masked once."""

    def __init__(self, batch: ImportBatch) -> None:
        """Keep the lines with a batch."""
        self._batch = batch
        self._known: dict[tuple[int, str], dict[Any, str]] = {}

    def stored(self, line: Line) -> tuple[Any, ...]:
        """The values of the columns LINE; those of JSON columns as text."""
        row = line.row
        head = (self._batch.pk, line.kind, line.sheet[:_LONGEST_SHEET], line.number)
        values = self._values(row) if row is not None else "{}"
        if line.ignored or row is None:
            told = [{"level": "ignored", "column": None, "message": line.ignored}]
            return (*head, ImportRow.Outcome.IGNORED.value, values, _text(told), False, None)
        return (
            *head,
            row.outcome or ImportRow.Outcome.REJECTED.value,
            values,
            _text([_message(note) for note in row.notes]) if row.notes else "[]",
            any(note.level == "warning" for note in row.notes),
            _text(row.question.as_json()) if row.question is not None else None,
        )

    def _values(self, row: Row) -> str:
        """The cells as they stand in the file, masked where sensitive; JSON."""
        parts = []
        for key, value in row.raw.items():
            if value is None or value == "":
                continue
            known = self._known.setdefault((id(row.table), key), {})
            part = known.get(value) if type(value) is str else None
            if part is None:
                part = f"{_text(row.table.label(key))}: {_text(row.shown(key))}"
                if type(value) is str and len(known) < _REMEMBERED:
                    known[value] = part
            parts.append(part)
        return f"{{{', '.join(parts)}}}"


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _text(value: Any) -> str:
    """JSON as text, without the character NUL."""
    text = _encode(value)
    return _encode(storable(value)) if "\\u0000" in text else text


def storable(value: Any) -> Any:
    """JSON without the character NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def _message(note: Note) -> dict[str, Any]:
    told: dict[str, Any] = {"level": note.level, "column": note.column}
    if note.level in {"repair", "change"}:
        told |= {"from": note.before, "to": note.after}
    if note.rule:
        told["rule"] = note.rule
    if note.message:
        told |= {"value": note.value, "message": str(note.message)}
    return told
