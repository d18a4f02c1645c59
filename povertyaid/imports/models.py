"""An imported file and the outcome of every row of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.files.models import Attachment
from povertyaid.lib.fields import EncryptedField
from povertyaid.schools.base import LifeCycle, Record, WrongMoveError
from povertyaid.schools.models import County, School

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class WrongBatchMoveError(WrongMoveError):
    """A batch was asked to go where its life cycle does not lead; nothing was changed."""


class SavedMapping(Record):
    """Which column of an office's list is which field: kept once a person decided, offered when that header returns.

    `parts` are stored parts (`povertyaid.imports.options.Part`) without the place of the header; `digest` is that of
    the headers of all sheets, by which the same layout is known again.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="mappings", verbose_name=_("county"))
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="mappings", verbose_name=_("school")
    )
    sender = models.CharField(
        _("sending office"), max_length=80, help_text=_("For example the disabled persons' federation")
    )
    digest = models.CharField(max_length=64, editable=False, db_index=True)
    parts: models.JSONField[Any, Any] = models.JSONField(_("columns"), default=list, editable=False)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta(Record.Meta):
        verbose_name = _("saved columns")
        verbose_name_plural = _("saved columns")
        ordering = ("sender", "-updated_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["school", "sender", "digest"],
                name="mapping_of_school_unique",
                violation_error_message=_("The columns of this sender are saved already."),
            ),
            models.UniqueConstraint(
                fields=["county", "sender", "digest"],
                condition=Q(school__isnull=True),
                name="mapping_of_county_unique",
                violation_error_message=_("The columns of this sender are saved already."),
            ),
        ]

    def __str__(self) -> str:
        return self.sender

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """A school's own for that school, the bureau's for the bureau."""
        return Q(school__in=scope.schools) | Q(school__isnull=True, county__in=scope.county_ids)


