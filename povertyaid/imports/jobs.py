"""The long work of imports: looking at a file, writing it, taking it back; small files are done in the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.actor import acting_as
from povertyaid.imports import services
from povertyaid.imports.models import ImportBatch
from povertyaid.imports.undo import undo_batch
from povertyaid.lib.messages import MessageError
from povertyaid.work.services import register_job, start

if TYPE_CHECKING:
    from povertyaid.lib.progress import Progress
    from povertyaid.schools.models import User
    from povertyaid.work.models import Work

PREPARE, COMMIT, UNDO = "imports.prepare", "imports.commit", "imports.undo"


def begin(job: str, *, batch: ImportBatch, user: User, **args: object) -> Work:
    """Start a job for a batch: here and now when the file is small, else in the worker.

    What a small file raises (a stale preview, refused rows) is raised here; of a large one it is told in the work.
    """
    return start(
        job=job,
        user=user,
        target=batch,
        args=args,
        school=batch.school,
        county=batch.county,
        inline=batch.file.size <= settings.IMPORT_INLINE_BYTES,
    )


def _of(work: Work) -> tuple[ImportBatch, User]:
    user = work.owner
    if user is None:
        # Whoever is deleted while a work waits leaves no rights behind for it.
        raise MessageError("account_closed", _("The account that started this is no longer active."))
    return ImportBatch.objects.visible_to(user).select_related("file").get(pk=work.target_id or 0), user


def prepare(work: Work, progress: Progress) -> None:
    """Read the file and compare it with the records."""
    batch, user = _of(work)
    with acting_as(user, batch_id=batch.pk):
        services.prepare(batch=batch, user=user, progress=progress, finish=work.finish_inside)


def commit(work: Work, progress: Progress) -> None:
    """Write the good rows, or all or nothing (`all_or_nothing` in the arguments)."""
    batch, user = _of(work)
    with acting_as(user, batch_id=batch.pk):
        services.commit_batch(
            batch=batch,
            user=user,
            all_or_nothing=bool(work.args.get("all_or_nothing")),
            progress=progress,
            finish=work.finish_inside,
        )


def undo(work: Work, progress: Progress) -> None:
    """Take back what was written."""
    batch, user = _of(work)
    undo_batch(batch=batch, user=user, progress=progress, finish=work.finish_inside)


def stopped(work: Work) -> None:
    """Let a batch say that its work ended before it was done; what the transaction held was rolled back."""
    batch = ImportBatch.objects.filter(pk=work.target_id or 0).first()
    if batch is not None and batch.state in {ImportBatch.State.UPLOADED, ImportBatch.State.IMPORTING}:
        batch.report = {**batch.report, "failed": work.error}
        batch.move(ImportBatch.State.FAILED)


def register() -> None:
    """Make the jobs known to the worker; called when Django starts."""
    register_job(PREPARE, prepare, label=_("Look at an imported list"), on_stopped=stopped)
    register_job(COMMIT, commit, label=_("Write an imported list"), on_stopped=stopped)
    register_job(UNDO, undo, label=_("Undo an import"), on_stopped=stopped)
