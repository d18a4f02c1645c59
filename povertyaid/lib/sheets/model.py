"""What a file has become once it is read: sheets of plain values, with what Excel hides or merges."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias

from povertyaid.lib.messages import MessageError

# A number keeps its type, so that an identity number in a numeric cell can be told from one in a text cell.
Value: TypeAlias = str | int | float | bool | date | datetime | None
Kind = Literal["xlsx", "xls", "ods", "csv", "html", "xml"]
Rows: TypeAlias = list[list[Value]]
Merge: TypeAlias = tuple[int, int, int, int]


class UnreadableFileError(MessageError):
    """A file that cannot be read as a workbook: `code` is the cause, the message also says how to mend it.

    Codes: empty, damaged, unsafe, encrypted, html, xml, xlsb, not_spreadsheet, unknown, encoding, too_large;
    from the child process also time, memory, crash.
    """


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold; above it the file is refused before it can fill the memory.

    Bytes for the file and for its unpacked parts, numbers of rows, columns and cells for each sheet,
    characters for one cell and for all cells of a sheet.
    """

    file_bytes: int = 30_000_000
    unpacked_bytes: int = 400_000_000
    sheets: int = 100
    rows: int = 200_000
    columns: int = 500
    cells: int = 3_000_000
    cell_characters: int = 32_767
    sheet_characters: int = 60_000_000


@dataclass(slots=True)
class Sheet:
    """One sheet: `rows[0]` is the row that Excel numbers `first_row`; columns start at A.

    Row and column numbers in `hidden_rows`, `hidden_columns` and `merges` (first row, first column, last
    row, last column) count from 1, as the person sees them.
    """

    name: str
    rows: Rows
    first_row: int = 1
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    visible: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything but blanks."""
        return all(
            value is None or (isinstance(value, str) and not value.strip())
            for row in self.rows
            for value in row
        )


@dataclass(slots=True)
class Workbook:
    """A file: its kind by its bytes, the encoding of text files (else empty), its sheets in order."""

    kind: Kind
    encoding: str
    sheets: list[Sheet]
