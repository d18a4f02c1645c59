"""Keeps what an import changed, as it was before: written with the batch, read by its undo."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

from povertyaid.audit.keeping import Kept, keeping_before
from povertyaid.audit.services import bulk_write
from povertyaid.imports.models import ImportBatch, UndoEntry
from povertyaid.lib.fields import EncryptedField

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from povertyaid.schools.base import Record
    from povertyaid.schools.models import User

# An entry is encrypted as one text: a few hundred records are some ten thousand characters.
RECORDS_AN_ENTRY = 500

Stored = list[Any]


@dataclass
class Keeper:
    """Collects what the writes of one plan change, stage by stage; new records are left out."""

    _new: set[int] = field(default_factory=set)
    _created: list[Record] = field(default_factory=list)
    _kept: dict[tuple[str, type[Record]], list[Kept]] = field(default_factory=dict)

    def leave_out(self, created: Sequence[Record]) -> None:
        """These records are new: the history tells of them, and an undo deletes them."""
        self._created += created
        self._new |= {id(record) for record in created}

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Collect what is written inside under this stage (`UndoEntry.Stage`)."""

        def sink(kept: Kept) -> None:
            if id(kept.instance) not in self._new:
                self._kept.setdefault((stage, type(kept.instance)), []).append(kept)

        with keeping_before(sink):
            yield

    def store(self, batch: ImportBatch, actor: User) -> None:
        """Store what was collected, in the order in which it was written."""
        # What follows from the rows is written to fresh instances of the new records.
        new = {(type(record), record.pk) for record in self._created}
        order = list(UndoEntry.Stage)
        entries = []
        for (stage, model), found in sorted(
            self._kept.items(), key=lambda item: order.index(UndoEntry.Stage(item[0][0]))
        ):
            stored = [_stored(kept) for kept in found if (model, kept.instance.pk) not in new]
            entries += [
                UndoEntry(
                    batch=batch,
                    model=model._meta.label_lower,
                    stage=stage,
                    records=len(part),
                    content=json.dumps(part, ensure_ascii=False, separators=(",", ":")),
                )
                for part in (
                    stored[start : start + RECORDS_AN_ENTRY]
                    for start in range(0, len(stored), RECORDS_AN_ENTRY)
                )
            ]
        bulk_write(create=entries, actor=actor, batch_id=batch.pk)


def _stored(kept: Kept) -> Stored:
    columns = {}
    for name, pair in kept.columns.items():
        found: Any = kept.instance._meta.get_field(name)
        columns[name] = [plain(found, value) for value in pair]
    return [kept.instance.pk, columns, {name: list(pair) for name, pair in kept.links.items()}]


def plain(column: models.Field[Any, Any], value: Any) -> Any:
    """A value of a column as JSON takes it, so that `column.to_python` gives it back; encrypted ones by what they hold."""
    if isinstance(column, EncryptedField):
        return column.wrap(value).clear
    if isinstance(column, models.ForeignKey | models.JSONField) or value is None:
        return value
    found = column.to_python(value)
    if isinstance(found, dt.date | dt.datetime | dt.time):
        return found.isoformat()
    return str(found) if isinstance(found, Decimal) else found


def stored_changes(entry: UndoEntry) -> list[Stored]:
    """The changes of an entry: key, columns, links of each record. Raises WrongKeyError when the keys do not fit."""
    found: list[Stored] = json.loads(entry.content.clear or "[]")
    return found
