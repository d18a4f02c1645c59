"""How a running work says how far it is and learns that it is to stop, while its own transaction is open.

On PostgreSQL both stand in the row, written and read on a second connection. On SQLite nobody can write while the work's
transaction holds the lock, neither the sign of life nor the wish to cancel: there, all processes share one machine, and
two small files beside the database carry them (numbers and the words of the phase, nothing of any record).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.db import connection
from django.utils import timezone

from povertyaid.work import fence
from povertyaid.work.models import Work

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Signs:
    """The last sign of life of a work."""

    at: datetime | None
    phase: str
    done: int
    total: int
    cancel_requested: bool


@dataclass(frozen=True)
class Answer:
    """What a work learns when it gives a sign of life."""

    cancelled: bool = False
    lost: bool = False


class Channel(Protocol):
    """The way between a running work and those who look at it."""

    def beat(self, work: Work, *, phase: str, done: int, total: int, write: bool) -> Answer:
        """Give a sign of life (`write`) and ask whether to go on."""

    def read(self, work: Work) -> Signs:
        """The last sign of life; `work` is fresh from the database."""

    def ask_to_stop(self, work: Work) -> None:
        """Leave the wish that the work stops."""

    def clear(self, work: Work) -> None:
        """Take away what is not needed after the end."""


class RowChannel:
    """For PostgreSQL: the row itself."""

    def beat(self, work: Work, *, phase: str, done: int, total: int, write: bool) -> Answer:
        """Write the row when it is due, and read the wish."""
        if write and not fence.beat(work.pk, phase=phase, done=done, total=total):
            return Answer(lost=True)
        wish = Work.objects.filter(pk=work.pk).values_list("cancel_requested", flat=True).first()
        return Answer(cancelled=bool(wish))

    def read(self, work: Work) -> Signs:
        """What the row says."""
        return Signs(work.heartbeat_at, work.phase, work.done, work.total, work.cancel_requested)

    def ask_to_stop(self, work: Work) -> None:
        """Mark the row."""
        fence.ask_to_stop(work.pk)

    def clear(self, work: Work) -> None:
        """Nothing lies about."""


class FileChannel:
    """For SQLite: KEY.json with the sign of life, KEY.stop as the wish, in a folder beside the data."""

    @staticmethod
    def _path(work: Work, ending: str) -> Path:
        folder: Path = settings.WORK_FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{work.key.hex}.{ending}"

    def beat(self, work: Work, *, phase: str, done: int, total: int, write: bool) -> Answer:
        """Replace the file in one step, so that nobody reads half of it."""
        if write:
            aside = self._path(work, "new")
            told = {"at": timezone.now().isoformat(), "phase": phase, "done": done, "total": total}
            aside.write_text(json.dumps(told), encoding="utf-8")
            aside.replace(self._path(work, "json"))
        return Answer(cancelled=self._path(work, "stop").exists())

    def read(self, work: Work) -> Signs:
        """What the file says; what the row says before there is one and after the end."""
        wish = work.cancel_requested or self._path(work, "stop").exists()
        try:
            told = json.loads(self._path(work, "json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Signs(work.heartbeat_at, work.phase, work.done, work.total, wish)
        return Signs(datetime.fromisoformat(told["at"]), told["phase"], told["done"], told["total"], wish)

    def ask_to_stop(self, work: Work) -> None:
        """Leave the file; writing the row could wait for the very transaction that is to be stopped."""
        self._path(work, "stop").touch(mode=0o600)

    def clear(self, work: Work) -> None:
        """Remove the files."""
        for ending in ("json", "stop", "new"):
            self._path(work, ending).unlink(missing_ok=True)


def channel() -> Channel:
    """The way that fits the database."""
    return FileChannel() if connection.vendor == "sqlite" else RowChannel()
