"""Columns of lists that several apps show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.masks import mask_phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_stubs_ext import StrOrPromise

PHONE = _("phone")


def masked_phone(name: str = "phone", label: StrOrPromise = PHONE) -> Callable[[Any, Any], str]:
    """Return a list column that shows a telephone number masked."""

    @admin.display(description=label)
    def column(_self: Any, record: Any) -> str:
        return mask_phone(getattr(record, name) or "")

    return column
