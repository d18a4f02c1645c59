"""Hands over what bulk writes change, as it was and as it is from then on, so that somebody can put it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from povertyaid.schools.base import Record

Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What one write changed in one stored record: before and after, by field.

    `columns` hold values as the instance had them (keys of related records, `Sensitive` where encrypted), `links` the
    keys that a many-to-many field held.
    """

    instance: Record
    columns: dict[str, Pair] = field(default_factory=dict)
    links: dict[str, tuple[list[Any], list[Any]]] = field(default_factory=dict)


Sink = Callable[[Kept], None]
_sink: ContextVar[Sink | None] = ContextVar("keeping_before", default=None)


@contextmanager
def keeping_before(sink: Sink) -> Iterator[None]:
    """Hand every change that `bulk_write` applies inside to `sink`; new records are not handed over."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def keep_columns(instance: Record, values: Mapping[str, Any], changed: Sequence[str]) -> None:
    """Called before the new `values` of the `changed` fields are set."""
    sink = _sink.get()
    if sink is None or not changed:
        return
    columns = {}
    for name in changed:
        found = instance._meta.get_field(name)
        before = getattr(instance, getattr(found, "attname", name))
        after = values[name]
        columns[name] = (before, after.pk if isinstance(after, models.Model) else after)
    sink(Kept(instance, columns))


def keep_links(instance: Record, name: str, before: set[Any], after: set[Any]) -> None:
    """Called when a many-to-many field changes."""
    sink = _sink.get()
    if sink is not None:
        sink(Kept(instance, links={name: (sorted(before), sorted(after))}))
