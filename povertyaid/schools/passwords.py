"""Password rules (classified protection, level 2: complexity)."""

from __future__ import annotations

import string
from typing import Any

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LEAST_CLASSES = 3


class LongEnoughValidator(MinimumLengthValidator):
    """Django's rule of the least length, in words that the catalogue knows."""

    def get_error_message(self) -> str:
        """Return the refusal."""
        return _("The password is too short; it needs at least %(length)d characters.") % {"length": self.min_length}

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _("The password needs at least %(length)d characters.") % {"length": self.min_length}


class MixedCharactersValidator:
    """At least three of: capital letters, small letters, digits, other characters."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when fewer than three kinds of characters occur."""
        del user
        kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
        count = sum(any(char in kind for char in password) for kind in kinds)
        count += any(char not in string.ascii_letters + string.digits for char in password)
        if count < LEAST_CLASSES:
            raise ValidationError(self.get_help_text(), code="password_not_mixed")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _("The password needs three of: capital letters, small letters, digits, other characters.")
