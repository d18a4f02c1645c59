"""Runs one work in this process, with its signs of life and its end in the books."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from povertyaid.audit.actor import acting_as
from povertyaid.lib.messages import MessageError
from povertyaid.lib.progress import WorkCancelledError
from povertyaid.work import fence, registry
from povertyaid.work.channels import Answer, channel
from povertyaid.work.fence import PHASE_LENGTH, WorkLostError
from povertyaid.work.models import Work

if TYPE_CHECKING:
    from types import TracebackType

    from django_stubs_ext import StrOrPromise

log = logging.getLogger("povertyaid.work")

LOOK_SECONDS = 0.5  # how often a changed progress is written and the wish to cancel looked for
BEAT_SECONDS = 2.0  # how often a sign of life is given when nothing changed
# How long the end of a work is tried to be written down while the database is away or locked.
WRITE_DOWN_SECONDS = 60.0


class Reporter:
    """The `Progress` of a running work. `tell` only remembers; a thread of its own writes and listens.

    Inside somebody else's transaction (a test, a command that wraps all) a second connection would not see the row, so
    that `tell` itself writes, not oftener than `LOOK_SECONDS`.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._channel = channel()
        self._answer = Answer()
        self._phase: StrOrPromise | None = None
        self._written: tuple[str, int, int] | None = None
        self._written_at = 0.0
        self._looked_at = 0.0
        self._ended = threading.Event()
        self._thread = (
            None if connection.in_atomic_block else threading.Thread(target=self._listen, daemon=True)
        )

    def __enter__(self) -> Self:
        self._look()
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def tell(self, phase: StrOrPromise, done: int = 0, total: int = 0) -> None:
        """Remember how far it is; raise when somebody wants it to stop."""
        if phase is not self._phase:
            self._phase = phase
            self._work.phase = str(phase)[:PHASE_LENGTH]
        self._work.done, self._work.total = done, total
        if self._thread is None and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._look()
        if self._answer.lost:
            raise WorkLostError
        if self._answer.cancelled:
            raise WorkCancelledError

    def _look(self) -> None:
        work, now = self._work, time.monotonic()
        told = (work.phase, work.done, work.total)
        due = told != self._written or now - self._written_at >= BEAT_SECONDS
        self._answer = self._channel.beat(work, phase=told[0], done=told[1], total=told[2], write=due)
        self._looked_at = now
        if due:
            self._written, self._written_at = told, now

    def _listen(self) -> None:
        try:
            while not self._ended.wait(LOOK_SECONDS):
                try:
                    self._look()
                except (DatabaseError, InterfaceError, OSError) as error:
                    # Locked, restarted, disk full: the work itself goes on, the next look tries again.
                    log.warning(
                        "Work %s: no sign of life could be written: %s", self._work.pk, type(error).__name__
                    )
                    connection.close()
        finally:
            connection.close()


def run(pk: int) -> None:
    """Do a waiting work; nothing happens when it waits no more. No error leaves this function, only a stop."""
    work = fence.begin(pk)
    if work is not None:
        with suppress(Exception):  # told in the row and in the log
            carry_out(work)


def carry_out(work: Work) -> None:
    """Do a work that this process has begun, write its end down, and raise what the job raised."""
    job = registry.find(work.what)
    state, error = Work.State.FAILED, ""
    try:
        if job is None:
            raise MessageError(
                "unknown_job", _("This kind of work is not known to this version of the software.")
            )
        if work.owner is not None and not (work.owner.is_active or work.owner.is_system):
            raise MessageError("account_closed", _("The account that started this is no longer active."))
        with acting_as(work.owner), Reporter(work) as reporter:
            job.function(work, reporter)
        if Work.objects.values_list("state", flat=True).get(pk=work.pk) != Work.State.DONE:
            fence.finish(work)
    except WorkCancelledError:
        state, error = Work.State.CANCELLED, _("Cancelled by request.")
        raise
    except WorkLostError:
        log.error("Work %s (%s): ended by somebody else; what it wrote was taken back.", work.pk, work.what)  # noqa: TRY400
        raise
    except MessageError as refused:
        error = str(refused)
        raise
    except Exception as unexpected:
        # Neither the message nor the traceback: both may hold what stood in a cell.
        place = _place(unexpected)
        log.error("Work %s (%s) failed: %s at %s", work.pk, work.what, type(unexpected).__name__, place)  # noqa: TRY400
        error = _(
            "Something unexpected went wrong (%(kind)s, work %(number)d). Nothing of it was written."
        ) % {
            "kind": type(unexpected).__name__,
            "number": work.pk,
        }
        raise
    except BaseException:
        error = _("The server was stopped while this was running. Nothing of it was written; start it again.")
        raise
    finally:
        # Changes nothing when the work is done.
        _write_down(work, state, error)


def _write_down(work: Work, state: str, error: str) -> None:
    """End the work in the books unless it has ended, however long the database needs; then clear up."""
    until = time.monotonic() + WRITE_DOWN_SECONDS
    while True:
        try:
            fence.stop(work.pk, state, error, only=Work.State.RUNNING)
            channel().clear(work)
            return
        except (OperationalError, InterfaceError) as failed:
            if connection.in_atomic_block or time.monotonic() > until:
                raise
            log.warning(
                "Work %s: its end could not be written: %s; trying again", work.pk, type(failed).__name__
            )
            connection.close()
            time.sleep(1)


def _place(error: BaseException) -> str:
    """The file and line where an error arose: a position in the code, no values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "-"
