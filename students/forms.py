"""Forms of pupils, enrolments and recognitions, and what their bulk actions ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households.forms import IdentityForm
from povertyaid.schools.admin_base import ScopedModelForm
from povertyaid.schools.admin_base.asking import UNCHOSEN, ActionForm
from povertyaid.schools.admin_base.presets import SemesterField, SemesterSelect, semester_choices
from povertyaid.schools.models import SchoolClass
from students.filters import present_classes
from students.models import Enrolment, Recognition
from students.services import ENDED_STATES, current_semester


class ClassChoiceField(forms.ModelChoiceField[SchoolClass]):
    """Classes by name, with their school where the choice spans several."""

    with_school = False

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.school} {obj}" if self.with_school else str(obj)


class StudentForm(IdentityForm):
    """A pupil; sex and birthday come from the identity number."""


class RecognitionForm(ScopedModelForm):
    """A recognition; the group for statistics is always one of the special groups that the pupil holds."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        primary, groups = data.get("primary_group"), data.get("special_groups")
        if primary is None and groups and len(groups) == 1:
            data["primary_group"] = groups[0]
        elif primary is None and groups:
            self.add_error(
                "primary_group", _("Choose under which of the special groups the pupil is counted.")
            )
        elif primary is not None and groups and primary not in groups:
            self.add_error(
                "primary_group",
                _(
                    "“%(group)s” is not among the special groups of the pupil; tick it there or choose another one."
                )
                % {"group": primary},
            )
        self._check_school(data)
        return data

    def _check_school(self, data: dict[str, Any]) -> None:
        """A school recognises its own pupils, present or former (a correction of last year)."""
        student, school = data.get("student"), data.get("school")
        if student is None or school is None:
            return
        if student.pk is None:
            # A new pupil: the enrolment stands in the same form, and both are saved together.
            return
        if (
            not Enrolment.objects.visible_to(self.request.user)
            .filter(student=student, school=school)
            .exists()
        ):
            self.add_error(
                "student",
                _("%(student)s is not a pupil of %(school)s; enrol the pupil there first.")
                % {"student": student, "school": school},
            )

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        primary = self.instance.primary_group
        if primary is not None and not self.instance.special_groups.filter(pk=primary.pk).exists():
            self.instance.special_groups.add(primary)


class CarryOnForm(ActionForm):
    """The semester to which recognitions are carried on."""

    semester = SemesterField(label=gettext_lazy("semester"), widget=SemesterSelect)

    def prepare(self) -> None:
        field = self.fields["semester"]
        field.initial = current_semester()
        field.widget.choices = semester_choices()[:3]


class EndEnrolmentForm(ActionForm):
    """How the enrolments end, and when."""

    state = forms.ChoiceField(
        label=gettext_lazy("How the enrolment ends"),
        choices=[UNCHOSEN, *((state.value, state.label) for state in ENDED_STATES)],
    )
    end_on = forms.DateField(label=gettext_lazy("Last day"), widget=AdminDateWidget)

    def prepare(self) -> None:
        self.fields["end_on"].initial = timezone.localdate()


class SetClassForm(ActionForm):
    """The class into which the pupils are put."""

    school_class = ClassChoiceField(label=gettext_lazy("class"), queryset=SchoolClass.objects.none())

    def prepare(self) -> None:
        field = self.fields["school_class"]
        schools = Enrolment.objects.filter(
            student__in=self.records.order_by().values("pk"), state=Enrolment.State.ENROLLED
        ).order_by()
        field.queryset = (  # type: ignore[attr-defined]
            SchoolClass.objects.filter(present_classes(), school__in=schools.values("school")).select_related(
                "school"
            )
        )
        field.with_school = True  # type: ignore[attr-defined]


class MoveRecognitionForm(ActionForm):
    """Where the recognitions go: only states to which the life cycle of at least one of them leads."""

    state = forms.ChoiceField(label=gettext_lazy("New state"))

    def prepare(self) -> None:
        held = set(self.records.order_by().values_list("state", flat=True))
        reachable = set().union(*(Recognition.MOVES[state] for state in held))
        choices = [(value, label) for value, label in Recognition.State.choices if value in reachable]
        self.fields["state"].choices = [UNCHOSEN, *choices]  # type: ignore[attr-defined]
