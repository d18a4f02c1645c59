"""Pairings, contacts and private notes through the real forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from pairings.models import Contact, Pairing, PrivateNote
from pairings.services import HandoverRefusedError, hand_over
from povertyaid.audit.models import Change
from povertyaid.schools import todo
from povertyaid.schools.models import School, User
from tests import factories
from tests.personas import World, as_new
from tests.records.pages import errors_of, field_names, page, run_action, saved, send, told

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def today() -> dt.date:
    return timezone.localdate()


def test_a_clerk_pairs_a_teacher_with_a_pupil(client_of: ClientOf, clerk: User, world: World) -> None:
    client, url = client_of(clerk), page(Pairing, "add")
    assert field_names(client, url) == {
        "helper",
        "student",
        "household",
        "start_on",
        "start_precision",
        "measures",
        "initial-start_on",
    } - {"initial-start_on"}
    saved(client, url, helper=world.home.colleague.pk, student=world.home.other_pupil.pk, measures="每周辅导")
    pairing = Pairing.objects.get(student=world.home.other_pupil)
    assert (pairing.school, pairing.county, pairing.state) == (world.home.school, world.county, "active")
    assert pairing.start_on == today()


def test_a_pairing_helps_one_of_the_two_and_only_once(client_of: ClientOf, clerk: User, world: World) -> None:
    client, url = client_of(clerk), page(Pairing, "add")
    helper = world.home.colleague.pk
    both = {"student": world.home.other_pupil.pk, "household": world.home.household.pk}
    assert len(errors_of(send(client, url, helper=helper, **both))) == 1
    assert len(errors_of(send(client, url, helper=helper))) == 1
    twice = send(client, url, helper=world.home.pairing.helper.pk, student=world.home.pupil.pk)
    assert len(errors_of(twice)) == 1
    world.home.colleague.left_on = today() - dt.timedelta(days=5)
    world.home.colleague.save()
    gone = send(client, url, helper=helper, student=world.home.other_pupil.pk)
    assert list(gone.context["adminform"].form.errors) == ["helper"]


@pytest.mark.parametrize("kind", ["helper", "student", "household"])
def test_forged_keys_are_refused(client_of: ClientOf, clerk: User, world: World, kind: str) -> None:
    foreign = {
        "helper": world.rival.colleague.pk,
        "student": world.rival.pupil.pk,
        "household": world.rival.household.pk,
    }
    values = {"helper": world.home.colleague.pk, "student": world.home.other_pupil.pk}
    if kind == "household":
        values.pop("student")
    before = Pairing.objects.count()
    assert errors_of(send(client_of(clerk), page(Pairing, "add"), **{**values, kind: foreign[kind]}))
    assert Pairing.objects.count() == before


def test_the_rival_sees_neither_pairing_nor_contact(
    client_of: ClientOf, rival_clerk: User, world: World
) -> None:
    client = client_of(rival_clerk)
    for record in (world.home.pairing, world.home.household_pairing, world.home.contact):
        listed = client.get(page(type(record), "changelist")).content.decode()
        assert f"/{record._meta.model_name}/{record.pk}/change/" not in listed
        assert client.get(page(type(record), "change", record.pk)).status_code == 404
    choices = client.get(
        "/autocomplete/",
        {"app_label": "pairings", "model_name": "contact", "field_name": "pairing", "term": ""},
    ).json()["results"]
    assert {item["id"] for item in choices} == {
        str(item.pk) for item in Pairing.objects.visible_to(rival_clerk)
    }


def test_pairings_end_with_a_reason_after_a_question(client_of: ClientOf, clerk: User, world: World) -> None:
    records = [world.home.pairing, world.home.household_pairing]
    response = run_action(
        client_of(clerk), Pairing, "end", records, reason="graduated", end_on=today().isoformat()
    )
    assert len(told(response)) == 1
    found = Pairing.objects.filter(pk__in=[item.pk for item in records])
    assert set(found.values_list("state", "end_reason", "end_on")) == {("ended", "graduated", today())}
    again = run_action(
        client_of(clerk), Pairing, "end", records, reason="withdrawn", end_on=today().isoformat()
    )
    assert len(told(again)) == 1
    assert set(found.values_list("end_reason", flat=True)) == {"graduated"}


def test_a_handover_ends_the_old_and_begins_the_new(client_of: ClientOf, clerk: User, world: World) -> None:
    response = run_action(
        client_of(clerk),
        Pairing,
        "hand_over",
        [world.home.pairing],
        helper=world.home.colleague.pk,
        on=today().isoformat(),
    )
    assert len(told(response)) == 1
    world.home.pairing.refresh_from_db()
    assert (world.home.pairing.state, world.home.pairing.end_on) == ("ended", today())
    new = Pairing.objects.get(student=world.home.pupil, helper=world.home.colleague)
    assert (new.state, new.start_on, new.measures) == ("active", today(), world.home.pairing.measures)
    assert Change.objects.filter(model="pairings.pairing", object_id=new.pk).count() == 1


def test_a_handover_is_all_or_nothing(client_of: ClientOf, clerk: User, world: World) -> None:
    """The second of two pairings already has the new helper: the first is not handed over either."""
    factories.PairingFactory(helper=world.home.colleague, student=world.home.other_pupil)
    second = factories.PairingFactory(helper=world.home.pairing.helper, student=world.home.other_pupil)
    response = run_action(
        client_of(clerk),
        Pairing,
        "hand_over",
        [world.home.pairing, second],
        helper=world.home.colleague.pk,
        on=today().isoformat(),
    )
    assert len(told(response)) == 1
    for pairing in (world.home.pairing, second):
        pairing.refresh_from_db()
        assert (pairing.state, pairing.end_on) == ("active", None)


def test_a_handover_to_the_wrong_person_or_day_is_refused(world: World) -> None:
    pairing = world.home.pairing
    left = factories.StaffFactory(school=world.home.school, left_on=today())
    wrong: list[tuple[Any, dt.date]] = [
        (pairing.helper, today()),
        (world.rival.colleague, today()),
        (left, today()),
        (world.home.colleague, pairing.start_on - dt.timedelta(days=1)),
    ]
    for helper, day in wrong:
        with pytest.raises(HandoverRefusedError):
            hand_over(pairing=pairing, helper=helper, on=day)
    pairing.refresh_from_db()
    assert pairing.state == "active"


def test_the_action_does_not_take_a_helper_of_another_school(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    response = run_action(
        client_of(clerk),
        Pairing,
        "hand_over",
        [world.home.pairing],
        helper=world.rival.colleague.pk,
        on=today().isoformat(),
    )
    assert list(response.context["form"].errors) == ["helper"]


def test_pausing_and_resuming(client_of: ClientOf, clerk: User, world: World) -> None:
    run_action(client_of(clerk), Pairing, "pause", [world.home.pairing])
    world.home.pairing.refresh_from_db()
    assert world.home.pairing.state == "paused"
    run_action(client_of(clerk), Pairing, "resume", [world.home.pairing])
    world.home.pairing.refresh_from_db()
    assert world.home.pairing.state == "active"


def test_a_pairing_shows_its_last_ten_contacts_and_takes_a_new_one(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    pairing = world.home.household_pairing
    for number in range(12):
        factories.ContactFactory(
            pairing=pairing, date=pairing.start_on + dt.timedelta(days=number), purpose=f"第{number}次"
        )
    client, url = client_of(clerk), page(Pairing, "change", pairing.pk)
    text = client.get(url).content.decode()
    assert "第11次" in text
    assert "第2次" in text
    assert "第1次" not in text
    row = {
        "contacts-10-date": today().isoformat(),
        "contacts-10-kind": "home_visit",
        "contacts-10-minutes": "50",
    }
    saved(client, url, **row)
    assert pairing.contacts.count() == 13
    link = f"{page(Contact, 'changelist')}?pairing__id__exact={pairing.pk}"
    assert link in text
    assert client.get(link).context["cl"].queryset.count() == 13


def test_a_helper_adds_contacts_to_the_own_pairings_only(
    client_of: ClientOf, helper: User, world: World
) -> None:
    client, url = client_of(as_new(helper)), page(Contact, "add")
    own, other = world.home.household_pairing, factories.PairingFactory(helper=world.home.colleague)
    saved(client, url, pairing=own.pk, kind="talk", minutes="20")
    new = own.contacts.get()
    assert (new.date, new.form) == (today(), "in_person")
    for foreign in (other, world.rival.pairing):
        assert len(errors_of(send(client, url, pairing=foreign.pk, kind="talk"))) == 1
    assert client.get(page(Pairing, "add")).status_code == 403
    assert client.get(page(Contact, "delete", new.pk)).status_code == 403


def test_a_contact_lies_neither_in_the_future_nor_before_the_pairing(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client, url = client_of(clerk), page(Contact, "add")
    for day in (today() + dt.timedelta(days=1), world.home.pairing.start_on - dt.timedelta(days=1)):
        response = send(client, url, pairing=world.home.pairing.pk, kind="talk", date=day.isoformat())
        assert list(response.context["adminform"].form.errors) == ["date"]


def test_my_caseload_lists_the_own_live_pairings(client_of: ClientOf, helper: User, world: World) -> None:
    factories.PairingFactory(helper=world.home.colleague)
    lines = {item.url: item.count for item in todo.lines(as_new(helper), today())}
    url = next(url for url in lines if "mine=yes" in url)
    listed = client_of(as_new(helper)).get(url).context["cl"].queryset
    assert set(listed) == set(Pairing.objects.filter(helper=helper.staff, state="active"))
    assert lines[url] == listed.count()


def test_recognised_pupils_without_a_helper_wait_on_the_home_page(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    factories.RecognitionFactory(student=world.home.other_pupil, school=world.home.school)
    lines = {item.url: item.count for item in todo.lines(as_new(clerk), today())}
    url = next(url for url in lines if "pairing=no" in url)
    listed = client_of(clerk).get(url).context["cl"].queryset
    assert (lines[url], list(listed)) == (1, [world.home.other_pupil])


def test_a_private_note_is_seen_by_its_author_alone(
    client_of: ClientOf, class_teacher: User, clerk: User, helper: User, world: World
) -> None:
    words = "这孩子最近总是很晚才睡。"
    client = client_of(class_teacher)
    contact = page(Contact, "change", world.home.contact.pk)
    assert f"?contact={world.home.contact.pk}" in client.get(contact).content.decode()
    saved(client, f"{page(PrivateNote, 'add')}?contact={world.home.contact.pk}", text=words)
    note = PrivateNote.objects.get(author=class_teacher)
    url = page(PrivateNote, "change", note.pk)
    assert words in client.get(url).content.decode()
    assert url in client.get(contact).content.decode()
    saved(client, url, text=words + "再谈一次。")
    note.refresh_from_db()
    assert note.text.clear == words + "再谈一次。"
    # The pairing's own helper sees the contact, and neither the note nor that there is one.
    other = client_of(as_new(helper))
    assert other.get(url).status_code == 404
    assert url not in other.get(contact).content.decode()
    assert client_of(clerk).get(url).status_code in {403, 404}
    assert not Change.objects.filter(model="pairings.privatenote").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM pairings_privatenote")
        assert all("这孩子" not in row[0] for row in cursor.fetchall())


def test_notes_stand_in_no_list_search_or_export(client_of: ClientOf, helper: User, world: World) -> None:
    client = client_of(as_new(helper))
    text = client.get(page(PrivateNote, "changelist")).content.decode()
    assert str(world.home.counselling) in text
    assert world.home.note.text.clear not in text
    assert client.get(page(PrivateNote, "changelist") + "export/", follow=True).status_code == 404
    assert not client.get(page(PrivateNote, "changelist")).context["cl"].search_fields


def test_a_note_of_a_contact_that_is_not_seen_is_refused(
    client_of: ClientOf, helper: User, world: World
) -> None:
    response = send(
        client_of(as_new(helper)), page(PrivateNote, "add"), contact=world.rival.contact.pk, text="记录"
    )
    assert len(errors_of(response)) == 1


def test_pairings_are_found_by_helper_pupil_and_household(
    client_of: ClientOf, bureau_clerk: User, world: World
) -> None:
    client, url = client_of(bureau_clerk), page(Pairing, "changelist")
    terms = {
        world.home.pairing.helper.name: {world.home.pairing, world.home.household_pairing},
        world.home.pupil.name_initials: {world.home.pairing},
        world.home.household.number: {world.home.household_pairing},
        world.home.member.name: {world.home.household_pairing},
    }
    for term, expected in terms.items():
        assert expected <= set(client.get(url, {"q": term}).context["cl"].queryset), term


def test_the_bureaus_own_helper_belongs_to_no_school(
    client_of: ClientOf, bureau_clerk: User, clerk: User, school: School, world: World
) -> None:
    saved(
        client_of(bureau_clerk),
        page(Pairing, "add"),
        helper=bureau_clerk.staff.pk,
        household=world.home.household.pk,
    )
    pairing = Pairing.objects.get(helper=bureau_clerk.staff)
    assert (pairing.school, pairing.county) == (None, school.county)
    assert pairing not in Pairing.objects.visible_to(clerk)