class ImportBatch(LifeCycle, Record):
    """One file that somebody sent: what it is, who sent it, what became of it.

    Legal path: uploaded (已上传) → to_map (待对应表头, when columns are not certain) → to_check (待核对) → importing
    (导入中) → imported or partly (已导入／部分导入) → undone (已撤销). Before the import it may be cancelled (已取消) or be
    refused, when it cannot be read (有误退回). Whatever is looked at anew, with other columns or decisions, is uploaded
    until its preview stands. A program that ends on the way leaves it failed (导入失败), with nothing written.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")
        TO_MAP = "to_map", _("columns to be matched")
        TO_CHECK = "to_check", _("to be checked")
        IMPORTING = "importing", _("being imported")
        IMPORTED = "imported", _("imported")
        PARTLY = "partly", _("partly imported")
        UNDONE = "undone", _("undone")
        REFUSED = "refused", _("sent back")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    wrong_move = WrongBatchMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.UPLOADED: frozenset(
            {State.TO_MAP, State.TO_CHECK, State.REFUSED, State.CANCELLED, State.FAILED}
        ),
        State.TO_MAP: frozenset({State.UPLOADED, State.CANCELLED}),
        State.TO_CHECK: frozenset({State.UPLOADED, State.IMPORTING, State.CANCELLED}),
        State.IMPORTING: frozenset({State.IMPORTED, State.PARTLY, State.FAILED, State.TO_CHECK}),
        State.IMPORTED: frozenset({State.UNDONE}),
        State.PARTLY: frozenset({State.UNDONE}),
        State.UNDONE: frozenset(),
        State.REFUSED: frozenset(),
        State.CANCELLED: frozenset(),
        State.FAILED: frozenset({State.UPLOADED, State.CANCELLED}),
    }

    # Several kinds from one file stand with commas between them, in the order in which they are written.
    kind = models.CharField(_("kind"), max_length=150)
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
    # The office that the list comes from, as the person says who sent it on to us.
    office = models.CharField(_("sending office"), max_length=80, blank=True)
    mapping = models.ForeignKey(
        SavedMapping,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="batches",
        verbose_name=_("saved columns"),
    )
    # What was chosen for the whole file (`povertyaid.imports.options.Options.as_json`).
    options: models.JSONField[Any, Any] = models.JSONField(_("options"), default=dict)
    # Near misses that a person decided: {"sheet!row!kind!code": "take:7" | "keep:7" | "new" | "skip"}.
    decisions: models.JSONField[Any, Any] = models.JSONField(_("decisions"), default=dict)
    # Keys: rows, created, updated, unchanged, rejected, warned, ignored, asked.
    counts: models.JSONField[Any, Any] = models.JSONField(_("counts"), default=dict)
    # Masked repairs, ignored rows and sheets, columns, as in the JSON of `import_workbook`.
    report: models.JSONField[Any, Any] = models.JSONField(_("report"), default=dict)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.file.name}（{self.created_at:%Y-%m-%d %H:%M}）"

    @property
    def kinds(self) -> list[str]:
        """The kinds that the file is read as."""
        return [kind for kind in self.kind.split(",") if kind]

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
    # What the row was read as: a row of a working sheet may be a household, a pupil and a payment.
    kind = models.CharField(_("kind"), max_length=30, blank=True)
    sheet = models.CharField(_("sheet"), max_length=60)
    row = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    values: models.JSONField[Any, Any] = models.JSONField(_("values"), default=dict)
    # [{"level": "error"|"warning"|"repair"|"change", "column", "value", "message"}]
    messages: models.JSONField[Any, Any] = models.JSONField(_("messages"), default=list)
    warned = models.BooleanField(_("warned"), default=False)
    # A near miss that a person must decide (`povertyaid.imports.questions.Question.as_json`); null when there is none.
    question: models.JSONField[Any, Any] = models.JSONField(_("question"), null=True, blank=True)

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


class UndoEntry(Record):
    """What an import changed in stored records, as it was before: an undo puts it back.

    New records need no entry: the history tells which ones a batch added. One entry holds the changes of several
    hundred records of one model, so that 50,000 changed records cost a hundred rows; encrypted as a whole, since they
    are children's data (`povertyaid.imports.keeping`). Deleted when the batch is undone or its file is erased.
    """

    class Stage(models.TextChoices):
        FIRST = "first", _("before the rows")
        ROWS = "rows", _("from the rows")
        FOLLOWS = "follows", _("what follows from the rows")

    batch = models.ForeignKey(
        ImportBatch, models.CASCADE, related_name="undo_entries", verbose_name=_("import")
    )
    model = models.CharField(_("record kind"), max_length=60)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage)
    records = models.PositiveIntegerField(_("records"), default=0)
    # JSON: [[key, {column: [before, after]}, {many-to-many field: [keys before, keys after]}], …]
    content = EncryptedField(_("values before and after"))

    keeps_history: ClassVar[bool] = False

    class Meta(Record.Meta):
        verbose_name = _("values before an import")
        verbose_name_plural = _("values before an import")
        # As they were written: an undo goes backwards.
        ordering = ("batch", "pk")

    def __str__(self) -> str:
        return f"{self.model} ({self.records})"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(batch__in=ImportBatch.objects.filter(ImportBatch.scope_filter(scope)).values("pk"))


class ReturnSheet(Record):
    """A list that was given out with its present values, to be corrected and sent back (回填表).

    The workbook carries `token` and, in every row, a key that holds the record and its version then: a return of
    another list, of another school, or of records that were changed since, is refused row by row.
    """

    county = models.ForeignKey(County, models.PROTECT, related_name="return_sheets", verbose_name=_("county"))
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="return_sheets", verbose_name=_("school")
    )
    kind = models.CharField(_("kind"), max_length=30)
    period = models.CharField(_("period"), max_length=12, blank=True)
    token = models.CharField(_("number of the list"), max_length=32, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("given out by"),
    )
    rows_count = models.PositiveIntegerField(_("rows"), default=0)

    class Meta(Record.Meta):
        verbose_name = _("list for return")
        verbose_name_plural = _("lists for return")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.kind} {self.token[:8]}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """A school's own for that school, the bureau's for the bureau."""
        return Q(school__in=scope.schools) | Q(school__isnull=True, county__in=scope.county_ids)
