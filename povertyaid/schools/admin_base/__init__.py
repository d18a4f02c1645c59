"""The base of every admin page: scope, locking, search, masks, confirmation, history (docs/admin.md)."""

from __future__ import annotations

from povertyaid.schools.admin_base.actions import confirmed_action
from povertyaid.schools.admin_base.export import ScopedExportMixin
from povertyaid.schools.admin_base.filters import ScopedRelatedFilter
from povertyaid.schools.admin_base.forms import ScopedFormSet, ScopedModelForm
from povertyaid.schools.admin_base.options import (
    ScopedAdmin,
    ScopedStackedInline,
    ScopedTabularInline,
    visible,
)

__all__ = [
    "ScopedAdmin",
    "ScopedExportMixin",
    "ScopedFormSet",
    "ScopedModelForm",
    "ScopedRelatedFilter",
    "ScopedStackedInline",
    "ScopedTabularInline",
    "confirmed_action",
    "visible",
]
