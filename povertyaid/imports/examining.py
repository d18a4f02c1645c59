"""What the sheets of a file may be: the kinds that fit each layout, and how certain each column is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.guessing import Guesser
from povertyaid.imports.layouts import layouts_of
from povertyaid.imports.models import SavedMapping
from povertyaid.imports.resources import kinds, variants_of
from povertyaid.imports.schoolbook import SchoolBook
from povertyaid.lib.cells import Context, as_text, mask_value
from povertyaid.lib.masks import mask_account, scrub
from povertyaid.lib.sheets.headers import match_columns, normalise_header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from povertyaid.imports.guessing import Guess, Sampled
    from povertyaid.imports.layouts import LaidColumn, LaidSheet, Layout, Place
    from povertyaid.imports.options import Options
    from povertyaid.imports.plans import Source
    from povertyaid.imports.resources import SheetResource
    from povertyaid.lib.cells.base import Sensitive
    from povertyaid.schools.models import User

How = Literal["header", "values", "decided"]
SAMPLES = 3
_SAMPLE_CHARACTERS = 24
_KNOWN_AT_MOST = 500
# A number of so many digits in a column that nobody knows may be a card or an identity number.
_TELLING = 1e9


@dataclass(frozen=True)
class Use:
    """A layout read as one kind: which column is which field and how that is known, and what is open."""

    resource: SheetResource
    keys: Mapping[int, str]
    how: Mapping[int, How]
    guesses: Mapping[int, Guess]
    duplicates: Sequence[tuple[int, str]]
    missing: Sequence[str]
    one_of: Sequence[tuple[str, ...]]
    # Columns that a person said are not used.
    unused: Sequence[int] = ()

    @property
    def complete(self) -> bool:
        """Whether all columns are there that the kind must have."""
        return not self.missing and not self.one_of

    @property
    def certain(self) -> bool:
        """Whether nothing about it needs to be asked."""
        return self.complete and not self.guesses and not self.duplicates

    @cached_property
    def strong(self) -> dict[int, str]:
        """The guesses with which nothing competes."""
        return {index: guess.keys[0] for index, guess in self.guesses.items() if guess.strong}

    @property
    def completed_by_guesses(self) -> bool:
        """Whether all columns are there once the guesses are taken."""
        suggested = {key for guess in self.guesses.values() for key in guess.keys}
        return set(self.missing) <= suggested and all(suggested & set(group) for group in self.one_of)

    @property
    def missing_headers(self) -> list[str]:
        """What is not there, by published headers; of a group the first."""
        keys = [*self.missing, *(group[0] for group in self.one_of)]
        return [self.resource.by(key).header for key in keys]


@dataclass
class LaidOut:
    """A layout with the kinds that it is read as (`uses`, empty: it is not read), and saved columns that fit it."""

    layout: Layout
    uses: list[Use] = field(default_factory=list)
    saved: list[SavedMapping] = field(default_factory=list)
    # The one that is applied; its decision may be that the layout is not read.
    applied: SavedMapping | None = None

    @property
    def disputed(self) -> bool:
        """Whether the columns of several senders fit, differ, and nobody chose."""
        return bool(self.saved) and self.applied is None

    @property
    def certain(self) -> bool:
        """Whether nothing needs to be asked."""
        return all(use.certain for use in self.uses) and not self.disputed

    def read(self) -> list[LaidSheet]:
        """The sheets that are read."""
        return [sheet for sheet in self.layout.sheets if sheet.visible] if self.uses else []


@dataclass(frozen=True)
class Wishes:
    """What was told with the file: a column for a header (empty: not used), and the sheets that are meant."""

    columns: Mapping[str, str] = field(default_factory=dict)
    sheets: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Whether anything was told."""
        return bool(self.columns or self.sheets)


