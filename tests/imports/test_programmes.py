"""Lists of programmes: programmes and standards that are new or change, amounts that may mean two things, and scope."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aid.models import Programme, Standard
from aid.programme_list import clean_beginning, clean_rate
from povertyaid.audit.models import Change
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.engine import make_plan
from povertyaid.imports.options import Options
from povertyaid.lib.cells import CellError
from povertyaid.lib.cells import Context as CellContext
from povertyaid.schools.models import County, User
from tests import factories
from tests.imports.conftest import Run, xlsx

HEADERS = ["项目代码", "资助项目", "教育阶段", "级别", "学段", "档次", "标准", "标准(元/学期)", "标准(元/年)",
           "执行起始学期", "执行截止学期"]  # fmt: skip
CTX = CellContext(dt.date(2026, 6, 1))
Write = Callable[..., Path]
Send = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.django_db


@pytest.fixture
def send(run: Run, write: Write, county: County) -> Send:
    """Return a function that imports rows for the county and gives the JSON object."""
    count = 0

    def sent(rows: list[list[Any]], *options: str, headers: list[str] | None = None) -> dict[str, Any]:
        nonlocal count
        count += 1
        return run("programmes", write([headers or HEADERS, *rows], f"list{count}.xlsx"), *options)[1]

    return sent


def row(name: str = "寒窗助学金", **values: Any) -> list[Any]:
    """A row of a small list; amounts under headers with brackets are given as `semester` and `year`."""
    cells = {"资助项目": name, "教育阶段": "义务教育", "级别": "县级", **values}
    if {"标准", "semester", "year"} & set(values):
        cells.setdefault("执行起始学期", "2026年春季学期")
    cells["标准(元/学期)"] = cells.get("semester")
    cells["标准(元/年)"] = cells.get("year")
    return [cells.get(header) for header in HEADERS]


def places(told: dict[str, Any], level: str = "errors") -> list[tuple[int, str | None]]:
    return [(item["row"], item["column"]) for item in told[level]]


def standards() -> list[tuple[str, str, Decimal, str, str]]:
    found = Standard.objects.order_by("stage", "tier", "valid_from")
    return list(found.values_list("stage", "tier", "amount", "valid_from", "valid_to"))


def test_new_then_unchanged_then_changed(send: Send, county: County) -> None:
    rows = [row(学段="小学", 档次="一档", semester=300), row(学段="小学", 档次="二档", year="400元")]
    told = send(rows, "--commit")
    assert (told["rows"], told["created"], told["rejected"]) == (1, 1, 0)
    assert [item["rule"] for item in told["repairs"]] == ["unit_yuan", "half_of_year"]
    found = Programme.objects.get()
    assert (found.county, found.name, found.level, found.source, found.form) == (
        county, "寒窗助学金", "compulsory", "county", "cash",
    )  # fmt: skip
    assert found.code
    assert standards() == [
        ("primary", "一档", Decimal("300.00"), "2025-2026-2", ""),
        ("primary", "二档", Decimal("200.00"), "2025-2026-2", ""),
    ]
    assert send(rows, "--commit")["unchanged"] == 1
    rows[0] = row(学段="小学", 档次="一档", semester=350)
    told = send(rows, "--commit")
    assert told["updated"] == 1
    assert standards()[0][2] == Decimal("350.00")
    assert Change.objects.filter(model="aid.standard", action="change").count() == 1


def test_a_later_standard_ends_the_one_before_it(send: Send) -> None:
    send([row(semester=300)], "--commit")
    told = send([row(semester=350, 执行起始学期="2026-09")], "--commit")
    assert (told["updated"], {item["rule"] for item in told["repairs"]}) == (
        1,
        {"semester_of_date", "standard_closed"},
    )
    assert [item[2:] for item in standards()] == [
        (Decimal("300.00"), "2025-2026-2", "2025-2026-2"),
        (Decimal("350.00"), "2026-2027-1", ""),
    ]
    assert send([row(semester=300), row(semester=350, 执行起始学期="2026年秋季学期")])["unchanged"] == 1


def test_an_earlier_standard_ends_where_the_known_one_begins(send: Send) -> None:
    send([row(semester=300)], "--commit")
    send([row(semester=250, 执行起始学期="2024年春季学期")], "--commit")
    assert [item[3:] for item in standards()] == [("2023-2024-2", "2025-2026-1"), ("2025-2026-2", "")]


def test_an_amount_that_may_mean_two_things_is_refused_with_both(send: Send) -> None:
    told = send([row(标准="625"), row("乙", 标准="625元/学期"), row("丙", 标准="每生每年1250元")], "--commit")
    assert places(told) == [(2, "标准")]
    assert all(text in told["errors"][0]["message"] for text in ("625元/学期", "312.50"))
    assert {item[2] for item in standards()} == {Decimal("625.00")}


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"教育阶段": None}, "教育阶段"),
        ({"级别": None}, "级别"),
        ({"级别": "天上"}, "级别"),
        ({"semester": 300, "year": 600}, "标准(元/年)"),
        ({"semester": "300元/年"}, "标准(元/学期)"),
        ({"year": "0.01"}, "标准(元/年)"),
        ({"semester": 300, "执行起始学期": None}, "执行起始学期"),
        ({"semester": 300, "执行起始学期": "2026-01"}, "执行起始学期"),
        ({"semester": 300, "执行起始学期": "2026"}, "执行起始学期"),
        ({"semester": 300, "执行截止学期": "2024年春季学期"}, "执行截止学期"),
        ({"semester": None, "执行截止学期": "2026年春季学期"}, "标准"),
        ({"项目代码": "有 空格"}, "项目代码"),
    ],
)
def test_what_is_refused(send: Send, values: dict[str, Any], column: str) -> None:
    told = send([row(**values)], "--commit")
    assert places(told) == [(2, column)]
    assert (told["created"], told["rejected"], Programme.objects.count()) == (0, 1, 0)
    assert told["errors"][0]["message"]


def test_repeated_and_contradicting_rows(send: Send) -> None:
    told = send(
        [row(semester=300), row(semester=310), row(级别="学校", 学段="初中", semester=300)], "--commit"
    )
    assert places(told) == [(3, "执行起始学期"), (4, "级别")]
    assert (told["created"], told["rejected"]) == (1, 2)


def test_programmes_are_found_by_code_name_and_synonym(send: Send, county: County) -> None:
    found = factories.ProgrammeFactory(county=county, name="寒窗助学金", code="window", synonyms="寒窗金")
    assert send([row(教育阶段=None, 级别=None, 项目代码="window")])["unchanged"] == 1
    assert send([row(教育阶段=None, 级别=None)])["unchanged"] == 1
    told = send([row("寒窗金", 教育阶段=None, 级别=None)])
    assert (told["unchanged"], places(told, "warnings")) == (1, [(2, "资助项目")])
    assert places(send([row(项目代码="other")])) == [(2, "项目代码")]
    told = send([row(semester=300), row("寒窗金", semester=310, 执行起始学期="2026年秋季学期")])
    assert places(told) == [(3, "资助项目")]
    assert Programme.objects.get() == found


def test_a_national_programme_is_not_changed_where_counties_share_it(
    send: Send, rival_county: County
) -> None:
    factories.ProgrammeFactory(
        county=None, name="国家的补助", code="nation", level="compulsory", source="national"
    )
    county = County.objects.exclude(pk=rival_county.pk).get()
    clerk = factories.UserFactory()
    factories.RoleGrantFactory(user=clerk, role="county_clerk", county=county, school=None)
    told = send([row("国家的补助", 级别="国家", semester=300)], "--as", clerk.username)
    assert places(told) == [(2, "资助项目")]
    rival_county.delete()
    assert send([row("国家的补助", 级别="国家", semester=300)], "--as", clerk.username)["updated"] == 1


def test_another_countys_programme_is_not_told_of(
    send: Send, rival_county: County, bureau_clerk: User
) -> None:
    factories.ProgrammeFactory(county=rival_county, name="石泉助学金", code="spring")
    told = send(
        [row(项目代码="spring"), row("石泉助学金", semester=300)], "--as", bureau_clerk.username, "--commit"
    )
    assert (told["created"], places(told)) == (1, [(2, "项目代码")])
    assert "石泉" not in told["errors"][0]["message"]
    assert Programme.objects.filter(name="石泉助学金").count() == 2


def test_a_school_enters_no_programmes(clerk: User) -> None:
    with pytest.raises(ImportRefusedError):
        make_plan(
            kind="programmes", data=xlsx([HEADERS, row()]), name="a.xlsx", user=clerk, options=Options("", "", {})
        )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "amount", "per"),
    [
        (625, "625", ""),
        ("625元/学期", "625", "semester"),
        ("每生每学期312.5元", "312.5", "semester"),
        ("1250元/生·年", "1250", "year"),
        ("1,250元/学年", "1250", "year"),
        ("一次性6000元", "6000", "once"),
        ("6000元/次", "6000", "once"),
        ("0.125万元/年", "1250", "year"),
    ],
)
def test_rates(value: Any, amount: str, per: str) -> None:
    found = clean_rate(value, ctx=CTX).value
    assert found is not None
    assert (found.amount, found.per) == (Decimal(amount), per)


@pytest.mark.parametrize(
    ("value", "semester"),
    [
        ("2026年春季学期", "2025-2026-2"),
        ("2024-03-01", "2023-2024-2"),
        ("2024年9月", "2024-2025-1"),
        ("无", None),
    ],
)
def test_beginnings(value: str, semester: str | None) -> None:
    assert clean_beginning(value, ctx=CTX).value == semester


@pytest.mark.parametrize("value", ["2024", "2024年1月", "明年"])
def test_what_are_no_beginnings(value: str) -> None:
    with pytest.raises(CellError):
        clean_beginning(value, ctx=CTX)


def test_the_template_is_read_again_as_empty(tmp_path: Path, run: Run, county: County) -> None:
    path = tmp_path / "template.xlsx"
    call_command("export_template", "programmes", output=path, stdout=io.StringIO())
    status, told = run("programmes", path)
    assert (status, told["rows"], told["errors"]) == (0, 0, [])
    assert [item["row"] for item in told["ignored"]] == [1, 2]


def test_queries_do_not_grow_with_the_rows(county: County, bureau_clerk: User) -> None:
    def cost(count: int) -> int:
        rows = [row(f"项目{number}", semester=300) for number in range(count)]
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(
                kind="programmes", data=xlsx([HEADERS, *rows]), name="a.xlsx", user=bureau_clerk,
                options=Options("", "", {}),
            )  # fmt: skip
        assert plan.counts["created"] == count
        return len(found)

    cost(1)  # rights and scope are read once and kept on the account
    assert cost(1) == cost(3) == cost(50)
