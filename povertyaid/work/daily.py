"""What is due each day. Each job looks at the records and does what is still to do, so that a second run does nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_stubs_ext import StrOrPromise

log = logging.getLogger("povertyaid.work")

# Does what is due and says so in a sentence; "" when nothing was due.
DailyFunction = Callable[[], "StrOrPromise"]
_JOBS: dict[str, DailyFunction] = {}


class DailyRegisteredTwiceError(RuntimeError):
    """Two functions claim the same name."""


@dataclass(frozen=True)
class DailyOutcome:
    """What one job did: its sentence, or the kind of error that stopped it."""

    name: str
    told: str
    failed: bool = False


def register_daily(name: str, function: DailyFunction) -> None:
    """Have a function called by `manage.py daily` under a dotted name such as "imports.delete_files".

    It must be idempotent: it finds out by itself what is due. It runs in a transaction of its own, returns a sentence of
    what it did or "" for nothing, and must name no person in it.
    """
    known = _JOBS.get(name)
    if known is not None and known is not function:
        msg = f"The daily job {name} is registered twice."
        raise DailyRegisteredTwiceError(msg)
    _JOBS[name] = function


def forget_daily(name: str) -> None:
    """Take a job away again; for tests that register their own."""
    _JOBS.pop(name, None)


def run_daily() -> Iterator[DailyOutcome]:
    """Run every job in the order of the names; one that fails rolls back and does not keep the others from running."""
    for name, function in sorted(_JOBS.items()):
        try:
            with transaction.atomic():
                told = str(function())
        except Exception as error:  # noqa: BLE001 - the other jobs must run
            log.error("Daily job %s failed: %s", name, type(error).__name__)  # noqa: TRY400 - no values in the log
            yield DailyOutcome(name, type(error).__name__, failed=True)
        else:
            yield DailyOutcome(name, told)
