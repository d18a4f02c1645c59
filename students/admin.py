"""Pages of pupils, enrolments, recognitions and the special hardship groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from households.forms import ConstraintFormSet
from povertyaid.schools.admin_base import ScopedRelatedFilter, ScopedTabularInline
from povertyaid.schools.admin_base.asking import asking_action
from povertyaid.schools.admin_base.office import OfficeAdmin
from povertyaid.schools.admin_base.presets import Preset, own_schools, semester_name
from povertyaid.schools.admin_base.simple_filters import SemesterFilter
from povertyaid.schools.models import SchoolClass
from povertyaid.schools.scope import scope_of
from students import filters
from students.forms import (
    CarryOnForm,
    ClassChoiceField,
    EndEnrolmentForm,
    MoveRecognitionForm,
    RecognitionForm,
    SetClassForm,
    StudentForm,
)
from students.models import Enrolment, Recognition, SpecialGroup, Student
from students.services import (
    Outcome,
    current_semester,
    end_enrolments,
    move_recognitions,
    recognise_again,
    set_class,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class ClassChoices:
    """Mixin: present classes as a short select for a school, by searching for the county."""

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        names = list(super().get_autocomplete_fields(request))  # type: ignore[misc]
        return [*names, "school_class"] if scope_of(request.user).county_ids else names

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "school_class" and not scope_of(request.user).county_ids:
            kwargs["queryset"] = SchoolClass.objects.filter(filters.present_classes()).select_related(
                "school"
            )
            kwargs["form_class"] = ClassChoiceField
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(field, ClassChoiceField):
            field.with_school = own_schools(request.user).count() > 1
        return field


class EnrolmentFormSet(ConstraintFormSet):
    """Enrolments in the form of a pupil; a new pupil needs one."""

    default_error_messages: ClassVar = {
        **ConstraintFormSet.default_error_messages,
        "too_few_forms": _("Fill in the school and the class of the pupil."),
    }


class EnrolmentInline(Preset, ClassChoices, ScopedTabularInline):
    model = Enrolment
    formset = EnrolmentFormSet
    fields = ("school", "school_class", "start_on", "end_on", "state")
    autocomplete_fields = ("school",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("school", "school_class")

    def get_min_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int | None:
        """A pupil of no school would be seen by nobody."""
        return 0 if obj else 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **kwargs, validate_min=obj is None)


class RecognitionFormSet(ConstraintFormSet):
    """Recognitions in the form of a pupil."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        """Take the class of a new pupil from the enrolment that was stored just before."""
        form.instance.student = self.instance
        put_in_class(form.instance)
        return super().save_new(form, commit)


class RecognitionInline(Preset, ClassChoices, ScopedTabularInline):
    model = Recognition
    form = RecognitionForm
    formset = RecognitionFormSet
    fields = ("semester", "level", "primary_group", "school", "state")
    readonly_fields = ("state",)
    autocomplete_fields = ("school",)
    ordering = ("-semester",)

    def derive(self, request: HttpRequest, instance: Recognition) -> None:
        put_in_class(instance)


def put_in_class(recognition: Recognition) -> None:
    """Fill the class of a recognition from the pupil's present enrolment in its school."""
    if recognition.school_class_id is None and recognition.student_id and recognition.school_id:
        enrolment = Enrolment.objects.filter(
            student=recognition.student_id, school=recognition.school_id, state=Enrolment.State.ENROLLED
        ).first()
        recognition.school_class = enrolment.school_class if enrolment else None


