"""Programmes with their dated standards, disbursements and the payments in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household
from povertyaid.lib import periods
from povertyaid.lib.fields import EncryptedField, HashField, TailField
from povertyaid.lib.masks import mask_account
from povertyaid.lib.validators import validate_account
from povertyaid.schools.base import LifeCycle, Record, WrongMoveError
from povertyaid.schools.models import County, School, Stage
from students.models import SEMESTER, Student

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class Programme(Record):
    """A programme of aid: national ones come with the county, others are the county's, a school's or society's."""

    class Level(models.TextChoices):
        PRESCHOOL = "preschool", _("Pre-school education")
        COMPULSORY = "compulsory", _("Compulsory education")
        SENIOR = "senior", _("Senior secondary education")
        VOCATIONAL = "vocational", _("Vocational education")
        HIGHER = "higher", _("Higher education")
        ANY = "any", _("All stages")

    class Source(models.TextChoices):
        NATIONAL = "national", _("national")
        PROVINCIAL = "provincial", _("provincial")
        COUNTY = "county", _("county")
        SCHOOL = "school", _("school")
        SOCIETY = "society", _("society")

    class Form(models.TextChoices):
        CASH = "cash", _("money")
        GOODS = "goods", _("goods")
        WAIVER = "waiver", _("waiver")

    county = models.ForeignKey(
        County,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="programmes",
        verbose_name=_("county"),
        help_text=_("Empty for national programmes."),
    )
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("programme"), max_length=60)
    synonyms = models.CharField(_("also written"), max_length=300, blank=True, help_text=_("Separated by 、"))
    level = models.CharField(_("stage"), max_length=12, choices=Level)
    source = models.CharField(_("source"), max_length=12, choices=Source)
    form = models.CharField(_("form"), max_length=8, choices=Form, default=Form.CASH)
    boarding = models.CharField(
        _("only for"),
        max_length=10,
        blank=True,
        choices=[("day", _("day pupils")), ("boarding", _("boarders"))],
    )
    position = models.PositiveSmallIntegerField(_("position in tables"), default=0)
    valid_from = models.DateField(_("in force from"), null=True, blank=True)
    valid_to = models.DateField(_("in force to"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ("position", "name", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["code"],
                name="programme_code_unique",
                violation_error_message=_("This code is taken."),
            ),
            models.UniqueConstraint(
                fields=["county", "name"],
                name="programme_name_unique",
                violation_error_message=_("This programme exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Reference data: national programmes and those of one's county."""
        if not scope.home_county_ids:
            return Q(pk__in=())
        return Q(county__isnull=True) | Q(county__in=scope.home_county_ids)


class Standard(Record):
    """The amount of a programme for a stage and tier, between two semesters."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, related_name="standards", verbose_name=_("programme")
    )
    stage = models.CharField(_("stage"), max_length=12, choices=Stage, blank=True)
    tier = models.CharField(_("tier"), max_length=20, blank=True)
    amount = models.DecimalField(
        _("yuan a semester"), max_digits=10, decimal_places=2, validators=[MinValueValidator(0)]
    )
    valid_from = models.CharField(_("from semester"), max_length=11, validators=[SEMESTER])
    valid_to = models.CharField(_("to semester"), max_length=11, validators=[SEMESTER], blank=True)

    class Meta(Record.Meta):
        verbose_name = _("standard")
        verbose_name_plural = _("standards")
        ordering = ("programme", "stage", "tier", "-valid_from")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["programme", "stage", "tier", "valid_from"],
                name="standard_unique",
                violation_error_message=_("This standard is entered already."),
            ),
            models.CheckConstraint(
                condition=Q(valid_to="") | Q(valid_to__gte=F("valid_from")),
                name="standard_dates_in_order",
                violation_error_message=_("The last semester lies before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.get_stage_display()} {self.tier} {self.amount}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(programme__in=Programme.objects.filter(Programme.scope_filter(scope)).values("pk"))


class WrongAidMoveError(WrongMoveError):
    """A disbursement or payment was asked to go where its life cycle does not lead; nothing was changed."""


class Disbursement(LifeCycle, Record):
    """Payments of one programme, school and semester that go out together (发放批次)."""

    class State(models.TextChoices):
        DRAFT = "draft", _("being drawn up")
        TO_CHECK = "to_check", _("waiting for the check")
        TO_APPROVE = "to_approve", _("waiting for approval")
        APPROVED = "approved", _("approved")
        SENT = "sent", _("sent to the bank")
        PAYING = "paying", _("being paid")
        SIGNING = "signing", _("being signed for")
        CLOSED = "closed", _("closed")
        RETURNED = "returned", _("returned for changes")
        VOID = "void", _("void")

    wrong_move = WrongAidMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.DRAFT: frozenset({State.TO_CHECK, State.VOID}),
        State.TO_CHECK: frozenset({State.TO_APPROVE, State.RETURNED}),
        State.TO_APPROVE: frozenset({State.APPROVED, State.RETURNED}),
        State.APPROVED: frozenset({State.SENT, State.VOID}),
        State.SENT: frozenset({State.PAYING}),
        State.PAYING: frozenset({State.SIGNING}),
        State.SIGNING: frozenset({State.CLOSED}),
        State.RETURNED: frozenset({State.TO_CHECK, State.VOID}),
        State.CLOSED: frozenset(),
        State.VOID: frozenset(),
    }

    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="disbursements", verbose_name=_("programme")
    )
    school = models.ForeignKey(School, models.PROTECT, related_name="disbursements", verbose_name=_("school"))
    semester = models.CharField(
        _("semester"), max_length=11, validators=[SEMESTER], help_text=_("For example 2025-2026-2.")
    )
    number = models.PositiveSmallIntegerField(_("number in the semester"), default=1)
    title = models.CharField(_("title"), max_length=120, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.DRAFT, editable=False)
    note = models.TextField(_("note"), blank=True)

    class Meta(Record.Meta):
        verbose_name = _("disbursement")
        verbose_name_plural = _("disbursements")
        ordering = ("-semester", "school", "programme", "number")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["programme", "school", "semester", "number"],
                name="disbursement_unique",
                violation_error_message=_("This disbursement exists already; take the next number."),
            ),
        ]
        # Serves the indicators: disbursements of some schools in the semesters of a period.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["semester", "school"], name="disbursement_sem_school")
        ]

    def __str__(self) -> str:
        return f"{periods.semester_label(self.semester)} {self.programme} {self.school}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(school__in=scope.schools)



class Payment(LifeCycle, Record):
    """What one pupil or household gets in one disbursement, in yuan (goods and waivers by their value)."""

    class State(models.TextChoices):
        WAITING = "waiting", _("to be paid")
        ARRIVED = "arrived", _("arrived")
        BANK_RETURNED = "bank_returned", _("returned by the bank")
        REISSUED = "reissued", _("paid again")
        UNCOLLECTED = "uncollected", _("not collected")
        SIGNED = "signed", _("signed for")
        REVERSED = "reversed", _("reversed")
        RECOVERED = "recovered", _("recovered")

    # What counts as aid received (DESIGN §3, figures).
    COUNTED: ClassVar[tuple[str, ...]] = (State.ARRIVED, State.SIGNED, State.REISSUED)
    wrong_move = WrongAidMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.WAITING: frozenset({State.ARRIVED, State.BANK_RETURNED, State.UNCOLLECTED}),
        State.ARRIVED: frozenset({State.SIGNED, State.UNCOLLECTED, State.REVERSED, State.RECOVERED}),
        State.BANK_RETURNED: frozenset({State.REISSUED, State.REVERSED}),
        State.UNCOLLECTED: frozenset({State.SIGNED, State.RECOVERED}),
        State.REISSUED: frozenset({State.SIGNED, State.REVERSED, State.RECOVERED}),
        State.SIGNED: frozenset({State.REVERSED, State.RECOVERED}),
        State.REVERSED: frozenset(),
        State.RECOVERED: frozenset(),
    }

    disbursement = models.ForeignKey(
        Disbursement, models.PROTECT, related_name="payments", verbose_name=_("disbursement")
    )
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, blank=True, related_name="payments", verbose_name=_("pupil")
    )
    household = models.ForeignKey(
        Household, models.PROTECT, null=True, blank=True, related_name="payments", verbose_name=_("household")
    )
    stage = models.CharField(_("stage"), max_length=12, choices=Stage, blank=True)
    tier = models.CharField(_("tier"), max_length=20, blank=True)
    due = models.DecimalField(
        _("due (yuan)"), max_digits=10, decimal_places=2, validators=[MinValueValidator(0)]
    )
    paid = models.DecimalField(
        _("paid (yuan)"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    account_hash = HashField()
    account_last4 = TailField()
    account = EncryptedField(
        _("bank account"),
        domain="account",
        mask=mask_account,
        hash_field="account_hash",
        tail_field="account_last4",
        validators=[validate_account],
    )
    holder = models.CharField(_("account holder"), max_length=60, blank=True)
    holder_relation = models.CharField(_("holder is the pupil's"), max_length=20, blank=True)
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=14, choices=State, default=State.WAITING)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ("disbursement", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(student__isnull=False, household__isnull=True)
                | Q(student__isnull=True, household__isnull=False),
                name="payment_pupil_or_household",
                violation_error_message=_("A payment goes to a pupil or a household, one of the two."),
            ),
            models.UniqueConstraint(
                fields=["disbursement", "student"],
                condition=Q(student__isnull=False),
                name="payment_once_a_pupil",
                violation_error_message=_("The pupil stands in this disbursement already."),
            ),
            models.UniqueConstraint(
                fields=["disbursement", "household"],
                condition=Q(household__isnull=False),
                name="payment_once_a_household",
                violation_error_message=_("The household stands in this disbursement already."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("arrived", "signed", "reissued")) | Q(paid__isnull=False),
                name="payment_counted_has_amount",
                violation_error_message=_("A payment that arrived needs the amount that was paid."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student or self.household} {self.paid if self.paid is not None else self.due}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Payments of one's schools; a teacher sees those of the own class, a helper those of the caseload."""
        paid_here = Disbursement.objects.filter(school__in=scope.schools)
        return Q(disbursement__in=paid_here.values("pk")) | Student.in_care_of(scope, "student")

