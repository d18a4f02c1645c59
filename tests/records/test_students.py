"""Pupils, enrolments and recognitions through the real forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from povertyaid.lib import periods
from povertyaid.schools import todo
from povertyaid.schools.models import School, SchoolClass, User
from povertyaid.schools.roles import Role
from students.models import Enrolment, Recognition, Student
from tests import factories, personas
from tests.personas import World, as_new
from tests.records.pages import errors_of, field_names, page, run_action, saved, send, told

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
ADD = "/students/student/add/"
BOY_BIRTH = dt.date(2016, 11, 2)
BOY = factories.identity_number(BOY_BIRTH, 4, "male")


def now() -> str:
    return factories.semester_now()


def before() -> str:
    return periods.shift_semester(now(), -1)


def enter(client: Client, school_class: SchoolClass, **values: object) -> Any:
    """Send the form of a new pupil."""
    row = {"enrolments-0-school_class": school_class.pk, "enrolments-0-start_on": "2024-09-01"}
    return send(client, ADD, **{"name": "杨小川", "identity": BOY, **row, **values})


def test_a_clerk_enters_a_pupil_with_name_number_and_class(
    client_of: ClientOf, clerk: User, school_class: SchoolClass
) -> None:
    response = enter(client_of(clerk), school_class)
    student = Student.objects.visible_to(clerk).get()
    assert response.status_code == 302
    assert (student.sex, student.birth_date, student.identity.clear) == ("male", BOY_BIRTH, BOY)
    enrolment = student.enrolments.get()
    assert (enrolment.school, enrolment.school_class, enrolment.state) == (
        school_class.school,
        school_class,
        "enrolled",
    )


def test_what_the_form_asks_first_is_short(client_of: ClientOf, clerk: User) -> None:
    response = client_of(clerk).get(ADD)
    first = next(iter(response.context["adminform"]))
    assert [name for line in first for name in line.fields] == [
        "name",
        "identity",
        "sex",
        "birth_date",
        "boarding",
        "left_behind",
    ]
    assert not {name for name in field_names(client_of(clerk), ADD) if name == "school"}


def test_a_pupil_needs_a_school_and_the_sex(
    client_of: ClientOf, clerk: User, school_class: SchoolClass
) -> None:
    client = client_of(clerk)
    no_row = send(client, ADD, **{"name": "杨小川", "identity": BOY, "enrolments-TOTAL_FORMS": 0})
    assert errors_of(no_row)
    no_sex = enter(client, school_class, identity="")
    assert list(no_sex.context["adminform"].form.errors) == ["sex"]
    wrong = enter(client, school_class, sex="female", birth_date="2016-11-03")
    assert sorted(wrong.context["adminform"].form.errors) == ["birth_date", "sex"]
    assert not Student.objects.exists()


def test_a_number_of_another_school_is_refused_without_a_word_about_its_pupil(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    rival = world.rival.pupil
    response = enter(client, world.home.school_class, identity=rival.identity.clear)
    assert len(errors_of(response)) == 1
    assert rival.name not in response.content.decode()
    # One's own pupil is named, so that nobody enters the child a second time.
    own = world.home.pupil
    response = enter(client, world.home.school_class, identity=own.identity.clear)
    assert own.name in errors_of(response)[0]


def test_a_second_present_enrolment_is_refused_and_a_move_within_one_form_works(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client, student = client_of(clerk), world.home.pupil
    url = page(Student, "change", student.pk)
    row = {
        "enrolments-TOTAL_FORMS": 2,
        "enrolments-1-school": world.home.school.pk,
        "enrolments-1-school_class": world.home.other_class.pk,
        "enrolments-1-state": "enrolled",
        "enrolments-1-start_on": "2026-03-01",
    }
    assert len(errors_of(send(client, url, **row))) == 1
    ended = {"enrolments-0-state": "transferred", "enrolments-0-end_on": "2026-02-28"}
    saved(client, url, **row, **ended)
    live = student.enrolments.get(state="enrolled")
    assert live.school_class == world.home.other_class


@pytest.mark.parametrize("kind", ["school", "school_class"])
def test_a_forged_school_or_class_is_refused(
    client_of: ClientOf, clerk: User, world: World, kind: str
) -> None:
    value = world.rival.school.pk if kind == "school" else world.rival.school_class.pk
    response = enter(client_of(clerk), world.home.school_class, **{f"enrolments-0-{kind}": value})
    assert len(errors_of(response)) == 1
    assert not Student.objects.filter(name="杨小川").exists()


def test_a_forged_household_member_is_refused(client_of: ClientOf, clerk: User, world: World) -> None:
    url = page(Student, "change", world.home.pupil.pk)
    assert len(errors_of(send(client_of(clerk), url, member=world.rival.child.pk))) == 1


def test_the_rival_finds_neither_list_nor_page_nor_choice(
    client_of: ClientOf, rival_clerk: User, world: World
) -> None:
    client = client_of(rival_clerk)
    for record in (world.home.pupil, world.home.enrolment, world.home.recognition):
        listed = client.get(page(type(record), "changelist"), {"q": world.home.pupil.name}).content.decode()
        assert f"/{record._meta.model_name}/{record.pk}/change/" not in listed
        assert client.get(page(type(record), "change", record.pk)).status_code == 404
        assert client.post(page(type(record), "change", record.pk), {"name": "甲"}).status_code == 404
    choices = client.get(
        "/autocomplete/",
        {
            "app_label": "students",
            "model_name": "recognition",
            "field_name": "student",
            "term": world.home.pupil.name,
        },
    ).json()["results"]
    assert str(world.home.pupil.pk) not in [item["id"] for item in choices]
    # Actions on numbers that are not one's own do nothing.
    url = page(Student, "changelist")
    chosen = {"action": "end_enrolment", "_selected_action": [world.home.pupil.pk], "confirmed": "yes"}
    client.post(url, {**chosen, "state": "left", "end_on": "2026-03-01"})
    world.home.enrolment.refresh_from_db()
    assert world.home.enrolment.state == "enrolled"


def test_a_class_teacher_changes_the_own_pupils_and_not_their_enrolment(
    client_of: ClientOf, class_teacher: User, world: World
) -> None:
    client = client_of(class_teacher)
    url = page(Student, "change", world.home.pupil.pk)
    names = field_names(client, url)
    assert "phone" in names
    # Rows that are only read send nothing but their keys.
    rows = {name.rpartition("-")[2] for name in names if name.startswith(("enrolments", "recognitions"))}
    assert rows == {"id", "student"}
    saved(client, url, boarding="boarding")
    world.home.pupil.refresh_from_db()
    assert world.home.pupil.boarding == "boarding"
    assert client.get(page(Student, "add")).status_code == 403
    assert client.get(page(Student, "change", world.home.other_pupil.pk)).status_code == 404


def test_a_class_teacher_only_reads_a_pupil_whom_the_teacher_merely_helps(
    client_of: ClientOf, class_teacher: User, world: World
) -> None:
    factories.PairingFactory(helper=class_teacher.staff, student=world.home.other_pupil)
    client = client_of(as_new(class_teacher))
    url = page(Student, "change", world.home.other_pupil.pk)
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "改名"}).status_code == 403


def test_a_principal_who_teaches_changes_only_the_own_class(
    client_of: ClientOf, principal: User, world: World
) -> None:
    world.home.other_class.teacher = principal.staff
    world.home.other_class.save()
    client = client_of(as_new(principal))
    assert client.post(page(Student, "change", world.home.pupil.pk), {"name": "改名"}).status_code == 403
    saved(client, page(Student, "change", world.home.other_pupil.pk), address="竹溪组")


def test_graduates_are_moved_in_bulk_after_a_question(client_of: ClientOf, clerk: User, world: World) -> None:
    pupils = [world.home.pupil, world.home.other_pupil]
    response = run_action(
        client_of(clerk), Student, "end_enrolment", pupils, state="graduated", end_on="2026-07-01"
    )
    assert len(told(response)) == 1
    found = Enrolment.objects.filter(student__in=pupils).values_list("state", "end_on")
    assert set(found) == {("graduated", dt.date(2026, 7, 1))}
    again = run_action(client_of(clerk), Student, "end_enrolment", pupils, state="left", end_on="2026-07-02")
    assert len(told(again)) == 1
    assert set(Enrolment.objects.filter(student__in=pupils).values_list("state", flat=True)) == {"graduated"}


def test_an_action_without_its_entries_changes_nothing(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    response = run_action(client_of(clerk), Student, "end_enrolment", [world.home.pupil], state="", end_on="")
    assert response.context["form"].errors.keys() == {"state", "end_on"}
    world.home.enrolment.refresh_from_db()
    assert world.home.enrolment.state == "enrolled"


def test_pupils_are_put_into_a_class_of_their_school_only(
    client_of: ClientOf, central_clerk: User, world: World, teaching_point: School
) -> None:
    elsewhere = factories.SchoolClassFactory(school=teaching_point)
    client, pupils = client_of(central_clerk), [world.home.pupil, world.home.other_pupil]
    refused = run_action(client, Student, "put_into_class", pupils, school_class=elsewhere.pk)
    assert refused.context["form"].errors
    run_action(client, Student, "put_into_class", pupils, school_class=world.home.other_class.pk)
    live = Enrolment.objects.filter(student__in=pupils, state="enrolled")
    assert set(live.values_list("school_class", flat=True)) == {world.home.other_class.pk}


def test_recognition_is_carried_on_with_level_and_groups(
    client_of: ClientOf, clerk: User, school_class: SchoolClass
) -> None:
    carried, already, fresh = (factories.enrolled(school_class) for _ in range(3))
    gone = factories.StudentFactory()
    factories.EnrolmentFactory(student=gone, school_class=school_class, state="left")
    group, other = factories.SpecialGroupFactory(), factories.SpecialGroupFactory(code="orphan", name="孤儿")
    for student in (carried, already, gone):
        factories.RecognitionFactory(
            student=student,
            school=school_class.school,
            semester=before(),
            level="special",
            primary_group=group,
            groups=[group, other],
        )
    factories.RecognitionFactory(student=already, school=school_class.school, semester=now(), level="general")
    lines = {item.url: item.count for item in todo.lines(as_new(clerk), dt.date.today())}  # noqa: DTZ011 - any day of the semester
    assert lines["/students/student/?enrolment=now&recognition=last"] == 1
    response = run_action(
        client_of(clerk), Student, "carry_on", [carried, already, fresh, gone], semester=now()
    )
    assert len(told(response)) == 4
    new = Recognition.objects.get(student=carried, semester=now())
    assert (new.level, new.primary_group, new.school_class) == ("special", group, school_class)
    assert set(new.special_groups.all()) == {group, other}
    assert Recognition.objects.filter(semester=now()).count() == 2


def test_recognition_form_presets_and_derives(client_of: ClientOf, clerk: User, world: World) -> None:
    client, group = client_of(clerk), factories.SpecialGroupFactory()
    url = page(Recognition, "add")
    assert client.get(url).context["adminform"].form["semester"].value() == now()
    saved(client, url, student=world.home.other_pupil.pk, level="hard", primary_group=group.pk)
    new = Recognition.objects.get(student=world.home.other_pupil)
    assert (new.school, new.school_class, new.state) == (
        world.home.school,
        world.home.other_class,
        "recognised",
    )
    assert list(new.special_groups.all()) == [group]
    again = send(client, url, student=world.home.other_pupil.pk, level="hard")
    assert len(errors_of(again)) == 1


def test_the_primary_group_is_one_of_the_groups(client_of: ClientOf, clerk: User, world: World) -> None:
    group, other = factories.SpecialGroupFactory(), factories.SpecialGroupFactory(code="orphan", name="孤儿")
    url = page(Recognition, "change", world.home.recognition.pk)
    client = client_of(clerk)
    response = send(client, url, special_groups=[other.pk], primary_group=group.pk)
    assert list(response.context["adminform"].form.errors) == ["primary_group"]
    saved(client, url, special_groups=[other.pk], primary_group="")
    world.home.recognition.refresh_from_db()
    assert world.home.recognition.primary_group == other


def test_a_pupil_of_another_school_or_a_wrong_semester_is_refused(
    client_of: ClientOf, central_clerk: User, world: World, teaching_point: School
) -> None:
    client, url = client_of(central_clerk), page(Recognition, "add")
    pupil = world.home.other_pupil.pk
    assert errors_of(send(client, url, student=world.rival.pupil.pk, level="hard"))
    assert len(errors_of(send(client, url, student=pupil, school=teaching_point.pk, level="hard"))) == 1
    assert len(errors_of(send(client, url, student=pupil, semester="2025-2027-1", level="hard"))) == 1
    assert not Recognition.objects.filter(student=pupil).exists()


def test_recognitions_move_only_where_their_steps_lead(
    client_of: ClientOf, clerk: User, world: World, school_class: SchoolClass
) -> None:
    applied = factories.RecognitionFactory(
        student=world.home.other_pupil, school=world.home.school, state="applied"
    )
    records: list[Any] = [world.home.recognition, applied]
    response = run_action(client_of(clerk), Recognition, "move", records, state="filed")
    assert len(told(response)) == 2
    states = set(
        Recognition.objects.filter(pk__in=[item.pk for item in records]).values_list("state", flat=True)
    )
    assert states == {"filed", "applied"}
    impossible = run_action(client_of(clerk), Recognition, "move", [applied], state="filed")
    assert impossible.context["form"].errors


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"recognition": "now"}, "pupil"),
        ({"recognition": "none"}, "other_pupil"),
        ({"pairing": "yes"}, "pupil"),
        ({"pairing": "no"}, "other_pupil"),
        ({"level": "hard"}, "pupil"),
        ({"boarding__exact": "boarding"}, "other_pupil"),
    ],
)
def test_filters_of_the_list_of_pupils(
    client_of: ClientOf, clerk: User, world: World, params: dict[str, str], found: str
) -> None:
    world.home.other_pupil.boarding = "boarding"
    world.home.other_pupil.save()
    listed = client_of(clerk).get(page(Student, "changelist"), params).context["cl"].queryset
    assert list(listed) == [getattr(world.home, found)]


def test_filters_by_class_and_group_and_foreign_values(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client, url = client_of(clerk), page(Student, "changelist")
    by_class = client.get(url, {"class": world.home.other_class.pk}).context["cl"].queryset
    assert list(by_class) == [world.home.other_pupil]
    by_group = client.get(url, {"group": str(world.home.recognition.primary_group_id)}).context["cl"].queryset
    assert list(by_group) == [world.home.pupil]
    for nonsense in ({"class": "x"}, {"class": world.rival.school_class.pk}, {"group": "-1"}):
        assert client.get(url, nonsense).context["cl"].queryset.count() == 2


def test_search_by_pupil_number_initials_and_last_four(
    client_of: ClientOf, bureau_clerk: User, world: World
) -> None:
    client, pupil = client_of(bureau_clerk), world.home.pupil
    for term in (
        pupil.name,
        pupil.name_initials,
        pupil.identity.clear,
        pupil.pupil_number.clear,
        pupil.pupil_number_last4,
    ):
        found = client.get(page(Student, "changelist"), {"q": term}).context["cl"].queryset
        assert pupil in found
        assert world.rival.pupil not in found


def test_the_list_holds_present_pupils_until_somebody_searches(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    world.home.enrolment.state, world.home.enrolment.end_on = "graduated", dt.date(2026, 6, 30)
    world.home.enrolment.save()
    client, url, gone = client_of(clerk), page(Student, "changelist"), world.home.pupil
    assert list(client.get(url).context["cl"].queryset) == [world.home.other_pupil]
    for params in ({"q": gone.name}, {"enrolment": "past"}):
        assert list(client.get(url, params).context["cl"].queryset) == [gone]
    assert client.get(url, {"enrolment": "all"}).context["cl"].queryset.count() == 2


def test_namesakes_are_told_apart_by_their_class(client_of: ClientOf, clerk: User, world: World) -> None:
    results = (
        client_of(clerk)
        .get(
            "/autocomplete/",
            {
                "app_label": "students",
                "model_name": "recognition",
                "field_name": "student",
                "term": world.home.pupil.name,
            },
        )
        .json()["results"]
    )
    text = next(item["text"] for item in results if item["id"] == str(world.home.pupil.pk))
    assert str(world.home.school_class) in text


def test_the_bureau_corrects_a_pupil_without_being_asked_for_a_school(
    client_of: ClientOf, bureau_clerk: User, world: World
) -> None:
    saved(client_of(bureau_clerk), page(Student, "change", world.home.pupil.pk), address="新地址")
    assert client_of(bureau_clerk).get(ADD).status_code == 403


def test_a_former_pupils_new_school_is_not_told(client_of: ClientOf, clerk: User, world: World) -> None:
    world.home.enrolment.state, world.home.enrolment.end_on = "transferred", dt.date(2026, 2, 20)
    world.home.enrolment.save()
    factories.EnrolmentFactory(
        student=world.home.pupil, school_class=world.rival.school_class, start_on=dt.date(2026, 2, 21)
    )
    client = client_of(clerk)
    for url in (page(Student, "changelist"), page(Student, "change", world.home.pupil.pk)):
        assert world.rival.school.name not in client.get(url).content.decode()
    second = {
        "enrolments-TOTAL_FORMS": 2,
        "enrolments-1-school": world.home.school.pk,
        "enrolments-1-state": "enrolled",
    }
    response = send(client, page(Student, "change", world.home.pupil.pk), **second)
    assert len(errors_of(response)) == 1


def test_inspectors_read_and_cannot_write(client_of: ClientOf, inspector: User, world: World) -> None:
    client = client_of(inspector)
    assert client.get(page(Student, "change", world.home.pupil.pk)).status_code == 200
    assert client.post(page(Student, "change", world.home.pupil.pk), {"name": "甲"}).status_code == 403
    assert personas.POSTS[Role.INSPECTOR] == inspector.staff.post