@admin.register(Student)
class StudentAdmin(OfficeAdmin):
    form = StudentForm
    list_display = (
        "name",
        "sex",
        "class_now",
        "school_now",
        "boarding",
        "left_behind",
        "level_now",
        "helper_now",
    )
    list_filter = (
        filters.SchoolFilter,
        filters.ClassFilter,
        filters.EnrolmentFilter,
        filters.RecognitionFilter,
        filters.LevelFilter,
        filters.GroupFilter,
        filters.PairingFilter,
        "boarding",
        "left_behind",
    )
    search_people = True
    search_fields = ("guardian_name",)
    sensitive_search = (
        ("identity", "identity_hash", "identity_last4"),
        ("pupil_number", "pupil_number_hash", "pupil_number_last4"),
    )
    autocomplete_fields = ("member",)
    inlines = (EnrolmentInline, RecognitionInline)
    actions = ("carry_on", "put_into_class", "end_enrolment")
    fieldsets = (
        (None, {"fields": ("name", "identity", ("sex", "birth_date"), ("boarding", "left_behind"))}),
        (_("Family"), {"fields": (("guardian_name", "guardian_relation"), "phone")}),
        (
            _("More"),
            {
                "classes": ("collapse",),
                "fields": (
                    "pupil_number",
                    "ethnic_group",
                    ("head_name", "relation_to_head"),
                    "member",
                    "address",
                    "note",
                ),
            },
        ),
    )
    export_fields = (
        "name",
        "sex",
        "identity",
        "pupil_number",
        "birth_date",
        "ethnic_group",
        "school_now",
        "class_now",
        "boarding",
        "left_behind",
        "level_now",
        "group_now",
        "helper_now",
        "guardian_name",
        "guardian_relation",
        "phone",
        "address",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Fetch present class, level and helper of a page in three queries, whatever its length."""
        user = request.user
        # Pairings stand above this app: their model is reached through the look-up.
        pairing: Any = Student._meta.get_field("pairings").related_model
        live = Enrolment.objects.visible_to(user).filter(state=Enrolment.State.ENROLLED)
        now = Recognition.objects.visible_to(user).filter(
            semester=current_semester(), state__in=Recognition.IN_FORCE
        )
        helped = pairing.objects.visible_to(user).filter(state=pairing.State.ACTIVE)
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                Prefetch(
                    "enrolments", live.select_related("school", "school_class"), to_attr="live_enrolments"
                ),
                Prefetch("recognitions", now.select_related("primary_group"), to_attr="present_recognitions"),
                Prefetch("pairings", helped.select_related("helper"), to_attr="live_pairings"),
            )
        )

    @staticmethod
    def autocomplete_label(student: Any) -> str:
        """School and class tell namesakes apart."""
        places = [f"{item.school}{item.school_class or ''}" for item in student.live_enrolments]
        return " · ".join([student.name, *places])

    @admin.display(description=_("class"), empty_value="—")
    def class_now(self, student: Any) -> SchoolClass | None:
        return next((item.school_class for item in student.live_enrolments), None)

    @admin.display(description=_("school"), empty_value="—")
    def school_now(self, student: Any) -> Any:
        return next((item.school for item in student.live_enrolments), None)

    @admin.display(description=_("level of hardship"), empty_value="—")
    def level_now(self, student: Any) -> str | None:
        return next((item.get_level_display() for item in student.present_recognitions), None)

    @admin.display(description=_("group for statistics"), empty_value="—")
    def group_now(self, student: Any) -> str | None:
        groups = (item.primary_group for item in student.present_recognitions)
        return next((group.name for group in groups if group), None)

    @admin.display(description=_("helper"), empty_value="—")
    def helper_now(self, student: Any) -> str | None:
        return "、".join(item.helper.name for item in student.live_pairings) or None

    # Bulk actions

    def has_enrol_permission(self, request: HttpRequest) -> bool:
        """Say whether the account may change enrolments (a class teacher may not)."""
        return request.user.has_perm("students.change_enrolment")

    def has_recognise_permission(self, request: HttpRequest) -> bool:
        """Say whether the account may enter recognitions."""
        return request.user.has_perm("students.add_recognition")

    @asking_action(
        _("Recognise again as in the semester before"),
        _("Carry the recognition of the semester before on, after re-verification? Level and groups stay."),
        CarryOnForm,
        permissions=("recognise",),
    )
    def carry_on(self, request: HttpRequest, records: QuerySet[Student], entered: dict[str, Any]) -> None:
        semester = entered["semester"]
        result = recognise_again(students=records, semester=semester, actor=request.user)  # type: ignore[arg-type]
        told = {
            "count": result.done,
            "semester": semester_name(semester),
        }
        if result.done:
            text = ngettext(
                "%(count)d pupil recognised for %(semester)s.",
                "%(count)d pupils recognised for %(semester)s.",
                result.done,
            )
            self.message_user(request, text % told, messages.SUCCESS)
        left = (
            (result.already, gettext("%(count)d had a recognition for that semester already.")),
            (result.without_previous, gettext("%(count)d were not recognised in the semester before.")),
            (result.not_enrolled, gettext("%(count)d are not enrolled here now.")),
        )
        for count, text in left:
            if count:
                self.message_user(request, text % {"count": count}, messages.WARNING)

    @asking_action(
        _("Put into a class"),
        _("Put these pupils into a class?"),
        SetClassForm,
        permissions=("enrol",),
    )
    def put_into_class(
        self, request: HttpRequest, records: QuerySet[Student], entered: dict[str, Any]
    ) -> None:
        chosen = entered["school_class"]
        result = set_class(students=records, school_class=chosen, actor=request.user)  # type: ignore[arg-type]
        text = ngettext(
            "%(count)d pupil put into %(class)s.", "%(count)d pupils put into %(class)s.", result.done
        )
        self._tell(request, text % {"count": result.done, "class": chosen}, result)

    @asking_action(
        _("End the enrolment"),
        _("End the enrolment of these pupils? Recognitions, pairings and payments stay as they are."),
        EndEnrolmentForm,
        permissions=("enrol",),
    )
    def end_enrolment(
        self, request: HttpRequest, records: QuerySet[Student], entered: dict[str, Any]
    ) -> None:
        result = end_enrolments(students=records, actor=request.user, **entered)  # type: ignore[arg-type]
        text = ngettext("%(count)d enrolment ended.", "%(count)d enrolments ended.", result.done)
        self._tell(request, text % {"count": result.done}, result)

    def _tell(self, request: HttpRequest, text: str, result: Outcome) -> None:
        if result.done:
            self.message_user(request, text, messages.SUCCESS)
        if result.left:
            left = ngettext(
                "%(count)d pupil was left as is: not enrolled here on that day.",
                "%(count)d pupils were left as they are: not enrolled here on that day.",
                result.left,
            )
            self.message_user(request, left % {"count": result.left}, messages.WARNING)


@admin.register(Enrolment)
class EnrolmentAdmin(ClassChoices, OfficeAdmin):
    list_display = ("student", "school", "school_class", "start_on", "end_on", "state")
    list_filter = (("school", ScopedRelatedFilter), "state")
    list_select_related = ("student", "school", "school_class")
    search_people = ("student",)
    sensitive_search = (
        ("student__identity", "student__identity_hash", "student__identity_last4"),
        ("student__pupil_number", "student__pupil_number_hash", "student__pupil_number_last4"),
    )
    autocomplete_fields = ("student", "school")
    fields = ("student", "school", "school_class", ("start_on", "end_on"), "state")
    export_fields = ("student__name", "school", "school_class", "start_on", "end_on", "state")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("student", "school", "school_class")


@admin.register(Recognition)
class RecognitionAdmin(ClassChoices, OfficeAdmin):
    form = RecognitionForm
    list_display = ("student", "school", "school_class", "semester_label", "level", "primary_group", "state")
    list_filter = (
        SemesterFilter,
        "level",
        "state",
        ("primary_group", ScopedRelatedFilter),
        ("school", ScopedRelatedFilter),
    )
    list_select_related = ("student", "school", "school_class", "primary_group")
    search_people = ("student",)
    sensitive_search = (("student__identity", "student__identity_hash", "student__identity_last4"),)
    autocomplete_fields = ("student", "school")
    readonly_fields = ("state",)
    actions = ("move",)
    fieldsets = (
        (None, {"fields": ("student", "semester", "level", "special_groups", "primary_group", "state")}),
        (_("School and class"), {"classes": ("collapse",), "fields": ("school", "school_class")}),
    )
    export_fields = (
        "student__name",
        "school",
        "school_class",
        "semester_label",
        "level",
        "groups",
        "primary_group",
        "state",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        recognitions = super().get_queryset(request)
        return recognitions.select_related(
            "student", "school", "school_class", "primary_group"
        ).prefetch_related("special_groups")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Boxes to tick: a pupil holds one or two of about twenty groups."""
        kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def derive(self, request: HttpRequest, instance: Recognition) -> None:
        put_in_class(instance)

    @admin.display(description=_("semester"), ordering="semester")
    def semester_label(self, recognition: Recognition) -> str:
        return semester_name(recognition.semester)

    @admin.display(description=_("special hardship groups"))
    def groups(self, recognition: Recognition) -> str:
        return "、".join(group.name for group in recognition.special_groups.all())

    @asking_action(
        _("Move to another state"),
        _("Move these recognitions? Each moves only where its steps lead."),
        MoveRecognitionForm,
    )
    def move(self, request: HttpRequest, records: QuerySet[Recognition], entered: dict[str, Any]) -> None:
        result = move_recognitions(recognitions=records, state=entered["state"])
        label = Recognition.State(entered["state"]).label
        if result.done:
            text = ngettext(
                "%(count)d recognition is now: %(state)s.",
                "%(count)d recognitions are now: %(state)s.",
                result.done,
            )
            self.message_user(request, text % {"count": result.done, "state": label}, messages.SUCCESS)
        if result.left:
            text = ngettext(
                "%(count)d recognition was left as is: its steps do not lead there.",
                "%(count)d recognitions were left as they are: their steps do not lead there.",
                result.left,
            )
            self.message_user(request, text % {"count": result.left}, messages.WARNING)


@admin.register(SpecialGroup)
class SpecialGroupAdmin(OfficeAdmin):
    list_display = ("name", "code", "position", "valid_from", "valid_to")
    search_fields = ("name", "code", "synonyms")
    fields = ("name", "code", "synonyms", "position", ("valid_from", "valid_to"))
    export_fields = ("code", "name", "synonyms", "position", "valid_from", "valid_to")
