"""A class is named by its cohort: a new school year moves it up without an edit, and one that has left keeps its year."""

from __future__ import annotations

import pytest

from povertyaid.schools.models import SchoolClass, Stage


@pytest.mark.parametrize(
    ("stage", "entry_year", "school_year", "name"),
    [
        (Stage.PRIMARY, 2024, 2024, "一年级2班"),
        (Stage.PRIMARY, 2024, 2026, "三年级2班"),
        (Stage.PRIMARY, 2018, 2024, "2018级2班（已毕业）"),
        (Stage.JUNIOR, 2024, 2026, "九年级2班"),
        (Stage.JUNIOR, 2024, 2027, "2024级2班（已毕业）"),
        # Seven years after entry: not 七年级 again.
        (Stage.JUNIOR, 2020, 2026, "2020级2班（已毕业）"),
        (Stage.PRESCHOOL, 2026, 2026, "小班2班"),
    ],
)
def test_a_school_year_moves_the_class_up(stage: Stage, entry_year: int, school_year: int, name: str) -> None:
    assert SchoolClass(stage=stage, entry_year=entry_year, number=2).name_in(school_year) == name
