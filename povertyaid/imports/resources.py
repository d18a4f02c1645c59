"""How a kind of spreadsheet is declared: its columns, its permission, and what its rows become.

A kind is one class in the `resources.py` of its app, found when Django starts:

    @register
    class VillageResource(SheetResource):
        kind = "villages"                          # the KIND of the command line
        label = _("villages")
        model = Village
        permission = "households.import_village"
        columns = (
            Column("township", ("乡镇", "乡(镇)"), clean_text, required=True, example="青石镇"),
            …
        )

        def plan(self, rows, context):
            …

The engine reads the file, finds the tables, cleans every cell and hands all rows of a file to `plan` at once. `plan`
looks things up in a constant number of queries (`by_key`), always beginning at `visible_to(context.user)`, and writes
nothing: it returns one `Planned` for each record of the kind. A row that cannot be taken is refused with
`row.refuse(key, message)`; every row must either be refused or belong to a `Planned`. Cells that hold nothing are not
in `row.values`, so that an empty cell never erases what is stored.

What other apps must do once rows are written (students link themselves to new household members) is registered with
`hooks.after_commit`, since nothing below may import them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.services import Link, Update, differences
from povertyaid.lib.cells import Cleaned, Context, as_text, is_blank, mask_value
from povertyaid.lib.cells.base import Sensitive
from povertyaid.lib.chunks import keys_at_once
from povertyaid.lib.masks import scrub
from povertyaid.lib.messages import Message
from povertyaid.lib.sheets.headers import match_columns
from povertyaid.schools.base import Record

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from povertyaid.imports.context import ImportContext, TableInfo
    from povertyaid.imports.questions import Question
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import School, User

Action = Literal["created", "updated", "unchanged", "rejected"]
Level = Literal["error", "warning", "repair", "change"]
Text = "StrOrPromise | Message"
RecordT = TypeVar("RecordT", bound=Record)
# Values that one query looks up at most.
KEYS_AT_ONCE = 5_000
# From so many values on it is looked whether all records are read, when they are at most this many times as many.
_MANY_KEYS, _READ_WHOLE = 2_000, 2


class Cleaner(Protocol):
    """A cleaner of `povertyaid.lib.cells`; further arguments are fixed with functools.partial."""

    def __call__(self, value: Value, *, ctx: Context) -> Cleaned[Any]:
        """Return the value of a cell, or raise CellError."""


@dataclass(frozen=True)
class Column:
    """One column of a kind: the key in `row.values`, the headers under which it arrives, and how cells are read.

    `headers` begins with the published one, the rest are synonyms. `required`: the header must be in the file (or be
    given for the whole file), and the cell must hold something; `header_required` alone asks for the header only.
    `sensitive` says how the raw cell is masked wherever it is shown. `choices`, `example`, `text` (the column keeps
    text format, as numbers that must not lose digits) and `help` make the template and the documentation.
    """

    key: str
    headers: tuple[str, ...]
    cleaner: Cleaner
    required: bool = False
    header_required: bool = False
    sensitive: Sensitive = ""
    choices: tuple[str, ...] = ()
    example: str = ""
    text: bool = False
    help: StrOrPromise = ""
    # Whether an empty cell may erase what is stored, when the sender asks for that: only texts that may be empty.
    erases: bool = False

    @property
    def header(self) -> str:
        """The published header."""
        return self.headers[0]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell about a cell, or about the whole row when `column` is None; values are masked already.

    `column` is the lowest header text in the file. `before` and `after` are for repairs and changes, `rule` for repairs.
    """

    level: Level
    column: str | None
    value: str = ""
    message: StrOrPromise | Message = ""
    before: str = ""
    after: str = ""
    rule: str = ""


