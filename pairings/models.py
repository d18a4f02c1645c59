"""Pairings of a helper with a pupil or a household, the contacts between them, and private notes of talks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household, Precision
from povertyaid.lib.fields import EncryptedField
from povertyaid.schools.base import LifeCycle, Record, WrongMoveError
from povertyaid.schools.models import County, School, Staff
from students.models import Student

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class WrongPairingMoveError(WrongMoveError):
    """A pairing was asked to go where its life cycle does not lead; nothing was changed."""


class Pairing(LifeCycle, Record):
    """A helper and the pupil or household that is helped.

    Legal path: 待结对 → 帮扶中 → 交接中 → 已结束; 暂停 and back.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("to be paired")
        ACTIVE = "active", _("being helped")
        HANDOVER = "handover", _("being handed over")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    class EndReason(models.TextChoices):
        GRADUATED = "graduated", _("graduated")
        TRANSFERRED = "transferred", _("pupil changed school")
        MOVED = "moved", _("helper moved")
        WITHDRAWN = "withdrawn", _("withdrawn")

    wrong_move = WrongPairingMoveError
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.WAITING: frozenset({State.ACTIVE, State.ENDED}),
        State.ACTIVE: frozenset({State.HANDOVER, State.PAUSED, State.ENDED}),
        State.HANDOVER: frozenset({State.ACTIVE, State.ENDED}),
        State.PAUSED: frozenset({State.ACTIVE, State.ENDED}),
        State.ENDED: frozenset(),
    }

    helper = models.ForeignKey(Staff, models.PROTECT, related_name="pairings", verbose_name=_("helper"))
    student = models.ForeignKey(
        Student, models.CASCADE, null=True, blank=True, related_name="pairings", verbose_name=_("pupil")
    )
    household = models.ForeignKey(
        Household, models.CASCADE, null=True, blank=True, related_name="pairings", verbose_name=_("household")
    )
    county = models.ForeignKey(County, models.PROTECT, related_name="pairings", verbose_name=_("county"))
    school = models.ForeignKey(
        School,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="pairings",
        verbose_name=_("school"),
        help_text=_("The school that helps; empty for the bureau's own helpers."),
    )
    start_on = models.DateField(_("from"))
    start_precision = models.CharField(_("exact to"), max_length=5, choices=Precision, default=Precision.DAY)
    end_on = models.DateField(_("to"), null=True, blank=True)
    measures = models.TextField(_("measures"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    end_reason = models.CharField(_("why it ended"), max_length=12, choices=EndReason, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("pairing")
        verbose_name_plural = _("pairings")
        ordering = ("school", "helper", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(student__isnull=False, household__isnull=True)
                | Q(student__isnull=True, household__isnull=False),
                name="pairing_pupil_or_household",
                violation_error_message=_("A pairing helps a pupil or a household, one of the two."),
            ),
            models.UniqueConstraint(
                fields=["helper", "student"],
                condition=Q(student__isnull=False) & ~Q(state="ended"),
                name="pairing_once_a_pupil",
                violation_error_message=_("This helper helps this pupil already."),
            ),
            models.UniqueConstraint(
                fields=["helper", "household"],
                condition=Q(household__isnull=False) & ~Q(state="ended"),
                name="pairing_once_a_household",
                violation_error_message=_("This helper helps this household already."),
            ),
            models.CheckConstraint(
                condition=Q(end_on__isnull=True) | Q(end_on__gte=F("start_on")),
                name="pairing_dates_in_order",
                violation_error_message=_("The last day lies before the first."),
            ),
            models.CheckConstraint(
                condition=~Q(state="ended") | Q(end_on__isnull=False),
                name="pairing_ended_has_date",
                violation_error_message=_("An ended pairing needs its last day."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.helper} — {self.student or self.household}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        found = Q(school__in=scope.schools) | Q(school__isnull=True, county__in=scope.county_ids)
        if scope.class_ids:
            taught = Student.objects.filter(
                enrolments__school_class__in=scope.class_ids, enrolments__state="enrolled"
            )
            found |= Q(student__in=taught.values("pk"))
        if scope.staff_id:
            found |= Q(helper=scope.staff_id)
        return found

    def clean(self) -> None:
        if self.helper_id and self.school_id and self.helper.school_id not in {None, self.school_id}:
            raise ValidationError({"helper": _("The helper works at another school.")})
        if self.state == self.State.ENDED and not self.end_on:
            raise ValidationError({"end_on": _("An ended pairing needs its last day.")})



class Contact(Record):
    """A talk, visit or lesson between helper and helped. It holds no money: what was handed over is a payment."""

    class Kind(models.TextChoices):
        TALK = "talk", _("talk")
        HOME_VISIT = "home_visit", _("home visit")
        TUTORING = "tutoring", _("tutoring")
        COUNSELLING = "counselling", _("counselling")
        COMFORT_VISIT = "comfort_visit", _("comfort visit")
        RETURN_VISIT = "return_visit", _("return visit")

    class Form(models.TextChoices):
        IN_PERSON = "in_person", _("in person")
        TELEPHONE = "telephone", _("by telephone")
        VIDEO = "video", _("by video")

    pairing = models.ForeignKey(Pairing, models.CASCADE, related_name="contacts", verbose_name=_("pairing"))
    kind = models.CharField(_("kind"), max_length=14, choices=Kind)
    date = models.DateField(_("date"), db_index=True)
    form = models.CharField(_("form"), max_length=10, choices=Form, default=Form.IN_PERSON)
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    done_by = models.ForeignKey(
        Staff,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        verbose_name=_("done by"),
        help_text=_("Empty: the helper. Who writes it down may be somebody else."),
    )
    present = models.CharField(_("who was present"), max_length=120, blank=True)
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    follow_up = models.TextField(_("follow-up"), blank=True)
    # By which the row of a list finds its contact again; empty for what was typed in. See `contact_list`.
    fingerprint = models.CharField(
        _("fingerprint of the imported row"), max_length=64, blank=True, editable=False
    )

    class Meta(Record.Meta):
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("-date", "-pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["pairing", "fingerprint"],
                condition=~Q(fingerprint=""),
                name="contact_row_once",
                violation_error_message=_("This contact was imported already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.get_kind_display()}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(pairing__in=Pairing.objects.filter(Pairing.scope_filter(scope)).values("pk"))

    def clean(self) -> None:
        if self.date and self.pairing_id and self.date < self.pairing.start_on:
            raise ValidationError({"date": _("The contact lies before the pairing began.")})


class PrivateNote(Record):
    """What was said in a talk: encrypted, seen by its author alone, outside history, lists, exports and reports."""

    contact = models.OneToOneField(
        Contact, models.CASCADE, related_name="private_note", verbose_name=_("contact")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="private_notes", verbose_name=_("author")
    )
    text = EncryptedField(_("private note"))

    keeps_history: ClassVar[bool] = False

    class Meta(Record.Meta):
        verbose_name = _("private note")
        verbose_name_plural = _("private notes")
        ordering = ("contact",)

    def __str__(self) -> str:
        return f"{self.contact}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(author=scope.user_id) if scope.user_id else Q(pk__in=())
