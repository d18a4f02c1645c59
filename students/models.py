"""Pupils, where they are enrolled, and how they were recognised as pupils in hardship."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Member, Relation, Sex
from povertyaid.lib import periods
from povertyaid.lib.fields import EncryptedField, HashField, PhoneField, TailField
from povertyaid.lib.masks import mask_identity, mask_pupil_number
from povertyaid.lib.validators import validate_identity, validate_pupil_number
from povertyaid.schools.base import LifeCycle, NamedPerson, Record, WrongMoveError
from povertyaid.schools.models import School, SchoolClass

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope

SEMESTER = RegexValidator(r"^20\d\d-20\d\d-[12]$", _("A semester is written like 2025-2026-2."))
NUMBER_REFUSED = _("This number cannot be entered here; ask the county bureau.")


class Student(NamedPerson):
    """A pupil (in a kindergarten: a child). One child is one record, whatever schools it goes to."""

    class Boarding(models.TextChoices):
        DAY = "day", _("day pupil")
        BOARDING = "boarding", _("boarder")

    class LeftBehind(models.TextChoices):
        NONE = "none", _("not left behind")
        ONE = "one_parent", _("one parent away")
        BOTH = "both_parents", _("both parents away")

    sex = models.CharField(_("sex"), max_length=6, choices=Sex)
    identity_hash = HashField()
    identity_last4 = TailField()
    identity = EncryptedField(
        _("identity number"),
        domain="identity",
        mask=mask_identity,
        hash_field="identity_hash",
        tail_field="identity_last4",
        validators=[validate_identity],
    )
    pupil_number_hash = HashField()
    pupil_number_last4 = TailField()
    pupil_number = EncryptedField(
        _("pupil number"),
        domain="pupil_number",
        mask=mask_pupil_number,
        hash_field="pupil_number_hash",
        tail_field="pupil_number_last4",
        validators=[validate_pupil_number],
        help_text=_("New pupils may have none until November."),
    )
    birth_date = models.DateField(
        _("date of birth"),
        null=True,
        blank=True,
        help_text=_("Taken from the identity number when left empty."),
    )
    ethnic_group = models.CharField(_("ethnic group"), max_length=20, blank=True)
    boarding = models.CharField(_("boarding"), max_length=10, choices=Boarding, default=Boarding.DAY)
    left_behind = models.CharField(
        _("left-behind child"),
        max_length=12,
        choices=LeftBehind,
        default=LeftBehind.NONE,
        help_text=_("One parent or both working away from home."),
    )
    guardian_name = models.CharField(_("guardian"), max_length=60, blank=True)
    guardian_relation = models.CharField(_("guardian is the pupil's"), max_length=20, blank=True)
    phone = PhoneField(_("phone of the family"))
    head_name = models.CharField(_("head of the household"), max_length=60, blank=True)
    relation_to_head = models.CharField(
        _("relation to the head"), max_length=20, choices=Relation, blank=True
    )
    member = models.OneToOneField(
        Member,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="student",
        verbose_name=_("household member"),
        help_text=_("The same child in the list of households, where there is one."),
    )
    address = models.CharField(_("address"), max_length=120, blank=True)
    note = models.TextField(_("note"), blank=True)

    logs_reads: ClassVar[bool] = True

    class Meta(NamedPerson.Meta):
        verbose_name = _("pupil")
        verbose_name_plural = _("pupils")
        ordering = ("name_key", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # Neutral words: the number may belong to a pupil of a school that this user may not know of.
            models.UniqueConstraint(
                fields=["identity_hash"],
                condition=~Q(identity_hash=""),
                name="student_identity_unique",
                violation_error_message=NUMBER_REFUSED,
            ),
            models.UniqueConstraint(
                fields=["pupil_number_hash"],
                condition=~Q(pupil_number_hash=""),
                name="student_pupil_number_unique",
                violation_error_message=NUMBER_REFUSED,
            ),
        ]

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Pupils who are or were enrolled in one's schools; a teacher's own class; a helper's caseload."""
        enrolled = cls.objects.filter(enrolments__school__in=scope.schools)
        return Q(pk__in=enrolled.values("pk")) | cls.in_care_of(scope, "pk")

    @classmethod
    def in_care_of(cls, scope: Scope, path: str) -> Q:
        """Condition for the pupils of the classes that one teaches and of one's caseload; `path` leads to the pupil."""
        found = Q(pk__in=())
        if scope.class_ids:
            taught = cls.objects.filter(enrolments__school_class__in=scope.class_ids, enrolments__state="enrolled")
            found |= Q(**{f"{path}__in": taught.values("pk")})
        if scope.staff_id:
            helped = cls.objects.filter(pairings__helper=scope.staff_id, pairings__state="active")
            found |= Q(**{f"{path}__in": helped.values("pk")})
        return found


