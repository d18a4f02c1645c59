"""The layouts of a file: which sheets have the same columns, where their headers stand, and what stands below them.

Forty schools send forty sheets with one header: what a person decides about the columns is decided once for all of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from povertyaid.imports.engine import signed_columns
from povertyaid.imports.guessing import SAMPLE, Sampled, filled, plain_text
from povertyaid.lib.sheets.headerrows import (
    HEADER_HEIGHT,
    HEADER_SEARCH,
    HeaderFinder,
    NoTableError,
    at,
    column_letter,
    column_name,
    guess_header,
    is_blank_row,
)
from povertyaid.lib.sheets.headers import normalise_header
from povertyaid.lib.sheets.layout import columns_of, header_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from povertyaid.imports.resources import SheetResource
    from povertyaid.lib.sheets.model import Sheet, Value, Workbook

# Rows of a sheet that are looked at: the header stands at the top, and the first records tell what the columns hold.
_LOOKED_AT = HEADER_SEARCH + SAMPLE + 40
_BELOW = 8
_LONGEST_NAME = 40
_SUM = re.compile(r".{0,6}(?:合计|小计|总计|累计|共计)")
# Where a header stands: its first row as Excel numbers it, and its height.
Place = tuple[int, int]


@dataclass(frozen=True)
class LaidColumn:
    """A column of a layout; one without a header is named after its letter."""

    index: int
    text: str
    group: str
    signature: str
    hidden: bool
    named: bool

    @property
    def letter(self) -> str:
        """The letters that Excel shows above it."""
        return column_letter(self.index)

    @property
    def shown(self) -> str:
        """The header with what stands above it."""
        return f"{self.group} / {self.text}" if self.group else self.text


@dataclass(frozen=True)
class LaidSheet:
    """A sheet of a layout and the place of its header."""

    name: str
    visible: bool
    place: Place
    rows: int


@dataclass
class Layout:
    """Columns that one sheet, or several, have in common, with the first cells below them."""

    columns: tuple[LaidColumn, ...]
    sheets: list[LaidSheet] = field(default_factory=list)
    values: dict[int, list[Value]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The headers as one text of 64 characters: equal when they are equal after normalising, in the same order."""
        return digest_of([column.signature for column in self.columns if column.named])

    @property
    def rows(self) -> int:
        """How many rows stand below the headers, as far as they were looked at."""
        return sum(sheet.rows for sheet in self.sheets)

    @property
    def texts(self) -> list[str]:
        """The header texts by index, empty where a column has none."""
        return self._by_index(lambda column: column.text if column.named else "")

    @property
    def groups(self) -> list[str]:
        """What stands above them, by index."""
        return self._by_index(lambda column: column.group)

    def _by_index(self, told: Callable[[LaidColumn], str]) -> list[str]:
        found = [""] * (max((column.index for column in self.columns), default=-1) + 1)
        for column in self.columns:
            found[column.index] = told(column)
        return found

    @cached_property
    def sampled(self) -> list[Sampled]:
        """The columns with the cells that tell what they are."""
        rows = self.rows
        return [
            Sampled(
                column.index,
                column.text if column.named else "",
                column.group,
                filled(self.values.get(column.index, ())),
                rows,
            )
            for column in self.columns
        ]


def digest_of(signatures: Sequence[str]) -> str:
    """The digest of the headers of a sheet."""
    return hashlib.sha256(json.dumps(list(signatures), ensure_ascii=False).encode()).hexdigest()


def layouts_of(
    workbook: Workbook,
    resources: Sequence[SheetResource],
    *,
    given: Collection[str] = (),
    places: Mapping[str, Place] | None = None,
    known: Collection[str] = (),
    sheets: Collection[str] = (),
) -> list[Layout]:
    """The layouts of all sheets that hold something, also of hidden ones.

    `resources` are the kinds by whose headers the header is looked for, `given` the keys of columns whose values are
    told for the whole file; `places` are headers that a person set, by sheet; `known` are digests of layouts that were
    saved: a header that has one of them is taken wherever it stands. `sheets` narrows the sheets to those with these
    names.
    """
    found: list[Layout] = []
    for whole in workbook.sheets:
        if sheets and whole.name not in sheets:
            continue
        sheet = _top(whole)
        if sheet.is_empty:
            continue
        # Where nothing looks like a header a person may still say where it is.
        place = (
            (places or {}).get(whole.name)
            or _place(sheet, resources, given, known, found)
            or (sheet.first_row, 1)
        )
        columns = _columns(sheet, place)
        layout = next((item for item in found if item.columns == columns), None)
        if layout is None:
            layout = Layout(columns)
            found.append(layout)
        layout.sheets.append(
            LaidSheet(whole.name, whole.visible or whole.name in sheets, place, _sample(sheet, place, layout))
        )
    return found


