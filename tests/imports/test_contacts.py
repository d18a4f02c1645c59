"""Lists of talks and visits: which pairing a row means, what tells two contacts apart, and what is refused."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pairings.contact_list import clean_minutes, clean_span, minutes_of
from pairings.models import Contact, Pairing
from povertyaid.audit.models import Change
from povertyaid.imports.engine import make_plan
from povertyaid.imports.options import Options
from povertyaid.lib.cells import CellError
from povertyaid.lib.cells import Context as CellContext
from povertyaid.schools.models import County, School, SchoolClass, Staff, User
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = ["帮扶教师", "帮扶对象", "年级班级", "日期", "类型", "方式", "时长(分钟)", "起止时间", "当日第几次", "参加人",
           "目的", "后续"]  # fmt: skip
Write = Callable[..., Path]
Send = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db
CTX = CellContext(dt.date(2026, 6, 1))


@pytest.fixture
def third_class(school: School) -> SchoolClass:
    """三年级1班 of the school year 2025—2026."""
    found: SchoolClass = factories.SchoolClassFactory(
        school=school, stage="primary", entry_year=2023, number=1
    )
    return found


@pytest.fixture
def teacher(school: School) -> Staff:
    found: Staff = factories.StaffFactory(school=school, name="蒋丽")
    return found


@pytest.fixture
def pairing(teacher: Staff, third_class: SchoolClass) -> Pairing:
    """蒋丽 helps 朱平 since September 2025."""
    found: Pairing = factories.PairingFactory(
        helper=teacher, student=factories.enrolled(third_class, name="朱平"), start_on=dt.date(2025, 9, 10)
    )
    return found


@pytest.fixture
def send(run: Run, write: Write, school: School, pairing: Pairing) -> Send:
    """Return a function that imports rows for the home school and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        path = write([headers or HEADERS, *rows], f"list{count}.xlsx")
        return run("contacts", path, "--school", school.code, *options)[1]

    return sent


def row(helped: str | None = "朱平", **values: Any) -> list[Any]:
    """A row of a small list."""
    cells = {
        "帮扶教师": "蒋丽",
        "帮扶对象": helped,
        "日期": "2026-03-05",
        "类型": "家访",
        "目的": "了解家庭情况",
        **values,
    }
    return [cells.get(header) for header in HEADERS]


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def test_new_then_unchanged_then_changed(send: Send, pairing: Pairing) -> None:
    told = send(
        [row(方式="上门", **{"时长(分钟)": "1小时20分"}, 参加人="班主任"), row(类型="谈话")], "--commit"
    )
    assert (told["rows"], told["created"], told["rejected"]) == (2, 2, 0)
    visit = Contact.objects.get(kind="home_visit")
    assert (visit.pairing, visit.date, visit.form, visit.minutes, visit.present, visit.purpose) == (
        pairing, dt.date(2026, 3, 5), "in_person", 80, "班主任", "了解家庭情况",
    )  # fmt: skip
    assert Contact.objects.get(kind="talk").pairing == pairing
    assert (
        send([row(参加人="班主任", **{"时长(分钟)": "80"}), row(类型="谈话")], "--commit")["unchanged"] == 2
    )
    told = send([row(**{"时长(分钟)": "90"}, 后续="联系爱心书屋")], "--commit")
    assert (told["updated"], Contact.objects.count()) == (1, 2)
    visit.refresh_from_db()
    assert (visit.minutes, visit.follow_up, visit.present) == (90, "联系爱心书屋", "班主任")
    actions = Change.objects.filter(model="pairings.contact", object_id=visit.pk).order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["add", "change"]


def test_a_contact_that_was_typed_in_is_found(send: Send, pairing: Pairing) -> None:
    factories.ContactFactory(
        pairing=pairing, kind="home_visit", date=dt.date(2026, 3, 5), purpose="了解家庭情况"
    )
    assert send([row()])["unchanged"] == 1
    told = send([row(目的="看看孩子")])
    assert (told["created"], places(told, "warnings")) == (1, [(2, "日期")])


def test_what_was_corrected_by_hand_is_found_again(send: Send) -> None:
    send([row()], "--commit")
    contact = Contact.objects.get()
    contact.purpose = "了解家庭近况"
    contact.save()
    assert send([row()])["unchanged"] == 1


