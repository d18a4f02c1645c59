"""What a person decided for a whole file: school, period, values for missing columns, what each sheet is read as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Part:
    """One sheet read as one kind; without a sheet every sheet that has a table of the kind.

    `columns` holds only what was decided: the signature of a header (`lib.sheets.layout.header_signature`) → column key,
    or "" where the column is not used; all other headers are matched by their text. `header` is the first row (from 1, as
    Excel numbers it) and the number of rows of the header, when a person said where it stands.
    """

    kind: str
    sheet: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    header: tuple[int, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """For storing with the batch or a saved mapping."""
        return {
            "kind": self.kind,
            "sheet": self.sheet,
            "columns": dict(self.columns),
            "header": list(self.header) if self.header else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Part:
        """A stored part."""
        header = stored.get("header")
        return cls(
            stored["kind"],
            stored.get("sheet", ""),
            stored.get("columns", {}),
            (int(header[0]), int(header[1])) if header else None,
        )


@dataclass(frozen=True)
class Options:
    """What was chosen for a whole file: a school (code or name), a period, values for columns that it lacks.

    `parts` say what each sheet is read as; empty: every sheet as the kinds of the batch. `erase_empty`: an empty cell of
    a column that the file has erases what is stored, where the column may be empty.
    """

    school: str = ""
    period: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    erase_empty: bool = False

    def as_json(self) -> dict[str, Any]:
        """For storing with the batch."""
        return {
            "school": self.school,
            "period": self.period,
            "set": dict(self.constants),
            "parts": [part.as_json() for part in self.parts],
            "erase_empty": self.erase_empty,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Options:
        """The options that a batch was previewed with."""
        return cls(
            stored.get("school", ""),
            stored.get("period", ""),
            stored.get("set", {}),
            tuple(Part.from_json(part) for part in stored.get("parts", ())),
            bool(stored.get("erase_empty", False)),
        )
