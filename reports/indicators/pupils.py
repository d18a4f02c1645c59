"""Pupils recognised as in hardship: how many, of which level, grade and group, who came and who left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from pairings.models import Contact
from povertyaid.lib import periods
from povertyaid.lib.periods import Period, Semester
from reports.indicators.base import Base, Indicator, Ratio, Records, Target
from reports.indicators.common import (
    by_grade,
    by_level,
    by_primary_group,
    by_school,
    by_township,
    contacts_in,
    live_pairings,
)
from students.models import Recognition, Student

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# A recognition that is still on its way does not replace the one before it; these do.
DECIDED = (
    *Recognition.IN_FORCE,
    Recognition.State.REFUSED,
    Recognition.State.ADJUSTED,
    Recognition.State.EXITED,
    Recognition.State.DECLINED,
)


def in_force(target: Target, semester: Semester) -> Records:
    """Return the recognitions in force at the end of a semester: the latest of each pupil within the school year.

    The first semester's holds on in the second as long as the second brings no decision.
    """
    school_year, number = periods.split_semester(semester)
    found = Recognition.objects.filter(target.within(), state__in=Recognition.IN_FORCE)
    if number == 1:
        return found.filter(semester=semester)
    later = Recognition.objects.filter(student=OuterRef("student"), semester=semester, state__in=DECIDED)
    first = periods.semester_code(school_year, 1)
    return found.filter(Q(semester=semester) | Q(semester=first) & ~Exists(later))


def reference_semester(period: Period) -> Semester:
    """Return the semester with which the period's end is compared: as many semesters back as the period has."""
    return periods.shift_semester(period.last_semester, -len(period.semesters))


def _now(target: Target, period: Period) -> Records:
    return in_force(target, period.last_semester)


def _before(target: Target, period: Period) -> Records:
    return in_force(target, reference_semester(period))


def _added(target: Target, period: Period) -> Q:
    return ~Q(student__in=_before(target, period).values("student"))


def _removed(target: Target, period: Period) -> Q:
    return ~Q(student__in=_now(target, period).values("student"))


def _paired(_target: Target, period: Period) -> Q:
    return Q(student__in=live_pairings(period).filter(student__isnull=False).values("student"))


def _visited(_target: Target, period: Period) -> Q:
    """A visit to the pupil's home: of the pupil's own helper, or of the household's."""
    visits = contacts_in(period).filter(kind=Contact.Kind.HOME_VISIT)
    pupils = visits.filter(pairing__student__isnull=False).values("pairing__student")
    homes = visits.filter(pairing__household__isnull=False).values("pairing__household")
    return Q(student__in=Student.objects.filter(Q(pk__in=pupils) | Q(member__household__in=homes)).values("pk"))


def _not(condition: Callable[[Target, Period], Q]) -> Callable[[Target, Period], Q]:
    return lambda target, period: ~condition(target, period)


RECOGNISED = Base(
    "recognised",
    Recognition,
    _now,
    (
        by_level(),
        by_grade(),
        by_primary_group("primary_group__code"),
        by_school(),
        by_township("school__township"),
    ),
    crosses=(("grade", "level"), ("primary_group", "level")),
)
RECOGNISED_BEFORE = Base("recognised_before", Recognition, _before)
ALL_BREAKDOWNS = ("level", "grade", "primary_group", "school", "township")


def _recognised(
    key: str,
    label: str,
    title: StrOrPromise,
    definition: StrOrPromise,
    condition: Callable[[Target, Period], Q] | None,
    *,
    base: Base = RECOGNISED,
    breakdowns: tuple[str, ...] = (),
) -> Indicator:
    return Indicator(
        key, label, title, definition, "人", base, "semester", "stock", condition=condition, breakdowns=breakdowns
    )


INDICATORS: tuple[Indicator | Ratio, ...] = (
    _recognised(
        "recognised_pupils",
        "家庭经济困难学生",
        _("Pupils in hardship"),
        _(
            "Pupils whose latest recognition within the school year, up to the period's last semester, is in force "
            "(recognised or filed). Each pupil once."
        ),
        None,
        breakdowns=ALL_BREAKDOWNS,
    ),
    _recognised(
        "level_special",
        "特别困难学生",
        _("Pupils in special hardship"),
        _("Pupils in hardship whose recognition in force has the level special hardship."),
        lambda _target, _period: Q(level=Recognition.Level.SPECIAL),
    ),
    _recognised(
        "level_hard",
        "困难学生",
        _("Pupils in hardship (middle level)"),
        _("Pupils in hardship whose recognition in force has the level hardship."),
        lambda _target, _period: Q(level=Recognition.Level.HARD),
    ),
    _recognised(
        "level_general",
        "一般困难学生",
        _("Pupils in general hardship"),
        _("Pupils in hardship whose recognition in force has the level general hardship."),
        lambda _target, _period: Q(level=Recognition.Level.GENERAL),
    ),
    _recognised(
        "recognised_before",
        "上期家庭经济困难学生",
        _("Pupils in hardship before"),
        _("Pupils in hardship at the end of the period before, counted in the same way."),
        None,
        base=RECOGNISED_BEFORE,
    ),
    _recognised(
        "recognised_added",
        "新增家庭经济困难学生",
        _("Pupils newly in hardship"),
        _("Pupils in hardship now who were not at the end of the period before."),
        _added,
        breakdowns=("school",),
    ),
    _recognised(
        "recognised_removed",
        "退出家庭经济困难学生",
        _("Pupils no longer in hardship"),
        _("Pupils in hardship at the end of the period before who are not now, whatever the reason."),
        _removed,
        base=RECOGNISED_BEFORE,
    ),
    _recognised(
        "boarding_pupils",
        "认定学生中的寄宿生",
        _("Boarders among pupils in hardship"),
        _("Pupils in hardship who board at school."),
        lambda _target, _period: Q(student__boarding=Student.Boarding.BOARDING),
    ),
    _recognised(
        "left_behind_pupils",
        "认定学生中的留守儿童",
        _("Left-behind children among pupils in hardship"),
        _("Pupils in hardship one or both of whose parents work away from home."),
        lambda _target, _period: Q(
            student__left_behind__in=(Student.LeftBehind.ONE, Student.LeftBehind.BOTH)
        ),
    ),
    _recognised(
        "recognised_paired",
        "已落实帮扶教师的学生",
        _("Pupils in hardship with a helper"),
        _("Pupils in hardship with at least one live pairing on the period's last day, whoever the helper is."),
        _paired,
        breakdowns=("grade", "school"),
    ),
    _recognised(
        "unpaired_pupils",
        "尚未落实帮扶教师的学生",
        _("Pupils in hardship without a helper"),
        _("Pupils in hardship without a live pairing on the period's last day."),
        _not(_paired),
        breakdowns=("grade", "school"),
    ),
    Ratio(
        "coverage",
        "结对帮扶覆盖率",
        _("Coverage by helpers"),
        _("Pupils in hardship with a helper, in percent of all pupils in hardship."),
        part="recognised_paired",
        whole="recognised_pupils",
    ),
    _recognised(
        "visited_pupils",
        "已家访的学生",
        _("Pupils in hardship visited at home"),
        _("Pupils in hardship with a home visit in the period, by their own helper or the household's."),
        _visited,
        breakdowns=("grade",),
    ),
    _recognised(
        "pupils_unvisited",
        "未家访的学生",
        _("Pupils in hardship not visited at home"),
        _("Pupils in hardship without a home visit in the period."),
        _not(_visited),
        breakdowns=("grade",),
    ),
)
