"""Lists in shapes and words that no workbook of the tests had: what an honest reader of them expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from povertyaid.schools.models import School
from tests.imports.conftest import Run

pytestmark = pytest.mark.django_db
TITLE = "2026年春季学期家庭经济困难学生登记表"


def test_three_rows_of_headers_keep_pupil_and_guardian_apart(
    run: Run, school: School, write: Callable[..., Path]
) -> None:
    rows = [
        ["序号", "学生信息", None, "家庭信息", None, None, "住校生"],
        [None, "姓名", "性别", "监护人", None, None, None],
        [None, None, None, "姓名", "与学生关系", "联系电话", None],
    ]
    header = [[f"{school.name}{TITLE}", None, None, None, None, None, None, None], *rows]
    for row, extra in zip(header[1:], ("班级", None, None), strict=True):
        row.append(extra)
    people = [
        [1, "覃小满", "女", "覃大海", "父亲", "13874501234", "√", "一(1)班"],
        [2, "田丰", "男", "田野", "母亲", "13874501235", "×", "一(1)班"],
    ]
    merges = ("A1:H1", "A2:A4", "B2:C2", "D2:F2", "D3:F3", "B3:B4", "C3:C4", "G2:G4", "H2:H4")
    _status, told = run("students", write([*header, *people], merges=merges))
    assert told["errors"] == []
    assert [
        (item["row"], item["values"]["姓名"], item["values"]["就读方式"]) for item in told["records"]
    ] == [
        (5, "覃小满", "住校"),
        (6, "田丰", "走读"),
    ]


def test_page_numbers_examples_and_notes_are_no_pupils(
    run: Run, school: School, write: Callable[..., Path]
) -> None:
    header = ["*姓名", "*性别", "*年级班级"]
    rows = [
        [f"{school.name}{TITLE}", None, "第1页 共2页"],
        header,
        ["示例：张三", "男", "三(1)班"],
        ["覃小满", "女", "一(1)班"],
        [f"{school.name}{TITLE}", None, "第2页 共2页"],
        header,
        ["田丰", "男", "一(1)班"],
        ["注：此表一式两份"],
    ]
    _status, told = run("students", write(rows))
    assert told["errors"] == []
    assert [item["row"] for item in told["records"]] == [4, 7]
    assert [item["row"] for item in told["ignored"]] == [1, 2, 3, 5, 6, 8]


def test_kind_of_disability_is_no_special_group(run: Run, school: School, write: Callable[..., Path]) -> None:
    rows = [
        [f"{school.name}{TITLE}"],
        ["姓名", "性别", "班级", "残疾类型"],
        ["覃小满", "女", "一(1)班", "肢体残疾"],
    ]
    _status, told = run("students", write(rows))
    assert told["errors"] == []
    assert [item["row"] for item in told["records"]] == [3]
