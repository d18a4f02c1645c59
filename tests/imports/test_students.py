"""Lists of pupils: whom a row means, what becomes of classes, enrolments and recognition, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from povertyaid.audit.models import Change
from povertyaid.imports.engine import make_plan
from povertyaid.imports.models import ImportRow
from povertyaid.imports.options import Options
from povertyaid.lib.crypto import lookup_hash
from povertyaid.schools.models import School, SchoolClass, SchoolStage, User
from students.models import Enrolment, Recognition, SpecialGroup, Student
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = ["姓名", "性别", "身份证号码", "学籍号", "年级班级", "就读方式", "联系电话", "困难类型", "认定等级"]
SEMESTER = "2025-2026-2"
Write = Callable[..., Path]
pytestmark = pytest.mark.django_db


def number(serial: int, sex: str = "female") -> str:
    """An identity number of a child."""
    return factories.identity_number(dt.date(2017, 1, 1) + dt.timedelta(days=serial), serial, sex)


def pupil(serial: int, **values: Any) -> list[Any]:
    """A row of a small list."""
    row = {
        "姓名": factories.person_name(serial),
        "性别": "女",
        "身份证号码": number(serial),
        "年级班级": "一年级2班",
        "就读方式": "走读",
        "困难类型": "脱贫家庭",
        "认定等级": "困难",
        **values,
    }
    return [row.get(header) for header in HEADERS]


@pytest.fixture(autouse=True)
def groups(db: None) -> list[SpecialGroup]:
    """Two special groups, one of which lists also write otherwise."""
    orphan = factories.SpecialGroupFactory(code="orphan", name="孤儿", position=1)
    lifted = factories.SpecialGroupFactory(code="lifted", name="脱贫家庭", synonyms="脱贫户", position=2)
    return [orphan, lifted]


@pytest.fixture
def send(run: Run, write: Write, school: School) -> Callable[..., dict[str, Any]]:
    """Return a function that imports rows for the home school and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        path = write([headers or HEADERS, *rows], f"list{count}.xlsx")
        chosen = options if "--school" in options else ("--school", school.code, *options)
        if "--period" not in chosen:
            chosen = (*chosen, "--period", SEMESTER)
        return run("students", path, *chosen)[1]

    return sent


Send = Callable[..., dict[str, Any]]


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def changes(told: dict[str, Any], row: int = 2) -> list[tuple[str, str, str]]:
    """Old → new as the preview tells it."""
    found = ImportRow.objects.get(batch=told["batch"], row=row)
    return [
        (item["column"], item["from"], item["to"]) for item in found.messages if item["level"] == "change"
    ]


# New pupils


def test_new_pupil_gets_class_enrolment_and_recognition(send: Send, school: School) -> None:
    told = send([pupil(0, 困难类型="脱贫户、孤儿"), pupil(1)], "--commit")
    assert (told["created"], told["rejected"], told["warnings"]) == (2, 0, [])
    assert [(item["row"], item["rule"], item["to"]) for item in told["repairs"]] == [
        (2, "class_created", "一年级2班")
    ]
    school_class = SchoolClass.objects.get()
    assert (school_class.school, school_class.stage, school_class.entry_year, school_class.number) == (
        school, "primary", 2025, 2,
    )  # fmt: skip
    student = Student.objects.get(identity_hash=lookup_hash("identity", number(0)))
    assert (student.sex, student.birth_date, student.boarding) == ("female", dt.date(2017, 1, 1), "day")
    enrolment = student.enrolments.get()
    assert (enrolment.school, enrolment.school_class, enrolment.state) == (school, school_class, "enrolled")
    recognition = student.recognitions.get()
    assert (recognition.semester, recognition.level, recognition.state) == (SEMESTER, "hard", "recognised")
    assert recognition.primary_group is not None
    assert recognition.primary_group.name == "脱贫家庭"
    assert {group.name for group in recognition.special_groups.all()} == {"脱贫家庭", "孤儿"}
    assert told["records"][0]["values"]["困难类型"] == "脱贫家庭、孤儿"
    assert (
        Change.objects.filter(model="students.student", object_id=student.pk, batch_id=told["batch"]).count()
        == 1
    )


def test_list_without_levels_and_groups_needs_no_semester(
    send: Send, run: Run, write: Write, school: School
) -> None:
    path = write([HEADERS[:5], pupil(0)[:5]], "roll.xlsx")
    status, told = run("students", path, "--school", school.code, "--commit")
    assert (status, told["created"]) == (0, 1)
    assert not Recognition.objects.exists()
    assert Student.objects.get().enrolments.get().school_class is not None


def test_recognition_needs_a_semester(run: Run, write: Write, school: School) -> None:
    status, told = run("students", write([HEADERS, pupil(0)]), "--school", school.code)
    assert status == 2
    assert "error" in told
    assert not Student.objects.exists()


