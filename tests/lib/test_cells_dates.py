"""Cleaners of dates, semesters, classes and grades: every form that offices write, and what cannot be decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib import cells
from povertyaid.lib.cells import CellError, Cleaned, Context

CTX = Context(date(2026, 7, 1))
Cleaner = Callable[..., Cleaned[Any]]


def code_of(cleaner: Cleaner, value: object) -> str:
    """The code with which a value is refused."""
    with pytest.raises(CellError) as caught:
        cleaner(value, ctx=CTX)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2012.3", "2012-03"),
        ("2012.03.01", "2012-03-01"),
        ("2012-3-1", "2012-03-01"),
        ("2012/3/1", "2012-03-01"),
        ("2012年3月", "2012-03"),
        ("2012年3月1日", "2012-03-01"),
        ("2012 年 3 月 1 日", "2012-03-01"),
        ("２０１２年３月", "2012-03"),
        ("20120301", "2012-03-01"),
        (20120301, "2012-03-01"),
        (20120301.0, "2012-03-01"),
        ("201203", "2012-03"),
        (201203, "2012-03"),
        ("2012", "2012"),
        (2012.0, "2012"),
        (41988, "2014-12-15"),
        (41988.0, "2014-12-15"),
        (41988.75, "2014-12-15"),
        ("41988", "2014-12-15"),
        (2012.3, "2012-03"),
        (2012.11, "2012-11"),
        (2012.12, "2012-12"),
        (date(2014, 12, 15), "2014-12-15"),
        (datetime(2014, 12, 15), "2014-12-15"),  # noqa: DTZ001 - cells have no time zone
        ("2014-12-15 00:00:00", "2014-12-15"),
    ],
)
def test_dates(value: object, text: str) -> None:
    assert str(cells.clean_date(value, ctx=CTX).value) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (2012.1, "undecidable"),
        ("2012-02-30", "date"),
        ("2012.13", "date"),
        ("昨天", "date"),
        ("12.3.1", "undecidable"),
        (2012.123, "date"),
        (0, "date"),
        (-41988, "date"),
        (1e300, "date"),
        (float("nan"), "date"),
        ("1850-01-01", "year"),
        ("2026-07-02", "future"),
        (True, "type"),
    ],
)
def test_refused_dates(value: object, code: str) -> None:
    assert code_of(cells.clean_date, value) == code


def test_both_readings_are_told() -> None:
    with pytest.raises(CellError) as caught:
        cells.clean_date(2012.1, ctx=CTX)
    assert "2012-01" in str(caught.value)
    assert "2012-10" in str(caught.value)


def test_the_future_where_it_is_allowed_and_what_a_serial_was() -> None:
    assert str(cells.clean_date("2026年12月", ctx=CTX, future=True).value) == "2026-12"
    assert [(repair.rule, repair.after) for repair in cells.clean_date(41988, ctx=CTX).repairs] == [
        ("serial", "2014-12-15")
    ]
    assert [repair.rule for repair in cells.clean_date("2014-12-15 08:30", ctx=CTX).repairs] == [
        "time_dropped"
    ]


@given(st.dates(date(1956, 1, 1), CTX.today))
def test_every_way_of_writing_a_day_is_read_back(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for value in (
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y.%m.%d}",
        serial,
    ):
        cleaned = cells.clean_date(value, ctx=CTX).value
        assert cleaned == cells.PartialDate(day, "day")


@pytest.mark.parametrize(
    "text", ["2026年春季学期", "2026春", "2025-2026学年第二学期", "2025-2026-2", " 2026春 "]
)
def test_semesters(text: str) -> None:
    assert cells.clean_semester(text, ctx=CTX).value == "2025-2026-2"


def test_a_half_year_is_no_semester() -> None:
    assert code_of(cells.clean_semester, "2026年上半年") == "semester"
    assert code_of(cells.clean_semester, 2026.0) == "semester"


@pytest.mark.parametrize(
    ("value", "grade", "number", "cohort", "stage"),
    [
        ("一年级2班", 1, 2, None, None),
        ("一(2)班", 1, 2, None, None),
        ("一（2）班", 1, 2, None, None),
        ("2.1", 2, 1, None, None),
        (2.2, 2, 2, None, None),
        ("2.10", 2, 10, None, None),
        ("201", 2, 1, None, None),
        (201.0, 2, 1, None, None),
        ("三年级1班", 3, 1, None, None),
        ("三年级（十二）班", 3, 12, None, None),
        ("2024级1班", None, 1, 2024, None),
        ("24级1班", None, 1, 2024, None),
        ("高2024级3班", None, 3, 2024, "senior"),
        ("七(3)班", 7, 3, None, "junior"),
        ("初一(3)班", 7, 3, None, "junior"),
        ("高一(2)班", 1, 2, None, "senior"),
        ("大一班", 3, 1, None, "preschool"),
        ("中二班", 2, 2, None, "preschool"),
        ("小三班", 1, 3, None, "preschool"),
        ("大班", 3, None, None, "preschool"),
        ("小学四年级2班", 4, 2, None, "primary"),
        ("一年级", 1, None, None, None),
        ("1班", None, 1, None, None),
        ("2", None, 2, None, None),
        (2.0, None, 2, None, None),
    ],
)
def test_classes(
    value: object, grade: int | None, number: int | None, cohort: int | None, stage: str | None
) -> None:
    found = cells.clean_class_name(value, ctx=CTX).value  # type: ignore[arg-type]
    assert found == cells.ClassName(grade, number, cohort, stage)


def test_the_year_in_its_stage() -> None:
    found = cells.clean_class_name("七(3)班", ctx=CTX).value
    assert found is not None
    assert found.year_in_stage == 1


@pytest.mark.parametrize(
    "value",
    [
        "甲班",
        "2024届1班",
        "十年级1班",
        "高四(1)班",
        "0",
        0,
        "2401",
        "431202201808214614",
        True,
        "一(0)班",
    ],
)
def test_refused_classes(value: object) -> None:
    assert code_of(cells.clean_class_name, value) == "class_name"


@pytest.mark.parametrize(
    ("value", "grade", "stage"),
    [
        ("1", 1, None),
        (1.0, 1, None),
        ("一", 1, None),
        ("一年级", 1, None),
        ("1年级", 1, None),
        ("七年级", 7, "junior"),
        ("小学四年级", 4, "primary"),
        ("高一", 1, "senior"),
        ("初二", 8, "junior"),
        ("大班", 3, "preschool"),
        ("中职一年级", 1, "vocational"),
    ],
)
def test_grades(value: object, grade: int, stage: str | None) -> None:
    assert cells.clean_grade(value, ctx=CTX).value == cells.ClassName(grade, None, None, stage)  # type: ignore[arg-type]
