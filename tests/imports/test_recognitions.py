"""Lists of recognised pupils: whom a row means, groups and states, what is refused, and that nothing is said of others."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from povertyaid.audit.models import Change
from povertyaid.imports.engine import make_plan
from povertyaid.imports.options import Options
from povertyaid.schools.models import School, SchoolClass, User
from students.models import Recognition, SpecialGroup, Student
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = ["姓名", "身份证号码", "年级班级", "认定等级", "特殊困难群体", "统计类别", "认定状态"]
SEMESTER = "2025-2026-2"
Write = Callable[..., Path]
Send = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def groups(db: None) -> list[SpecialGroup]:
    """Two special groups, one of which lists also write otherwise."""
    orphan = factories.SpecialGroupFactory(code="orphan", name="孤儿", position=1)
    lifted = factories.SpecialGroupFactory(code="lifted", name="脱贫家庭", synonyms="脱贫户", position=2)
    return [orphan, lifted]


@pytest.fixture
def third_class(school: School) -> SchoolClass:
    """三年级1班 of the school year 2025—2026."""
    found: SchoolClass = factories.SchoolClassFactory(
        school=school, stage="primary", entry_year=2023, number=1
    )
    return found


@pytest.fixture
def pupil(third_class: SchoolClass) -> Student:
    return factories.enrolled(third_class, name="朱平")


@pytest.fixture
def send(run: Run, write: Write, school: School, pupil: Student) -> Send:
    """Return a function that imports rows for the home school and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        path = write([headers or HEADERS, *rows], f"list{count}.xlsx")
        chosen = options if "--school" in options else ("--school", school.code, *options)
        return run("recognitions", path, *chosen, "--period", SEMESTER)[1]

    return sent


def row(name: str = "朱平", **values: Any) -> list[Any]:
    """A row of a small list."""
    cells = {"姓名": name, "年级班级": "三(1)班", "认定等级": "困难", "特殊困难群体": "脱贫家庭", **values}
    return [cells.get(header) for header in HEADERS]


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def test_new_then_unchanged_then_changed(send: Send, pupil: Student, school: School) -> None:
    told = send([row(特殊困难群体="脱贫户、孤儿")], "--commit")
    assert (told["rows"], told["created"], told["rejected"]) == (1, 1, 0)
    found = Recognition.objects.get()
    assert (found.student, found.school, found.semester, found.level, found.state) == (
        pupil,
        school,
        SEMESTER,
        "hard",
        "recognised",
    )
    assert found.school_class is not None
    assert found.school_class.number == 1
    assert found.primary_group is not None
    assert (found.primary_group.name, set(found.special_groups.values_list("name", flat=True))) == (
        "脱贫家庭",
        {"脱贫家庭", "孤儿"},
    )
    assert send([row(特殊困难群体="脱贫家庭、孤儿")], "--commit")["unchanged"] == 1
    told = send([row(认定等级="特别困难", 特殊困难群体=None, 统计类别="孤儿")], "--commit")
    assert told["updated"] == 1
    found = Recognition.objects.get()
    assert found.primary_group is not None
    assert (found.level, found.primary_group.name, found.special_groups.count()) == ("special", "孤儿", 2)
    assert list(
        Change.objects.filter(model="students.recognition").order_by("pk").values_list("action", flat=True)
    )[:2] == ["add", "change"]


def test_states_move_only_where_they_lead(send: Send) -> None:
    send([row(认定状态="已建档")], "--commit")
    assert Recognition.objects.get().state == "filed"
    # What is filed is recognised: a list of the recognised does not take it back.
    assert send([row(认定状态="已认定")])["unchanged"] == 1
    assert send([row(认定状态="已退出")], "--commit")["updated"] == 1
    told = send([row()])
    assert places(told) == [(2, "认定等级")]
    assert Recognition.objects.get().get_state_display() in told["errors"][0]["message"]
    assert send([row(认定状态="已退出")])["unchanged"] == 1


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"name": "无此人"}, "姓名"),
        ({"认定等级": None}, "认定等级"),
        ({"认定等级": "很穷"}, "认定等级"),
        ({"特殊困难群体": "没有这类"}, "特殊困难群体"),
        ({"统计类别": "孤儿"}, "统计类别"),
        ({"认定状态": "随便"}, "认定状态"),
        ({"年级班级": "三(2)班"}, "姓名"),
        ({"身份证号码": 431202201501010029}, "身份证号码"),
    ],
)
def test_what_is_refused(send: Send, values: dict[str, Any], column: str) -> None:
    told = send([row(**values)], "--commit")
    assert places(told) == [(2, column)]
    assert (told["created"], told["rejected"], Recognition.objects.count()) == (0, 1, 0)
    assert told["errors"][0]["message"]


