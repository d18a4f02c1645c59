"""The page of undoing: counts, every record with what would return, the confirmation, and who gets there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from povertyaid.imports.models import ImportBatch
from povertyaid.schools.models import School, User
from povertyaid.work.models import Work
from students.models import Student
from tests.imports.test_undo import groups, identity, pupils  # noqa: F401 - the groups are a fixture

pytestmark = pytest.mark.django_db


def url(batch: ImportBatch) -> str:
    return reverse("imports:undo", args=[batch.pk])


def test_page_shows_and_takes_back(client_of: Callable[[User], Client], clerk: User, school: School) -> None:
    pupils(clerk, school, 0, 1)
    batch = pupils(clerk, school, 0, 1, 2, 联系电话="13911112222")
    edited = Student.objects.get(phone="13911112222", name=Student.objects.order_by("pk")[0].name)
    edited.phone = "13900000000"
    edited.save()
    client = client_of(clerk)
    page = client.get(url(batch))
    text = page.content.decode()
    assert page.context["counts"] == {"delete": 3, "restore": 1, "refused": 1, "gone": 0}
    assert "139****2222" in text
    assert "13911112222" not in text
    assert identity(0) not in text
    assert len(client.get(url(batch), {"show": "refused"}).context["items"]) == 1
    assert client.get(url(batch), {"show": "nothing"}).status_code == 404
    assert Student.objects.count() == 3
    answer = client.post(url(batch), follow=True)
    assert answer.redirect_chain == [(reverse("imports:batch", args=[batch.pk]), 302)]
    batch.refresh_from_db()
    assert (batch.state, Student.objects.count()) == ("undone", 2)
    assert Student.objects.filter(phone="13800000001").exists()
    assert client.get(url(batch)).status_code == 302
    assert client.post(url(batch)).status_code == 302


def test_nothing_to_take_back_is_said(
    client_of: Callable[[User], Client], clerk: User, school: School
) -> None:
    pupils(clerk, school, 0)
    batch = pupils(clerk, school, 0, 联系电话="13911112222")
    student = Student.objects.get()
    student.phone = "13900000000"
    student.save()
    client = client_of(clerk)
    assert not client.get(url(batch)).context["may_confirm"]
    page = client.post(url(batch), follow=True)
    assert [message.level_tag for message in page.context["messages"]] == ["error"]
    batch.refresh_from_db()
    assert batch.state == "imported"


def test_only_an_import_that_was_written(
    client_of: Callable[[User], Client], clerk: User, school: School
) -> None:
    batch = pupils(clerk, school, 0)
    ImportBatch.objects.filter(pk=batch.pk).update(state="to_check")
    client = client_of(clerk)
    assert client.get(url(batch)).status_code == 302
    assert client.post(url(batch)).status_code == 302
    assert Student.objects.exists()


def test_undo_that_was_stopped_is_told(
    client_of: Callable[[User], Client], clerk: User, school: School
) -> None:
    batch = pupils(clerk, school, 0)
    Work.objects.create(
        what="imports.undo", owner=clerk, school=school, county=school.county, state="failed",
        target_model="imports.importbatch", target_id=batch.pk, error="停电了",
    )  # fmt: skip
    page = client_of(clerk).get(reverse("imports:batch", args=[batch.pk]), {"kind": "\x00"})
    assert page.context["stopped"] == "停电了"
    assert "停电了" in page.content.decode()
    # A second confirmation, from an old page, is no failure of the import.
    client_of(clerk).post(reverse("imports:commit", args=[batch.pk]))
    page = client_of(clerk).get(reverse("imports:batch", args=[batch.pk]))
    assert (page.context["batch"].state, page.context["stopped"]) == ("imported", "")


@pytest.fixture(
    params=[("rival_clerk", 404), ("rival_bureau_clerk", 404), ("principal", 403), ("inspector", 403)]
)
def other(request: pytest.FixtureRequest) -> tuple[User, int]:
    """Who may not undo, and the answer."""
    name, status = request.param
    return request.getfixturevalue(name), status


def test_rivals_do_not_find_it_and_readers_may_not(
    client_of: Callable[[User], Client], clerk: User, school: School, other: tuple[User, int]
) -> None:
    user, status = other
    batch = pupils(clerk, school, 0)
    client = client_of(user)
    assert (client.get(url(batch)).status_code, client.post(url(batch)).status_code) == (status, status)
    assert Student.objects.exists()
