"""Cleaners for the numbers that identify: identity, pupil number, bank account, telephone.

A numeric cell keeps fifteen digits, so a longer number in it has lost its end, and about nine in a hundred
such remains still pass the identity check (POLICY §4). Numeric cells are therefore refused, never repaired.
"""

# ruff: noqa: ARG001 - every cleaner takes the context, whether it needs it or not

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.cells.base import (
    CellError,
    Cleaned,
    Context,
    Sensitive,
    Steps,
    as_text,
    begin,
    error,
    is_blank,
    is_number,
    is_scientific,
)
from povertyaid.lib.identity import IdentityError, check_identity, check_pupil_number
from povertyaid.lib.messages import Message
from povertyaid.lib.sheets.model import Value

# Long numbers that are written as they are stored: no step would change them.
_PLAIN_NUMBER = re.compile(r"[GJL]?[0-9]{8,32}X?")
_BLANKS = re.compile(r"[\s\u00a0]+")
_GROUPING = re.compile(r"[\s\u00a0\-—–－_]+")
_ACCOUNT = re.compile(r"[0-9]{8,32}")
_HARD_SEPARATOR = re.compile(r"[、，,;；/／|\n\r]+")
_PHONE_NOISE = re.compile(r"[\s\u00a0\-—–－_()（）.·]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[1-9][0-9]{8,10}|[2-9][0-9]{6,7}|[48]00[0-9]{7}")
_COUNTRY = re.compile(r"(?:\+|00)?86(?=1[3-9][0-9]{9}$|0?[1-9][0-9]{9,10}$)")


def _long_number(value: Value, sensitive: Sensitive) -> Steps | None:
    """The text of a long number with its dress removed, None for blank; numeric and scientific are refused."""
    if is_number(value):
        raise CellError(
            "numeric",
            _(
                "The cell holds the number as a numeric value, so that its last digits are lost. "
                "Set the column to text and copy the number again from the paper; do not retype from this sheet."
            ),
        )
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        return Steps(value)
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise CellError("type", _("This cell must hold a number as text, not a date or a logical value."))
    steps = begin(value)
    if is_blank(steps.text):
        return None
    steps.apply("fullwidth", unicodedata.normalize("NFKC", steps.text))
    if is_scientific(steps.text):
        raise CellError(
            "scientific",
            _(
                "The number is in scientific notation, so that its last digits are lost. "
                "Set the column to text and copy the number again from the paper."
            ),
        )
    steps.apply("inner_blanks", (_GROUPING if sensitive == "account" else _BLANKS).sub("", steps.text))
    steps.apply("uppercase", steps.text.upper())
    return steps


def _shortened() -> Message:
    """For text that was a number in another file before: Excel writes noughts for the digits that it lost."""
    return Message(
        "shortened",
        _(
            "The number ends in noughts, as numbers do whose last digits a spreadsheet has lost. "
            "Compare it with the paper."
        ),
    )


def clean_identity(value: Value, *, ctx: Context) -> Cleaned[str]:
    """A national identity number of 18 characters that passes every check; an odd region is a warning.

    Error codes: numeric, scientific, type, and those of `identity.check_identity`.
    """
    steps = _long_number(value, "identity")
    if steps is None:
        return Cleaned(None, sensitive="identity")
    try:
        facts = check_identity(steps.text, ctx.today)
    except IdentityError as found:
        raise CellError(found.code, found.message.text, found.message.params) from None
    warnings = list(facts.warnings)
    if steps.text.endswith("000"):
        warnings.append(_shortened())
    return Cleaned(steps.text, steps.repairs, warnings, "identity")


def clean_pupil_number(value: Value, *, ctx: Context) -> Cleaned[str]:
    """A pupil number: G, J or L and 18 characters. Error codes: numeric, scientific, type, pupil_number."""
    steps = _long_number(value, "pupil_number")
    if steps is None:
        return Cleaned(None, sensitive="pupil_number")
    try:
        check_pupil_number(steps.text)
    except IdentityError as found:
        raise CellError(found.code, found.message.text, found.message.params) from None
    return Cleaned(steps.text, steps.repairs, sensitive="pupil_number")


def clean_account(value: Value, *, ctx: Context) -> Cleaned[str]:
    """A bank account of 8 to 32 digits. Luhn is not asked for: passbooks need not satisfy it.

    Error codes: numeric, scientific, type, account.
    """
    steps = _long_number(value, "account")
    if steps is None:
        return Cleaned(None, sensitive="account")
    if _ACCOUNT.fullmatch(steps.text) is None:
        raise CellError(
            "account", _("A bank account has 8 to 32 digits and nothing else. Copy it again from the card.")
        )
    warnings = [_shortened()] if len(steps.text) >= 16 and steps.text.endswith("0000") else []
    return Cleaned(steps.text, steps.repairs, warnings, "account")


def clean_phone(value: Value, *, ctx: Context) -> Cleaned[str]:
    """A mobile or landline, digits only; several in one cell are all kept, with 、 between them.

    Rules: fullwidth, phone_prefix (+86), phone_separators (blanks, dashes, brackets, other signs between
    numbers).
    """
    if isinstance(value, str) and _MOBILE.fullmatch(value):
        return Cleaned(value, sensitive="phone")
    if is_blank(value):
        return Cleaned(None, sensitive="phone")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _phone_error()
    steps = begin(value if isinstance(value, str) else as_text(value))
    if is_blank(steps.text):
        return Cleaned(None, sensitive="phone")
    steps.apply("fullwidth", unicodedata.normalize("NFKC", steps.text))
    if len(steps.text) > 200:
        raise _phone_error()
    # The prefix goes first in each part, so that the repair tells what exactly it did.
    parts = [part for part in _HARD_SEPARATOR.split(steps.text) if part.strip()]
    bare = [_PHONE_NOISE.sub("", part) for part in parts]
    steps.apply("phone_separators", "、".join(_split_run(part) for part in bare))
    steps.apply("phone_prefix", "、".join(_COUNTRY.sub("", part) for part in steps.text.split("、")))
    for part in steps.text.split("、"):
        if not (_MOBILE.fullmatch(part) or _LANDLINE.fullmatch(part)):
            raise _phone_error()
    return Cleaned(steps.text, steps.repairs, sensitive="phone")


def _split_run(digits: str) -> str:
    """Two mobiles that were parted by a blank only stand together as 22 digits."""
    if len(digits) == 22 and _MOBILE.fullmatch(digits[:11]) and _MOBILE.fullmatch(digits[11:]):
        return f"{digits[:11]}、{digits[11:]}"
    return digits


def _phone_error() -> CellError:
    return error(
        "phone",
        _("This is not a telephone number. Write a mobile of 11 digits or a landline with its area code."),
    )
