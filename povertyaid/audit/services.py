"""The only place that writes in bulk, and the writer of the access log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import groupby
from operator import or_
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from povertyaid.audit import deleting, inserting, keeping, recorder
from povertyaid.audit.actor import acting_as
from povertyaid.audit.models import AccessLog, Change
from povertyaid.lib import masks
from povertyaid.schools.base import Record
from povertyaid.schools.models import User

# Conditions joined by OR in one statement: SQLite stops at a depth of 1000.
LINKS_AT_ONCE = 200


@dataclass
class Update:
    """New values for some fields of a stored record."""

    instance: Record
    values: dict[str, Any]


@dataclass
class Link:
    """What a many-to-many field of a record holds from now on; `before` is what it holds in the database."""

    instance: Record
    field: str
    values: Sequence[models.Model]
    before: Sequence[models.Model] = ()


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
    links: Sequence[Link] = (),
    delete: Sequence[Record] = (),
    actor: User | None,
    batch_id: int | None = None,
    reason: str = "",
) -> Written:
    """Add and change records in bulk and keep their history, all or nothing.

    `create` is written in the order of its models' first appearance, so put what others point to first.
    Updates that change nothing are left out; every written record's version rises by one. `links` are written last;
    their records may be among `create`. `delete` comes last of all, in an order that foreign keys allow; records that
    others still point to raise ProtectedError (`deleting.delete`).
    """
    with acting_as(actor, batch_id=batch_id, reason=reason):
        history: list[tuple[Record, list[dict[str, str]]]] = []
        for instances in _by_model(create):
            model = type(instances[0])
            for instance in instances:
                instance.prepare()
            inserting.insert(model, instances)
            if recorder.is_kept(model):
                inserting.insert_rows(Change, recorder.ROW, recorder.added(instances))
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
                history.append((item.instance, told))
        for model, (objects, columns) in changed.items():
            inserting.update(model, objects, sorted(columns))
        history += _write_links(links)
        inserting.insert_rows(Change, recorder.ROW, recorder.changed(history))
        if delete:
            inserting.insert_rows(Change, recorder.ROW, deleting.delete(delete))
    return Written(created=len(create), updated=sum(len(objects) for objects, _columns in changed.values()))


@transaction.atomic
def bulk_rows(model: type[Record], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows of a model that keeps no history, without an instance for each; see `inserting.insert_rows`."""
    if recorder.is_kept(model):
        msg = f"{model._meta.label} keeps a history; write it with bulk_write."
        raise TypeError(msg)
    inserting.insert_rows(model, names, rows)


def _by_model(instances: Sequence[Record]) -> Iterable[list[Record]]:
    order: dict[type[Record], int] = {}
    for instance in instances:
        order.setdefault(type(instance), len(order))
    ordered = sorted(instances, key=lambda instance: order[type(instance)])
    return [list(group) for _model, group in groupby(ordered, key=type)]


def _write_links(links: Sequence[Link]) -> list[tuple[Record, list[dict[str, str]]]]:
    """Add and take away rows of the tables behind many-to-many fields; return what the history tells."""
    history: list[tuple[Record, list[dict[str, str]]]] = []
    added: dict[type[models.Model], list[models.Model]] = {}
    removed: dict[type[models.Model], list[Q]] = {}
    for link in links:
        field = link.instance._meta.get_field(link.field)
        if not isinstance(field, models.ManyToManyField):
            msg = f"{link.field} is not a many-to-many field of {link.instance._meta.label}"
            raise TypeError(msg)
        before, after = {item.pk for item in link.before}, {item.pk for item in link.values}
        if before == after:
            continue
        keeping.keep_links(link.instance, link.field, before, after)
        through: Any = field.remote_field.through
        own, other = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
        added.setdefault(through, []).extend(
            through(**{own: link.instance.pk, other: key}) for key in sorted(after - before)
        )
        if before - after:
            removed.setdefault(through, []).append(
                Q(**{own: link.instance.pk, f"{other}__in": sorted(before - after)})
            )
        if recorder.is_kept(type(link.instance)):
            texts = ["、".join(sorted(map(str, items))) for items in (link.before, link.values)]
            told = [{"field": link.field, "from": texts[0], "to": texts[1]}]
            history.append((link.instance, told))
    for model, conditions in removed.items():
        for start in range(0, len(conditions), LINKS_AT_ONCE):
            part = conditions[start : start + LINKS_AT_ONCE]
            model._default_manager.filter(reduce(or_, part)).delete()
    for model, rows in added.items():
        inserting.insert(model, rows)
    return history


def differences(instance: Record, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what `values` would change in a record, as the history tells it (masked); nothing is changed."""
    told = []
    columns = _columns(type(instance))
    for name, value in values.items():
        field = columns.get(name)
        if field is None:
            msg = f"{name} is not a column of {instance._meta.label}"
            raise TypeError(msg)
        before = getattr(instance, field.attname)
        after = value.pk if isinstance(value, models.Model) else value
        # A related record that is not stored yet has no key, and so differs from every stored one.
        unsaved = isinstance(value, models.Model) and after is None
        if unsaved or recorder.differs(field, before, after):
            told.append(
                {"field": name, "from": recorder.shown(field, before), "to": recorder.shown(field, after)}
            )
    return told


@lru_cache(maxsize=256)
def _columns(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    return {field.name: field for field in model._meta.concrete_fields}


def _apply(item: Update) -> tuple[list[dict[str, str]], set[str]]:
    """Set the new values; return what the history tells and the names of the columns to write."""
    instance = item.instance
    told = differences(instance, item.values)
    names: set[str] = set()
    keeping.keep_columns(instance, item.values, [entry["field"] for entry in told])
    for entry in told:
        name = entry["field"]
        field: Any = instance._meta.get_field(name)
        setattr(instance, name, item.values[name])
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
        reason=masks.scrub(reason)[:200],
    )
