"""Lists through the browser: sent, matched, looked at, decided, confirmed, mended, taken back; and what cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from openpyxl import load_workbook
from playwright.sync_api import expect

from aid.models import Payment
from households.models import Household, Member
from pairings.models import Pairing
from povertyaid.imports.models import ImportBatch, SavedMapping
from povertyaid.schools.models import School, SchoolClass
from povertyaid.schools.roles import Role
from students.models import Recognition, Student
from tests import factories
from tests.browser import county, messy
from tests.personas import make_user

if TYPE_CHECKING:
    from pathlib import Path

    from povertyaid.schools.models import County, User
    from tests.browser.desk import Desk

pytestmark = pytest.mark.usefixtures("july")
SEMESTER = "2025-2026-2"


@pytest.fixture
def hills(db: None, tmp_path: Path) -> County:
    """The county of the four lists."""
    return county.make_county(tmp_path)


@pytest.fixture
def official(hills: County) -> User:
    """The clerk of the bureau."""
    return make_user(Role.COUNTY_CLERK, hills, "official")


def test_a_bureau_clerk_imports_the_four_lists_and_sees_what_is_refused_and_why(
    desk: Desk, official: User
) -> None:
    desk.log_in(official)
    for kind, name, file in (
        ("students", "students-roster", "students-roster.xlsx"),
        ("households", "registry", "registry.xls"),
        ("payments", "payments", "payments.csv"),
        ("pairings", "pairings", "pairings.xlsx"),
    ):
        truth = county.truth(name)
        before = Student.objects.count(), Household.objects.count(), Payment.objects.count()

        desk.send_list(kind, county.WORKBOOKS / file)
        if kind == "pairings":
            # This list names no school, and the county has two: it is asked which.
            desk.asks_for_columns()
            expect(desk.page.locator(".notice").first).to_contain_text("学校")
            desk.page.select_option("#id_file-school", label=county.SCHOOL)
            desk.save_columns()
        # The preview has written nothing.
        assert before == (Student.objects.count(), Household.objects.count(), Payment.objects.count())
        assert desk.rows_shown("rejected") == [item["row"] for item in truth["rejected"]]
        for told in desk.page.locator("table.preview .told").all():
            assert any("\u4e00" <= character <= "\u9fff" for character in told.inner_text())
        assert desk.rows_shown("ignored") == truth["ignored"]

        desk.confirm_list()
        expect(desk.messages).to_have_count(1)
        expect(desk.messages).to_have_class("success")
        assert desk.is_chinese()

    assert Student.objects.count() == 31
    assert Recognition.objects.count() == 31
    assert Household.objects.count() == 14
    assert Member.objects.count() == 33
    assert Payment.objects.count() == 20
    assert Pairing.objects.count() == 26

    # The same file again: it says so, and changes nothing.
    desk.send_list("pairings", county.WORKBOOKS / "pairings.xlsx", school=county.SCHOOL)
    earlier = ImportBatch.objects.get(kind="pairings", state="imported")
    expect(desk.page.locator(".notice").first).to_contain_text(f"{earlier.finished_at:%Y-%m-%d}")
    assert desk.counts()[1:4] == [0, 0, 26]
    desk.confirm_list()
    assert Pairing.objects.count() == 26


@pytest.fixture
def known(hills: County) -> Student:
    """A pupil on record whose name was once spelt wrongly."""
    school = county.home_school()
    three = factories.SchoolClassFactory(school=school, entry_year=2023, number=1)
    return factories.enrolled(
        three,
        name="罗小曼",
        identity=messy.KNOWN,
        sex="female",
        birth_date=messy.KNOWN_BIRTH,
        pupil_number="",
    )


def test_a_messy_list_is_matched_decided_mended_sent_again_and_taken_back(
    desk: Desk, official: User, known: Student, tmp_path: Path
) -> None:
    page = desk.page
    desk.log_in(official)

    # Nobody says what the list is: its headers propose it, and what only the values tell is asked.
    desk.send_list("", messy.write(tmp_path / "受助学生.xlsx"))
    desk.asks_for_columns()
    desk.fits()
    expect(page.get_by_label("学生（")).to_be_checked()
    expect(desk.column("家里电话").locator(".doubtful select")).to_have_value("phone")
    expect(desk.column("姓名").locator("select")).to_have_value("name")
    assert messy.rows()[0][3] not in desk.text
    desk.save_columns()
    desk.asks_for_columns()  # no school is named anywhere
    desk.column("二代证").locator("select").select_option("identity")
    desk.column("住在哪里").locator("select").select_option("address")
    page.select_option("#id_file-school", label=county.SCHOOL)
    page.select_option("#id_file-period", SEMESTER)
    page.check("#id_file-remember")
    desk.save_columns()
    expect(desk.errors.first).to_contain_text("来文单位")
    page.fill("#id_file-office", "青石乡民政办")
    desk.picture("columns", whole=True)
    desk.save_columns()

    # The preview: nothing written, every row accounted for, repairs told.
    expect(page.locator("table.counts")).to_be_visible()
    assert desk.counts() == [8, 5, 0, 0, 3, 1, 0, 5]
    assert Student.objects.count() == 1
    assert SavedMapping.objects.get().sender == "青石乡民政办"
    desk.fits()
    desk.picture("preview-messy")
    assert desk.rows_shown("rejected") == [7, 8, 9]
    assert desk.rows_shown("asked") == [7]
    page.fill("input[name=row]", "8")
    page.locator(".find-row input[type=submit]").click()
    expect(page.locator("table.preview td.number")).to_have_text(["8"])
    page.locator("details summary").click()
    repairs = page.locator("details tbody tr")
    expect(repairs.filter(has_text="骆明远")).to_be_visible()

    # The near miss, side by side.
    page.locator(".notice a.button").click()
    card = page.locator("fieldset.card")
    expect(card).to_have_count(1)
    expect(card.locator(".differs").first).to_contain_text("罗小曼")
    assert messy.KNOWN not in desk.text
    desk.fits()
    desk.picture("decide", of=card)
    card.locator("input[type=radio][value^='take:']").check()
    desk.submit()
    expect(page.locator("table.counts")).to_be_visible()
    assert desk.counts()[:6] == [8, 5, 1, 0, 2, 0]

    desk.confirm_list()
    expect(desk.messages).to_have_class("success")
    first = ImportBatch.objects.get(state="partly")
    known.refresh_from_db()
    assert (known.name, Student.objects.count()) == ("罗小满", 6)

    # The refused rows in the sender's own layout: the bad cells are marked; mended and sent again.
    with page.expect_download() as download:
        page.locator(f"a[href='{reverse('imports:refused', args=[first.pk])}']").click()
    mended = tmp_path / "退回.xlsx"
    download.value.save_as(mended)
    workbook = load_workbook(mended)
    sheet = workbook["登记"]
    marked = [cell for row in sheet.iter_rows() for cell in row if cell.comment is not None]
    assert {cell.value for cell in marked} == {messy.rows()[4][3], "很困难"}
    for cell in marked:
        assert cell.fill.fill_type == "solid"
        cell.value = "困难" if cell.value == "很困难" else messy.numbers()[4]
    workbook.save(mended)
    desk.send_list("", mended, school=county.SCHOOL, period=SEMESTER)
    # The header is known by now: nothing is asked.
    expect(page.locator("table.counts")).to_be_visible()
    assert desk.counts()[:5] == [2, 2, 0, 0, 0]
    desk.confirm_list()
    expect(desk.messages).to_have_class("success")
    assert Student.objects.filter(name__in=["米乐", "温良"]).count() == 2

    # The first import is taken back; a pupil who has a helper by now stays, and the page says why.
    helper = factories.StaffFactory(school=county.home_school())
    factories.PairingFactory(helper=helper, student=Student.objects.get(name="谷雨"))
    desk.open(reverse("imports:undo", args=[first.pk]))
    desk.fits()
    page.locator(".filters a[href='?show=refused']").click()
    expect(page.locator("table.preview tbody")).to_contain_text("谷雨")
    desk.picture("undo")
    page.locator(".decide form input[type=submit]").click()
    expect(page.locator(".undone")).to_be_visible()
    page.locator(".undone summary").click()
    expect(page.locator(".undone li").filter(has_text="谷雨").first).to_be_visible()
    known.refresh_from_db()
    assert known.name == "罗小曼"
    assert set(Student.objects.values_list("name", flat=True)) == {"罗小曼", "谷雨", "米乐", "温良"}
    assert not SchoolClass.objects.filter(school=county.home_school(), number=2).exists()
    assert desk.is_chinese()


def test_a_list_for_return_is_corrected_and_comes_back(
    desk: Desk, official: User, known: Student, tmp_path: Path
) -> None:
    desk.log_in(official)
    desk.open(reverse("imports:returns"))
    desk.page.select_option("#id_kind", "students")
    desk.page.select_option("#id_school", label=county.SCHOOL)
    desk.page.select_option("#id_period", SEMESTER)
    desk.picture("returns")
    with desk.page.expect_download() as download:
        desk.submit()
    path = tmp_path / "回填.xlsx"
    download.value.save_as(path)
    workbook = load_workbook(path)
    sheet = workbook.worksheets[0]
    cell = next(cell for cell in sheet[2] if cell.value == "罗小曼")
    cell.value = "罗小满"
    workbook.save(path)
    desk.send_list("students", path)
    expect(desk.page.locator("table.counts")).to_be_visible()
    assert desk.counts()[:5] == [1, 0, 1, 0, 0]
    desk.confirm_list()
    known.refresh_from_db()
    assert known.name == "罗小满"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("花名册.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", id="a document"),
        pytest.param("花名册.xlsx", b"PK\x03\x04 broken", id="damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_sent_back_in_chinese(
    desk: Desk, official: User, tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    desk.log_in(official)
    desk.send_list("students", path)
    expect(desk.errors.first).to_be_visible()
    expect(desk.page.locator(f"main a[href='{reverse('imports:index')}'].button")).to_be_visible()
    assert desk.is_chinese()
    assert ImportBatch.objects.get(kind="students").state == ImportBatch.State.REFUSED


def test_a_list_of_another_kind_or_an_unknown_school_is_asked_about(
    desk: Desk, official: User, tmp_path: Path
) -> None:
    desk.log_in(official)
    desk.send_list("payments", county.WORKBOOKS / "students-roster.xlsx")
    desk.asks_for_columns()
    expect(desk.page.locator(".notice").first).to_be_visible()
    path = tmp_path / "名册.csv"
    path.write_bytes(
        "石板滩小学2025—2026学年第二学期家庭经济困难学生花名册\n姓名,性别,身份证号,年级班级,困难类型,认定等级\n"
        "陶晓雨,女,431202201706180026,二年级1班,脱贫家庭,困难\n".encode("gb18030")
    )
    desk.send_list("students", path)
    desk.asks_for_columns()
    expect(desk.page.locator(".notice").first).to_contain_text("石板滩小学")
    assert desk.is_chinese()
    # An empty file does not leave the form.
    path.write_bytes(b"")
    desk.send_list("students", path)
    expect(desk.errors.first).to_be_visible()
    assert not Student.objects.exists()
    assert not Payment.objects.exists()
    assert School.objects.count() == len(county.SCHOOLS) - 1


def test_a_preview_that_is_given_up_writes_nothing(desk: Desk, official: User) -> None:
    desk.log_in(official)
    desk.send_list("students", county.WORKBOOKS / "students-roster.xlsx")
    batch = ImportBatch.objects.get(kind="students")
    desk.page.locator(
        f"form[action='{reverse('imports:cancel', args=[batch.pk])}'] input[type=submit]"
    ).click()
    expect(desk.page).to_have_url(desk.address + reverse("imports:index"))
    expect(desk.messages).to_have_class("success")
    assert not Student.objects.exists()
    batch.refresh_from_db()
    assert batch.state == ImportBatch.State.CANCELLED
