"""Households of the registry and the persons in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.models import Assignment, Household, Member
from povertyaid.lib.periods import Period
from reports.indicators.base import Base, Indicator, Records, Target, labelled
from reports.indicators.common import by_text, by_township, pupils_on_roll
from students.models import Student

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CATEGORIES = {
    Household.Category.LIFTED.value: "脱贫户",
    Household.Category.MONITORED.value: "监测对象",
    Household.Category.ORDINARY.value: "一般农户",
}
CAUSES = {
    Household.Cause.ILLNESS.value: "因病",
    Household.Cause.DISABILITY.value: "因残",
    Household.Cause.SCHOOLING.value: "因学",
    Household.Cause.DISASTER.value: "因灾",
    Household.Cause.MARRIAGE.value: "因婚",
    Household.Cause.BEREAVEMENT.value: "因丧",
    Household.Cause.LAND.value: "缺土地",
    Household.Cause.WATER.value: "缺水",
    Household.Cause.SKILLS.value: "缺技术",
    Household.Cause.LABOUR.value: "缺劳力",
    Household.Cause.MONEY.value: "缺资金",
    Household.Cause.TRANSPORT.value: "交通条件落后",
    Household.Cause.MOTIVATION.value: "自身发展力不足",
    Household.Cause.OTHER.value: "其他",
}


def households_of(target: Target, period: Period) -> Records:
    """Return the households in the registry on the period's last day.

    A school's are those with a child on its roll that day, and those that it is assigned to help.
    """
    day = period.end
    found = Household.objects.filter(
        Q(identified_on__isnull=True) | Q(identified_on__lte=day),
        Q(exited_on__isnull=True) | Q(exited_on__gt=day),
    )
    if target.school is None:
        return found.filter(county=target.county)
    children = pupils_on_roll(day, target).values("student")
    homes = Member.objects.filter(Q(left_on__isnull=True) | Q(left_on__gt=day), student__in=children)
    assigned = Assignment.objects.filter(
        Q(start_on__isnull=True) | Q(start_on__lte=day), school=target.school
    )
    return found.filter(Q(pk__in=homes.values("household")) | Q(pk__in=assigned.values("household")))


def persons_of(target: Target, period: Period) -> Records:
    """Return the members of these households on the period's last day."""
    day = period.end
    return Member.objects.filter(
        Q(identified_on__isnull=True) | Q(identified_on__lte=day),
        Q(left_on__isnull=True) | Q(left_on__gt=day),
        household__in=households_of(target, period).values("pk"),
    )


def _on_roll(_target: Target, period: Period) -> Q:
    pupils = Student.objects.filter(pk__in=pupils_on_roll(period.end).values("student"))
    return Q(pk__in=pupils.filter(member__isnull=False).values("member"))


HOUSEHOLDS = Base(
    "households",
    Household,
    households_of,
    (
        labelled("category", _("household category"), "category", CATEGORIES, missing="未填户类型"),
        labelled("cause", _("cause of poverty"), "cause", CAUSES, missing="未填原因"),
        by_text("village", _("village"), "village__name", missing="未填行政村"),
        by_township("village__township"),
    ),
)
PERSONS = Base("persons", Member, persons_of)


def _homes(
    key: str,
    label: str,
    title: StrOrPromise,
    definition: StrOrPromise,
    condition: Callable[[Target, Period], Q] | None = None,
    *,
    breakdowns: tuple[str, ...] = (),
) -> Indicator:
    return Indicator(
        key, label, title, definition, "户", HOUSEHOLDS, "date", "stock", condition=condition, breakdowns=breakdowns
    )


INDICATORS: tuple[Indicator, ...] = (
    _homes(
        "households",
        "建档家庭",
        _("Households"),
        _(
            "Households in the registry on the period's last day: for a school those with a child on its roll or "
            "assigned to it, for the county all."
        ),
        breakdowns=("category", "cause", "township"),
    ),
    _homes(
        "households_lifted",
        "脱贫户",
        _("Lifted households"),
        _("Households of the category lifted household."),
        lambda _target, _period: Q(category=Household.Category.LIFTED),
    ),
    _homes(
        "households_monitored",
        "监测对象户",
        _("Monitored households"),
        _("Households of the category monitored household."),
        lambda _target, _period: Q(category=Household.Category.MONITORED),
    ),
    Indicator(
        "persons",
        "家庭人口",
        _("Persons in households"),
        _("Members of these households on the period's last day."),
        "人",
        PERSONS,
        "date",
        "stock",
    ),
    Indicator(
        "household_pupils",
        "家庭成员中的在校学生",
        _("Pupils in households"),
        _("Members of these households who are pupils on a school's roll on the period's last day."),
        "人",
        PERSONS,
        "date",
        "stock",
        condition=_on_roll,
    ),
)