@dataclass(slots=True, eq=False)
class Row:
    """One row of a table, cleaned: `values` by column key, without what is blank or wrong.

    `outcome` is set by the engine, and by a resource where one record takes several rows. `refused` is the number of
    records of the kind that the row fails to give: by default one when the row has an error. A resource sets it where
    a row holds several (a helper with three pupils); then the row may have errors and planned records at once.
    """

    table: TableInfo
    number: int
    values: dict[str, Any]
    raw: MutableMapping[str, Value]
    hidden: bool = False
    notes: list[Note] = field(default_factory=list)
    refused: int | None = None
    outcome: Action | None = None
    question: Question | None = None
    # The stored record that the row of a list for return carries; it is matched by nothing else.
    returned: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong with the row so far."""
        return not self.notes or not any(note.level == "error" for note in self.notes)

    @property
    def sheet(self) -> str:
        """The name of the sheet."""
        return self.table.name

    @property
    def school(self) -> School | None:
        """The school for rows that do not name one: the option, else what the title says."""
        return self.table.school

    @property
    def period(self) -> str | None:
        """The code of the period for rows that do not name one: the option, else what the title says."""
        return self.table.period

    @property
    def semester(self) -> str | None:
        """The semester that goes with `period`; None when there is none or not exactly one."""
        return self.table.semester

    @property
    def rejected(self) -> int:
        """How many records of the kind the row failed to give."""
        return self.refused if self.refused is not None else int(not self.ok)

    def get(self, key: str, default: Any = None) -> Any:
        """The clean value of a column, or the default when the cell is blank or wrong or the column is missing."""
        return self.values.get(key, default)

    def column(self, key: str | None) -> str | None:
        """The header of a column as this file writes it; the published one when the file lacks the column."""
        return self.table.label(key) if key is not None else None

    def shown(self, key: str | None) -> str:
        """The raw cell as it may be shown."""
        if key is None or key not in self.raw:
            return ""
        value, sensitive = self.raw[key], self.table.sensitive(key)
        # 无 and / are no telephone number that must be hidden.
        return (as_text(value) if sensitive and is_blank(value) else mask_value(value, sensitive))[:200]

    def refuse(self, key: str | None, message: StrOrPromise | Message, *, value: str | None = None) -> None:
        """Refuse the row for what stands in a column, or as a whole (None); several reasons may be told.

        The message says what is wrong and how to mend it, and holds no sensitive value.
        """
        self.notes.append(
            Note("error", self.column(key), self.shown(key) if value is None else value, message)
        )

    def ask(self, question: Question) -> None:
        """Refuse the row until a person decides which stored record it means (`ImportContext.decision`)."""
        self.question = question
        self.refuse(question.key, question.message)

    def warn(self, key: str | None, message: StrOrPromise | Message) -> None:
        """Ask a person to look at a cell or at the row; it is taken all the same."""
        self.notes.append(Note("warning", self.column(key), self.shown(key), message))

    def repaired(self, key: str, before: str, after: str, rule: str) -> None:
        """Tell that a value was changed on the way; `before` and `after` must be masked where sensitive."""
        self.notes.append(
            Note("repair", self.column(key), before=scrub(before), after=scrub(after), rule=rule)
        )


@dataclass(slots=True, eq=False)
class Planned:
    """One record of the kind that rows of the file give, and everything that must be written for it.

    `row` is where the record is told, `rows` are all rows that it was read from (by default `row` alone). `values` are
    for the JSON and the preview: Chinese words, normal forms, sensitive values masked.
    """

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    create: list[Record] = field(default_factory=list)
    update: list[Update] = field(default_factory=list)
    # Written before everything else: what must step back so that a constraint holds (an old head before a new one).
    first: list[Update] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    new: bool = False

    def __post_init__(self) -> None:
        """A record is read from its own row unless more are named."""
        if not self.rows:
            self.rows = [self.row]

    @property
    def action(self) -> Action:
        """What would happen: created when the main record is new, updated when anything is written, else unchanged."""
        if self.new:
            return "created"
        return "updated" if self.create or self.update or self.links else "unchanged"

    def add(self, instance: RecordT, *, main: bool = False) -> RecordT:
        """Plan a new record; `main` when it is the one that the kind counts. Order does not matter."""
        self.create.append(instance)
        self.new = self.new or main
        return instance

    def change(
        self,
        instance: Record,
        values: Mapping[str, Any],
        *,
        row: Row | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> bool:
        """Plan the values of fields that differ from what is stored, and tell old → new; say whether any does.

        Pass only what the file holds. `keys` maps fields to column keys where they differ, for telling the column.
        """
        changed = differences(instance, values)
        if not changed:
            return False
        row = row or self.row
        for item in changed:
            name = item["field"]
            key = (keys or {}).get(name, name)
            label = row.table.labels.get(key) or str(instance._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
            before, after = (display(instance, name, text) for text in (item["from"], item["to"]))
            if isinstance(values[name], models.Model):
                after = str(values[name])
            row.notes.append(Note("change", label, before=before, after=after))
        self.update.append(Update(instance, {item["field"]: values[item["field"]] for item in changed}))
        return True

    def link(
        self, instance: Record, name: str, values: Sequence[Record], before: Sequence[Record] = ()
    ) -> bool:
        """Plan what a many-to-many field holds from now on; say whether that differs from `before`."""
        if {item.pk for item in values} == {item.pk for item in before}:
            return False
        self.links.append(Link(instance, name, values, before))
        if before:
            label = str(instance._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
            texts = ["、".join(map(str, items)) for items in (before, values)]
            self.row.notes.append(Note("change", label, before=texts[0], after=texts[1]))
        return True


def display(instance: models.Model, name: str, text: str) -> str:
    """The text of the history for a field as a person reads it: the words of choices, the name of a related record."""
    found = instance._meta.get_field(name)
    choices = dict(getattr(found, "flatchoices", ()) or ())
    if text in choices:
        return str(choices[text])
    if isinstance(found, models.ForeignKey):
        current = instance._state.fields_cache.get(name)
        if current is not None and str(current.pk) == text:
            return str(current)
        return ""
    if isinstance(found, models.BooleanField):
        return {"1": "是", "0": "否"}.get(text, "")
    return text


class SheetResource(ABC):
    """One kind of spreadsheet. See the module for how a kind is declared."""

    kind: ClassVar[str]
    label: ClassVar[StrOrPromise]
    model: ClassVar[type[Record]]
    permission: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    # Of each of these groups of keys at least one header must be in the file.
    one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    # What must be known for the whole file when its rows do not say it.
    needs_school: ClassVar[bool] = False
    needs_semester: ClassVar[bool] = False
    # By what stored records are found again; for the documentation and the template.
    key_help: ClassVar[StrOrPromise] = ""
    # The name of another shape in which lists of the kind arrive (one row a household); "" is the kind's own shape.
    variant: ClassVar[str] = ""

    @abstractmethod
    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Say what the rows become; write nothing. Rows with errors are passed along: `row.ok` tells."""

    def present(self, records: Sequence[Record], context: ImportContext) -> list[dict[str, str]]:
        """What a list for return says of stored records: for each the text of every column as the importer reads it back.

        Sensitive values are masked. A kind without this has no list for return.
        """
        del records, context
        msg = f"There is no list for return of the kind {self.kind!r}."
        raise TypeError(msg)

    def listed(self, user: User, school: School | None, period: str) -> models.QuerySet[Any] | None:
        """The records that a list for return holds, within the scope of the account; None when the kind has none."""
        del user, school, period
        return None

    @property
    def required(self) -> tuple[str, ...]:
        """Keys whose headers must be in the file."""
        return tuple(column.key for column in self.columns if column.required or column.header_required)

    def by(self, key: str) -> Column:
        """The column with this key."""
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}


