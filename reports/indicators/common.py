"""Conditions and labels that indicators of several topics share."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pairings.models import Contact, Pairing
from povertyaid.lib import periods
from povertyaid.lib.periods import Period
from reports.indicators.base import Breakdown, Records, Target, Wording, labelled
from students.models import Enrolment, Recognition

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NO_GROUP = "未填统计类别"
LEVELS = {
    Recognition.Level.SPECIAL.value: "特别困难",
    Recognition.Level.HARD.value: "困难",
    Recognition.Level.GENERAL.value: "一般困难",
}
# The two stages of compulsory education and a special school are told together, as the programmes are.
STAGE_PLACES = {stage: place for place, stage in enumerate(periods.STAGES)}


def live_on(day: date, *, prefix: str = "") -> Q:
    """Return the condition that something with `start_on` and `end_on` lasts beyond a day."""
    return Q(**{f"{prefix}start_on__lte": day}) & (
        Q(**{f"{prefix}end_on__isnull": True}) | Q(**{f"{prefix}end_on__gt": day})
    )


def pupils_on_roll(day: date, target: Target | None = None) -> Records:
    """Return enrolments that last beyond a day: of the target's school, or of any school."""
    lasting = Q(end_on__gt=day) | Q(
        end_on__isnull=True, state__in=(Enrolment.State.ENROLLED, Enrolment.State.SUSPENDED)
    )
    found = Enrolment.objects.filter(Q(start_on__isnull=True) | Q(start_on__lte=day)).filter(lasting)
    return found.filter(target.within()) if target else found


def live_pairings(period: Period) -> Records:
    """Return the pairings that last beyond the period's last day, wherever they belong."""
    return Pairing.objects.filter(live_on(period.end)).exclude(state=Pairing.State.WAITING)


def pairings_of(target: Target) -> Q:
    """Return the condition that the target helps: the school's own pairings, or all of the county."""
    return Q(school=target.school.pk) if target.school else Q(county=target.county.pk)


def contacts_in(period: Period) -> Records:
    """Return the contacts whose date lies in the period, wherever they belong."""
    return Contact.objects.filter(date__range=(period.start, period.end))


def class_label(values: tuple[Any, ...], wording: Wording) -> str:
    """Return the grade of a cohort (stage, entry year) in the school year of the period."""
    stage, entry_year = values[0], values[1]
    if not stage or entry_year is None:
        return "未填班级"
    return periods.grade_label(stage, periods.grade_of(entry_year, wording.period.school_year))


def class_order(values: tuple[Any, ...], _wording: Wording) -> Any:
    """Stages from kindergarten upwards, the youngest cohort of each first, those without a class last."""
    stage, entry_year = values[0], values[1]
    return (STAGE_PLACES.get(stage or "", len(STAGE_PLACES)), -(entry_year or 0))


def by_level(path: str = "level", *, missing: str = "未认定") -> Breakdown:
    return labelled("level", _("level of hardship"), path, LEVELS, missing=missing)


def by_grade(path: str = "school_class") -> Breakdown:
    fields = (f"{path}__stage", f"{path}__entry_year")
    return Breakdown("grade", _("grade"), fields, class_label, class_order, numbers=fields[1:])


def by_primary_group(code: str) -> Breakdown:
    """Return the breakdown by the one group under which a pupil is counted; those without make a row of their own."""
    return Breakdown(
        "primary_group",
        _("group for statistics"),
        (code,),
        lambda values, wording: wording.special_groups[values[0]][0] if values[0] else NO_GROUP,
        lambda values, wording: (
            (0, wording.special_groups[values[0]][1], values[0]) if values[0] else (1, 0, "")
        ),
    )


def by_school(path: str = "school") -> Breakdown:
    return Breakdown(
        "school",
        _("school"),
        (f"{path}__code",),
        lambda values, _wording: str(values[1]) if values[1] else "局机关",
        lambda values, _wording: (values[0] is None, values[0] or ""),
        (f"{path}__name",),
        county_only=True,
    )


def by_township(path: str) -> Breakdown:
    return Breakdown(
        "township",
        _("township"),
        (path,),
        lambda values, _wording: values[0] or "未填乡镇",
        lambda values, _wording: (not values[0], values[0] or ""),
        county_only=True,
    )


def by_text(name: str, title: StrOrPromise, path: str, *, missing: str) -> Breakdown:
    """Return a breakdown by what people wrote into a column."""
    return Breakdown(
        name,
        title,
        (path,),
        lambda values, _wording: values[0] or missing,
        lambda values, _wording: (not values[0], values[0] or ""),
    )
