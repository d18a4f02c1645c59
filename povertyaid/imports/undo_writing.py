"""Writes what an undo takes back: earlier values first, then the new records go, then what had stepped back for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.deleting import dependents_first, parts
from povertyaid.audit.services import Link, Update, bulk_write
from povertyaid.imports.undo_items import Back, Item, Key, by_model
from povertyaid.imports.undo_standing import held_links
from povertyaid.schools.base import Record

if TYPE_CHECKING:
    from povertyaid.imports.models import ImportBatch
    from povertyaid.lib.progress import Progress
    from povertyaid.schools.models import User

_WRITTEN_AT_ONCE = 2000


class CannotReturnError(Exception):
    """Records to which the database denied their earlier values; what was written in the attempt is rolled back."""

    def __init__(self, keys: list[Key]) -> None:
        super().__init__()
        self.keys = keys


@dataclass
class Writer:
    """Writes an undo, and tells how far it is."""

    user: User
    batch: ImportBatch
    reason: str
    progress: Progress
    total: int
    done: int = 0

    def _write(self, **what: Any) -> None:
        bulk_write(**what, actor=self.user, batch_id=self.batch.pk, reason=self.reason)

    def _tell(self, number: int) -> None:
        self.done += number
        self.progress.tell(_("taking back"), min(self.done, self.total), self.total)

    def delete(self, items: Iterable[Item]) -> None:
        """Delete the new records, those that point to others first."""
        groups = by_model(items)
        for model in dependents_first(groups):
            names = [
                column.name for column in model._meta.concrete_fields if isinstance(column, models.ForeignKey)
            ]
            # Records that point to others of their own kind go together: one of them may be in a later piece.
            at_once = len(groups[model]) if _points_to_itself(model) else _WRITTEN_AT_ONCE
            for keys in parts(sorted(groups[model], reverse=True), at_once):
                found: list[Record] = []
                for some in parts(keys):
                    found += model._default_manager.filter(pk__in=some).select_related(*names)
                self._write(delete=found)
                self._tell(len(keys))

    def give_back(self, items: Iterable[Item], *, first: bool) -> None:
        """Give changed records their earlier values, backwards; `first`: those that stepped back for new ones."""
        denied: list[Key] = []
        for model, group in by_model(items).items():
            backs = {pk: item.first if first else item.main for pk, item in group.items()}
            backs = {pk: back for pk, back in backs.items() if back.columns or back.links}
            for keys in parts(reversed(backs)):
                stored = model._default_manager.in_bulk(keys)
                instances = [stored[pk] for pk in keys if pk in stored]
                update = _updates(model, instances, backs)
                links = _links(model, instances, backs)
                try:
                    with transaction.atomic():
                        self._write(update=update, links=links)
                except IntegrityError:
                    denied += self._one_by_one(model, keys, backs)
                if not first:
                    self._tell(len(keys))
        if denied:
            raise CannotReturnError(denied)

    def _one_by_one(self, model: type[Record], keys: Iterable[int], backs: Mapping[int, Back]) -> list[Key]:
        """Write each record by itself; return those that the database denies."""
        denied: list[Key] = []
        for pk in keys:
            instances = list(model._default_manager.filter(pk=pk))
            try:
                with transaction.atomic():
                    self._write(
                        update=_updates(model, instances, backs), links=_links(model, instances, backs)
                    )
            except IntegrityError:
                denied.append((model._meta.label_lower, pk))
        return denied


def _points_to_itself(model: type[Record]) -> bool:
    return any(column.related_model is model for column in model._meta.concrete_fields)


def _updates(model: type[Record], instances: Iterable[Record], backs: Mapping[int, Back]) -> list[Update]:
    """The earlier values of columns, related records as records."""
    instances = list(instances)
    names = {name for instance in instances for name in backs[instance.pk].columns}
    columns: dict[str, Any] = {name: model._meta.get_field(name) for name in names}
    related = {
        name: stored_by_key(
            column.related_model,
            {
                back.columns[name][0]
                for back in (backs[item.pk] for item in instances)
                if name in back.columns
            },
        )
        for name, column in columns.items()
        if isinstance(column, models.ForeignKey)
    }
    updates = []
    for instance in instances:
        values = {
            name: related[name].get(before) if name in related else columns[name].to_python(before)
            for name, (before, _after) in backs[instance.pk].columns.items()
        }
        if values:
            updates.append(Update(instance, values))
    return updates


def _links(model: type[Record], instances: Iterable[Record], backs: Mapping[int, Back]) -> list[Link]:
    """The earlier records of many-to-many fields, without those that are there no more."""
    links = []
    linked = [instance for instance in instances if backs[instance.pk].links]
    for name in {name for instance in linked for name in backs[instance.pk].links}:
        many: Any = model._meta.get_field(name)
        holders = [instance for instance in linked if name in backs[instance.pk].links]
        held = held_links(model, name, [instance.pk for instance in holders])
        wanted = {instance.pk: set(backs[instance.pk].links[name][0]) for instance in holders}
        stored = stored_by_key(many.related_model, set().union(*held.values(), *wanted.values()))
        for instance in holders:
            before = [stored[key] for key in sorted(held.get(instance.pk, set()))]
            values = [stored[key] for key in sorted(wanted[instance.pk]) if key in stored]
            links.append(Link(instance, name, values, before))
    return links


def stored_by_key(model: type[models.Model], keys: Iterable[Any]) -> dict[Any, Any]:
    """Records of a model by key; those that are there no more are left out."""
    found: dict[Any, Any] = {}
    for part in parts(key for key in keys if key is not None):
        found |= model._base_manager.in_bulk(part)
    return found
