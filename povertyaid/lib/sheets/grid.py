"""Putting a sheet together row by row, within the limits and without the emptiness beside and below the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from povertyaid.lib.sheets.model import Limits, Merge, Rows, Sheet, Value
from povertyaid.lib.sheets.refusals import damaged, too_large

if TYPE_CHECKING:
    from collections.abc import Iterable

# The last row and column that Excel knows.
LAST_ROW = 1_048_576
LAST_COLUMN = 16_384


def tidy_merges(merges: Iterable[Merge], rows: int, columns: int) -> list[Merge]:
    """The merged ranges inside the first `rows` × `columns` cells, in order, none over another.

    A file may hold a hundred thousand ranges over the whole sheet, and whoever looks at every cell of every
    range would be at it for hours. Of two that overlap, which no program writes, the first counts.
    """
    found: list[Merge] = []
    taken: set[int] = set()
    for top, left, bottom, right in dict.fromkeys(merges):
        first_row, last_row = max(1, min(top, bottom)), min(max(top, bottom), rows)
        first_column, last_column = max(1, min(left, right)), min(max(left, right), columns)
        if first_row > last_row or first_column > last_column:
            continue
        if first_row == last_row and first_column == last_column:
            continue
        corners = {
            row * (columns + 1) + column
            for row in (first_row, last_row)
            for column in (first_column, last_column)
        }
        if not taken.isdisjoint(corners):
            continue
        area = [
            row * (columns + 1) + column
            for row in range(first_row, last_row + 1)
            for column in range(first_column, last_column + 1)
        ]
        if not taken.isdisjoint(area):
            continue
        taken.update(area)
        found.append((first_row, first_column, last_row, last_column))
    return found


@dataclass(slots=True)
class Builder:
    """A sheet in the making; rows come in the order of their numbers (from 1)."""

    name: str
    limits: Limits
    visible: bool = True
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    _rows: list[tuple[int, list[Value]]] = field(default_factory=list)
    _last: int = 0
    _width: int = 0
    _characters: int = 0

    def add(self, number: int, values: list[Value], repeat: int = 1) -> None:
        """Take the values of row `number`, and of the `repeat` - 1 rows after it.

        UnreadableFileError when a limit is passed or the rows are out of order. Empty rows cost nothing.
        """
        while values and (values[-1] is None or values[-1] == ""):
            values.pop()
        if not values:
            return
        if number <= self._last:
            raise damaged("rows out of order")
        limits = self.limits
        self._last = number + repeat - 1
        self._width = max(self._width, len(values))
        if self._last > limits.rows:
            raise too_large("rows", limits.rows)
        if self._width > limits.columns:
            raise too_large("columns", limits.columns)
        if (self._last - self._rows[0][0] if self._rows else repeat) * self._width > limits.cells:
            raise too_large("cells", limits.cells)
        lengths = [len(value) for value in values if isinstance(value, str)]
        if lengths and max(lengths) > limits.cell_characters:
            raise too_large("cell_characters", limits.cell_characters)
        self._characters += sum(lengths) * repeat
        if self._characters > limits.sheet_characters:
            raise too_large("characters", limits.sheet_characters)
        self._rows.append((number, values))
        self._rows.extend((number + more, list(values)) for more in range(1, repeat))

    def build(self) -> Sheet:
        """The sheet: rows of one width, from the first that holds something to the last."""
        width = self._width
        first = self._rows[0][0] if self._rows else 1
        rows: Rows = []
        for number, values in self._rows:
            while first + len(rows) < number:
                rows.append([None] * width)
            values.extend([None] * (width - len(values)))
            rows.append(values)
        return Sheet(
            self.name,
            rows,
            first,
            _numbers(self.hidden_rows, self._last),
            _numbers(self.hidden_columns, width),
            tidy_merges(self.merges, self._last, width),
            self.visible,
        )


def _numbers(ranges: list[tuple[int, int]], last: int) -> set[int]:
    found: set[int] = set()
    for start, end in ranges:
        found.update(range(start, min(end, last) + 1))
    return found