class Examination:
    """All layouts of a file and what they may be."""

    def __init__(
        self,
        source: Source,
        *,
        office: str = "",
        wishes: Wishes | None = None,
        places: Mapping[str, Place] | None = None,
        mapping: int | None = None,
    ) -> None:
        """Look at the headers and at the first records.

        `places` are headers that a person set, by sheet; `mapping` is the key of the saved columns that were chosen.
        """
        self.source = source
        self.office = office
        self.wishes = wishes or Wishes()
        self.options = source.options
        self.allowed = _allowed(source.user)
        self.chosen = [resource for resource in self.allowed if resource.kind in source.kinds]
        self._mapping = mapping
        self._schools = SchoolBook(source.user)
        self._guessers: dict[int, Guesser] = {}
        saved = _saved_by_digest(source.user)
        decided = {part.sheet: part.header for part in self.options.parts if part.header is not None}
        found = layouts_of(
            source.workbook,
            _shapes(self.chosen or self.allowed),
            given=self._given_everywhere(),
            places={**decided, **(places or {})},
            known=saved,
            sheets=self.wishes.sheets,
        )
        self.layouts = [LaidOut(layout, saved=saved.get(layout.digest, [])) for layout in found]
        self._check_wishes()
        for item in self.layouts:
            self._choose(item)
        if self.layouts and not any(item.uses or item.applied for item in self.layouts):
            self._choose_one()

    def _given_everywhere(self) -> set[str]:
        return {key for resource in self.chosen for key in given_keys(resource, self.options)}

    def _check_wishes(self) -> None:
        """ImportRefusedError for a sheet or a header that the file does not have, and a column that no kind has."""
        names = {sheet.name for sheet in self.source.workbook.sheets}
        for name in self.wishes.sheets:
            if name not in names:
                text = _("The file has no sheet “%(sheet)s”. Its sheets: %(sheets)s.")
                params = {"sheet": name, "sheets": "、".join(sorted(names)[:20])}
                raise ImportRefusedError("sheet", text, params)
        for header, wanted in self.wishes.columns.items():
            if not any(_is_named(column, header) for item in self.layouts for column in item.layout.columns):
                raise ImportRefusedError(
                    "columns", _("The file has no column with the header “%(header)s”."), {"header": header}
                )
            if wanted and not any(column_key(resource, wanted) for resource in self.chosen or self.allowed):
                raise ImportRefusedError(
                    "columns", _("There is no column “%(header)s” in these kinds."), {"header": wanted}
                )

    # What a layout is as one kind

    def use(
        self,
        layout: Layout,
        resource: SheetResource,
        decided: Mapping[int, str] | None = None,
        *,
        beside: Sequence[SheetResource] = (),
    ) -> Use:
        """A layout read as a kind; `decided` says by index which field a column is, "" for one that is not used.

        `beside` are other kinds of the same sheet: what their headers name is not guessed at.
        """
        elsewhere = {
            index
            for other in beside
            if other is not resource
            for index in match_columns(layout.texts, other.columns, layout.groups).keys
        }
        resource = self._shape(layout, resource, decided or {})
        forced = {**self._wished(layout, resource), **(decided or {})}
        matching = match_columns(layout.texts, resource.columns, layout.groups, forced)
        keys = matching.keys
        how: dict[int, How] = {index: "decided" if index in forced else "header" for index in keys}
        duplicates = [(index, key) for index, key in matching.duplicates if index not in forced]
        given = given_keys(resource, self.options)
        present = set(keys.values()) | given
        # What a person decided, and what is told for the whole file, is not guessed at.
        taken = {**forced, **dict(duplicates), **keys}
        taken |= {-1 - place: key for place, key in enumerate(sorted(given))}
        return Use(
            resource,
            keys,
            how,
            self._guesser(layout).guesses(layout.sampled, resource, taken, elsewhere),
            duplicates,
            [key for key in resource.required if key not in present],
            [group for group in resource.one_of if not present & set(group)],
            sorted(index for index, key in forced.items() if not key),
        )

    def _shape(self, layout: Layout, resource: SheetResource, decided: Mapping[int, str]) -> SheetResource:
        """The shape of a kind in which a layout is: one whose columns are all there, of several that with most of them."""

        def fit(shape: SheetResource) -> tuple[bool, int]:
            known = {column.key for column in shape.columns}
            forced = {
                index: key
                for index, key in {**self._wished(layout, shape), **decided}.items()
                if key in known or not key
            }
            found = set(match_columns(layout.texts, shape.columns, layout.groups, forced).keys.values())
            present = found | given_keys(shape, self.options)
            complete = set(shape.required) <= present and all(present & set(group) for group in shape.one_of)
            return complete, len(found)

        shapes = variants_of(resource.kind)
        return max(shapes, key=fit) if len(shapes) > 1 else resource

    def _wished(self, layout: Layout, resource: SheetResource) -> dict[int, str]:
        found = {}
        for header, wanted in self.wishes.columns.items():
            key = column_key(resource, wanted) if wanted else ""
            for column in layout.columns:
                if key is not None and _is_named(column, header):
                    found[column.index] = key
        return found

    def _guesser(self, layout: Layout) -> Guesser:
        return self._guessers.setdefault(id(layout), Guesser(self._schools, Context(timezone.localdate())))

    # What a layout is read as

    def _choose(self, item: LaidOut) -> None:
        if self.options.parts:
            self._as_decided(item)
            return
        mapping = self._applied(item)
        if mapping is not None:
            item.applied = mapping
            item.uses = self.saved_uses(item.layout, mapping)
        elif self.chosen:
            uses = [self.use(item.layout, resource, beside=self.chosen) for resource in self.chosen]
            item.uses = [use for use in uses if use.complete or use.completed_by_guesses]
        else:
            best = self._best(item, self.allowed)
            item.uses = [best] if best is not None and (best.complete or best.completed_by_guesses) else []

    def _as_decided(self, item: LaidOut) -> None:
        """As the parts say that a person decided."""
        names = {sheet.name for sheet in item.layout.sheets}
        signed = {column.signature: column.index for column in item.layout.columns}
        for resource in self.allowed:
            part = next(
                (
                    part
                    for part in self.options.parts
                    if part.kind == resource.kind and part.sheet in {*names, ""}
                ),
                None,
            )
            if part is not None:
                decided = {signed[text]: key for text, key in part.columns.items() if text in signed}
                use = self.use(item.layout, resource, decided)
                if part.sheet or use.complete:
                    item.uses.append(use)

    def _applied(self, item: LaidOut) -> SavedMapping | None:
        """The saved columns that hold for a layout; None where several senders' differ and nobody chose."""
        item.saved = [mapping for mapping in item.saved if self._may_apply(mapping)]
        for mapping in item.saved:
            if mapping.pk == self._mapping:
                return mapping
        of_office = [mapping for mapping in item.saved if self.office and mapping.sender == self.office]
        found = of_office or item.saved
        return found[0] if found and all(mapping.parts == found[0].parts for mapping in found) else None

    def _may_apply(self, mapping: SavedMapping) -> bool:
        """Whether the account may import all kinds of saved columns, and they are the kinds that were chosen, if any."""
        named = {part["kind"] for part in mapping.parts}
        wanted = {resource.kind for resource in self.chosen}
        return named <= {resource.kind for resource in self.allowed} and (
            not self.source.kinds or not named or named == wanted
        )

    def saved_uses(self, layout: Layout, mapping: SavedMapping) -> list[Use]:
        """A layout read as saved columns say."""
        signed = {column.signature: column.index for column in layout.columns}
        by_kind = {resource.kind: resource for resource in self.allowed}
        return [
            self.use(
                layout,
                by_kind[part["kind"]],
                {signed[text]: key for text, key in part["columns"].items() if text in signed},
            )
            for part in mapping.parts
            if part["kind"] in by_kind
        ]

    def _best(self, item: LaidOut, resources: Sequence[SheetResource]) -> Use | None:
        """The kind that fits best: complete, then complete with guesses, then most columns, then most of its own."""
        uses = [self.use(item.layout, resource) for resource in resources]
        return max(
            uses,
            key=lambda use: (
                use.complete,
                use.completed_by_guesses,
                len(use.keys) + len(use.strong),
                len(use.keys) / len(use.resource.columns),
            ),
            default=None,
        )

    def _choose_one(self) -> None:
        """Nothing fits: a person is asked about the sheet that most likely is the list."""
        likeliest = max(
            self.layouts,
            key=lambda item: (any(sheet.visible for sheet in item.layout.sheets), item.layout.rows),
        )
        best = self._best(likeliest, self.chosen or self.allowed)
        likeliest.uses = [best] if best is not None else []

    # What is shown

    def samples(self, layout: Layout) -> dict[int, list[str]]:
        """Three values of each column, by index, masked."""
        found = {
            id(shape): match_columns(layout.texts, shape.columns, layout.groups).keys
            for shape in _shapes(self.allowed)
        }
        return {
            sampled.index: [_shown(value, sensitive) for value in _distinct(sampled.values)]
            for sampled in layout.sampled
            for sensitive in [self._sensitive(layout, sampled, found)]
        }

    def _sensitive(
        self, layout: Layout, sampled: Sampled, found: Mapping[int, Mapping[int, str]]
    ) -> Sensitive | None:
        """How the cells of a column are masked; None where its header names a field that is not sensitive."""
        named = [
            shape.by(key).sensitive
            for shape in _shapes(self.allowed)
            if (key := found[id(shape)].get(sampled.index)) is not None
        ]
        if named:
            return next(filter(None, named), None)
        for resource in self.allowed:
            for column in resource.columns:
                if column.sensitive and self._guesser(layout).looks_like(sampled, column, resource):
                    return column.sensitive
        return ""


