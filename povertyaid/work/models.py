"""Long work that runs outside the request: what it is, how far it is, how it ended."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.schools.base import LifeCycle, Record, WrongMoveError
from povertyaid.schools.models import County, School
from povertyaid.work import registry

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from povertyaid.schools.scope import Scope


class WrongWorkMoveError(WrongMoveError):
    """A work was asked to go where its life cycle does not lead; nothing was changed."""


class Work(LifeCycle, Record):
    """One run of a registered job for somebody.

    Legal path: waiting (等待中) → running (进行中) → done (已完成), failed (失败) or cancelled (已取消). A waiting work can
    be cancelled, and fails when it can never start. Nothing leads back: who wants it again starts another.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    LIVE: ClassVar[tuple[str, ...]] = (State.WAITING, State.RUNNING)
    wrong_move = WrongWorkMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.WAITING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
        State.RUNNING: frozenset({State.DONE, State.FAILED, State.CANCELLED}),
        State.DONE: frozenset(),
        State.FAILED: frozenset(),
        State.CANCELLED: frozenset(),
    }

    # The key under which a job was registered: "imports.commit".
    what = models.CharField(_("what"), max_length=60)
    # Names the work outside the database (the files beside SQLite), where its number could be another database's.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    county = models.ForeignKey(
        County, models.PROTECT, null=True, blank=True, related_name="works", verbose_name=_("county")
    )
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="works", verbose_name=_("school")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="works",
        verbose_name=_("started by"),
    )
    # The record that the work is about ("imports.importbatch", 12); "" and null when there is none.
    target_model = models.CharField(_("record kind"), max_length=60, blank=True)
    target_id = models.BigIntegerField(_("record"), null=True, blank=True)
    # Small and never sensitive: keys of records, choices of a form.
    args: models.JSONField[Any, Any] = models.JSONField(_("arguments"), default=dict, blank=True)

    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    phase = models.CharField(_("phase"), max_length=120, blank=True)
    done = models.PositiveIntegerField(_("done so far"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    error = models.TextField(_("what went wrong"), blank=True)
    cancel_requested = models.BooleanField(_("asked to stop"), default=False)

    queued_as = models.CharField(max_length=40, blank=True, editable=False)
    queued_at = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    host = models.CharField(max_length=120, blank=True, editable=False)
    pid = models.PositiveBigIntegerField(null=True, editable=False)
    process_start = models.CharField(max_length=30, blank=True, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    # What a work wrote has a history of its own.
    keeps_history: ClassVar[bool] = False

    class Meta(Record.Meta):
        verbose_name = _("background work")
        verbose_name_plural = _("background works")
        ordering = ("-created_at", "-pk")
        # Serves the page of a record that asks for its latest work, and the look for lost ones every few seconds.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["target_model", "target_id"], name="work_of_record"),
            models.Index(
                fields=["state"], name="work_not_ended", condition=Q(state__in=("waiting", "running"))
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["target_model", "target_id"],
                condition=Q(state__in=("waiting", "running"), target_id__isnull=False),
                name="one_work_at_a_time",
                violation_error_message=_(
                    "Something is being done with this record already; wait until it is finished."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.pk}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """A school's works for that school, the bureau's own for the bureau, one's own wherever one still works."""
        here = Q(school__isnull=True, county__in=scope.home_county_ids) | Q(school__in=scope.home_school_ids)
        nowhere = Q(school__isnull=True, county__isnull=True)
        return (
            Q(school__in=scope.schools)
            | Q(school__isnull=True, county__in=scope.county_ids)
            | (Q(owner=scope.user_id) & (here | nowhere))
        )

    @property
    def label(self) -> StrOrPromise:
        """What is done, in words."""
        job = registry.find(self.what)
        return job.label if job is not None else self.what

    @property
    def is_live(self) -> bool:
        """Waiting or running: the page should look again."""
        return self.state in self.LIVE

    def finish_inside(self) -> None:
        """Record that the work is done, as the last step inside the transaction that holds what it wrote.

        Whoever declared this work lost or cancelled meanwhile has won: WorkLostError, and the transaction with
        everything in it must roll back.
        """
        from povertyaid.work import fence  # noqa: PLC0415 - the fence writes this model

        fence.finish(self)
