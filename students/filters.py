"""Filters of the list of pupils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import periods
from povertyaid.schools.admin_base.presets import own_schools
from povertyaid.schools.admin_base.simple_filters import ChoiceFilter, Choices
from povertyaid.schools.models import SchoolClass, Stage
from students.conditions import enrolled_now, not_carried_on, paired, recognised
from students.models import Enrolment, Recognition, SpecialGroup
from students.services import current_semester

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest


def present_classes() -> Q:
    """Classes whose pupils have not left the stage yet."""
    school_year = periods.school_year_of(timezone.localdate())
    present = Q(pk__in=())
    for stage in Stage.values:
        present |= Q(stage=stage, entry_year__gt=school_year - periods.last_grade(stage))
    return present


class SchoolFilter(ChoiceFilter):
    """Where the pupil is enrolled now; for who answers for several schools."""

    title = _("school")
    parameter_name = "school"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        schools = list(own_schools(request.user))
        return [(str(school.pk), school.name) for school in schools] if len(schools) > 1 else []

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        live = Enrolment.objects.visible_to(request.user).filter(state="enrolled", school=int(value))
        return queryset.filter(pk__in=live.order_by().values("student"))


class ClassFilter(ChoiceFilter):
    """The pupil's class now; a county chooses the school first."""

    title = _("class")
    parameter_name = "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        classes = SchoolClass.objects.visible_to(request.user).filter(present_classes())
        school = request.GET.get("school", "")
        if school.isdecimal():
            classes = classes.filter(school=int(school))
        elif own_schools(request.user).count() > 1:
            return []
        return [(str(item.pk), str(item)) for item in classes]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        live = Enrolment.objects.visible_to(request.user).filter(state="enrolled", school_class=int(value))
        return queryset.filter(pk__in=live.order_by().values("student"))


class EnrolmentFilter(ChoiceFilter):
    """Present or former pupils. A list that nobody narrowed holds the present ones; a search looks everywhere."""

    title = _("enrolment")
    parameter_name = "enrolment"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.searching = bool(request.GET.get("q", "").strip())
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("now", _("enrolled now")), ("past", _("no longer enrolled here")), ("all", _("all"))]

    def value(self) -> str | None:
        return super().value() or ("all" if self.searching else "now")

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Leave out the choice that Django adds: “all” stands among the own ones."""
        choices = super().choices(changelist)
        next(choices, None)
        yield from choices

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "all":
            return queryset
        present = enrolled_now(request.user)
        return queryset.filter(present if value == "now" else ~present)


class RecognitionFilter(ChoiceFilter):
    """Whether the pupil is recognised this semester."""

    title = _("recognition this semester")
    parameter_name = "recognition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("now", _("recognised this semester")),
            ("none", _("not recognised this semester")),
            ("last", _("last semester, but not this one")),
        ]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        semester = current_semester()
        if value == "last":
            return queryset.filter(not_carried_on(request.user, semester))
        now = recognised(request.user, semester)
        return queryset.filter(now if value == "now" else ~now)


class LevelFilter(ChoiceFilter):
    """The level of this semester's recognition."""

    title = _("level of hardship")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(Recognition.Level.choices)

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(recognised(request.user, current_semester(), level=value))


class GroupFilter(ChoiceFilter):
    """The group for statistics of this semester's recognition."""

    title = _("group for statistics")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        used = Recognition.objects.visible_to(request.user).filter(semester=current_semester())
        groups = SpecialGroup.objects.visible_to(request.user).filter(
            pk__in=used.order_by().values("primary_group")
        )
        return [("none", _("without a group")), *((str(group.pk), group.name) for group in groups)]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        wanted = {"primary_group__isnull": True} if value == "none" else {"primary_group": value}
        return queryset.filter(recognised(request.user, current_semester(), **wanted))


class PairingFilter(ChoiceFilter):
    """Whether somebody helps the pupil."""

    title = _("pairing")
    parameter_name = "pairing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("with a helper")), ("no", _("without a helper"))]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(paired() if value == "yes" else ~paired())
