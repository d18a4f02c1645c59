"""Forms of disbursements and payments, and what their bulk actions ask for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aid.models import Disbursement, Payment
from aid.services import standard_in_force
from povertyaid.lib.money import yuan_text
from povertyaid.schools.admin_base import ScopedModelForm
from povertyaid.schools.admin_base.asking import UNCHOSEN, ActionForm
from povertyaid.schools.admin_base.presets import semester_name
from students.models import Enrolment, Student

CLOSED = (Disbursement.State.CLOSED, Disbursement.State.VOID)


def stage_of(student: Student | None, disbursement: Disbursement) -> str:
    """Return the stage at which a pupil is (or was) taught in the school of a disbursement; "" for a household."""
    if student is None:
        return ""
    enrolments = Enrolment.objects.filter(student=student, school=disbursement.school_id)
    latest = enrolments.select_related("school_class").order_by("-start_on", "-pk").first()
    if latest is not None and latest.school_class is not None:
        return str(latest.school_class.stage)
    return str(disbursement.school.stages[0])


class DisbursementForm(ScopedModelForm):
    """A disbursement; its number in the semester counts by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "number" in self.fields:
            self.fields["number"].required = False
            self.fields["number"].help_text = _("Left empty: the next one.")
            if self.instance.pk is None:
                self.initial["number"] = None


class PaymentForm(ScopedModelForm):
    """A payment to a pupil or a household, never above the standard in force."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        if "student" in data and "household" in data and bool(data["student"]) == bool(data["household"]):
            self.add_error("student", _("Choose a pupil or a household, one of the two."))
        disbursement = data.get("disbursement") or (self.instance.disbursement if self.instance.pk else None)
        if disbursement is None:
            return data
        if "disbursement" in data and disbursement.state in CLOSED:
            self.add_error(
                "disbursement",
                _("This disbursement is %(state)s and takes no more payments; choose or begin another one.")
                % {"state": disbursement.get_state_display()},
            )
        student = data.get("student") or self.instance.student
        self._check_school(student, disbursement)
        if "stage" in data and not data["stage"]:
            data["stage"] = stage_of(student, disbursement)
        self._check_standard(data, disbursement)
        return data

    def _check_school(self, student: Student | None, disbursement: Disbursement) -> None:
        if student is None or "student" not in self.fields:
            return
        if not Enrolment.objects.filter(student=student, school=disbursement.school_id).exists():
            self.add_error(
                "student",
                _("%(student)s is not a pupil of %(school)s; enrol the pupil there first.")
                % {"student": student, "school": disbursement.school},
            )

    def _check_standard(self, data: dict[str, Any], disbursement: Disbursement) -> None:
        """Compare due and paid with the amount that is laid down for stage, tier and semester."""
        standard = standard_in_force(
            programme=disbursement.programme,
            stage=data.get("stage") or self.instance.stage,
            semester=disbursement.semester,
            tier=data.get("tier") or "",
            user=self.request.user,  # type: ignore[arg-type]
        )
        if standard is None:
            return
        for name in ("due", "paid"):
            amount: Decimal | None = data.get(name)
            if amount is not None and amount > standard.amount:
                self.add_error(
                    name,
                    _(
                        "%(amount)s yuan is above the standard of %(programme)s for %(semester)s: %(standard)s yuan."
                        " Correct the amount; a new standard is entered by the county."
                    )
                    % {
                        "amount": yuan_text(amount),
                        "programme": disbursement.programme,
                        "semester": semester_name(disbursement.semester),
                        "standard": yuan_text(standard.amount),
                    },
                )


class DayForm(ActionForm):
    """The day on which it happened."""

    day = forms.DateField(label=gettext_lazy("Day"), widget=AdminDateWidget)

    def prepare(self) -> None:
        self.fields["day"].initial = timezone.localdate()

    def clean_day(self) -> Any:
        """Refuse a day that has not come."""
        day = self.cleaned_data["day"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet."))
        return day


class MovePaymentForm(DayForm):
    """Where the payments go: only states to which the life cycle of at least one of them leads."""

    state = forms.ChoiceField(label=gettext_lazy("New state"))
    field_order = ("state", "day")

    def prepare(self) -> None:
        super().prepare()
        offer_moves(self, Payment.MOVES, Payment.State.choices)


class MoveDisbursementForm(ActionForm):
    """Where the disbursements go."""

    state = forms.ChoiceField(label=gettext_lazy("New state"))

    def prepare(self) -> None:
        offer_moves(self, Disbursement.MOVES, Disbursement.State.choices)


def offer_moves(
    form: ActionForm, moves: dict[str, frozenset[str]], labels: Iterable[tuple[str, Any]]
) -> None:
    """Offer the states that at least one of the chosen records can reach."""
    held = set(form.records.order_by().values_list("state", flat=True))
    reachable: set[str] = set().union(*(moves[state] for state in held))
    form.fields["state"].choices = [UNCHOSEN, *(item for item in labels if item[0] in reachable)]  # type: ignore[attr-defined]
