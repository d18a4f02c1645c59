"""Rows that nearly match a pupil on record: what is asked, and what each answer does, through the stored batch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from povertyaid.audit.models import Change
from povertyaid.imports import services
from povertyaid.imports.deciding import decide, key_of, undecide
from povertyaid.imports.engine import make_plan
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.options import Options
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.identity import check_character
from povertyaid.schools.models import School, SchoolClass, User
from students.models import Enrolment, Student
from tests import factories
from tests.imports.conftest import xlsx

SEMESTER = "2025-2026-2"
HEADERS = ["姓名", "性别", "身份证号码", "学籍号", "年级班级", "联系电话"]
BORN = dt.date(2017, 3, 14)
pytestmark = pytest.mark.django_db


def valid(body: str) -> str:
    """A number with these seventeen digits."""
    return body + check_character(body)


YU = factories.identity_number(BORN, 11)
LE = factories.identity_number(dt.date(2016, 9, 2), 40)
NEW = factories.identity_number(dt.date(2017, 11, 30), 77)
# One digit of the sequence, two neighbours of the birth date, and a last character that fails the check.
SLIP = valid(YU[:10] + "04" + YU[12:17])
TURNED = valid(YU[:14] + YU[15] + YU[14] + YU[16])
FAILED = YU[:17] + ("1" if YU[17] != "1" else "2")


@dataclass
class Desk:
    """An account that sends lists of pupils for a school, decides and confirms."""

    user: User
    school: School
    kind: str = "students"

    def send(self, *rows: list[Any], headers: list[str] | None = None) -> ImportBatch:
        """The batch with its preview."""
        batch = services.receive(
            data=xlsx([headers or HEADERS, *rows]),
            name="名单.xlsx",
            user=self.user,
            options=Options(self.school.code, SEMESTER),
            kinds=[self.kind],
        )
        return services.prepare(batch=batch, user=self.user)

    def answer(self, batch: ImportBatch, *choices: tuple[int, str]) -> ImportBatch:
        """Decide rows, and compare once more."""
        rows = {row.row: row for row in ImportRow.objects.filter(batch=batch, question__isnull=False)}
        decide(batch=batch, user=self.user, answers={key_of(rows[row]): text for row, text in choices})
        return services.prepare(batch=batch, user=self.user)

    def commit(self, batch: ImportBatch) -> ImportBatch:
        """Write the good rows."""
        return services.commit_batch(batch=batch, user=self.user, all_or_nothing=False)

    def settle(self, batch: ImportBatch, *choices: tuple[int, str]) -> ImportBatch:
        """Decide, see that nothing is asked any more, and write."""
        batch = self.answer(batch, *choices)
        assert questions(batch) == {}
        return self.commit(batch)


def questions(batch: ImportBatch) -> dict[int, str]:
    """Which near miss each row is asked about."""
    rows = ImportRow.objects.filter(batch=batch, question__isnull=False).order_by("row")
    return {row.row: row.question["code"] for row in rows if row.question is not None}


def question(batch: ImportBatch, row: int = 2) -> dict[str, Any]:
    found: dict[str, Any] | None = ImportRow.objects.get(batch=batch, row=row).question
    assert found is not None
    return found


def candidates(batch: ImportBatch, row: int = 2) -> dict[int, list[str]]:
    """Who may be meant, and what may be chosen for each."""
    return {item["pk"]: item["choices"] for item in question(batch, row)["candidates"]}


def row(name: str, identity: str | None = None, **values: Any) -> list[Any]:
    found = {
        "姓名": name,
        "性别": "女",
        "身份证号码": identity,
        "年级班级": "一年级1班",
        "联系电话": None,
        **values,
    }
    return [found.get(header) for header in HEADERS]


@pytest.fixture
def first_class(school: School) -> SchoolClass:
    return factories.SchoolClassFactory(school=school, stage="primary", entry_year=2025, number=1)


@pytest.fixture
def yu(first_class: SchoolClass) -> Student:
    """李晓雨, whose number is right on record."""
    return factories.enrolled(
        first_class, name="李晓雨", identity=YU, birth_date=BORN, pupil_number="G" + YU, phone="13900001111"
    )


@pytest.fixture
def le(first_class: SchoolClass) -> Student:
    """李晓乐, the elder sister: one family telephone."""
    return factories.enrolled(
        first_class,
        name="李晓乐",
        identity=LE,
        birth_date=dt.date(2016, 9, 2),
        pupil_number="G" + LE,
        phone="13900001111",
    )


@pytest.fixture
def desk(school: School, clerk: User) -> Desk:
    return Desk(clerk, school)


def number_of(student: Student) -> str:
    return str(Student.objects.get(pk=student.pk).identity.clear)


# Same number, other name


def test_other_name_is_asked_and_both_answers_hold(desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李小雨", YU, 联系电话="13911112222"))
    assert questions(batch) == {2: "other_name"}
    assert batch.counts["asked"] == batch.counts["rejected"] == 1
    assert candidates(batch) == {yu.pk: ["take", "keep"]}
    batch = desk.answer(batch, (2, f"keep:{yu.pk}"))
    assert (batch.counts["updated"], batch.counts["asked"]) == (1, 0)
    desk.commit(batch)
    yu.refresh_from_db()
    assert (yu.name, yu.phone) == ("李晓雨", "13911112222"), "the name stays, the rest is taken"
    desk.settle(desk.send(row("李小雨", YU)), (2, f"take:{yu.pk}"))
    yu.refresh_from_db()
    assert (yu.name, Student.objects.count()) == ("李小雨", 1)


def test_name_right_and_number_of_a_classmate(desk: Desk, yu: Student, first_class: SchoolClass) -> None:
    """Without a tie of family or a row that says otherwise it is a wrong number: the right pupil can be kept."""
    other = factories.enrolled(first_class, name="王子涵", identity=LE, phone="", guardian_name="")
    batch = desk.send(row("李晓雨", LE, 联系电话="13911113333"))
    assert questions(batch) == {2: "other_name"}
    assert candidates(batch) == {other.pk: ["take", "keep"], yu.pk: ["keep"]}
    desk.settle(batch, (2, f"keep:{yu.pk}"))
    yu.refresh_from_db()
    other.refresh_from_db()
    assert (yu.phone, yu.identity.clear, other.name) == ("13911113333", YU, "王子涵")


# Same name and class, other number


@pytest.mark.parametrize("answer", ["take", "keep", "new"])
def test_other_number_in_the_class(desk: Desk, yu: Student, answer: str) -> None:
    batch = desk.send(row("李晓雨", NEW))
    assert questions(batch) == {2: "other_number"}
    fact = next(item for item in question(batch)["candidates"][0]["facts"] if item["differs"])
    assert fact["row"] == f"{NEW[:4]}{'*' * 10}{NEW[-4:]}"
    assert fact["stored"] == f"{YU[:4]}{'*' * 10}{YU[-4:]}"
    desk.settle(batch, (2, answer if answer == "new" else f"{answer}:{yu.pk}"))
    yu.refresh_from_db()
    assert yu.identity.clear == (NEW if answer == "take" else YU)
    assert Student.objects.count() == (2 if answer == "new" else 1)
    if answer == "take":
        assert (yu.identity_hash, yu.birth_date) == (lookup_hash("identity", NEW), dt.date(2017, 11, 30))


def test_row_left_out_is_listed(desk: Desk, yu: Student) -> None:
    batch = desk.answer(desk.send(row("李晓雨", NEW), row("赵一鸣", LE)), (2, "skip"))
    assert ImportRow.objects.get(batch=batch, row=2).outcome == "ignored"
    assert (batch.counts["created"], batch.counts["rejected"], batch.counts["ignored"]) == (1, 0, 2), (
        "with the header"
    )


# Almost the same number


@pytest.mark.parametrize("written", [SLIP, TURNED])
@pytest.mark.parametrize("answer", ["take", "keep"])
def test_slip_in_the_number(desk: Desk, yu: Student, written: str, answer: str) -> None:
    batch = desk.send(row("李晓雨", written, 联系电话="13911114444"))
    assert questions(batch) == {2: "close_number"}
    told = question(batch)["message"]
    assert written not in told
    assert YU not in told
    desk.settle(batch, (2, f"{answer}:{yu.pk}"))
    yu.refresh_from_db()
    assert (yu.identity.clear, yu.phone) == (written if answer == "take" else YU, "13911114444")


def test_slip_is_found_in_another_class_and_under_another_name(desk: Desk, yu: Student) -> None:
    elsewhere = desk.send(row("李晓雨", SLIP, 年级班级="一年级2班"))
    assert questions(elsewhere) == {2: "close_number"}
    renamed = desk.send(row("李小羽", TURNED))
    assert questions(renamed) == {2: "close_number"}
    desk.settle(renamed, (2, "new"))
    assert set(Student.objects.values_list("name", flat=True)) == {"李晓雨", "李小羽"}


def test_slip_in_the_pupil_number(desk: Desk, yu: Student) -> None:
    written = "G" + YU[:9] + str((int(YU[9]) + 1) % 10) + YU[10:]
    batch = desk.send(row("李晓雨", None, 学籍号=written))
    assert questions(batch) == {2: "close_number"}
    desk.settle(batch, (2, f"keep:{yu.pk}"))
    yu.refresh_from_db()
    assert yu.pupil_number.clear == "G" + YU


def test_number_that_fails_its_check_can_be_settled(desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李晓雨", FAILED, 联系电话="13911115555"), row("李晓冬", FAILED))
    assert questions(batch) == {2: "close_number"}
    assert candidates(batch) == {yu.pk: ["keep"]}, "a wrong number is never taken"
    batch = desk.answer(batch, (2, f"keep:{yu.pk}"))
    assert (batch.counts["updated"], batch.counts["rejected"]) == (1, 1)
    desk.commit(batch)
    yu.refresh_from_db()
    assert (yu.identity.clear, yu.phone) == (YU, "13911115555")


# Numbers of sisters swapped


def test_swapped_numbers_list_right(desk: Desk, yu: Student, le: Student) -> None:
    batch = desk.send(row("李晓雨", LE), row("李晓乐", YU))
    assert questions(batch) == {2: "swapped_numbers", 3: "swapped_numbers"}
    assert candidates(batch) == {yu.pk: ["take", "keep"], le.pk: []}
    desk.settle(batch, (2, f"take:{yu.pk}"), (3, f"take:{le.pk}"))
    assert (number_of(yu), number_of(le)) == (LE, YU)
    yu.refresh_from_db()
    assert (yu.name, yu.birth_date) == ("李晓雨", dt.date(2016, 9, 2))
    history = str(list(Change.objects.filter(model="students.student").values()))
    assert YU[-4:] in history
    assert YU not in history


def test_swapped_numbers_record_right(desk: Desk, yu: Student, le: Student) -> None:
    batch = desk.send(row("李晓雨", LE, 联系电话="13911116666"), row("李晓乐", YU))
    desk.settle(batch, (2, f"keep:{yu.pk}"), (3, f"keep:{le.pk}"))
    yu.refresh_from_db()
    assert (yu.identity.clear, yu.phone, number_of(le)) == (YU, "13911116666", LE)


def test_swapped_numbers_with_one_row_are_exchanged(desk: Desk, yu: Student, le: Student) -> None:
    batch = desk.send(row("李晓雨", LE))
    assert questions(batch) == {2: "swapped_numbers"}
    desk.settle(batch, (2, f"take:{yu.pk}"))
    assert (number_of(yu), number_of(le)) == (LE, YU)


def test_swapped_numbers_decided_for_one_row_only(desk: Desk, yu: Student, le: Student) -> None:
    """The other row keeps its number, so that the first cannot get it: refused, and nothing is half swapped."""
    batch = desk.send(row("李晓雨", LE), row("李晓乐", YU))
    batch = desk.answer(batch, (2, f"take:{yu.pk}"), (3, f"keep:{le.pk}"))
    assert batch.counts["rejected"] == 1
    desk.commit(batch)
    assert (number_of(yu), number_of(le)) == (YU, LE)


def test_swapped_pupil_numbers(desk: Desk, yu: Student, le: Student) -> None:
    batch = desk.send(row("李晓雨", YU, 学籍号="G" + LE), row("李晓乐", LE, 学籍号="G" + YU))
    assert questions(batch) == {2: "swapped_numbers", 3: "swapped_numbers"}
    desk.settle(batch, (2, f"take:{yu.pk}"), (3, f"take:{le.pk}"))
    for student, number in ((yu, "G" + LE), (le, "G" + YU)):
        student.refresh_from_db()
        assert student.pupil_number.clear == number


# The guardian's number


@pytest.fixture
def mother(desk: Desk, clerk: User, school: School) -> str:
    """A mother in a household that the school helps."""
    number = factories.identity_number(dt.date(1990, 5, 5), 3)
    household = factories.HouseholdFactory(county=school.county)
    factories.AssignmentFactory(household=household, school=school)
    factories.MemberFactory(household=household, name="陈秀英", relation_to_head="spouse", identity=number)
    return number


def test_number_of_a_grown_up_of_a_household(desk: Desk, yu: Student, mother: str) -> None:
    batch = desk.send(row("李晓雨", mother, 联系电话="13911117777"), row("赵一鸣", NEW))
    assert questions(batch) == {2: "guardians_number"}
    assert (candidates(batch), question(batch)["choices"]) == ({yu.pk: ["keep"]}, ["keep", "skip"])
    assert "陈秀英" in question(batch)["message"]
    desk.settle(batch, (2, f"keep:{yu.pk}"))
    yu.refresh_from_db()
    assert (yu.identity.clear, yu.phone) == (YU, "13911117777")


@pytest.mark.parametrize("answer", ["take", "keep", "new"])
def test_age_of_a_grown_up(desk: Desk, yu: Student, answer: str) -> None:
    number = factories.identity_number(dt.date(1988, 1, 1), 5)
    batch = desk.send(row("李晓雨", number))
    assert questions(batch) == {2: "guardians_number"}
    desk.settle(batch, (2, answer if answer == "new" else f"{answer}:{yu.pk}"))
    assert number_of(yu) == (number if answer == "take" else YU)
    assert Student.objects.count() == (2 if answer == "new" else 1)


def test_number_in_the_column_of_the_guardian(desk: Desk, first_class: SchoolClass) -> None:
    number = factories.identity_number(dt.date(2010, 1, 1), 5)
    headers = ["姓名", "身份证号码", "年级班级", "监护人身份证号"]
    batch = desk.send(["李晓雨", number, "一年级1班", number], headers=headers)
    assert questions(batch) == {2: "guardians_number"}
    assert question(batch)["choices"] == ["keep", "skip"]


# Another school


def test_pupil_comes_over_from_another_school(
    school: School, rival_school: School, bureau_clerk: User
) -> None:
    desk = Desk(bureau_clerk, school)
    there = factories.SchoolClassFactory(school=rival_school)
    pupil = factories.enrolled(there, name="李晓雨", identity=YU, birth_date=BORN)
    batch = desk.send(row("李晓雨", YU))
    assert questions(batch) == {2: "other_school"}
    assert question(batch)["choices"] == ["take", "skip"]
    desk.settle(batch, (2, f"take:{pupil.pk}"))
    left = Enrolment.objects.get(student=pupil, school=rival_school)
    assert (left.state, left.end_on) == ("transferred", dt.date(2026, 2, 1))
    here = Enrolment.objects.get(student=pupil, school=school)
    assert (here.state, here.start_on) == ("enrolled", dt.date(2026, 2, 1))
    assert desk.send(row("李晓雨", YU)).counts["unchanged"] == 1


def test_school_out_of_scope_is_neither_asked_nor_named(
    desk: Desk, rival_school: School, bureau_clerk: User
) -> None:
    there = factories.SchoolClassFactory(school=rival_school)
    factories.enrolled(there, name="李晓雨", identity=YU, birth_date=BORN)
    for written in (row("李晓雨", YU), row("李晓雨", SLIP), row("李晓雨", NEW, 年级班级="一年级3班")):
        batch = desk.send(written)
        assert questions(batch) == {}
        assert rival_school.name not in str(batch.report) + str(list(batch.rows.values_list("messages")))
    # The rival is a near miss for who may know of both schools.
    assert questions(Desk(bureau_clerk, desk.school).send(row("李晓雨", SLIP))) == {2: "close_number"}


def test_candidate_out_of_scope_is_hidden_and_cannot_be_chosen(
    desk: Desk, rival_school: School, bureau_clerk: User, clerk: User
) -> None:
    from povertyaid.imports.deciding import DecisionError, as_asked, asked_rows

    there = factories.SchoolClassFactory(school=rival_school)
    pupil = factories.enrolled(there, name="李晓雨", identity=YU, birth_date=BORN)
    batch = Desk(bureau_clerk, desk.school).send(row("李晓雨", SLIP))
    asked = as_asked(asked_rows(batch, clerk), clerk)
    assert [(item.candidates, item.choices) for item in asked] == [([], ["new", "skip"])]
    with pytest.raises(DecisionError):
        decide(batch=batch, user=clerk, answers={asked[0].key: f"take:{pupil.pk}"})
    batch.refresh_from_db()
    assert batch.decisions == {}


# Namesakes


@pytest.fixture
def namesakes(first_class: SchoolClass) -> list[Student]:
    """Two girls of one name in one class."""
    return [
        factories.enrolled(first_class, name="张雨桐", identity=number, phone="", pupil_number="")
        for number in (YU, LE)
    ]


@pytest.mark.parametrize("answer", ["first", "second", "new"])
def test_namesakes_are_chosen_from(desk: Desk, namesakes: list[Student], answer: str) -> None:
    batch = desk.send(row("张雨桐", None, 联系电话="13911118888"))
    assert questions(batch) == {2: "namesakes"}
    assert candidates(batch) == {item.pk: ["take"] for item in namesakes}
    chosen = {"first": f"take:{namesakes[0].pk}", "second": f"take:{namesakes[1].pk}", "new": "new"}[answer]
    desk.settle(batch, (2, chosen))
    phones = [Student.objects.get(pk=item.pk).phone for item in namesakes]
    assert phones.count("13911118888") == (0 if answer == "new" else 1)
    assert Student.objects.count() == (3 if answer == "new" else 2)


def test_two_rows_cannot_mean_one_pupil(desk: Desk, namesakes: list[Student]) -> None:
    batch = desk.send(row("张雨桐", NEW), row("张雨桐", SLIP))
    assert set(questions(batch)) == {2, 3}
    assert all(len(candidates(batch, place)) == 2 for place in (2, 3))
    batch = desk.answer(batch, (2, f"take:{namesakes[0].pk}"), (3, f"take:{namesakes[0].pk}"))
    assert (batch.counts["updated"], batch.counts["rejected"]) == (1, 1)


# Decisions


def test_decision_for_nobody_who_may_be_meant_counts_as_none(desk: Desk, yu: Student, le: Student) -> None:
    batch = desk.send(row("李晓雨", NEW))
    key = key_of(ImportRow.objects.get(batch=batch, row=2))
    stranger = factories.StudentFactory()
    for text in (f"take:{le.pk}", f"keep:{stranger.pk}", "take:999999", "nonsense"):
        batch.decisions = {key: text}
        batch.save()
        assert questions(services.prepare(batch=batch, user=desk.user)) == {2: "other_number"}


def test_decision_can_be_taken_back(desk: Desk, yu: Student) -> None:
    batch = desk.send(row("李晓雨", NEW))
    batch = desk.answer(batch, (2, f"take:{yu.pk}"))
    assert questions(batch) == {}
    assert undecide(batch=batch, user=desk.user, keys=list(batch.decisions)) == 1
    batch = services.prepare(batch=batch, user=desk.user)
    assert questions(batch) == {2: "other_number"}
    desk.commit(batch)
    assert number_of(yu) == YU, "undecided rows are never written"


# Within one file


def test_like_rows_of_one_file_are_warned_of(desk: Desk, first_class: SchoolClass) -> None:
    batch = desk.send(row("李晓雨", YU), row("李晓雨", SLIP), row("李晓雨", NEW), row("赵一鸣", TURNED))
    assert questions(batch) == {}
    warned = batch.rows.filter(warned=True).values_list("row", flat=True)
    assert list(warned) == [3]


# Empty cells


def test_empty_cells_erase_only_when_asked(desk: Desk, yu: Student) -> None:
    data = xlsx([HEADERS, row("李晓雨", YU)])
    for erase, phone in ((False, "13900001111"), (True, "")):
        batch = services.receive(
            data=data,
            name="名单.xlsx",
            user=desk.user,
            options=Options(desk.school.code, SEMESTER, erase_empty=erase),
            kinds=["students"],
        )
        desk.commit(services.prepare(batch=batch, user=desk.user))
        yu.refresh_from_db()
        assert (yu.phone, yu.pupil_number.clear) == (phone, "G" + YU)


# Cost


def test_queries_do_not_grow_with_near_misses(
    school: School, bureau_clerk: User, first_class: SchoolClass
) -> None:
    children = [
        factories.enrolled(
            first_class,
            name=factories.person_name(number),
            identity=factories.identity_number(BORN + dt.timedelta(days=number), number),
            birth_date=BORN + dt.timedelta(days=number),
        )
        for number in range(24)
    ]

    def cost(count: int) -> int:
        rows = []
        for child in children[:count]:
            number = child.identity.clear
            rows.append(row(child.name, valid(number[:15] + str((int(number[15]) + 1) % 10) + number[16])))
        data = xlsx([HEADERS, *rows])
        options = Options(school.code, SEMESTER)
        with CaptureQueriesContext(connection) as found:
            plan = make_plan(kind="students", data=data, name="a.xlsx", user=bureau_clerk, options=options)
        assert plan.counts["asked"] == count
        return len(found)

    cost(1)
    assert cost(3) == cost(24)
