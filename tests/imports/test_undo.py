"""Taking an import back: what goes, what returns, what stays because later work stands on it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from aid.models import Disbursement, Payment
from households.models import Household, IncomeYear, Member, Village
from pairings.models import Pairing
from povertyaid.audit.actor import acting_as
from povertyaid.audit.models import AccessLog, Change
from povertyaid.imports.models import ImportBatch, UndoEntry, WrongBatchMoveError
from povertyaid.imports.undo import UndoRefusedError, may_undo, plan_undo, undo_batch
from povertyaid.lib.crypto import lookup_hash
from povertyaid.schools.models import School, SchoolClass, Staff, User
from students.models import Enrolment, Recognition, SpecialGroup, Student
from tests import factories
from tests.imports.undoing import SEMESTER, everything, imported

pytestmark = pytest.mark.django_db

FAMILIES = [
    "乡(镇)",
    "行政村",
    "户编号",
    "人编号",
    "姓名",
    "证件号码",
    "人数",
    "与户主关系",
    "户类型",
    "致贫原因1",
]
PUPILS = ["姓名", "性别", "身份证号码", "年级班级", "联系电话", "困难类型", "认定等级"]


@pytest.fixture(autouse=True)
def groups(db: None) -> list[SpecialGroup]:
    orphan = factories.SpecialGroupFactory(code="orphan", name="孤儿", position=1)
    lifted = factories.SpecialGroupFactory(code="lifted", name="脱贫家庭", position=2)
    return [orphan, lifted]


def identity(place: int) -> str:
    # Far from each other: a number that is almost another's would be asked about.
    return factories.identity_number(dt.date(2017, 1, 1) + dt.timedelta(days=place % 97 * 3), place)


def pupil(place: int, **values: Any) -> list[Any]:
    """A row of a list of pupils; `place` tells pupils apart."""
    cells = {
        "姓名": factories.person_name(place),
        "性别": "女",
        "身份证号码": identity(place),
        "年级班级": "一年级2班",
        "联系电话": f"1380000{place:04d}",
        "困难类型": "脱贫家庭",
        "认定等级": "困难",
        **values,
    }
    return [cells[header] for header in PUPILS]


def pupils(user: User, school: School, *places: int, **values: Any) -> ImportBatch:
    rows = [PUPILS, *(pupil(place, **values) for place in places)]
    return imported("students", rows, user, school, period=SEMESTER)


def reasons(batch: ImportBatch, user: User) -> dict[str, list[str]]:
    """By label of the record the codes why it stays."""
    plan = plan_undo(batch, user)
    return {item.key[0]: [reason.code for reason in item.reasons] for item in plan.of("refused")}


def test_new_records_go_with_all_that_the_import_made(bureau_clerk: User, school: School) -> None:
    before = everything()
    batch = pupils(bureau_clerk, school, 0, 1, 2)
    assert SchoolClass.objects.count() == 1
    plan = plan_undo(batch, bureau_clerk)
    # Three pupils with enrolment and recognition, and the class.
    assert plan.counts == {"delete": 10, "restore": 0, "refused": 0, "gone": 0}
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before
    assert batch.state == ImportBatch.State.UNDONE
    assert batch.undone_at is not None
    assert batch.report["undo"] == {"counts": plan.counts, "kept": []}
    deleted = Change.objects.filter(batch_id=batch.pk, action=Change.Action.DELETE)
    assert deleted.count() == 10
    assert {(entry.actor, entry.reason) for entry in deleted} == {(bureau_clerk, deleted[0].reason)}
    assert str(batch.pk) in deleted[0].reason
    told = json.dumps([entry.fields for entry in deleted], ensure_ascii=False)
    assert identity(0) not in told
    assert identity(0)[:4] in told
    log = AccessLog.objects.filter(model="imports.importbatch", object_id=batch.pk).get()
    assert (log.actor, log.detail["undone"], log.detail["delete"]) == (bureau_clerk, True, 10)


def test_changed_values_return_with_hash_and_last_characters(bureau_clerk: User, school: School) -> None:
    pupils(bureau_clerk, school, 0)
    student = Student.objects.get()
    before = everything()
    number = f"G{identity(0)}"
    rows = [
        ["姓名", "身份证号码", "学籍号", "年级班级", "联系电话"],
        [student.name, identity(0), f"G{identity(7)}", "一年级2班", "13911112222"],
    ]
    assert student.pupil_number.clear == ""
    batch = imported("students", rows, bureau_clerk, school, period=SEMESTER)
    student.refresh_from_db()
    assert (student.phone, student.pupil_number.clear) == ("13911112222", f"G{identity(7)}")
    later = [rows[0], [student.name, identity(0), number, *rows[1][3:]]]
    again = imported("students", later, bureau_clerk, school, period=SEMESTER)
    student.refresh_from_db()
    assert student.pupil_number_hash == lookup_hash("pupil_number", number)
    # The later one first: the earlier import is not what the record holds now.
    assert reasons(batch, bureau_clerk) == {"students.student": ["later_import"]}
    with pytest.raises(UndoRefusedError) as refused:
        undo_batch(batch=batch, user=bureau_clerk)
    assert refused.value.code == "nothing"
    undo_batch(batch=again, user=bureau_clerk)
    student.refresh_from_db()
    assert student.pupil_number.clear == f"G{identity(7)}"
    assert student.pupil_number_hash == lookup_hash("pupil_number", f"G{identity(7)}")
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before
    assert not UndoEntry.objects.exists()


def test_kept_values_are_encrypted_and_survive_a_new_key(
    bureau_clerk: User, school: School, settings: Any
) -> None:
    pupils(bureau_clerk, school, 0)
    batch = pupils(bureau_clerk, school, 0, 联系电话="13911112222")
    entry = UndoEntry.objects.get(batch=batch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM imports_undoentry")
        assert "13911112222" not in cursor.fetchone()[0]
    old = list(settings.FIELD_KEYS)
    with override_settings(FIELD_KEYS=[Fernet.generate_key().decode(), *old]):
        call_command("rotate_keys", verbosity=0)
        with override_settings(FIELD_KEYS=settings.FIELD_KEYS[:1]):
            undo_batch(batch=batch, user=bureau_clerk)
            assert Student.objects.get().phone == "13800000000"
    assert entry.records == 1


def test_many_to_many_links_return(bureau_clerk: User, school: School) -> None:
    pupils(bureau_clerk, school, 0)
    before = everything()
    batch = pupils(bureau_clerk, school, 0, 困难类型="孤儿、脱贫家庭")
    recognition = Recognition.objects.get()
    assert recognition.special_groups.count() == 2
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before


def test_links_that_were_edited_since_stay(
    bureau_clerk: User, school: School, groups: list[SpecialGroup]
) -> None:
    pupils(bureau_clerk, school, 0)
    batch = pupils(bureau_clerk, school, 0, 困难类型="孤儿、脱贫家庭")
    Recognition.objects.get().special_groups.set([groups[0]])
    assert reasons(batch, bureau_clerk) == {"students.recognition": ["edited"]}


def test_record_edited_since_stays_with_its_parts(bureau_clerk: User, clerk: User, school: School) -> None:
    batch = pupils(bureau_clerk, school, 0, 1)
    edited = Student.objects.get(identity_hash=lookup_hash("identity", identity(0)))
    with acting_as(clerk):
        edited.address = "柳溪村3组"
        edited.save()
    plan = plan_undo(batch, bureau_clerk)
    stays = {item.key: [str(reason) for reason in item.reasons] for item in plan.of("refused")}
    assert clerk.username in stays["students.student", edited.pk][0]
    # Without its enrolment nobody could see the pupil; the class holds it. The recognition goes.
    assert {key[0] for key in stays} == {"students.student", "students.enrolment", "schools.schoolclass"}
    undo_batch(batch=batch, user=bureau_clerk)
    assert Student.objects.get() == edited
    assert Enrolment.objects.get().student == edited
    assert not Recognition.objects.exists()
    kept = batch.report["undo"]["kept"]
    assert {item["model"] for item in kept} == {key[0] for key in stays}
    assert all(item["why"] for item in kept)


def test_other_columns_edited_since_stay_edited(bureau_clerk: User, school: School) -> None:
    pupils(bureau_clerk, school, 0)
    batch = pupils(bureau_clerk, school, 0, 联系电话="13911112222")
    student = Student.objects.get()
    student.address = "柳溪村3组"
    student.save()
    undo_batch(batch=batch, user=bureau_clerk)
    student.refresh_from_db()
    assert (student.phone, student.address) == ("13800000000", "柳溪村3组")


def test_same_column_edited_since_stays(bureau_clerk: User, school: School) -> None:
    pupils(bureau_clerk, school, 0, 1)
    batch = pupils(bureau_clerk, school, 0, 1, 联系电话="13911112222")
    student = Student.objects.get(identity_hash=lookup_hash("identity", identity(0)))
    student.phone = "13900000000"
    student.save()
    plan = plan_undo(batch, bureau_clerk)
    assert plan.counts == {"delete": 0, "restore": 1, "refused": 1, "gone": 0}
    assert [item.pk for item in plan.of("refused")] == [student.pk]
    undo_batch(batch=batch, user=bureau_clerk)
    assert sorted(Student.objects.values_list("phone", flat=True)) == ["13800000001", "13900000000"]


def test_a_value_changed_past_the_history_is_noticed(bureau_clerk: User, school: School) -> None:
    pupils(bureau_clerk, school, 0)
    batch = pupils(bureau_clerk, school, 0, 联系电话="13911112222")
    Student.objects.update(phone="13900000000")
    assert reasons(batch, bureau_clerk) == {"students.student": ["differs"]}


def test_pupil_with_a_later_payment_stays(bureau_clerk: User, school: School) -> None:
    batch = pupils(bureau_clerk, school, 0, 1)
    student = Student.objects.get(identity_hash=lookup_hash("identity", identity(0)))
    factories.PaymentFactory(student=student)
    factories.PairingFactory(student=student)
    plan = plan_undo(batch, bureau_clerk)
    told = [str(reason) for reason in plan.items["students.student", student.pk].reasons]
    assert len(told) == 1
    assert f"{Payment._meta.verbose_name} 1" in told[0]
    assert f"{Pairing._meta.verbose_name} 1" in told[0]
    undo_batch(batch=batch, user=bureau_clerk)
    assert Student.objects.get() == student
    assert (Payment.objects.count(), Enrolment.objects.count()) == (1, 1)


def test_deleted_by_hand_counts_as_done(bureau_clerk: User, school: School) -> None:
    before = everything()
    batch = pupils(bureau_clerk, school, 0)
    Student.objects.get().delete()
    plan = plan_undo(batch, bureau_clerk)
    assert plan.counts == {"delete": 1, "restore": 0, "refused": 0, "gone": 3}
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before


def test_what_another_has_taken_since_does_not_return(bureau_clerk: User, school: School) -> None:
    first = factories.enrolled(
        factories.SchoolClassFactory(school=school, stage="primary", entry_year=2025, number=2),
        name="赵晓雨",
        identity=identity(0),
        pupil_number=f"G{identity(0)}",
    )
    rows = [
        ["姓名", "身份证号码", "学籍号", "年级班级"],
        ["赵晓雨", identity(0), f"G{identity(5)}", "一年级2班"],
    ]
    batch = imported("students", rows, bureau_clerk, school)
    first.refresh_from_db()
    assert first.pupil_number.clear == f"G{identity(5)}"
    factories.StudentFactory(pupil_number=f"G{identity(0)}")
    assert reasons(batch, bureau_clerk) == {"students.student": ["taken"]}


def test_head_who_stepped_back_returns(bureau_clerk: User, school: School, villages: list[Village]) -> None:
    household = factories.HouseholdFactory(county=school.county, village=villages[0], number="431202000001")
    head = factories.MemberFactory(household=household, name="沈一民", person_number="43120200000101")
    before = everything()
    headers = FAMILIES
    place = [villages[0].township, villages[0].name, household.number]
    woman = factories.identity_number(dt.date(1986, 3, 4), 0)
    rows: list[list[Any]] = [
        headers,
        [*place, "43120200000102", "周若兰", woman, 2, "户主", "脱贫户", "因病"],
        [*place, "43120200000101", "沈一民", head.identity.clear, 2, "配偶", "脱贫户", "因病"],
    ]
    batch = imported("households", rows, bureau_clerk)
    head.refresh_from_db()
    assert head.relation_to_head == "spouse"
    assert Member.objects.get(name="周若兰").relation_to_head == "head"
    assert UndoEntry.objects.filter(batch=batch, stage="first").exists()
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before


def test_linked_pupil_is_let_go_before_the_member_is_deleted(
    bureau_clerk: User, school: School, villages: list[Village]
) -> None:
    child = factories.enrolled(factories.SchoolClassFactory(school=school), name="沈小雨")
    before = everything()
    headers = FAMILIES
    place = [villages[0].township, villages[0].name, "431202000001"]
    head = factories.identity_number(dt.date(1986, 3, 4), 0)
    rows: list[list[Any]] = [
        headers,
        [*place, "43120200000101", "沈一民", head, 2, "户主", "脱贫户", "因病"],
        [*place, "43120200000102", "沈小雨", child.identity.clear, 2, "之女", "脱贫户", "因病"],
    ]
    batch = imported("households", rows, bureau_clerk)
    child.refresh_from_db()
    assert child.member is not None
    assert UndoEntry.objects.get(batch=batch).stage == "follows"
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before


def test_helpers_made_on_the_way_go_too(bureau_clerk: User, school: School) -> None:
    factories.enrolled(
        factories.SchoolClassFactory(school=school, stage="primary", entry_year=2023, number=1), name="朱平"
    )
    before = everything()
    headers = ["帮扶责任人", "职务", "联系电话", "帮扶对象", "年级班级", "结对时间", "帮扶措施"]
    rows: list[list[Any]] = [
        headers,
        ["蒋丽", "教师", "13959140280", "朱平", "三(1)班", "2026-03", "学业辅导"],
    ]
    batch = imported("pairings", rows, bureau_clerk, school, period=SEMESTER)
    assert Staff.objects.filter(name="蒋丽").exists()
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before


def test_undone_and_sent_again_is_all_new(bureau_clerk: User, school: School) -> None:
    batch = pupils(bureau_clerk, school, 0, 1)
    undo_batch(batch=batch, user=bureau_clerk)
    again = pupils(bureau_clerk, school, 0, 1)
    assert (again.counts["created"], again.counts["unchanged"]) == (2, 0)
    with pytest.raises(WrongBatchMoveError):
        undo_batch(batch=batch, user=bureau_clerk)
    assert Student.objects.count() == 2


def test_payments_of_a_closed_disbursement_stay(bureau_clerk: User, school: School) -> None:
    programme = factories.ProgrammeFactory(name="生活补助")
    factories.StandardFactory(programme=programme)
    factories.enrolled(
        factories.SchoolClassFactory(school=school, stage="primary", entry_year=2023, number=1), name="朱平"
    )
    headers = ["姓名", "年级班级", "资助项目", "应发", "实发"]
    rows: list[list[Any]] = [headers, ["朱平", "三(1)班", "生活补助", 312.5, 312.5]]
    batch = imported("payments", rows, bureau_clerk, school, period=SEMESTER)
    disbursement = Disbursement.objects.get()
    disbursement.move(Disbursement.State.SIGNING)
    disbursement.move(Disbursement.State.CLOSED)
    assert reasons(batch, bureau_clerk)["aid.payment"] == ["closed"]


def test_several_kinds_of_one_sheet_go_together(bureau_clerk: User, school: School) -> None:
    programme = factories.ProgrammeFactory(name="生活补助")
    factories.StandardFactory(programme=programme)
    before = everything()
    headers = [*PUPILS, "资助项目", "应发", "实发"]
    rows = [headers, *([*pupil(place), "生活补助", 312.5, 312.5] for place in range(3))]
    batch = imported(["students", "payments"], rows, bureau_clerk, school, period=SEMESTER)
    assert (Student.objects.count(), Payment.objects.count()) == (3, 3)
    undo_batch(batch=batch, user=bureau_clerk)
    assert everything() == before


@pytest.fixture
def others(rival_clerk: User, rival_bureau_clerk: User, principal: User) -> list[User]:
    """Who may not take back what the home school's clerk imported."""
    return [rival_clerk, rival_bureau_clerk, principal]