@pytest.mark.parametrize(
    ("period", "semester"),
    [
        ("2026H1", "2025-2026-2"),
        ("2026", "2026-2027-1"),
        ("2025-2026", "2025-2026-2"),
        ("2025-2026-1", "2025-2026-1"),
    ],
)
def test_period_is_read_as_its_last_semester(send: Send, period: str, semester: str) -> None:
    send([pupil(0)], "--period", period, "--commit")
    assert Recognition.objects.get().semester == semester


def test_new_pupil_without_identity_number_is_taken_with_a_warning(send: Send) -> None:
    bare = {"身份证号码": None, "学籍号": None}
    told = send([pupil(0, **bare), pupil(1, 性别=None, **bare)], "--commit")
    assert places(told, "warnings") == [(2, "身份证号码"), (3, "身份证号码")]
    assert places(told) == [(3, "性别")]
    assert send([pupil(0, **bare)])["unchanged"] == 1


def test_new_pupil_needs_a_class(send: Send) -> None:
    assert places(send([pupil(0, 年级班级=None)])) == [(2, "年级班级")]


def test_grade_and_class_in_two_columns(send: Send) -> None:
    headers = ["姓名", "身份证号码", "年级", "班级"]
    rows = [
        [factories.person_name(0), number(0), "二年级", "3班"],
        [factories.person_name(1), number(1), "2024级", 3],
        [factories.person_name(2), number(2), 2, "三(1)班"],
    ]
    told = send(rows, headers=headers)
    assert [(item["values"]["年级"], item["values"]["班级"]) for item in told["records"]] == [(2, 3), (2, 3)]
    assert places(told) == [(4, "班级")]


def test_grade_alone_means_its_only_class(send: Send, school: School) -> None:
    headers = ["姓名", "身份证号码", "年级"]
    rows = [[factories.person_name(0), number(0), "二年级"]]
    assert send(rows, headers=headers)["records"][0]["values"]["班级"] == 1
    factories.SchoolClassFactory(school=school, stage="primary", entry_year=2024, number=4)
    assert send(rows, headers=headers)["records"][0]["values"]["班级"] == 4
    factories.SchoolClassFactory(school=school, stage="primary", entry_year=2024, number=5)
    assert places(send(rows, headers=headers)) == [(2, "年级")]


@pytest.mark.parametrize(
    ("stage", "text", "taken"),
    [
        (SchoolStage.PRIMARY, "七年级1班", None),
        (SchoolStage.PRIMARY, "大班", ("preschool", 2023, 1)),
        (SchoolStage.JUNIOR, "七(1)班", ("junior", 2025, 1)),
        (SchoolStage.JUNIOR, "一(1)班", ("junior", 2025, 1)),
        (SchoolStage.NINE_YEAR, "六(1)班", ("primary", 2020, 1)),
        (SchoolStage.NINE_YEAR, "九(1)班", ("junior", 2023, 1)),
        (SchoolStage.NINE_YEAR, "2024级1班", None),
        (SchoolStage.SECONDARY, "高二3班", ("senior", 2024, 3)),
        (SchoolStage.SECONDARY, "二(3)班", None),
        (SchoolStage.SPECIAL, "八(1)班", ("special", 2018, 1)),
        (SchoolStage.PRIMARY, "2015级1班", None),
    ],
)
def test_class_goes_by_what_the_school_teaches(
    send: Send, school: School, stage: SchoolStage, text: str, taken: tuple[str, int, int] | None
) -> None:
    school.stage = stage
    school.save()
    told = send([pupil(0, 年级班级=text)], "--commit")
    if taken is None:
        assert places(told) == [(2, "年级班级")]
    else:
        school_class = SchoolClass.objects.get()
        assert (school_class.stage, school_class.entry_year, school_class.number) == taken


# Known pupils


def test_known_pupil_is_found_by_any_number_or_by_name_and_class(send: Send, school: School) -> None:
    roll = "G" + number(9)
    send([pupil(0), pupil(1, 身份证号码=None), pupil(2, 学籍号=roll)], "--commit")
    told = send([pupil(0), pupil(1, 身份证号码=None), pupil(2, 学籍号=roll, 身份证号码=None)])
    assert (told["unchanged"], told["warnings"], told["errors"]) == (3, [], [])
    told = send([pupil(1)], "--commit")
    assert (told["updated"], told["created"]) == (1, 0)
    assert str(Student.objects.get(name=pupil(1)[0]).identity) == f"{number(1)[:4]}{'*' * 10}{number(1)[-4:]}"


