"""The commands `summary` and `indicators`, and the table of indicators in the docs."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import translation

from povertyaid.audit.models import AccessLog
from reports.catalogue import markdown
from reports.indicators import REGISTRY
from reports.indicators.base import Registry
from reports.models import Summary
from tests import factories
from tests.reports.hand import HAND, PERIOD, Hand

pytestmark = pytest.mark.django_db


def write(tmp_path: Path, name: str, *args: str) -> bytes:
    """Run the command and return the file."""
    path = tmp_path / name
    call_command("summary", *args, "--output", str(path), stdout=StringIO())
    return path.read_bytes()


def test_summary_writes_every_format(tmp_path: Path, counted: Hand) -> None:
    """Without a stored summary, so with empty own text."""
    args = ("--school", counted.school.code, "--period", PERIOD)
    assert write(tmp_path, "s.pdf", *args).startswith(b"%PDF-")
    assert "青石坳中心完小" in write(tmp_path, "s.html", *args).decode()
    content = json.loads(write(tmp_path, "s.json", *args))
    assert content["figures"]["aid_amount"]["value"] == str(HAND["aid_amount"])
    assert not Summary.objects.exists()
    logged = AccessLog.objects.filter(action=AccessLog.Action.EXPORT).values_list("detail", flat=True)
    assert sorted(entry["format"] for entry in logged) == ["html", "json", "pdf"]


def test_summary_takes_the_own_text_of_the_stored_one(tmp_path: Path, paper: Summary) -> None:
    args = ("--school", paper.school.code, "--period", "2026h1")  # type: ignore[union-attr]
    content = json.loads(write(tmp_path, "s.json", *args))
    assert "档案柜不够用" in json.dumps(content, ensure_ascii=False)


def test_summary_of_the_county(tmp_path: Path, counted: Hand) -> None:
    """By name when there are several, without one when there is only one."""
    args = ("--county", "云岭县", "--period", PERIOD)
    content = json.loads(write(tmp_path, "c.json", *args))
    assert content["scope"] == {"kind": "county", "code": "", "name": "云岭县"}
    assert content["figures"]["recognised_pupils"]["value"] == 8
    with pytest.raises(CommandError, match="云岭县、石泉县"):
        write(tmp_path, "c.json", "--county", "--period", PERIOD)


def test_the_only_county_needs_no_name(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        write(tmp_path, "c.json", "--county", "--period", PERIOD)
    factories.CountyFactory(name="云岭县")
    assert json.loads(write(tmp_path, "c.json", "--county", "--period", PERIOD))["period"] == PERIOD


@pytest.mark.parametrize(
    ("name", "args", "told"),
    [
        ("s.docx", ["--county", "--period", PERIOD], "s.docx"),
        ("s.xlsx", ["--county", "--period", PERIOD], "s.xlsx"),
        ("s", ["--county", "--period", PERIOD], ".pdf"),
        ("s.pdf", ["--county", "--period", "2026H3"], "2026H3"),
        ("s.pdf", ["--school", "9999999999", "--period", PERIOD], "9999999999"),
        ("s.pdf", ["--county", "无名县", "--period", PERIOD], "无名县"),
        ("none/s.json", ["--county", "云岭县", "--period", PERIOD], "none"),
    ],
)
def test_what_cannot_be_written_is_told(
    tmp_path: Path, counted: Hand, name: str, args: list[str], told: str
) -> None:
    """One clear sentence and no file."""
    with pytest.raises(CommandError, match=told.replace(".", r"\.")):
        write(tmp_path, name, *args)
    assert not (tmp_path / name).exists()


def test_indicators_are_printed_with_their_definitions() -> None:
    out = StringIO()
    call_command("indicators", stdout=out)
    assert len(out.getvalue().splitlines()) == len(REGISTRY)
    out = StringIO()
    with translation.override("en"):
        call_command("indicators", "--json", stdout=out)
    found = {entry["key"]: entry for entry in json.loads(out.getvalue())}
    assert found["aid_persons"] == {
        "key": "aid_persons",
        "label": "受助学生",
        "unit": "人",
        "calendar": "semester",
        "kind": "flow",
        "counts": "aid.payment: distinct student",
        "definition": found["aid_persons"]["definition"],
        "breakdowns": ["programme", "source", "stage", "form", "level", "primary_group", "school", "township"],
    }
    assert found["aid_persons"]["definition"].startswith("Distinct pupils with a payment that arrived")


def test_the_table_in_the_docs_is_the_registry() -> None:
    """After a change: manage.py shell -c "from reports.catalogue import markdown; print(markdown(), end='')"."""
    path = settings.BASE_DIR / "docs" / "indicators.md"
    assert path.read_text(encoding="utf-8") == markdown()


def test_indicators_are_sound() -> None:
    """Breakdowns exist on their base, labels are Chinese and unique, a key is given once."""
    labels = [item.label for item in REGISTRY]
    assert len(set(labels)) == len(labels)
    for item in REGISTRY.indicators():
        known = {breakdown.name for breakdown in item.base.breakdowns}
        assert set(item.breakdowns) <= known, item.key
        assert str(item.definition).endswith(("."  , "。"))
    for ratio in REGISTRY.ratios():
        assert ratio.part in REGISTRY
        assert ratio.whole in REGISTRY
    registry = Registry()
    first = REGISTRY.indicators()[0]
    registry.add(first)
    with pytest.raises(ValueError, match=first.key):
        registry.add(first)
