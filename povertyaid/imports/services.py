"""Writes of imports: keep a file, prepare its preview, confirm it, cancel it. Every write is atomic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.models import AccessLog
from povertyaid.audit.services import bulk_rows, log_access
from povertyaid.files.models import Attachment
from povertyaid.imports.context import ImportContext, ImportRefusedError
from povertyaid.imports.mapping import Inspection, inspect, note_use
from povertyaid.imports.models import ImportBatch, ImportRow, WrongBatchMoveError
from povertyaid.imports.options import Options
from povertyaid.imports.plans import (
    FilePlan,
    Source,
    blocked_of,
    plan_file,
    play,
    read,
    tell_reasons,
    write_plan,
)
from povertyaid.imports.questions import Decisions
from povertyaid.imports.reporting import LINE, LineWriter, lines_of, report_of
from povertyaid.lib.collector import collector_paused
from povertyaid.lib.crypto import hashes_remembered
from povertyaid.lib.messages import Message
from povertyaid.lib.progress import NO_PROGRESS
from povertyaid.lib.sheets.model import UnreadableFileError
from povertyaid.schools.models import County

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from povertyaid.imports.engine import Plan
    from povertyaid.lib.progress import Progress
    from povertyaid.schools.base import Record
    from povertyaid.schools.models import School, User

_LONGEST_NAME = 200
# Rows of a preview that are written at a time: SQLite's lock is free between them for other people's pages.
_ROWS_AT_ONCE = 2000
OPEN = frozenset(
    {
        ImportBatch.State.UPLOADED,
        ImportBatch.State.TO_MAP,
        ImportBatch.State.TO_CHECK,
        ImportBatch.State.FAILED,
    }
)


Finish = Callable[[], None]


def _nothing() -> None:
    """There is nothing to finish where no work is kept in the books."""


STALE = _(
    "The records changed since the preview. Nothing was written; look at the new preview and confirm again."
)


class StalePreviewError(ImportRefusedError):
    """The records changed since the preview: nothing was written, and the batch shows what would happen now."""


class RowsRefusedError(ImportRefusedError):
    """All or nothing was asked for, and rows are refused: nothing was written."""


@transaction.atomic
def receive(
    *, data: bytes, name: str, user: User, options: Options, kinds: Sequence[str], office: str = ""
) -> ImportBatch:
    """Keep a file (encrypted) as it arrived; it is read and compared by `prepare`.

    Raises ImportRefusedError (school, period, county) when it is not clear for whom the file is.
    """
    context = ImportContext(user, options)
    school = context.school or (context.schools.schools[0] if len(context.schools.schools) == 1 else None)
    school = None if context.school is None and context.county_wide else school
    county = school.county if school is not None else _first_county(context)
    attachment = Attachment(county=county, school=school, name=name[-_LONGEST_NAME:], owner=user)
    attachment.put(data)
    attachment.save()
    batch = ImportBatch(
        kind=",".join(kinds),
        county=county,
        school=school,
        file=attachment,
        sender=user,
        office=office,
        options=options.as_json(),
        state=ImportBatch.State.UPLOADED,
    )
    batch.save()
    return batch


def _first_county(context: ImportContext) -> County:
    """The only county, else any of the account's: the right one is known once the rows are read."""
    return context.counties[0] if context.counties else context.county


@collector_paused()
@hashes_remembered()
def prepare(
    *, batch: ImportBatch, user: User, progress: Progress = NO_PROGRESS, finish: Finish = _nothing
) -> ImportBatch:
    """Read the file of a batch, match its columns, and compare its rows with the records.

    Afterwards the batch is to_map (columns, school or semester must be told), to_check (with its preview) or refused
    (it cannot be read). WrongBatchMoveError when it is being imported or was.
    """
    reopen(batch, user)
    try:
        source = source_of(batch, user, progress)
    except UnreadableFileError as error:
        return _refuse(batch, error.message, finish)
    found = inspect(source, office=batch.office)
    note_use(batch, found)
    try:
        if not found.certain:
            return _ask_for_columns(batch, found, found.message, finish)
        plan = plan_file(found.source, progress=progress)
    except ImportRefusedError as error:
        # What the file does not say can be told: another kind, a column, the school, the semester.
        return _ask_for_columns(batch, found, error.message, finish)
    batch.options = {**batch.options, "parts": found.source.options.as_json()["parts"]}
    keep_preview(batch, plan, progress, finish)
    return batch


@transaction.atomic
def reopen(batch: ImportBatch, user: User) -> None:
    """Take back a preview that is to be made anew; WrongBatchMoveError when the batch is being imported or was."""
    locked = ImportBatch.objects.visible_to(user).select_for_update().get(pk=batch.pk)
    if locked.state not in OPEN:
        raise WrongBatchMoveError(f"An import that is {locked.state} cannot be prepared.")
    if locked.state != ImportBatch.State.UPLOADED:
        batch.move(ImportBatch.State.UPLOADED)


