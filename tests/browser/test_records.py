"""Records in the browser: two people at one record, whole numbers, a class teacher's telephone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from pairings.models import Contact, Pairing
from povertyaid.audit.models import AccessLog
from students.models import Student
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable

    from povertyaid.schools.models import SchoolClass, User
    from tests.browser.desk import Desk

pytestmark = pytest.mark.usefixtures("july")


def _change_page(pupil: Student) -> str:
    return reverse("admin:students_student_change", args=[pupil.pk])


def test_the_second_of_two_people_is_told_and_loses_nothing(
    new_desk: Callable[..., Desk], clerk: User, central_clerk: User, school_class: SchoolClass
) -> None:
    pupil = factories.enrolled(school_class, name="陶晓雨", address="青石村一组", note="")
    first, second = new_desk(), new_desk()
    first.log_in(clerk)
    second.log_in(central_clerk)
    first.open(_change_page(pupil))
    second.open(_change_page(pupil))

    first.fill("address", "青石村三组12号")
    first.save()
    expect(first.messages).to_contain_text("陶晓雨")

    second.fill("guardian_name", "陶建平")
    second.fill("note", "随祖父母生活")
    second.save()

    # Told: who, what, from what to what. Nothing is written, and what was typed is still there.
    told = second.page.locator(".errorlist").first
    expect(told).to_contain_text("青石村一组 → 青石村三组12号")
    expect(told).to_contain_text(clerk.username)
    expect(second.page.locator("#id_guardian_name")).to_have_value("陶建平")
    expect(second.page.locator("#id_note")).to_have_value("随祖父母生活")
    second.picture("two-people")
    pupil.refresh_from_db()
    assert (pupil.address, pupil.note) == ("青石村三组12号", "")

    # Having read it, the second puts the first's change in and saves again.
    second.fill("address", "青石村三组12号")
    second.save()
    expect(second.messages).to_contain_text("陶晓雨")
    pupil.refresh_from_db()
    assert (pupil.address, pupil.guardian_name, pupil.note) == ("青石村三组12号", "陶建平", "随祖父母生活")


def test_a_whole_number_is_shown_for_a_reason_and_the_look_is_logged(
    desk: Desk, clerk: User, school_class: SchoolClass
) -> None:
    pupil = factories.enrolled(school_class, name="陶晓雨")
    whole = pupil.identity.clear
    masked = f"{whole[:4]}{'*' * 10}{whole[-4:]}"

    desk.log_in(clerk)
    desk.open(_change_page(pupil))
    expect(desk.page.locator("#id_identity")).to_have_value(masked)
    assert whole not in desk.page.content()
    assert pupil.phone not in desk.page.content()

    desk.page.locator(".reveal-link").first.click()
    expect(desk.page.locator("#id_reason")).to_be_visible()
    desk.submit()
    expect(desk.errors.first).to_be_visible()
    assert whole not in desk.page.content()
    assert not AccessLog.objects.filter(action=AccessLog.Action.REVEAL).exists()

    desk.fill("reason", "核对银行卡户名")
    desk.submit()
    expect(desk.page.locator(".whole-number")).to_have_text(whole)
    entry = AccessLog.objects.get(action=AccessLog.Action.REVEAL)
    assert (entry.actor_id, entry.object_id, entry.reason) == (clerk.pk, pupil.pk, "核对银行卡户名")


def test_a_class_teacher_sees_the_own_class_on_a_telephone_and_enters_a_home_visit(
    new_desk: Callable[..., Desk], class_teacher: User, school_class: SchoolClass, rival_class: SchoolClass
) -> None:
    mine = factories.enrolled(school_class, name="陶晓雨")
    other_class = factories.SchoolClassFactory(school=school_class.school, number=2)
    factories.enrolled(other_class, name="韩子轩")
    factories.enrolled(rival_class, name="何思远")
    pairing = factories.PairingFactory(helper=class_teacher.staff, student=mine)

    desk = new_desk(phone=True)
    desk.log_in(class_teacher)
    desk.fits()
    desk.open(reverse("admin:students_student_changelist"))
    desk.sees("陶晓雨")
    desk.has_no("韩子轩")
    desk.has_no("何思远")
    desk.fits()

    desk.open(reverse("admin:pairings_pairing_change", args=[pairing.pk]))
    desk.fits()
    desk.open(f"{reverse('admin:pairings_contact_add')}?pairing={pairing.pk}")
    desk.page.select_option("#id_kind", Contact.Kind.HOME_VISIT)
    desk.fill("date", "2026-07-04")
    desk.fill("minutes", "50")
    desk.fill("present", "祖母")
    desk.fits()
    desk.picture("phone-contact")
    desk.save()
    expect(desk.messages).to_be_visible()
    contact = Contact.objects.get(pairing=Pairing.objects.get())
    assert (contact.kind, contact.date.isoformat(), contact.minutes) == ("home_visit", "2026-07-04", 50)
