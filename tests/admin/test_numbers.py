"""Numbers that belong to one person: neutral answers about strangers, help about the own, and search."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import pytest
from django.test import Client

from povertyaid.schools.models import User
from students.models import Student
from tests import factories
from tests.personas import World
from tests.records.pages import errors_of, page, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def _enter(client: Client, world: World, number: str) -> list[str]:
    response = send(
        client,
        page(Student, "change", world.home.other_pupil.pk),
        identity=number,
        sex="",
        birth_date="",
    )
    assert response.status_code == 200
    return errors_of(response)


def test_a_number_of_a_pupil_out_of_scope_is_refused_without_a_word_about_him(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    stranger = world.rival.pupil
    text = " ".join(_enter(client_of(clerk), world, stranger.identity.clear))
    assert text
    assert stranger.name not in text
    assert world.rival.school.name not in text
    assert world.home.pupil.name not in text


def test_a_number_of_a_visible_pupil_is_refused_with_his_name(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    own = world.home.pupil
    own.name = "独一无二"
    own.save()
    assert own.name in " ".join(_enter(client_of(clerk), world, own.identity.clear))


@pytest.fixture
def pupil(world: World) -> Student:
    pupil = world.home.pupil
    pupil.name = "欧阳平安"
    pupil.identity = factories.identity_number(dt.date(2014, 5, 6), 77, "male")
    pupil.save()
    return pupil


def _found(client: Client, term: str) -> list[int]:
    response = client.get(page(Student, "changelist"), {"q": term})
    assert response.status_code == 200
    return [student.pk for student in response.context["cl"].result_list]


def test_search_by_name_pinyin_last_four_and_exact_number(client_of: ClientOf, clerk: User, pupil: Student) -> None:
    client = client_of(clerk)
    number = pupil.identity.clear
    blanked = number.lower().translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for term in ("平安", "oypa", "oyp", "OuYangPing", number[-4:], number, blanked):
        assert pupil.pk in _found(client, term), term
    assert _found(client, number) == [pupil.pk]
    assert _found(client, "oypa 平安") == [pupil.pk]
    for term in ("oypx", "pingan平", number[:-1] + ("1" if number[-1] != "1" else "2"), number[:12]):
        assert pupil.pk not in _found(client, term), term


def test_a_number_does_not_find_a_pupil_out_of_scope(client_of: ClientOf, clerk: User, world: World) -> None:
    assert _found(client_of(clerk), world.rival.pupil.identity.clear) == []
    assert _found(client_of(clerk), world.rival.pupil.identity.clear[-4:]) == [
        student.pk
        for student in Student.objects.visible_to(clerk)
        if student.identity_last4 == world.rival.pupil.identity.clear[-4:]
    ]


def test_what_is_searched_for_never_comes_into_the_log(
    client_of: ClientOf, clerk: User, pupil: Student, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        _found(client_of(clerk), pupil.identity.clear)
        response = client_of(clerk).get(page(Student, "changelist"))
    assert "students/student" in caplog.text
    assert pupil.identity.clear not in caplog.text
    assert pupil.identity.clear[6:14] not in caplog.text
    assert response["Referrer-Policy"] == "same-origin"


def test_the_form_shows_numbers_in_one_line_and_masked(client_of: ClientOf, clerk: User, pupil: Student) -> None:
    form = client_of(clerk).get(page(Student, "change", pupil.pk)).context["adminform"].form
    assert form.fields["identity"].widget.input_type == "text"
    number = pupil.identity.clear
    assert f"{number[:4]}**********{number[-4:]}" in str(form["identity"])
