"""Lists of pairings: several pupils in a cell, namesakes, helpers who are known or new, what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pairings.models import Pairing
from povertyaid.imports.engine import make_plan
from povertyaid.imports.options import Options
from povertyaid.schools.models import School, SchoolClass, Staff, User
from students.models import Student
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = ["帮扶责任人", "职务", "联系电话", "帮扶对象", "年级班级", "结对时间", "帮扶措施"]
Write = Callable[..., Path]
Send = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db


def row(students: str, classes: str | None = "三(1)班", **values: Any) -> list[Any]:
    """A row of a small list; its helper is a teacher."""
    cells = {
        "帮扶责任人": "蒋丽",
        "职务": "教师",
        "联系电话": "13959140280",
        "帮扶对象": students,
        "年级班级": classes,
        "结对时间": "2026-03",
        "帮扶措施": "学业辅导",
        **values,
    }
    return [cells.get(header) for header in HEADERS]


def school_class(school: School, number: int, grade: int = 3) -> SchoolClass:
    """A class of the school year 2025—2026."""
    found: SchoolClass = factories.SchoolClassFactory(
        school=school, stage="primary", entry_year=2026 - grade, number=number
    )
    return found


@pytest.fixture
def classes(school: School) -> list[SchoolClass]:
    """三年级1班 with 朱平 and 冯英远, 三年级2班 with another 冯英远."""
    first, second = school_class(school, 1), school_class(school, 2)
    factories.enrolled(first, name="朱平")
    factories.enrolled(first, name="冯英远")
    factories.enrolled(second, name="冯英远")
    return [first, second]


@pytest.fixture
def send(run: Run, write: Write, school: School, classes: list[SchoolClass]) -> Send:
    """Return a function that imports rows for the home school and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        path = write([headers or HEADERS, *rows], f"list{count}.xlsx")
        return run("pairings", path, "--school", school.code, *options)[1]

    return sent


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def test_several_pupils_in_a_cell_go_with_their_classes(send: Send, classes: list[SchoolClass]) -> None:
    told = send([row("冯英远、冯英远、朱平", "三(1)班、三(2)班、三(1)班")], "--commit")
    assert (told["rows"], told["created"], told["rejected"]) == (3, 3, 0)
    assert [(item["row"], item["values"]["帮扶对象"]) for item in told["records"]] == [
        (2, "冯英远"), (2, "冯英远"), (2, "朱平"),
    ]  # fmt: skip
    paired = Pairing.objects.order_by("pk").values_list(
        "student__enrolments__school_class__number", flat=True
    )
    assert list(paired) == [1, 2, 1]
    pairing = Pairing.objects.first()
    assert pairing is not None
    assert (pairing.start_on, pairing.start_precision, pairing.state) == (
        dt.date(2026, 3, 1),
        "month",
        "active",
    )
    assert pairing.measures == "学业辅导"
    assert send([row("冯英远、冯英远、朱平", "三(1)班、三(2)班、三(1)班")])["unchanged"] == 3


def test_one_class_for_all_pupils_of_a_cell(send: Send) -> None:
    assert send([row("朱平 冯英远", "三(1)班")])["created"] == 2


def test_namesakes_are_told_apart_or_refused_never_guessed(send: Send) -> None:
    told = send([row("冯英远", None), row("冯英远、朱平", "三(3)班、三(1)班"), row("冯英远", "三(2)班")])
    assert places(told) == [(2, "帮扶对象"), (3, "帮扶对象")]
    assert (told["rows"], told["created"], told["rejected"]) == (4, 2, 2)
    assert "三年级" in told["errors"][1]["message"]


def test_namesakes_in_one_class_need_the_number(send: Send, classes: list[SchoolClass]) -> None:
    twin = factories.enrolled(classes[0], name="朱平")
    assert places(send([row("朱平")])) == [(2, "帮扶对象")]
    told = send([[*row("朱平"), twin.identity.clear]], "--commit", headers=[*HEADERS, "身份证号"])
    assert (told["created"], told["rejected"]) == (1, 0)
    assert Pairing.objects.get().student == twin


def test_names_and_classes_must_agree_in_number(send: Send) -> None:
    told = send([row("朱平、冯英远、冯英远", "三(1)班、三(2)班")])
    assert places(told) == [(2, "年级班级")]
    assert (told["rows"], told["rejected"]) == (3, 3)


def test_row_without_helper_fails_with_all_its_pupils(send: Send) -> None:
    told = send([row("朱平、冯英远", 帮扶责任人=None)])
    assert places(told) == [(2, "帮扶责任人")]
    assert (told["rows"], told["rejected"]) == (2, 2)


def test_classes_are_those_of_the_lists_school_year(send: Send, school: School) -> None:
    """Without a period a list is as old as its latest pairing; an older pairing in it does not move its classes."""
    factories.enrolled(school_class(school, 1, grade=4), name="孔宇思")
    told = send([row("朱平", 结对时间="2023-09"), row("孔宇思", "四(1)班")])
    assert (told["created"], told["rejected"]) == (2, 0)
    told = send([row("朱平", "二(1)班", 结对时间="2024-10"), row("孔宇思", "三(1)班", 结对时间="2024-10")])
    assert (told["created"], told["rejected"]) == (2, 0)
    told = send([row("朱平", "二(1)班")], "--period", "2024-2025-2")
    assert (told["created"], told["rejected"]) == (1, 0)


