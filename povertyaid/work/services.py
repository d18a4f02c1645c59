"""Starting, watching, cancelling long work.

register_job("imports.commit", commit, label=_("Write an import"), on_stopped=batch_stopped)   # in the app's jobs
work = start(job="imports.commit", user=request.user, target=batch, school=batch.school)
status(work).finished
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from povertyaid.lib.messages import MessageError
from povertyaid.work import fence, processes, registry, runner
from povertyaid.work.channels import channel
from povertyaid.work.liveness import is_lost
from povertyaid.work.models import Work
from povertyaid.work.registry import register_job
from povertyaid.work.tasks import run_work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db import models
    from django_stubs_ext import StrOrPromise

    from povertyaid.schools.models import County, School, User

__all__ = [
    "Status",
    "WorkBusyError",
    "latest_for",
    "may_cancel",
    "reap",
    "reap_mine",
    "register_job",
    "request_cancel",
    "start",
    "status",
]

log = logging.getLogger("povertyaid.work")

# A work that waits although its place in the queue was taken: whoever took it died before beginning it.
QUEUE_PATIENCE = timedelta(seconds=10)
# After so long a page says that the worker may not be running.
WAITS_LONG = timedelta(seconds=30)

_LOST = _(
    "The program that did this work ended before it was finished (a restart, a power cut, too little memory). "
    "Nothing of it was written; start it again."
)


class WorkBusyError(MessageError):
    """Something is being done with the record already."""


@dataclass(frozen=True)
class Status:
    """What a page shows of a work."""

    state: str
    label: StrOrPromise
    state_label: StrOrPromise
    phase: str
    done: int
    total: int
    error: str
    finished: bool
    cancel_requested: bool
    # Waiting works that come first, and whether it waits suspiciously long.
    ahead: int = 0
    waits_long: bool = False

    @property
    def percent(self) -> int | None:
        """0–100 within the phase; None when nobody knows how much there is."""
        return min(100, self.done * 100 // self.total) if self.total else None


def start(
    *,
    job: str,
    user: User | None,
    target: models.Model | None = None,
    args: Mapping[str, Any] | None = None,
    school: School | None = None,
    county: County | None = None,
    inline: bool = False,
) -> Work:
    """Let a registered job be done: by the worker, or (`inline`) here and now, raising what the job raises.

    `args` are small JSON values without personal data. One work at a time is done with a record: the same job that is
    waiting or running for it already is returned instead; another job, and `inline`, raise WorkBusyError.
    The queue's entry is part of the caller's transaction.
    """
    if registry.find(job) is None:
        msg = f"No job {job} is registered."
        raise LookupError(msg)
    work = Work(
        what=job,
        owner=user,
        school=school,
        county=county or (school.county if school is not None else None),
        target_model=target._meta.label_lower if target is not None else "",
        target_id=target.pk if target is not None else None,
        args=dict(args or {}),
    )
    here = inline or settings.WORK_INLINE
    begun: Work | None = None
    busy = _live_for(target)
    if busy is None:
        try:
            with transaction.atomic():
                work.save()
                if here:
                    begun = fence.begin(work.pk)
                else:
                    _enqueue(work.pk)
        except IntegrityError:
            busy = _live_for(target)
            if busy is None:
                raise
    if busy is not None:
        if busy.what == job and not inline:
            return busy
        text = _("Something is being done with this record already (%(what)s); wait until it is finished.")
        raise WorkBusyError("busy", text, {"what": busy.label})
    if begun is not None:
        # In the place of a worker (WORK_INLINE) an error is told in the row, as a worker would.
        with contextlib.nullcontext() if inline else contextlib.suppress(Exception):
            runner.carry_out(begun)
    work.refresh_from_db()
    return work


def _enqueue(pk: int) -> None:
    fence.note_queue(pk, run_work.enqueue(pk).id)


def _live_for(target: models.Model | None) -> Work | None:
    """The work that is being done with a record, unless it turns out to be lost."""
    if target is None:
        return None
    found = Work.objects.filter(
        target_model=target._meta.label_lower, target_id=target.pk, state__in=Work.LIVE
    ).first()
    return None if found is not None and _declare_lost_if_so(found) else found


def latest_for(target: models.Model) -> Work | None:
    """The last work about a record; the caller has made sure that the record may be seen."""
    return (
        Work.objects.filter(target_model=target._meta.label_lower, target_id=target.pk)
        .order_by("-created_at", "-pk")
        .first()
    )


def may_cancel(work: Work, user: User) -> bool:
    """Who started it may stop it, and who may change such works where they see it."""
    return work.is_live and (work.owner_id == user.pk or user.has_perm("work.change_work"))


def request_cancel(work: Work) -> None:
    """Stop a work: at once while it waits, at its next sign of life while it runs; nothing when it has ended."""
    # The wish comes first: whoever begins the work in this very moment finds it. And a running work's row is left
    # alone: on SQLite the write would wait for the transaction that is to be stopped.
    work.refresh_from_db()
    if work.is_live:
        channel().ask_to_stop(work)
    if work.state == Work.State.WAITING:
        text = _("Cancelled by request.")
        if fence.stop(work.pk, Work.State.CANCELLED, text, only=Work.State.WAITING):
            channel().clear(work)


def status(work: Work) -> Status:
    """How far a work is, now. A work whose process is gone is found out here too, whoever else is asleep."""
    work.refresh_from_db()
    if _declare_lost_if_so(work):
        work.refresh_from_db()
    signs = channel().read(work) if work.state == Work.State.RUNNING else None
    waiting = work.state == Work.State.WAITING
    return Status(
        state=work.state,
        label=work.label,
        state_label=Work.State(work.state).label,
        phase=signs.phase if signs else work.phase,
        done=signs.done if signs else work.done,
        total=signs.total if signs else work.total,
        error=work.error,
        finished=not work.is_live,
        cancel_requested=signs.cancel_requested if signs else work.cancel_requested,
        ahead=_ahead(work) if waiting else 0,
        waits_long=waiting and timezone.now() - work.created_at > WAITS_LONG,
    )


def _ahead(work: Work) -> int:
    """Works that will be done first; a number, nothing of whose they are."""
    return Work.objects.filter(state__in=Work.LIVE, pk__lt=work.pk).count()


def reap() -> int:
    """End works whose process is gone, and queue anew what waits without a place in the queue; return how many."""
    found = 0
    for work in Work.objects.filter(state__in=Work.LIVE).order_by("pk"):
        if work.state == Work.State.RUNNING:
            found += _declare_lost_if_so(work)
        else:
            found += _queue_again_if_forgotten(work)
    return found


def reap_mine() -> int:
    """End works that this process seems to run; for a worker that has just become idle and so runs none."""
    me = processes.this_process()
    mine = Work.objects.filter(
        state=Work.State.RUNNING, host=me.host, pid=me.pid, process_start=me.start
    ).exclude(process_start="")
    return sum(_declare_lost(work) for work in mine)


def _declare_lost_if_so(work: Work) -> bool:
    return is_lost(work) and _declare_lost(work)


def _declare_lost(work: Work) -> bool:
    lost = fence.stop(work.pk, Work.State.FAILED, _LOST, only=Work.State.RUNNING)
    if lost:
        channel().clear(work)
        log.warning("Work %s (%s) was lost: process %s is gone", work.pk, work.what, work.pid)
    return lost


def _queue_again_if_forgotten(work: Work) -> bool:
    """Put a waiting work into the queue again when its entry is gone or was taken by a worker that died."""
    before = timezone.now() - QUEUE_PATIENCE
    if (work.queued_at or work.created_at) > before:
        return False
    entry = DBTaskResult.objects.filter(pk=work.queued_as).first() if work.queued_as else None
    if entry is not None:
        taken = entry.started_at is not None and entry.started_at <= before
        if entry.status == TaskResultStatus.READY or not taken:
            return False
    with transaction.atomic():
        _enqueue(work.pk)
    log.warning("Work %s (%s) was queued again", work.pk, work.what)
    return True
