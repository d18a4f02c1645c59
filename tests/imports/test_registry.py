"""The registry of households: registry.xls against its truth, and what its rows may hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from households.models import Assignment, Household, IncomeYear, Member, Village
from povertyaid.audit.actor import system_user
from povertyaid.audit.models import Change
from povertyaid.imports.engine import make_plan
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.options import Options
from povertyaid.schools.models import County, School, User
from tests import factories
from tests.imports.conftest import WORKBOOKS, Run, truth

REGISTRY = WORKBOOKS / "registry.xls"
HEADERS = [
    "户编号",
    "姓名",
    "证件号码",
    "与户主关系",
    "行政村",
    "户类型",
    "监测对象类型",
    "人均纯收入",
    "数据日期",
    "首次识别时间",
]
pytestmark = pytest.mark.django_db


def person(number: int, **values: Any) -> list[Any]:
    """A row of a small registry."""
    row = {
        "户编号": "4312020001",
        "姓名": f"陈{'一二三四五六七八九'[number % 9]}",
        "证件号码": factories.identity_number(dt.date(1980, 1, 1 + number), 0),
        "与户主关系": "户主" if number == 0 else "之子",
        "行政村": "青石村",
        "户类型": "脱贫户",
        "数据日期": "2026-03-01",
        **values,
    }
    return [row.get(header) for header in HEADERS]


def test_registry_equals_its_truth_row_by_row(run: Run, villages: list[Village]) -> None:
    expected = truth("registry")
    status, told = run("households", REGISTRY)
    assert status == 1
    assert [(item["row"], item["column"]) for item in told["errors"]] == [
        (item["row"], item["column"]) for item in expected["rejected"]
    ]
    assert [(item["row"], item["column"]) for item in told["warnings"]] == [
        (item["row"], item["column"]) for item in expected["warned"]
    ]
    assert [item["row"] for item in told["ignored"]] == expected["ignored"]
    found = [
        {key: item["values"][key] for key in wanted}
        for item, wanted in zip(told["records"], expected["accepted"], strict=True)
    ]
    assert found == expected["accepted"]
    assert (told["rows"], told["created"], told["rejected"]) == (15, 14, 1)


def test_preview_writes_nothing(run: Run, villages: list[Village]) -> None:
    _status, told = run("households", REGISTRY)
    assert (told["committed"], told["batch"]) == (False, None)
    assert not Household.objects.exists()
    assert not ImportBatch.objects.exists()
    assert not User.objects.exists()


def test_commit_twice_changes_nothing_the_second_time(run: Run, villages: list[Village]) -> None:
    _status, first = run("households", REGISTRY, "--commit")
    changes = Change.objects.filter(model__startswith="households.").count()
    _status, second = run("households", REGISTRY, "--commit")
    assert (first["committed"], first["created"]) == (True, 14)
    assert (second["created"], second["updated"], second["unchanged"]) == (0, 0, 14)
    assert second["same_as"] == first["batch"]
    assert Change.objects.filter(model__startswith="households.").count() == changes
    household = Household.objects.get(number="4312020013")
    assert (household.identified_on, household.identified_precision) == (dt.date(2014, 12, 15), "day")
    assert household.village.name == "青石村"
    assert str(household.members.get(relation_to_head="head").identity) == "4312**********2238"
    assert household.incomes.get().year == 2026
    assert household.incomes.get().amount == Decimal("3773.29")


def test_household_without_its_head_is_made_with_its_other_members(run: Run, villages: list[Village]) -> None:
    run("households", REGISTRY, "--commit")
    household = Household.objects.get(number="4312020250")
    assert household.declared_size == 4
    assert sorted(household.members.values_list("relation_to_head", flat=True)) == [
        "daughter",
        "son",
        "spouse",
    ]


def test_number_in_a_numeric_cell_is_told(run: Run, villages: list[Village]) -> None:
    _status, told = run("households", REGISTRY)
    numbers = [item for item in told["repairs"] if item["rule"] == "number_as_text"]
    assert len(numbers) == 34
    assert {item["column"] for item in numbers} == {"户编号"}


def test_number_that_lost_digits_is_refused(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    path = write([HEADERS, person(0, 户编号=4.312020001234567e18)])
    _status, told = run("households", path)
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, "户编号")]


def test_rows_of_one_household_that_differ_follow_the_head(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    path = write(
        [HEADERS, person(1, 户类型="一般农户", 首次识别时间="2015-01"), person(0, 首次识别时间="2014-12-15")]
    )
    _status, told = run("households", path)
    assert told["warnings"] == []
    assert told["records"][0]["values"]["户类型"] == "脱贫户"
    rules = [(item["row"], item["column"], item["from"], item["to"]) for item in told["repairs"]]
    assert rules == [(2, "首次识别时间", "2015-01", "2014-12-15"), (2, "户类型", "一般农户", "脱贫户")]


def test_most_exact_of_agreeing_dates_counts(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    path = write([HEADERS, person(0, 首次识别时间="2014-12"), person(1, 首次识别时间="2014-12-15")])
    _status, told = run("households", path, "--commit")
    assert told["repairs"] == []
    assert Household.objects.get().identified_precision == "day"
    path = write([HEADERS, person(0, 首次识别时间="2014-12")], "again.xlsx")
    assert run("households", path)[1]["unchanged"] == 1


def test_unknown_village_says_how_to_mend_it(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    path = write([HEADERS, person(0, 行政村="远山村"), person(1, 行政村="远山村")])
    status, told = run("households", path, "--commit")
    assert (status, told["rejected"], told["created"]) == (1, 2, 0)
    assert [(item["row"], item["column"], item["value"]) for item in told["errors"]] == [
        (2, "行政村", "远山村"),
        (3, "行政村", "远山村"),
    ]
    assert not Household.objects.exists()


def test_list_for_a_school_assigns_the_households_to_it(
    run: Run, villages: list[Village], school: School
) -> None:
    run("households", REGISTRY, "--school", school.code, "--commit")
    assert Assignment.objects.filter(school=school).count() == 14
    _status, again = run("households", REGISTRY, "--school", school.code)
    assert again["unchanged"] == 14


def test_list_of_the_county_belongs_to_no_school(run: Run, villages: list[Village], school: School) -> None:
    run("households", REGISTRY, "--commit")
    assert not Assignment.objects.exists()
    assert ImportBatch.objects.get().school is None


def test_changes_are_told_old_to_new_and_empty_cells_erase_nothing(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    run("households", write([HEADERS, person(0, 首次识别时间="2014-12"), person(1)]), "--commit")
    changed = person(0, 户类型="监测对象", 监测对象类型="边缘易致贫户", 人均纯收入="9000")
    _status, told = run("households", write([HEADERS, changed, person(1)], "b.xlsx"), "--commit")
    assert (told["updated"], told["rejected"]) == (1, 0)
    household = Household.objects.get()
    assert (household.category, household.monitored_type) == ("monitored", "marginal")
    assert household.identified_on == dt.date(2014, 12, 1)
    row = ImportRow.objects.get(batch=told["batch"], row=2)
    changes = [
        (item["column"], item["from"], item["to"]) for item in row.messages if item["level"] == "change"
    ]
    assert changes == [
        ("户类型", str(Household.Category.LIFTED.label), str(Household.Category.MONITORED.label)),
        ("监测对象类型", "", str(Household.MonitoredType.MARGINAL.label)),
    ]
    # Monitored no more: the type goes with it, and that is told.
    _status, told = run("households", write([HEADERS, person(0), person(1)], "c.xlsx"), "--commit")
    assert told["updated"] == 1
    assert Household.objects.get().monitored_type == ""


def test_head_may_change_and_is_never_doubled(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    run("households", write([HEADERS, person(0), person(1)]), "--commit")
    swapped = [HEADERS, person(0, 与户主关系="之父"), person(1, 与户主关系="户主")]
    _status, told = run("households", write(swapped, "b.xlsx"), "--commit")
    assert (told["updated"], told["rejected"]) == (1, 0)
    assert Member.objects.get(relation_to_head="head").name == person(1)[1]
    _status, told = run("households", write([HEADERS, person(0, 与户主关系="户主")], "c.xlsx"))
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, "与户主关系")]
    both = [person(number, 户编号="9", 与户主关系="户主") for number in (5, 6)]
    _status, told = run("households", write([HEADERS, *both], "d.xlsx"))
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(3, "与户主关系")]


def test_near_misses_are_refused_not_guessed(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    run("households", write([HEADERS, person(0), person(1)]), "--commit")
    other_name = person(1, 姓名="陈九九")
    same_name = person(0, 证件号码=factories.identity_number(dt.date(1981, 5, 5), 3))
    elsewhere = person(1, 户编号="4312020099")
    twice = person(0)
    for rows, places in (
        ([other_name], [(2, "姓名")]),
        ([same_name], [(2, "证件号码")]),
        ([elsewhere], [(2, "证件号码")]),
        ([person(0), twice], [(3, "证件号码")]),
    ):
        _status, told = run("households", write([HEADERS, *rows], "b.xlsx"))
        assert [(item["row"], item["column"]) for item in told["errors"]] == places
    assert Member.objects.count() == 2


def test_household_outside_the_scope_is_not_disclosed(  # noqa: PLR0917 - fixtures are asked for by name
    run: Run,
    villages: list[Village],
    write: Callable[..., Path],
    school: School,
    clerk: User,
    rival_school: School,
) -> None:
    run("households", write([HEADERS, person(0)]), "--school", rival_school.code, "--commit")
    hidden = write([HEADERS, person(0)], "b.xlsx")
    _status, told = run("households", hidden, "--as", clerk.username, "--commit")
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, "户编号")]
    taken = write([HEADERS, person(0, 户编号="4312020777")], "c.xlsx")
    _status, told = run("households", taken, "--as", clerk.username, "--commit")
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, "证件号码")]
    assert "4312020001" not in str(told["errors"])
    own = write([HEADERS, person(4, 户编号="4312020888", 与户主关系="户主")], "d.xlsx")
    _status, told = run("households", own, "--as", clerk.username, "--commit")
    assert told["created"] == 1
    assert Household.objects.visible_to(clerk).get().number == "4312020888"


def test_income_without_a_year_is_not_taken_in_silence(
    run: Run, villages: list[Village], write: Callable[..., Path]
) -> None:
    path = write([HEADERS, person(0, 人均纯收入="3000", 数据日期=None)])
    _status, told = run("households", path, "--commit")
    assert [(item["row"], item["column"]) for item in told["warnings"]] == [(2, "人均纯收入")]
    assert not IncomeYear.objects.exists()
    _status, told = run("households", path, "--commit", "--set", "数据日期=2025-12-31")
    assert IncomeYear.objects.get().year == 2025


def test_number_of_queries_does_not_grow_with_the_rows(
    county: County, villages: list[Village], write: Callable[..., Path]
) -> None:
    user = system_user()
    numbers = []
    for count in (10, 200):
        rows = [
            person(
                0,
                户编号=f"43120{n:05d}",
                姓名="陈安",
                证件号码=factories.identity_number(dt.date(1970, 1, 1), n),
            )
            for n in range(count)
        ]
        data = write([HEADERS, *rows], f"{count}.xlsx").read_bytes()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            plan = make_plan(kind="households", data=data, name="x", user=user, options=Options())
        assert plan.counts["created"] == count
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]


def test_household_of_a_school_that_is_only_inspected_is_left_alone(
    run: Run, write: Callable[..., Path], villages: list[Village], clerk: User, rival_school: School
) -> None:
    """Else a member and an assigned school could be added, and the clerk would see the household from then on."""
    household = factories.HouseholdFactory(
        county=rival_school.county, village=villages[0], number="4312020001"
    )
    factories.AssignmentFactory(household=household, school=rival_school)
    factories.RoleGrantFactory(user=clerk, role="inspector", county=None, school=rival_school)
    path = write([HEADERS, person(1)])
    _status, told = run("households", path, "--as", clerk.username, "--commit")
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, "户编号")]
    assert household.assignments.count() == 1
    assert not household.members.exists()
