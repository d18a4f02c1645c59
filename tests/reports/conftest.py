"""The hand-counted school, with a rival that holds the same records twice over in its own county and abroad."""

from __future__ import annotations

import pytest

from povertyaid.lib.periods import Period
from povertyaid.schools.models import School
from reports.indicators import Figures, Target, evaluate
from reports.models import Summary
from tests import factories
from tests.reports import hand
from tests.reports.hand import Hand


@pytest.fixture
def counted(school: School, rival_school: School, foreign_school: School) -> Hand:
    """The home school's records; a rival school and a school of another county hold the same kind of records."""
    made = hand.make(school)
    hand.make(rival_school)
    hand.make(foreign_school)
    return made


@pytest.fixture
def figures(counted: Hand) -> Figures:
    """The figures of the home school for 2026上半年."""
    return evaluate(Target(counted.school.county, counted.school), Period(hand.PERIOD))


@pytest.fixture
def paper(counted: Hand) -> Summary:
    """The home school's summary."""
    summary: Summary = factories.SummaryFactory(
        school=counted.school,
        period=hand.PERIOD,
        problems="档案柜不够用",
        next_steps="1. 9月底前完成新学年家庭经济困难学生认定\n（二）10月前完成档案整理。",
    )
    return summary


@pytest.fixture
def county_paper(counted: Hand) -> Summary:
    """The county's summary."""
    summary: Summary = factories.SummaryFactory(
        school=None, county=counted.school.county, period=hand.PERIOD, next_steps="完成下半年发放。"
    )
    return summary
