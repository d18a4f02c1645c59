"""Lists of payments: pupil, programme and disbursement of a row, amounts against standards, what was paid before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aid.models import Disbursement, Payment, Programme
from povertyaid.imports.engine import make_plan
from povertyaid.imports.options import Options
from povertyaid.schools.models import County, School, SchoolClass, Stage, User
from students.models import Enrolment, Student
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = [
    "学校", "年级", "班级", "姓名", "身份证号", "资助项目", "学期",
    "标准", "应发", "实发", "开户行", "账号", "户名", "与学生关系", "备注",
]  # fmt: skip
Write = Callable[..., Path]
Send = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def boarding(db: None) -> Programme:
    """The subsidy for boarders: 625 yuan a semester in primary, 750 in junior schools, less before 2024 spring."""
    programme: Programme = factories.ProgrammeFactory(
        name="寄宿生生活补助", synonyms="寄宿生补助、家庭经济困难寄宿生生活补助", boarding="boarding"
    )
    for stage, amount, first, last in (
        (Stage.PRIMARY, "500.00", "2011-2012-1", "2023-2024-1"),
        (Stage.PRIMARY, "625.00", "2023-2024-2", ""),
        (Stage.JUNIOR, "750.00", "2023-2024-2", ""),
    ):
        factories.StandardFactory(
            programme=programme, stage=stage, amount=Decimal(amount), valid_from=first, valid_to=last
        )
    return programme


@pytest.fixture
def third(school: School) -> SchoolClass:
    """三年级1班 of the school year 2025—2026."""
    found: SchoolClass = factories.SchoolClassFactory(
        school=school, stage="primary", entry_year=2023, number=1
    )
    return found


@pytest.fixture
def pupil(third: SchoolClass) -> Student:
    return factories.enrolled(third, name="朱平", boarding="boarding", guardian_name="朱建国")


def row(student: Student | None, **values: Any) -> list[Any]:
    """A row of a small list."""
    cells = {
        "姓名": student.name if student else None,
        "身份证号": student.identity.clear if student else None,
        "资助项目": "寄宿生生活补助",
        "学期": "2026年春季学期",
        "应发": "625",
        "实发": "625",
        "开户行": "农商银行",
        "账号": factories.account_number(student.pk if student else 1),
        "户名": "朱建国",
        "与学生关系": "父子",
        **values,
    }
    return [cells.get(header) for header in HEADERS]


@pytest.fixture
def send(run: Run, write: Write, pupil: Student) -> Send:
    """Return a function that imports rows and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        return run("payments", write([headers or HEADERS, *rows], f"list{count}.xlsx"), *options)[1]

    return sent


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def test_payment_that_was_made_has_arrived(send: Send, pupil: Student, school: School) -> None:
    told = send([row(pupil, 备注="春季")], "--commit")
    assert (told["created"], told["errors"], told["warnings"]) == (1, [], [])
    payment = Payment.objects.get()
    assert (payment.student, payment.state, payment.stage) == (pupil, "arrived", "primary")
    assert (str(payment.due), str(payment.paid)) == ("625.00", "625.00")
    assert (payment.holder, payment.note) == ("朱建国", "春季")
    assert payment.account_last4 == payment.account.clear[-4:] == told["records"][0]["values"]["账号末四位"]
    disbursement = payment.disbursement
    assert (disbursement.school, disbursement.semester, disbursement.state) == (
        school,
        "2025-2026-2",
        "paying",
    )
    assert [item["rule"] for item in told["repairs"]] == ["disbursement_created"]
    assert send([row(pupil, 备注="春季")])["unchanged"] == 1


def test_what_is_still_to_be_paid_waits_and_arrives_later(send: Send, pupil: Student) -> None:
    send([row(pupil, 实发=None)], "--commit")
    assert Payment.objects.get().state == "waiting"
    told = send([row(pupil)], "--commit")
    assert told["updated"] == 1
    payment = Payment.objects.get()
    assert (payment.state, payment.paid) == ("arrived", Decimal(625))