_registry: dict[str, SheetResource] = {}
_variants: dict[str, SheetResource] = {}
ResourceT = TypeVar("ResourceT", bound=type[SheetResource])


def register(resource: ResourceT) -> ResourceT:
    """Class decorator: make a kind, or another shape of one, known to the command line, the page and the documentation."""
    name = resource.variant or resource.kind
    table = _variants if resource.variant else _registry
    if name in table and type(table[name]) is not resource:
        msg = f"Two resources claim the kind {name!r}."
        raise ValueError(msg)
    table[name] = resource()
    return resource


# The order of the office's work; kinds that are not named here come last.
_ORDER = ("schools", "staff", "villages", "households", "students", "recognitions", "pairings", "contacts", "programmes",
          "payments")  # fmt: skip


def in_order(chosen: Iterable[str]) -> list[str]:
    """Kinds in the order in which an office imports them: what others point to comes first."""
    order = {kind: position for position, kind in enumerate(_ORDER)}

    def place(name: str) -> tuple[int, str]:
        resource = resource_for(name)
        return order.get(resource.kind if resource is not None else name, len(order)), name

    return sorted(chosen, key=place)


def kinds() -> list[SheetResource]:
    """Every kind, in the order in which an office imports them."""
    return [_registry[kind] for kind in in_order(_registry)]


