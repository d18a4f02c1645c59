"""The records that a batch touched, one by one: what an undo would do with each, and why it must not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from povertyaid.lib.messages import Message
from povertyaid.schools.base import Record

if TYPE_CHECKING:
    from povertyaid.imports.models import ImportBatch

Key = tuple[str, int]

# What an app says about its own records: keys → why one of them must stay (a payment that was signed for).
Guard = Callable[[list[int]], Mapping[int, Message]]
_guards: dict[str, list[Guard]] = {}


def guard(model: type[Record]) -> Callable[[Guard], Guard]:
    """Decorator: ask this about the records of `model` that an undo would delete or change back.

    Found in `undoing.py` of each app when Django starts. It gets at most some hundred keys at a time.
    """

    def wrap(function: Guard) -> Guard:
        found = _guards.setdefault(model._meta.label_lower, [])
        if function not in found:
            found.append(function)
        return function

    return wrap


@dataclass(slots=True)
class Back:
    """What a stage of the import changed in a record: before and after by column, keys before and after by link."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    links: dict[str, list[list[Any]]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Item:
    """One record that the batch touched; `reasons` say why it stays as it is.

    `first` is what stepped back before the rows were written, and returns only after new records are deleted. `hidden`:
    the account may not know of the record; it was changed as a consequence of the rows.
    """

    model: type[Record]
    pk: int
    label: str
    created: bool
    main: Back = field(default_factory=Back)
    first: Back = field(default_factory=Back)
    reasons: list[Message] = field(default_factory=list)
    gone: bool = False
    follows: bool = False
    hidden: bool = False

    @property
    def action(self) -> str:
        """gone (somebody deleted it since), refused, delete or restore."""
        if self.gone:
            return "gone"
        if self.reasons:
            return "refused"
        return "delete" if self.created else "restore"

    @property
    def key(self) -> Key:
        """By what it is found in a plan."""
        return (self.model._meta.label_lower, self.pk)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """By column the value that it would return to, and the one that the import wrote last."""
        found = dict(self.main.columns)
        for name, (before, after) in self.first.columns.items():
            found[name] = [before, found[name][1] if name in found else after]
        return found

    @property
    def links(self) -> dict[str, list[list[Any]]]:
        """By many-to-many field the keys that it would return to, and those that the import wrote."""
        return {**self.first.links, **self.main.links}


@dataclass
class UndoPlan:
    """Every record that a batch touched, and what an undo would do with it."""

    batch: ImportBatch
    items: dict[Key, Item] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of records by action: delete, restore, refused, gone."""
        found = Counter(item.action for item in self.items.values())
        return {name: found[name] for name in ("delete", "restore", "refused", "gone")}

    def of(self, action: str) -> list[Item]:
        """The records with one action, in the order in which the import wrote them."""
        return [item for item in self.items.values() if item.action == action]


Groups = dict[type[Record], dict[int, Item]]


def guards_of(model: type[Record]) -> list[Guard]:
    """What the apps ask about the records of a model."""
    return _guards.get(model._meta.label_lower, [])


def by_model(items: Iterable[Item]) -> Groups:
    """Items by model and key."""
    found: Groups = {}
    for item in items:
        found.setdefault(item.model, {})[item.pk] = item
    return found
