"""Each trap of scope in Django's admin that was tried and confirmed: one test each, against a record that could leak."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from pairings.models import Pairing
from povertyaid.schools.admin_base import ScopedAdmin, ScopedModelForm, ScopedRelatedFilter
from povertyaid.schools.models import Department, School, SchoolClass, Staff, User
from students.models import Enrolment, Student
from tests import factories
from tests.personas import World
from tests.records.pages import page, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def test_a_forged_foreign_key_is_refused_although_the_field_is_an_autocomplete(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    url = page(SchoolClass, "change", world.home.school_class.pk)
    before = world.home.school_class.teacher
    response = send(client_of(clerk), url, teacher=str(world.rival.colleague.pk))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["teacher"]
    world.home.school_class.refresh_from_db()
    assert world.home.school_class.teacher == before
    assert world.rival.colleague.name not in response.content.decode()


def test_a_forged_foreign_key_of_a_new_record_is_refused(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    data = {"helper": world.rival.colleague.pk, "student": world.home.pupil.pk, "start_on": "2026-03-01"}
    response = send(client, page(Pairing, "add"), **data)
    assert response.status_code == 200
    assert "helper" in response.context["adminform"].form.errors
    assert not Pairing.objects.filter(helper=world.rival.colleague, student=world.home.pupil).exists()


def test_the_value_that_stands_there_stays_allowed_although_it_is_out_of_scope(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    # Somebody of the bureau helps a pupil of the school: the school does not see him in its lists of people.
    official = factories.StaffFactory(county=world.county, school=None, office="县教育局")
    pairing = factories.PairingFactory(helper=official, student=world.home.pupil, school=world.home.school)
    assert not Staff.objects.visible_to(clerk).filter(pk=official.pk).exists()
    client = client_of(clerk)
    response = send(client, page(Pairing, "change", pairing.pk), measures="送教材")
    assert response.status_code == 302
    pairing.refresh_from_db()
    assert (pairing.helper, pairing.measures) == (official, "送教材")
    # … but he cannot be taken for another pairing.
    data = {"helper": official.pk, "student": world.home.other_pupil.pk, "start_on": "2026-03-01"}
    assert "helper" in send(client, page(Pairing, "add"), **data).context["adminform"].form.errors


def test_an_autocomplete_offers_only_the_own_scope(client_of: ClientOf, clerk: User, world: World) -> None:
    client = client_of(clerk)
    asked = {"app_label": "schools", "model_name": "schoolclass", "field_name": "teacher", "term": ""}
    names = [item["id"] for item in json.loads(client.get(reverse("admin:autocomplete"), asked).content)["results"]]
    expected = Staff.objects.visible_to(clerk).values_list("pk", flat=True)
    assert sorted(map(int, names)) == sorted(expected)
    assert str(world.rival.colleague.pk) not in names


def test_a_list_filter_names_no_foreign_school(client_of: ClientOf, clerk: User, world: World) -> None:
    # A pupil who came from the rival school is what makes Django's own “related only” filter name that school.
    factories.EnrolmentFactory(
        student=world.home.pupil, school_class=world.rival.school_class, state=Enrolment.State.TRANSFERRED
    )
    for model in (Student, Enrolment, SchoolClass, Staff, Pairing):
        text = client_of(clerk).get(page(model, "changelist")).content.decode()
        assert world.rival.school.name not in text, model.__name__
        assert world.foreign.school.name not in text, model.__name__


def test_a_filter_of_the_address_that_no_list_declares_is_refused(
    client_of: ClientOf, class_teacher: User, world: World
) -> None:
    # A telephone number that is shown masked could be guessed digit by digit.
    client = client_of(class_teacher)
    for name in ("phone__startswith", "identity_hash", "member__phone__startswith", "created_at__gte"):
        assert client.get(page(Student, "changelist"), {name: "1"}).status_code == 400, name
    assert client.get(page(Student, "changelist"), {"boarding__exact": "day"}).status_code == 200


@pytest.mark.parametrize("what", ["change", "delete", "history"])
def test_foreign_and_missing_records_answer_404(
    client_of: ClientOf, county_admin: User, clerk: User, world: World, what: str
) -> None:
    client = client_of(clerk)
    department = world.rival.department
    answers = [client.get(page(Department, what, pk)).status_code for pk in (department.pk, 10**9)]
    answers.append(client.post(page(Department, what, department.pk), {"post": "yes", "name": "x"}).status_code)
    assert answers == [404, 404, 404]
    assert Department.objects.filter(pk=department.pk, name=department.name).exists()
    assert client_of(county_admin).get(page(Department, what, department.pk)).status_code == 200


def test_a_bulk_action_on_forged_records_touches_none_of_them(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [world.rival.department.pk], "post": "yes"}
    client_of(clerk).post(page(Department, "changelist"), chosen)
    assert Department.objects.filter(pk=world.rival.department.pk).exists()


def test_the_list_shows_the_own_scope_and_nothing_else(client_of: ClientOf, clerk: User, world: World) -> None:
    response = client_of(clerk).get(page(Student, "changelist"))
    shown = sorted(student.pk for student in response.context["cl"].result_list)
    assert shown == sorted(Student.objects.visible_to(clerk).values_list("pk", flat=True))
    assert world.home.pupil.pk in shown
    assert world.rival.pupil.pk not in shown


def test_the_check_refuses_what_would_open_a_way_round() -> None:
    class Loose(ScopedAdmin):
        raw_id_fields = ("school",)
        list_editable = ("number",)
        list_filter = ("school", ("teacher", admin.RelatedOnlyFieldListFilter))
        prepopulated_fields = {"number": ("stage",)}

    ids = {error.id for error in Loose(SchoolClass, admin.site).check()}
    assert {"povertyaid.E010", "povertyaid.E012", "povertyaid.E013", "povertyaid.E015"} <= ids

    class Tight(ScopedAdmin):
        list_filter = (("school", ScopedRelatedFilter),)

    assert Tight(SchoolClass, admin.site).check() == []


def test_every_registered_admin_stands_on_the_base() -> None:
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, ScopedAdmin), model
        assert issubclass(model_admin.form, ScopedModelForm), model


def test_a_school_clerk_cannot_enter_people_of_another_school(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    data = {"name": "外来人员", "school": world.rival.school.pk}
    client_of(clerk).post(page(Staff, "add"), data)
    assert not Staff.objects.filter(name="外来人员", school=world.rival.school).exists()


def test_only_who_manages_accounts_links_a_person_to_one(
    client_of: ClientOf, clerk: User, county_admin: User, world: World
) -> None:
    # Whoever could link his account to a class teacher's record would read private notes.
    url = page(Staff, "change", world.home.colleague.pk)
    response = send(client_of(clerk), url, account=str(clerk.pk), post="教师")
    assert response.status_code == 302
    world.home.colleague.refresh_from_db()
    assert (world.home.colleague.account, world.home.colleague.post) == (None, "教师")
    assert "account" in client_of(county_admin).get(url).context["adminform"].form.fields


def test_a_school_sees_the_documents_of_the_county_and_changes_its_own(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    county_document = factories.DocumentFactory(county=world.county, school=None)
    client = client_of(clerk)
    opened = client.get(page(type(county_document), "change", county_document.pk))
    assert opened.status_code == 200
    assert not opened.context["has_change_permission"]
    assert client.post(page(type(county_document), "change", county_document.pk), {"title": "x"}).status_code == 403
    assert client.get(page(type(county_document), "delete", county_document.pk)).status_code == 403
    own = client.get(page(type(county_document), "change", world.home.document.pk))
    assert own.context["has_change_permission"]


def test_schools_of_the_class_page_are_not_asked_where_there_is_only_one(
    client_of: ClientOf, clerk: User, school: School
) -> None:
    data = {"school": school.pk, "stage": "primary", "entry_year": "2024", "number": "7"}
    assert send(client_of(clerk), page(SchoolClass, "add"), **data).status_code == 302
    assert SchoolClass.objects.get(school=school, number=7).entry_year == 2024
