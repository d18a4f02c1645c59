"""The table in a sheet: title rows, a header of one to three rows, records, and rows that are none.

Every row that holds anything is accounted for exactly once: a record, or ignored with a reason. Rows that
hold nothing are passed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import Message, MessageError
from povertyaid.lib.sheets.headers import Column, Matching, match_columns
from povertyaid.lib.sheets.rows import Shape, Why, classify, is_sequence_header, plain, signature_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from povertyaid.lib.sheets.model import Sheet, Value, Workbook

_HEADER_SEARCH = 40
_HEADER_HEIGHT = 3
_SHOWN_HEADERS = 12


class NoTableError(MessageError):
    """A sheet in which no header was found (`no_table`), or one that lacks required columns (`columns`)."""


class Cell(NamedTuple):
    """A cell of a record: `filled` when the value stands in a merged cell above or to the left."""

    value: Value
    header_text: str
    numeric: bool
    filled: bool


@dataclass(frozen=True, slots=True)
class Header:
    """A column: `index` from 0, its lowest header text, the text above, and the field that it was found to be."""

    index: int
    text: str
    group: str
    key: str | None
    hidden: bool


@dataclass(slots=True)
class Row:
    """A record: its number as Excel shows it, its cells by field, and whether Excel hides the row."""

    number: int
    cells: dict[str, Cell]
    hidden: bool


class Ignored(NamedTuple):
    """A row that holds something and is no record."""

    row: int
    why: Why


@dataclass(slots=True)
class Table:
    """The table of a sheet; `unmatched` and `duplicates` are columns that are no field, and second ones of a field."""

    sheet: str
    title_text: str
    headers: list[Header]
    rows: list[Row] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    duplicates: list[tuple[int, str]] = field(default_factory=list)

    @property
    def unmatched(self) -> list[Header]:
        """Columns with a header that is no field of ours."""
        taken = {index for index, _key in self.duplicates}
        return [header for header in self.headers if header.key is None and header.index not in taken]

    def money_unit(self, header_text: str = "") -> Literal["yuan", "wan"]:
        """`wan` where the header, else a title row (单位：万元), says that amounts are in ten thousands of yuan."""
        if "元" in header_text:
            return "wan" if "万元" in header_text else "yuan"
        return "wan" if "万元" in self.title_text.partition("单位")[2][:8] else "yuan"


class SkippedSheet(NamedTuple):
    """A sheet of a workbook that was not read, and why."""

    sheet: str
    message: Message


@dataclass(slots=True)
class _Block:
    """A header: its first row and height in the sheet's list, the texts, and what they match."""

    start: int
    height: int
    texts: list[str]
    groups: list[str]
    matching: Matching


class _Merges:
    """Merged cells by row, and the value that a covered cell shows."""

    def __init__(self, sheet: Sheet) -> None:
        self._ranges = sorted(sheet.merges)
        self._sheet = sheet
        self._width = max(map(len, sheet.rows), default=0)
        self._last = sheet.first_row + len(sheet.rows) - 1

    def cover(self) -> dict[int, dict[int, Value]]:
        """By row number: column index → value of the merged cell that covers it, without the cell itself."""
        covered: dict[int, dict[int, Value]] = {}
        seen: set[tuple[int, int]] = set()
        for top, left, bottom, right in self._ranges:
            offset = top - self._sheet.first_row
            # Ranges never overlap in a sound file; in an unsound one the first counts, and no cell is done
            # twice.
            if (top, left) in seen or not 0 <= offset < len(self._sheet.rows) or left > self._width:
                continue
            seen.add((top, left))
            row = self._sheet.rows[offset]
            value = row[left - 1] if left <= len(row) else None
            if value is None:
                continue
            for number in range(top, min(bottom, self._last) + 1):
                cells = covered.setdefault(number, {})
                for column in range(left, min(right, self._width) + 1):
                    if (number, column) != (top, left):
                        cells.setdefault(column - 1, value)
        return covered


def _text(value: Value) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _at(row: Sequence[Value], index: int) -> Value:
    return row[index] if index < len(row) else None


def _is_blank_row(row: Sequence[Value]) -> bool:
    return all(value is None or (isinstance(value, str) and not value.strip()) for value in row)


def _block(
    sheet: Sheet, covered: dict[int, dict[int, Value]], start: int, height: int, columns: Sequence[Column]
) -> _Block:
    """The header that these rows would make: the lowest text is the column's, what stands above is its group."""
    width = max(len(row) for row in sheet.rows[start : start + height])
    texts, groups = [], []
    for index in range(width):
        stack: list[str] = []
        for offset in range(start, start + height):
            own = _at(sheet.rows[offset], index)
            text = _text(own if own is not None else covered.get(sheet.first_row + offset, {}).get(index))
            if text and (not stack or stack[-1] != text):
                stack.append(text)
        texts.append(stack[-1] if stack else "")
        groups.append("".join(stack[:-1]))
    return _Block(start, height, texts, groups, match_columns(texts, columns, groups))


def _header_candidates(
    sheet: Sheet, covered: dict[int, dict[int, Value]], columns: Sequence[Column]
) -> Iterator[_Block]:
    # A header whose names reach down from a row above begins there.
    below_a_merge = {
        number
        for top, left, bottom, _right in sheet.merges
        for number in range(top + 1, min(bottom, top + _HEADER_HEIGHT) + 1)
    }
    for start in range(min(_HEADER_SEARCH, len(sheet.rows))):
        if _is_blank_row(sheet.rows[start]) or start + sheet.first_row in below_a_merge:
            continue
        for height in range(1, _HEADER_HEIGHT + 1):
            last = start + height - 1
            if last >= len(sheet.rows) or _is_blank_row(sheet.rows[last]):
                break
            block = _block(sheet, covered, start, height, columns)
            if block.matching.keys:
                yield block


