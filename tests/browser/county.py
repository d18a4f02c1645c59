"""A county as `init_county` leaves it, with its schools and villages imported, for the lists of tests/data/workbooks."""

from __future__ import annotations

import contextlib
import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from povertyaid.schools.models import County, School

WORKBOOKS = Path(__file__).resolve().parents[1] / "data" / "workbooks"
COUNTY = "鹤山区"
SCHOOL = "青石坳中心完小"
SCHOOLS = (
    ("学校标识码", "学校名称", "学校简称", "办学类型", "乡镇"),
    ("2143000101", SCHOOL, "青石坳小学、青石坳完小", "小学", "青石乡"),
    ("3143000102", "鹤山区第三初级中学", "鹤山三中", "初级中学", "青石乡"),
)
VILLAGES = (("乡镇", "行政村"), ("青石乡", "青石村"), ("青石乡", "柳溪村"), ("青石乡", "石门村"))


def write_csv(path: Path, rows: tuple[tuple[str, ...], ...]) -> Path:
    """Write a list as an office saves it from Excel."""
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def import_file(kind: str, path: Path, *, school: str = "") -> None:
    """Import the good rows of a file; rows that are refused end the command with status 1."""
    with contextlib.suppress(SystemExit):
        call_command("import_workbook", kind, str(path), school=school, commit=True, stdout=StringIO())


def make_county(folder: Path) -> County:
    """Make the county by the commands that its administrator would give."""
    call_command("init_county", COUNTY, stdout=StringIO())
    for kind, rows in (("schools", SCHOOLS), ("villages", VILLAGES)):
        import_file(kind, write_csv(folder / f"{kind}.csv", rows))
    return County.objects.get(name=COUNTY)


def home_school() -> School:
    """The school of the four lists."""
    return School.objects.get(name=SCHOOL)


def truth(name: str) -> dict[str, Any]:
    """What must be accepted, refused, warned and ignored of a list."""
    found: dict[str, Any] = json.loads((WORKBOOKS / f"{name}.expected.json").read_text(encoding="utf-8"))
    return found