def _allowed(user: User) -> list[SheetResource]:
    return [resource for resource in kinds() if user.is_system or user.has_perm(resource.permission)]


def _shapes(resources: Sequence[SheetResource]) -> list[SheetResource]:
    """All shapes in which lists of some kinds arrive."""
    return [shape for resource in resources for shape in variants_of(resource.kind)]


def _saved_by_digest(user: User) -> dict[str, list[SavedMapping]]:
    """The saved columns that the account may use, by the digest of the headers, those used last first."""
    found: dict[str, list[SavedMapping]] = {}
    newest = SavedMapping.objects.visible_to(user).order_by(
        models.F("used_at").desc(nulls_last=True), "-updated_at", "pk"
    )
    for mapping in newest[:_KNOWN_AT_MOST]:
        found.setdefault(mapping.digest, []).append(mapping)
    return found


def column_key(resource: SheetResource, text: str) -> str | None:
    """The key of the column that a key, a published header or a synonym names; None when the kind has none."""
    wanted = normalise_header(text)
    for column in resource.columns:
        if text == column.key or wanted in map(normalise_header, column.headers):
            return column.key
    return None


def given_keys(resource: SheetResource, options: Options) -> set[str]:
    """The columns whose values are told for the whole file."""
    found = {column_key(resource, header) for header in options.constants}
    return {key for key in found if key is not None}


def _is_named(column: LaidColumn, header: str) -> bool:
    """Whether a person means this column by a header: its text, with or without what stands above it, or its letter."""
    wanted = normalise_header(header)
    return wanted in {
        normalise_header(column.text),
        normalise_header(column.group + column.text),
    } and bool(wanted)


def _distinct(values: Sequence[Any]) -> list[Any]:
    """The first values that differ."""
    seen: dict[str, Any] = {}
    for value in values:
        seen.setdefault(as_text(value), value)
        if len(seen) == SAMPLES:
            break
    return list(seen.values())


def _shown(value: Any, sensitive: Sensitive | None) -> str:
    if sensitive:
        text = mask_value(value, sensitive)
    elif sensitive is not None and isinstance(value, (int, float)) and abs(value) >= _TELLING:
        text = mask_account(as_text(value))
    else:
        text = scrub(as_text(value))
    text = " ".join(text.split())
    return text if len(text) <= _SAMPLE_CHARACTERS else f"{text[:_SAMPLE_CHARACTERS]}…"
