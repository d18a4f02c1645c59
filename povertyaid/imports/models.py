"""An imported file and the outcome of every row of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.files.models import Attachment
from povertyaid.schools.base import LifeCycle, Record, WrongMoveError
from povertyaid.schools.models import County, School

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class WrongBatchMoveError(WrongMoveError):
    """A batch was asked to go where its life cycle does not lead; nothing was changed."""


class ImportBatch(LifeCycle, Record):
    """One file that somebody sent: what it is, who sent it, what became of it.

    Legal path: to_check (待核对) → importing (导入中) → imported or partly (已导入／部分导入); to_check → cancelled
    (已取消); a file that could not be read is refused (有误退回); importing → failed (导入失败).
    """

    class State(models.TextChoices):
        TO_CHECK = "to_check", _("to be checked")
        IMPORTING = "importing", _("being imported")
        IMPORTED = "imported", _("imported")
        PARTLY = "partly", _("partly imported")
        REFUSED = "refused", _("sent back")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    wrong_move = WrongBatchMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.TO_CHECK: frozenset({State.IMPORTING, State.CANCELLED, State.REFUSED}),
        State.IMPORTING: frozenset({State.IMPORTED, State.PARTLY, State.FAILED}),
        State.IMPORTED: frozenset(),
        State.PARTLY: frozenset(),
        State.REFUSED: frozenset(),
        State.CANCELLED: frozenset(),
        State.FAILED: frozenset(),
    }

    kind = models.CharField(_("kind"), max_length=30)
    county = models.ForeignKey(County, models.PROTECT, related_name="batches", verbose_name=_("county"))
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="batches", verbose_name=_("school")
    )
    file = models.ForeignKey(Attachment, models.PROTECT, related_name="batches", verbose_name=_("file"))
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="batches",
        verbose_name=_("sent by"),
    )
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.TO_CHECK)
    # What was chosen for the whole file: {"school": code, "period": code, "set": {header: value}}.
    options: models.JSONField[Any, Any] = models.JSONField(_("options"), default=dict)
    # Keys: rows, created, updated, unchanged, rejected, warned, ignored.
    counts: models.JSONField[Any, Any] = models.JSONField(_("counts"), default=dict)
    # Masked repairs, ignored rows and sheets, columns, as in the JSON of `import_workbook`.
    report: models.JSONField[Any, Any] = models.JSONField(_("report"), default=dict)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.file.name}（{self.created_at:%Y-%m-%d %H:%M}）"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """A school's batches for that school, the bureau's own for the bureau, one's own always."""
        return (
            Q(school__in=scope.schools)
            | Q(school__isnull=True, county__in=scope.county_ids)
            # Not those of a school that one has left since.
            | Q(school__isnull=True, sender=scope.user_id, county__in=scope.home_county_ids)
        )



class ImportRow(Record):
    """The outcome of one row: for the preview's table and for later questions. Values are masked."""

    class Outcome(models.TextChoices):
        CREATED = "created", _("new")
        UPDATED = "updated", _("changed")
        UNCHANGED = "unchanged", _("unchanged")
        REJECTED = "rejected", _("refused")
        IGNORED = "ignored", _("ignored")

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows", verbose_name=_("import"))
    sheet = models.CharField(_("sheet"), max_length=60)
    row = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    values: models.JSONField[Any, Any] = models.JSONField(_("values"), default=dict)
    # [{"level": "error"|"warning"|"repair"|"change", "column", "value", "message"}]
    messages: models.JSONField[Any, Any] = models.JSONField(_("messages"), default=list)
    warned = models.BooleanField(_("warned"), default=False)

    keeps_history: ClassVar[bool] = False

    class Meta(Record.Meta):
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        ordering = ("batch", "sheet", "row", "pk")

    def __str__(self) -> str:
        return f"{self.sheet} {self.row}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(batch__in=ImportBatch.objects.filter(ImportBatch.scope_filter(scope)).values("pk"))