def test_only_who_might_import_the_same_may_undo(
    bureau_clerk: User, clerk: User, others: list[User], school: School
) -> None:
    batch = pupils(clerk, school, 0)
    assert [may_undo(batch, user) for user in (clerk, bureau_clerk, *others)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    for user in others:
        with pytest.raises((PermissionDenied, ImportBatch.DoesNotExist)):
            undo_batch(batch=batch, user=user)
    assert Student.objects.count() == 1


def test_number_of_queries_does_not_grow(bureau_clerk: User, school: School) -> None:
    numbers = []
    for count in (3, 60):
        pupils(bureau_clerk, school, *range(count))
        batch = pupils(bureau_clerk, school, *range(count + 5), 联系电话="13911112222")
        with CaptureQueriesContext(
            connection,
        ) as planned:
            plan_undo(batch, bureau_clerk)
        with CaptureQueriesContext(connection) as done:
            undo_batch(batch=batch, user=bureau_clerk)
        numbers.append((len(planned), len(done)))
    assert numbers[0] == numbers[1]


def test_income_and_assignments_go_with_the_household(
    clerk: User, school: School, villages: list[Village]
) -> None:
    before = everything()
    headers = [*FAMILIES, "人均纯收入"]
    head = factories.identity_number(dt.date(1986, 3, 4), 0)
    row = [villages[0].township, villages[0].name, "431202000001", "43120200000101", "沈一民", head, 1, "户主",
           "脱贫户", "因病", 12600]  # fmt: skip
    batch = imported("households", [headers, row], clerk, school, period="2025")
    assert (Household.objects.count(), IncomeYear.objects.count()) == (1, 1)
    undo_batch(batch=batch, user=clerk)
    assert everything() == before
