"""The base of the admins of records that offices keep every day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from povertyaid.schools.admin_base.export import ScopedExportMixin
from povertyaid.schools.admin_base.options import ScopedAdmin
from povertyaid.schools.admin_base.presets import Preset
from povertyaid.schools.admin_base.rights import RoleBound

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class OfficeAdmin(Preset, RoleBound, ScopedExportMixin, ScopedAdmin):
    """Scope, rights by role, presets and export together (docs/admin.md)."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible records; override to add annotations and select_related to super()'s."""
        queryset: QuerySet[Any] = super().get_queryset(request)
        return queryset
