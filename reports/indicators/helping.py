"""Helpers, their pairings, and the contacts in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household, Village
from pairings.models import Contact, Pairing
from povertyaid.lib.periods import Period
from povertyaid.schools.models import Staff
from reports.indicators.base import RECORDS, Base, Indicator, Measure, Records, Target, distinct, labelled
from reports.indicators.common import by_school, by_text, contacts_in, live_pairings, pairings_of
from students.models import Student

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS = {
    Contact.Kind.HOME_VISIT.value: "家访",
    Contact.Kind.TALK.value: "谈心谈话",
    Contact.Kind.TUTORING.value: "学业辅导",
    Contact.Kind.COUNSELLING.value: "心理辅导",
    Contact.Kind.COMFORT_VISIT.value: "走访慰问",
    Contact.Kind.RETURN_VISIT.value: "回访",
}
FORMS = {
    Contact.Form.IN_PERSON.value: "当面",
    Contact.Form.TELEPHONE.value: "电话",
    Contact.Form.VIDEO.value: "视频",
}
HELPED = {"pupil": "学生", "household": "家庭"}


def _live(target: Target, period: Period) -> Records:
    return live_pairings(period).filter(pairings_of(target))


def _contacts(target: Target, period: Period) -> Records:
    within = Pairing.objects.filter(pairings_of(target)).values("pk")
    return contacts_in(period).filter(pairing__in=within)


def _helped_households(target: Target, period: Period) -> Records:
    helped = _live(target, period).filter(household__isnull=False)
    return Household.objects.filter(pk__in=helped.values("household"))


def _under_two(target: Target, period: Period) -> Q:
    """Each household has at least two persons responsible: those with fewer are told."""
    counted = (
        _live(target, period)
        .filter(household__isnull=False)
        .order_by()
        .values("household")
        .annotate(helpers=Count("helper", distinct=True))
        .filter(helpers__lt=2)
    )
    return Q(pk__in=counted.values("household"))


def _pupils(_target: Target, _period: Period) -> Q:
    return Q(student__isnull=False)


def _homes(_target: Target, _period: Period) -> Q:
    return Q(household__isnull=False)


def _of_kind(kind: str) -> Callable[[Target, Period], Q]:
    return lambda _target, _period: Q(kind=kind)


PAIRINGS = Base(
    "pairings",
    Pairing,
    _live,
    (by_text("post", _("post"), "helper__post", missing="未填职务"), by_school()),
)
HELPED_HOUSEHOLDS = Base("helped_households", Household, _helped_households)
CONTACTS = Base(
    "contacts",
    Contact,
    _contacts,
    (
        labelled("kind", _("kind"), "kind", KINDS, missing="其他"),
        labelled("form", _("form"), "form", FORMS, missing="其他"),
        by_school("pairing__school"),
    ),
)


def _pairing(
    key: str,
    label: str,
    title: StrOrPromise,
    definition: StrOrPromise,
    *,
    unit: str,
    measure: Measure,
    condition: Callable[[Target, Period], Q] | None = None,
    breakdowns: tuple[str, ...] = (),
) -> Indicator:
    return Indicator(
        key, label, title, definition, unit, PAIRINGS, "date", "stock", measure, condition, breakdowns=breakdowns
    )


def _contact(
    key: str,
    label: str,
    title: StrOrPromise,
    definition: StrOrPromise,
    *,
    unit: str,
    kind: str | None,
    breakdowns: tuple[str, ...] = (),
) -> Indicator:
    condition = _of_kind(kind) if kind else None
    return Indicator(
        key, label, title, definition, unit, CONTACTS, "date", "flow", RECORDS, condition, breakdowns=breakdowns
    )


INDICATORS: tuple[Indicator, ...] = (
    _pairing(
        "pairs",
        "结对关系",
        _("Pairings"),
        _("Live pairings on the period's last day: begun, not ended before, not waiting."),
        unit="对",
        measure=RECORDS,
        breakdowns=("post", "school"),
    ),
    _pairing(
        "helpers",
        "帮扶责任人",
        _("Helpers"),
        _("Distinct persons with at least one live pairing on the period's last day."),
        unit="名",
        measure=distinct("helper", Staff),
        breakdowns=("post", "school"),
    ),
    _pairing(
        "pupil_helpers",
        "帮扶教师",
        _("Helpers of pupils"),
        _("Distinct persons with a live pairing with a pupil on the period's last day."),
        unit="名",
        measure=distinct("helper", Staff),
        condition=_pupils,
        breakdowns=("post",),
    ),
    _pairing(
        "paired_pupils",
        "结对学生",
        _("Paired pupils"),
        _("Distinct pupils with a live pairing of this school or county, recognised or not."),
        unit="人",
        measure=distinct("student", Student),
        condition=_pupils,
        breakdowns=("post", "school"),
    ),
    _pairing(
        "leader_paired_pupils",
        "校领导和处室负责人结对学生",
        _("Pupils paired with leaders"),
        _("Distinct pupils whose helper leads the school or a department."),
        unit="人",
        measure=distinct("student", Student),
        condition=lambda _target, _period: Q(student__isnull=False, helper__is_leader=True),
    ),
    _pairing(
        "household_helpers",
        "联系户帮扶责任人",
        _("Helpers of households"),
        _("Distinct persons with a live pairing with a household on the period's last day."),
        unit="名",
        measure=distinct("helper", Staff),
        condition=_homes,
        breakdowns=("post",),
    ),
    _pairing(
        "paired_households",
        "结对家庭",
        _("Paired households"),
        _("Distinct households with a live pairing on the period's last day."),
        unit="户",
        measure=distinct("household", Household),
        condition=_homes,
        breakdowns=("post",),
    ),
    _pairing(
        "paired_villages",
        "联系村",
        _("Villages of paired households"),
        _("Distinct villages of the households with a live pairing."),
        unit="个",
        measure=distinct("household__village", Village),
        condition=_homes,
    ),
    Indicator(
        "households_under_two",
        "不足2名帮扶责任人的家庭",
        _("Households with fewer than two helpers"),
        _("Paired households with only one helper on the period's last day."),
        "户",
        HELPED_HOUSEHOLDS,
        "date",
        "stock",
        condition=_under_two,
    ),
    _contact(
        "contacts",
        "帮扶活动",
        _("Contacts"),
        _("Contacts of all kinds whose date lies in the period."),
        unit="次",
        kind=None,
        breakdowns=("kind", "form", "school"),
    ),
    _contact(
        "home_visits",
        "家访",
        _("Home visits"),
        _("Contacts of the kind home visit whose date lies in the period."),
        unit="次",
        kind=Contact.Kind.HOME_VISIT,
        breakdowns=("form",),
    ),
    _contact(
        "talk_person_times",
        "谈心谈话",
        _("Talks"),
        _("Contacts of the kind talk whose date lies in the period, one person-time each."),
        unit="人次",
        kind=Contact.Kind.TALK,
    ),
    _contact(
        "tutoring_person_times",
        "学业辅导",
        _("Tutoring"),
        _("Contacts of the kind tutoring whose date lies in the period, one person-time each."),
        unit="人次",
        kind=Contact.Kind.TUTORING,
    ),
    _contact(
        "counselling_person_times",
        "心理辅导",
        _("Counselling"),
        _("Contacts of the kind counselling whose date lies in the period, one person-time each."),
        unit="人次",
        kind=Contact.Kind.COUNSELLING,
    ),
    _contact(
        "comfort_visits",
        "走访慰问",
        _("Comfort visits"),
        _("Contacts of the kind comfort visit whose date lies in the period."),
        unit="次",
        kind=Contact.Kind.COMFORT_VISIT,
    ),
    _contact(
        "return_visits",
        "回访",
        _("Return visits"),
        _("Contacts of the kind return visit whose date lies in the period."),
        unit="次",
        kind=Contact.Kind.RETURN_VISIT,
    ),
)
