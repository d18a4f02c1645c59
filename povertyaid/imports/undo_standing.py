"""Who stands on whom: a record that must stay keeps what it points to, and what is a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.deleting import parts, relations
from povertyaid.audit.models import Change
from povertyaid.imports.resources import kinds
from povertyaid.imports.undo_items import Groups, Item, Key, UndoPlan, by_model
from povertyaid.lib.messages import Message
from povertyaid.schools.base import Record


def held_links(model: type[Record], name: str, keys: Iterable[int]) -> dict[int, set[int]]:
    """By record the keys that one of its many-to-many fields holds."""
    many: Any = model._meta.get_field(name)
    own, other = f"{many.m2m_field_name()}_id", f"{many.m2m_reverse_field_name()}_id"
    found: dict[int, set[int]] = {}
    for part in parts(keys):
        rows = many.remote_field.through._base_manager.filter(**{f"{own}__in": part}).values_list(own, other)
        for owner, target in rows:
            found.setdefault(owner, set()).add(target)
    return found


def _created(items: Mapping[int, Item]) -> set[int]:
    return {pk for pk, item in items.items() if item.created and not item.gone}


def pointed_at(plan: UndoPlan, groups: Groups, changes: models.QuerySet[Change]) -> None:
    """Refuse new records to which records point that the batch did not add, unless those return to something else.

    `changes` is what the history tells of the batch.
    """
    for model, items in groups.items():
        targets = _created(items)
        if not targets:
            continue
        own = changes.filter(model=model._meta.label_lower, action=Change.Action.ADD).order_by()
        standing: dict[int, Counter[type[models.Model]]] = {}
        for other, column in relations(model):
            holder, name = _holder(other)
            if holder is model and name is not None and column.name == _own_side(model, name):
                continue
            rows = other._base_manager.filter(**{f"{column.attname}__in": own.values("object_id")})
            owner = _owner_column(holder, name) if name is not None else "pk"
            added = _created(groups.get(holder, {})) if issubclass(holder, Record) else set()
            for pk, target in rows.values_list(owner, column.attname).iterator():
                if pk in added or target not in targets:
                    continue
                item = plan.items.get((holder._meta.label_lower, pk))
                if item is not None and _lets_go(item, name or column.name, target, linked=name is not None):
                    continue
                standing.setdefault(target, Counter())[holder] += 1
        for target, numbers in standing.items():
            items[target].reasons.append(_stood_on(numbers))


def _stood_on(numbers: Counter[type[models.Model]]) -> Message:
    told = "、".join(f"{holder._meta.verbose_name} {number}" for holder, number in numbers.items())
    return Message(
        "stands", _("Other records stand on it that were entered since: %(records)s."), {"records": told}
    )


def _holder(other: type[models.Model]) -> tuple[type[models.Model], str | None]:
    """Whose record points: of a table of links the record that holds the link, with the name of its field."""
    if not other._meta.auto_created:
        return other, None
    owner: Any = other._meta.auto_created
    many = next(item for item in owner._meta.local_many_to_many if item.remote_field.through is other)
    return owner, many.name


def _own_side(model: type[models.Model], name: str) -> str:
    many: Any = model._meta.get_field(name)
    found: str = many.m2m_field_name()
    return found


def _owner_column(holder: type[models.Model], name: str) -> str:
    return f"{_own_side(holder, name)}_id"


def _lets_go(item: Item, name: str, target: int, *, linked: bool) -> bool:
    """Whether a changed record, given back its values, would point to `target` no longer."""
    if linked:
        return name in item.links and target not in item.links[name][0]
    return name in item.columns and item.columns[name][0] != target


def spread(plan: UndoPlan, groups: Groups, settled: set[Key]) -> None:
    """What a record that stays points to stays too, and so do the parts of it; until nothing more follows."""
    # Kinds that people import are records of their own; what else goes with its owner is a part of it.
    whole = {resource.model for resource in kinds()}
    while True:
        fresh = [item for item in plan.of("refused") if item.key not in settled]
        if not fresh:
            return
        settled |= {item.key for item in fresh}
        for model, items in by_model(fresh).items():
            _keep_targets(model, items, groups)
            for other, column in relations(model):
                is_part = (
                    getattr(column.remote_field, "on_delete", None) is models.CASCADE and other not in whole
                )
                if is_part and issubclass(other, Record) and other in groups:
                    _keep_parts(groups[other], other, column, items)


def _keep_targets(model: type[Record], items: Mapping[int, Item], groups: Groups) -> None:
    links = [column for column in model._meta.concrete_fields if isinstance(column, models.ForeignKey)]
    columns: list[tuple[str, Mapping[int, Item]]] = [
        (column.attname, groups[column.related_model]) for column in links if column.related_model in groups
    ]
    for keys in parts(items) if columns else ():
        names = [name for name, _group in columns]
        for pk, *targets in model._base_manager.filter(pk__in=keys).values_list("pk", *names):
            for (_name, group), target in zip(columns, targets, strict=True):
                if target in group:
                    _stays_below(group[target], items[pk])
    for many in model._meta.local_many_to_many:
        related: Any = many.related_model
        group = groups.get(related, {})
        for pk, held in held_links(model, many.name, items if group else ()).items():
            for target in held & group.keys():
                _stays_below(group[target], items[pk])


def _stays_below(item: Item, above: Item) -> None:
    if not item.created or item.gone or item.reasons:
        return
    text = _("%(kind)s “%(name)s” stands on it, which stays.")
    item.reasons.append(Message("below", text, {"kind": above.model._meta.verbose_name, "name": above.label}))


def _keep_parts(
    candidates: Mapping[int, Item],
    other: type[models.Model],
    column: models.Field[Any, Any],
    owners: Mapping[int, Item],
) -> None:
    for keys in parts(pk for pk, owner in owners.items() if owner.created):
        rows = other._base_manager.filter(**{f"{column.attname}__in": keys}).values_list("pk", column.attname)
        for pk, target in rows:
            part = candidates.get(pk)
            if part is None or not part.created or part.gone or part.reasons:
                continue
            text = _("It belongs to %(kind)s “%(name)s”, which stays.")
            params = {"kind": owners[target].model._meta.verbose_name, "name": owners[target].label}
            part.reasons.append(Message("part", text, params))
