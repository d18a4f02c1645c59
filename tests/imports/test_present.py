"""What lists for return say: read back untouched it changes nothing, and a corrected cell changes that alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from households.models import Village
from pairings.models import Pairing
from povertyaid.imports.context import ImportContext
from povertyaid.imports.options import Options
from povertyaid.imports.resources import SheetResource, resource_for
from povertyaid.imports.returning import COLUMN, give_out
from povertyaid.schools.models import School, SchoolClass, Staff, User
from students.models import Enrolment, Recognition, SpecialGroup, Student
from tests import factories
from tests.imports.conftest import Run

SEMESTER = "2025-2026-2"
Write = Callable[..., Path]
Return = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db
KINDS = (
    "schools",
    "staff",
    "villages",
    "household_rows",
    "students",
    "recognitions",
    "pairings",
    "programmes",
)


def resource_of(kind: str) -> SheetResource:
    found = resource_for(kind)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def records(school: School, villages: list[Village]) -> None:
    """Some records of every kind in the home school, with all that a list may say of them, and with next to nothing."""
    groups = [
        factories.SpecialGroupFactory(code="orphan", name="孤儿", position=1),
        factories.SpecialGroupFactory(code="lifted", name="脱贫家庭", position=2),
    ]
    first: SchoolClass = factories.SchoolClassFactory(school=school, entry_year=2023, number=1)
    helper = factories.StaffFactory(
        school=school, name="蒋丽", phone="13900000001、13900000002", is_leader=True
    )
    factories.StaffFactory(school=school, name="吴涵", phone="", post="")
    full = factories.enrolled(
        first, name="朱平", boarding="boarding", left_behind="one_parent", head_name="朱大",
        relation_to_head="son", address="三组12号", note="喜欢画画",
    )  # fmt: skip
    bare = factories.enrolled(
        first, name="冯英远", identity="", pupil_number="", birth_date=None, ethnic_group="", phone="",
        guardian_name="", guardian_relation="",
    )  # fmt: skip
    factories.enrolled(factories.SchoolClassFactory(school=school, entry_year=2022, number=2), name="冯英远")
    factories.RecognitionFactory(
        student=full, school=school, semester=SEMESTER, school_class=first, primary_group=groups[1], groups=groups
    )  # fmt: skip
    factories.RecognitionFactory(
        student=bare, school=school, semester=SEMESTER, school_class=first, primary_group=None, state="filed"
    )
    factories.PairingFactory(
        helper=helper, student=full, start_precision="month", start_on=dt.date(2026, 3, 1)
    )
    factories.PairingFactory(helper=helper, student=bare, measures="")
    factories.ProgrammeFactory(
        county=school.county, name="寒窗助学金", synonyms="寒窗金、寒窗", boarding="boarding"
    )
    household = factories.HouseholdFactory(
        county=school.county, village=villages[0], number="4312020001", phone="13800000009", declared_size=11,
        dangerous_house=False, safe_water=True, identified_on=dt.date(2014, 12, 1), identified_precision="month",
        category="monitored", monitored_type="sudden",
    )  # fmt: skip
    factories.IncomeYearFactory(household=household, year=2026)
    factories.MemberFactory(household=household, name="张大")
    for number in range(10):
        factories.MemberFactory(
            household=household, name=f"张{'甲乙丙丁戊己庚辛壬癸'[number]}", relation_to_head="son"
        )
    factories.AssignmentFactory(household=household, school=school)
    alone = factories.HouseholdFactory(county=school.county, village=villages[1], number="", cause="")
    factories.MemberFactory(household=alone, name="李大", identity="")
    factories.AssignmentFactory(household=alone, school=school)


@pytest.fixture
def send_back(run: Run, write: Write, school: School, bureau_clerk: User) -> Return:
    """Return a function that gives a list out, changes cells (by row and column key) and imports it."""

    def sent(kind: str, changes: dict[tuple[int, str], str] | None = None, *options: str) -> dict[str, Any]:
        resource = resource_of(kind)
        listed = resource.listed(bureau_clerk, school, SEMESTER)
        assert listed is not None
        _sheet, told = give_out(
            resource=resource, user=bureau_clerk, school=school, period=SEMESTER, records=list(listed)
        )
        assert told
        keys = [column.key for column in resource.columns]
        assert all(set(values) <= set(keys) for _key, values in told)
        for (number, key), text in (changes or {}).items():
            told[number][1][key] = text
        rows = [[key, *(values.get(name, "") for name in keys)] for key, values in told]
        path = write([[COLUMN.header, *(column.header for column in resource.columns)], *rows], "return.xlsx")
        return run(
            resource.kind, path, "--school", school.code, "--period", SEMESTER, "--as", bureau_clerk.username,
            *options,
        )[1]  # fmt: skip

    return sent


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_comes_back_untouched_changes_nothing(send_back: Return, kind: str) -> None:
    told = send_back(kind)
    assert told["errors"] == []
    assert (told["rows"], told["created"], told["updated"]) == (told["unchanged"], 0, 0)
    assert told["unchanged"] > 0


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("schools", "short_names", "青石小学"),
        ("staff", "name", "蒋莉"),
        ("villages", "name", "青岩村"),
        ("household_rows", "address", "七组"),
        ("students", "name", "朱萍"),
        ("recognitions", "level", "一般困难"),
        ("pairings", "measures", "每周谈心"),
        ("programmes", "name", "寒窗助学补助"),
    ],
)
def test_a_corrected_cell_changes_its_record_alone(send_back: Return, kind: str, key: str, text: str) -> None:
    told = send_back(kind, {(0, key): text}, "--commit")
    assert told["errors"] == []
    assert (told["created"], told["updated"], told["unchanged"]) == (0, 1, told["rows"] - 1)
    if key != "level":
        assert resource_of(kind).model._default_manager.filter(**{key: text}).count() == 1
    else:
        assert Recognition.objects.filter(level="general").count() == 1


def test_a_pupil_who_moved_to_another_class_stays_the_same(send_back: Return) -> None:
    count = Student.objects.count()
    told = send_back(
        "students", {(0, "school_class"): "四年级2班", (1, "school_class"): "四年级2班"}, "--commit"
    )
    assert (told["errors"], told["created"], Student.objects.count()) == ([], 0, count)
    assert sorted(Enrolment.objects.values_list("school_class__number", flat=True)) == [1, 2, 2]


@pytest.mark.parametrize(
    ("key", "text", "column"),
    [
        ("helper", "蒋莉", "帮扶责任人"),
        ("students", "朱萍", "帮扶对象"),
        ("identity", factories.identity_number(dt.date(2016, 5, 6), 7), "身份证号"),
    ],
)
def test_another_helper_or_pupil_is_another_pairing(
    send_back: Return, key: str, text: str, column: str
) -> None:
    told = send_back("pairings", {(0, key): text}, "--commit")
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, column)]
    assert (told["created"], told["unchanged"]) == (0, 1)
    assert Pairing.objects.count() == 2
    assert not Staff.objects.filter(name="蒋莉").exists()


def test_pupil_of_a_returned_pairing_may_stand_in_another_class(send_back: Return) -> None:
    told = send_back("pairings", {(0, "school_class"): "四年级2班"})
    assert (told["errors"], told["unchanged"], len(told["warnings"])) == ([], told["rows"], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_stands_in_clear(bureau_clerk: User, school: School, kind: str) -> None:
    resource = resource_of(kind)
    context = ImportContext(bureau_clerk, Options(school.code, SEMESTER), resource.model._meta.label_lower)
    listed = resource.listed(bureau_clerk, school, SEMESTER)
    assert listed is not None
    told = str(resource.present(list(listed), context))
    clear = [
        number
        for student in Student.objects.all()
        for number in (student.identity.clear, student.pupil_number.clear, student.phone)
        if number
    ]
    assert not any(number in told for number in [*clear, "13800000009", "13900000001"])


@pytest.mark.parametrize("kind", KINDS)
def test_another_school_is_not_listed(rival_clerk: User, school: School, kind: str) -> None:
    listed = resource_of(kind).listed(rival_clerk, school, SEMESTER)
    assert listed is not None
    # Villages and programmes are reference data of the whole county.
    assert listed.exists() is (kind in {"villages", "programmes"})


@pytest.mark.parametrize("kind", KINDS)
def test_queries_do_not_grow_with_the_records(bureau_clerk: User, school: School, kind: str) -> None:
    resource = resource_of(kind)
    context = ImportContext(bureau_clerk, Options("", SEMESTER), resource.model._meta.label_lower)
    first: SchoolClass = SchoolClass.objects.filter(school=school)[0]
    group = SpecialGroup.objects.get(code="orphan")

    def cost() -> int:
        found = list(resource.model._default_manager.visible_to(bureau_clerk))
        with CaptureQueriesContext(connection) as queries:
            assert len(resource.present(found, context)) == len(found)
        return len(queries)

    before = cost()
    for number in range(3):
        student = factories.enrolled(first, name=factories.person_name(number))
        factories.RecognitionFactory(student=student, school=school, semester=SEMESTER, primary_group=group)
        factories.PairingFactory(student=student, helper=factories.StaffFactory(school=school))
        factories.MemberFactory(household=factories.HouseholdFactory(county=school.county))
        factories.ProgrammeFactory(county=school.county)
        factories.StaffFactory(school=factories.SchoolFactory(county=school.county))
    assert cost() == before
