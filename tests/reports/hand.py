"""A school whose figures for 2026上半年 were counted by hand (HAND), and the same kind of records beside it as noise.

Pupils: 甲 recognised in autumn and not decided anew; 乙 with a lower level in spring; 丙 exited in spring; 丁 new in
spring; 戊 only applied; 己 whose renewal is on its way; 庚 recognised the year before.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aid.models import Payment, Programme
from households.models import Household, Relation
from pairings.models import Contact, Pairing
from povertyaid.schools.models import School, SchoolClass, Staff
from students.models import Recognition, SpecialGroup, Student
from tests import factories

AUTUMN, SPRING = "2025-2026-1", "2025-2026-2"
PERIOD = "2026H1"
State = Recognition.State
Level = Recognition.Level

HAND: dict[str, Any] = {
    "recognised_pupils": 4,
    "level_special": 1,
    "level_hard": 2,
    "level_general": 1,
    "recognised_before": 4,
    "recognised_added": 1,
    "recognised_removed": 1,
    "boarding_pupils": 2,
    "left_behind_pupils": 1,
    "recognised_paired": 2,
    "unpaired_pupils": 2,
    "coverage": Decimal("50.0"),
    "visited_pupils": 2,
    "pupils_unvisited": 2,
    "households": 2,
    "households_lifted": 1,
    "households_monitored": 1,
    "persons": 3,
    "household_pupils": 1,
    "pairs": 3,
    "helpers": 3,
    "pupil_helpers": 2,
    "paired_pupils": 2,
    "leader_paired_pupils": 1,
    "household_helpers": 1,
    "paired_households": 1,
    "paired_villages": 1,
    "households_under_two": 1,
    "contacts": 5,
    "home_visits": 3,
    "talk_person_times": 1,
    "tutoring_person_times": 1,
    "counselling_person_times": 0,
    "comfort_visits": 0,
    "return_visits": 0,
    "aid_persons": 2,
    "aid_person_times": 3,
    "aid_amount": Decimal("1562.50"),
    "boarding_persons": 2,
    "boarding_person_times": 2,
    "boarding_amount": Decimal("1250.00"),
    "day_persons": 1,
    "day_person_times": 1,
    "day_amount": Decimal("312.50"),
    "signed_payments": 1,
    "unsigned_payments": 2,
    "returned_payments": 1,
    "reissued_payments": 0,
    "uncollected_payments": 0,
    "payments_waiting": 1,
    "late_payments": 1,
    "late_amount": Decimal("500.00"),
    "aided_households": 1,
    "household_aid_amount": Decimal("2000.00"),
}


@dataclass
class Hand:
    """The records that the figures count."""

    school: School
    classes: list[SchoolClass]
    pupils: dict[str, Student] = field(default_factory=dict)
    helpers: list[Staff] = field(default_factory=list)
    households: list[Household] = field(default_factory=list)


def programme(code: str, name: str, **kwargs: Any) -> Programme:
    """Return a programme, the one that `init_county` made if there is one."""
    found = Programme.objects.filter(code=code).first()
    made: Programme = found or factories.ProgrammeFactory(code=code, name=name, **kwargs)
    return made


def recognise(pupil: Student, school_class: SchoolClass, semester: str, level: str, **kwargs: Any) -> None:
    """Enter a recognition in force unless told otherwise."""
    factories.RecognitionFactory(
        student=pupil,
        school=school_class.school,
        school_class=school_class,
        semester=semester,
        level=level,
        **{"primary_group": lifted(), **kwargs},
    )


def lifted() -> SpecialGroup:
    group: SpecialGroup = factories.SpecialGroupFactory(code="lifted", name="脱贫家庭")
    return group


def make(school: School) -> Hand:
    """Enter the records for a school."""
    fourth = factories.SchoolClassFactory(school=school, entry_year=2022, number=1)
    fifth = factories.SchoolClassFactory(school=school, entry_year=2021, number=1)
    hand = Hand(school, [fourth, fifth])
    _pupils(hand, fourth, fifth)
    _homes(hand)
    _pairings(hand)
    _payments(hand)
    return hand


def _pupils(hand: Hand, fourth: SchoolClass, fifth: SchoolClass) -> None:
    boarder = {"boarding": Student.Boarding.BOARDING}
    pupils = {
        "甲": factories.enrolled(fourth, **boarder),
        "乙": factories.enrolled(fourth, **boarder, left_behind=Student.LeftBehind.BOTH),
        "丙": factories.enrolled(fifth, **boarder),
        "丁": factories.enrolled(fifth),
        "戊": factories.enrolled(fifth),
        "己": factories.enrolled(fifth),
        "庚": factories.enrolled(fifth),
    }
    hand.pupils = pupils
    recognise(pupils["甲"], fourth, AUTUMN, Level.SPECIAL, state=State.FILED)
    recognise(pupils["乙"], fourth, AUTUMN, Level.HARD)
    recognise(pupils["乙"], fourth, SPRING, Level.GENERAL, primary_group=None)
    recognise(pupils["丙"], fifth, AUTUMN, Level.HARD)
    recognise(pupils["丙"], fifth, SPRING, Level.HARD, state=State.EXITED)
    recognise(pupils["丁"], fifth, SPRING, Level.HARD)
    recognise(pupils["戊"], fifth, SPRING, Level.HARD, state=State.APPLIED)
    recognise(pupils["己"], fifth, AUTUMN, Level.HARD)
    recognise(pupils["己"], fifth, SPRING, Level.HARD, state=State.WAITING)
    recognise(pupils["庚"], fifth, "2024-2025-2", Level.HARD)


def _homes(hand: Hand) -> None:
    county = hand.school.county
    home = factories.HouseholdFactory(county=county, category=Household.Category.LIFTED)
    factories.MemberFactory(household=home)
    child = factories.MemberFactory(household=home, relation_to_head=Relation.SON)
    gone = factories.MemberFactory(household=home, relation_to_head=Relation.FATHER)
    gone.left_on = dt.date(2026, 3, 1)
    gone.save()
    pupil = hand.pupils["乙"]
    pupil.member = child
    pupil.save()
    assigned = factories.HouseholdFactory(county=county, category=Household.Category.MONITORED)
    factories.MemberFactory(household=assigned)
    factories.AssignmentFactory(school=hand.school, household=assigned)
    later = factories.HouseholdFactory(county=county, identified_on=dt.date(2026, 7, 1))
    factories.AssignmentFactory(school=hand.school, household=later)
    left = factories.HouseholdFactory(county=county, exited_on=dt.date(2026, 6, 30))
    factories.AssignmentFactory(school=hand.school, household=left)
    hand.households = [home, assigned]


def _pairings(hand: Hand) -> None:
    school, pupils = hand.school, hand.pupils
    first, second, leader = hand.helpers = [
        factories.StaffFactory(school=school, post="教师"),
        factories.StaffFactory(school=school, post="教师"),
        factories.StaffFactory(school=school, post="副校长", is_leader=True),
    ]
    start = dt.date(2025, 9, 1)
    pair = factories.PairingFactory
    with_a = pair(helper=first, student=pupils["甲"], start_on=start)
    pair(
        helper=first,
        student=pupils["乙"],
        start_on=start,
        end_on=dt.date(2026, 5, 1),
        state=Pairing.State.ENDED,
        end_reason=Pairing.EndReason.WITHDRAWN,
    )
    pair(helper=second, student=pupils["丁"], start_on=start, state=Pairing.State.WAITING)
    with_f = pair(helper=leader, student=pupils["己"], start_on=dt.date(2026, 3, 1))
    at_home = pair(helper=second, student=None, household=hand.households[0], start_on=start)
    pair(helper=second, student=pupils["丙"], start_on=dt.date(2026, 7, 1))
    for pairing, kind, day in (
        (with_a, Contact.Kind.HOME_VISIT, dt.date(2026, 1, 1)),
        (with_a, Contact.Kind.HOME_VISIT, dt.date(2026, 6, 30)),
        (at_home, Contact.Kind.HOME_VISIT, dt.date(2026, 5, 5)),
        (with_f, Contact.Kind.HOME_VISIT, dt.date(2026, 7, 1)),
        (with_a, Contact.Kind.TALK, dt.date(2026, 1, 15)),
        (with_a, Contact.Kind.TALK, dt.date(2025, 12, 31)),
        (with_f, Contact.Kind.TUTORING, dt.date(2026, 4, 1)),
    ):
        factories.ContactFactory(pairing=pairing, kind=kind, date=day)


def _payments(hand: Hand) -> None:
    school, pupils = hand.school, hand.pupils
    boarding = programme("living_subsidy_boarding", "寄宿生生活补助", boarding="boarding", position=1)
    day = programme("living_subsidy_day", "非寄宿生生活补助", boarding="day", position=2)
    winter = programme("winter_visit", "春节慰问", source=Programme.Source.SCHOOL, position=9)
    batches = {
        (item, semester): factories.DisbursementFactory(school=school, programme=item, semester=semester)
        for item, semester in ((boarding, SPRING), (day, SPRING), (day, AUTUMN), (winter, SPRING))
    }
    pay = factories.PaymentFactory
    state = Payment.State
    spring = batches[boarding, SPRING]
    pay(disbursement=spring, student=pupils["甲"], due=Decimal(625), state=state.SIGNED)
    pay(disbursement=spring, student=pupils["乙"], due=Decimal(625))
    pay(disbursement=spring, student=pupils["丙"], due=Decimal(625), state=state.REVERSED)
    pay(disbursement=batches[day, SPRING], student=pupils["甲"])
    pay(disbursement=batches[day, SPRING], student=pupils["丁"], state=state.BANK_RETURNED)
    pay(disbursement=batches[day, SPRING], student=pupils["己"], state=state.WAITING)
    pay(
        disbursement=batches[day, AUTUMN],
        student=pupils["丙"],
        due=Decimal(500),
        paid_on=dt.date(2026, 1, 20),
    )
    pay(disbursement=batches[day, AUTUMN], student=pupils["甲"], paid_on=dt.date(2025, 12, 20))
    pay(disbursement=batches[winter, SPRING], student=None, household=hand.households[0], due=Decimal(2000))
