"""How two numbers that should be one may differ: by one digit, or by two neighbouring digits that changed places.

These are the commonest mistakes of copying. Nothing here tells a digit, only places: the words may stand in a preview.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from datetime import date

Kind = Literal["one_digit", "swapped"]
# Identity numbers have 18 characters, pupil numbers a letter before them; the last one is computed from the others.
_WITH_CHECK = frozenset({18, 19})
# Birth date and sequence within an identity number (from 0): what is stored of it in the clear, in other columns.
_KNOWN = slice(6, 17)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What tells two numbers apart; `places` count from 1."""

    kind: Kind
    places: tuple[int, ...]

    @property
    def message(self) -> Message:
        """Where the two differ, in words and without a digit."""
        if self.kind == "one_digit":
            return Message("one_digit", _("they differ in character %(place)d"), {"place": self.places[0]})
        text = _("characters %(first)d and %(second)d are swapped")
        return Message("swapped", text, {"first": self.places[0], "second": self.places[1]})


def likeness(one: str, other: str) -> Likeness | None:
    """How two texts of one length differ, when it is by one character or by two neighbours that changed places."""
    if len(one) != len(other) or one == other:
        return None
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) == 1:
        return Likeness("one_digit", (places[0] + 1,))
    if len(places) == 2 and places[1] == places[0] + 1:
        first, second = places
        if (one[first], one[second]) == (other[second], other[first]):
            return Likeness("swapped", (first + 1, second + 1))
    return None


def number_likeness(one: str, other: str) -> Likeness | None:
    """The same for two identity numbers or two pupil numbers.

    The check character follows the digits before it, so that two right numbers that differ by one digit differ in it
    too: it is then left out of the comparison.
    """
    found = likeness(one, other)
    if found is None and len(one) in _WITH_CHECK and len(one) == len(other):
        return likeness(one[:-1], other[:-1])
    return found


def may_be_close(number: str, birth: date | None, last4: str) -> bool:
    """Whether an identity number may be like a stored one of which date of birth and last four characters are at hand.

    Spares decrypting: what this denies is no near miss; what it allows must be compared as a whole. Two digits that
    changed places across the region and the date count as well, since only one of them is seen here.
    """
    if birth is None or len(last4) != 4 or len(number) != 18:
        return False
    seen, known = number[_KNOWN], f"{birth:%Y%m%d}{last4[:3]}"
    return seen == known or likeness(seen, known) is not None


def close_keys(number: str) -> tuple[str, str, str]:
    """Keys of which two close identity numbers share at least one: by birth, by sequence, and across the two."""
    return (f"b{number[6:14]}", f"s{number[14:17]}", f"x{number[6:13]}{number[15:17]}")


def close_keys_of(birth: date, last4: str) -> tuple[str, str, str]:
    """The same keys of a stored number, from what is stored beside it."""
    day = f"{birth:%Y%m%d}"
    return (f"b{day}", f"s{last4[:3]}", f"x{day[:7]}{last4[1:3]}")
