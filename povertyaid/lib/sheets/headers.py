"""Names of columns: one spelling for comparison, and which column of a sheet is which field."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_BRACKETS = re.compile(r"[(\[【〔<《「][^()\[\]【】〔〕<>《》「」]*[)\]】〕>》」]")


class Column(Protocol):
    """A field that a sheet may hold: its key, and the headers under which it arrives, the usual one first."""

    @property
    def key(self) -> str:
        """The name of the field in the program."""

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header under which the field is known."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Which column is which field: `keys` by column index; `duplicates` came later for a key that was taken."""

    keys: dict[int, str] = field(default_factory=dict)
    duplicates: list[tuple[int, str]] = field(default_factory=list)


@lru_cache(maxsize=8192)
def normalise_header(text: str) -> str:
    """A header without blanks, brackets, punctuation and marks of required columns; compatibility forms unified.

    The words inside brackets stay: 县(市、区、旗) and 县 are different columns until nothing else fits.
    """
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).lower()
        if unicodedata.category(character)[0] in "LN"
    )


@lru_cache(maxsize=8192)
def _without_brackets(text: str) -> str:
    return normalise_header(_BRACKETS.sub("", unicodedata.normalize("NFKC", text)))


def match_columns(headers: Sequence[str], columns: Sequence[Column], groups: Sequence[str] = ()) -> Matching:
    """Which field each header names.

    `groups` are the headers above, where there are any: 监护人 above 姓名 is tried as 监护人姓名 before 姓名
    alone, and a 姓名 without a group is preferred to one under a group. Exact headers come before those that
    only fit without what stands in brackets, as 实发金额（元）.
    """
    exact: dict[str, str] = {}
    for column in columns:
        for header in column.headers:
            exact.setdefault(normalise_header(header), column.key)
    exact.pop("", None)
    above = [*groups, *[""] * (len(headers) - len(groups))]
    found: list[tuple[int, int, str]] = []
    for index, (header, group) in enumerate(zip(headers, above, strict=False)):
        attempts = (
            (0, normalise_header(group + header) if group else ""),
            (2 if group else 1, normalise_header(header)),
            (4 if group else 3, _without_brackets(header)),
        )
        for rank, text in attempts:
            if text and text in exact:
                found.append((rank, index, exact[text]))
                break
    keys: dict[int, str] = {}
    duplicates: list[tuple[int, str]] = []
    taken: set[str] = set()
    for _rank, index, key in sorted(found):
        if key in taken:
            duplicates.append((index, key))
        else:
            taken.add(key)
            keys[index] = key
    return Matching(dict(sorted(keys.items())), sorted(duplicates))
