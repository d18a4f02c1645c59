"""The register of background works: read only; what they wrote has a history of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_tasks_db.admin  # noqa: F401 - registers the queue's own page, which is taken away below
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from povertyaid.schools.admin_base import ScopedAdmin, ScopedRelatedFilter
from povertyaid.work.models import Work

if TYPE_CHECKING:
    from django.http import HttpRequest

# The queue holds numbers of works only and knows no scope; nobody needs its page.
admin.site.unregister(DBTaskResult)


@admin.register(Work)
class WorkAdmin(ScopedAdmin):
    """What is being done in the background, and how it ended."""

    list_display = ("label_text", "school", "owner", "created_at", "state", "phase", "finished_at")
    list_filter = ("state", ("school", ScopedRelatedFilter), "created_at")
    list_select_related = ("school", "owner")
    fields = (
        "label_text",
        "county",
        "school",
        "owner",
        "created_at",
        "state",
        "phase",
        "done",
        "total",
        "error",
        "started_at",
        "finished_at",
    )
    readonly_fields = fields
    actions = None

    @admin.display(description=_("what"), ordering="what")
    def label_text(self, record: Work) -> str:
        """The job in words."""
        return str(record.label)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Works are started on the pages that need them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A work is stopped on the page that shows its progress."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Old ones are deleted by the daily command."""
        return False
