"""Figures against records counted by hand; lists against figures."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from povertyaid.lib.periods import Period
from povertyaid.schools.models import County, School, SchoolStage
from reports.indicators import (
    REGISTRY,
    Figures,
    Indicator,
    Target,
    WrongFilter,
    assert_rules,
    evaluate,
)
from students.models import Recognition
from tests import factories, personas
from tests.reports import hand
from tests.reports.hand import HAND, PERIOD, Hand

pytestmark = pytest.mark.django_db
H1 = Period(PERIOD)


def told(figures: Figures, key: str, breakdown: str) -> dict[str, object]:
    """Label and value of each group."""
    return {group.label: group.value for group in figures.groups(key, breakdown)}


def test_every_figure_is_what_was_counted_by_hand(figures: Figures) -> None:
    """A school beside it and one in another county change nothing."""
    assert {key: figure.value for key, figure in figures.items()} == HAND


def test_breakdowns_are_what_was_counted_by_hand(figures: Figures) -> None:
    """In the order of the papers, with a row for pupils without a group."""
    assert told(figures, "recognised_pupils", "level") == {"特别困难": 1, "困难": 2, "一般困难": 1}
    assert list(told(figures, "recognised_pupils", "level")) == ["特别困难", "困难", "一般困难"]
    assert told(figures, "recognised_pupils", "grade") == {"四年级": 2, "五年级": 2}
    assert told(figures, "recognised_pupils", "primary_group") == {"脱贫家庭": 3, "未填统计类别": 1}
    assert told(figures, "aid_persons", "programme") == {"寄宿生生活补助": 2, "非寄宿生生活补助": 1}
    assert told(figures, "aid_amount", "programme") == {
        "寄宿生生活补助": Decimal("1250.00"),
        "非寄宿生生活补助": Decimal("312.50"),
    }
    assert told(figures, "aid_persons", "primary_group") == {"脱贫家庭": 1, "未填统计类别": 1}
    assert told(figures, "aid_person_times", "level") == {"特别困难": 2, "一般困难": 1}
    assert told(figures, "aid_amount", "source") == {"国家资助": Decimal("1562.50")}
    assert told(figures, "aid_amount", "stage") == {"义务教育": Decimal("1562.50")}
    assert told(figures, "contacts", "kind") == {"家访": 3, "谈心谈话": 1, "学业辅导": 1}
    assert told(figures, "helpers", "post") == {"副校长": 1, "教师": 2}
    assert told(figures, "households", "category") == {"脱贫户": 1, "监测对象": 1}


def test_the_county_adds_its_schools(counted: Hand) -> None:
    """Two schools hold the same records; the school of another county is not told."""
    figures = evaluate(Target(counted.school.county), H1)
    shares = {"coverage"}
    assert {key: figure.value for key, figure in figures.items() if key not in shares} == {
        key: value * 2 for key, value in HAND.items() if key not in shares | {"households", "persons"}
    } | {"households": 4, "persons": 6}
    assert figures["coverage"].value == Decimal("50.0")
    assert told(figures, "recognised_pupils", "school") == {"青石坳中心完小": 4, "云岭县第三初级中学": 4}
    assert told(figures, "aid_amount", "township") == {"松溪镇": Decimal("3125.00")}


def test_a_pupil_aided_by_two_schools_is_one_person_of_the_county(counted: Hand, rival_school: School) -> None:
    """Persons are never summed over schools."""
    batch = factories.DisbursementFactory(school=rival_school, semester=hand.SPRING)
    factories.PaymentFactory(disbursement=batch, student=counted.pupils["甲"])
    figures = evaluate(Target(counted.school.county), H1)
    assert (figures["aid_persons"].value, figures["aid_person_times"].value) == (4, 7)


def test_half_year_counts_contacts_by_date_and_aid_by_semester(counted: Hand) -> None:
    """January is the first half-year by date and the autumn semester by semester."""
    target = Target(counted.school.county, counted.school)
    second = evaluate(target, Period("2025H2"))
    assert second["talk_person_times"].value == 1
    assert (second["aid_person_times"].value, second["aid_amount"].value) == (2, Decimal("812.50"))
    assert second["recognised_pupils"].value == 4
    spring = evaluate(target, Period(hand.SPRING))
    assert (spring["home_visits"].value, spring["talk_person_times"].value) == (3, 0)
    assert spring["aid_amount"].value == HAND["aid_amount"]
    year = evaluate(target, Period("2025-2026"))
    assert (year["aid_person_times"].value, year["aid_persons"].value) == (5, 3)


def test_renewal_that_is_refused_or_declined_ends_the_recognition(counted: Hand) -> None:
    """A decision of the second semester counts, whatever it says; one on its way does not."""
    target = Target(counted.school.county, counted.school)
    renewal = counted.pupils["己"].recognitions.get(semester=hand.SPRING)
    for state in (Recognition.State.REFUSED, Recognition.State.DECLINED, Recognition.State.ADJUSTED):
        renewal.state = state
        renewal.save()
        assert evaluate(target, H1)["recognised_pupils"].value == 3
    for state in (Recognition.State.NOTICE, Recognition.State.SCHOOL_CHECK):
        renewal.state = state
        renewal.save()
        assert evaluate(target, H1)["recognised_pupils"].value == 4


def test_each_figure_is_the_length_or_sum_of_its_list(counted: Hand) -> None:
    """For the school and the county, and for each group."""
    for target in (Target(counted.school.county, counted.school), Target(counted.school.county)):
        figures = evaluate(target, H1)
        for indicator in REGISTRY.indicators():
            figure = figures[indicator.key]
            check(indicator, target, {}, figure.value)
            for name, groups in figure.breakdowns.items():
                for group in groups:
                    check(indicator, target, {name: group.token}, group.value)


def check(indicator: Indicator, target: Target, filters: Mapping[str, str], value: object) -> None:
    """Compare a figure with its list."""
    listed = indicator.listed(target, H1, filters)
    if indicator.measure.kind == "sum":
        assert sum((item.paid for item in listed), Decimal(0)) == value, filters
    else:
        assert len(set(listed)) == listed.count() == value, (indicator.key, filters)
    assert indicator.value(target, H1, filters) == value, (indicator.key, filters)


def test_crossings_add_up(figures: Figures) -> None:
    """Grade by level."""
    cells = {(cell.row, cell.column): cell.value for cell in figures.crosses["recognised", "grade", "level"]}
    assert cells == {
        ("primary~2022", "special"): 1,
        ("primary~2022", "general"): 1,
        ("primary~2021", "hard"): 2,
    }


@pytest.mark.parametrize(
    "filters",
    [{"colour": "red"}, {"grade": "primary"}, {"grade": "primary~abc"}, {"level": "a~b"}],
)
def test_a_group_that_does_not_exist_is_refused(counted: Hand, filters: dict[str, str]) -> None:
    """A wrong name, a wrong number of parts, a word where a number belongs."""
    indicator = REGISTRY["recognised_pupils"]
    assert isinstance(indicator, Indicator)
    with pytest.raises(WrongFilter):
        indicator.records(Target(counted.school.county, counted.school), H1, filters)


# Queries


def queries(target: Target) -> int:
    """How many queries all figures take."""
    with CaptureQueriesContext(connection) as captured:
        evaluate(target, H1)
    return len(captured)


def test_number_of_queries_stays_the_same(county: County, school: School) -> None:
    """Pinned with none, one and three of each record, one and many schools; far below the limit of 60."""
    lifted = hand.lifted()
    assert lifted.pk
    empty = queries(Target(county, school)), queries(Target(county))
    hand.make(school)
    one = queries(Target(county, school)), queries(Target(county))
    for number in range(3):
        other = personas.make_school(county, SchoolStage.PRIMARY, f"第{number}小学")
        hand.make(other)
    factories.SchoolFactory.create_batch(20, county=county)
    many = queries(Target(county, school)), queries(Target(county))
    assert one == many == (28, 35)
    assert empty <= one
    assert max(one) <= 60


# Rules


def test_rules_hold_for_the_hand_counted_school(figures: Figures) -> None:
    assert assert_rules(figures) == []


def test_broken_rules_are_named_with_their_figure(figures: Figures) -> None:
    """More persons than person-times, groups and parts that do not add up."""
    from dataclasses import replace

    items = dict(figures.items_by_key)
    items["aid_persons"] = replace(items["aid_persons"], value=9)
    items["level_special"] = replace(items["level_special"], value=3)
    broken = assert_rules(replace(figures, items_by_key=items))
    assert {(rule.message.code, rule.key) for rule in broken} == {
        ("persons", "aid_persons"),
        ("groups", "aid_persons"),
        ("parts", "recognised_pupils"),
    }
    assert "受助学生" in str(broken[0])
    assert "9" in str(broken[0])
