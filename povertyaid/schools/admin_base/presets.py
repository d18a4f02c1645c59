"""What is not asked where it is known: the own school and county, the semester of today."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from povertyaid.lib import periods
from povertyaid.schools.models import County, School
from povertyaid.schools.scope import scope_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from povertyaid.schools.models import User

# Semesters that a form offers: the next one, this one, and six years back.
SEMESTERS_BACK = 12


def own_schools(user: Any) -> QuerySet[School]:
    """Return the schools that an account answers for (not those that it merely may name)."""
    schools = School.objects.visible_to(user)
    scope = scope_of(user)
    return schools if scope.everything else schools.filter(pk__in=scope.schools)


def own_county(user: User | Any) -> County | None:
    """Return the county of an account that belongs to exactly one."""
    counties = list(County.objects.visible_to(user)[:2])
    return counties[0] if len(counties) == 1 else None


def home_school(user: Any) -> School | None:
    """Return the school where an account's person works, else its only school; None for the bureau's people."""
    scope = scope_of(user)
    if scope.county_ids or scope.everything:
        return None
    schools = list(own_schools(user))
    homes = [school for school in schools if school.pk in scope.home_school_ids] or schools
    return homes[0] if homes else None


def semester_choices(today: dt.date | None = None) -> list[tuple[str, str]]:
    """Return codes and Chinese names of the semesters that a form offers, the next one first."""
    now = periods.semester_of(today or timezone.localdate())
    codes = [periods.shift_semester(now, steps) for steps in range(1, -SEMESTERS_BACK - 1, -1)]
    return [(code, periods.semester_label(code)) for code in codes]


class SemesterSelect(forms.Select):
    """The usual semesters, and the one that stands in the record, however old."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        known = {str(code) for code, _label in self.choices}
        older = [str(code) for code in filter(None, value or []) if str(code) not in known]
        offered = [*self.choices, *((code, semester_name(code)) for code in older)]
        self.choices = offered
        return super().optgroups(name, value, attrs)


def semester_name(code: str) -> str:
    """Return the Chinese name of a semester; text that is no semester stays as it is."""
    try:
        return periods.semester_label(code)
    except periods.PeriodError:
        return code


class SemesterField(forms.CharField):
    """A semester, chosen by its Chinese name."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text:
            try:
                periods.split_semester(text)
            except periods.PeriodError as error:
                raise ValidationError(str(error), code="semester") from None
        return text


class Preset:
    """Mixin of admins and inlines: hides school and county where there is only one, offers semesters by name.

    `preset_semester`: whether today's semester is preset on new records.
    """

    preset_semester = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if (
            db_field.name in {"semester", "valid_from", "valid_to"}
            and db_field.get_internal_type() == "CharField"
        ):
            return self._semester_field(db_field)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is None or db_field.name not in {"school", "county"}:
            return field
        if db_field.name == "county":
            only: Any = own_county(request.user)
        else:
            schools = list(own_schools(request.user)[:2])
            only = schools[0] if len(schools) == 1 else None
            home = home_school(request.user) if only is None else None
            if home is not None:
                field.initial = home.pk
        if only is not None:
            field.initial = only.pk
            field.widget = forms.HiddenInput()
        return field

    def _semester_field(self, db_field: Any) -> forms.Field:
        choices = semester_choices()
        initial = ""
        if db_field.name == "semester" and self.preset_semester:
            initial = periods.semester_of(timezone.localdate())
        else:
            choices = [("", "---------"), *choices]
        return SemesterField(
            label=db_field.verbose_name,
            required=not db_field.blank,
            initial=initial,
            widget=SemesterSelect(choices=choices),
        )


def take_county(request: HttpRequest, instance: Any) -> None:
    """Fill the county of a record that may belong to a school: the school's, else the account's own."""
    if instance.school_id:
        instance.county_id = instance.school.county_id
    elif instance.county_id is None:
        county = own_county(request.user)
        instance.county_id = county.pk if county else None
