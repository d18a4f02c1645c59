"""The page on which rows that nearly match somebody are compared and decided."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from povertyaid.imports import services
from povertyaid.imports.deciding import DecisionError, decide, key_of, same_answers, undecide
from povertyaid.imports.models import ImportBatch, ImportRow, WrongBatchMoveError
from povertyaid.schools.models import School, SchoolClass, User
from students.models import Enrolment, Student
from tests import factories
from tests.imports.test_near_misses import LE, NEW, YU, Desk, questions, row

ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def first_class(school: School) -> SchoolClass:
    found: SchoolClass = factories.SchoolClassFactory(
        school=school, stage="primary", entry_year=2025, number=1
    )
    return found


@pytest.fixture
def yu(first_class: SchoolClass) -> Student:
    return factories.enrolled(first_class, name="李晓雨", identity=YU, birth_date=dt.date(2017, 3, 14))


@pytest.fixture
def desk(school: School, clerk: User) -> Desk:
    return Desk(clerk, school)


def url(batch: ImportBatch) -> str:
    return reverse("imports:decide", args=[batch.pk])


RADIO = re.compile(r'<input type="radio" name="[^"]+" value="([^"]+)"( checked)?>([^<]*)')
BUTTON = re.compile(r'<button type="submit" class="button" name="(\w+)" value="([^"]+)"')
DIFFERS = re.compile(r'<td class="differs">(.*?)</td>')


def radios(page: str) -> dict[str, str]:
    """The answers that can be chosen, with their words."""
    return {value: text.strip() for value, _checked, text in RADIO.findall(page)}


def buttons(page: str, name: str) -> list[str]:
    return [value for found, value in BUTTON.findall(page) if found == name]


def field(batch: ImportBatch, number: int = 2) -> str:
    return "answer-" + key_of(ImportRow.objects.get(batch=batch, row=number))


def test_both_sides_stand_beside_each_other(client_of: ClientOf, desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李晓雨", NEW))
    page = client_of(desk.user).get(url(batch)).content.decode()
    assert radios(page).keys() == {f"take:{yu.pk}", f"keep:{yu.pk}", "new", "skip"}
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in text) for text in radios(page).values())
    differing = DIFFERS.findall(page)
    assert any(f"{YU[:4]}{'*' * 10}{YU[-4:]}" in text for text in differing)
    assert NEW not in page
    assert YU not in page


def test_answers_are_kept_and_the_list_is_compared_again(
    client_of: ClientOf, desk: Desk, yu: Student
) -> None:
    batch = desk.send(row("李晓雨", NEW), row("赵一鸣", LE))
    client = client_of(desk.user)
    response = client.post(url(batch), {field(batch): f"take:{yu.pk}"})
    assert response["Location"] == reverse("imports:batch", args=[batch.pk])
    batch.refresh_from_db()
    assert (batch.state, questions(batch), batch.counts["updated"]) == ("to_check", {}, 1)
    page = client.get(url(batch)).content.decode()
    key = next(iter(batch.decisions))
    assert buttons(page, "back") == [key]
    client.post(url(batch), {"back": key})
    batch.refresh_from_db()
    assert (batch.decisions, questions(batch)) == ({}, {2: "other_number"})


def test_wrong_answer_keeps_nothing_and_the_choices_stay(
    client_of: ClientOf, desk: Desk, yu: Student
) -> None:
    batch = desk.send(row("李晓雨", NEW), row("李小雨", YU))
    assert questions(batch) == {2: "other_number", 3: "other_name"}
    sent = {field(batch): f"keep:{yu.pk}", field(batch, 3): "take:999999"}
    response = client_of(desk.user).post(url(batch), sent)
    assert response.status_code == 200
    page = response.content.decode()
    checked = [value for value, chosen, _text in RADIO.findall(page) if chosen]
    assert checked == [f"keep:{yu.pk}"]
    assert page.count('class="module card errors"') == 1
    batch.refresh_from_db()
    assert batch.decisions == {}


@pytest.mark.parametrize("answer", ["take:" + "9" * 5000, "take:７", "keep:-1", "new:1", "take", "\x00"])
def test_answer_that_no_page_offers_keeps_nothing(
    client_of: ClientOf, desk: Desk, yu: Student, answer: str
) -> None:
    batch = desk.send(row("李晓雨", NEW))
    assert client_of(desk.user).post(url(batch), {field(batch): answer}).status_code == 200
    batch.refresh_from_db()
    assert batch.decisions == {}


def test_nothing_chosen_changes_nothing(client_of: ClientOf, desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李晓雨", NEW))
    assert client_of(desk.user).post(url(batch), {})["Location"] == url(batch)
    batch.refresh_from_db()
    assert (batch.decisions, questions(batch)) == ({}, {2: "other_number"})


def test_one_answer_for_all_that_are_alike(
    client_of: ClientOf, school: School, rival_school: School, bureau_clerk: User
) -> None:
    there = factories.SchoolClassFactory(school=rival_school)
    numbers = [factories.identity_number(dt.date(2017, 1, 1), serial) for serial in range(25)]
    names = [factories.person_name(serial) for serial in range(25)]
    for name, number in zip(names, numbers, strict=True):
        factories.enrolled(there, name=name, identity=number, birth_date=dt.date(2017, 1, 1))
    batch = Desk(bureau_clerk, school).send(*[row(*pair) for pair in zip(names, numbers, strict=True)])
    assert set(questions(batch).values()) == {"other_school"}
    client = client_of(bureau_clerk)
    page = client.get(url(batch)).content.decode()
    assert page.count('class="module card"') == 20
    assert buttons(page, "all") == [
        "other_school:take",
        "other_school:skip",
    ]
    client.post(url(batch), {"all": "other_school:take"})
    batch.refresh_from_db()
    assert questions(batch) == {}
    services.commit_batch(batch=batch, user=bureau_clerk, all_or_nothing=True)
    assert Enrolment.objects.filter(school=school, state="enrolled").count() == 25
    assert Enrolment.objects.filter(school=rival_school, state="transferred").count() == 25


def test_one_answer_is_only_for_what_may_be_many(desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李小雨", YU))
    assert same_answers(batch=batch, user=desk.user, code="other_name", choice="take") == {}


def test_only_lists_that_wait_are_decided(client_of: ClientOf, desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李晓雨", NEW), row("赵一鸣", LE))
    name = field(batch)
    desk.commit(batch)
    client = client_of(desk.user)
    for response in (client.get(url(batch)), client.post(url(batch), {name: "new"})):
        assert response["Location"] == reverse("imports:batch", args=[batch.pk])
    with pytest.raises(WrongBatchMoveError):
        decide(batch=batch, user=desk.user, answers={name.removeprefix("answer-"): "new"})
    with pytest.raises(WrongBatchMoveError):
        undecide(batch=batch, user=desk.user, keys=[])


def test_rows_that_are_not_asked_take_no_decision(desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李晓雨", NEW), row("赵一鸣", LE))
    key = key_of(ImportRow.objects.get(batch=batch, row=2))
    for answers in (
        {key.replace("!2!", "!3!"): "skip"},
        {key: f"take:{yu.pk + 1}"},
        {key: "keep"},
        {"": "new"},
    ):
        with pytest.raises(DecisionError) as caught:
            decide(batch=batch, user=desk.user, answers=answers)
        assert caught.value.answers.keys() == answers.keys()


def test_who_may_decide(  # noqa: PLR0917 - fixtures are asked for by name
    client_of: ClientOf, desk: Desk, yu: Student, principal: User, rival_clerk: User, class_teacher: User
) -> None:
    batch = desk.send(row("李晓雨", NEW))
    for user, status in ((principal, 403), (class_teacher, 403), (rival_clerk, 404)):
        client = client_of(user)
        assert client.get(url(batch)).status_code == status
        assert client.post(url(batch), {field(batch): "new"}).status_code == status
    batch.refresh_from_db()
    assert batch.decisions == {}


def test_queries_of_the_page_do_not_grow(client_of: ClientOf, desk: Desk, first_class: SchoolClass) -> None:
    children = [
        factories.enrolled(
            first_class,
            name=factories.person_name(serial),
            identity=factories.identity_number(dt.date(2017, 2, 1), serial),
            birth_date=dt.date(2017, 2, 1),
        )
        for serial in range(15)
    ]
    client = client_of(desk.user)

    def cost(count: int) -> int:
        rows = [
            row(child.name, factories.identity_number(dt.date(2017, 6, 20), place))
            for place, child in enumerate(children[:count])
        ]
        batch = desk.send(*rows)
        assert len(questions(batch)) == count
        with CaptureQueriesContext(connection) as found:
            assert client.get(url(batch)).status_code == 200
        return len(found)

    cost(1)
    assert cost(1) == cost(15)
