"""Writes of imports: keep a file with its preview, confirm it, cancel it. Every write is atomic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.models import AccessLog
from povertyaid.audit.services import bulk_write, log_access
from povertyaid.files.models import Attachment
from povertyaid.imports.context import ImportRefusedError, Options
from povertyaid.imports.engine import Plan, make_plan
from povertyaid.imports.models import ImportBatch, ImportRow, WrongBatchMoveError
from povertyaid.imports.resources import Committed, run_hooks
from povertyaid.schools.models import County

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db import models

    from povertyaid.imports.resources import Note, Row
    from povertyaid.schools.base import Record
    from povertyaid.schools.models import School, User

_LONGEST_NAME = 200


class StalePreviewError(ImportRefusedError):
    """The records changed since the preview: nothing was written, and the batch shows what would happen now."""


class RowsRefusedError(ImportRefusedError):
    """All or nothing was asked for, and rows are refused: nothing was written."""


@transaction.atomic
def open_batch(*, plan: Plan, data: bytes, options: Options, user: User) -> ImportBatch:
    """Keep a file (encrypted) with the preview of its rows; nothing else is written."""
    school = _school_of(plan)
    county = school.county if school is not None else _county_of(plan)
    attachment = Attachment(county=county, school=school, name=plan.name[-_LONGEST_NAME:], owner=user)
    attachment.put(data)
    attachment.save()
    batch = ImportBatch(
        kind=plan.resource.kind,
        county=county,
        school=school,
        file=attachment,
        sender=user,
        options=options.as_json(),
        counts=plan.counts,
        report=_report(plan),
    )
    batch.save()
    _write_rows(batch, plan, user)
    return batch


@transaction.atomic
def commit_plan(*, plan: Plan, batch: ImportBatch, user: User) -> ImportBatch:
    """Write what a plan says, and its outcome; the caller made the plan inside the same transaction."""
    create = in_dependency_order([record for item in plan.planned for record in item.create])
    update = [change for item in plan.planned for change in item.update]
    links = [link for item in plan.planned for link in item.links]
    batch.move(ImportBatch.State.IMPORTING)
    bulk_write(
        update=[change for item in plan.planned for change in item.first], actor=user, batch_id=batch.pk
    )
    bulk_write(create=create, update=update, links=links, actor=user, batch_id=batch.pk)
    run_hooks(Committed(batch, user, create, [change.instance for change in update]))
    batch.counts = plan.counts
    batch.report = _report(plan)
    batch.finished_at = timezone.now()
    batch.move(ImportBatch.State.PARTLY if batch.counts["rejected"] else ImportBatch.State.IMPORTED)
    log_access(
        AccessLog.Action.IMPORT,
        user=user,
        model=plan.resource.model._meta.label_lower,
        detail={"batch": batch.pk, "kind": batch.kind, **batch.counts},
    )
    return batch


def commit_batch(*, batch: ImportBatch, user: User, all_or_nothing: bool) -> ImportBatch:
    """Write the good rows of a previewed file, or all or nothing.

    The stored file is read again inside the transaction. Raises StalePreviewError when the records changed since the
    preview (the batch then shows the new one), RowsRefusedError, WrongBatchMoveError when it was confirmed before.
    """
    with transaction.atomic():
        locked = ImportBatch.objects.visible_to(user).select_for_update().get(pk=batch.pk)
        if locked.state != ImportBatch.State.TO_CHECK:
            raise WrongBatchMoveError(f"An import that is {locked.state} cannot be confirmed.")
        plan = plan_again(locked, user)
        if plan.fingerprint == locked.report.get("fingerprint"):
            if all_or_nothing and plan.counts["rejected"]:
                text = _(
                    "Some rows are refused, so that nothing was written. Mend them and send the file again."
                )
                raise RowsRefusedError("rejected", text)
            try:
                with transaction.atomic():
                    return commit_plan(plan=plan, batch=locked, user=user)
            except IntegrityError:
                # Somebody wrote the same record between the plan and the write.
                locked.refresh_from_db()
                plan = plan_again(locked, user)
        refresh_preview(locked, plan, user)
    raise StalePreviewError(
        "stale",
        _(
            "The records changed since the preview. Nothing was written; look at the new preview and confirm again."
        ),
    )


def plan_again(batch: ImportBatch, user: User) -> Plan:
    """Read the stored file of a batch once more, with the options of its preview."""
    return make_plan(
        kind=batch.kind,
        data=batch.file.get(),
        name=batch.file.name,
        user=user,
        options=Options.from_json(batch.options),
    )


def refresh_preview(batch: ImportBatch, plan: Plan, user: User) -> None:
    """Put the outcome of a newer plan in the place of the stored preview."""
    batch.rows.all().delete()
    batch.counts = plan.counts
    batch.report = _report(plan)
    batch.save()
    _write_rows(batch, plan, user)


def cancel_batch(*, batch: ImportBatch) -> None:
    """Give up a preview; WrongBatchMoveError when it was confirmed already."""
    batch.finished_at = timezone.now()
    batch.move(ImportBatch.State.CANCELLED)


def earlier_import(*, plan: Plan, user: User) -> ImportBatch | None:
    """The last import of the very same file for the same kind that the account may know of."""
    return (
        ImportBatch.objects.visible_to(user)
        .filter(
            kind=plan.resource.kind,
            file__digest=plan.digest,
            state__in=(ImportBatch.State.IMPORTED, ImportBatch.State.PARTLY),
        )
        .select_related("file", "sender")
        .order_by("-finished_at")
        .first()
    )


def in_dependency_order(records: Sequence[Record]) -> list[Record]:
    """New records with those first to which others point, since a key is known only once a record is stored."""
    by_model: dict[type[models.Model], list[Record]] = {}
    for record in records:
        by_model.setdefault(type(record), []).append(record)
    ordered: list[Record] = []
    waiting = dict(by_model)
    while waiting:
        free = [model for model in waiting if not _needs(model) & (waiting.keys() - {model})]
        # A circle of models cannot be written at once; the database then says what is wrong.
        for model in free or list(waiting):
            ordered += waiting.pop(model)
    return ordered


def _needs(model: type[models.Model]) -> set[type[models.Model]]:
    return {
        field.related_model
        for field in model._meta.concrete_fields
        if field.is_relation and isinstance(field.related_model, type)
    }


def _school_of(plan: Plan) -> School | None:
    """The school of a batch: the chosen one, else the one that all tables are for.

    A list whose rows name other schools belongs to none: a school's people see its batches with every row.
    """
    found = {row.table.school.pk: row.table.school for row in plan.rows if row.table.school is not None}
    school = plan.context.school or (next(iter(found.values())) if len(found) == 1 else None)
    if school is None:
        return None
    named = {text for row in plan.rows if (text := row.values.get("school"))}
    others = (plan.context.schools.resolve(text).school for text in named)
    return None if any(other is not None and other.pk != school.pk for other in others) else school


def _county_of(plan: Plan) -> County:
    """The county of a batch without a school: the only one, else that of the first record that is written."""
    if len(plan.context.counties) > 1:
        for item in plan.planned:
            for record in (*item.create, *(change.instance for change in item.update)):
                county = getattr(record, "county", None)
                if isinstance(county, County):
                    return county
        return plan.context.counties[0]
    return plan.context.county


def _report(plan: Plan) -> dict[str, Any]:
    """What the preview page shows beside the rows: as in the JSON, masked."""
    told = plan.as_json()
    report = {
        "fingerprint": plan.fingerprint,
        "headers": _headers(plan),
        **{key: told[key] for key in ("repairs", "ignored", "sheets", "columns")},
        "table_warnings": [
            {"sheet": sheet, "row": row, "message": str(message)} for sheet, row, message in plan.warnings
        ],
    }
    found: dict[str, Any] = _storable(report)
    return found


def _headers(plan: Plan) -> list[str]:
    """The columns of the preview's table, in the order of the file."""
    seen: dict[str, None] = {}
    for table in plan.tables:
        for header in table.headers:
            if header.key is not None:
                seen.setdefault(header.text)
    return list(seen)


