"""Exports: permission, scope, masks, whole values with a reason, neutralised formulas, log."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client

from aid.models import Payment
from povertyaid.audit.models import AccessLog
from povertyaid.schools.admin_base.export import neutral
from povertyaid.schools.models import School, User
from students.models import Student
from tests.personas import World
from tests.records.pages import page

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def _sheet(response: Any) -> list[list[Any]]:
    assert response.status_code == 200
    assert "spreadsheet" in response["Content-Type"], response.content[:200]
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_an_export_holds_the_own_scope_masked_and_is_logged(client_of: ClientOf, clerk: User, world: World) -> None:
    pupil = world.home.pupil
    pupil.phone = "13812345678"
    pupil.save()
    rows = _sheet(client_of(clerk).post(page(Student, "export"), {"format": "xlsx"}))
    names = {row[0] for row in rows[1:]}
    assert names == {student.name for student in Student.objects.visible_to(clerk)}
    text = str(rows)
    for student in Student.objects.all():
        assert student.identity.clear not in text
        assert not student.pupil_number or student.pupil_number.clear not in text
    assert str(pupil.identity) in text
    assert "138****5678" in text
    assert "13812345678" not in text
    assert str(Student._meta.get_field("identity").verbose_name) in rows[0]
    entry = AccessLog.objects.get(action=AccessLog.Action.EXPORT)
    assert (entry.actor, entry.model) == (clerk, "students.student")
    assert entry.detail == {"rows": len(rows) - 1, "format": "xlsx", "whole": False}


def test_csv_has_the_mark_that_excel_needs(client_of: ClientOf, clerk: User, world: World) -> None:
    response = client_of(clerk).post(page(Student, "export"), {"format": "csv"})
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert world.home.pupil.name in response.content.decode("utf-8-sig")
    assert "no-store" in response["Cache-Control"]


def test_filters_and_search_of_the_list_hold_for_the_export(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    world.home.pupil.name = "只此一人"
    world.home.pupil.save()
    rows = _sheet(client_of(clerk).post(page(Student, "export") + "?q=只此一人", {"format": "xlsx"}))
    assert [row[0] for row in rows[1:]] == ["只此一人"]


def test_whole_values_need_permission_and_reason(
    client_of: ClientOf, clerk: User, inspector: User, county_admin: User, world: World
) -> None:
    number, client = world.home.pupil.identity.clear, client_of(clerk)
    refused = client.post(page(Student, "export"), {"format": "xlsx", "whole": "on"})
    assert "reason" in refused.context["form"].errors
    assert not AccessLog.objects.filter(action=AccessLog.Action.EXPORT).exists()
    rows = _sheet(client.post(page(Student, "export"), {"format": "xlsx", "whole": "on", "reason": "上报省系统"}))
    assert number in str(rows)
    entry = AccessLog.objects.get(action=AccessLog.Action.EXPORT)
    assert (entry.reason, entry.detail["whole"]) == ("上报省系统", True)
    # The administrator may export, not reveal: asking for whole values all the same gives masks.
    sent = {"format": "xlsx", "whole": "on", "reason": "上报省系统"}
    assert number not in str(_sheet(client_of(county_admin).post(page(Student, "export"), sent)))
    assert client_of(inspector).post(page(Student, "export"), sent).status_code == 403
    assert client_of(inspector).get(page(Student, "export")).status_code == 403


def test_the_link_is_shown_to_who_may_export(
    client_of: ClientOf, clerk: User, inspector: User, world: World
) -> None:
    url = page(Student, "export")
    assert url in client_of(clerk).get(page(Student, "changelist")).content.decode()
    assert url not in client_of(inspector).get(page(Student, "changelist")).content.decode()


def test_formulas_are_neutralised_and_amounts_stay_numbers(
    client_of: ClientOf, clerk: User, bureau_clerk: User, world: World
) -> None:
    evil = '=HYPERLINK("http://x","y")'
    world.home.pupil.guardian_name = evil
    world.home.pupil.save()
    rows = _sheet(client_of(clerk).post(page(Student, "export"), {"format": "xlsx"}))
    assert f"'{evil}" in str(rows)
    School.objects.filter(pk=world.home.school.pk).update(short_names="+cmd|' /C calc'!A0")
    data = client_of(bureau_clerk).post(page(School, "export"), {"format": "csv"}).content.decode("utf-8-sig")
    assert "'+cmd" in data
    paid = _sheet(client_of(clerk).post(page(Payment, "export"), {"format": "xlsx"}))
    assert any(isinstance(cell, int | float | Decimal) for row in paid[1:] for cell in row)
    assert [neutral(text) for text in ("-312.50", "@x", "+86", "a=b", "")] == ["-312.50", "'@x", "+86", "a=b", ""]


def test_the_cost_of_an_export_does_not_grow_with_its_rows(
    client_of: ClientOf, clerk: User, world: World, django_assert_max_num_queries: Any
) -> None:
    client = client_of(clerk)
    client.get(page(Student, "changelist"))
    with django_assert_max_num_queries(20):
        client.post(page(Student, "export"), {"format": "xlsx"})
