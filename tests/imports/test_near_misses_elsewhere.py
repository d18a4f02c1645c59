"""Near misses in lists of households, and in lists that only refer to pupils."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from aid.models import Payment
from households.models import Household, Member, Village
from pairings.models import Pairing
from povertyaid.imports import services
from povertyaid.imports.deciding import decide, key_of
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.options import Options
from povertyaid.lib.identity import check_character
from povertyaid.schools.models import School, SchoolClass, User
from students.models import Recognition, Student
from tests import factories
from tests.imports.conftest import xlsx
from tests.imports.test_near_misses import FAILED, LE, NEW, SLIP, YU, candidates, question, questions

SEMESTER = "2025-2026-2"
HEADERS = [
    "行政村",
    "户编号",
    "人编号",
    "姓名",
    "证件号码",
    "与户主关系",
    "户类型",
    "户联系电话",
    "人联系电话",
]
FATHER = factories.identity_number(dt.date(1985, 6, 6), 9, "male")
pytestmark = pytest.mark.django_db


def person(name: str, relation: str, identity: str | None, **values: Any) -> list[Any]:
    told = {
        "行政村": "青石村",
        "户编号": "4312020001",
        "姓名": name,
        "证件号码": identity,
        "与户主关系": relation,
        "户类型": "脱贫户",
        **values,
    }
    return [told.get(header) for header in HEADERS]


def send(
    user: User,
    kind: str,
    headers: list[str],
    *rows: list[Any],
    school: School | None = None,
    erase_empty: bool = False,
) -> ImportBatch:
    options = Options(school.code if school else "", SEMESTER, erase_empty=erase_empty)
    data = xlsx([headers, *rows])
    batch = services.receive(data=data, name="名单.xlsx", user=user, options=options, kinds=[kind])
    return services.prepare(batch=batch, user=user)


def settle(user: User, batch: ImportBatch, *choices: tuple[int, str]) -> ImportBatch:
    rows = {row.row: row for row in ImportRow.objects.filter(batch=batch, question__isnull=False)}
    decide(batch=batch, user=user, answers={key_of(rows[row]): text for row, text in choices})
    batch = services.prepare(batch=batch, user=user)
    assert questions(batch) == {}
    return services.commit_batch(batch=batch, user=user, all_or_nothing=False)


# Households


@pytest.fixture
def household(villages: list[Village]) -> Household:
    """Father, two daughters and their grandmother."""
    household: Household = factories.HouseholdFactory(
        county=villages[0].county, village=villages[0], number="4312020001", phone="13900002222"
    )
    return household


@pytest.fixture
def father(household: Household) -> Member:
    member: Member = factories.MemberFactory(
        household=household,
        name="李建国",
        relation_to_head="head",
        sex="male",
        identity=FATHER,
        birth_date=dt.date(1985, 6, 6),
    )
    return member


@pytest.fixture
def daughters(household: Household, father: Member) -> list[Member]:
    births = {YU: dt.date(2017, 3, 14), LE: dt.date(2016, 9, 2)}
    return [
        factories.MemberFactory(
            household=household,
            name=name,
            relation_to_head="daughter",
            identity=number,
            birth_date=births[number],
            phone="13900003333",
        )
        for name, number in (("李晓雨", YU), ("李晓乐", LE))
    ]


def number_of(member: Member) -> str:
    return str(Member.objects.get(pk=member.pk).identity.clear)


def families(user: User, *rows: list[Any], **options: Any) -> ImportBatch:
    return send(user, "households", HEADERS, *rows, **options)


@pytest.mark.parametrize(("answer", "name"), [("take", "李小雨"), ("keep", "李晓雨")])
def test_member_of_another_name(bureau_clerk: User, daughters: list[Member], answer: str, name: str) -> None:
    batch = families(bureau_clerk, person("李小雨", "之女", YU, 人联系电话="13911110000"))
    assert questions(batch) == {2: "other_name"}
    settle(bureau_clerk, batch, (2, f"{answer}:{daughters[0].pk}"))
    daughters[0].refresh_from_db()
    assert (daughters[0].name, daughters[0].phone) == (name, "13911110000")


@pytest.mark.parametrize("answer", ["take", "keep", "new"])
@pytest.mark.parametrize(("written", "code"), [(NEW, "other_number"), (SLIP, "close_number")])
def test_member_with_another_number(
    bureau_clerk: User, daughters: list[Member], written: str, code: str, answer: str
) -> None:
    batch = families(bureau_clerk, person("李晓雨", "之女", written))
    assert questions(batch) == {2: code}
    settle(bureau_clerk, batch, (2, answer if answer == "new" else f"{answer}:{daughters[0].pk}"))
    assert number_of(daughters[0]) == (written if answer == "take" else YU)
    assert Member.objects.count() == (4 if answer == "new" else 3)


def test_number_of_a_member_that_fails_its_check(bureau_clerk: User, daughters: list[Member]) -> None:
    batch = families(bureau_clerk, person("李晓雨", "之女", FAILED, 人联系电话="13911110001"))
    assert questions(batch) == {2: "close_number"}
    settle(bureau_clerk, batch, (2, f"keep:{daughters[0].pk}"))
    daughters[0].refresh_from_db()
    assert (daughters[0].identity.clear, daughters[0].phone) == (YU, "13911110001")


def test_slip_under_another_name(bureau_clerk: User, daughters: list[Member]) -> None:
    batch = families(bureau_clerk, person("李小羽", "之女", SLIP))
    assert questions(batch) == {2: "close_number"}
    settle(bureau_clerk, batch, (2, f"keep:{daughters[0].pk}"))
    assert (number_of(daughters[0]), Member.objects.get(pk=daughters[0].pk).name) == (YU, "李晓雨")


@pytest.mark.parametrize("answer", ["take", "keep"])
def test_numbers_of_sisters_swapped(bureau_clerk: User, daughters: list[Member], answer: str) -> None:
    yu, le = daughters
    batch = families(bureau_clerk, person("李晓雨", "之女", LE), person("李晓乐", "之女", YU))
    assert questions(batch) == {2: "swapped_numbers", 3: "swapped_numbers"}
    assert candidates(batch) == {yu.pk: ["take", "keep"], le.pk: []}
    settle(bureau_clerk, batch, (2, f"{answer}:{yu.pk}"), (3, f"{answer}:{le.pk}"))
    assert (number_of(yu), number_of(le)) == ((LE, YU) if answer == "take" else (YU, LE))


def test_numbers_of_sisters_exchanged_by_one_row(bureau_clerk: User, daughters: list[Member]) -> None:
    yu, le = daughters
    batch = families(bureau_clerk, person("李晓雨", "之女", LE))
    settle(bureau_clerk, batch, (2, f"take:{yu.pk}"))
    assert (number_of(yu), number_of(le)) == (LE, YU)


def test_numbers_of_sisters_decided_for_one_only(bureau_clerk: User, daughters: list[Member]) -> None:
    yu, le = daughters
    batch = families(bureau_clerk, person("李晓雨", "之女", LE), person("李晓乐", "之女", YU))
    batch = settle(bureau_clerk, batch, (2, f"take:{yu.pk}"), (3, f"keep:{le.pk}"))
    assert batch.counts["rejected"] == 1
    assert (number_of(yu), number_of(le)) == (YU, LE)


def test_number_of_the_father_given_for_the_daughter(
    bureau_clerk: User, daughters: list[Member], father: Member
) -> None:
    batch = families(bureau_clerk, person("李晓雨", "之女", FATHER, 人联系电话="13911110002"))
    assert questions(batch) == {2: "guardians_number"}
    assert candidates(batch) == {daughters[0].pk: ["keep"]}
    settle(bureau_clerk, batch, (2, f"keep:{daughters[0].pk}"))
    daughters[0].refresh_from_db()
    assert (daughters[0].identity.clear, daughters[0].phone) == (YU, "13911110002")
    assert number_of(father) == FATHER


@pytest.mark.parametrize("answer", ["take", "new"])
def test_namesakes_in_a_household(bureau_clerk: User, household: Household, answer: str) -> None:
    twins = [
        factories.MemberFactory(
            household=household, name="李晓雨", relation_to_head="daughter", identity="", phone=""
        )
        for _number in range(2)
    ]
    batch = families(bureau_clerk, person("李晓雨", "之女", YU))
    assert questions(batch) == {2: "namesakes"}
    settle(bureau_clerk, batch, (2, f"take:{twins[1].pk}" if answer == "take" else "new"))
    numbers = [Member.objects.get(pk=item.pk).identity_last4 for item in twins]
    assert numbers == (["", YU[-4:]] if answer == "take" else ["", ""])
    assert Member.objects.count() == (2 if answer == "take" else 3)


def test_household_out_of_scope_is_not_asked_about(clerk: User, daughters: list[Member]) -> None:
    batch = families(clerk, person("李小雨", "之女", YU), person("李晓雨", "之女", SLIP, 户编号="4312020002"))
    assert questions(batch) == {}
    assert "李晓雨" not in str(list(batch.rows.filter(row=2).values_list("messages", flat=True)))


def test_empty_cells_of_a_household_erase_when_asked(
    bureau_clerk: User, household: Household, daughters: list[Member]
) -> None:
    rows = (person("李建国", "户主", FATHER), person("李晓雨", "之女", YU))
    services.commit_batch(batch=families(bureau_clerk, *rows), user=bureau_clerk, all_or_nothing=True)
    household.refresh_from_db()
    assert household.phone == "13900002222"
    batch = families(bureau_clerk, *rows, erase_empty=True)
    services.commit_batch(batch=batch, user=bureau_clerk, all_or_nothing=True)
    household.refresh_from_db()
    phones = [Member.objects.get(pk=item.pk).phone for item in daughters]
    assert (household.phone, phones) == ("", ["", "13900003333"])
    # What one row of a household tells is not erased by the empty cells of the others.
    told = (
        person("李建国", "户主", FATHER, 户联系电话=None),
        person("李晓雨", "之女", YU, 户联系电话="13900004444"),
    )
    batch = families(bureau_clerk, *told, erase_empty=True)
    services.commit_batch(batch=batch, user=bureau_clerk, all_or_nothing=True)
    household.refresh_from_db()
    assert household.phone == "13900004444"


# Lists that refer to pupils


@pytest.fixture
def first_class(school: School) -> SchoolClass:
    found: SchoolClass = factories.SchoolClassFactory(
        school=school, stage="primary", entry_year=2025, number=1
    )
    return found


@pytest.fixture
def yu(first_class: SchoolClass) -> Student:
    return factories.enrolled(first_class, name="李晓雨", identity=YU, birth_date=dt.date(2017, 3, 14))


PAYMENT = ["姓名", "身份证号", "班级", "资助项目", "实发"]
MISSES = [("李小雨", YU, "other_name"), ("李晓雨", NEW, "other_number"), ("李晓雨", SLIP, "close_number"),
          ("李晓雨", FAILED, "close_number")]  # fmt: skip


@pytest.mark.parametrize(("name", "number", "code"), MISSES)
def test_payment_for_a_near_miss(  # noqa: PLR0917 - fixtures are asked for by name
    clerk: User, school: School, yu: Student, name: str, number: str, code: str
) -> None:
    factories.ProgrammeFactory(name="爱心助学", county=school.county)
    batch = send(clerk, "payments", PAYMENT, [name, number, "一年级1班", "爱心助学", 500], school=school)
    assert questions(batch) == {2: code}
    assert question(batch)["choices"] == ["take", "skip"]
    settle(clerk, batch, (2, f"take:{yu.pk}"))
    assert Payment.objects.get().student == yu
    yu.refresh_from_db()
    assert (yu.name, yu.identity.clear) == ("李晓雨", YU), "the row only refers to the pupil"


@pytest.mark.parametrize(("name", "number", "code"), MISSES[:3])
def test_recognition_for_a_near_miss(  # noqa: PLR0917 - fixtures are asked for by name
    clerk: User, school: School, yu: Student, name: str, number: str, code: str
) -> None:
    factories.SpecialGroupFactory()
    headers = ["姓名", "身份证号", "班级", "认定等级"]
    batch = send(clerk, "recognitions", headers, [name, number, "一年级1班", "困难"], school=school)
    assert questions(batch) == {2: code}
    settle(clerk, batch, (2, f"take:{yu.pk}"))
    assert Recognition.objects.get().student == yu


def test_pairing_of_namesakes(clerk: User, school: School, first_class: SchoolClass, yu: Student) -> None:
    other = factories.enrolled(first_class, name="李晓雨", identity=LE)
    headers = ["帮扶责任人", "帮扶对象", "班级", "结对时间"]
    batch = send(
        clerk,
        "pairings",
        headers,
        ["周敏", "李晓雨", "一年级1班", "2026-03"],
        ["周敏", "李晓雨、李晓雨", "一年级1班", "2026-03"],
        school=school,
    )
    assert questions(batch) == {2: "namesakes"}, "a row with several pupils cannot say which one is decided"
    settle(clerk, batch, (2, f"take:{other.pk}"))
    assert Pairing.objects.get().student == other


def test_check_character_of_the_numbers_used_here() -> None:
    for number in (YU, LE, NEW, SLIP, FATHER):
        assert check_character(number[:17]) == number[17]
    assert check_character(FAILED[:17]) != FAILED[17]