def test_the_same_pupil_twice_is_refused_the_second_time(send: Send, pupil: Student) -> None:
    told = send([row(), row(身份证号码=pupil.identity.clear)])
    assert places(told) == [(3, "姓名")]
    assert (told["rows"], told["created"], told["rejected"]) == (2, 1, 1)


def test_a_class_that_differs_from_the_record_is_told_and_not_taken(send: Send, pupil: Student) -> None:
    told = send([row(身份证号码=pupil.identity.clear, 年级班级="四(2)班")], "--commit")
    assert (told["created"], places(told, "warnings")) == (1, [(2, "年级班级")])
    found = Recognition.objects.get()
    assert found.school_class is not None
    assert (found.school_class.entry_year, found.school_class.number) == (2023, 1)


def test_the_bureau_needs_no_school_where_numbers_tell_the_pupil(
    run: Run, write: Write, rival_school: School, pupil: Student
) -> None:
    rival = factories.enrolled(factories.SchoolClassFactory(school=rival_school), name="赵晓雨")
    path = write([
        ["姓名", "身份证号码", "学校", "认定等级"],
        ["朱平", pupil.identity.clear, None, "困难"],
        ["赵晓雨", rival.identity.clear, None, "困难"],
        ["赵晓雨", rival.identity.clear, "青石坳完小", "困难"],
    ])  # fmt: skip
    _status, told = run("recognitions", path, "--period", SEMESTER, "--commit")
    assert (told["created"], places(told)) == (2, [(4, "学校")])
    assert set(Recognition.objects.values_list("student__name", "school__name")) == {
        ("朱平", "青石坳中心完小"),
        ("赵晓雨", rival_school.name),
    }


def test_pupils_of_another_school_do_not_exist_here(send: Send, rival_school: School, clerk: User) -> None:
    stranger = factories.enrolled(factories.SchoolClassFactory(school=rival_school), name="赵晓雨")
    rows = [row("赵晓雨", 年级班级=None), row("别的人", 身份证号码=stranger.identity.clear)]
    told = send(rows, "--as", clerk.username)
    assert places(told) == [(2, "姓名"), (3, "身份证号码")]
    assert rival_school.name not in str(told)
    assert "赵晓雨" not in told["errors"][1]["message"]
    assert stranger.identity.clear not in str(told)


def test_a_recognition_by_another_school_is_answered_neutrally(
    send: Send, rival_school: School, clerk: User, pupil: Student
) -> None:
    factories.RecognitionFactory(student=pupil, school=rival_school, semester=SEMESTER)
    told = send([row()], "--as", clerk.username)
    assert places(told) == [(2, "认定等级")]
    assert rival_school.name not in str(told)


def test_the_template_is_read_again_as_empty(tmp_path: Path, run: Run, school: School) -> None:
    path = tmp_path / "template.xlsx"
    call_command("export_template", "recognitions", output=path, stdout=io.StringIO())
    status, told = run("recognitions", path, "--school", school.code, "--period", SEMESTER)
    assert (status, told["rows"], told["errors"]) == (0, 0, [])
    assert [item["row"] for item in told["ignored"]] == [1, 2]


def test_queries_do_not_grow_with_the_rows(
    school: School, third_class: SchoolClass, bureau_clerk: User
) -> None:
    pupils = [factories.enrolled(third_class, name=f"朱{factories.person_name(n)}") for n in range(50)]

    def cost(count: int) -> int:
        rows = [row(student.name, 身份证号码=student.identity.clear) for student in pupils[:count]]
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(
                kind="recognitions", data=xlsx([HEADERS, *rows]), name="a.xlsx", user=bureau_clerk,
                options=Options(school.code, SEMESTER, {}),
            )  # fmt: skip
        assert plan.counts["created"] == count
        return len(found)

    cost(1)  # rights and scope are read once and kept on the account
    assert cost(1) == cost(3) == cost(50)