def resource_for(kind: str) -> SheetResource | None:
    """The resource of a kind, or of the shape of this name; None when there is none."""
    return _registry.get(kind) or _variants.get(kind)


def variants_of(kind: str) -> list[SheetResource]:
    """The shapes in which lists of a kind arrive, the kind's own first; for the name of a shape that one alone."""
    own = _registry.get(kind)
    if own is None:
        return [_variants[kind]] if kind in _variants else []
    return [own, *(found for found in _variants.values() if found.kind == kind)]


def variant_for(
    kind: str, headers: Sequence[str], groups: Sequence[str] = (), given: Collection[str] = ()
) -> SheetResource | None:
    """The shape of a kind whose required headers are all there; of several the one that understands most of them.

    `groups` are the headers above, `given` the keys of columns whose value is given for the whole file. None when the
    headers fit no shape.
    """
    best, most = None, 0
    for resource in variants_of(kind):
        keys = {*match_columns(headers, resource.columns, groups).keys.values(), *given}
        fits = keys >= set(resource.required) and all(keys & set(group) for group in resource.one_of)
        if fits and len(keys) > most:
            best, most = resource, len(keys)
    return best


def by_key(
    queryset: models.QuerySet[Any], name: str, values: Iterable[Any], *, key: str | None = None
) -> dict[Any, list[Any]]:
    """Records whose field `name` is one of `values`, by the value of that field (or of attribute `key`).

    One query for each 5,000 values, or as many as the database takes: SQLite allows 999 parameters a statement where it
    was built that way. Where most of the records are wanted anyhow all are read instead: parameters cost more than that.
    """
    size = keys_at_once(KEYS_AT_ONCE)
    distinct = {value for value in values if value is not None and value != ""}
    attribute = key or name
    found: dict[Any, list[Any]] = {}
    if key is None and len(distinct) > _MANY_KEYS and queryset.count() <= _READ_WHOLE * len(distinct):
        for record in queryset.iterator(chunk_size=_MANY_KEYS):
            value = getattr(record, attribute)
            if value in distinct:
                found.setdefault(value, []).append(record)
        return found
    wanted = sorted(distinct)
    for start in range(0, len(wanted), size):
        for record in queryset.filter(**{f"{name}__in": wanted[start : start + size]}):
            found.setdefault(getattr(record, attribute), []).append(record)
    return found


def refuse_repeated(
    rows: Iterable[Row], key: str, identify: Callable[[Row], Any], message: StrOrPromise
) -> None:
    """Refuse each later row that identifies the same record as an earlier one.

    `identify` gives what tells records apart, or None where the row says nothing; `message` may use %(row)d, the number
    of the first row.
    """
    first: dict[Any, int] = {}
    for row in rows:
        identity = identify(row)
        if identity is None:
            continue
        if identity in first:
            row.refuse(key, Message("repeated", message, {"row": first[identity]}))
        else:
            first[identity] = row.number


SAME_RECORD = _("This is the same record as in row %(row)d. Keep one of the two rows.")
