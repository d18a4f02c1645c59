"""Which rows of a sheet are its header: one to three rows, found by the names in them or set by a person."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import MessageError
from povertyaid.lib.sheets.guessing import guess_header
from povertyaid.lib.sheets.headers import (
    Column,
    ForcedHeader,
    HeaderNames,
    Matching,
    match_names,
    names_group,
)
from povertyaid.lib.sheets.places import (
    HEADER_HEIGHT,
    HEADER_SEARCH,
    Merges,
    at,
    column_letter,
    column_name,
    is_blank_row,
    text_of,
)
from povertyaid.lib.sheets.rows import is_header_word, is_unit, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from povertyaid.lib.sheets.model import Sheet

__all__ = [
    "HEADER_HEIGHT",
    "HEADER_SEARCH",
    "Block",
    "Header",
    "HeaderFinder",
    "Merges",
    "NoTableError",
    "at",
    "column_letter",
    "column_name",
    "columns_of",
    "guess_header",
    "headers_of",
    "is_blank_row",
    "text_of",
]
_SHOWN_HEADERS = 12
_LONGEST_GROUP = 16


class NoTableError(MessageError):
    """A sheet in which no header was found (`no_table`), or one that lacks required columns (`columns`)."""


@dataclass(frozen=True, slots=True)
class Header:
    """A column: `index` from 0, its lowest header text, the text above, and the field that it was found to be.

    A column without a header that holds values is named after its letter: C列.
    """

    index: int
    text: str
    group: str
    key: str | None
    hidden: bool


@dataclass(slots=True)
class Block:
    """A header: its first row and height in the sheet's list, the texts, and what they match."""

    start: int
    height: int
    texts: list[str]
    groups: list[str]
    matching: Matching

    @property
    def end(self) -> int:
        """The first row below."""
        return self.start + self.height


