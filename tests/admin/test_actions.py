"""Bulk actions and deletions: asked first, told afterwards, and no name of what is out of scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory

from aid.models import Payment
from povertyaid.audit.models import Change
from povertyaid.schools.admin_base import ScopedAdmin, confirmed_action
from povertyaid.schools.admin_base.deletion import foresee
from povertyaid.schools.models import Department, SchoolClass, User
from students.models import Student
from tests import factories
from tests.personas import World
from tests.records.pages import page, queries

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


class WrongMove(RuntimeError):
    """Stands for a model's own refusal."""


class Renaming(ScopedAdmin):
    """An admin with one action: two kinds of refusal and a success."""

    @confirmed_action("Rename", "Rename these?", refuses=(WrongMove,))
    def rename(self, request: Any, record: Department) -> None:
        """Refuse by name, else rename."""
        if record.name == "办公室":
            raise WrongMove
        if record.name == "食堂":
            raise ValidationError("食堂不能改名")
        record.name += "（新）"
        record.save()

    def message_user(self, request: Any, message: Any, *args: Any, **kwargs: Any) -> None:
        request.told.append(str(message))


def _request(user: User, **data: Any) -> Any:
    request: Any = RequestFactory().post("/", data)
    request.user, request.told = user, []
    return request


def test_a_confirmed_action_asks_first_then_does_and_tells(clerk: User, world: World) -> None:
    school = world.home.school
    names = ["办公室", "食堂", "图书室", "总务室"]
    for name in names:
        factories.DepartmentFactory(school=school, name=name)
    chosen = Department.objects.filter(school=school, name__in=names)
    model_admin: Any = Renaming(Department, admin.site)

    asked = model_admin.rename(_request(clerk), chosen)
    assert asked.context_data["count"] == 4
    assert {str(record) for record in asked.context_data["records"]} == set(names)
    assert not Department.objects.filter(name__contains="新").exists()
    assert 'name="confirmed"' in asked.rendered_content

    request = _request(clerk, confirmed="yes")
    assert model_admin.rename(request, chosen) is None
    assert set(Department.objects.filter(name__contains="新").values_list("name", flat=True)) == {
        "图书室（新）",
        "总务室（新）",
    }
    assert len(request.told) == 3
    assert sum("食堂不能改名" in text for text in request.told) == 1
    assert sum("办公室" in text for text in request.told) == 1


def test_a_confirmed_action_names_twenty_records_at_most(clerk: User, world: World) -> None:
    for number in range(25):
        factories.DepartmentFactory(school=world.home.school, name=f"科室{number}")
    chosen = Department.objects.filter(school=world.home.school, name__startswith="科室")
    asked = Renaming(Department, admin.site).rename(_request(clerk), chosen)
    assert (len(asked.context_data["records"]), asked.context_data["more"]) == (20, 5)
    assert len(asked.context_data["pks"]) == 25


def test_a_deletion_is_told_in_counts_and_recorded(client_of: ClientOf, clerk: User, world: World) -> None:
    client, department = client_of(clerk), world.home.department
    asked = client.get(page(Department, "delete", department.pk))
    assert asked.status_code == 200
    assert client.post(page(Department, "delete", department.pk), {"post": "yes"}).status_code == 302
    assert not Department.objects.filter(pk=department.pk).exists()
    assert Change.objects.filter(model="schools.department", object_id=department.pk, action="delete").exists()


def test_a_protected_record_is_refused_with_counts_and_without_names(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client, school_class = client_of(clerk), world.home.school_class
    asked = client.get(page(SchoolClass, "delete", school_class.pk))
    text = asked.content.decode()
    assert asked.status_code == 200
    assert asked.context["protected"]
    assert world.home.pupil.name not in text
    again = client.post(page(SchoolClass, "delete", school_class.pk), {"post": "yes"})
    assert again.status_code == 200
    assert SchoolClass.objects.filter(pk=school_class.pk).exists()
    chosen = {"action": "delete_selected", "_selected_action": [school_class.pk], "post": "yes"}
    assert client.post(page(SchoolClass, "changelist"), chosen).status_code == 200
    assert SchoolClass.objects.filter(pk=school_class.pk).exists()


def test_what_hangs_on_a_record_outside_the_scope_stands_in_the_way(clerk: User, world: World) -> None:
    # Deleting a pupil would take along his recognition at another school.
    factories.RecognitionFactory(
        student=world.home.pupil, school=world.rival.school, school_class=None, semester="2024-2025-1"
    )
    request = RequestFactory().get("/")
    request.user = clerk
    found = foresee([world.home.pupil], request, admin.site)
    text = str(found)
    assert any("1" in line for line in found.protected)
    assert world.rival.school.name not in text


def test_totals_stand_below_a_money_list(client_of: ClientOf, clerk: User, world: World) -> None:
    for due, paid in (("312.50", "312.50"), ("625.00", None)):
        factories.PaymentFactory(
            disbursement=world.home.disbursement,
            student=factories.enrolled(world.home.school_class),
            due=due,
            paid=paid,
            state=Payment.State.ARRIVED if paid else Payment.State.WAITING,
        )
    seen = Payment.objects.visible_to(clerk)
    response = client_of(clerk).get(page(Payment, "changelist"))
    totals = [amount for _label, amount in response.context["money_totals"]]
    sums = [sum(getattr(row, name) or 0 for row in seen) for name in ("due", "paid")]
    assert sorted(totals) == sorted(f"{amount:.2f}" for amount in sums)
    empty = client_of(clerk).get(page(Payment, "changelist"), {"q": "查无此人"})
    assert {amount for _label, amount in empty.context["money_totals"]} == {"0.00"}


def test_the_cost_of_a_list_does_not_grow_with_its_rows(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    urls = [page(model, "changelist") for model in (SchoolClass, Department, type(clerk.staff), Student)]
    before = [queries(client, url) for url in urls]
    for _number in range(3):
        factories.enrolled(factories.SchoolClassFactory(school=world.home.school, teacher=world.home.colleague))
        factories.DepartmentFactory(school=world.home.school)
        factories.StaffFactory(school=world.home.school)
    assert [queries(client, url) for url in urls] == before
