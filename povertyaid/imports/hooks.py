"""What other apps do once the rows of an import are written, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from povertyaid.schools.base import Record

if TYPE_CHECKING:
    from povertyaid.imports.models import ImportBatch
    from povertyaid.schools.models import User

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Committed:
    """What a commit wrote: handed to the hooks inside the same transaction."""

    batch: ImportBatch
    actor: User
    created: Sequence[Record]
    updated: Sequence[Record]

    def of(self, model: type[RecordT]) -> list[RecordT]:
        """The created and changed records of one model."""
        return [record for record in (*self.created, *self.updated) if isinstance(record, model)]


_hooks: list[Callable[[Committed], None]] = []


def after_commit(hook: Callable[[Committed], None]) -> Callable[[Committed], None]:
    """Decorator: call this after the rows of any import were written, inside its transaction.

    Writes go through `bulk_write` with `actor=committed.actor, batch_id=committed.batch.pk`.
    """
    if hook not in _hooks:
        _hooks.append(hook)
    return hook


def run_hooks(committed: Committed) -> None:
    """Let the apps above do what follows from an import."""
    for hook in _hooks:
        hook(committed)
