"""A bureau clerk's day (issue 2, “It shows” 2): an empty county, its schools and villages, then the four workbooks.

Every row of the four files is compared with its truth file: accepted with these values, refused at this column, warned,
ignored; nothing is written before the confirmation, and the second confirmation changes nothing.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Q, Sum
from django.utils import timezone

from aid.models import Disbursement, Payment
from households.models import Household, Member
from pairings.models import Pairing
from povertyaid.audit.models import Change
from povertyaid.lib.masks import mask_phone
from povertyaid.schools.models import SchoolClass, Staff
from students.models import Enrolment, Recognition, Student
from tests.imports.conftest import WORKBOOKS, Run, truth

FILES = {
    "students": "students-roster.xlsx",
    "households": "registry.xls",
    "pairings": "pairings.xlsx",
    "payments": "payments.csv",
}
SCHOOLS = [
    ["学校标识码", "学校名称", "简称", "办学类型", "乡镇"],
    ["2143001234", "青石坳中心完小", "青石坳小学", "小学", "青石乡"],
]
VILLAGES = [["乡镇", "行政村"], *(["青石乡", name] for name in ("青石村", "柳溪村", "石门村"))]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_the_first_of_july(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day of the summary: no date of the files lies in the future, whenever the test runs."""
    monkeypatch.setattr(timezone, "localdate", lambda *_args: dt.date(2026, 7, 1))


