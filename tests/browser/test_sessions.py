"""Log-in, lock-out, first password, languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import PASSWORD

if TYPE_CHECKING:
    from povertyaid.schools.models import User
    from tests.browser.desk import Desk


def test_five_wrong_passwords_lock_the_account_and_the_page_says_what_to_do(desk: Desk, clerk: User) -> None:
    for _attempt in range(settings.AXES_FAILURE_LIMIT - 1):
        desk.log_in(clerk, "Wrong-Pass-2026")
        expect(desk.page.locator(".errornote")).to_be_visible()
    with desk.answers(429):
        desk.log_in(clerk, "Wrong-Pass-2026")
    desk.sees("15")
    assert desk.is_chinese()

    # The right password does not open it either, and the page is still the same.
    with desk.answers(429):
        desk.log_in(clerk, PASSWORD)
    desk.sees("15")


def test_a_first_password_must_be_changed_before_anything_else(desk: Desk, clerk: User) -> None:
    clerk.must_change_password = True
    clerk.save()

    desk.log_in(clerk)
    desk.open(reverse("admin:students_student_changelist"))
    expect(desk.page).to_have_url(desk.address + reverse("admin:password_change"))

    desk.fill("old_password", PASSWORD)
    desk.fill("new_password1", "qingshi")
    desk.fill("new_password2", "qingshi")
    desk.submit()
    expect(desk.errors.first).to_be_visible()
    assert desk.is_chinese()

    desk.fill("old_password", PASSWORD)
    desk.fill("new_password1", "Qingshi-Ao-2026")
    desk.fill("new_password2", "Qingshi-Ao-2026")
    desk.submit()
    expect(desk.page).to_have_url(desk.address + reverse("admin:password_change_done"))
    desk.open(reverse("admin:index"))
    expect(desk.page.locator(".todo")).to_be_visible()


def test_the_language_switches_to_english_and_back(desk: Desk, clerk: User) -> None:
    desk.log_in(clerk)
    expect(desk.page.locator("html")).to_have_attribute("lang", "zh-hans")
    assert desk.is_chinese()

    desk.page.locator(".language-switch button[value=en]").click()
    expect(desk.page.locator("html")).to_have_attribute("lang", "en")
    desk.sees("What is to be done", "Pupils and households")

    desk.open(reverse("admin:students_student_add"))
    desk.sees("Add pupil")
    desk.page.locator(".language-switch button[value=zh-hans]").click()
    expect(desk.page.locator("html")).to_have_attribute("lang", "zh-hans")
    desk.has_no("Add pupil")
    assert desk.is_chinese()