def test_new_helper_is_entered_once(send: Send) -> None:
    told = send([row("朱平", 职务="教导主任"), row("冯英远", 职务="教导主任")], "--commit")
    assert [(item["row"], item["column"], item["rule"]) for item in told["repairs"]] == [
        (2, "帮扶责任人", "staff_created")
    ]
    person = Staff.objects.get(name="蒋丽")
    assert (person.post, person.phone, person.is_leader) == ("教导主任", "13959140280", True)


@pytest.mark.parametrize(
    ("post", "leads"),
    [
        ("校长", True),
        ("副校长", True),
        ("园长", True),
        ("总务主任", True),
        ("工会主席", True),
        ("班主任", False),
        ("教师", False),
    ],
)
def test_posts_that_lead(send: Send, post: str, leads: bool) -> None:
    send([row("朱平", 职务=post)], "--commit")
    assert Staff.objects.get(name="蒋丽").is_leader is leads


def test_known_helper_is_found_under_another_post_or_telephone(send: Send, school: School) -> None:
    person = factories.StaffFactory(school=school, name="蒋丽", post="教师", phone="13959140280")
    for values, warned in (
        ({}, []),
        ({"职务": None, "联系电话": None}, []),
        ({"职务": "班主任"}, [(2, "帮扶责任人")]),
        ({"联系电话": "13800001111"}, [(2, "联系电话")]),
        ({"职务": "班主任", "联系电话": "13800001111"}, [(2, "帮扶责任人")]),
    ):
        told = send([row("朱平", **values)])
        is_new = len(values) == 2 and values["职务"] is not None
        assert places(told, "warnings") == warned, values
        assert bool(told["repairs"]) is is_new, values
    person.refresh_from_db()
    assert (person.post, person.version) == ("教师", 1)


def test_what_a_helpers_record_lacks_is_filled_in(send: Send, school: School) -> None:
    factories.StaffFactory(school=school, name="蒋丽", post="", phone="")
    send([row("朱平"), row("冯英远")], "--commit")
    person = Staff.objects.get(name="蒋丽")
    assert (person.post, person.phone, person.version) == ("教师", "13959140280", 2)


def test_helpers_of_one_name_are_told_apart_by_telephone(send: Send, school: School) -> None:
    told = send([row("朱平"), row("冯英远", 联系电话="13800001111")], "--commit")
    assert (told["created"], Staff.objects.filter(name="蒋丽").count()) == (2, 2)
    assert send([row("朱平"), row("冯英远", 联系电话="13800001111")])["unchanged"] == 2
    told = send([row("朱平", 联系电话=None)])
    assert places(told) == [(2, "帮扶责任人")]


def test_same_pair_twice_is_refused_the_second_time(send: Send) -> None:
    told = send([row("朱平"), row("朱平"), row("冯英远、冯英远", "三(1)班")])
    assert places(told) == [(3, "帮扶对象"), (4, "帮扶对象")]
    assert (told["rows"], told["created"], told["rejected"]) == (4, 2, 2)


def test_changes_are_told_and_a_less_exact_date_changes_nothing(send: Send) -> None:
    send([row("朱平", 结对时间="2026-03-15")], "--commit")
    assert send([row("朱平", 结对时间="2026年3月")])["unchanged"] == 1
    assert send([row("朱平", 结对时间=None, 帮扶措施=None)], "--period", "2025-2026-2")["unchanged"] == 1
    told = send([row("朱平", 结对时间="2026.04", 帮扶措施="家访")], "--commit")
    assert told["updated"] == 1
    pairing = Pairing.objects.get()
    assert (pairing.start_on, pairing.start_precision, pairing.measures) == (
        dt.date(2026, 4, 1),
        "month",
        "家访",
    )


def test_new_pairing_needs_its_date(send: Send) -> None:
    told = send([row("朱平", 结对时间=None), row("冯英远")], "--commit")
    assert places(told) == [(2, "结对时间")]
    assert Staff.objects.filter(name="蒋丽").count() == 1


def test_ended_pairing_is_begun_anew(send: Send) -> None:
    send([row("朱平")], "--commit")
    pairing = Pairing.objects.get()
    pairing.end_on = dt.date(2026, 6, 30)
    pairing.move(Pairing.State.ENDED)
    assert send([row("朱平", 结对时间="2026-07")])["created"] == 1


def test_pupils_of_another_school_do_not_exist_here(
    send: Send, run: Run, write: Write, rival_school: School, clerk: User
) -> None:
    rival = factories.SchoolClassFactory(school=rival_school)
    stranger = factories.enrolled(rival, name="赵晓雨")
    told = send([row("赵晓雨", None)], "--as", clerk.username)
    assert places(told) == [(2, "帮扶对象")]
    assert rival_school.name not in str(told)
    told = send(
        [[*row("别的人", None), stranger.identity.clear]],
        "--as",
        clerk.username,
        headers=[*HEADERS, "身份证号"],
    )
    assert places(told) == [(2, "身份证号")]
    assert "赵晓雨" not in str(told)
    assert not Pairing.objects.exists()


def test_queries_do_not_grow_with_the_rows(
    school: School, classes: list[SchoolClass], bureau_clerk: User
) -> None:
    pupils: list[Student] = [
        factories.enrolled(classes[0], name=f"朱{factories.person_name(n)}") for n in range(100)
    ]

    def cost(count: int) -> int:
        rows = [row(student.name, 帮扶责任人=f"蒋{student.name[1:]}") for student in pupils[:count]]
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(
                kind="pairings", data=xlsx([HEADERS, *rows]), name="a.xlsx", user=bureau_clerk,
                options=Options(school.code, "", {}),
            )  # fmt: skip
        assert plan.counts["rejected"] == 0
        return len(found)

    cost(1)  # rights and scope are read once and kept on the account
    assert cost(10) == cost(100)
