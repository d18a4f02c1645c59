"""The base of the admins of records that offices keep every day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from povertyaid.schools.admin_base.export import ScopedExportMixin
from povertyaid.schools.admin_base.options import ScopedAdmin
from povertyaid.schools.admin_base.presets import Preset, own_schools

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

SCHOOL_COLUMNS = frozenset({"school", "school_now"})


class OfficeAdmin(Preset, ScopedExportMixin, ScopedAdmin):
    """Scope, presets and export together (docs/admin.md).

    Who answers for one school sees no column and no filter that would say its name in every row.
    """

    class Media:
        css = {"all": ("office-records/records.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible records; override to add annotations and select_related to super()'s."""
        queryset: QuerySet[Any] = super().get_queryset(request)
        return queryset

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return [name for name in shown if name not in SCHOOL_COLUMNS] if _has_one_school(request) else shown

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        if not _has_one_school(request):
            return filters
        return [item for item in filters if not (isinstance(item, tuple) and str(item[0]).endswith("school"))]


def _has_one_school(request: HttpRequest) -> bool:
    """Say whether the account answers for exactly one school; asked once a request."""
    known: bool | None = getattr(request, "_has_one_school", None)
    if known is None:
        known = len(own_schools(request.user)[:2]) == 1
        request._has_one_school = known  # type: ignore[attr-defined]
    return known
