"""The order in which new records are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db import models

    from povertyaid.schools.base import Record


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