def source_of(batch: ImportBatch, user: User, progress: Progress = NO_PROGRESS) -> Source:
    """The stored file of a batch, read once more, with all that was decided about it."""
    return read(
        data=batch.file.get(),
        name=batch.file.name,
        user=user,
        options=Options.from_json(batch.options),
        kinds=batch.kinds,
        decisions=Decisions(batch.decisions),
        progress=progress,
    )


@transaction.atomic
def _refuse(batch: ImportBatch, message: Message, finish: Finish) -> ImportBatch:
    batch.rows.all().delete()
    batch.report = {"refused": str(message)}
    batch.finished_at = timezone.now()
    batch.move(ImportBatch.State.REFUSED)
    finish()
    return batch


@transaction.atomic
def _ask_for_columns(
    batch: ImportBatch, found: Inspection, message: Message | None, finish: Finish
) -> ImportBatch:
    batch.rows.all().delete()
    batch.counts = {}
    batch.report = {"inspection": found.as_json(), "asked": str(message) if message is not None else ""}
    batch.move(ImportBatch.State.TO_MAP)
    finish()
    return batch


def keep_preview(
    batch: ImportBatch, plan: FilePlan, progress: Progress = NO_PROGRESS, finish: Finish = _nothing
) -> None:
    """Put the outcome of a plan in the place of what the batch showed; nothing else is written.

    The rows are written in pieces and the batch last: until then it shows no preview, never half of one.
    """
    batch.rows.all().delete()
    lines, writer = lines_of(plan), LineWriter(batch)
    for start in range(0, len(lines), _ROWS_AT_ONCE):
        bulk_rows(ImportRow, LINE, map(writer.stored, lines[start : start + _ROWS_AT_ONCE]))
        progress.tell(_("keeping the preview"), start, len(lines))
    with transaction.atomic():
        batch.kind = plan.kind
        batch.counts = plan.counts
        batch.report = report_of(plan)
        _place(batch, plan)
        batch.move(ImportBatch.State.TO_CHECK)
        finish()


@transaction.atomic
def write_file(plan: FilePlan, *, batch: ImportBatch, progress: Progress = NO_PROGRESS) -> FilePlan:
    """Write all that a plan of a single kind says, or play several kinds again, and finish the batch.

    The caller sees to it that the plan is that of the records as they are.
    """
    user = plan.source.user
    if plan.several:
        blocked = blocked_of(plan)
        played = play(plan.source, blocked=blocked, batch=batch, progress=progress, before=_lock)
        tell_reasons(played, plan.reasons)
        plan = FilePlan(plan.source, played)
    else:
        write_plan(plan.plans[0], batch=batch, user=user, progress=progress)
    batch.counts = plan.counts
    batch.report = report_of(plan)
    batch.finished_at = timezone.now()
    batch.move(ImportBatch.State.PARTLY if batch.counts["rejected"] else ImportBatch.State.IMPORTED)
    log_access(
        AccessLog.Action.IMPORT,
        user=user,
        model=plan.plans[0].resource.model._meta.label_lower,
        detail={"batch": batch.pk, "kind": batch.kind, **batch.counts},
    )
    return plan


@collector_paused()
@hashes_remembered()
@transaction.atomic
def import_file(*, plan: FilePlan, data: bytes, office: str = "") -> tuple[ImportBatch, FilePlan]:
    """Keep a file, its preview, and write it at once: for the command line, inside one transaction."""
    source = plan.source
    batch = receive(
        data=data, name=plan.name, user=source.user, options=source.options, kinds=source.kinds, office=office
    )
    keep_preview(batch, plan)
    batch.move(ImportBatch.State.IMPORTING)
    return batch, write_file(plan, batch=batch)


@collector_paused()
@hashes_remembered()
def commit_batch(
    *,
    batch: ImportBatch,
    user: User,
    all_or_nothing: bool,
    progress: Progress = NO_PROGRESS,
    finish: Finish = _nothing,
) -> ImportBatch:
    """Write the good rows of a previewed file, or all or nothing. `finish` is the last step of the transaction.

    The stored file is read and planned again before the transaction, so that SQLite's lock is held for the writing only;
    inside it every record that is changed must still be as it was planned. Raises StalePreviewError when the records
    changed since the preview (the batch then shows the new one), RowsRefusedError, WrongBatchMoveError when it was
    confirmed before.
    """
    start_commit(batch, user)
    try:
        source = source_of(batch, user, progress)
        plan = plan_file(source, progress=progress)
        if plan.fingerprint == batch.report.get("fingerprint"):
            if all_or_nothing and plan.counts["rejected"]:
                text = _(
                    "Some rows are refused, so that nothing was written. Mend them and send the file again."
                )
                raise RowsRefusedError("rejected", text)
            if _written(plan, batch, progress, finish):
                return batch
            # Somebody wrote between the plan and the write.
            plan = plan_file(source, progress=progress)
        keep_preview(batch, plan, progress)
    except BaseException:
        # Whatever went wrong, nothing was written: the preview stands as before.
        batch.refresh_from_db()
        if batch.state == ImportBatch.State.IMPORTING:
            batch.move(ImportBatch.State.TO_CHECK)
        raise
    raise StalePreviewError("stale", STALE)