class HeaderFinder:
    """The headers of one sheet for the columns of one kind."""

    def __init__(
        self,
        sheet: Sheet,
        columns: Sequence[Column],
        required: Collection[str] = (),
        merges: Merges | None = None,
    ) -> None:
        """`required` are the keys without which a row of headers is not the header."""
        self.sheet = sheet
        self.columns = columns
        self.names = HeaderNames(columns)
        self._seen: dict[str, bool] = {}
        self.required = frozenset(required)
        self.merges = merges or Merges(sheet)
        self._covered = self.merges.cover(across=True)

    def block(self, start: int, height: int, keys: Mapping[int, str] | None = None) -> Block:
        """The header that these rows make: the lowest text is the column's, what stands above is its group."""
        rows = self.sheet.rows[start : start + height]
        width = max((*map(len, rows), *(index + 1 for index in keys or {})), default=0)
        lines = [self._line(start + offset, width) for offset in range(len(rows))]
        self._spread(lines, start)
        texts, groups = [], []
        for index in range(width):
            stack: list[str] = []
            for line in lines:
                if line[index] and (not stack or stack[-1] != line[index]):
                    stack.append(line[index])
            texts.append(stack[-1] if stack else "")
            groups.append("".join(stack[:-1]))
        return Block(start, height, texts, groups, match_names(texts, self.names, groups, keys))

    def _line(self, offset: int, width: int) -> list[str]:
        row, cover = self.sheet.rows[offset], self._covered.get(offset, {})
        line = []
        for index in range(width):
            own = at(row, index)
            line.append(text_of(own if own is not None else cover.get(index)))
        return line

    def _spread(self, lines: list[list[str]], start: int) -> None:
        """Text files lose merged cells: a name above several columns then stands over the first only."""
        for depth, (upper, lower) in enumerate(pairwise(lines)):
            merged = self.merges.starts.get(start + depth, ())
            group = ""
            for index, text in enumerate(upper):
                if text:
                    in_merge = any(left <= index <= right for _b, left, right in merged)
                    group = text if lower[index] and lower[index] != text and not in_merge else ""
                elif group and lower[index]:
                    upper[index] = group
                else:
                    group = ""

    def _candidates(self) -> Iterator[Block]:
        rows = self.sheet.rows
        # A header whose names reach down from a row above begins there.
        below_a_merge = {
            offset
            for top, ranges in self.merges.starts.items()
            for bottom, _left, _right in ranges
            for offset in range(top + 1, min(bottom, top + HEADER_HEIGHT) + 1)
        }
        for start in range(min(HEADER_SEARCH, len(rows))):
            if is_blank_row(rows[start]) or start in below_a_merge:
                continue
            for height in range(1, HEADER_HEIGHT + 1):
                last = start + height - 1
                if last >= len(rows) or is_blank_row(rows[last]):
                    break
                block = self.block(start, height)
                if block.matching.keys:
                    yield block

    def _score(self, block: Block) -> tuple[int, int, int, int]:
        found = set(block.matching.keys.values())
        return len(found & self.required), len(found), -block.height, -block.start

    def find(self) -> Block:
        """The first rows that name the required columns, and of those that overlap them the best; else NoTableError.

        Best are most columns, then the fewest rows, then the first.
        """
        candidates = list(self._candidates())
        enough = min(2, len(self.columns))
        whole = [
            block
            for block in candidates
            if len(set(block.matching.keys.values())) >= enough
            and self.required <= set(block.matching.keys.values())
        ]
        if whole:
            best = max((block for block in whole if block.start < whole[0].end), key=self._score)
            block = self._completed(self._with_groups(best))
            self._demand(block)
            return block
        likeliest = max(candidates, key=self._score, default=None)
        if likeliest is None or self._score(likeliest)[1] < enough:
            raise self._no_table()
        self._demand(likeliest)
        return self._completed(likeliest)

    def forced(self, forced: ForcedHeader) -> Block:
        """The header that a person set; what was left open is found."""
        if forced.first_row is None:
            found = self._found_or_guessed(forced)
            return found if not forced.keys else self.block(found.start, found.height, forced.keys)
        start = forced.first_row - self.sheet.first_row
        if not 0 <= start < len(self.sheet.rows):
            raise self._no_table()
        height = max(1, min(forced.height or 1, len(self.sheet.rows) - start))
        block = self.block(start, height, forced.keys)
        if forced.height is None:
            tall = [
                self.block(start, rows, forced.keys)
                for rows in range(1, min(HEADER_HEIGHT, len(self.sheet.rows) - start) + 1)
                if not any(is_blank_row(self.sheet.rows[start + depth]) for depth in range(rows))
            ]
            block = self._completed(max(tall, key=self._score) if tall else block, forced.keys)
        self._demand(block)
        return block

    def _found_or_guessed(self, forced: ForcedHeader) -> Block:
        """With columns set by hand the names need not be known: the header that looks like one will do."""
        try:
            return self.find()
        except NoTableError:
            if not forced.keys:
                raise
        guess = guess_header(self.sheet)
        if guess is None:
            raise self._no_table()
        block = self.block(guess[0] - self.sheet.first_row, guess[1], forced.keys)
        self._demand(block)
        return block

    def _with_groups(self, block: Block) -> Block:
        """The header with the row above that says whose columns they are: 学生信息 | 监护人信息."""
        start = block.start
        while start > 0 and block.end - start < HEADER_HEIGHT and self._is_group_row(start - 1, block):
            start -= 1
        return block if start == block.start else self.block(start, block.end - start)

    def _is_group_row(self, offset: int, block: Block) -> bool:
        """Whether a row has several names over several columns each; a title is one text over all of them."""
        row = self.sheet.rows[offset]
        used = [index for index, value in enumerate(row) if plain(value)]
        texts = [plain(row[index]) for index in used]
        if not used or any(len(text) > _LONGEST_GROUP or ":" in text for text in texts):
            return False
        if not any(names_group(text) for text in texts):
            return False
        merged = [(left, right) for _b, left, right in self.merges.starts.get(offset, ()) if right > left]
        if len(used) == 1:
            width = sum(map(bool, block.texts))
            return any(left == used[0] and right - left + 1 < width for left, right in merged)
        # Some name must stand over more than one column, merged or with nothing beside it.
        ends = [*used[1:], len(block.texts)]
        return bool(merged) or any(end - index > 1 for index, end in zip(used, ends, strict=True))

    def _completed(self, block: Block, keys: Mapping[int, str] | None = None) -> Block:
        """The header with the rows that belong to it and name no field: lower halves of merged cells, 应发 | 实发."""
        end = self.merges.bottom_of(block.start, block.end)
        if end - block.start > HEADER_HEIGHT:
            end = block.end
        while (
            end < len(self.sheet.rows) and end - block.start < HEADER_HEIGHT and self._continues(block, end)
        ):
            end += 1
        if end == block.end:
            return block
        taller = self.block(block.start, end - block.start, keys)
        # A merged cell that reaches into the records by mistake must not make a record a header.
        lost = set(block.matching.keys.values()) - set(taller.matching.keys.values())
        return block if lost else taller

    def _continues(self, block: Block, offset: int) -> bool:
        """Whether a row below has only names or units, none of them below a field that a record must have."""
        used = [(index, plain(value)) for index, value in enumerate(self.sheet.rows[offset])]
        used = [(index, text) for index, text in used if text]
        needed = {index for index, key in block.matching.keys.items() if key in self.required}
        return (
            bool(used)
            and not needed.intersection(index for index, _text in used)
            and all(is_unit(text) or is_header_word(text) for _index, text in used)
        )

    def _no_table(self) -> NoTableError:
        names = {column.key: column.headers[0] for column in self.columns}
        expected = [names[key] for key in names if not self.required or key in self.required]
        return NoTableError(
            "no_table",
            _(
                "The sheet “%(sheet)s” has no row with the headers %(headers)s. Check that it is the right list."
            ),
            {"sheet": self.sheet.name, "headers": "、".join(expected[:_SHOWN_HEADERS])},
        )

    def _demand(self, block: Block) -> None:
        """NoTableError unless the required columns are there."""
        found = set(block.matching.keys.values())
        missing = [
            column.headers[0]
            for column in self.columns
            if column.key in self.required and column.key not in found
        ]
        if missing:
            raise NoTableError(
                "columns",
                _(
                    "The table in the sheet “%(sheet)s” (header in row %(row)d) lacks the columns %(headers)s. "
                    "Add them or correct their headers."
                ),
                {
                    "sheet": self.sheet.name,
                    "row": self.sheet.first_row + block.end - 1,
                    "headers": "、".join(missing[:_SHOWN_HEADERS]),
                },
            )

    def begins(self, offset: int) -> Block | None:
        """Another header that begins in this row: three known names, or two and nothing else."""
        rows = self.sheet.rows
        own = [value for value in rows[offset] if isinstance(value, str) and value.strip()]
        merged = bool(self.merges.starts.get(offset))
        named = sum(map(self._is_name, own))
        if len(own) < 2 or (named < 2 and not (merged and any(map(names_group, own)))):
            return None
        best: Block | None = None
        for height in range(1, (HEADER_HEIGHT if merged else 1) + 1):
            if offset + height > len(rows) or is_blank_row(rows[offset + height - 1]):
                break
            block = self.block(offset, height)
            texts = [text for text in block.texts if text]
            known = [text for text in texts if self._is_name(text)]
            if (len(known) >= 3 or (len(known) == len(texts) == 2)) and len(known) * 2 >= len(texts):
                better = best is None or len(block.matching.keys) > len(best.matching.keys)
                best = block if better else best
        return best

    def _is_name(self, text: str) -> bool:
        """Whether a text names a column; cells of records repeat, so that each text is looked at once."""
        if text not in self._seen:
            self._seen[text] = is_header_word(text) or self.names.find(text, "") is not None
        return self._seen[text]


def columns_of(sheet: Sheet, first_row: int, height: int) -> list[Header]:
    """Every column that has a header in these rows or values below them, without saying what it is.

    `first_row` is numbered as Excel does.
    """
    start = max(0, first_row - sheet.first_row)
    block = HeaderFinder(sheet, ()).block(start, max(1, height))
    return headers_of(sheet, block)


def headers_of(sheet: Sheet, block: Block, below: Collection[int] | None = None) -> list[Header]:
    """The columns of a header; one without a name is told by its letter where `below` (else any row) fills it."""
    if below is None:
        below = {
            index
            for row in sheet.rows[block.end :]
            for index, value in enumerate(row)
            if value is not None and plain(value)
        }
    keys = block.matching.keys
    found = []
    for index in range(max((len(block.texts), *(index + 1 for index in below)))):
        text = block.texts[index] if index < len(block.texts) else ""
        group = block.groups[index] if index < len(block.groups) else ""
        if text or index in below or index in keys:
            hidden = index + 1 in sheet.hidden_columns
            found.append(Header(index, text or column_name(index), group, keys.get(index), hidden))
    return found
