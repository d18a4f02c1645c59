"""Whatever was on record and whatever is imported: an undo at once leaves every table as it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from povertyaid.imports.undo import plan_undo, undo_batch
from povertyaid.schools.models import School, User
from students.models import Student
from tests import factories
from tests.imports.undoing import SEMESTER, everything, imported

pytestmark = pytest.mark.django_db

HEADERS = ["姓名", "性别", "身份证号码", "学籍号", "年级班级", "联系电话", "困难类型", "认定等级", "就读方式"]


def identity(place: int) -> str:
    return factories.identity_number(dt.date(2017, 1, 1) + dt.timedelta(days=place * 3), place)


# A row of a list: who, and what it says of them; None is an empty cell.
ROW = st.tuples(
    st.integers(0, 7),
    st.sampled_from([None, "G"]),
    st.sampled_from(["一年级1班", "一年级2班", "二年级1班"]),
    st.sampled_from([None, "13911112222", "13911113333"]),
    st.sampled_from([None, "孤儿", "脱贫家庭", "脱贫家庭、孤儿"]),
    st.sampled_from([None, "困难", "特别困难"]),
    st.sampled_from([None, "走读", "住校"]),
)
LIST = st.lists(ROW, min_size=1, max_size=8, unique_by=lambda row: row[0])


def cells(row: tuple[Any, ...]) -> list[Any]:
    place, number, school_class, phone, group, level, boarding = row
    # A level without a group, or a group without a level, is no recognition.
    group, level = (group, level) if group and level else (None, None)
    name = factories.person_name(place)
    number = number and f"G{identity(place)}"
    return [name, "女", identity(place), number, school_class, phone, group, level, boarding]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stored=LIST, sent=LIST, edited=st.sets(st.integers(0, 7), max_size=3))
def test_undo_at_once_leaves_everything_as_it_was(
    bureau_clerk: User, school: School, stored: list[Any], sent: list[Any], edited: set[int]
) -> None:
    for code, name in (("orphan", "孤儿"), ("lifted", "脱贫家庭")):
        factories.SpecialGroupFactory(code=code, name=name)
    with transaction.atomic():
        imported("students", [HEADERS, *map(cells, stored)], bureau_clerk, school, period=SEMESTER)
        names = {factories.person_name(place) for place in edited}
        for student in Student.objects.filter(name__in=names):
            student.note = "家长外出务工"
            student.save()
        before = everything()
        batch = imported("students", [HEADERS, *map(cells, sent)], bureau_clerk, school, period=SEMESTER)
        assert plan_undo(batch, bureau_clerk).counts["refused"] == 0
        undo_batch(batch=batch, user=bureau_clerk)
        assert everything() == before
        transaction.set_rollback(True)