def test_due_comes_from_the_standard_where_the_list_is_silent(send: Send, pupil: Student) -> None:
    send([row(pupil, 应发=None, 实发="600")], "--commit")
    assert Payment.objects.get().due == 625


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"实发": "625.01"}, "实发"),
        ({"实发": "0.0625万元"}, None),
        ({"应发": "1250"}, "应发"),
        ({"学期": "2023年秋季学期"}, "应发"),
        ({"学期": "2023年秋季学期", "应发": "500", "实发": "500"}, None),
    ],
)
def test_nobody_gets_more_than_the_standard_in_force(
    send: Send, pupil: Student, values: dict[str, str], column: str | None
) -> None:
    found = [place[1] for place in places(send([row(pupil, **values)]))]
    assert found[:1] == ([column] if column else [])


def test_standard_is_that_of_the_pupils_stage(send: Send, rival_school: School) -> None:
    school_class = factories.SchoolClassFactory(
        school=rival_school, stage="junior", entry_year=2024, number=1
    )
    student = factories.enrolled(school_class, boarding="boarding")
    assert send([row(student, 应发="750", 实发="750")])["created"] == 1


def test_without_a_standard_the_lists_own_counts(send: Send, pupil: Student) -> None:
    factories.ProgrammeFactory(name="社会助学")
    rows = [row(pupil, 资助项目="社会助学", 应发="900", 实发="900", 标准="800")]
    assert [place[1] for place in places(send(rows))] == ["应发", "实发"]
    assert send([row(pupil, 资助项目="社会助学", 应发="900", 实发="900")])["created"] == 1


def test_average_of_a_grant_is_no_ceiling(send: Send, pupil: Student) -> None:
    grant = factories.ProgrammeFactory(name="国家助学金")
    factories.StandardFactory(programme=grant, stage="", tier="平均", amount=Decimal("1150.00"))
    assert send([row(pupil, 资助项目="国家助学金", 应发="1500", 实发="1500")])["created"] == 1


def test_name_must_be_that_of_the_number(send: Send, pupil: Student) -> None:
    told = send([row(pupil, 姓名="何艳")])
    assert places(told) == [(2, "姓名")]
    assert "朱平" in told["errors"][0]["message"]


def test_pupil_without_number_is_found_by_name_school_and_class(
    send: Send, pupil: Student, third: SchoolClass, school: School
) -> None:
    bare = {"身份证号": None, "学校": "青石坳完小", "年级": 3, "班级": 1}
    assert send([row(pupil, **bare)])["created"] == 1
    assert places(send([row(pupil, **{**bare, "班级": 2})])) == [(2, "姓名")]
    assert places(send([row(pupil, **{**bare, "班级": "实验班"})])) == [(2, "班级")]
    assert places(send([row(pupil, 身份证号=None)])) == [(2, "学校")]
    factories.enrolled(third, name="朱平")
    assert places(send([row(pupil, **bare)])) == [(2, "姓名")]
    # With a number nobody needs the class, whatever stands there.
    assert send([row(pupil, 班级="实验班")])["created"] == 1


def test_unknown_number_is_never_replaced_by_a_name(send: Send, pupil: Student, third: SchoolClass) -> None:
    other = factories.identity_number(dt.date(2016, 6, 6), 5)
    where = {"学校": "青石坳完小", "年级": 3, "班级": 1}
    assert places(send([row(pupil, 身份证号=other, **where)])) == [(2, "身份证号")]
    bare = factories.enrolled(third, name="严伟桂", identity="", pupil_number="", boarding="boarding")
    told = send([row(pupil, 姓名=bare.name, 身份证号=other, **where)], "--commit")
    assert told["created"] == 1
    assert Payment.objects.get().student == bare


def test_programmes_are_known_by_their_synonyms(
    send: Send, pupil: Student, school: School, rival_county: County
) -> None:
    assert send([row(pupil, 资助项目="家庭经济困难寄宿生 生活补助")])["created"] == 1
    told = send([row(pupil, 资助项目="奶粉费")])
    assert places(told) == [(2, "资助项目")]
    assert "寄宿生生活补助" in told["errors"][0]["message"]
    factories.ProgrammeFactory(name="县级助学", county=rival_county)
    assert places(send([row(pupil, 资助项目="县级助学")])) == [(2, "资助项目")]
    own = factories.ProgrammeFactory(name="县级助学", county=school.county)
    send([row(pupil, 资助项目="县级助学")], "--school", school.code, "--commit")
    assert Disbursement.objects.get().programme == own


