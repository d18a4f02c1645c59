"""Whether records can return to earlier values: nothing else may hold what must be unique, nothing be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.deleting import parts
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.fields import EncryptedField
from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from povertyaid.schools.base import Record

# Several columns of so many records are the parameters of one statement.
_AT_ONCE = 200
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "exact": lambda value, other: bool(value == other),
    "isnull": lambda value, other: (value is None) is bool(other),
    "in": lambda value, other: value in other,
    "gt": lambda value, other: value is not None and value > other,
    "gte": lambda value, other: value is not None and value >= other,
    "lt": lambda value, other: value is not None and value < other,
    "lte": lambda value, other: value is not None and value <= other,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The values that some columns of a record shall have, as `keeping.plain` gives them."""

    columns: Mapping[str, Any]


def conflicts(model: type[Record], wanted: Mapping[int, Wanted], leaving: set[int]) -> dict[int, Message]:
    """By record why it cannot have the wanted values, given that the `leaving` records are deleted."""
    found = _missing(model, wanted)
    touched = {name for item in wanted.values() for name in item.columns}
    for constraint in _unique(model):
        names = _columns_of(constraint)
        if not touched & _sources(model, names):
            continue
        after = _values_after(model, wanted, names)
        found |= _clashes(model, constraint, after, leaving | wanted.keys())
    return found


def _missing(model: type[Record], wanted: Mapping[int, Wanted]) -> dict[int, Message]:
    """Records that would point to something that is not there any more."""
    found: dict[int, Message] = {}
    for column in model._meta.concrete_fields:
        if not isinstance(column, models.ForeignKey):
            continue
        targets = {
            pk: item.columns[column.name]
            for pk, item in wanted.items()
            if item.columns.get(column.name) is not None
        }
        related: Any = column.related_model
        stored: set[Any] = set()
        for keys in parts(set(targets.values())):
            stored |= set(related._base_manager.filter(pk__in=keys).values_list("pk", flat=True))
        text = _("The earlier “%(column)s” is there no more.")
        for pk, target in targets.items():
            if target not in stored:
                found[pk] = Message("missing", text, {"column": column.verbose_name})
    return found


def _unique(model: type[Record]) -> list[models.UniqueConstraint]:
    found = [
        item for item in model._meta.constraints if isinstance(item, models.UniqueConstraint) and item.fields
    ]
    found += [
        models.UniqueConstraint(fields=[column.name], name=column.name)
        for column in model._meta.concrete_fields
        if column.unique and not column.primary_key
    ]
    return found


def _columns_of(constraint: models.UniqueConstraint) -> list[str]:
    names = list(constraint.fields)
    names += [name for name in _named(constraint.condition) if name not in names]
    return names


def _named(condition: models.Q | None) -> list[str]:
    if condition is None:
        return []
    found: list[str] = []
    children: list[Any] = list(condition.children)
    for child in children:
        found += _named(child) if isinstance(child, models.Q) else [str(child[0]).partition("__")[0]]
    return found


def _sources(model: type[Record], names: list[str]) -> set[str]:
    """The columns whose values decide these: of a hash the encrypted column that it is made of."""
    found = set(names)
    for column in model._meta.concrete_fields:
        if isinstance(column, EncryptedField) and {column.hash_field, column.tail_field} & found:
            found.add(column.name)
    return found


def _values_after(
    model: type[Record], wanted: Mapping[int, Wanted], names: list[str]
) -> dict[int, dict[str, Any]]:
    """The values of some columns, as they would be afterwards."""
    columns: dict[str, Any] = {name: model._meta.get_field(name) for name in names}
    hashed = {
        column.hash_field: column
        for column in model._meta.concrete_fields
        if isinstance(column, EncryptedField) and column.hash_field in columns
    }
    found: dict[int, dict[str, Any]] = {}
    for keys in parts(wanted):
        rows = model._base_manager.filter(pk__in=keys).values_list(
            "pk", *(c.attname for c in columns.values())
        )
        for pk, *values in rows:
            after = dict(zip(names, values, strict=True))
            given = wanted[pk].columns
            for name, column in columns.items():
                if name in given:
                    is_key = isinstance(column, models.ForeignKey)
                    after[name] = given[name] if is_key else column.to_python(given[name])
                elif name in hashed and hashed[name].name in given:
                    after[name] = lookup_hash(hashed[name].domain, given[hashed[name].name] or "")
            found[pk] = after
    return found


def _clashes(
    model: type[Record],
    constraint: models.UniqueConstraint,
    after: Mapping[int, Mapping[str, Any]],
    changing: set[int],
) -> dict[int, Message]:
    """Records whose values another one has: one that is not changed, or one that would get the same."""
    names = list(constraint.fields)
    values: dict[tuple[Any, ...], list[int]] = {}
    for pk, row in after.items():
        key = tuple(row[name] for name in names)
        if None not in key and holds(constraint.condition, row):
            values.setdefault(key, []).append(pk)
    found = {pk for same in values.values() if len(same) > 1 for pk in same}
    columns: Any = [model._meta.get_field(name) for name in names]
    rows = model._base_manager.all()
    if constraint.condition is not None:
        rows = rows.filter(constraint.condition)
    for part in parts(values, _AT_ONCE):
        condition = {
            f"{column.attname}__in": {key[place] for key in part} for place, column in enumerate(columns)
        }
        for pk, *key in rows.filter(**condition).values_list("pk", *(column.attname for column in columns)):
            if pk not in changing:
                found |= set(values.get(tuple(key), ()))
    text = _("Another record has the earlier value of “%(columns)s” now.")
    words = "、".join(_word(model, name) for name in names)
    return {pk: Message("taken", text, {"columns": words}) for pk in found}


def _word(model: type[Record], name: str) -> str:
    """What a column is called; of a hash the encrypted column that it is made of."""
    for column in model._meta.concrete_fields:
        if isinstance(column, EncryptedField) and name == column.hash_field:
            return str(column.verbose_name)
    return str(getattr(model._meta.get_field(name), "verbose_name", name))


def holds(condition: models.Q | None, row: Mapping[str, Any]) -> bool:
    """Whether a condition on columns holds for these values; what cannot be told here counts as holding."""
    if condition is None:
        return True
    told = []
    children: list[Any] = list(condition.children)
    for child in children:
        if isinstance(child, models.Q):
            told.append(holds(child, row))
            continue
        name, _sign, lookup = str(child[0]).partition("__")
        compare = _COMPARE.get(lookup or "exact")
        told.append(compare is None or name not in row or compare(row[name], child[1]))
    found = any(told) if condition.connector == models.Q.OR else all(told)
    return found is not condition.negated
