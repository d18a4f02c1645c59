"""Figures of real summaries come out when their records go in (RECORDS.md D and I, invented people)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from aid.models import Payment, Programme
from households.models import Household, Relation
from pairings.models import Pairing
from povertyaid.audit.actor import system_user
from povertyaid.audit.services import bulk_write
from povertyaid.lib.periods import Period
from povertyaid.schools.models import County, School, SchoolStage, Stage
from reports.indicators import Target
from reports.paper import Paper
from students.models import Student
from tests import factories, personas

pytestmark = pytest.mark.django_db


def test_a_township_with_74_households_184_persons_27_pupils_and_13_helpers(school: School) -> None:
    """D: identified in the spring of 2026; each household helped by a cadre of the central school."""
    county = school.county
    village = factories.VillageFactory(county=county)
    classes = factories.SchoolClassFactory(school=school, entry_year=2022)
    helpers = factories.StaffFactory.create_batch(13, school=school, post="教师")
    persons = 0
    for number in range(74):
        home = factories.HouseholdFactory(
            county=county, village=village, identified_on=dt.date(2026, 4, 20), category=Household.Category.LIFTED
        )
        factories.AssignmentFactory(school=school, household=home)
        size = 3 if number < 36 else 2
        persons += size
        factories.MemberFactory(household=home)
        for place in range(size - 1):
            member = factories.MemberFactory(household=home, relation_to_head=Relation.SON)
            if place == 0 and number < 27:
                factories.enrolled(classes, member=member)
        factories.PairingFactory(
            helper=helpers[number % 13], student=None, household=home, start_on=dt.date(2026, 5, 1)
        )
    assert persons == 184
    paper = Paper(Target(county, school), Period("2026H1"))
    figures = paper.figures
    assert [figures[key].value for key in ("households", "persons", "household_pupils", "helpers")] == [
        74,
        184,
        27,
        13,
    ]
    told = {item["heading"]: item["text"] for item in paper.json()["sections"]}
    assert told["一、摸底建档"] == "登记建档家庭74户、184人，其中脱贫户74户；家庭成员中有在校学生27人。"
    assert told["二、结对帮扶"] == "13名教职工与74户家庭结对。"


def test_a_county_with_8412_person_times_and_7701400_yuan_in_a_year(county: County, school: School) -> None:
    """I: 552 received aid, 515 pupils and 37 infants; the text has two places, the table four."""
    kindergarten = personas.make_school(county, SchoolStage.PRESCHOOL, "机关幼儿园")
    actor = system_user()
    pupils = [Student(name="某某", sex="female") for _number in range(552)]
    bulk_write(create=pupils, actor=actor)
    compulsory = factories.ProgrammeFactory(name="义务教育生活补助", position=1)
    early = factories.ProgrammeFactory(name="学前教育资助", level=Programme.Level.PRESCHOOL, position=2)
    payments: list[Payment] = []
    for number in range(17):
        semester = "2025-2026-2" if number % 2 else "2026-2027-1"
        batch = factories.DisbursementFactory(school=school, programme=compulsory, semester=semester)
        infants = factories.DisbursementFactory(school=kindergarten, programme=early, semester=semester)
        for place, pupil in enumerate(pupils):
            if len(payments) == 8412:
                break
            payments.append(
                Payment(
                    disbursement=batch if place < 515 else infants,
                    student=pupil,
                    stage=Stage.PRIMARY if place < 515 else Stage.PRESCHOOL,
                    due=Decimal(915),
                    paid=Decimal(915),
                    state=Payment.State.ARRIVED,
                )
            )
    payments[-1].paid = Decimal(7701400) - 8411 * Decimal(915)
    bulk_write(create=payments, actor=actor)
    paper = Paper(Target(county), Period("2026"))
    figures = paper.figures
    assert (figures["aid_persons"].value, figures["aid_person_times"].value) == (552, 8412)
    assert figures["aid_amount"].value == Decimal("7701400.00")
    assert {group.label: group.value for group in figures.groups("aid_persons", "stage")} == {
        "学前教育": 37,
        "义务教育": 515,
    }
    told = {item["heading"]: item["text"] for item in paper.json()["sections"]}
    assert "全县资助学生552人、8412人次，发放资金770.14万元。" in told["一、资助落实"]
    assert "770.1400" in paper.html(printing=True)


def test_nine_pupils_each_with_exactly_one_leader(school: School) -> None:
    """B: principal, vice-principals and heads of departments."""
    leaders = factories.StaffFactory.create_batch(9, school=school, post="处室主任", is_leader=True)
    for leader in leaders:
        factories.PairingFactory(helper=leader, start_on=dt.date(2026, 2, 20))
    paper = Paper(Target(school.county, school), Period("2026H1"))
    told = paper.json()["sections"][0]["text"]
    assert told == "9名教职工与9名学生结对，其中学校领导和处室负责人结对学生9人。"
    assert Pairing.objects.count() == 9