def _write_rows(batch: ImportBatch, plan: Plan, user: User) -> None:
    rows = [
        ImportRow(
            batch=batch,
            sheet=row.sheet[:60],
            row=row.number,
            outcome=row.outcome or "rejected",
            values=_storable(_values(row)),
            messages=_storable([_message(note) for note in row.notes]),
            warned=any(note.level == "warning" for note in row.notes),
        )
        for row in plan.rows
    ]
    rows += [
        ImportRow(
            batch=batch,
            sheet=item.sheet[:60],
            row=item.row,
            outcome=ImportRow.Outcome.IGNORED,
            messages=[{"level": "ignored", "column": None, "message": item.why}],
        )
        for item in plan.ignored
    ]
    bulk_write(create=rows, actor=user, batch_id=batch.pk)


def _values(row: Row) -> dict[str, str]:
    """The cells as they stand in the file, masked where sensitive."""
    return {row.table.label(key): row.shown(key) for key, value in row.raw.items() if value not in {None, ""}}


def _storable(value: Any) -> Any:
    """JSON without the character NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _message(note: Note) -> dict[str, Any]:
    told: dict[str, Any] = {"level": note.level, "column": note.column}
    if note.level in {"repair", "change"}:
        told |= {"from": note.before, "to": note.after}
    if note.rule:
        told["rule"] = note.rule
    if note.message:
        told |= {"value": note.value, "message": str(note.message)}
    return told
