"""Reading pages of the history and of the log of access. Nobody adds, changes or deletes entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.models import AccessLog, Change
from povertyaid.schools.admin_base import ScopedAdmin, ScopedExportMixin, trail

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class KindFilter(admin.SimpleListFilter):
    """Entries by the kind of record, named in words."""

    title = _("record kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        labels = model_admin.model.objects.visible_to(request.user).order_by().values_list("model", flat=True)
        return sorted(
            ((label, kind_name(label)) for label in set(labels.distinct()) if label), key=lambda pair: pair[1]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model=self.value()) if self.value() else queryset


def kind_name(label: str) -> str:
    """Return the kind of record in words; a kind that is no longer there keeps its label."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label


class LogAdmin(ScopedAdmin):
    """What both logs share."""

    list_select_related = ("actor",)
    date_hierarchy = "at"
    actions = None

    @admin.display(description=_("record kind"), ordering="model")
    def kind(self, record: Any) -> str:
        """The kind of record in words."""
        return kind_name(record.model)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Change)
class ChangeAdmin(LogAdmin):
    """Who changed what, over all records."""

    list_display = ("at", "actor_name", "action", "kind", "object_label")
    list_filter = ("action", KindFilter, "at")
    search_fields = ("actor_name", "object_label")
    fields = ("at", "actor_name", "action", "kind", "object_label", "reason", "told")
    readonly_fields = fields
    filter_lookups = ("batch_id",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Remember for whom the entry is put into words: what it names must be in the reader's scope."""
        record = super().get_object(request, object_id, from_field)
        if record is not None:
            record.reader = request.user
        return record

    @admin.display(description=_("fields"))
    def told(self, record: Any) -> str:
        """The changed fields in words, masked."""
        lines = [
            (item.label, item.before or "—", item.after or "—")
            for item in trail.told([record], record.reader)[0].fields
        ]
        return format_html_join("", "<div>{}: {} → {}</div>", lines)


@admin.register(AccessLog)
class AccessLogAdmin(ScopedExportMixin, LogAdmin):
    """Who logged in, read, revealed or exported what."""

    list_display = ("at", "actor_name", "action", "kind", "object_label", "reason")
    list_filter = ("action", KindFilter, "at")
    search_fields = ("actor_name", "object_label", "reason")
    fields = ("at", "actor_name", "action", "kind", "object_label", "reason", "detail")
    readonly_fields = fields
    export_fields = ("at", "actor_name", "action", "kind", "object_label", "reason")
