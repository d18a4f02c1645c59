"""The two calendars: what a period contains, how it is written, and which spellings name it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib import periods
from povertyaid.lib.periods import Period, PeriodError

DAYS = st.dates(date(1950, 1, 1), date(2148, 12, 31))


@pytest.mark.parametrize(
    ("code", "kind", "days", "semesters", "label"),
    [
        ("2026H1", "half_year", (date(2026, 1, 1), date(2026, 6, 30)), ("2025-2026-2",), "2026年上半年"),
        ("2026H2", "half_year", (date(2026, 7, 1), date(2026, 12, 31)), ("2026-2027-1",), "2026年下半年"),
        ("2026", "year", (date(2026, 1, 1), date(2026, 12, 31)), ("2025-2026-2", "2026-2027-1"), "2026年"),
        (
            "2025-2026-1",
            "semester",
            (date(2025, 9, 1), date(2026, 1, 31)),
            ("2025-2026-1",),
            "2025年秋季学期",
        ),
        (
            "2025-2026-2",
            "semester",
            (date(2026, 2, 1), date(2026, 8, 31)),
            ("2025-2026-2",),
            "2026年春季学期",
        ),
        (
            "2025-2026",
            "school_year",
            (date(2025, 7, 1), date(2026, 6, 30)),
            ("2025-2026-1", "2025-2026-2"),
            "2025—2026学年",
        ),
    ],
)
def test_every_kind_of_period(
    code: str, kind: str, days: tuple[date, date], semesters: tuple[str, ...], label: str
) -> None:
    period = Period.parse(code)
    assert (period.code, period.kind, (period.start, period.end)) == (code, kind, days)
    assert (period.semesters, period.last_semester, period.label) == (semesters, semesters[-1], label)
    assert period.school_year == int(semesters[-1][:4])
    assert period.previous().next() == period
    assert period.next().start > period.end
    assert period.previous().kind == period.kind


def test_both_names_of_the_semester() -> None:
    assert Period.parse("2026H1").semester_label == "2026年春季学期（2025—2026学年第二学期）"
    assert Period.parse("2026").semester_label.count("学年") == 2


@pytest.mark.parametrize(
    ("code", "previous", "last_year"),
    [
        ("2026H1", "2025H2", "2025H1"),
        ("2026H2", "2026H1", "2025H2"),
        ("2026", "2025", "2025"),
        ("2025-2026-1", "2024-2025-2", "2024-2025-1"),
        ("2025-2026-2", "2025-2026-1", "2024-2025-2"),
        ("2025-2026", "2024-2025", "2024-2025"),
    ],
)
def test_earlier_periods(code: str, previous: str, last_year: str) -> None:
    assert Period.parse(code).previous().code == previous
    assert Period.parse(code).same_last_year().code == last_year


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026H3",
        "2025-2027",
        "2025-2027-1",
        "2025-2026-3",
        "26H1",
        "2026-H1",
        "２０２６",
        "0000",
        "9999H1",
        "x",
    ],
)
def test_what_is_no_period_is_told_the_allowed_forms(text: str) -> None:
    with pytest.raises(PeriodError) as caught:
        Period.parse(text)
    assert caught.value.code == "period"
    assert "2026H1" in str(caught.value)
    assert "2025-2026-2" in str(caught.value)


def test_lower_case_and_blanks_are_forgiven() -> None:
    assert Period.parse(" 2026h1 ").code == "2026H1"


@given(DAYS)
def test_each_day_lies_in_its_semester_and_half_year(day: date) -> None:
    code = periods.semester_of(day)
    first, last = periods.semester_dates(code)
    assert first <= day <= last
    half = Period.parse(periods.half_year_of(day))
    assert half.start <= day <= half.end


@given(DAYS)
def test_semesters_sort_by_time_and_leave_no_gap(day: date) -> None:
    code = periods.semester_of(day)
    following = periods.shift_semester(code, 1)
    assert code < following
    assert periods.semester_dates(following)[0] == periods.semester_dates(code)[1] + timedelta(days=1)
    assert periods.shift_semester(following, -1) == code


@given(DAYS)
def test_every_written_name_of_a_semester_is_read_back(day: date) -> None:
    code = periods.semester_of(day)
    for text in (code, periods.semester_label(code), periods.semester_long_label(code)):
        assert periods.parse_semester(text) == code
        assert periods.find_period_in_text(f"某校{text}花名册") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026年春季学期", "2025-2026-2"),
        ("2026春", "2025-2026-2"),
        ("2026年秋季学期", "2026-2027-1"),
        ("2025-2026学年第二学期", "2025-2026-2"),
        ("2025—2026学年第二学期", "2025-2026-2"),
        ("2025—2026学年下学期", "2025-2026-2"),
        ("2025-2026学年上学期", "2025-2026-1"),
        ("２０２６年春季学期", "2025-2026-2"),
        ("二〇二六年春季学期", "2025-2026-2"),
        ("2025-2026学年度第一学期", "2025-2026-1"),
        ("2025~2026学年第1学期", "2025-2026-1"),
        ("2025-26学年第二学期", "2025-2026-2"),
    ],
)
def test_spellings_of_semesters(text: str, code: str) -> None:
    assert periods.parse_semester(text) == code


@pytest.mark.parametrize("text", ["2026年上半年", "2026", "2025-2027学年第二学期", "春季学期", "2026年", ""])
def test_what_is_no_semester(text: str) -> None:
    with pytest.raises(PeriodError):
        periods.parse_semester(text)


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("青石坳中心完小2025—2026学年第二学期家庭经济困难学生花名册 填报日期：2026年3月10日", "2025-2026-2"),
        ("青石坳中心完小2026年上半年扶贫帮困工作总结", "2026H1"),
        ("全县2025—2026学年资助情况", "2025-2026"),
        ("2026年度资助情况统计表", "2026"),
        ("结对帮扶花名册", None),
        ("填报日期：2026年3月10日", None),
    ],
)
def test_a_title_names_its_period(title: str, code: str | None) -> None:
    assert periods.find_period_in_text(title) == code


@given(st.text(max_size=40))
def test_any_text_is_a_period_or_an_error(text: str) -> None:
    for parse in (Period.parse, periods.parse_semester):
        try:
            parse(text)
        except PeriodError:
            continue
    found = periods.find_period_in_text(text)
    assert found is None or Period.parse(found).code == found


@given(
    st.integers(1950, 2149), st.sampled_from(["{0}H1", "{0}H2", "{0}", "{0}-{1}-1", "{0}-{1}-2", "{0}-{1}"])
)
def test_every_period_that_is_read_is_whole(year: int, form: str) -> None:
    try:
        period = Period.parse(form.format(year, year + 1))
    except PeriodError:
        assert year == 2149
        return
    assert period.start < period.end
    assert all(periods.split_semester(code) for code in period.semesters)
    assert periods.find_period_in_text(period.label) in {period.code, None}
    assert period.label
    assert period.semester_label
    assert period.school_year in {period.start.year, period.start.year - 1}


@pytest.mark.parametrize(
    ("stage", "grade", "label"),
    [
        ("preschool", 1, "小班"),
        ("preschool", 3, "大班"),
        ("primary", 1, "一年级"),
        ("primary", 6, "六年级"),
        ("junior", 1, "七年级"),
        ("junior", 9, "九年级"),
        ("senior", 3, "高三"),
        ("vocational", 1, "中职一年级"),
        ("special", 9, "九年级"),
        ("primary", 7, "已毕业"),
        ("primary", 0, "未入学"),
    ],
)
def test_names_of_grades(stage: str, grade: int, label: str) -> None:
    assert periods.grade_label(stage, grade) == label


def test_a_cohort_moves_up_with_the_school_year() -> None:
    assert [periods.grade_of(2024, year) for year in (2024, 2025, 2026)] == [1, 2, 3]
    assert periods.entry_year_of(3, 2026) == 2024
    with pytest.raises(PeriodError):
        periods.grade_label("nursery", 1)