def test_semester_comes_from_the_cell_else_from_the_file(
    send: Send, run: Run, write: Write, pupil: Student
) -> None:
    headers = [header for header in HEADERS if header != "学期"]
    bare = [cell for header, cell in zip(HEADERS, row(pupil), strict=True) if header != "学期"]
    told = send([bare], headers=headers)
    assert "error" in told
    assert (
        send([bare], "--period", "2026H1", headers=headers)["records"][0]["values"]["学期"] == "2025-2026-2"
    )
    titled = write([["2025年秋季学期发放表"], headers, bare], "titled.xlsx")
    assert run("payments", titled)[1]["records"][0]["values"]["学期"] == "2025-2026-1"
    assert places(send([row(pupil, 学期=None), row(pupil)])) == [(2, "学期")]


def test_same_pupil_and_programme_twice_is_refused(send: Send, pupil: Student) -> None:
    told = send([row(pupil), row(pupil), row(pupil, 学期="2025年秋季学期")])
    assert places(told) == [(3, "身份证号")]
    assert told["created"] == 2


def test_what_was_paid_is_never_changed_by_a_list(send: Send, pupil: Student) -> None:
    send([row(pupil, 实发="500")], "--commit")
    assert places(send([row(pupil)])) == [(2, "实发")]
    assert places(send([row(pupil, 实发="500", 账号=factories.account_number(99999))])) == [(2, "账号")]
    told = send([row(pupil, 实发="500", 开户行="邮储银行")], "--commit")
    assert (told["updated"], told["rejected"]) == (1, 0)
    Payment.objects.update(state="reversed")
    assert send([row(pupil, 实发="500", 开户行="邮储银行")])["unchanged"] == 1


