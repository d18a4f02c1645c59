"""The only place that writes in bulk, and the writer of the access log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from povertyaid.audit import recorder
from povertyaid.audit.actor import acting_as
from povertyaid.audit.models import AccessLog, Change
from povertyaid.lib import masks
from povertyaid.schools.base import Record
from povertyaid.schools.models import User

BATCH_SIZE = 500


@dataclass
class Update:
    """New values for some fields of a stored record."""

    instance: Record
    values: dict[str, Any]


@dataclass(frozen=True)
class Written:
    """How many records a bulk write added and changed."""

    created: int
    updated: int


@transaction.atomic
def bulk_write(
    *,
    create: Sequence[Record] = (),
    update: Sequence[Update] = (),
    actor: User | None,
    batch_id: int | None = None,
    reason: str = "",
) -> Written:
    """Add and change records in bulk and keep their history, all or nothing.

    `create` is written in the order of its models' first appearance, so put what others point to first.
    Updates that change nothing are left out; every written record's version rises by one.
    """
    with acting_as(actor, batch_id=batch_id, reason=reason):
        history: list[Change] = []
        for instances in _by_model(create):
            model = type(instances[0])
            for instance in instances:
                instance.prepare()
            model._default_manager.bulk_create(instances, batch_size=BATCH_SIZE)
            if recorder.is_kept(model):
                history += [
                    recorder.entry(instance, Change.Action.ADD, recorder.additions(instance))
                    for instance in instances
                ]
        changed: dict[type[Record], tuple[list[Record], set[str]]] = {}
        for item in update:
            told, names = _apply(item)
            if not names:
                continue
            model = type(item.instance)
            objects, columns = changed.setdefault(model, ([], set()))
            objects.append(item.instance)
            columns |= names
            if recorder.is_kept(model):
                history.append(recorder.entry(item.instance, Change.Action.CHANGE, told))
        for model, (objects, columns) in changed.items():
            model._default_manager.bulk_update(objects, sorted(columns), batch_size=BATCH_SIZE)
        Change.objects.bulk_create(history, batch_size=BATCH_SIZE)
    return Written(created=len(create), updated=sum(len(objects) for objects, _columns in changed.values()))


def _by_model(instances: Sequence[Record]) -> Iterable[list[Record]]:
    order: dict[type[Record], int] = {}
    for instance in instances:
        order.setdefault(type(instance), len(order))
    ordered = sorted(instances, key=lambda instance: order[type(instance)])
    return [list(group) for _model, group in groupby(ordered, key=type)]


def _apply(item: Update) -> tuple[list[dict[str, str]], set[str]]:
    """Set the new values; return what the history tells and the names of the columns to write."""
    instance = item.instance
    told: list[dict[str, str]] = []
    names: set[str] = set()
    for name, value in item.values.items():
        field = instance._meta.get_field(name)
        if not isinstance(field, models.Field):
            msg = f"{name} is not a column of {instance._meta.label}"
            raise TypeError(msg)
        before = getattr(instance, field.attname)
        after = value.pk if isinstance(value, models.Model) else value
        if not recorder.differs(field, before, after):
            continue
        setattr(instance, name, value)
        told.append(
            {"field": name, "from": recorder.shown(field, before), "to": recorder.shown(field, after)}
        )
        names.add(name)
        names |= {
            other for other in (getattr(field, "hash_field", ""), getattr(field, "tail_field", "")) if other
        }
    if names:
        instance.prepare()
        instance.version += 1
        instance.updated_at = timezone.now()
        derived = {"name_key", "name_initials"} & {f.name for f in instance._meta.concrete_fields}
        names |= derived | {"version", "updated_at"}
    return told, names


def log_access(
    action: str,
    *,
    user: User | None,
    record: models.Model | None = None,
    model: str = "",
    detail: dict[str, Any] | None = None,
    reason: str = "",
) -> AccessLog:
    """Record that somebody read, revealed, exported or printed something."""
    return AccessLog.objects.create(
        action=action,
        actor=user if user is not None and user.pk else None,
        actor_name=user.username if user is not None else "",
        model=record._meta.label_lower if record is not None else model,
        object_id=record.pk if record is not None else None,
        object_label=masks.scrub(str(record))[: recorder.LABEL_LENGTH] if record is not None else "",
        detail=detail or {},
        reason=reason[:200],
    )
