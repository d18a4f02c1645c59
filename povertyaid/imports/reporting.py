"""What a batch keeps of a plan: its report and one line for each row, masked, as the pages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from povertyaid.imports.engine import LEFT_OUT
from povertyaid.imports.models import ImportRow
from povertyaid.imports.resources import Row

if TYPE_CHECKING:
    from povertyaid.imports.plans import FilePlan
    from povertyaid.imports.resources import Note


def report_of(plan: FilePlan) -> dict[str, Any]:
    """What the pages show beside the rows: as in the JSON, masked."""
    told = plan.as_json()
    parts = told.get("parts", [told])
    report = {
        "fingerprint": plan.fingerprint,
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


def rows_of(batch: Any, plan: FilePlan) -> list[ImportRow]:
    """One line for each row of each kind, and one for each row that was ignored; not stored yet."""
    rows = [
        ImportRow(
            batch=batch,
            kind=item.resource.kind,
            sheet=row.sheet[:60],
            row=row.number,
            outcome=row.outcome or "rejected",
            values=storable(_values(row)),
            messages=storable([_message(note) for note in row.notes]),
            warned=any(note.level == "warning" for note in row.notes),
            question=storable(row.question.as_json()) if row.question is not None else None,
        )
        for item in plan.plans
        for row in item.rows
    ]
    rows += [
        ImportRow(
            batch=batch,
            kind=item.resource.kind,
            sheet=row.sheet[:60],
            row=row.number,
            outcome=ImportRow.Outcome.IGNORED,
            values=storable(_values(row)),
            messages=[{"level": "ignored", "column": None, "message": str(LEFT_OUT)}],
        )
        for item in plan.plans
        for row in item.left_out
    ]
    left_out = {(row.sheet, row.number) for item in plan.plans for row in item.left_out}
    rows += [
        ImportRow(
            batch=batch,
            sheet=item.sheet[:60],
            row=item.row,
            outcome=ImportRow.Outcome.IGNORED,
            messages=[{"level": "ignored", "column": None, "message": item.why}],
        )
        for item in plan.ignored
        if (item.sheet, item.row) not in left_out
    ]
    # In the order of the file: the pages show them so without sorting.
    sheets: dict[str, int] = {}
    for row in rows:
        sheets.setdefault(row.sheet, len(sheets))
    rows.sort(key=lambda row: (sheets[row.sheet], row.row))
    return rows


def _values(row: Row) -> dict[str, str]:
    """The cells as they stand in the file, masked where sensitive."""
    return {row.table.label(key): row.shown(key) for key, value in row.raw.items() if value not in {None, ""}}


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