def test_difference_is_paid_in_a_disbursement_of_its_own(send: Send, pupil: Student) -> None:
    """A standard rose after the payment: the rest comes later, and both together keep to the standard."""
    headers = [*HEADERS, "批次"]
    send([row(pupil, 应发="500", 实发="500")], "--commit")
    second = [*row(pupil, 应发="125", 实发="125"), 2]
    told = send([second], "--commit", headers=headers)
    assert (told["created"], told["rejected"]) == (1, 0)
    assert list(Disbursement.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert send([second], headers=headers)["unchanged"] == 1
    assert send([row(pupil, 应发="500", 实发="500")])["unchanged"] == 1
    told = send([[*row(pupil, 应发="126", 实发="126"), 3]], headers=headers)
    assert [place[1] for place in places(told)] == ["应发", "实发"]


def test_disbursement_that_is_not_approved_pays_nobody(
    send: Send, pupil: Student, boarding: Programme, school: School
) -> None:
    draft = factories.DisbursementFactory(programme=boarding, school=school, semester="2025-2026-2", number=1)
    factories.PaymentFactory(
        disbursement=draft, student=pupil, state="waiting", due=Decimal("625.00"), account=""
    )
    assert places(send([row(pupil)])) == [(2, "实发")]
    Disbursement.objects.update(state="sent")
    assert send([row(pupil)], "--commit")["updated"] == 1
    assert Payment.objects.get().state == "arrived"


def test_new_payments_join_the_open_disbursement(
    send: Send, pupil: Student, third: SchoolClass, boarding: Programme, school: School
) -> None:
    where = {"programme": boarding, "school": school, "semester": "2025-2026-2"}
    factories.DisbursementFactory(number=1, state="closed", **where)
    send([row(pupil)], "--commit")
    other = factories.enrolled(third, boarding="boarding")
    send([row(other)], "--commit")
    assert {payment.disbursement.number for payment in Payment.objects.all()} == {2}
    third_pupil = factories.enrolled(third, boarding="boarding")
    assert places(send([[*row(third_pupil), 1]], headers=[*HEADERS, "批次"])) == [(2, "批次")]


def test_boarders_subsidy_for_a_day_pupil_is_to_be_looked_at(send: Send, third: SchoolClass) -> None:
    told = send([row(factories.enrolled(third, boarding="day"))])
    assert (told["created"], places(told, "warnings")) == (1, [(2, "资助项目")])


@pytest.mark.parametrize(
    ("holders", "warned"),
    [
        (("何秀", "何秀", "父子"), True),
        (("朱建国", "朱建国", "父子"), False),
        (("何秀", "鹤山区儿童福利院", ""), False),
        (("", "朱建国", "爷孙"), False),
        (("", "朱建国", ""), True),
    ],
)
def test_two_pupils_of_a_class_on_one_card(
    send: Send, pupil: Student, third: SchoolClass, holders: tuple[str, str, str], warned: bool
) -> None:
    guardian, holder, relation = holders
    other = factories.enrolled(third, boarding="boarding", guardian_name=guardian)
    card = {"账号": factories.account_number(7), "户名": holder, "与学生关系": relation}
    told = send([row(pupil, **card), row(other, **card)])
    assert told["created"] == 2
    assert places(told, "warnings") == ([(3, "账号")] if warned else [])
    assert factories.account_number(7) not in str(told)


def test_school_that_pays(send: Send, pupil: Student, school: School, rival_school: School) -> None:
    """The school of the row, else the title's, else where the pupil is; another school's pupil is to be looked at."""
    told = send([row(pupil, 学校=rival_school.name)], "--commit")
    assert (told["created"], places(told, "warnings")) == (1, [(2, "学校")])
    assert Disbursement.objects.get().school == rival_school
    enrolment = Enrolment.objects.get()
    enrolment.state, enrolment.end_on = Enrolment.State.TRANSFERRED, dt.date(2026, 5, 1)
    enrolment.save()
    assert places(send([row(pupil)])) == [(2, "学校")]
    assert send([row(pupil)], "--school", school.code)["warnings"] == []


def test_pupils_of_another_school_do_not_exist_here(
    send: Send, rival_school: School, clerk: User, pupil: Student
) -> None:
    stranger = factories.enrolled(factories.SchoolClassFactory(school=rival_school), name="赵晓雨")
    for values in ({}, {"姓名": "别的人"}):
        told = send([row(stranger, **values)], "--as", clerk.username, "--commit")
        assert places(told) == [(2, "身份证号")]
        assert rival_school.name not in str(told)
        assert stranger.name not in str(told["errors"])
    told = send([row(pupil, 学校=rival_school.name)], "--as", clerk.username)
    assert places(told) == [(2, "学校")]
    assert not Payment.objects.exists()


def test_school_that_is_only_inspected_pays_nothing(
    send: Send, rival_county: County, bureau_clerk: User
) -> None:
    school = factories.SchoolFactory(county=rival_county)
    stranger = factories.enrolled(factories.SchoolClassFactory(school=school), name="赵晓雨")
    factories.RoleGrantFactory(user=bureau_clerk, role="inspector", county=None, school=school)
    told = send([row(stranger)], "--as", bureau_clerk.username, "--commit")
    assert places(told) == [(2, "学校")]
    assert not Payment.objects.exists()


def test_only_a_whole_date_is_kept(send: Send, pupil: Student) -> None:
    told = send([[*row(pupil), "2026年5月"]], "--commit", headers=[*HEADERS, "发放日期"])
    assert places(told, "warnings") == [(2, "发放日期")]
    send([[*row(pupil), "2026-05-20"]], "--commit", headers=[*HEADERS, "发放日期"])
    assert Payment.objects.get().paid_on == dt.date(2026, 5, 20)


def test_queries_do_not_grow_with_the_rows(third: SchoolClass, bureau_clerk: User) -> None:
    pupils = [factories.enrolled(third, boarding="boarding") for _n in range(100)]

    def cost(count: int) -> int:
        data = xlsx([HEADERS, *(row(student, 学校=third.school.name) for student in pupils[:count])])
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(
                kind="payments", data=data, name="a.xlsx", user=bureau_clerk, options=Options("", "", {})
            )
        assert plan.counts["rejected"] == 0
        return len(found)

    cost(1)  # rights and scope are read once and kept on the account
    assert cost(10) == cost(100)
