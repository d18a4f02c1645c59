"""Every change of a work's state: one conditional UPDATE each, so that of two who decide its end only one does.

A worker that was thought dead and is not finds its row ended when it comes to `finish`; its transaction rolls back.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from povertyaid.audit.actor import acting_as
from povertyaid.work import processes, registry
from povertyaid.work.models import Work

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django_stubs_ext import StrOrPromise

log = logging.getLogger("povertyaid.work")

PHASE_LENGTH = 120
ERROR_LENGTH = 2000


class WorkLostError(Exception):
    """This work was declared ended by somebody else: nothing that it wrote may stay."""


def _who_may_go(pk: int, state: str) -> QuerySet[Work]:
    """The row, if its life cycle leads from where it is now to `state`."""
    before = [origin for origin, allowed in Work.MOVES.items() if state in allowed]
    return Work.objects.filter(pk=pk, state__in=before)


def begin(pk: int) -> Work | None:
    """Let this process run a waiting work; None when it waits no more."""
    me, now = processes.this_process(), timezone.now()
    taken = _who_may_go(pk, Work.State.RUNNING).update(
        state=Work.State.RUNNING,
        host=me.host,
        pid=me.pid,
        process_start=me.start,
        started_at=now,
        heartbeat_at=now,
        updated_at=now,
    )
    return Work.objects.select_related("owner", "school", "county").get(pk=pk) if taken else None


def beat(pk: int, *, phase: str, done: int, total: int) -> bool:
    """Write a sign of life; False when the work runs no more."""
    now = timezone.now()
    running = Work.objects.filter(pk=pk, state=Work.State.RUNNING)
    return bool(running.update(heartbeat_at=now, updated_at=now, phase=phase, done=done, total=total))


def ask_to_stop(pk: int) -> None:
    """Mark a work that has not ended."""
    Work.objects.filter(pk=pk, state__in=Work.LIVE).update(cancel_requested=True, updated_at=timezone.now())


def note_queue(pk: int, task_id: str) -> None:
    """Remember under which number a waiting work stands in the queue."""
    now = timezone.now()
    Work.objects.filter(pk=pk, state=Work.State.WAITING).update(
        queued_as=task_id, queued_at=now, updated_at=now
    )


def finish(work: Work) -> None:
    """Mark the work that this process runs as done; WorkLostError when it is no longer this process's to finish."""
    me, now = processes.this_process(), timezone.now()
    mine = _who_may_go(work.pk, Work.State.DONE).filter(host=me.host, pid=me.pid, process_start=me.start)
    ended = mine.update(
        state=Work.State.DONE,
        finished_at=now,
        heartbeat_at=now,
        updated_at=now,
        phase=work.phase,
        done=work.done,
        total=work.total,
    )
    if not ended:
        msg = f"Work {work.pk} was ended by somebody else."
        raise WorkLostError(msg)


def stop(pk: int, state: str, error: StrOrPromise = "", *, only: str = "") -> bool:
    """End a work as failed or cancelled and tell its job, in one transaction; False when it has ended already.

    `only` narrows it to works that are in that state now.
    """
    with transaction.atomic():
        now = timezone.now()
        rows = _who_may_go(pk, state)
        if only:
            rows = rows.filter(state=only)
        if not rows.update(state=state, error=str(error)[:ERROR_LENGTH], finished_at=now, updated_at=now):
            return False
        work = Work.objects.select_related("owner", "school", "county").get(pk=pk)
        job = registry.find(work.what)
        if job is not None and job.on_stopped is not None:
            try:
                with transaction.atomic(), acting_as(work.owner):
                    job.on_stopped(work)
            except (OperationalError, InterfaceError):
                raise  # locked or away: the whole step is tried again
            except Exception as failed:  # noqa: BLE001 - whatever a job's hook does, the work has ended
                log.error("Work %s (%s): its hook failed: %s", pk, work.what, type(failed).__name__)  # noqa: TRY400
    return True


def remove_ended_before(moment: object) -> int:
    """Delete works that ended before a moment; return how many."""
    ended = Work.objects.exclude(state__in=Work.LIVE).filter(finished_at__lt=moment)
    return ended.delete()[0]
