"""The jobs that can run as background work; each app registers its own when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from povertyaid.lib.progress import Progress
    from povertyaid.work.models import Work

    JobFunction = Callable[[Work, Progress], None]
    Hook = Callable[[Work], None]


@dataclass(frozen=True)
class Job:
    """What is run under a key, and who is told when it ended without being done."""

    key: str
    function: JobFunction
    label: StrOrPromise
    on_stopped: Hook | None = None


_JOBS: dict[str, Job] = {}


class JobRegisteredTwiceError(RuntimeError):
    """Two functions claim the same key."""


def register_job(
    key: str, function: JobFunction, *, label: StrOrPromise, on_stopped: Hook | None = None
) -> None:
    """Make `function(work, progress)` startable under a dotted key such as "imports.commit".

    The function writes in transactions of its own and calls `work.finish_inside()` last in the one that counts. It may
    raise: WorkCancelledError from `progress.tell`, a MessageError whose sentence people shall read, anything else
    (which becomes a general sentence; the details go to the log without values).

    `on_stopped(work)` is called once when the work ended in any other way than done: lost (its process died), failed,
    or cancelled, also before it started. `work.state` and `work.error` say which and why. It runs in the transaction
    that records the end, in whatever process found out.
    """
    known = _JOBS.get(key)
    if known is not None and known.function is not function:
        msg = f"The job {key} is registered twice."
        raise JobRegisteredTwiceError(msg)
    _JOBS[key] = Job(key, function, label, on_stopped)


def forget_job(key: str) -> None:
    """Take a job away again; for tests that register their own."""
    _JOBS.pop(key, None)


def find(key: str) -> Job | None:
    """The job of a key; None for one of an older version that is gone."""
    return _JOBS.get(key)
