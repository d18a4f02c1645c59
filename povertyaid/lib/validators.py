"""Validators of form fields that stand on the pure checks of this folder."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.identity import IdentityError, check_character, check_identity

PUPIL_NUMBER = re.compile(r"^[GJL]\d{17}[\dX]$")
# A mobile; a landline with or without its area code and extension; a 400 or 800 number.
PHONE = re.compile(r"^(1[3-9][0-9]{9}|(0[0-9]{2,3})?[2-8][0-9]{6,7}([转#][0-9]{1,6})?|[48]00[0-9]{7})$")
ACCOUNT = re.compile(r"^\d{8,32}$")


def validate_identity(value: str) -> None:
    """Raise ValidationError unless `value` is an 18-digit identity number with a right check digit and a real birth date."""
    try:
        check_identity(value, timezone.localdate())
    except IdentityError as error:
        raise ValidationError(str(error), code=error.code) from None


def validate_pupil_number(value: str) -> None:
    """Raise ValidationError unless `value` is a pupil number: G, J or L, 17 digits, a digit or X (POLICY §4)."""
    if not PUPIL_NUMBER.match(value):
        raise ValidationError(
            _("A pupil number is G, J or L, then 17 digits, then a digit or X."), code="pupil_number"
        )


def validate_phone(value: str) -> None:
    """Raise ValidationError unless `value` is a mobile or landline number, or several separated by 、 (POLICY §4)."""
    for part in value.split("、"):
        if not PHONE.match(re.sub(r"[ -]", "", part)):
            raise ValidationError(
                _("A mobile number has 11 digits, a landline its area code; separate several with 、"), code="phone"
            )


def validate_account(value: str) -> None:
    """Raise ValidationError unless `value` is 8 to 32 digits; check digits are not required of passbooks (POLICY §4)."""
    if not ACCOUNT.match(value):
        raise ValidationError(_("A bank account has 8 to 32 digits and nothing else."), code="account")


# A whole identity number with a plausible birth year, and a bank card, inside other words.
_IDENTITY_WITHIN = re.compile(r"(?<!\d)(\d{6}(?:19|20)\d{9})([\dXx])(?!\d)")
_CARD_WITHIN = re.compile(r"(?<!\d)62\d{14,17}(?!\d)")
_SHORTEST_WITHIN = 16


def validate_no_numbers(value: str) -> None:
    """Raise ValidationError when free text holds an identity number or a bank card: it is stored and shown as it is."""
    if len(value) < _SHORTEST_WITHIN:
        return
    found = any(check_character(digits) == last.upper() for digits, last in _IDENTITY_WITHIN.findall(value))
    if found or _CARD_WITHIN.search(value):
        raise ValidationError(
            _(
                "Write no identity number and no bank account here: they have fields of their own, where they are"
                " encrypted. Take the number out and save again."
            ),
            code="number_in_text",
        )
