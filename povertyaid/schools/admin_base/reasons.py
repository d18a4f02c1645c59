"""The reason that somebody gives for seeing whole values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LEAST = 4
MOST = 200


class ReasonField(forms.CharField):
    """At least four characters, so that the log says something to whoever checks it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "label": _("Reason"),
                "min_length": LEAST,
                "max_length": MOST,
                "help_text": _("For example: filling in the bank's payment list. The log keeps it with your name."),
                **kwargs,
            }
        )
