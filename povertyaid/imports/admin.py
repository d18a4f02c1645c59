"""The register of imports: found and filtered here, looked at on its own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.models import ImportBatch
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