def test_changes_are_told_old_to_new_and_empty_cells_erase_nothing(send: Send) -> None:
    send([pupil(0, 联系电话="13800001111")], "--commit")
    told = send(
        [pupil(0, 就读方式="住校", 年级班级="一年级1班", 认定等级="特别困难", 困难类型="孤儿")], "--commit"
    )
    assert (told["updated"], told["created"], told["rejected"]) == (1, 0, 0)
    student = Student.objects.get()
    assert (student.boarding, student.phone) == ("boarding", "13800001111")
    assert student.enrolments.get().school_class == SchoolClass.objects.get(number=1)
    assert student.recognitions.get().level == "special"
    assert [group.name for group in student.recognitions.get().special_groups.all()] == ["孤儿"]
    found = changes(told)
    assert ("就读方式", str(Student.Boarding.DAY.label), str(Student.Boarding.BOARDING.label)) in found
    assert ("认定等级", str(Recognition.Level.HARD.label), str(Recognition.Level.SPECIAL.label)) in found
    assert ("困难类型", "脱贫家庭", "孤儿") in found
    classes = [(old, new) for column, old, new in found if column == "年级班级"]
    assert len(classes) == 2
    assert all(old.endswith("2班") and new.endswith("1班") for old, new in classes)
    told = send([pupil(0, 就读方式=None, 困难类型=None, 认定等级=None, 年级班级=None)], "--commit")
    assert told["unchanged"] == 1


def test_chosen_group_for_statistics_stays_while_the_pupil_holds_it(send: Send) -> None:
    send([pupil(0, 困难类型="脱贫家庭、孤儿")], "--commit")
    recognition = Recognition.objects.get()
    recognition.primary_group = SpecialGroup.objects.get(code="orphan")
    recognition.save()
    assert send([pupil(0, 困难类型="脱贫家庭、孤儿")])["unchanged"] == 1
    send([pupil(0, 困难类型="脱贫家庭")], "--commit")
    recognition.refresh_from_db()
    assert recognition.primary_group == SpecialGroup.objects.get(code="lifted")


def test_next_semester_is_recognised_anew(send: Send) -> None:
    send([pupil(0)], "--commit")
    told = send([pupil(0, 年级班级="二年级2班", 认定等级="一般困难")], "--period", "2026-2027-1", "--commit")
    assert (told["updated"], told["rejected"]) == (1, 0)
    assert SchoolClass.objects.count() == 1, "the class moved up with its pupils"
    assert dict(Recognition.objects.values_list("semester", "level")) == {
        "2025-2026-2": "hard",
        "2026-2027-1": "general",
    }


def test_recognition_under_way_is_not_passed_over(send: Send) -> None:
    send([pupil(0)], "--commit")
    for state, taken in (("notice", True), ("filed", True), ("class_review", False), ("exited", False)):
        Recognition.objects.update(state=state)
        told = send([pupil(0, 认定等级="一般困难")])
        assert places(told) == ([] if taken else [(2, "认定等级")]), state


def test_old_list_does_not_enrol_anybody_again(send: Send) -> None:
    send([pupil(0)], "--commit")
    enrolment = Enrolment.objects.get()
    enrolment.state, enrolment.end_on = Enrolment.State.GRADUATED, dt.date(2026, 6, 30)
    enrolment.save()
    assert send([pupil(0)])["unchanged"] == 1
    told = send([pupil(0, 年级班级="二年级2班")], "--period", "2026-2027-1", "--commit")
    assert told["updated"] == 1
    assert Enrolment.objects.filter(state="enrolled").count() == 1


# What is refused


def test_contradictions_within_a_row_are_refused(send: Send) -> None:
    headers = [*HEADERS, "出生日期"]
    told = send(
        [
            pupil(0, 性别="男"),
            [*pupil(1), "2017-05"],
            [*pupil(2), "2017-01"],
            pupil(3, 困难类型="贵族"),
            pupil(4, 认定等级=None),
        ],
        headers=headers,
    )
    assert places(told) == [(2, "性别"), (3, "出生日期"), (5, "困难类型"), (6, "认定等级")]
    assert "孤儿、脱贫家庭" in told["errors"][2]["message"]


def test_same_pupil_twice_is_refused_the_second_time(send: Send) -> None:
    roll = "G" + number(7)
    bare = {"身份证号码": None, "学籍号": None}
    told = send(
        [
            pupil(0),
            pupil(0, 姓名="李小小"),
            pupil(1, 学籍号=roll),
            pupil(2, 学籍号=roll),
            pupil(3, **bare),
            pupil(3, **bare),
        ]
    )
    assert places(told) == [(3, "身份证号码"), (5, "学籍号"), (7, "姓名")]
    assert told["errors"][0]["message"].count("2") >= 1


