"""Two people on one record: the later save is refused with what changed, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from households.models import Household
from povertyaid.audit.actor import acting_as
from povertyaid.audit.models import Change
from povertyaid.schools.models import User
from students.models import Student
from tests.personas import World
from tests.records.pages import errors_of, filled, page

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def test_the_later_save_is_refused_with_what_changed_and_may_be_sent_again(
    client_of: ClientOf, clerk: User, principal: User, world: World
) -> None:
    pupil, client = world.home.pupil, client_of(clerk)
    url = page(Student, "change", pupil.pk)
    form = filled(client, url)
    with acting_as(principal):
        other = Student.objects.get(pk=pupil.pk)
        other.guardian_name, other.boarding = "改过的监护人", Student.Boarding.BOARDING
        other.save()

    refused = client.post(url, {**form, "note": "我打的字", "_save": "1"})

    assert refused.status_code == 200
    (text,) = errors_of(refused)
    assert principal.username in text
    assert "改过的监护人" in text
    stored = Student.objects.get(pk=pupil.pk)
    assert (stored.note, stored.guardian_name) == ("", "改过的监护人")
    page_form = refused.context["adminform"].form
    assert page_form["note"].value() == "我打的字"
    assert int(page_form["lock_version"].value()) == stored.version

    again = client.post(url, {**form, "lock_version": str(stored.version), "note": "我打的字", "_save": "1"})
    assert again.status_code == 302
    assert Student.objects.get(pk=pupil.pk).note == "我打的字"


def test_a_form_without_its_version_is_refused(client_of: ClientOf, clerk: User, world: World) -> None:
    client, url = client_of(clerk), page(Student, "change", world.home.pupil.pk)
    form = filled(client, url)
    del form["lock_version"]
    assert client.post(url, {**form, "note": "无版本"}).status_code == 200
    assert Student.objects.get(pk=world.home.pupil.pk).note == ""


def test_an_untouched_form_raises_no_version_and_leaves_no_trace(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client, url = client_of(clerk), page(Student, "change", world.home.pupil.pk)
    before, entries = Student.objects.get(pk=world.home.pupil.pk).version, Change.objects.count()
    assert client.post(url, {**filled(client, url), "_save": "1"}).status_code == 302
    assert (Student.objects.get(pk=world.home.pupil.pk).version, Change.objects.count()) == (before, entries)


def test_masked_values_that_come_back_untouched_keep_the_stored_ones(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    pupil = world.home.pupil
    pupil.phone = "13812345678"
    pupil.save()
    client, url = client_of(clerk), page(Student, "change", pupil.pk)
    form = filled(client, url)
    assert form["phone"] == ["138****5678"]
    assert pupil.identity.clear not in str(form)
    assert client.post(url, {**form, "note": "改备注", "_save": "1"}).status_code == 302
    stored = Student.objects.get(pk=pupil.pk)
    assert (stored.identity.clear, stored.phone, stored.note) == (pupil.identity.clear, "13812345678", "改备注")
    form = filled(client, url)
    assert client.post(url, {**form, "phone": "13987654321", "_save": "1"}).status_code == 302
    assert Student.objects.get(pk=pupil.pk).phone == "13987654321"


def _row(form: dict[str, list[str]], pk: int) -> str:
    found = [name for name, values in form.items() if name.endswith("-id") and values == [str(pk)]]
    return found[0].removesuffix("-id")


def test_a_row_of_an_inline_is_locked_by_its_own_version(
    client_of: ClientOf, clerk: User, principal: User, world: World
) -> None:
    household, member, client = world.home.household, world.home.member, client_of(clerk)
    url = page(Household, "change", household.pk)
    form = filled(client, url)
    with acting_as(principal):
        member.refresh_from_db()
        member.student_status = "九年级"
        member.save()

    refused = client.post(url, {**form, f"{_row(form, member.pk)}-name": "新名字", "_save": "1"})
    assert refused.status_code == 200
    assert any("九年级" in text and principal.username in text for text in errors_of(refused))
    member.refresh_from_db()
    assert (member.student_status, member.name == "新名字") == ("九年级", False)


def test_a_row_that_somebody_changed_is_not_deleted_unseen(
    client_of: ClientOf, clerk: User, principal: User, world: World
) -> None:
    household, child, client = world.home.household, world.home.child, client_of(clerk)
    url = page(Household, "change", household.pk)
    form = filled(client, url)
    with acting_as(principal):
        child.refresh_from_db()
        child.student_status = "九年级"
        child.save()
    refused = client.post(url, {**form, f"{_row(form, child.pk)}-DELETE": "on", "_save": "1"})
    assert refused.status_code == 200
    assert any("九年级" in text for text in errors_of(refused))
    assert household.members.filter(pk=child.pk).exists()
