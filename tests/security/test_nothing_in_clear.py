"""No identity number, pupil number or account stands anywhere in the clear: database, history, import rows, logs.

Numbers come in by every door: forms, forms that refuse them, files by the command and the browser, bulk writes, search
boxes, pages that show whole values, exports. Then every column of every table and every line of the log is searched.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from aid.models import Payment
from households.models import Household, Member
from povertyaid.audit.models import AccessLog, Change
from povertyaid.audit.services import Update, bulk_write
from povertyaid.files.models import Attachment
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.lib.crypto import WrongKeyError
from povertyaid.schools.models import School, User
from povertyaid.schools.roles import Role
from students.models import Student
from tests import factories, personas
from tests.browser.county import WORKBOOKS, home_school, import_file, make_county
from tests.factories import account_number, identity_number, pupil_number
from tests.records.pages import errors_of, page, saved, send

pytestmark = pytest.mark.django_db

LONG = re.compile(r"(?<!\d)\d{15,20}[Xx]?(?!\d)")
KINDS = {
    "students": "students-roster.xlsx",
    "households": "registry.xls",
    "payments": "payments.csv",
    "pairings": "pairings.xlsx",
}


def numbers_of(path: Path) -> set[str]:
    """Every number of a workbook that is long enough to be one of those (refused ones too)."""
    if path.suffix == ".csv":
        return set(LONG.findall(path.read_text(encoding="gb18030")))
    book = CalamineWorkbook.from_path(path)
    rows = [row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()]
    cells = [f"{cell:.0f}" if isinstance(cell, float) else str(cell) for row in rows for cell in row]
    return {found for cell in cells for found in LONG.findall(cell)}


def stored_texts() -> Iterator[tuple[str, str]]:
    """Every value of every column of every table as text, with where it stands."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    if isinstance(value, memoryview | bytes):
                        yield f"{table}.{column}", bytes(value).decode("utf-8", "replace")
                    elif value is not None:
                        yield f"{table}.{column}", str(value)


def found_in_clear(numbers: set[str], log: str) -> list[str]:
    """Where any of the numbers stands."""
    wanted = re.compile("|".join(sorted(map(re.escape, numbers))), re.IGNORECASE)
    places = {place for place, text in stored_texts() if wanted.search(text)}
    return sorted(places | ({"the log"} if wanted.search(log) else set()))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger's lines as the handlers of the software write them, at the level that tells most."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


def test_the_search_finds_what_is_there(school: School) -> None:
    number = identity_number(date(2015, 3, 4), 7)
    assert found_in_clear({number}, "") == []
    factories.HouseholdFactory(county=school.county, address=f"旧址 {number}")
    assert found_in_clear({number}, "") == ["households_household.address"]
    assert found_in_clear({number}, f"pupil {number}") == ["households_household.address", "the log"]


