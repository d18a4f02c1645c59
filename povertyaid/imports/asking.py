"""What kinds share that ask about near misses: the decision, and cells that a decision settles."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from povertyaid.imports.context import ImportContext
    from povertyaid.imports.questions import Decision, Question
    from povertyaid.imports.resources import Row

_BETWEEN_GROUPS = str.maketrans("", "", " -\t\u00a0'’")


def decided(context: ImportContext, row: Row, question: Question) -> Decision | None:
    """What was decided about a near miss; None after asking.

    A decision for a record that is no candidate any more counts as none.
    """
    decision = context.decision(row, question.code)
    if decision is None or not question.allows(decision):
        row.ask(question)
        return None
    return decision


def failed_number(row: Row, key: str = "identity") -> str:
    """An identity number that was refused because it fails its check, brought to the usual spelling; else ""."""
    if row.values.get(key) or not isinstance(row.raw.get(key), str):
        return ""
    text = unicodedata.normalize("NFKC", str(row.raw[key])).translate(_BETWEEN_GROUPS).strip().upper()
    return text if len(text) == 18 and text[:17].isdecimal() else ""


def forgive(row: Row, key: str) -> None:
    """Take back what was found wrong with one cell: it was settled by a decision, or is asked for in its place."""
    label = row.column(key)
    # In place: rows that one row of the file was split into share their notes.
    row.notes[:] = [note for note in row.notes if note.level != "error" or note.column != label]


def only_wrong_at(row: Row, key: str) -> bool:
    """Whether nothing but one cell is wrong with a row."""
    label = row.column(key)
    return not row.ok and all(note.column == label for note in row.notes if note.level == "error")
