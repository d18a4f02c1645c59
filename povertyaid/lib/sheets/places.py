"""Cells of a sheet by place: merged ranges, single cells as text, and the letters of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.lib.sheets.model import Sheet, Value

# Rows in which a header is looked for, and how many rows it may have.
HEADER_SEARCH = 60
HEADER_HEIGHT = 3


class Merges:
    """Merged cells by row, and the values that covered cells show."""

    def __init__(self, sheet: Sheet) -> None:
        """Look at the merged ranges of a sheet once."""
        self._ranges = sorted(set(sheet.merges))
        self._sheet = sheet
        self._width = max(map(len, sheet.rows), default=0)
        self._last = sheet.first_row + len(sheet.rows) - 1
        # Offset of the first row → (last offset, first column, last column); columns from 0.
        self.starts: dict[int, list[tuple[int, int, int]]] = {}
        for top, left, bottom, right in self._ranges:
            if top >= sheet.first_row and bottom >= top and right >= left >= 1:
                found = self.starts.setdefault(top - sheet.first_row, [])
                found.append((bottom - sheet.first_row, left - 1, right - 1))

    def cover(self, *, across: bool, start: int = 0) -> dict[int, dict[int, Value]]:
        """By offset of the row: column index → value of the merged cell that covers it, without the cell itself.

        With `across` a merged cell speaks for every column that it covers, as headers do; without it only for
        its first column, as a record's value is that of one field. Merged cells that begin above `start` are
        left out.
        """
        covered: dict[int, dict[int, Value]] = {}
        for top in sorted(self.starts):
            if not start <= top < len(self._sheet.rows):
                continue
            row = self._sheet.rows[top]
            for bottom, left, right in self.starts[top]:
                # Ranges never overlap in a sound file; in an unsound one the first counts.
                value = row[left] if left < len(row) else None
                if value is None:
                    continue
                last = min(right, self._width - 1) if across else left
                for offset in range(top, min(bottom, len(self._sheet.rows) - 1) + 1):
                    cells = covered.setdefault(offset, {})
                    for column in range(left, last + 1):
                        if (offset, column) != (top, left):
                            cells.setdefault(column, value)
        return covered

    def bottom_of(self, start: int, end: int) -> int:
        """The first row below the merged cells that begin in these rows; `end` when none reaches further."""
        return max(
            [end, *(bottom + 1 for top in range(start, end) for bottom, _l, _r in self.starts.get(top, ()))]
        )

    def wide(self, offset: int, column: int) -> int:
        """How many columns the merged cell has that begins here; 1 for a plain cell."""
        return next(
            (right - left + 1 for _b, left, right in self.starts.get(offset, ()) if left == column), 1
        )


def text_of(value: Value) -> str:
    """A cell of a header or title: its words with single blanks."""
    return " ".join(str(value).split()) if value is not None else ""


def at(row: Sequence[Value], index: int) -> Value:
    """The cell of a row, None behind its end."""
    return row[index] if index < len(row) else None


def is_blank_row(row: Sequence[Value]) -> bool:
    """Whether no cell holds anything but blanks."""
    return all(value is None or (isinstance(value, str) and not value.strip()) for value in row)


def column_letter(index: int) -> str:
    """The letters that Excel shows above a column; 0 is A, 26 is AA."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_name(index: int) -> str:
    """The name of a column without a header: C列."""
    return f"{column_letter(index)}列"
