"""From the lists to the paper: a school clerk corrects and adds, the principal reads, checks, writes and prints."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING

import pypdf
import pytest
from django.urls import reverse
from playwright.sync_api import expect

from pairings.models import Contact
from povertyaid.audit.models import AccessLog
from povertyaid.schools.models import SchoolClass
from povertyaid.schools.roles import Role
from reports.models import Summary
from students.models import Recognition, SpecialGroup, Student
from tests.browser import county
from tests.factories import identity_number
from tests.personas import make_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from povertyaid.schools.models import School
    from tests.browser.desk import Desk

pytestmark = pytest.mark.usefixtures("july")
NEXT_STEPS = "9月底前完成新学年家庭经济困难学生认定。\n10月15日前为每名新认定学生落实帮扶教师。"


@pytest.fixture
def school(db: None, tmp_path: Path) -> School:
    """The school of the four lists, after their import."""
    county.make_county(tmp_path)
    for kind, file in (
        ("students", "students-roster.xlsx"),
        ("households", "registry.xls"),
        ("payments", "payments.csv"),
        ("pairings", "pairings.xlsx"),
    ):
        # The list of pairings names no school.
        named = "" if kind != "pairings" else county.SCHOOL
        county.import_file(kind, county.WORKBOOKS / file, school=named)
    return county.home_school()


def _correct_a_pupil(desk: Desk) -> None:
    """Find a pupil by the initials of the name and enter who looks after the child."""
    desk.open(reverse("admin:students_student_changelist"))
    desk.page.fill("#searchbar", "ayglm")
    desk.page.press("#searchbar", "Enter")
    desk.page.locator("#result_list a", has_text="阿依古丽·买买提").click()
    desk.fill("guardian_name", "吕子宇")
    desk.fill("guardian_relation", "母亲")
    desk.save()
    expect(desk.messages).to_contain_text("阿依古丽·买买提")


def _add_a_pupil(desk: Desk, name: str, identity: str, school_class: SchoolClass) -> None:
    """Enter a new pupil with class and recognition; sex and birthday come from the number."""
    desk.open(reverse("admin:students_student_changelist"))
    desk.page.locator(".object-tools .addlink").click()
    desk.fill("name", name)
    desk.fill("identity", identity)
    desk.page.select_option("#id_enrolments-0-school_class", str(school_class.pk))
    desk.fill("enrolments-0-start_on", "2026-03-02")
    desk.page.locator("#recognitions-group .add-row a").click()
    desk.page.select_option("#id_recognitions-0-semester", "2025-2026-2")
    desk.page.select_option("#id_recognitions-0-level", Recognition.Level.HARD)
    desk.page.select_option(
        "#id_recognitions-0-primary_group", str(SpecialGroup.objects.get(code="lifted").pk)
    )
    desk.picture("new-pupil")
    desk.save()
    expect(desk.messages).to_contain_text(name)


def _add_a_contact(desk: Desk) -> None:
    """Enter a home visit where it belongs: at the pairing."""
    desk.open(reverse("admin:pairings_pairing_changelist"))
    desk.page.fill("#searchbar", "韩航英")
    desk.page.press("#searchbar", "Enter")
    desk.page.locator("#result_list a", has_text="韩航英").click()
    desk.fill("contacts-0-date", "2026-05-16")
    desk.page.select_option("#id_contacts-0-kind", Contact.Kind.HOME_VISIT)
    desk.fill("contacts-0-minutes", "45")
    desk.fill("contacts-0-purpose", "了解假期安排")
    desk.save()
    expect(desk.messages).to_be_visible()


def _follow(desk: Desk, key: str) -> tuple[str, int]:
    """Follow the first figure of an indicator; return the figure on the list's page and the rows of the list."""
    desk.page.locator(f"a.figure[href*='/figures/{key}/']").first.click()
    value = desk.page.locator("#figure-value").inner_text()
    rows = int(desk.page.locator("#list-count").inner_text())
    expect(desk.page.locator("#result_list tbody tr")).to_have_count(rows)
    return value, rows


def test_a_school_clerk_adds_what_is_missing_and_the_principal_reads_checks_and_prints_the_summary(
    new_desk: Callable[..., Desk], school: School
) -> None:
    clerk = make_user(Role.SCHOOL_CLERK, school, "clerk")
    principal = make_user(Role.PRINCIPAL, school, "principal")
    school_class = SchoolClass.objects.get(school=school, entry_year=2025, number=1)

    desk = new_desk()
    desk.log_in(clerk)
    desk.picture("home")
    _correct_a_pupil(desk)
    identity = identity_number(dt.date(2018, 11, 3), 7)
    _add_a_pupil(desk, "罗佳宁", identity, school_class)
    _add_a_contact(desk)
    pupil = Student.objects.get(name="罗佳宁")
    assert (pupil.sex, pupil.birth_date) == ("female", dt.date(2018, 11, 3))
    # Entered in one form with the enrolment, and counted under its class all the same.
    assert Recognition.objects.get(student=pupil).school_class == school_class
    assert Student.objects.get(name="阿依古丽·买买提").guardian_relation == "母亲"
    assert Contact.objects.get().minutes == 45

    desk = new_desk()
    desk.log_in(principal)
    desk.open(reverse("reports:index"))
    desk.page.select_option("#id_target", label=county.SCHOOL)
    desk.page.select_option("#id_period", "2026H1")
    desk.submit()
    expect(desk.page.locator("h1.title").first).to_contain_text("2026年上半年")

    # Each figure leads to the records that it counts: persons, and a sum of money.
    paper = desk.page.url
    shown = desk.page.locator("a.figure[href*='/figures/recognised_pupils/']").first.inner_text()
    value, rows = _follow(desk, "recognised_pupils")
    desk.picture("records")
    assert re.findall(r"\d+", shown) == [value] == [str(rows)] == ["32"]
    desk.page.locator("#content-main > p a").last.click()
    expect(desk.page).to_have_url(paper)
    value, rows = _follow(desk, "aid_person_times")
    assert (value, rows) == ("20", len(county.truth("payments")["accepted"]))

    # The principal's own text.
    desk.page.goto(paper)
    desk.page.locator(".toolbar a[href*='/change/']").click()
    desk.fill("next_steps", NEXT_STEPS)
    desk.save()
    assert Summary.objects.get().next_steps.splitlines() == NEXT_STEPS.splitlines()
    desk.page.goto(paper)
    desk.sees(NEXT_STEPS.splitlines()[1])
    desk.picture("summary")

    with desk.page.expect_download() as waiting:
        desk.page.locator("#export-pdf").click()
    download = waiting.value
    assert download.suggested_filename == f"{county.SCHOOL}2026年上半年扶贫帮困工作总结.pdf"
    data = download.path().read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(pypdf.PdfReader(io.BytesIO(data)).pages) > 1
    assert AccessLog.objects.filter(action=AccessLog.Action.PRINT, actor=principal).count() == 1
