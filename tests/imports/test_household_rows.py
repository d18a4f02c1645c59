"""Lists with one row a household: which household and persons a row means, what is refused, what changes nothing."""

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

from households.household_list import clean_persons
from households.models import Household, Member, Relation, Village
from povertyaid.audit.models import Change
from povertyaid.imports.engine import make_plan
from povertyaid.imports.options import Options
from povertyaid.imports.resources import resource_for, variant_for, variants_of
from povertyaid.lib.cells import CellError
from povertyaid.lib.cells import Context as CellContext
from povertyaid.schools.models import School, User
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = ["村", "户编号", "户主姓名", "身份证号", "家庭人口", "户类型", "致贫原因", "住址", "联系电话", "家庭成员",
           "在校子女", "成员1姓名", "成员1关系", "成员1身份证号"]  # fmt: skip
CTX = CellContext(dt.date(2026, 6, 1))
Write = Callable[..., Path]
Send = Callable[..., dict[str, Any]]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]


def number(serial: int, sex: str = "male") -> str:
    """An identity number of a grown-up."""
    return factories.identity_number(dt.date(1980, 1, 1) + dt.timedelta(days=serial), serial, sex)


def row(head: str = "张大", serial: int | None = 1, **values: Any) -> list[Any]:
    """A row of a small list."""
    cells = {
        "村": "青石村",
        "户主姓名": head,
        "身份证号": number(serial) if serial is not None else None,
        "户类型": "脱贫户",
        "致贫原因": "因病",
        **values,
    }
    return [cells.get(header) for header in HEADERS]


