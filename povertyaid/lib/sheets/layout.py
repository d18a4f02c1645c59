"""The table in a sheet: title rows, a header of one to three rows, records, and rows that are none.

Every row that holds anything is accounted for exactly once: a record, or ignored with a reason. Rows that
hold nothing are passed. Where a second table begins below the first, its rows are never read under the columns
of the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import Message
from povertyaid.lib.sheets.guessing import guess_header
from povertyaid.lib.sheets.headerrows import (
    Block,
    Header,
    HeaderFinder,
    NoTableError,
    columns_of,
    headers_of,
)
from povertyaid.lib.sheets.headers import Column, ForcedHeader, header_signature
from povertyaid.lib.sheets.places import Merges, at, is_blank_row, text_of
from povertyaid.lib.sheets.records import Cell, Places, Row, Values
from povertyaid.lib.sheets.rows import (
    Shape,
    Why,
    classify,
    is_certain,
    is_sequence_header,
    places_of,
    plain,
    signature_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from povertyaid.lib.sheets.model import Sheet, Value, Workbook

__all__ = [
    "Cell",
    "ForcedHeader",
    "Header",
    "Ignored",
    "NoTableError",
    "Row",
    "SkippedSheet",
    "Table",
    "columns_of",
    "find_table",
    "find_tables",
    "guess_header",
    "header_signature",
]
_SHOWN_ROWS = 8
_UNIT = re.compile("万?元")
# 填报单位：某校 names an office, 单位：人、万元 a unit.
_NAMED_UNIT = re.compile(r"单位\s*[:：]?\s*(?:人民币)?\s*(?:(?:人次?|户|名|个)\s*[、，,/]\s*)*(万?元)")
_BRACKETED_UNIT = re.compile(r"[(（]\s*(万?元)\s*[)）]")


class Ignored(NamedTuple):
    """A row that holds something and is no record."""

    row: int
    why: Why


@dataclass(slots=True)
class Table:
    """The table of a sheet; `unmatched` and `duplicates` are columns that are no field, and second ones of a field.

    `second` is the row in which another table begins that was not read here, None when there is none.
    `warnings` are things to look at, each with the row that it is about.
    """

    sheet: str
    title_text: str
    headers: list[Header]
    rows: list[Row] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    duplicates: list[tuple[int, str]] = field(default_factory=list)
    second: int | None = None
    warnings: list[tuple[int, Message]] = field(default_factory=list)
    _units: dict[str, Literal["yuan", "wan"]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def unmatched(self) -> list[Header]:
        """Columns with a header, or with values, that are no field of ours."""
        taken = {index for index, _key in self.duplicates}
        return [header for header in self.headers if header.key is None and header.index not in taken]

    def money_unit(self, header_text: str = "") -> Literal["yuan", "wan"]:
        """`wan` where the header, what stands above it, or a title row (单位：万元) says ten thousands of yuan."""
        if "元" in header_text:
            return "wan" if "万元" in header_text else "yuan"
        if header_text not in self._units:
            groups = " ".join(
                header.group for header in self.headers if header_text and header.text == header_text
            )
            told = _UNIT.findall(groups if "元" in groups else "") or self._unit_of_titles()
            self._units[header_text] = "wan" if told and all("万" in unit for unit in told) else "yuan"
        return self._units[header_text]

    def _unit_of_titles(self) -> list[str]:
        named = _NAMED_UNIT.findall(self.title_text)
        return named or _BRACKETED_UNIT.findall(self.title_text)


class SkippedSheet(NamedTuple):
    """A sheet of a workbook, or a second table in one, that was not read, and why."""

    sheet: str
    message: Message


def find_table(
    sheet: Sheet,
    columns: Sequence[Column],
    required: Collection[str] = (),
    forced: ForcedHeader | None = None,
) -> Table:
    """The table of a sheet, read by the headers of `columns`; NoTableError when there is none.

    `required` are the keys without which a row of headers is not the header, and a row is hardly a record.
    `forced` is what a person decided about header and columns. Values of merged cells are given to the cells
    below that they cover, and to no others. A second table below is not read: its rows are ignored as such.
    """
    reader = _Reader(sheet, columns, required)
    block = reader.finder.forced(forced) if forced is not None else reader.finder.find()
    return reader.read(block, 0, forced=forced is not None and forced.first_row is not None)


class _Reader:
    """One sheet, read by the columns of one kind."""

    def __init__(self, sheet: Sheet, columns: Sequence[Column], required: Collection[str]) -> None:
        self.sheet = sheet
        self.columns = columns
        self.required = frozenset(required)
        self.merges = Merges(sheet)
        self.finder = HeaderFinder(sheet, columns, required, self.merges)
        self.next: Block | None = None
        # Of the table that is read now: the columns that are fields, and which is which.
        self.fields: set[int] = set()
        self.places = Places({}, {})

    def read(self, block: Block, first: int, *, forced: bool = False) -> Table:
        """The table below a header, up to the next table; `first` is where its title rows begin."""
        table = Table(self.sheet.name, "", [], duplicates=list(block.matching.duplicates))
        titles = self._titles(block, first, table, forced=forced)
        shape = self._shape(block, titles)
        covered = self.merges.cover(across=False, start=block.end)
        table.ignored.extend(
            Ignored(self.sheet.first_row + offset, "header") for offset in range(block.start, block.end)
        )
        self.next = None
        self.fields = set(block.matching.keys)
        texts = dict(enumerate(block.texts))
        self.places = Places(
            {key: index for index, key in block.matching.keys.items()},
            {key: texts.get(index, "") for index, key in block.matching.keys.items()},
        )
        offsets: list[int] = []
        below: set[int] = set()
        for offset in range(block.end, len(self.sheet.rows)):
            found = self._row(offset, covered.get(offset, {}), block, shape, table)
            if found is True:
                row = self.sheet.rows[offset]
                offsets.append(offset)
                below.update(index for index, value in enumerate(row) if value is not None and plain(value))
            elif found is not False:
                self.next = found
                self._set_aside(offset, table)
                break
        self._settle_duplicates(table, below)
        table.headers = headers_of(self.sheet, block, below)
        self._warn_of_merges(table, block, offsets)
        return table

    def _shape(self, block: Block, titles: Sequence[tuple[str, ...]]) -> Shape:
        sequence = next((index for index, text in enumerate(block.texts) if is_sequence_header(text)), None)
        rows = [[plain(value) for value in row] for row in self.sheet.rows[block.start : block.end]]
        return Shape(
            sequence if sequence not in block.matching.keys else None,
            tuple(index for index, key in block.matching.keys.items() if key in self.required),
            frozenset((*map(places_of, rows), places_of(block.texts))),
            frozenset(titles),
            frozenset(index for index, key in block.matching.keys.items() if key not in self.required),
        )

    def _titles(self, block: Block, first: int, table: Table, *, forced: bool) -> list[tuple[str, ...]]:
        """The rows above the header; above a header that a person set, a table may stand that is not read here."""
        start = first
        if forced:
            wide = max(3, len([text for text in block.texts if text]) // 2)
            dense = [
                offset
                for offset in range(first, block.start)
                if sum(bool(plain(value)) for value in self.sheet.rows[offset]) >= wide
            ]
            start = dense[-1] + 1 if len(dense) >= 2 else first
        lines, titles = [], []
        for offset in range(first, block.start):
            row = self.sheet.rows[offset]
            if is_blank_row(row):
                continue
            table.ignored.append(
                Ignored(self.sheet.first_row + offset, "second_table" if offset < start else "title")
            )
            if offset < start:
                continue
            # Text that is repeated across merged cells is one text.
            lines.append(" ".join(text for text, _same in groupby(filter(None, map(text_of, row)))))
            titles.append(signature_of([plain(value) for value in row]))
        table.title_text = "\n".join(lines)
        return titles

    def _row(
        self, offset: int, cover: Mapping[int, Value], block: Block, shape: Shape, table: Table
    ) -> bool | Block:
        """Read one row into the table: True for a record, False for none, the header of another table where one begins."""
        row = self.sheet.rows[offset]
        if is_blank_row(row):
            return False
        own = [plain(value) for value in row]
        own += [""] * (len(block.texts) - len(own))
        used = [index for index, text in enumerate(own) if text]
        number = self.sheet.first_row + offset
        if not used:
            # Apostrophes and marks that nobody sees.
            table.ignored.append(Ignored(number, "empty"))
            return False
        filled = {index for index in cover if index >= len(own) or not own[index]}
        sequence_text = ""
        if shape.sequence is not None:
            sequence_text = own[shape.sequence] or plain(cover.get(shape.sequence))
        wide = len(used) == 1 and self.merges.wide(offset, used[0]) > 1
        why = classify(own, filled, sequence_text, shape, wide=wide)
        if why not in {"repeated_header", "title"} and not is_certain(own, used, sequence_text, shape):
            found = self.finder.begins(offset) if len(used) > 1 or self.merges.starts.get(offset) else None
            if found is not None and found.texts == block.texts:
                # The upper rows of the same header, drawn with other merged cells.
                why = "repeated_header"
            elif found is not None and why != "header":
                return found
        if why is not None:
            table.ignored.append(Ignored(number, why))
            return False
        values: Sequence[Value] = row
        taken = filled & self.fields if filled else ()
        if taken:
            width = max(len(row), max(taken) + 1)
            values = [cover[index] if index in taken else at(row, index) for index in range(width)]
        table.rows.append(
            Row(number, Values(self.places, values), number in self.sheet.hidden_rows, self.places, taken)
        )
        return True

    def _set_aside(self, start: int, table: Table) -> None:
        """Everything from the second header on is ignored here, and said."""
        table.second = self.sheet.first_row + start
        last = start
        for offset in range(start, len(self.sheet.rows)):
            if not is_blank_row(self.sheet.rows[offset]):
                table.ignored.append(Ignored(self.sheet.first_row + offset, "second_table"))
                last = offset
        table.warnings.append(
            (
                table.second,
                Message(
                    "second_table",
                    _(
                        "A second table with other headers begins in row %(first)d; rows %(first)d to %(last)d were "
                        "not read. Put it on a sheet of its own, or choose row %(first)d as its header."
                    ),
                    {"first": table.second, "last": self.sheet.first_row + last},
                ),
            )
        )

    @staticmethod
    def _settle_duplicates(table: Table, below: Collection[int]) -> None:
        """A second column for a field does no harm while it is empty, as the right half of a merged header."""
        table.duplicates = [(index, key) for index, key in table.duplicates if index in below]

    def _warn_of_merges(self, table: Table, block: Block, offsets: Sequence[int]) -> None:
        """Cells merged across several fields are read as the first of them."""
        told: dict[tuple[int, ...], list[int]] = {}
        for offset in offsets:
            for _bottom, left, right in self.merges.starts.get(offset, ()):
                fields = tuple(index for index in range(left, right + 1) if index in block.matching.keys)
                if len(fields) > 1 and plain(at(self.sheet.rows[offset], left)):
                    told.setdefault(fields, []).append(self.sheet.first_row + offset)
        for fields, numbers in told.items():
            names = [block.texts[index] for index in fields]
            rows = "、".join(map(str, numbers[:_SHOWN_ROWS])) + ("…" if len(numbers) > _SHOWN_ROWS else "")
            text = _(
                "In the rows %(rows)s cells are merged across the columns %(headers)s. Their value was read for "
                "“%(first)s” only."
            )
            params = {"rows": rows, "headers": "、".join(names), "first": names[0]}
            table.warnings.append((numbers[0], Message("merged_across", text, params)))


def find_tables(
    workbook: Workbook,
    columns: Sequence[Column],
    required: Collection[str] = (),
    forced: Mapping[str, ForcedHeader] | None = None,
) -> tuple[list[Table], list[SkippedSheet]]:
    """The tables of all visible sheets, and the sheets that hold something but were not read, with the reason.

    `forced` is what a person decided, by name of the sheet. A second table on a sheet is read as well where it has
    the required columns; else its rows are ignored, and the table above it says so. Hidden sheets are named, not
    read: they hold the words of drop-down lists, or an old list that nobody sees; one in `forced` is read.
    """
    tables: list[Table] = []
    skipped: list[SkippedSheet] = []
    chosen = forced or {}
    for sheet in workbook.sheets:
        if sheet.is_empty:
            continue
        if not sheet.visible and sheet.name not in chosen:
            text = _("The sheet “%(sheet)s” is hidden and was not read. Unhide it if it holds records.")
            skipped.append(SkippedSheet(sheet.name, Message("hidden_sheet", text, {"sheet": sheet.name})))
            continue
        try:
            tables += _tables_of(sheet, columns, required, chosen.get(sheet.name))
        except NoTableError as found:
            skipped.append(SkippedSheet(sheet.name, found.message))
    return tables, skipped


def _tables_of(
    sheet: Sheet, columns: Sequence[Column], required: Collection[str], forced: ForcedHeader | None
) -> list[Table]:
    """The table of a sheet and those below it that have the required columns too; no row stands in two of them."""
    reader = _Reader(sheet, columns, required)
    block = reader.finder.forced(forced) if forced is not None else reader.finder.find()
    set_by_hand = forced is not None and forced.first_row is not None
    tables = [reader.read(block, 0, forced=set_by_hand)]
    while reader.next is not None and not set_by_hand:
        block = reader.next
        found = set(block.matching.keys.values())
        if not (frozenset(required) <= found and len(found) >= min(2, len(columns))):
            break
        upper = tables[-1]
        first = _titles_above(sheet, upper, block.start)
        upper.ignored = [item for item in upper.ignored if item.row < sheet.first_row + first]
        upper.warnings = [item for item in upper.warnings if item[1].code != "second_table"]
        upper.second = None
        tables.append(reader.read(block, first))
    return tables


def _titles_above(sheet: Sheet, upper: Table, start: int) -> int:
    """Where the title rows of a lower table begin: the last rows above its header that are nothing of the upper one."""
    why = {item.row: item.why for item in upper.ignored}
    first = start
    while first > 0 and why.get(sheet.first_row + first - 1) in {"section", "title", "note"}:
        first -= 1
    return first
