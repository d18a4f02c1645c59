"""A row that feeds several kinds: the reason that can be mended is told, a question is asked, the good rows are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from aid.models import Payment
from households.models import Village
from povertyaid.imports import plans, services
from povertyaid.imports.models import ImportBatch
from povertyaid.schools.models import School, User
from students.models import Student
from tests import factories
from tests.imports.test_mapping import NAMES, working_sheet
from tests.imports.test_mapping_page import send

pytestmark = pytest.mark.django_db
KINDS = "households,students,payments"


@pytest.fixture
def batch(
    client_of: Callable[[User], Client], clerk: User, school: School, villages: list[Village]
) -> ImportBatch:
    """A working sheet of three rows: the second lacks the level, the third names a pupil on record otherwise."""
    factories.ProgrammeFactory(county=school.county, name="寄宿生生活补助")
    factories.SpecialGroupFactory(code="lifted", name="脱贫家庭")
    rows = working_sheet()
    level = rows[1].index("认定等级")
    rows[3][level] = ""
    rows[4][level] = "困难"
    identity = factories.identity_number(dt.date(2016, 3, 6), 2)
    factories.enrolled(
        factories.SchoolClassFactory(school=school, entry_year=2023, number=1),
        name="冯不同",
        identity=identity,
        birth_date=dt.date(2016, 3, 6),
    )
    client = client_of(clerk)
    found = send(client, rows, "")
    page = reverse("imports:columns", args=[found.pk])
    shown = client.get(page).context["layouts"][0]
    data = {
        f"{shown.prefix}-sheets": "名单",
        f"{shown.prefix}-kinds": KINDS.split(","),
        f"{shown.prefix}-first": 2,
        f"{shown.prefix}-height": 1,
        "file-period": "2025-2026-2",
        "file-school": school.code,
        "show": "1",
    }
    seen = client.post(page, data).context["layouts"][0]
    data |= {bound.html_name: bound.value() or "" for bound in seen if "-c" in bound.html_name}
    data |= {f"{seen.prefix}-shown": seen.now_shown, "save": "1"}
    del data["show"]
    client.post(page, data)
    found.refresh_from_db()
    assert (found.state, found.kind) == ("to_check", KINDS), found.report
    return found


def errors(batch: ImportBatch, kind: str, row: int) -> list[str]:
    found = batch.rows.get(kind=kind, row=row)
    return [item["message"] for item in found.messages if item["level"] == "error"]


def test_the_reason_that_can_be_mended_is_told(batch: ImportBatch) -> None:
    assert any("等级" in text or "level" in text for text in errors(batch, "students", 4))
    # The others say that something else of the row is wrong, before what follows from it.
    for kind in ("households", "payments"):
        assert errors(batch, kind, 4)[0] == errors(batch, "households", 4)[0]
    assert {kind: batch.rows.get(kind=kind, row=3).outcome for kind in KINDS.split(",")} == dict.fromkeys(
        KINDS.split(","), "created"
    )


def taken(batch: ImportBatch, client: Client) -> int:
    """The pupil of the third row, after the decision that it is the one on record."""
    asked = batch.rows.get(kind="students", row=5)
    assert asked.question["code"] == "other_name"
    pk = asked.question["candidates"][0]["pk"]
    cards = client.get(reverse("imports:decide", args=[batch.pk])).context["cards"]
    key = next(card.asked.key for card in cards if card.asked.row.pk == asked.pk)
    client.post(reverse("imports:decide", args=[batch.pk]), {f"answer-{key}": f"take:{pk}"})
    batch.refresh_from_db()
    return int(pk)


def test_a_near_miss_in_such_a_row_is_asked_and_the_rest_is_written(
    batch: ImportBatch, client_of: Callable[[User], Client], clerk: User
) -> None:
    client = client_of(clerk)
    taken(batch, client)
    assert batch.counts["asked"] == 0
    client.post(reverse("imports:commit", args=[batch.pk]), {"mode": "good"})
    batch.refresh_from_db()
    assert (batch.state, batch.counts["rejected"], Payment.objects.count()) == ("partly", 3, 2)
    assert set(Student.objects.values_list("name", flat=True)) == {NAMES[0], NAMES[2]}
    # Afterwards too the batch says why.
    assert any("等级" in text or "level" in text for text in errors(batch, "students", 4))


def test_a_column_that_one_kind_uses_is_not_told_as_unused(
    batch: ImportBatch, client_of: Callable[[User], Client], clerk: User
) -> None:
    page = client_of(clerk).get(reverse("imports:batch", args=[batch.pk]))
    used = [item["header"] for item in page.context["used"]]
    assert {"户编号", "认定等级", "实发金额"} <= set(used)
    assert not {item["header"] for item in page.context["unused"]} & set(used)


def test_what_somebody_saves_while_new_values_are_planned_is_not_overwritten(
    batch: ImportBatch, client_of: Callable[[User], Client], clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = taken(batch, client_of(clerk))
    play = plans.play

    def played(source: plans.Source, *, before: Callable[[Any], None], **rest: Any) -> list[Any]:
        def meanwhile(plan: Any) -> None:
            if plan.resource.kind == "students":
                Student.objects.filter(pk=pk).update(version=F("version") + 1)
            before(plan)

        return play(source, before=meanwhile, **rest)

    monkeypatch.setattr(services, "play", played)
    with pytest.raises(services.StalePreviewError):
        services.commit_batch(batch=batch, user=clerk, all_or_nothing=False)
    batch.refresh_from_db()
    assert (batch.state, Payment.objects.count()) == ("to_check", 0)
    assert list(Student.objects.values_list("name", flat=True)) == ["冯不同"]
