"""National identity numbers (GB 11643) and pupil numbers: what they say, and when they are wrong.

An identity number is 17 digits and a check character: six of region, eight of birth date, three of sequence
(odd for men). The region is only ever a warning: valid numbers exist whose region was not in force in the
year of birth. python-stdnum's own verdict is not used, since it refuses those and lets future dates and
sequence 000 pass; its table of regions is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Literal

from django.utils.translation import gettext_lazy as _
from stdnum import numdb

from povertyaid.lib.messages import Message, MessageError

Sex = Literal["male", "female"]

# Numbers were first given with the identity cards of 1984, and at birth since the standard of 1999.
_FIRST_GIVEN = 1984
_GIVEN_AT_BIRTH = 1999
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_PUPIL_NUMBER = re.compile(r"[GJL][0-9]{17}[0-9X]")
_DISABILITY = re.compile(r"[0-9]{17}[0-9X][1-7][1-4]B?")
_COUNTY = re.compile(r"(?:\[(?P<start>\d*)-(?P<end>\d*)\])?(?P<name>.*)")


class IdentityError(MessageError):
    """A number that cannot be right; codes: length, characters, checksum, birth, future, sequence, pupil_number."""


@dataclass(frozen=True)
class IdentityFacts:
    """What an identity number says about its holder.

    `region` is the name of the county, else of the province, in the year of birth; empty when it is not
    known.
    """

    birth: date
    sex: Sex
    region: str
    warnings: tuple[Message, ...] = field(default=())


def check_character(digits: str) -> str:
    """The eighteenth character that belongs to seventeen digits."""
    return _CHECK[sum(map(mul, _WEIGHTS, map(int, digits))) % 11]


@lru_cache(maxsize=4096)
def _region(code: str) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    """Province and (first year, last year, county) for six digits; empty when the table has no such region.

    Cached: a county's lists hold a few hundred regions in tens of thousands of rows.
    """
    properties: dict[str, str] = {}
    for _part, found in numdb.get("cn/loc").info(code):
        properties.update(found)
    counties = []
    for item in properties.get("county", "").split(","):
        match = _COUNTY.fullmatch(item)
        if match is not None and match["name"]:
            counties.append((int(match["start"] or 0), int(match["end"] or 9999), match["name"]))
    return properties.get("province", ""), tuple(counties)


def _region_in(code: str, year: int) -> tuple[str, tuple[Message, ...]]:
    """Name of the region in the year of birth, and a warning where the table does not know it then.

    Who was born before numbers were given at birth got one where he or she lived later: for them any region counts
    that was in force since.
    """
    province, counties = _region(code)
    for start, end, name in counties:
        if start <= year <= end or (year < _GIVEN_AT_BIRTH and end >= max(year, _FIRST_GIVEN)):
            return name, ()
    if counties:
        text = _(
            "The region %(region)s of the identity number was not in force in the year of birth. Please check."
        )
    else:
        text = _("The region %(region)s of the identity number is not known. Please check.")
    return province, (Message("region", text, {"region": code}),)


def check_identity(text: str, today: date) -> IdentityFacts:
    """The facts of a normalised identity number (18 characters, capital X).

    Raises IdentityError; `today` bounds the birth date. The number itself is never part of a message.
    """
    if len(text) != 18:
        raise IdentityError(
            "length",
            _("An identity number has 18 characters; this one has %(length)d. Copy it again from the paper."),
            {"length": len(text)},
        )
    if _SHAPE.fullmatch(text) is None:
        raise IdentityError(
            "characters",
            _("An identity number is 17 digits and a digit or X at the end. Copy it again from the paper."),
        )
    if text[-1] != check_character(text[:17]):
        raise IdentityError(
            "checksum",
            _(
                "The identity number does not pass its check: at least one character is wrong. Copy it again from the paper."
            ),
        )
    try:
        birth = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise IdentityError(
            "birth", _("The birth date in the identity number does not exist. Copy it again from the paper.")
        ) from None
    if birth > today:
        raise IdentityError(
            "future",
            _("The birth date in the identity number lies in the future. Copy it again from the paper."),
        )
    if text[14:17] == "000":
        raise IdentityError(
            "sequence",
            _("The sequence 000 in the identity number is never given out. Copy it again from the paper."),
        )
    region, warnings = _region_in(text[:6], birth.year)
    return IdentityFacts(birth, "male" if int(text[16]) % 2 else "female", region, warnings)


def check_pupil_number(text: str) -> str:
    """The pupil number unchanged when its form is right: G, J or L, 17 digits, and a digit or X.

    It may differ from today's identity number, so that nothing more is checked.
    """
    if _PUPIL_NUMBER.fullmatch(text) is None:
        raise IdentityError(
            "pupil_number",
            _(
                "A pupil number is G, J or L with 17 digits and a digit or X after it. Copy it again from the school roll."
            ),
        )
    return text


def check_disability_certificate(text: str) -> tuple[str, int, int]:
    """Identity number, category (1–7) and degree (1–4) of a disability certificate; a trailing B is a reissue."""
    if _DISABILITY.fullmatch(text) is None:
        raise IdentityError(
            "disability",
            _(
                "A disability certificate has the identity number, a digit of category (1–7) and one of degree (1–4)."
            ),
        )
    return text[:18], int(text[18]), int(text[19])
