"""Validators of form fields that stand on the pure checks of this folder."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.identity import IdentityError, check_identity

PUPIL_NUMBER = re.compile(r"^[GJL]\d{17}[\dX]$")
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


def validate_account(value: str) -> None:
    """Raise ValidationError unless `value` is 8 to 32 digits; check digits are not required of passbooks (POLICY §4)."""
    if not ACCOUNT.match(value):
        raise ValidationError(_("A bank account has 8 to 32 digits and nothing else."), code="account")
