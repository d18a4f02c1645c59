"""The records of a table: their cells by field, read from the rows of the sheet without copying them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Value


class Cell(NamedTuple):
    """A cell of a record: `filled` when the value stands in a merged cell above."""

    value: Value
    header_text: str
    numeric: bool
    filled: bool


@dataclass(slots=True)
class Places:
    """Which column is which field, and the header above it; one for all records of a table."""

    index: dict[str, int]
    headers: dict[str, str]

    def drop(self, key: str) -> None:
        """The column is no field any more."""
        self.index.pop(key, None)


class Values(MutableMapping[str, "Value"]):
    """The values of a record by field. What is set stands beside the row of the sheet, which stays as it is.

    A list has tens of thousands of records: a dictionary for each would take more memory than the sheet itself.
    """

    __slots__ = ("_own", "_places", "_row")

    def __init__(self, places: Places, row: Sequence[Value]) -> None:
        """Read from a row of the sheet."""
        self._places = places
        self._row = row
        self._own: dict[str, Value] | None = None

    def __getitem__(self, key: str) -> Value:
        if self._own is not None and key in self._own:
            return self._own[key]
        index = self._places.index[key]
        return self._row[index] if index < len(self._row) else None

    def __setitem__(self, key: str, value: Value) -> None:
        self._own = {**(self._own or {}), key: value}

    def __delitem__(self, key: str) -> None:
        msg = "The columns of a table are dropped for all of its records at once (Places.drop)."
        raise TypeError(msg)

    def __contains__(self, key: object) -> bool:
        return key in self._places.index or (self._own is not None and key in self._own)

    def __iter__(self) -> Iterator[str]:
        yield from self._places.index
        yield from (key for key in self._own or () if key not in self._places.index)

    def __len__(self) -> int:
        return sum(1 for _key in self)


@dataclass(slots=True)
class Row:
    """A record: its number as Excel shows it, its values by field, and whether Excel hides the row.

    `filled` are the columns (from 0) whose value stands in a merged cell above.
    """

    number: int
    values: Values
    hidden: bool
    places: Places
    filled: Collection[int] = ()

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cells by field, with all that is known of each."""
        return {key: self._cell(key, value) for key, value in self.values.items()}

    def _cell(self, key: str, value: Value) -> Cell:
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        return Cell(
            value, self.places.headers.get(key, ""), numeric, self.places.index.get(key) in self.filled
        )