def test_two_of_a_day_are_told_apart_or_refused(send: Send) -> None:
    told = send(
        [row(), row(), row(当日第几次="2"), row(起止时间="15:00—15:30"), row(类型="回访")], "--commit"
    )
    assert places(told) == [(3, "日期")]
    assert (told["rows"], told["created"], told["rejected"]) == (5, 4, 1)
    assert Contact.objects.filter(minutes=30).count() == 1
    assert [item["rule"] for item in told["repairs"]] == ["minutes_of_span"]
    again = send([row(), row(当日第几次="2"), row(起止时间="15:00-15:30"), row(类型="回访")])
    assert again["unchanged"] == 4


def test_several_pupils_of_one_talk(send: Send, teacher: Staff, third_class: SchoolClass) -> None:
    factories.PairingFactory(helper=teacher, student=factories.enrolled(third_class, name="冯英远"))
    told = send([row("朱平、冯英远、无此人", 类型="谈心谈话")], "--commit")
    assert (told["rows"], told["created"], told["rejected"]) == (3, 2, 1)
    assert places(told) == [(2, "帮扶对象")]
    assert Contact.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"日期": "2026-03"}, "日期"),
        ({"日期": "2025-09-01"}, "日期"),
        ({"日期": None}, "日期"),
        ({"类型": None}, "类型"),
        ({"类型": "喝茶"}, "类型"),
        ({"类型": "电话家访", "方式": "上门"}, "方式"),
        ({"时长(分钟)": "很久"}, "时长(分钟)"),
        ({"helped": "无此人"}, "帮扶对象"),
        ({"helped": None}, "帮扶对象"),
        ({"帮扶教师": "没有人"}, "帮扶教师"),
        ({"年级班级": "三(2)班"}, "帮扶对象"),
        ({"目的": "账号6228480000000000012"}, "目的"),
    ],
)
def test_what_is_refused(send: Send, values: dict[str, Any], column: str) -> None:
    told = send([row(**values)], "--commit")
    assert places(told) == [(2, column)]
    assert (told["created"], told["rejected"], Contact.objects.count()) == (0, 1, 0)
    assert told["errors"][0]["message"]


def test_a_month_is_refused_and_said_why(send: Send) -> None:
    told = send([row(日期="2026年3月")])
    assert "2026-03" in told["errors"][0]["message"]


def test_the_pairing_is_the_one_of_that_day(send: Send, pairing: Pairing) -> None:
    pairing.end_on, pairing.end_reason = dt.date(2026, 2, 1), "moved"
    pairing.move(Pairing.State.ENDED)
    told = send([row(), row(日期="2026-01-15")], "--commit")
    assert (told["created"], places(told)) == (1, [(2, "日期")])
    later = factories.PairingFactory(
        helper=pairing.helper, student=pairing.student, start_on=dt.date(2026, 2, 20)
    )
    send([row()], "--commit")
    assert Contact.objects.get(date=dt.date(2026, 3, 5)).pairing == later


def test_a_household_is_found_by_its_head(send: Send, teacher: Staff, county: County) -> None:
    household = factories.HouseholdFactory(county=county, number="431202001")
    factories.MemberFactory(household=household, name="张大")
    factories.AssignmentFactory(household=household, school=teacher.school)
    pairing = factories.PairingFactory(helper=teacher, household=household, start_on=dt.date(2025, 9, 1))
    told = send([row("张大", 类型="走访慰问")], "--commit")
    assert (told["created"], told["records"][0]["values"]["帮扶对象"]) == (1, "张大")
    assert Contact.objects.get().pairing == pairing
    headers = ["帮扶责任人", "户主姓名", "户编号", "日期", "类型", "目的"]
    rows = [
        ["蒋丽", "张大", None, "2026-03-05", "慰问", "了解家庭情况"],
        ["蒋丽", None, "431202001", "2026-03-06", "慰问", None],
        ["蒋丽", "李大", None, "2026-03-06", "慰问", None],
    ]
    told = send(rows, headers=headers)
    assert (told["unchanged"], told["created"], places(told)) == (1, 1, [(4, "户主姓名")])


def test_who_stood_in_for_the_helper(send: Send, school: School) -> None:
    stand_in = factories.StaffFactory(school=school, name="吴涵")
    headers = [*HEADERS, "实施人"]
    told = send([[*row(), "吴涵"], [*row(类型="谈心"), "没有人"]], "--commit", headers=headers)
    assert (told["created"], places(told)) == (1, [(3, "实施人")])
    assert Contact.objects.get().done_by == stand_in


