"""Lists through the browser: send, look at the preview, confirm; and files that cannot be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from aid.models import Payment
from households.models import Household, Member
from pairings.models import Pairing
from povertyaid.imports.models import ImportBatch
from povertyaid.schools.models import School
from povertyaid.schools.roles import Role
from students.models import Recognition, Student
from tests.browser import county
from tests.personas import make_user

if TYPE_CHECKING:
    from pathlib import Path

    from povertyaid.schools.models import County, User
    from tests.browser.desk import Desk

pytestmark = pytest.mark.usefixtures("july")


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
            # This list names no school, and the county has two: the form asks which.
            expect(desk.errors.first).to_be_visible()
            desk.send_list(kind, county.WORKBOOKS / file, school=county.SCHOOL)
        if kind == "students":
            desk.picture("preview-students")
        # The preview has written nothing.
        assert before == (Student.objects.count(), Household.objects.count(), Payment.objects.count())
        assert desk.rows_shown("rejected") == [item["row"] for item in truth["rejected"]]
        for told in desk.page.locator("table.preview .told").all():
            assert any("\u4e00" <= character <= "\u9fff" for character in told.inner_text())
        if kind == "payments":
            desk.picture("refused-payments")
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
    expect(desk.page.locator(".notice").first).to_contain_text(
        f"{ImportBatch.objects.get(pk=4).finished_at:%Y-%m-%d}"
    )
    assert desk.counts()[1:4] == [0, 0, 26]
    desk.confirm_list()
    assert Pairing.objects.count() == 26


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        pytest.param("students", "花名册.xlsx", b"", id="empty file"),
        pytest.param("students", "花名册.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", id="a document"),
        pytest.param("students", "花名册.xlsx", b"PK\x03\x04 broken", id="damaged"),
        pytest.param("payments", "students-roster.xlsx", None, id="wrong kind"),
        pytest.param(
            "students",
            "名册.csv",
            "石板滩小学2025—2026学年第二学期家庭经济困难学生花名册\n姓名,性别,身份证号,年级班级,困难类型,认定等级\n"
            "陶晓雨,女,431202201706180026,二年级1班,脱贫家庭,困难\n".encode("gb18030"),
            id="unknown school",
        ),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_in_chinese_and_changes_nothing(  # noqa: PLR0917
    desk: Desk, official: User, tmp_path: Path, kind: str, name: str, data: bytes | None
) -> None:
    path = county.WORKBOOKS / name
    if data is not None:
        path = tmp_path / name
        path.write_bytes(data)
    desk.log_in(official)
    desk.send_list(kind, path)
    expect(desk.errors.first.or_(desk.page.locator(".told.error").first)).to_be_visible()
    assert desk.is_chinese()
    assert not Student.objects.exists()
    assert not Payment.objects.exists()
    assert School.objects.count() == len(county.SCHOOLS) - 1


def test_a_preview_that_is_given_up_writes_nothing(desk: Desk, official: User) -> None:
    desk.log_in(official)
    desk.send_list("students", county.WORKBOOKS / "students-roster.xlsx")
    desk.page.locator(".decide form").nth(2).locator("input[type=submit]").click()
    expect(desk.page).to_have_url(desk.address + reverse("imports:index"))
    expect(desk.messages).to_have_class("success")
    assert not Student.objects.exists()
    assert ImportBatch.objects.get(kind="students").state == ImportBatch.State.CANCELLED