def test_forms_searches_reveals_and_exports_leave_no_number(
    clerk: User,
    school: School,
    client_of: Callable[[User], Client],
    log: pytest.LogCaptureFixture,
) -> None:
    client = client_of(clerk)
    school_class = factories.SchoolClassFactory(school=school, number=1)
    identity = identity_number(date(2016, 5, 6), 3)
    other = identity_number(date(2016, 5, 7), 3)
    wrong = identity[:-1] + ("0" if identity[-1] != "0" else "1")
    account, other_account = account_number(91), account_number(92)
    numbers = {identity, other, wrong, pupil_number(identity), account, other_account}

    # A pupil: refused with a wrong number, saved, changed, found by the whole number
    adding = page(Student, "add")
    pupil = {
        "name": "周文宁",
        "enrolments-0-school_class": school_class.pk,
        "enrolments-0-start_on": "2024-09-01",
    }
    assert send(client, adding, **pupil, identity=wrong).status_code == 200
    saved(client, adding, **pupil, identity=identity, pupil_number=pupil_number(identity))
    student = Student.objects.get(name="周文宁")
    assert student.identity.clear == identity
    saved(client, page(Student, "change", student.pk), identity=other, birth_date="2016-05-07")
    assert client.get(page(Student, "changelist"), {"q": other}).status_code == 200

    # The same numbers typed into a free text
    for text in (f"户口本上写的是{identity}", f"新卡 {account}", f"证件号{other.lower()}，待核"):
        refused = send(client, page(Student, "change", student.pk), note=text)
        assert len(errors_of(refused)) == 1, text
        assert list(refused.context["adminform"].form.errors) == ["note"]
    saved(client, page(Student, "change", student.pk), note="2026年3月12日家访，班主任电话13800000001。")

    # A payment
    disbursement = factories.DisbursementFactory(school=school)
    payment = factories.PaymentFactory(
        disbursement=disbursement, student=student, account=account, state=Payment.State.WAITING
    )
    saved(client, page(Payment, "change", payment.pk), account=other_account)
    assert Payment.objects.get().account.clear == other_account

    # Whole values on a page, in a file; a log-in with a number for a name
    shown = client.post(
        reverse("audit:reveal", args=["students.student", student.pk, "identity"]),
        {"reason": f"核对 {other} 的信息"},
    )
    assert other in shown.content.decode()
    sent = client.post(
        reverse("admin:students_student_export"),
        {"format": "csv", "whole": "on", "reason": "报送省级系统核对"},
    )
    assert other in sent.content.decode()
    Client().post(reverse("admin:login"), {"username": identity, "password": identity})
    client.get("/no/such/page/", {"q": identity})
    client.get(f"/students/student/{identity}/change/")

    # A bulk write
    member = Member(
        household=factories.HouseholdFactory(county=school.county),
        name="周大力",
        relation_to_head="head",
        identity=identity,
    )
    bulk_write(create=[member], update=[Update(student, {"pupil_number": pupil_number(other)})], actor=clerk)
    numbers.add(pupil_number(other))

    assert found_in_clear(numbers, log.text) == []
    assert Change.objects.filter(model="students.student").count() >= 3
    assert AccessLog.objects.filter(action__in=("reveal", "export")).count() == 2


def test_deleted_records_leave_no_number_in_the_history(
    bureau_clerk: User, log: pytest.LogCaptureFixture
) -> None:
    payment = factories.PaymentFactory()
    numbers = {payment.account.clear}
    payment.delete()
    member = factories.MemberFactory()
    numbers.add(member.identity.clear)
    member.delete()
    assert Change.objects.filter(action="delete").count() == 2
    assert found_in_clear(numbers, log.text) == []


def test_imported_lists_leave_no_number(
    tmp_path: Path, client_of: Callable[[User], Client], log: pytest.LogCaptureFixture
) -> None:
    make_county(tmp_path)
    numbers: set[str] = set()
    for kind, name in KINDS.items():
        numbers |= numbers_of(WORKBOOKS / name)
        import_file(kind, WORKBOOKS / name)
    assert len(numbers) > 90
    assert Student.objects.filter(identity_hash__gt="").count() >= 25
    assert Household.objects.count() >= 10
    assert Payment.objects.count() >= 15

    # In the browser: a preview that nobody confirms, with refused rows
    client = client_of(personas.make_user(Role.SCHOOL_CLERK, home_school(), "zhang"))
    data = (WORKBOOKS / KINDS["students"]).read_bytes()
    sent = client.post(
        reverse("imports:index"),
        {"kind": "students", "file": SimpleUploadedFile("名单.xlsx", data)},
        follow=True,
    )
    preview = sent.content.decode()
    assert ImportBatch.objects.filter(kind="students").count() == 2
    assert not [number for number in numbers if number in preview]
    assert ImportRow.objects.filter(outcome="rejected").exists()
    assert found_in_clear(numbers, log.text) == []


def test_files_are_stored_encrypted(settings: pytest.FixtureRequest) -> None:
    number = identity_number(date(2015, 3, 4), 8)
    attachment = factories.AttachmentFactory(data=f"姓名,身份证号\n周文宁,{number}".encode())
    assert found_in_clear({number}, "") == []
    assert number in Attachment.objects.get(pk=attachment.pk).get().decode()
    settings.FIELD_KEYS = ["x3P5nq6gUmG2kMUbRkr0M2ZbVLZCCoeEIM6CKykL6Pw="]  # type: ignore[attr-defined]
    with pytest.raises(WrongKeyError):
        Attachment.objects.get(pk=attachment.pk).get()