class Enrolment(Record):
    """A pupil's time in a school and class."""

    class State(models.TextChoices):
        ENROLLED = "enrolled", _("enrolled")
        SUSPENDED = "suspended", _("suspended")
        TRANSFERRED = "transferred", _("transferred")
        GRADUATED = "graduated", _("graduated")
        LEFT = "left", _("left")

    student = models.ForeignKey(Student, models.CASCADE, related_name="enrolments", verbose_name=_("pupil"))
    school = models.ForeignKey(School, models.PROTECT, related_name="enrolments", verbose_name=_("school"))
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, null=True, blank=True, related_name="enrolments", verbose_name=_("class")
    )
    start_on = models.DateField(_("from"), null=True, blank=True)
    end_on = models.DateField(_("to"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.ENROLLED)

    class Meta(Record.Meta):
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ("student", "-start_on", "-pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["student"],
                condition=Q(state="enrolled"),
                name="enrolment_one_at_a_time",
                violation_error_message=_("The pupil is enrolled already; end that enrolment first."),
            ),
            models.CheckConstraint(
                condition=Q(start_on__isnull=True) | Q(end_on__isnull=True) | Q(end_on__gte=F("start_on")),
                name="enrolment_dates_in_order",
                violation_error_message=_("The last day lies before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.school_class or ''}".strip()

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        found = Q(school__in=scope.schools) | Q(school_class__in=scope.class_ids)
        if scope.staff_id:
            found |= Q(
                student__in=Student.objects.filter(
                    pairings__helper=scope.staff_id, pairings__state="active"
                ).values("pk")
            )
        return found

    def clean(self) -> None:
        if (
            self.school_class_id
            and self.school_id
            and self.school_class
            and self.school_class.school_id != self.school_id
        ):
            raise ValidationError({"school_class": _("The class belongs to another school.")})


class SpecialGroup(Record):
    """A special hardship group (特殊困难群体); names change with policy, so each has its dates."""

    code = models.SlugField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=40)
    synonyms = models.CharField(_("also written"), max_length=200, blank=True, help_text=_("Separated by 、"))
    position = models.PositiveSmallIntegerField(_("position in tables"), default=0)
    valid_from = models.DateField(_("in force from"), null=True, blank=True)
    valid_to = models.DateField(_("in force to"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("special hardship group")
        verbose_name_plural = _("special hardship groups")
        ordering = ("position", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["code"], name="group_code_unique", violation_error_message=_("This code is taken.")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """National reference data: for everybody who holds a role."""
        return Q() if scope.home_county_ids else Q(pk__in=())


class WrongRecognitionMoveError(WrongMoveError):
    """A recognition was asked to go where its life cycle does not lead; nothing was changed."""


class Recognition(LifeCycle, Record):
    """A pupil recognised as in hardship, for a semester of a school year.

    Legal path: 待申请 → 已申请 → 班级评议 → 学校审核 → 公示中 → 已认定 → 已建档, with the ways out of MOVES.
    """

    class Level(models.TextChoices):
        SPECIAL = "special", _("special hardship")
        HARD = "hard", _("hardship")
        GENERAL = "general", _("general hardship")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for application")
        APPLIED = "applied", _("applied")
        CLASS_REVIEW = "class_review", _("class review")
        SCHOOL_CHECK = "school_check", _("school check")
        NOTICE = "notice", _("on public notice")
        RECOGNISED = "recognised", _("recognised")
        FILED = "filed", _("filed")
        RETURNED = "returned", _("returned for completion")
        REFUSED = "refused", _("not recognised")
        OBJECTION = "objection", _("objection under review")
        ADJUSTED = "adjusted", _("adjusted")
        EXITED = "exited", _("exited")
        DECLINED = "declined", _("declined by the family")

    IN_FORCE: ClassVar[tuple[str, ...]] = (State.RECOGNISED, State.FILED)
    wrong_move = WrongRecognitionMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.WAITING: frozenset({State.APPLIED, State.DECLINED}),
        State.APPLIED: frozenset({State.CLASS_REVIEW, State.RETURNED, State.DECLINED}),
        State.RETURNED: frozenset({State.APPLIED, State.DECLINED}),
        State.CLASS_REVIEW: frozenset({State.SCHOOL_CHECK, State.RETURNED, State.REFUSED}),
        State.SCHOOL_CHECK: frozenset({State.NOTICE, State.RETURNED, State.REFUSED}),
        State.NOTICE: frozenset({State.RECOGNISED, State.OBJECTION}),
        State.OBJECTION: frozenset({State.NOTICE, State.RECOGNISED, State.REFUSED}),
        State.RECOGNISED: frozenset({State.FILED, State.ADJUSTED, State.EXITED}),
        State.FILED: frozenset({State.ADJUSTED, State.EXITED}),
        State.REFUSED: frozenset(),
        State.ADJUSTED: frozenset(),
        State.EXITED: frozenset(),
        State.DECLINED: frozenset(),
    }

    student = models.ForeignKey(Student, models.CASCADE, related_name="recognitions", verbose_name=_("pupil"))
    school = models.ForeignKey(School, models.PROTECT, related_name="recognitions", verbose_name=_("school"))
    school_class = models.ForeignKey(
        SchoolClass,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="recognitions",
        verbose_name=_("class"),
    )
    semester = models.CharField(
        _("semester"), max_length=11, validators=[SEMESTER], help_text=_("For example 2025-2026-2.")
    )
    level = models.CharField(_("level of hardship"), max_length=10, choices=Level)
    special_groups = models.ManyToManyField(
        SpecialGroup, blank=True, related_name="recognitions", verbose_name=_("special hardship groups")
    )
    primary_group = models.ForeignKey(
        SpecialGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="primary_recognitions",
        verbose_name=_("group for statistics"),
        help_text=_("The one group under which the pupil is counted."),
    )
    state = models.CharField(_("state"), max_length=14, choices=State, default=State.RECOGNISED)

    class Meta(Record.Meta):
        verbose_name = _("recognition")
        verbose_name_plural = _("recognitions")
        ordering = ("-semester", "school", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["student", "semester"],
                name="recognition_once_a_semester",
                violation_error_message=_("The pupil is recognised already for this semester."),
            ),
        ]
        # Serves the indicators: recognitions of some schools in the semesters of a school year.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["school", "semester"], name="recognition_school_sem")
        ]

    def __str__(self) -> str:
        return f"{periods.semester_label(self.semester)} {self.get_level_display()}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(school__in=scope.schools) | Student.in_care_of(scope, "student")

    def clean(self) -> None:
        if (
            self.school_class_id
            and self.school_id
            and self.school_class
            and self.school_class.school_id != self.school_id
        ):
            raise ValidationError({"school_class": _("The class belongs to another school.")})

