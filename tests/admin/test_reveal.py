"""Whole values: a permission, a reason, a line in the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from povertyaid.audit.models import AccessLog
from povertyaid.schools.models import User
from students.models import Student
from tests.personas import World
from tests.records.pages import page

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
REASON = "填报银行代发清单"


def _url(student: Student, field: str = "identity") -> str:
    return reverse("audit:reveal", args=["students.student", student.pk, field])


def test_a_reason_shows_the_value_once_and_is_logged(client_of: ClientOf, clerk: User, world: World) -> None:
    client, pupil = client_of(clerk), world.home.pupil
    asked = client.get(_url(pupil))
    assert asked.status_code == 200
    assert pupil.identity.clear not in asked.content.decode()
    for reason in ("", "abc", "   a   "):
        assert pupil.identity.clear not in client.post(_url(pupil), {"reason": reason}).content.decode(), reason
    assert not AccessLog.objects.filter(action=AccessLog.Action.REVEAL).exists()

    shown = client.post(_url(pupil), {"reason": REASON})
    assert pupil.identity.clear in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = AccessLog.objects.get(action=AccessLog.Action.REVEAL)
    assert (entry.actor, entry.reason, entry.object_id) == (clerk, REASON, pupil.pk)
    assert entry.detail == {"field": "identity"}
    assert pupil.identity.clear not in str(vars(entry))


def test_telephone_numbers_are_revealed_in_the_same_way(client_of: ClientOf, clerk: User, world: World) -> None:
    pupil = world.home.pupil
    pupil.phone = "13812345678"
    pupil.save()
    opened = client_of(clerk).get(page(Student, "change", pupil.pk)).content.decode()
    assert "13812345678" not in opened
    assert _url(pupil, "phone") in opened
    assert "13812345678" in client_of(clerk).post(_url(pupil, "phone"), {"reason": REASON}).content.decode()


def test_who_may_not_is_refused_and_gets_no_link(
    client_of: ClientOf, class_teacher: User, inspector: User, world: World
) -> None:
    pupil = world.home.pupil
    for user in (class_teacher, inspector):
        client = client_of(user)
        assert client.post(_url(pupil), {"reason": REASON}).status_code == 403
        assert "reveal/" not in client.get(page(Student, "change", pupil.pk)).content.decode()


def test_foreign_records_and_other_fields_answer_404(client_of: ClientOf, clerk: User, world: World) -> None:
    client = client_of(clerk)
    pupil = world.home.pupil
    for url in (
        _url(world.rival.pupil),
        _url(pupil, "name"),
        _url(pupil, "identity_hash"),
        _url(pupil, "nothing"),
        reverse("audit:reveal", args=["students.nothing", pupil.pk, "identity"]),
        reverse("audit:reveal", args=["nonsense", pupil.pk, "identity"]),
        reverse("audit:reveal", args=["sessions.session", 1, "session_data"]),
    ):
        assert client.post(url, {"reason": REASON}).status_code == 404, url
    assert not AccessLog.objects.filter(action=AccessLog.Action.REVEAL).exists()


def test_private_notes_are_revealed_to_nobody(
    client_of: ClientOf, clerk: User, helper: User, county_admin: User, world: World
) -> None:
    url = reverse("audit:reveal", args=["pairings.privatenote", world.home.note.pk, "text"])
    for user in (clerk, helper, county_admin):
        assert client_of(user).post(url, {"reason": REASON}).status_code in {403, 404}


def test_a_stranger_is_sent_to_the_log_in(client: Client, world: World) -> None:
    response = client.post(_url(world.home.pupil), {"reason": REASON})
    assert response.status_code == 302
    assert "/login/" in response["Location"]


def test_reading_a_pupil_is_logged_once_and_reading_a_school_is_not(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    client.get(page(Student, "change", world.home.pupil.pk))
    entry = AccessLog.objects.get(action=AccessLog.Action.READ)
    assert (entry.actor, entry.model, entry.object_id) == (clerk, "students.student", world.home.pupil.pk)
    client.get(page(type(world.home.school), "change", world.home.school.pk))
    client.get(page(Student, "changelist"))
    assert AccessLog.objects.filter(action=AccessLog.Action.READ).count() == 1
