"""Imported files are children's data: they are erased once nobody needs them any more, and only the outcome stays."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from povertyaid.audit.services import Update, bulk_write
from povertyaid.files.models import Attachment
from povertyaid.imports.models import ImportBatch, ImportRow

if TYPE_CHECKING:
    from django.db.models import QuerySet

FINISHED = frozenset(
    {
        ImportBatch.State.IMPORTED,
        ImportBatch.State.PARTLY,
        ImportBatch.State.UNDONE,
        ImportBatch.State.REFUSED,
        ImportBatch.State.CANCELLED,
    }
)
# Rows whose values are erased in one statement.
_AT_ONCE = 2000


def is_erased(batch: ImportBatch) -> bool:
    """Whether the file of a batch was erased after the set time."""
    return not batch.file.content


def old_batches(now: dt.datetime | None = None) -> QuerySet[ImportBatch]:
    """Finished batches whose file is older than IMPORT_FILE_DAYS and still there; others that nobody went on with too."""
    until = (now or timezone.now()) - dt.timedelta(days=settings.IMPORT_FILE_DAYS)
    finished = Q(state__in=FINISHED) & (
        Q(finished_at__lt=until) | Q(finished_at__isnull=True, updated_at__lt=until)
    )
    left = Q(updated_at__lt=until) & ~Q(state__in=[*FINISHED, ImportBatch.State.IMPORTING])
    return ImportBatch.objects.filter(finished | left).exclude(file__content=b"").order_by("pk")


def delete_old_files(now: dt.datetime | None = None) -> str:
    """Erase the files of old batches, the values of their rows and the earlier values kept for an undo.

    What stays: name, size and digest of the file (the same file is known again), every row's outcome, the counts. A
    preview that nobody confirmed in that time is given up. Returns a sentence for the daily job, "" for nothing.
    """
    count = 0
    for batch in old_batches(now).select_related("file").defer("file__content"):
        erase(batch)
        count += 1
    return _("%(count)d imported files were erased.") % {"count": count} if count else ""


def erase(batch: ImportBatch) -> None:
    """Erase what a batch holds of people; its outcome stays."""
    if batch.state not in FINISHED:
        batch.finished_at = timezone.now()
        batch.move(ImportBatch.State.CANCELLED)
    file = Attachment.objects.only("pk", "version").get(pk=batch.file_id)
    file.content = b""
    file.save(update_fields=["content"])
    rows = ImportRow.objects.filter(batch=batch).only("pk", "version", "values", "messages", "question")
    waiting: list[Update] = []
    for row in rows.iterator(chunk_size=_AT_ONCE):
        kept = [_without_values(note) for note in row.messages]
        waiting.append(Update(row, {"values": {}, "messages": kept, "question": None}))
        if len(waiting) == _AT_ONCE:
            bulk_write(update=waiting, actor=None, batch_id=batch.pk)
            waiting = []
    bulk_write(update=waiting, actor=None, batch_id=batch.pk)
    batch.undo_entries.all().delete()
    report = dict(batch.report)
    for key in ("repairs", "inspection"):
        report.pop(key, None)
    undone = report.get("undo")
    if undone:
        report["undo"] = {**undone, "kept": [{**kept, "name": ""} for kept in undone.get("kept", [])]}
    batch.report = {**report, "erased": timezone.localdate().isoformat()}
    batch.save(update_fields=["report"])


def _without_values(note: dict[str, object]) -> dict[str, object]:
    """What was told of a cell without what stood in it; texts name values, so that they go too."""
    return {key: note[key] for key in ("level", "column", "rule") if key in note}
