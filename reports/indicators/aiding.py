"""Aid that was paid: to how many pupils, how often, how much, by programme, source, stage and group."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext_lazy as _

from aid.models import Disbursement, Payment, Programme
from households.models import Household
from povertyaid.lib.periods import Period
from povertyaid.schools.models import Stage
from reports.indicators.base import (
    RECORDS,
    Base,
    Breakdown,
    Indicator,
    Measure,
    Records,
    Target,
    Wording,
    distinct,
    labelled,
    total,
)
from reports.indicators.common import LEVELS, by_primary_group, by_school, by_township
from students.models import Recognition, Student

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BOARDING = "living_subsidy_boarding"
DAY = "living_subsidy_day"
STAGES = {
    Programme.Level.PRESCHOOL.value: "学前教育",
    Programme.Level.COMPULSORY.value: "义务教育",
    Programme.Level.SENIOR.value: "普通高中",
    Programme.Level.VOCATIONAL.value: "中等职业教育",
    Programme.Level.HIGHER.value: "高等教育",
}
SOURCES = {
    Programme.Source.NATIONAL.value: "国家资助",
    Programme.Source.PROVINCIAL.value: "省级资助",
    Programme.Source.COUNTY.value: "县级资助",
    Programme.Source.SCHOOL.value: "学校资助",
    Programme.Source.SOCIETY.value: "社会资助",
}
FORMS = {
    Programme.Form.CASH.value: "资金",
    Programme.Form.GOODS.value: "物资折价",
    Programme.Form.WAIVER.value: "减免",
}
# Once in force: group and level of a pupil stay those of the latest of these by the period's end.
_HELD = (*Recognition.IN_FORCE, Recognition.State.ADJUSTED, Recognition.State.EXITED)


def _payments(target: Target, semesters: tuple[str, ...]) -> Records:
    """Return the payments to pupils of the disbursements of some semesters; void disbursements do not exist."""
    batches = Disbursement.objects.filter(target.within(), semester__in=semesters)
    return Payment.objects.filter(
        disbursement__in=batches.exclude(state=Disbursement.State.VOID).values("pk"), student__isnull=False
    )


def _told(records: Records, period: Period) -> Records:
    """Add what the breakdowns need: stage, and level and group of the pupil's latest recognition."""
    latest = (
        Recognition.objects.filter(
            student=OuterRef("student"), semester__lte=period.last_semester, state__in=_HELD
        )
        .order_by("-semester")
        .values("level", "primary_group__code")
    )
    compulsory = (Stage.PRIMARY, Stage.JUNIOR, Stage.SPECIAL)
    annotated: Records = records.annotate(
        told_stage=Case(
            When(stage__in=compulsory, then=Value(Programme.Level.COMPULSORY.value)),
            When(stage="", then=F("disbursement__programme__level")),
            default=F("stage"),
        ),
        told_level=Subquery(latest.values("level")[:1]),
        told_group=Subquery(latest.values("primary_group__code")[:1]),
    )
    return annotated


def _all(target: Target, period: Period) -> Records:
    return _told(_payments(target, period.semesters), period)


def _counted(target: Target, period: Period) -> Records:
    return _all(target, period).filter(state__in=Payment.COUNTED)


def _late(target: Target, period: Period) -> Records:
    """Return payments of earlier semesters that arrived between the period's first and last day."""
    batches = Disbursement.objects.filter(target.within(), semester__lt=period.semesters[0])
    return Payment.objects.filter(
        disbursement__in=batches.exclude(state=Disbursement.State.VOID).values("pk"),
        student__isnull=False,
        state__in=Payment.COUNTED,
        paid_on__range=(period.start, period.end),
    )


def _to_households(target: Target, period: Period) -> Records:
    batches = Disbursement.objects.filter(target.within(), semester__in=period.semesters)
    return Payment.objects.filter(
        disbursement__in=batches.exclude(state=Disbursement.State.VOID).values("pk"),
        household__isnull=False,
        state__in=Payment.COUNTED,
    )


def _by_programme() -> Breakdown:
    def order(values: tuple[Any, ...], _wording: Wording) -> tuple[int, str]:
        return (values[2] or 0, values[0])

    path = "disbursement__programme"
    return Breakdown(
        "programme",
        _("programme"),
        (f"{path}__code",),
        lambda values, _wording: str(values[1]),
        order,
        (f"{path}__name", f"{path}__position"),
    )


AID = Base(
    "aid",
    Payment,
    _counted,
    (
        _by_programme(),
        labelled("source", _("source"), "disbursement__programme__source", SOURCES, missing="其他"),
        labelled("stage", _("stage"), "told_stage", STAGES, missing="未分学段"),
        labelled("form", _("form"), "disbursement__programme__form", FORMS, missing="其他"),
        labelled("level", _("level of hardship"), "told_level", LEVELS, missing="未认定"),
        by_primary_group("told_group"),
        by_school("disbursement__school"),
        by_township("disbursement__school__township"),
    ),
)
PAYMENTS = Base("payments", Payment, _all)
LATE = Base("late_payments", Payment, _late)
HOUSEHOLD_AID = Base("household_aid", Payment, _to_households)

PERSONS = distinct("student", Student)
PAID = total("paid")
ALL_BREAKDOWNS = ("programme", "source", "stage", "form", "level", "primary_group", "school", "township")


