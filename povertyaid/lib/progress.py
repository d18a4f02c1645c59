"""How long work tells a person how far it is, and learns that it is to stop.

Services take a `Progress` and call `tell` often; who listens (a progress bar, a command line, nobody) is not
their concern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class WorkCancelledError(Exception):
    """A person cancelled this work. Whoever catches it leaves nothing half done: transactions roll back."""


class Progress(Protocol):
    """Somebody who is told how far the work is."""

    def tell(self, phase: StrOrPromise, done: int = 0, total: int = 0) -> None:
        """Say that `done` of `total` pieces of this phase are done; a total of 0 means that nobody knows it.

        Cheap enough to call for each row. Raises `WorkCancelledError` when a person cancelled the work.
        """


class _Nobody:
    def tell(self, phase: StrOrPromise, done: int = 0, total: int = 0) -> None:
        """Do nothing."""


NO_PROGRESS: Progress = _Nobody()
