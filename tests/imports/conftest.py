"""Files to import, and a county that fits the workbooks of tests/data."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from households.models import Village
from povertyaid.lib.masks import mask_identity
from povertyaid.schools.models import County
from tests import factories

WORKBOOKS = Path(__file__).parent.parent / "data" / "workbooks"

Cells = Sequence[Sequence[Any]]


@pytest.fixture
def villages(county: County) -> list[Village]:
    """The villages that registry.xls names."""
    return [
        factories.VillageFactory(county=county, township="青石乡", name=name)
        for name in ("青石村", "柳溪村", "石门村")
    ]


def xlsx(
    rows: Cells, *, title: str = "Sheet", merges: Sequence[str] = (), hidden: Sequence[int] = ()
) -> bytes:
    """An .xlsx file with one sheet."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    for number in hidden:
        sheet.row_dimensions[number].hidden = True
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes rows as a file and gives its path."""

    def made(rows: Cells, name: str = "list.xlsx", **options: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(xlsx(rows, **options))
        return path

    return made


Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `import_workbook … --json` and gives the exit status and the object."""

    def ran(kind: str, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
        status = 0
        try:
            call_command("import_workbook", kind, str(path), "--json", *options)
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        return status, json.loads(capsys.readouterr().out)

    return ran


def truth(name: str) -> dict[str, Any]:
    """What must come out of a workbook of tests/data, with identity numbers masked as the software shows them."""
    found: dict[str, Any] = json.loads((WORKBOOKS / f"{name}.expected.json").read_text())
    return {**found, "accepted": _masked(found["accepted"])}


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {
            key: mask_identity(item) if key in {"身份证号", "证件号码"} else _masked(item)
            for key, item in value.items()
        }
    return value