def _find_header(
    sheet: Sheet, covered: dict[int, dict[int, Value]], columns: Sequence[Column], required: Collection[str]
) -> _Block:
    """The rows that match most columns; of equals the fewest rows, then the first."""
    best: _Block | None = None
    best_score = (0, 0, 0, 0)
    for block in _header_candidates(sheet, covered, columns):
        found = set(block.matching.keys.values())
        score = (len(found & set(required)), len(found), -block.height, -block.start)
        if best is None or score > best_score:
            best, best_score = block, score
    names = {column.key: column.headers[0] for column in columns}
    if best is None or best_score[1] < min(2, len(columns)):
        expected = [names[key] for key in names if not required or key in required]
        raise NoTableError(
            "no_table",
            _(
                "The sheet “%(sheet)s” has no row with the headers %(headers)s. Check that it is the right list."
            ),
            {"sheet": sheet.name, "headers": "、".join(expected[:_SHOWN_HEADERS])},
        )
    missing = [names[key] for key in names if key in required and key not in best.matching.keys.values()]
    if missing:
        raise NoTableError(
            "columns",
            _(
                "The table in the sheet “%(sheet)s” (header in row %(row)d) lacks the columns %(headers)s. "
                "Add them or correct their headers."
            ),
            {
                "sheet": sheet.name,
                "row": sheet.first_row + best.start + best.height - 1,
                "headers": "、".join(missing[:_SHOWN_HEADERS]),
            },
        )
    return best


def find_table(sheet: Sheet, columns: Sequence[Column], required: Collection[str] = ()) -> Table:
    """The table of a sheet, read by the headers of `columns`; NoTableError when there is none.

    `required` are the keys without which a row of headers is not the header, and a row is hardly a record.
    Values of merged cells are given to the cells that they cover, and to no others.
    """
    covered = _Merges(sheet).cover()
    block = _find_header(sheet, covered, columns, required)
    keys = block.matching.keys
    table = Table(
        sheet.name,
        "",
        [
            Header(index, text, block.groups[index], keys.get(index), index + 1 in sheet.hidden_columns)
            for index, text in enumerate(block.texts)
            if text
        ],
        duplicates=block.matching.duplicates,
    )
    titles = _read_titles(sheet, block, table)
    sequence = next((index for index, text in enumerate(block.texts) if is_sequence_header(text)), None)
    header_rows = [
        [plain(value) for value in row] for row in sheet.rows[block.start : block.start + block.height]
    ]
    shape = Shape(
        sequence,
        tuple(index for index, key in keys.items() if key in required and index != sequence),
        frozenset((*map(signature_of, header_rows), signature_of(block.texts))),
        frozenset(titles),
    )
    table.ignored.extend(
        Ignored(sheet.first_row + block.start + offset, "header") for offset in range(block.height)
    )
    for offset in range(block.start + block.height, len(sheet.rows)):
        cover = covered.get(sheet.first_row + offset, {})
        _read_row(sheet, offset, cover=cover, block=block, shape=shape, table=table)
    return table


def _read_titles(sheet: Sheet, block: _Block, table: Table) -> list[tuple[str, ...]]:
    lines, titles = [], []
    for offset in range(block.start):
        row = sheet.rows[offset]
        if _is_blank_row(row):
            continue
        table.ignored.append(Ignored(sheet.first_row + offset, "title"))
        # Text that is repeated across merged cells is one text.
        lines.append(" ".join(text for text, _same in groupby(filter(None, map(_text, row)))))
        titles.append(signature_of([plain(value) for value in row]))
    table.title_text = "\n".join(lines)
    return titles


def _read_row(
    sheet: Sheet, offset: int, *, cover: dict[int, Value], block: _Block, shape: Shape, table: Table
) -> None:
    row = sheet.rows[offset]
    if _is_blank_row(row):
        return
    number = sheet.first_row + offset
    own = [plain(_at(row, index)) for index in range(max(len(row), len(block.texts)))]
    if not any(own):
        return
    filled = {index for index in cover if index >= len(own) or not own[index]}
    sequence_text = ""
    if shape.sequence is not None:
        sequence_text = own[shape.sequence] or plain(cover.get(shape.sequence))
    why = classify(own, filled, sequence_text, shape)
    if why is not None:
        table.ignored.append(Ignored(number, why))
        return
    cells = {}
    for index, key in block.matching.keys.items():
        is_filled = index in filled
        value = cover[index] if is_filled else _at(row, index)
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        cells[key] = Cell(value, block.texts[index], numeric, is_filled)
    table.rows.append(Row(number, cells, number in sheet.hidden_rows))


def find_tables(
    workbook: Workbook, columns: Sequence[Column], required: Collection[str] = ()
) -> tuple[list[Table], list[SkippedSheet]]:
    """The tables of all visible sheets, and the sheets that hold something but were not read, with the reason.

    Hidden sheets are named, not read: they hold the words of drop-down lists, or an old list that nobody
    sees.
    """
    tables: list[Table] = []
    skipped: list[SkippedSheet] = []
    for sheet in workbook.sheets:
        if sheet.is_empty:
            continue
        if not sheet.visible:
            text = _("The sheet “%(sheet)s” is hidden and was not read. Unhide it if it holds records.")
            skipped.append(SkippedSheet(sheet.name, Message("hidden_sheet", text, {"sheet": sheet.name})))
            continue
        try:
            tables.append(find_table(sheet, columns, required))
        except NoTableError as found:
            skipped.append(SkippedSheet(sheet.name, found.message))
    return tables, skipped
