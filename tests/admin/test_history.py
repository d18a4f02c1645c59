"""The history of a record: who, when, what, before, after – masked, in words, in the reader's scope."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from povertyaid.audit.actor import acting_as
from povertyaid.audit.models import AccessLog, Change
from povertyaid.schools.models import SchoolClass, User
from students.models import Recognition, Student
from tests.factories import SpecialGroupFactory
from tests.personas import World
from tests.records.pages import page, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def test_a_change_in_the_browser_is_told_masked(client_of: ClientOf, clerk: User, world: World) -> None:
    pupil, client = world.home.pupil, client_of(clerk)
    assert send(client, page(Student, "change", pupil.pk), phone="13912345678").status_code == 302
    entry = Change.objects.filter(model="students.student", object_id=pupil.pk).first()
    assert entry is not None
    assert (entry.actor, entry.action) == (clerk, Change.Action.CHANGE)
    text = client.get(page(Student, "history", pupil.pk)).content.decode()
    assert clerk.username in text
    assert "139****5678" in text
    assert "13912345678" not in text
    assert pupil.identity.clear not in text
    assert str(Student._meta.get_field("phone").verbose_name) in text


def test_choices_and_relations_are_put_into_words(client_of: ClientOf, clerk: User, world: World) -> None:
    school_class, client = world.home.school_class, client_of(clerk)
    assert send(client, page(SchoolClass, "change", school_class.pk), teacher=world.home.colleague.pk).status_code == 302
    text = client.get(page(SchoolClass, "history", school_class.pk)).content.decode()
    assert str(world.home.colleague) in text
    with acting_as(clerk):
        SchoolClass.objects.get(pk=school_class.pk).save()
        lent = SchoolClass.objects.get(pk=school_class.pk)
        lent.teacher = world.rival.colleague
        lent.save()
    text = client.get(page(SchoolClass, "history", school_class.pk)).content.decode()
    assert world.rival.colleague.name not in text


def test_ticked_groups_are_told(client_of: ClientOf, clerk: User, world: World) -> None:
    recognition = world.home.recognition
    group = SpecialGroupFactory.create()
    recognition.special_groups.clear()
    with acting_as(clerk):
        recognition.special_groups.set([group])
        recognition.special_groups.set([])
    told = Change.objects.filter(model="students.recognition", object_id=recognition.pk, actor=clerk)
    fields = [field for change in told.order_by("pk") for field in change.fields if group.name in str(field)]
    assert fields == [
        {"field": "special_groups", "from": "", "to": group.name},
        {"field": "special_groups", "from": group.name, "to": ""},
    ]
    text = client_of(clerk).get(page(Recognition, "history", recognition.pk)).content.decode()
    assert group.name in text


def test_a_long_history_is_paged(client_of: ClientOf, clerk: User, world: World) -> None:
    pupil = world.home.pupil
    with acting_as(clerk):
        for number in range(60):
            pupil.note = f"第{number}次"
            pupil.save()
    client, url = client_of(clerk), page(Student, "history", pupil.pk)
    first, second = (client.get(url, {"p": number}).context["entries"] for number in (1, 2))
    assert (len(first), first[0].fields[0].after) == (50, "第59次")
    assert len(second) == Change.objects.filter(model="students.student", object_id=pupil.pk).count() - 50


def test_django_keeps_no_log_of_its_own(client_of: ClientOf, clerk: User, world: World) -> None:
    client = client_of(clerk)
    send(client, page(Student, "change", world.home.pupil.pk), note="改")
    client.post(page(type(world.home.department), "delete", world.home.department.pk), {"post": "yes"})
    assert not LogEntry.objects.exists()


def test_nobody_edits_or_deletes_what_the_logs_hold(
    client_of: ClientOf, county_admin: User, clerk: User, world: World
) -> None:
    with acting_as(clerk):
        world.home.pupil.note = "改"
        world.home.pupil.save()
    client = client_of(county_admin)
    client_of(clerk).get(page(Student, "change", world.home.pupil.pk))
    for model in (Change, AccessLog):
        entry = model.objects.visible_to(county_admin).first()
        assert entry is not None, model
        assert client.get(page(model, "change", entry.pk)).status_code == 200
        assert client.post(page(model, "change", entry.pk), {"reason": "x"}).status_code == 403
        assert client.post(page(model, "delete", entry.pk), {"post": "yes"}).status_code == 403
        assert client.get(page(model, "add")).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
        client.post(page(model, "changelist"), chosen)
        assert model.objects.filter(pk=entry.pk).exists()


def test_another_county_reads_nothing_of_it(
    client_of: ClientOf, clerk: User, rival_county_admin: User, world: World
) -> None:
    with acting_as(clerk):
        world.home.pupil.note = "改"
        world.home.pupil.save()
    entry = Change.objects.get(actor=clerk)
    client = client_of(rival_county_admin)
    assert client.get(page(Change, "change", entry.pk)).status_code == 404
    assert entry.pk not in [row.pk for row in client.get(page(Change, "changelist")).context["cl"].result_list]
