"""Deletes records in bulk: nothing goes along unseen. Only `povertyaid.audit.services` calls `delete`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models import ProtectedError

from povertyaid.audit import recorder
from povertyaid.schools.base import Record

# SQLite takes 999 parameters a statement where it was built that way.
KEYS_AT_ONCE = 800


def delete(instances: Sequence[Record]) -> list[tuple[Any, ...]]:
    """Delete stored records, those that point to others first; return rows of the history (`recorder.ROW`), not stored.

    Their own many-to-many links go with them. Nothing else does: ProtectedError when any other record points to one,
    whatever its foreign key would do; the caller's transaction is then rolled back.
    """
    history: list[tuple[Any, ...]] = []
    by_model: dict[type[Record], list[Record]] = {}
    for instance in instances:
        by_model.setdefault(type(instance), []).append(instance)
    for model in dependents_first(by_model):
        found = by_model[model]
        if recorder.is_kept(model):
            history += recorder.deleted(found)
        keys = [instance.pk for instance in found]
        for through, column in _own_links(model):
            for part in parts(keys):
                through._base_manager.filter(**{f"{column}__in": part}).delete()
        for part in parts(keys):
            queryset: Any = model._base_manager.filter(pk__in=part)
            queryset._raw_delete(queryset.db)
    for model, found in by_model.items():
        _nothing_left(model, [instance.pk for instance in found])
    return history


def dependents_first(found: Collection[type[Record]]) -> list[type[Record]]:
    """The models in an order in which their records can be deleted: who points to another goes before it."""
    waiting = list(found)
    ordered: list[type[Record]] = []
    while waiting:
        free = [
            model
            for model in waiting
            if not any(model in _points_to(other) for other in waiting if other is not model)
        ]
        # In a circle any may be the first: the database checks only at the end.
        ordered += free or waiting[:1]
        waiting = [model for model in waiting if model not in ordered]
    return ordered


def relations(model: type[models.Model]) -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    """Every foreign key that points to a model, with the model that it stands in (tables of links too)."""
    for found in model._meta.get_fields(include_hidden=True):
        relation: Any = found
        if found.auto_created and not found.concrete and (found.one_to_many or found.one_to_one):
            yield relation.related_model, relation.field


def parts(keys: Iterable[Any], size: int = KEYS_AT_ONCE) -> Iterator[list[Any]]:
    """The keys in pieces that one statement takes."""
    wanted = list(keys)
    for start in range(0, len(wanted), size):
        yield wanted[start : start + size]


def _points_to(model: type[models.Model]) -> set[Any]:
    return {found.related_model for found in model._meta.concrete_fields if found.is_relation}


def _own_links(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    for found in model._meta.local_many_to_many:
        many: Any = found
        if many.remote_field.through._meta.auto_created:
            yield many.remote_field.through, many.m2m_field_name()


def _nothing_left(model: type[models.Model], keys: list[Any]) -> None:
    for other, column in relations(model):
        for part in parts(keys):
            left = set(other._base_manager.filter(**{f"{column.attname}__in": part})[:5])
            if left:
                msg = f"{other._meta.label}.{column.name} points to records of {model._meta.label}."
                raise ProtectedError(msg, left)