def _top(sheet: Sheet) -> Sheet:
    """The first rows of a sheet with their merged cells."""
    last = sheet.first_row + _LOOKED_AT
    return replace(
        sheet, rows=sheet.rows[:_LOOKED_AT], merges=[merge for merge in sheet.merges if merge[0] < last]
    )


def _columns(sheet: Sheet, place: Place) -> tuple[LaidColumn, ...]:
    signatures = {index: signature for signature, index in signed_columns(sheet, *place).items()}
    return tuple(
        LaidColumn(
            header.index,
            header.text,
            header.group,
            signatures[header.index],
            header.hidden,
            header.text != column_name(header.index),
        )
        for header in columns_of(sheet, *place)
    )


def _sample(sheet: Sheet, place: Place, layout: Layout) -> int:
    """Add the cells below the header to the layout; say how many rows there are."""
    count = 0
    for row in sheet.rows[place[0] + place[1] - sheet.first_row :]:
        texts = [plain_text(value) for value in row]
        if sum(map(bool, texts)) < 2 or any(_SUM.match(text) for text in texts[:3]):
            continue
        count += 1
        for column in layout.columns:
            values = layout.values.setdefault(column.index, [])
            if len(values) < SAMPLE:
                value = at(row, column.index)
                if value is not None:
                    values.append(value)
    return count


def _place(
    sheet: Sheet,
    resources: Sequence[SheetResource],
    given: Collection[str],
    known: Collection[str],
    before: Sequence[Layout],
) -> Place | None:
    """Where the header of a sheet stands: as in a sheet before, as in a saved layout, by the headers, by its looks."""
    names = HeaderFinder(sheet, ())
    for layout in before:
        place = layout.sheets[0].place
        if _texts_at(names, sheet, place) == [
            (column.text, column.group) for column in layout.columns if column.named
        ]:
            return place
    saved = _saved_place(names, sheet, known) if known else None
    return saved or _by_headers(sheet, resources, given) or guess_header(sheet)


def _texts_at(names: HeaderFinder, sheet: Sheet, place: Place) -> list[tuple[str, str]]:
    start = place[0] - sheet.first_row
    if not 0 <= start < len(sheet.rows):
        return []
    block = names.block(start, place[1])
    return [(text, group) for text, group in zip(block.texts, block.groups, strict=True) if text]


def _saved_place(names: HeaderFinder, sheet: Sheet, known: Collection[str]) -> Place | None:
    """Where the header of a saved layout stands, if it does."""
    for start in range(min(HEADER_SEARCH, len(sheet.rows))):
        if is_blank_row(sheet.rows[start]):
            continue
        for height in range(1, HEADER_HEIGHT + 1):
            if start + height > len(sheet.rows):
                break
            place = sheet.first_row + start, height
            texts = _texts_at(names, sheet, place)
            seen: dict[str, int] = {}
            signatures = []
            for text, group in texts:
                signature = header_signature(group, text)
                seen[signature] = seen.get(signature, 0) + 1
                signatures.append(signature if seen[signature] == 1 else f"{signature}#{seen[signature]}")
            if len(signatures) > 1 and digest_of(signatures) in known:
                return place
    return None


def _by_headers(sheet: Sheet, resources: Sequence[SheetResource], given: Collection[str]) -> Place | None:
    """The rows that name the columns of a kind: all required ones if there are such rows, else as many as can be."""
    best: tuple[tuple[bool, int], Place] | None = None
    sheet = _up_to_headers(sheet, resources)
    for resource in resources:
        required = [key for key in resource.required if key not in given]
        for needed in (required, ()):
            try:
                block = HeaderFinder(sheet, resource.columns, needed).find()
            except NoTableError:
                continue
            score = (needed is required, len(block.matching.keys))
            if best is None or score > best[0]:
                best = score, (sheet.first_row + block.start, block.height)
            break
    return best[1] if best is not None else None


def _up_to_headers(sheet: Sheet, resources: Sequence[SheetResource]) -> Sheet:
    """The rows among which the header is: with a few below the last one that names two columns; all when none does."""
    names = {
        normalise_header(header)
        for resource in resources
        for column in resource.columns
        for header in column.headers
    }
    last = None
    for offset, row in enumerate(sheet.rows[:HEADER_SEARCH]):
        texts = [
            normalise_header(value) for value in row if isinstance(value, str) and len(value) <= _LONGEST_NAME
        ]
        if sum(text in names for text in texts) > 1:
            last = offset
    if last is None:
        return sheet
    end = last + _BELOW
    return replace(
        sheet,
        rows=sheet.rows[:end],
        merges=[merge for merge in sheet.merges if merge[0] < sheet.first_row + end],
    )
