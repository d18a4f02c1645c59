"""The register of imports: found and filtered here, looked at on its own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.models import ImportBatch, SavedMapping
from povertyaid.imports.resources import resource_for
from povertyaid.schools.admin_base import ScopedAdmin, ScopedRelatedFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(ImportBatch)
class ImportBatchAdmin(ScopedAdmin):
    """Read only: an import is confirmed or given up on its page, and stays in the register."""

    list_display = (
        "file_name",
        "kind_text",
        "school",
        "sender",
        "created_at",
        "state",
        "records",
        "refused",
        "page",
    )
    list_filter = ("state", ("school", ScopedRelatedFilter), "created_at")
    list_select_related = ("file", "school", "sender")
    search_fields = ("file__name", "file__digest")
    fields = (
        "file_name",
        "kind_text",
        "school",
        "sender",
        "created_at",
        "state",
        "finished_at",
        "records",
        "refused",
        "page",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the bytes of the workbooks where they are."""
        queryset: QuerySet[Any] = super().get_queryset(request)
        return queryset.select_related("file", "school", "sender").defer("file__content")

    @admin.display(description=_("file"), ordering="file__name")
    def file_name(self, record: ImportBatch) -> str:
        """The name of the file."""
        return str(record.file.name)

    @admin.display(description=_("kind"), ordering="kind")
    def kind_text(self, record: ImportBatch) -> str:
        """The kind in words."""
        resource = resource_for(record.kind)
        return str(resource.label) if resource is not None else record.kind

    @admin.display(description=_("records"))
    def records(self, record: ImportBatch) -> int:
        """Records of the kind in the file."""
        return int(record.counts.get("rows", 0))

    @admin.display(description=_("refused"))
    def refused(self, record: ImportBatch) -> int:
        """Records that could not be taken."""
        return int(record.counts.get("rejected", 0))

    @admin.display(description=_("rows"))
    def page(self, record: ImportBatch) -> str:
        """Where every row of it is told."""
        return format_html(
            '<a href="{}">{}</a>', reverse("imports:batch", args=[record.pk]), _("look at the rows")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Lists are sent on the import page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What arrived is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What arrived is never removed by hand."""
        return False


@admin.register(SavedMapping)
class SavedMappingAdmin(ScopedAdmin):
    """Columns that were decided once: renamed here or removed; they are made on the page of an import."""

    list_display = ("sender", "kinds_text", "school", "used_at", "created_at")
    list_filter = (("school", ScopedRelatedFilter), "used_at")
    list_select_related = ("school",)
    search_fields = ("sender",)
    fields = ("sender", "kinds_text", "columns_text", "school", "county", "used_at", "created_at")
    readonly_fields = ("kinds_text", "columns_text", "school", "county", "used_at", "created_at")

    @admin.display(description=_("kind"))
    def kinds_text(self, record: SavedMapping) -> str:
        """The kinds that the columns are read as."""
        found = [resource_for(part["kind"]) for part in record.parts]
        labels = "、".join(str(resource.label) for resource in found if resource is not None)
        return labels or str(_("not read"))

    @admin.display(description=_("columns"))
    def columns_text(self, record: SavedMapping) -> str:
        """Each header with its column."""
        lines = []
        for part in record.parts:
            resource = resource_for(part["kind"])
            if resource is not None:
                names = {column.key: column.header for column in resource.columns}
                lines += [
                    f"{header} → {names[key]}" for header, key in part["columns"].items() if key in names
                ]
        return format_html_join("、", "{}", ((line,) for line in lines))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Columns are kept where they are decided."""
        return False
