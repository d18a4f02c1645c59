"""The short form that begins a summary: which school, which period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import periods
from povertyaid.lib.periods import Period
from povertyaid.schools.admin_base.rights import scope_for
from povertyaid.schools.models import County, School

if TYPE_CHECKING:
    from datetime import date

    from django_stubs_ext import StrOrPromise

    from povertyaid.schools.models import User

COUNTY = "county"


def recent_periods(today: date) -> list[Period]:
    """Return the periods that somebody would write about now, the likeliest first.

    Half-years, semesters, years and school years that have begun, over two years back.
    """
    half, semester = Period.parse(periods.half_year_of(today)), Period.parse(periods.semester_of(today))
    year = Period.parse(str(today.year))
    school_year = Period.parse(semester.code[:9])
    found: list[Period] = []
    for first, count in ((half, 4), (semester, 4), (year, 2), (school_year, 2)):
        item = first
        for _step in range(count):
            found.append(item)
            item = item.previous()
    return found


def period_choices(today: date, *, keep: str = "") -> list[tuple[str, StrOrPromise]]:
    """Return the choices of a form; `keep` is offered too, however old it is."""
    codes = [item.code for item in recent_periods(today)]
    if keep and keep not in codes:
        codes.insert(0, keep)
    return [(code, Period.parse(code).label) for code in codes]


class NewSummaryForm(forms.Form):
    """Whose summary, for which period; choices are those of the account's scope."""

    target = forms.ChoiceField(label=_("school"))
    period = forms.ChoiceField(label=_("period"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["target"].choices = self._targets()  # type: ignore[attr-defined]
        self.fields["period"].choices = period_choices(timezone.localdate())  # type: ignore[attr-defined]

    def _targets(self) -> list[tuple[str, str]]:
        scope = scope_for(self.user, "reports.summary", "add")
        counties = County.objects.visible_to(self.user).filter(pk__in=scope.county_ids)
        schools = School.objects.visible_to(self.user).filter(pk__in=scope.schools)
        return [
            *((f"{COUNTY}-{county.pk}", county.bureau_name) for county in counties),
            *((str(school.pk), school.name) for school in schools),
        ]

    def place(self) -> tuple[County, School | None]:
        """Return county and school of a valid form."""
        chosen = self.cleaned_data["target"]
        kind, _dash, key = chosen.partition("-")
        if kind == COUNTY:
            return County.objects.visible_to(self.user).get(pk=key), None
        school = School.objects.visible_to(self.user).select_related("county").get(pk=chosen)
        return school.county, school

    def existing(self) -> Q:
        """Return the condition for a summary that stands already."""
        county, school = self.place()
        return Q(county=county, school=school, period=self.cleaned_data["period"])