def test_number_of_somebody_else_is_refused(send: Send, school: School) -> None:
    send([pupil(0, 学籍号="G" + number(0)), pupil(1)], "--commit")
    told = send(
        [
            pupil(0, 姓名="李小小"),
            pupil(2, 学籍号="G" + number(0)),
            pupil(1, 学籍号="G" + number(0)),
        ]
    )
    assert places(told) == [(2, "姓名"), (3, "姓名"), (4, "学籍号")]


def test_namesakes_in_one_class_are_never_guessed(send: Send) -> None:
    send([pupil(0, 姓名="冯英远"), pupil(1, 姓名="冯英远")], "--commit")
    told = send([pupil(0, 姓名="冯英远", 身份证号码=None)])
    assert places(told) == [(2, "姓名")]
    told = send([pupil(5, 姓名="冯英远")])
    assert (told["created"], places(told)) == (0, [(2, "身份证号码")]), "asked, and not taken for a new pupil"


def test_pupil_of_another_school_does_not_move_by_a_list(
    send: Send, school: School, rival_school: School, clerk: User, bureau_clerk: User
) -> None:
    rival = factories.SchoolClassFactory(school=rival_school)
    student = factories.enrolled(rival, name="赵晓雨", identity=number(0), birth_date=dt.date(2017, 1, 1))
    row = pupil(0, 姓名="赵晓雨")
    told = send([row], "--as", bureau_clerk.username, "--commit")
    assert places(told) == [(2, "姓名")]
    assert rival_school.name in told["errors"][0]["message"]
    for values in (
        row,
        pupil(0, 姓名="别的人"),
        pupil(3, 身份证号码=None, 学籍号=student.pupil_number.clear),
    ):
        told = send([values], "--as", clerk.username, "--commit")
        assert len(told["errors"]) == 1
        assert told["errors"][0]["column"] in {"身份证号码", "学籍号"}
        assert rival_school.name not in str(told)
        assert "赵晓雨" not in told["errors"][0]["message"]
    assert Student.objects.count() == 1
    # Once it has left there, the school may take it in.
    enrolment = student.enrolments.get()
    enrolment.state, enrolment.end_on = Enrolment.State.TRANSFERRED, dt.date(2026, 1, 20)
    enrolment.save()
    assert send([row], "--as", bureau_clerk.username)["updated"] == 1


def test_recognition_by_another_school_is_not_told(
    send: Send, school: School, rival_school: School, clerk: User
) -> None:
    send([pupil(0, 困难类型=None, 认定等级=None)], "--commit")
    factories.RecognitionFactory(student=Student.objects.get(), school=rival_school, semester=SEMESTER)
    told = send([pupil(0)], "--as", clerk.username)
    assert places(told) == [(2, "认定等级")]
    assert rival_school.name not in str(told)


def test_who_may_import(run: Run, write: Write, rival_school: School, clerk: User, principal: User) -> None:
    path = write([HEADERS, pupil(0)])
    status, _told = run("students", path, "--period", SEMESTER, "--as", clerk.username)
    assert status == 0
    status, _told = run("students", path, "--period", SEMESTER, "--as", principal.username)
    assert status == 2
    status, told = run(
        "students", path, "--school", rival_school.code, "--period", SEMESTER, "--as", clerk.username
    )
    assert status == 2
    assert rival_school.name not in told["error"]


# Households


def test_pupil_and_household_member_find_each_other_in_either_order(send: Send, school: School) -> None:
    village = factories.VillageFactory(county=school.county)
    household = factories.HouseholdFactory(county=school.county, village=village)
    child = factories.MemberFactory(household=household, relation_to_head="daughter", identity=number(0))
    send([pupil(0), pupil(1)], "--commit")
    student = Student.objects.get(member=child)
    assert student.identity_hash == lookup_hash("identity", number(0))
    assert Change.objects.filter(model="students.student", object_id=student.pk, action="change").count() == 1
    assert send([pupil(0)], "--commit")["unchanged"] == 1


def test_member_who_left_a_household_is_not_linked(send: Send, school: School) -> None:
    household = factories.HouseholdFactory(county=school.county)
    factories.MemberFactory(
        household=household, relation_to_head="daughter", identity=number(0), left_on=dt.date(2026, 1, 1)
    )
    send([pupil(0)], "--commit")
    assert Student.objects.get().member is None


# Cost


def test_queries_do_not_grow_with_the_rows(school: School, bureau_clerk: User) -> None:
    def cost(count: int, user: User) -> int:
        rows = [pupil(serial, 年级班级=f"一年级{serial % 3 + 1}班") for serial in range(count)]
        data = xlsx([HEADERS, *rows])
        options = Options(school.code, SEMESTER, {})
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(kind="students", data=data, name="a.xlsx", user=user, options=options)
        assert plan.counts["rejected"] == 0
        return len(found)

    cost(1, bureau_clerk)  # rights and scope are read once and kept on the account
    assert cost(10, bureau_clerk) == cost(100, bureau_clerk)