@pytest.fixture
def empty_county(run: Run, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """`init_county`, then the kinds `schools` and `villages` from small workbooks."""
    call_command("init_county", "鹤山区", stdout=io.StringIO())
    capsys.readouterr()
    for kind, rows, count in (("schools", SCHOOLS, 1), ("villages", VILLAGES, 3)):
        status, told = run(kind, write(rows, f"{kind}.xlsx"), "--commit")
        assert (status, told["created"]) == (0, count)


def records() -> Counter[str]:
    """How many records of each model there are."""
    return Counter({model._meta.label: model._default_manager.count() for model in apps.get_models()})


def office_records() -> dict[str, int]:
    """The same without what every import leaves behind: the file, its rows, its history."""
    mechanics = ("imports.", "files.", "audit.")
    return {label: count for label, count in records().items() if not label.startswith(mechanics)}


def history() -> int:
    """How many changes of the office's records the history tells."""
    return Change.objects.exclude(Q(model__startswith="imports.") | Q(model__startswith="files.")).count()


def expected(kind: str) -> dict[str, Any]:
    """The truth file of a kind, masked as the software shows it."""
    found = truth(Path(FILES[kind]).stem)
    if kind == "students":
        for item in found["accepted"]:
            item["联系电话"] = mask_phone(item["联系电话"])
    return found


def assert_equals_truth(kind: str, told: dict[str, Any]) -> None:
    """Accepted rows with their values, refused, warned and ignored rows are exactly those of the truth file."""
    wanted = expected(kind)

    def places(items: list[dict[str, Any]]) -> list[tuple[int, str | None]]:
        return [(item["row"], item["column"]) for item in items]

    assert places(told["errors"]) == places(wanted["rejected"])
    assert places(told["warnings"]) == places(wanted["warned"])
    assert [item["row"] for item in told["ignored"]] == wanted["ignored"]
    assert len(told["records"]) == len(wanted["accepted"])
    for record, right in zip(told["records"], wanted["accepted"], strict=True):
        values = {"row": record["row"], **record["values"]}
        assert {key: values[key] for key in right} == right
    assert told["rejected"] == len(wanted["rejected"])
    assert told["rows"] == len(wanted["accepted"]) + len(wanted["rejected"])


def test_four_files_as_their_truth_says_and_twice_without_change(run: Run, empty_county: None) -> None:
    for kind, file in FILES.items():
        before = records()
        status, told = run(kind, WORKBOOKS / file)
        assert_equals_truth(kind, told)
        assert status == int(bool(told["rejected"]))
        assert (told["committed"], told["created"]) == (False, len(told["records"]))
        assert records() == before, "a preview writes nothing"

        _status, told = run(kind, WORKBOOKS / file, "--commit")
        assert_equals_truth(kind, told)
        assert (told["committed"], told["created"]) == (True, len(told["records"]))

    written, changes = office_records(), history()
    for kind, file in FILES.items():
        _status, told = run(kind, WORKBOOKS / file, "--commit")
        assert_equals_truth(kind, told)
        assert (told["created"], told["updated"], told["unchanged"]) == (0, 0, len(told["records"]))
    assert office_records() == written
    assert history() == changes


@pytest.fixture
def imported(run: Run, empty_county: None) -> None:
    """The four files, written."""
    for kind, file in FILES.items():
        run(kind, WORKBOOKS / file, "--commit")


def test_records_add_up_to_what_the_files_say(imported: None) -> None:
    students = expected("students")["accepted"]
    assert Student.objects.count() == Enrolment.objects.filter(state="enrolled").count() == len(students)
    levels = {"special": "特别困难", "hard": "困难", "general": "一般困难"}
    found = Counter(levels[level] for level in Recognition.objects.values_list("level", flat=True))
    assert found == Counter(item["认定等级"] for item in students)
    groups = Counter(Recognition.objects.values_list("primary_group__name", flat=True))
    assert groups == Counter(item["困难类型"] for item in students)
    assert set(Recognition.objects.values_list("semester", "state")) == {("2025-2026-2", "recognised")}
    assert all(list(item.special_groups.all()) == [item.primary_group] for item in Recognition.objects.all())
    assert {(item.entry_year, item.number) for item in SchoolClass.objects.all()} == {
        (2026 - item["年级"], item["班级"]) for item in students
    }

    households = expected("households")["accepted"]
    assert Household.objects.count() == len(households)
    assert Member.objects.count() == sum(len(item["members"]) for item in households)

    pairs = expected("pairings")["accepted"]
    assert Pairing.objects.filter(state="active").count() == len(pairs)
    assert Staff.objects.filter(pairings__isnull=False).distinct().count() == len(
        {item["帮扶责任人"] for item in pairs}
    )
    assert Staff.objects.get(name="蒋丽").is_leader
    assert not Staff.objects.get(name="金琪娜").is_leader, "班主任 leads a class, not a department"

    payments = expected("payments")["accepted"]
    assert Payment.objects.filter(state="arrived").count() == Payment.objects.count() == len(payments)
    paid = sum(Decimal(item["实发"]) for item in payments)
    assert Payment.objects.aggregate(paid=Sum("paid"))["paid"] == paid
    assert set(Disbursement.objects.values_list("programme__name", "semester", "state")) == {
        (name, "2025-2026-2", "paying") for name in ("寄宿生生活补助", "非寄宿生生活补助")
    }


def test_pairings_and_payments_before_the_pupils_name_nobody(run: Run, empty_county: None) -> None:
    for kind in ("pairings", "payments"):
        status, told = run(kind, WORKBOOKS / FILES[kind], "--commit")
        assert (status, told["created"]) == (1, 0)
        assert told["rejected"] == told["rows"]
    assert not Staff.objects.exists()
    assert not Disbursement.objects.exists()


def test_nothing_shows_a_whole_number(run: Run, empty_county: None) -> None:
    numbers: set[str] = set()
    for kind in ("students", "pairings", "payments"):
        with_numbers = json.loads((WORKBOOKS / f"{Path(FILES[kind]).stem}.expected.json").read_text())
        numbers |= {item["身份证号"] for item in with_numbers["accepted"]}
        numbers |= {item["联系电话"] for item in with_numbers["accepted"] if "联系电话" in item}
    printed = ""
    for kind, file in FILES.items():
        printed += json.dumps(run(kind, WORKBOOKS / file, "--commit"), ensure_ascii=False)
    stored = [
        str(row)
        for model in apps.get_models()
        for row in model._default_manager.values_list()
        if model._meta.label_lower not in {"students.student", "households.household", "households.member"}
    ]
    haystack = printed + "".join(stored)
    assert len(numbers) > 50
    assert [number for number in numbers if number in haystack] == []
    assert "6217415776519259574" not in haystack
