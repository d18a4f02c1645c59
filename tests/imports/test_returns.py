"""Lists for return: given out as a workbook, corrected by hand, sent back; stale and foreign rows are refused alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from povertyaid.audit.models import AccessLog
from povertyaid.imports.models import ImportBatch, ReturnSheet
from povertyaid.imports.resources import kinds
from povertyaid.imports.returning import COLUMN, shape_for_return
from povertyaid.schools.models import School, SchoolClass, Staff, User
from students.models import Enrolment, Student
from tests import factories
from tests.imports.test_mapping_page import filled

SEMESTER = "2025-2026-2"
RETURNS, INDEX = reverse("imports:returns"), reverse("imports:index")
KINDS = [found.kind for found in kinds() if shape_for_return(found.kind) is not None]
ClientOf = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def three(school: School) -> SchoolClass:
    """Class 1 of grade three."""
    found: SchoolClass = factories.SchoolClassFactory(school=school, entry_year=2023, number=1)
    return found


@pytest.fixture
def pupils(three: SchoolClass) -> list[Student]:
    """Three pupils, in the order in which a list shows them."""
    return [
        factories.enrolled(three, name=name, address="三组12号", phone=f"1380000000{number}")
        for number, name in enumerate(("陈安", "李博", "周彤"))
    ]


def give_out(client: Client, kind: str, school: School | None) -> Any:
    """The answer to asking for a list."""
    data = {"kind": kind, "period": SEMESTER, "school": school.pk if school is not None else ""}
    return client.post(RETURNS, data)


def opened(client: Client, kind: str = "students", school: School | None = None) -> Workbook:
    """A list as it is opened by the school that corrects it."""
    answer = give_out(client, kind, school)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return load_workbook(io.BytesIO(answer.content))


def put(workbook: Workbook, header: str, row: int, text: str | None) -> None:
    """Type into a cell; the first record stands in row 2."""
    sheet = workbook.worksheets[0]
    sheet.cell(row, place(workbook, header), text)


def place(workbook: Workbook, header: str) -> int:
    """The column of a header."""
    return next(cell.column for cell in workbook.worksheets[0][1] if cell.value == header)


def value(workbook: Workbook, header: str, row: int) -> Any:
    return workbook.worksheets[0].cell(row, place(workbook, header)).value


def bytes_of(workbook: Workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def send_back(client: Client, workbook: Workbook, kind: str = "students", **fields: Any) -> ImportBatch:
    """The preview of a list that comes back."""
    file = SimpleUploadedFile("回填.xlsx", bytes_of(workbook))
    answer = client.post(INDEX, {"kind": kind, "file": file, **fields})
    assert answer.status_code == 302
    return ImportBatch.objects.order_by("-pk")[0]


def confirm(client: Client, batch: ImportBatch) -> ImportBatch:
    client.post(reverse("imports:commit", args=[batch.pk]), {"mode": "good"})
    batch.refresh_from_db()
    return batch


def counts(batch: ImportBatch) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    batch.refresh_from_db()
    assert batch.state in {"to_check", "imported", "partly"}, batch.report
    told = batch.counts
    return told["created"], told["updated"], told["unchanged"], told["rejected"]


def told_rows(batch: ImportBatch) -> list[Any]:
    """What is told of the rows, for the message of a test that fails."""
    return list(batch.rows.values_list("row", "outcome", "messages"))


def refused(batch: ImportBatch) -> dict[int, list[str]]:
    """What is told of the refused rows, by number."""
    return {
        row.row: [item["message"] for item in row.messages if item["level"] == "error"]
        for row in batch.rows.filter(outcome="rejected")
    }


def test_every_kind_with_a_list_for_return_is_offered(client_of: ClientOf, bureau_clerk: User) -> None:
    assert KINDS == [
        "schools",
        "staff",
        "villages",
        "households",
        "students",
        "recognitions",
        "pairings",
        "programmes",
    ]
    page = client_of(bureau_clerk).get(RETURNS)
    assert [name for name, _label in page.context["form"].fields["kind"].choices] == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_an_untouched_list_comes_back_and_changes_nothing(
    client_of: ClientOf, bureau_clerk: User, school: School, pupils: list[Student], kind: str
) -> None:
    factories.RecognitionFactory(
        student=pupils[0],
        school=school,
        school_class=pupils[0].enrolments.get().school_class,
        semester=SEMESTER,
    )
    helper = factories.StaffFactory(school=school)
    factories.PairingFactory(helper=helper, student=pupils[0])
    factories.ProgrammeFactory(county=school.county)
    household = factories.HouseholdFactory(county=school.county)
    factories.MemberFactory(household=household)
    factories.AssignmentFactory(household=household, school=school)
    client = client_of(bureau_clerk)
    workbook = opened(client, kind, school)
    records = workbook.worksheets[0].max_row - 1
    batch = send_back(client, workbook, kind)
    assert counts(batch) == (0, 0, records, 0), told_rows(batch)
    assert records > 0
    sheet = ReturnSheet.objects.get()
    assert (sheet.rows_count, sheet.owner, sheet.school) == (records, bureau_clerk, school)


def test_what_the_school_corrects_reaches_exactly_its_record(
    client_of: ClientOf, bureau_clerk: User, clerk: User, school: School, pupils: list[Student]
) -> None:
    workbook = opened(client_of(bureau_clerk), school=school)
    wrong = pupils[1].identity.clear
    assert pupils[1].birth_date is not None
    right = factories.identity_number(pupils[1].birth_date, 77, pupils[1].sex)
    assert right != wrong
    put(workbook, "姓名", 2, "陈桉")
    put(workbook, "年级班级", 2, "三年级2班")
    put(workbook, "联系电话", 2, "13900000009")
    put(workbook, "身份证号码", 3, right)
    batch = send_back(client_of(clerk), workbook)
    assert counts(batch) == (0, 2, 1, 0), told_rows(batch)
    confirm(client_of(clerk), batch)
    assert Student.objects.count() == 3
    first, second, third = (Student.objects.get(pk=pupil.pk) for pupil in pupils)
    assert (first.name, first.phone, first.identity.clear) == (
        "陈桉",
        "13900000009",
        pupils[0].identity.clear,
    )
    enrolled = Enrolment.objects.filter(student=first, state="enrolled")
    assert list(enrolled.values_list("school_class__number", flat=True)) == [2]
    assert (second.identity.clear, second.name) == (right, "李博")
    assert (third.version, third.phone) == (pupils[2].version, "13800000002")


def test_masked_numbers_stay_and_an_empty_cell_erases_nothing(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    assert value(workbook, "身份证号码", 2) == str(pupils[0].identity)
    assert "*" in value(workbook, "联系电话", 2)
    put(workbook, "家庭住址", 2, "五组3号")
    put(workbook, "联系电话", 3, None)
    put(workbook, "身份证号码", 4, None)
    batch = confirm(client, send_back(client, workbook))
    assert counts(batch) == (0, 1, 2, 0)
    for pupil in pupils:
        stored = Student.objects.get(pk=pupil.pk)
        assert (stored.identity.clear, stored.phone) == (pupil.identity.clear, pupil.phone)
    assert Student.objects.get(pk=pupils[0].pk).address == "五组3号"


def test_a_record_that_was_changed_since_is_refused_and_the_others_pass(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    pupils[0].address = "六组"
    pupils[0].save()
    Enrolment.objects.filter(student=pupils[1]).update(
        school_class=factories.SchoolClassFactory(school=school, number=2)
    )
    for row in (2, 3, 4):
        put(workbook, "家庭住址", row, "九组")
    batch = confirm(client, send_back(client, workbook))
    assert counts(batch) == (0, 1, 0, 2)
    assert set(refused(batch)) == {2, 3}
    # One reason, and nothing beside it about the masks in its cells.
    for told in refused(batch).values():
        assert len(told) == 1
        assert "发出" in told[0] or "list was given out" in told[0]
    stored = {pupil.name: pupil.address for pupil in Student.objects.all()}
    assert stored == {"陈安": "六组", "李博": "三组12号", "周彤": "九组"}


def test_the_same_list_twice_is_stale_where_it_changed_something(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    put(workbook, "家庭住址", 2, "九组")
    assert counts(confirm(client, send_back(client, workbook))) == (0, 1, 2, 0)
    assert counts(send_back(client, workbook)) == (0, 0, 2, 1)


def test_forged_keys_and_keys_of_other_lists_are_refused_row_by_row(  # noqa: PLR0917 - fixtures
    client_of: ClientOf,
    clerk: User,
    rival_clerk: User,
    school: School,
    rival_school: School,
    pupils: list[Student],
) -> None:
    stranger = factories.enrolled(factories.SchoolClassFactory(school=rival_school), name="孙迪")
    staff: Staff = factories.StaffFactory(school=school)
    foreign = opened(client_of(rival_clerk), school=rival_school)
    client = client_of(clerk)
    of_staff = opened(client, "staff", school)
    workbook = opened(client, school=school)
    key = value(workbook, COLUMN.header, 2)
    token, pk, check = key.split("-")
    names = [str(value(of_staff, "姓名", row)) for row in range(2, of_staff.worksheets[0].max_row + 1)]
    row_of_staff = names.index(staff.name) + 2
    bad = [
        # Another school's list; the own list with a record of another school; a changed check; another kind's key.
        value(foreign, COLUMN.header, 2),
        f"{token}-{stranger.pk}-{check}",
        f"{token}-{pk}-{'0' * len(check)}",
        value(of_staff, COLUMN.header, row_of_staff),
        "‘; DROP TABLE students; --",
        f"{token}-{'9' * 18}-{check}",
        f"{token}-{'9' * 40}-{check}",
    ]
    sheet = workbook.worksheets[0]
    for number, text in enumerate(bad):
        row = [cell.value for cell in sheet[3]]
        row[place(workbook, COLUMN.header) - 1] = text
        row[place(workbook, "姓名") - 1] = f"外人{'甲乙丙丁戊己庚'[number]}"
        sheet.append(row)
    put(workbook, "家庭住址", 4, "九组")
    batch = confirm(client, send_back(client, workbook))
    assert counts(batch) == (0, 1, 2, len(bad))
    assert set(refused(batch)) == {5, 6, 7, 8, 9, 10, 11}
    assert {len(told) for told in refused(batch).values()} == {1}
    stranger.refresh_from_db()
    assert (stranger.name, Student.objects.count()) == ("孙迪", 4)


def test_a_record_that_left_the_own_school_since_is_foreign(
    client_of: ClientOf, clerk: User, rival_school: School, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    Enrolment.objects.filter(student=pupils[0]).delete()
    factories.EnrolmentFactory(
        student=pupils[0], school_class=factories.SchoolClassFactory(school=rival_school)
    )
    put(workbook, "家庭住址", 2, "九组")
    batch = send_back(client, workbook)
    assert counts(batch) == (0, 0, 2, 1)
    assert set(refused(batch)) == {2}


def test_a_key_that_was_copied_is_refused_in_every_row_that_has_it(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    sheet = workbook.worksheets[0]
    # A new pupil is entered above by copying a row: nobody can tell which of the two is the record.
    copied = [cell.value for cell in sheet[2]]
    sheet.append(copied)
    put(workbook, "姓名", 2, "陈新来")
    batch = confirm(client, send_back(client, workbook))
    assert counts(batch) == (0, 0, 2, 2)
    assert set(refused(batch)) == {2, 5}
    assert Student.objects.filter(name="陈安").count() == 1


def test_a_row_without_a_key_is_a_new_record(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    row = [cell.value for cell in workbook.worksheets[0][2]]
    row[place(workbook, COLUMN.header) - 1] = None
    row[place(workbook, "姓名") - 1] = "魏来"
    row[place(workbook, "身份证号码") - 1] = row[place(workbook, "学籍号") - 1] = None
    row[place(workbook, "联系电话") - 1] = None
    workbook.worksheets[0].append(row)
    batch = confirm(client, send_back(client, workbook))
    assert counts(batch) == (1, 0, 3, 0), told_rows(batch)
    assert Enrolment.objects.filter(student__name="魏来", school=school).count() == 1


def test_a_row_that_was_deleted_from_the_list_deletes_nobody(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    workbook.worksheets[0].delete_rows(2, 2)
    assert counts(confirm(client, send_back(client, workbook))) == (0, 0, 1, 0)
    assert Enrolment.objects.filter(school=school, state="enrolled").count() == 3


def test_the_workbook_is_one_to_fill_in(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    Student.objects.filter(pk=pupils[0].pk).update(
        note='=HYPERLINK("http://x.invalid","点我")', address="-1+1"
    )
    client = client_of(clerk)
    workbook = opened(client, school=school)
    sheet = workbook.worksheets[0]
    last = place(workbook, COLUMN.header)
    assert last == sheet.max_column
    assert sheet.column_dimensions[get_column_letter(last)].hidden
    for row in sheet.iter_rows(min_row=2, min_col=2):
        for cell in row:
            if cell.value is not None:
                assert (cell.data_type, cell.number_format) == ("s", "@")
    assert sheet.cell(2, place(workbook, "备注")).quotePrefix
    letters = {
        area.coord.split(":")[0].rstrip("0123456789")
        for rule in sheet.data_validations.dataValidation
        for area in rule.sqref.ranges
    }
    assert get_column_letter(place(workbook, "性别")) in letters
    assert [item.sheet_state for item in workbook.worksheets] == ["visible", "visible", "hidden"]
    text = " ".join(str(cell.value) for row in workbook.worksheets[1].iter_rows() for cell in row)
    assert ReturnSheet.objects.get().token in text
    assert Student.objects.get(pk=pupils[0].pk).identity.clear not in bytes_of(workbook).decode("latin-1")
    # What looks like a formula comes back as the text that it is.
    assert counts(send_back(client, workbook)) == (0, 0, 3, 0)


def test_giving_out_is_logged_without_numbers(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    opened(client_of(clerk), school=school)
    entry = AccessLog.objects.get(action=AccessLog.Action.EXPORT)
    assert (entry.actor, entry.model) == (clerk, "students.student")
    assert entry.detail == {"return": ReturnSheet.objects.get().token, "rows": 3, "format": "xlsx"}


def test_who_may_not_import_and_export_gets_no_list(  # noqa: PLR0917 - fixtures
    client_of: ClientOf,
    class_teacher: User,
    principal: User,
    inspector: User,
    rival_clerk: User,
    clerk: User,
    school: School,
    pupils: list[Student],
) -> None:
    for user in (class_teacher, principal, inspector):
        assert client_of(user).get(RETURNS).status_code == 403
        assert give_out(client_of(user), "students", school).status_code == 403
    # Another school is none of the choices; villages and programmes are the bureau's.
    answer = give_out(client_of(rival_clerk), "students", school)
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {"school"}
    assert give_out(client_of(clerk), "villages", school).status_code == 403
    assert not ReturnSheet.objects.exists()
    assert not AccessLog.objects.filter(action=AccessLog.Action.EXPORT).exists()


def test_school_that_is_only_inspected_is_given_no_list(
    client_of: ClientOf, clerk: User, rival_school: School, pupils: list[Student]
) -> None:
    factories.enrolled(factories.SchoolClassFactory(school=rival_school), name="赵晓雨")
    factories.RoleGrantFactory(user=clerk, role="inspector", county=None, school=rival_school)
    client = client_of(clerk)
    answer = give_out(client, "students", rival_school)
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["school"])
    # Without a school it is that of the account: a list of the whole county could not come back to it.
    rows = list(opened(client, school=None).worksheets[0].values)
    assert len(rows) == 1 + len(pupils)
    assert "赵晓雨" not in str(rows)
    assert ReturnSheet.objects.get().school_id == pupils[0].enrolments.get().school_id


def test_lists_of_another_school_are_not_shown(
    client_of: ClientOf, clerk: User, rival_clerk: User, school: School, pupils: list[Student]
) -> None:
    opened(client_of(clerk), school=school)
    token = ReturnSheet.objects.get().token
    assert token in client_of(clerk).get(RETURNS).content.decode()
    assert token not in client_of(rival_clerk).get(RETURNS).content.decode()


def test_wrong_wishes_are_told_at_the_form(client_of: ClientOf, clerk: User, school: School) -> None:
    client = client_of(clerk)
    empty = give_out(client, "students", school)
    assert (empty.status_code, bool(empty.context["form"].non_field_errors())) == (200, True)
    for data in ({}, {"kind": "nonsense", "period": "never", "school": "x"}, {"kind": "payments"}):
        answer = client.post(RETURNS, data)
        assert answer.status_code in {200, 403}
        assert "attachment" not in answer.get("Content-Disposition", "")
    assert client.put(RETURNS).status_code == 405


def test_a_list_that_would_be_too_long_is_not_given_out(
    client_of: ClientOf, bureau_clerk: User, pupils: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("povertyaid.imports.return_views.MOST_ROWS", 2)
    answer = give_out(client_of(bureau_clerk), "students", None)
    assert answer.context["form"].errors.keys() == {"school"}
    assert not ReturnSheet.objects.exists()


def test_a_list_whose_kind_nobody_chose_says_itself_what_it_is(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    workbook = opened(client, school=school)
    put(workbook, "联系电话", 2, "13900000009")
    assert counts(send_back(client, workbook, kind="")) == (0, 1, len(pupils) - 1, 0)


def test_columns_that_are_chosen_by_hand_leave_the_keys_as_they_are(
    client_of: ClientOf, clerk: User, school: School, pupils: list[Student]
) -> None:
    client = client_of(clerk)
    batch = send_back(client, opened(client, school=school))
    page = reverse("imports:columns", args=[batch.pk])
    assert client.post(page, {**filled(client.get(page)), "save": "1"}).status_code == 302
    assert counts(batch) == (0, 0, len(pupils), 0), told_rows(batch)
