"""An account with two roles: what one role may do does not reach the school that the other only reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from povertyaid.schools.models import RoleGrant, User
from povertyaid.schools.roles import Role
from students.models import Enrolment, Student
from students.services import current_semester, end_enrolments, recognise_again
from tests.personas import World
from tests.records.pages import page

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


@pytest.fixture
def visiting_clerk(clerk: User, world: World) -> User:
    """The home school's clerk, who also inspects the rival school."""
    RoleGrant.objects.create(user=clerk, role=Role.INSPECTOR, school=world.rival.school)
    account: User = User.objects.get(pk=clerk.pk)
    return account


def test_who_inspects_elsewhere_reads_there_and_changes_nothing(
    client_of: ClientOf, visiting_clerk: User, world: World
) -> None:
    client = client_of(visiting_clerk)
    for of, changed in ((world.home, 200), (world.rival, 403)):
        assert client.get(page(Student, "change", of.pupil.pk)).status_code == 200
        assert client.post(page(Student, "change", of.pupil.pk), {}).status_code == changed
        assert client.post(page(Enrolment, "change", of.enrolment.pk), {}).status_code == changed


def test_whole_values_are_shown_only_where_the_role_holds(
    client_of: ClientOf, visiting_clerk: User, world: World
) -> None:
    client = client_of(visiting_clerk)
    for of, answer in ((world.home, 200), (world.rival, 403)):
        url = reverse("audit:reveal", args=["students.student", of.pupil.pk, "identity"])
        assert client.post(url, {"reason": "填报银行代发清单"}).status_code == answer
        opened = client.get(page(Student, "change", of.pupil.pk)).content.decode()
        assert (url in opened) is (answer == 200)


def test_exports_and_deletions_stop_at_the_own_school(
    client_of: ClientOf, visiting_clerk: User, world: World
) -> None:
    client = client_of(visiting_clerk)
    exported = client.post(page(Student, "export"), {"format": "csv"}).content.decode("utf-8-sig")
    assert world.home.pupil.name in exported
    assert world.rival.pupil.name not in exported
    url = page(type(world.rival.recognition), "changelist")
    data = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [world.rival.recognition.pk], "post": "yes"}
    client.post(url, data)
    world.rival.recognition.refresh_from_db()  # still there


def test_nothing_is_added_where_one_only_reads(
    client_of: ClientOf, visiting_clerk: User, world: World
) -> None:
    client = client_of(visiting_clerk)
    url = reverse("admin:schools_department_add")
    for school, answer in ((world.home.school, 302), (world.rival.school, 403)):
        sent = client.post(url, {"name": "资助办公室乙", "school": school.pk, "county": school.county_id})
        assert sent.status_code == answer, school
    model = type(world.home.department)
    assert list(model.objects.filter(name="资助办公室乙").values_list("school", flat=True)) == [
        world.home.school.pk
    ]


def test_who_inspects_a_school_reads_its_summary_and_begins_none(
    client_of: ClientOf, visiting_clerk: User, world: World
) -> None:
    summary = world.rival.summary
    client = client_of(visiting_clerk)
    assert client.get(reverse("reports:summary", args=[summary.pk])).status_code == 200
    form = client.get(reverse("reports:index")).context["form"]
    offered = {key for key, _label in form.fields["target"].choices}
    assert str(world.home.school.pk) in offered
    assert str(world.rival.school.pk) not in offered


def test_who_inspects_a_school_neither_moves_nor_recognises_its_pupils(visiting_clerk: User, world: World) -> None:
    pupil = world.rival.pupil
    before = (Enrolment.objects.get(student=pupil).state, pupil.recognitions.count())
    ended = end_enrolments(students=[pupil], state="left", end_on=timezone.localdate(), actor=visiting_clerk)
    again = recognise_again(students=[pupil], semester=current_semester(), actor=visiting_clerk)
    assert (ended.done, again.done) == (0, 0)
    assert (Enrolment.objects.get(student=pupil).state, pupil.recognitions.count()) == before
