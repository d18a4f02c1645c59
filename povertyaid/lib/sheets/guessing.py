"""What looks like a header in a sheet whose column names nobody knows."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from povertyaid.lib.sheets.places import HEADER_HEIGHT, HEADER_SEARCH, Merges, at, is_blank_row, text_of
from povertyaid.lib.sheets.rows import is_header_word, plain

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Sheet

_LONGEST_NAME = 30
_LOOKED_BELOW = 12


def guess_header(sheet: Sheet) -> tuple[int, int] | None:
    """First row (as Excel numbers it) and height of what looks like a header, for a sheet whose names nobody knows.

    Short, distinct texts in most columns, no numbers among them, above rows that hold numbers, dates or
    other texts. None when no row looks like it.
    """
    merges = Merges(sheet)
    best: tuple[float, int] | None = None
    for start in range(min(HEADER_SEARCH, len(sheet.rows))):
        score = _likeness(sheet, start)
        if score > 0 and (best is None or score > best[0]):
            best = (score, start)
    if best is None:
        return None
    start = best[1]
    # Merged cells in the row make it the upper one of several.
    while start > 0 and any(bottom >= start for bottom, _l, _r in merges.starts.get(start - 1, ())):
        if len(_words(sheet, start - 1)) < 2:
            break
        start -= 1
    end = max(best[1] + 1, merges.bottom_of(start, best[1] + 1))
    spanning = any(right > left for _b, left, right in merges.starts.get(start, ()))
    if spanning and end == start + 1 and end < len(sheet.rows) and _is_lower_half(sheet, merges, end):
        end += 1
    return sheet.first_row + start, min(end - start, HEADER_HEIGHT)


def _words(sheet: Sheet, offset: int) -> list[str]:
    """The texts of a row when it has nothing but short ones, else an empty list."""
    values = [value for value in sheet.rows[offset] if plain(value)]
    texts = [text_of(value) for value in values]
    if any(not isinstance(value, str) for value in values) or any(
        len(text) > _LONGEST_NAME for text in texts
    ):
        return []
    return texts


def _is_lower_half(sheet: Sheet, merges: Merges, offset: int) -> bool:
    """Whether the filled cells of a row stand below merged names only."""
    spans = [(left, right) for _b, left, right in merges.starts.get(offset - 1, ()) if right > left]
    used = [index for index, value in enumerate(sheet.rows[offset]) if plain(value)]
    return (
        bool(used)
        and bool(_words(sheet, offset))
        and all(any(left <= index <= right for left, right in spans) for index in used)
    )


def _likeness(sheet: Sheet, start: int) -> float:
    """How much a row looks like a header; 0 when it cannot be one."""
    words = _words(sheet, start)
    if len(words) < 2 or any(word[:1].isdecimal() for word in words):
        return 0
    below = [row for row in sheet.rows[start + 1 : start + 1 + _LOOKED_BELOW] if not is_blank_row(row)]
    if not below:
        return 0
    width = max(sum(bool(plain(value)) for value in row) for row in below)
    names = sum(is_header_word(word) for word in words)
    used = [index for index, value in enumerate(sheet.rows[start]) if plain(value)]
    other = sum(
        any(
            isinstance(at(row, index), (int, float, date))
            or any(c.isdecimal() for c in plain(at(row, index)))
            for row in below
        )
        for index in used
    )
    distinct = len(set(words)) / len(words)
    return (min(len(words), width) + 2 * names + other) * distinct - start * 0.1