def test_pairings_of_another_school_do_not_exist_here(
    send: Send, rival_school: School, rival_class: SchoolClass, clerk: User
) -> None:
    stranger = factories.StaffFactory(school=rival_school, name="赵晓雨")
    factories.PairingFactory(
        helper=stranger, student=factories.enrolled(rival_class, name="钱思远"), start_on=dt.date(2025, 9, 1)
    )
    told = send([row("钱思远", 帮扶教师="赵晓雨"), row("钱思远")], "--as", clerk.username, "--commit")
    assert places(told) == [(2, "帮扶教师"), (3, "帮扶对象")]
    assert rival_school.name not in str(told)
    assert not Contact.objects.exists()


def test_helpers_of_one_name_at_two_schools_are_asked_for(
    run: Run, write: Write, rival_school: School, rival_class: SchoolClass, pairing: Pairing
) -> None:
    namesake = factories.StaffFactory(school=rival_school, name="蒋丽")
    other = factories.PairingFactory(
        helper=namesake, student=factories.enrolled(rival_class, name="朱平"), start_on=dt.date(2025, 9, 1)
    )
    headers = ["学校", *HEADERS]
    path = write([headers, [None, *row()], [rival_school.name, *row()], ["青石坳完小", *row()]])
    _status, told = run("contacts", path, "--commit")
    assert (told["created"], places(told)) == (2, [(2, "帮扶对象")])
    assert set(Contact.objects.values_list("pairing", flat=True)) == {other.pk, pairing.pk}


def test_the_kind_can_be_given_for_the_whole_list(send: Send) -> None:
    headers = ["家访教师", "家访对象", "家访时间", "家访目的"]
    told = send(
        [["蒋丽", "朱平", "2026年3月5日", "了解家庭情况"]], "--set", "类型=家访", "--commit", headers=headers
    )
    assert (told["created"], Contact.objects.get().kind) == (1, "home_visit")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("40", 40),
        (40, 40),
        ("40分钟", 40),
        ("1小时", 60),
        ("1.5小时", 90),
        ("1小时20分", 80),
        ("２小时", 120),
    ],
)
def test_minutes(text: Any, minutes: int) -> None:
    assert clean_minutes(text, ctx=CTX).value == minutes


@pytest.mark.parametrize("text", ["0", "25小时", "半天", "1.33小时", "分钟"])
def test_what_are_no_minutes(text: str) -> None:
    with pytest.raises(CellError):
        clean_minutes(text, ctx=CTX)


@pytest.mark.parametrize(
    ("text", "span", "minutes"),
    [
        ("14:00-14:40", "14:00-14:40", 40),
        ("14：00—15：30", "14:00-15:30", 90),
        ("9时05分至9时35分", "09:05-09:35", 30),
        ("下午", "下午", None),
        ("15:00-14:00", "15:00-14:00", None),
    ],
)
def test_spans(text: str, span: str, minutes: int | None) -> None:
    assert clean_span(text, ctx=CTX).value == span
    assert minutes_of(span) == minutes


def test_the_template_is_read_again_as_empty(tmp_path: Path, run: Run, school: School) -> None:
    path = tmp_path / "template.xlsx"
    call_command("export_template", "contacts", output=path, stdout=io.StringIO())
    status, told = run("contacts", path, "--school", school.code)
    assert (status, told["rows"], told["errors"]) == (0, 0, [])
    assert [item["row"] for item in told["ignored"]] == [1, 2]


def test_queries_do_not_grow_with_the_rows(
    school: School, teacher: Staff, third_class: SchoolClass, bureau_clerk: User
) -> None:
    names = [f"朱{factories.person_name(n)}" for n in range(50)]
    for name in names:
        factories.PairingFactory(
            helper=teacher, student=factories.enrolled(third_class, name=name), start_on=dt.date(2025, 9, 1)
        )

    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(
                kind="contacts", data=xlsx([HEADERS, *(row(name) for name in names[:count])]), name="a.xlsx",
                user=bureau_clerk, options=Options(school.code, "", {}),
            )  # fmt: skip
        assert plan.counts["created"] == count
        return len(found)

    cost(1)  # rights and scope are read once and kept on the account
    assert cost(1) == cost(3) == cost(50)