@transaction.atomic
def start_commit(batch: ImportBatch, user: User) -> None:
    """Take a batch for importing; WrongBatchMoveError when somebody did so before."""
    locked = ImportBatch.objects.visible_to(user).select_for_update().get(pk=batch.pk)
    if locked.state != ImportBatch.State.TO_CHECK:
        raise WrongBatchMoveError(f"An import that is {locked.state} cannot be confirmed.")
    batch.refresh_from_db()
    batch.move(ImportBatch.State.IMPORTING)


def _written(plan: FilePlan, batch: ImportBatch, progress: Progress, finish: Finish) -> bool:
    """Write a plan when the records are still as it was made from; say whether they were."""
    fingerprint = plan.fingerprint
    try:
        with transaction.atomic():
            # One import of a county is written at a time.
            County.objects.select_for_update().get(pk=batch.county_id)
            if not plan.several and not _still_true(plan, batch):
                return False
            done = write_file(plan, batch=batch, progress=progress)
            if done.fingerprint != fingerprint:
                transaction.set_rollback(True)
                return False
            finish()
    except (IntegrityError, StalePreviewError):
        return False
    finally:
        batch.refresh_from_db()
    return True


def _still_true(plan: FilePlan, batch: ImportBatch) -> bool:
    """Whether the records that a plan changes have the versions that it saw, and no other import came between."""
    newer = ImportBatch.objects.filter(county=batch.county_id, finished_at__gte=plan.made_at)
    return not newer.exclude(pk=batch.pk).exists() and _as_planned(plan.plans[0])


def _lock(plan: Plan) -> None:
    """StalePreviewError when somebody changed a record while its new values were planned."""
    if not _as_planned(plan):
        raise StalePreviewError("stale", STALE)


def _as_planned(plan: Plan) -> bool:
    """Whether the records that a plan changes have the versions that it saw; they are locked until the write."""
    versions: dict[type[Record], dict[int, int]] = {}
    for planned in plan.planned:
        for change in (*planned.first, *planned.update):
            if change.instance.pk is not None:
                versions.setdefault(type(change.instance), {})[change.instance.pk] = change.instance.version
    for model, seen in versions.items():
        keys = sorted(seen)
        for start in range(0, len(keys), _ROWS_AT_ONCE // 4):
            part = keys[start : start + _ROWS_AT_ONCE // 4]
            # Locked until the write: nobody changes them in between.
            stored = dict(
                model._default_manager.select_for_update().filter(pk__in=part).values_list("pk", "version")
            )
            if any(stored.get(key) != seen[key] for key in part):
                return False
    return True


def cancel_batch(*, batch: ImportBatch) -> None:
    """Give up a file that is not imported; WrongBatchMoveError when it was confirmed already."""
    batch.finished_at = timezone.now()
    batch.move(ImportBatch.State.CANCELLED)


def earlier_import(*, plan: FilePlan, user: User) -> ImportBatch | None:
    """The last import of the very same file for the same kinds that the account may know of."""
    return same_file(kind=plan.kind, digest=plan.source.digest, user=user).first()


def same_file(*, kind: str, digest: str, user: User) -> QuerySet[ImportBatch]:
    """Imports of the very same file as the same kinds, the latest first."""
    return (
        ImportBatch.objects.visible_to(user)
        .filter(
            kind=kind,
            file__digest=digest,
            state__in=(ImportBatch.State.IMPORTED, ImportBatch.State.PARTLY),
        )
        .select_related("file", "sender")
        .defer("file__content")
        .order_by("-finished_at")
    )


def _place(batch: ImportBatch, plan: FilePlan) -> None:
    """The school and county of a batch, now that its rows are known."""
    school = _school_of(plan)
    county = school.county if school is not None else _county_of(plan)
    if (batch.school_id, batch.county_id) == (school.pk if school else None, county.pk):
        return
    batch.school, batch.county = school, county
    batch.file.school, batch.file.county = school, county
    batch.file.save(update_fields=["school", "county"])


def _school_of(plan: FilePlan) -> School | None:
    """The school of a batch: the chosen one, else the one that all tables are for.

    A list whose rows name other schools belongs to none: a school's people see its batches with every row.
    """
    rows = [row for item in plan.plans for row in item.rows]
    context = plan.plans[0].context
    found = {row.table.school.pk: row.table.school for row in rows if row.table.school is not None}
    school = context.school or (next(iter(found.values())) if len(found) == 1 else None)
    if school is None:
        return None
    named = {text for row in rows if (text := row.values.get("school"))}
    others = (context.schools.resolve(text).school for text in named)
    return None if any(other is not None and other.pk != school.pk for other in others) else school


def _county_of(plan: FilePlan) -> County:
    """The county of a batch without a school: the only one, else that of the first record that is written."""
    context = plan.plans[0].context
    if len(context.counties) > 1:
        for item in (planned for found in plan.plans for planned in found.planned):
            for record in (*item.create, *(change.instance for change in item.update)):
                county = getattr(record, "county", None)
                if isinstance(county, County):
                    return county
        return context.counties[0]
    return context.county