def _aid(
    key: str,
    label: str,
    title: StrOrPromise,
    definition: StrOrPromise,
    *,
    unit: str,
    measure: Measure,
    programme: str = "",
) -> Indicator:
    condition: Callable[[Target, Period], Q] | None = None
    if programme:
        condition = lambda _target, _period: Q(disbursement__programme__code=programme)  # noqa: E731 - a closure
    return Indicator(
        key,
        label,
        title,
        definition,
        unit,
        AID,
        "semester",
        "flow",
        measure,
        condition,
        breakdowns=() if programme else ALL_BREAKDOWNS,
    )


def _payment(
    key: str, label: str, title: StrOrPromise, definition: StrOrPromise, states: tuple[str, ...]
) -> Indicator:
    return Indicator(
        key,
        label,
        title,
        definition,
        "笔",
        PAYMENTS,
        "semester",
        "flow",
        RECORDS,
        lambda _target, _period: Q(state__in=states),
    )


INDICATORS: tuple[Indicator, ...] = (
    _aid(
        "aid_persons",
        "受助学生",
        _("Pupils aided"),
        _(
            "Distinct pupils with a payment that arrived (arrived, signed for or paid again) in a disbursement of the "
            "period's semesters; a pupil of several programmes or semesters once."
        ),
        unit="人",
        measure=PERSONS,
    ),
    _aid(
        "aid_person_times",
        "资助人次",
        _("Aid in person-times"),
        _("Payments to pupils that arrived in disbursements of the period's semesters."),
        unit="人次",
        measure=RECORDS,
    ),
    _aid(
        "aid_amount",
        "资助金额",
        _("Amount of aid"),
        _("Sum of what was paid to pupils in these payments; goods and waivers by their value."),
        unit="元",
        measure=PAID,
    ),
    _aid(
        "boarding_persons",
        "寄宿生生活补助人数",
        _("Pupils with the boarders' living subsidy"),
        _("Pupils aided, counted for the programme of boarders' living subsidies alone."),
        unit="人",
        measure=PERSONS,
        programme=BOARDING,
    ),
    _aid(
        "boarding_person_times",
        "寄宿生生活补助人次",
        _("Boarders' living subsidy in person-times"),
        _("Payments that arrived of the programme of boarders' living subsidies."),
        unit="人次",
        measure=RECORDS,
        programme=BOARDING,
    ),
    _aid(
        "boarding_amount",
        "寄宿生生活补助金额",
        _("Amount of boarders' living subsidies"),
        _("Sum paid of the programme of boarders' living subsidies."),
        unit="元",
        measure=PAID,
        programme=BOARDING,
    ),
    _aid(
        "day_persons",
        "非寄宿生生活补助人数",
        _("Pupils with the day pupils' living subsidy"),
        _("Pupils aided, counted for the programme of day pupils' living subsidies alone."),
        unit="人",
        measure=PERSONS,
        programme=DAY,
    ),
    _aid(
        "day_person_times",
        "非寄宿生生活补助人次",
        _("Day pupils' living subsidy in person-times"),
        _("Payments that arrived of the programme of day pupils' living subsidies."),
        unit="人次",
        measure=RECORDS,
        programme=DAY,
    ),
    _aid(
        "day_amount",
        "非寄宿生生活补助金额",
        _("Amount of day pupils' living subsidies"),
        _("Sum paid of the programme of day pupils' living subsidies."),
        unit="元",
        measure=PAID,
        programme=DAY,
    ),
    _payment(
        "signed_payments",
        "已签领",
        _("Payments signed for"),
        _("Payments of the period's semesters for which the guardian has signed."),
        (Payment.State.SIGNED,),
    ),
    _payment(
        "unsigned_payments",
        "到账未签领",
        _("Payments not signed for"),
        _("Payments of the period's semesters that arrived and are not signed for yet."),
        (Payment.State.ARRIVED, Payment.State.REISSUED),
    ),
    _payment(
        "returned_payments",
        "银行退回",
        _("Payments returned by the bank"),
        _("Payments of the period's semesters that the bank returned and that are not paid again yet."),
        (Payment.State.BANK_RETURNED,),
    ),
    _payment(
        "reissued_payments",
        "退回后补发",
        _("Payments paid again"),
        _("Payments of the period's semesters that arrived when they were paid again, not signed for yet."),
        (Payment.State.REISSUED,),
    ),
    _payment(
        "uncollected_payments",
        "未领取",
        _("Payments not collected"),
        _("Payments of the period's semesters that nobody collected."),
        (Payment.State.UNCOLLECTED,),
    ),
    _payment(
        "payments_waiting",
        "待发",
        _("Payments to be made"),
        _("Payments of the period's semesters that are not paid yet."),
        (Payment.State.WAITING,),
    ),
    Indicator(
        "late_payments",
        "以前学期资金补发",
        _("Late payments"),
        _("Payments of earlier semesters that arrived between the period's first and last day."),
        "笔",
        LATE,
        "date",
        "flow",
    ),
    Indicator(
        "late_amount",
        "以前学期资金补发金额",
        _("Amount of late payments"),
        _("Sum paid in these late payments."),
        "元",
        LATE,
        "date",
        "flow",
        PAID,
    ),
    Indicator(
        "aided_households",
        "受助家庭",
        _("Households aided"),
        _("Distinct households with a payment of their own that arrived in the period's semesters."),
        "户",
        HOUSEHOLD_AID,
        "semester",
        "flow",
        distinct("household", Household),
    ),
    Indicator(
        "household_aid_amount",
        "发放到户金额",
        _("Amount of aid to households"),
        _("Sum of what was paid to households in these payments."),
        "元",
        HOUSEHOLD_AID,
        "semester",
        "flow",
        PAID,
    ),
)
