"""What was changed, and who looked.

A slim log of ours instead of django-simple-history: one row a change with masked values, so that encrypted columns are
not copied into a second table and 50,000 imported rows cost one bulk insert (docs/libraries.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.schools.base import Record
from povertyaid.schools.models import RoleGrant, Staff

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class LogEntry(Record):
    """Common columns of both logs; entries are written once and never edited or deleted by users."""

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    actor_name = models.CharField(_("name"), max_length=150, blank=True)
    model = models.CharField(_("record kind"), max_length=60, blank=True)
    object_id = models.BigIntegerField(_("record"), null=True)
    object_label = models.CharField(_("record name"), max_length=120, blank=True)

    keeps_history: ClassVar[bool] = False

    class Meta(Record.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.model} {self.object_id}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """The county's administrators and inspectors see what accounts of their county did."""
        counties = scope.county_ids
        grants = RoleGrant.objects.filter(Q(county__in=counties) | Q(school__county__in=counties)).values(
            "user"
        )
        people = Staff.objects.filter(county__in=counties, account__isnull=False).values("account")
        return Q(actor__in=grants) | Q(actor__in=people)


class Change(LogEntry):
    """One record added, changed or deleted: who, when, what, before, after (masked)."""

    class Action(models.TextChoices):
        ADD = "add", _("added")
        CHANGE = "change", _("changed")
        DELETE = "delete", _("deleted")

    action = models.CharField(_("what happened"), max_length=10, choices=Action)
    # [{"field": name, "from": text, "to": text}], sensitive values masked before they come here.
    fields: models.JSONField[Any, Any] = models.JSONField(_("fields"), default=list)
    batch_id = models.BigIntegerField(_("import"), null=True, db_index=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta(LogEntry.Meta):
        verbose_name = _("change")
        verbose_name_plural = _("history of changes")
        ordering = ("-at", "-pk")
        # Serves the history page of one record.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["model", "object_id"], name="change_of_record")
        ]


class AccessLog(LogEntry):
    """Somebody logged in, read, revealed, exported or printed."""

    class Action(models.TextChoices):
        LOGIN = "login", _("logged in")
        LOGOUT = "logout", _("logged out")
        LOGIN_FAILED = "login_failed", _("log-in failed")
        READ = "read", _("read")
        REVEAL = "reveal", _("saw the whole value")
        EXPORT = "export", _("exported")
        PRINT = "print", _("printed")
        IMPORT = "import", _("imported")

    action = models.CharField(_("what happened"), max_length=20, choices=Action)
    detail: models.JSONField[Any, Any] = models.JSONField(_("detail"), default=dict)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta(LogEntry.Meta):
        verbose_name = _("access")
        verbose_name_plural = _("log of access")
        ordering = ("-at", "-pk")

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Besides what accounts of one's county did: failed log-ins under names that no account has."""
        found = super().scope_filter(scope)
        if scope.county_ids:
            found |= Q(action=cls.Action.LOGIN_FAILED, actor__isnull=True)
        return found