@pytest.fixture
def send(run: Run, write: Write) -> Send:
    """Return a function that imports rows and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        return run("households", write([headers or HEADERS, *rows], f"list{count}.xlsx"), *options)[1]

    return sent


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def people() -> list[tuple[str, str, str]]:
    return list(Member.objects.order_by("pk").values_list("name", "relation_to_head", "student_status"))


def test_new_then_unchanged_then_changed(send: Send) -> None:
    rows = [
        row(
            户编号="4312020001", 家庭人口="4人", 住址="三组12号", 联系电话="13800000000",
            家庭成员="李四（配偶）、张三（长子）；张小三（长女，小学三年级）", 在校子女="张三（初中二年级）",
        )
    ]  # fmt: skip
    told = send(rows, "--commit")
    assert (told["kind"], told["rows"], told["created"], told["rejected"]) == ("households", 1, 1, 0)
    household = Household.objects.get()
    assert (household.number, household.village.name, household.category, household.cause) == (
        "4312020001", "青石村", "lifted", "illness",
    )  # fmt: skip
    assert (household.declared_size, household.address, household.phone) == (4, "三组12号", "13800000000")
    assert people() == [
        ("张大", Relation.HEAD, ""),
        ("李四", Relation.SPOUSE, ""),
        ("张三", Relation.SON, "初中二年级"),
        ("张小三", Relation.DAUGHTER, "小学三年级"),
    ]
    assert Member.objects.get(name="张大").identity.clear == number(1)
    assert send(rows, "--commit")["unchanged"] == 1
    told = send(
        [row(户编号="4312020001", 致贫原因="因残", 家庭成员="张小三（长女，小学四年级）")], "--commit"
    )
    assert (told["updated"], Member.objects.count()) == (1, 4)
    assert Household.objects.get().cause == "disability"
    assert people()[3][2] == "小学四年级"
    assert Change.objects.filter(model="households.household", action="change").count() == 1


def test_members_in_columns_of_their_own(send: Send) -> None:
    send([row(成员1姓名="李四", 成员1关系="妻子", 成员1身份证号=number(2, "female"))], "--commit")
    wife = Member.objects.get(name="李四")
    assert (wife.relation_to_head, wife.sex, wife.identity.clear) == ("spouse", "female", number(2, "female"))
    told = send([row(成员1关系="妻子"), row("李大", 3, 成员1姓名="李二", 成员1身份证号=number(4))])
    assert places(told) == [(2, "成员1姓名"), (3, "成员1关系")]


def test_a_household_without_number_is_found_by_its_head(send: Send) -> None:
    send([row(家庭成员="张三（长子）"), row("张大", None, 村="柳溪村")], "--commit")
    assert Household.objects.filter(number="").count() == 2
    again = send([row(家庭成员="张三"), row("张大", None, 村="柳溪村")], "--commit")
    assert (again["unchanged"], again["rejected"]) == (2, 0)
    # The registry gives it a number later.
    told = send([row(户编号="4312020001")], "--commit")
    assert (told["updated"], Household.objects.count()) == (1, 2)
    assert Household.objects.get(number="4312020001").members.count() == 2
    told = send([row(致贫原因="因学")], "--commit")
    assert (told["updated"], told["records"][0]["values"]["户编号"]) == (1, "4312020001")


def test_two_households_with_heads_of_one_name_are_not_guessed(send: Send, villages: list[Village]) -> None:
    for _time in range(2):
        factories.MemberFactory(
            household=factories.HouseholdFactory(county=villages[0].county, village=villages[0]), name="张大"
        )
    assert places(send([row("张大", None)])) == [(2, "户主姓名")]


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"村": "没有村"}, "村"),
        ({"户类型": None}, "户类型"),
        ({"head": None}, "户主姓名"),
        ({"家庭成员": "张三（长子）、李四"}, "家庭成员"),
        ({"家庭成员": "张三（长子）、张三（次子）"}, "家庭成员"),
        ({"家庭成员": "张三（（长子）"}, "家庭成员"),
        ({"成员1姓名": "张大", "成员1关系": "之子"}, "成员1姓名"),
        ({"成员1姓名": "张三", "成员1关系": "户主"}, "成员1关系"),
        ({"成员1姓名": "张三", "成员1关系": "之子", "成员1身份证号": 431202201501010029}, "成员1身份证号"),
    ],
)
def test_a_wrong_person_refuses_the_whole_row(send: Send, values: dict[str, Any], column: str) -> None:
    told = send([row(**values)], "--commit")
    assert places(told)[:1] == [(2, column)]
    assert (told["created"], told["rejected"], Household.objects.count()) == (0, 1, 0)


def test_the_same_household_twice_is_refused_the_second_time(send: Send) -> None:
    told = send([row(), row()])
    assert (told["created"], told["rejected"], [item["row"] for item in told["errors"]]) == (1, 1, [3])
    send([row()], "--commit")
    assert places(send([row(), row("张大", None)])) == [(3, "户主姓名")]


def test_a_child_without_relation_is_told_and_not_guessed(send: Send) -> None:
    told = send([row(在校子女="张三（小学三年级）、张小三（长女）")], "--commit")
    assert (told["created"], places(told, "warnings")) == (1, [(2, "在校子女")])
    assert people() == [("张大", "head", ""), ("张小三", "daughter", "")]


def test_nothing_in_clear(send: Send) -> None:
    told = send([row(家庭成员=f"张三（长子，{number(5)}）")], "--commit")
    assert told["created"] == 1
    assert number(5) not in str(told)
    assert number(1) not in str(told)
    assert Member.objects.get(name="张三").identity.clear == number(5)
    told = send([row("李大", 7, 家庭成员=f"张三（长子，{number(5)}）")])
    assert told["rejected"] == 1
    assert number(5) not in str(told)


def test_households_of_others_are_answered_neutrally(
    send: Send, school: School, rival_school: School, clerk: User, villages: list[Village]
) -> None:
    foreign = factories.HouseholdFactory(county=villages[0].county, village=villages[0], number="4312020099")
    factories.MemberFactory(household=foreign, name="钱大", identity=number(9))
    factories.AssignmentFactory(household=foreign, school=rival_school)
    told = send(
        [row("钱大", 9), row("孙大", 10, 户编号="4312020099")],
        "--as", clerk.username, "--school", school.code, "--commit",
    )  # fmt: skip
    assert places(told) == [(2, "身份证号"), (3, "户编号")]
    assert "4312020099" not in told["errors"][0]["message"]
    assert Household.objects.count() == 1


def test_the_headers_tell_the_shape() -> None:
    assert [found.variant for found in variants_of("households")] == ["", "household_rows"]
    one_a_row = variant_for("households", HEADERS)
    assert one_a_row is not None
    assert one_a_row.variant == "household_rows"
    registry = resource_for("households")
    assert registry is not None
    assert variant_for("households", [column.header for column in registry.columns]) is registry
    assert variant_for("households", ["姓名", "班级"]) is None
    needs = set(one_a_row.required)
    assert variant_for("households", ["户主姓名", "村"], given=needs) is one_a_row


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("张三（长子）、张小三(长女)", [("张三", "son", ""), ("张小三", "daughter", "")]),
        ("张三(长子，小学三年级)；李四 (配偶)", [("张三", "son", "小学三年级"), ("李四", "spouse", "")]),
        ("张三", [("张三", None, "")]),
        ("张三\n李四", [("张三", None, ""), ("李四", None, "")]),
        ("张三（高一 长子）", [("张三", "son", "高一")]),
    ],
)
def test_persons(text: str, expected: list[tuple[str, str | None, str]]) -> None:
    found = clean_persons(text, ctx=CTX).value
    assert found is not None
    assert [(person.name, person.relation, person.status) for person in found] == expected


@pytest.mark.parametrize(
    "text", ["张三（长子", "、（长子）", "张三（长子）李四（配偶）", "张三（431202199001010011）"]
)
def test_what_are_no_persons(text: str) -> None:
    with pytest.raises(CellError):
        clean_persons(text, ctx=CTX)


def test_the_template_is_read_again_as_empty(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "template.xlsx"
    call_command("export_template", "household_rows", output=path, stdout=io.StringIO())
    status, told = run("household_rows", path)
    assert (status, told["rows"], told["errors"]) == (0, 0, [])
    assert [item["row"] for item in told["ignored"]] == [1, 2]


def test_queries_do_not_grow_with_the_rows(bureau_clerk: User) -> None:
    def cost(count: int) -> int:
        rows = [
            row(f"张{factories.person_name(serial)}", serial, 家庭成员="张三（长子）")
            for serial in range(count)
        ]
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(
                kind="household_rows", data=xlsx([HEADERS, *rows]), name="a.xlsx", user=bureau_clerk,
                options=Options("", "", {}),
            )  # fmt: skip
        assert plan.counts["created"] == count
        return len(found)

    cost(1)  # rights and scope are read once and kept on the account
    assert cost(1) == cost(3) == cost(50)
