"""The demo county: invented, whole, and only for a new database that is not in production."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

from aid.models import Disbursement, Payment
from households.models import Household, Member
from pairings.models import Contact, Pairing, PrivateNote
from povertyaid.audit.models import Change
from povertyaid.lib import periods
from povertyaid.lib.identity import check_identity
from povertyaid.schools.models import County, School, SchoolClass, Staff, User
from povertyaid.schools.roles import Role
from povertyaid.schools.scope import scope_of
from reports.demo import SEMESTERS
from reports.demo.accounts import ACCOUNTS, PASSWORD
from reports.demo.invention import RARE_NAMES
from reports.demo.papers import last_half_years
from reports.models import Summary
from students.models import Enrolment, Recognition, Student
from tests import factories

pytestmark = pytest.mark.django_db


def setup_demo() -> str:
    out = StringIO()
    call_command("setup_demo", stdout=out)
    return out.getvalue()


def test_the_demo_county_is_whole() -> None:
    said = setup_demo()
    today = timezone.localdate()
    assert PASSWORD in said

    # Places and people
    assert County.objects.count() == 1
    assert set(School.objects.values_list("stage", "site")) == {
        ("primary", "school"),
        ("primary", "teaching_point"),
        ("junior", "school"),
        ("preschool", "school"),
    }
    assert School.objects.get(site="teaching_point").central_school == School.objects.get(
        stage="primary", site="school"
    )
    assert 40 <= Staff.objects.count() <= 50
    assert 560 <= Enrolment.objects.filter(state="enrolled").count() <= 640
    assert Household.objects.count() == 250
    assert set(RARE_NAMES) <= set(Student.objects.values_list("name", flat=True))

    # Every record is one that a form would have accepted
    for model in (School, SchoolClass, Staff, Household, Student, Enrolment, Pairing, Contact, Disbursement):
        for record in model.objects.order_by("pk")[:40]:
            record.full_clean()
    for payment in Payment.objects.order_by("pk")[:40]:
        payment.full_clean()
    people: list[Student | Member] = [*Student.objects.all()[:200], *Member.objects.all()[:200]]
    for person in people:
        facts = check_identity(person.identity.clear, today)
        assert (facts.birth, facts.sex) == (person.birth_date, person.sex)
    for student in Student.objects.filter(member__isnull=False).select_related("member")[:100]:
        assert student.member is not None
        assert student.member.identity_hash == student.identity_hash

    # Two years, the present semester among them; gaps that a real office has
    now = periods.semester_of(today)
    semesters = {periods.shift_semester(now, -step) for step in range(SEMESTERS)}
    assert set(Recognition.objects.values_list("semester", flat=True)) == semesters
    assert set(Disbursement.objects.values_list("semester", flat=True)) == semesters
    assert Household.objects.exclude(members__relation_to_head="head").exists()
    assert (
        Recognition.objects.filter(semester=now, state__in=Recognition.IN_FORCE)
        .exclude(student__pairings__state="active")
        .exists()
    )
    assert {"signed", "reissued", "bank_returned"} <= set(Payment.objects.values_list("state", flat=True))
    assert Contact.objects.filter(date__gt=today).count() == 0
    assert set(Contact.objects.values_list("kind", flat=True)) == set(Contact.Kind.values)
    for period in last_half_years(today):
        assert Contact.objects.filter(date__range=(period.start, period.end)).count() > 500
        assert Summary.objects.filter(period=period.code).exclude(next_steps="").count() == 4

    # Kindergartens have no tutoring (SUMMARIES §3 rule 5)
    assert not Contact.objects.filter(pairing__school__stage="preschool", kind="tutoring").exists()

    # The history knows every record, under the system account
    assert Change.objects.filter(model="students.student").count() == Student.objects.count()
    assert Change.objects.filter(model="aid.payment", actor_name="system").count() == Payment.objects.count()

    # One account for each role, and the roles are live
    users = {user.username: user for user in User.objects.filter(is_demo=True)}
    assert {account.role for account in ACCOUNTS} == set(Role)
    for account in ACCOUNTS:
        user = users[account.username]
        assert account.username in said
        assert account.role in scope_of(user).roles
        assert user.check_password(PASSWORD)
        assert not user.must_change_password
        assert Student.objects.visible_to(user).exists()
    assert PrivateNote.objects.visible_to(users["helper"]).count() == 1
    assert PrivateNote.objects.visible_to(users["principal"]).count() == 0

    # A second run prints the accounts and changes nothing
    before = Change.objects.count()
    assert PASSWORD in setup_demo()
    assert Change.objects.count() == before


def test_a_database_with_a_school_is_left_alone() -> None:
    factories.SchoolFactory()
    said = setup_demo()
    assert PASSWORD not in said
    assert School.objects.count() == 1
    assert not User.objects.filter(is_demo=True).exists()


def test_production_has_no_demo(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        setup_demo()
    assert County.objects.count() == 0


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 11, 23), ["2025H2", "2026H1"]),
        (date(2026, 2, 1), ["2025H1", "2025H2"]),
        (date(2026, 7, 1), ["2025H2", "2026H1"]),
    ],
)
def test_summaries_are_those_of_the_half_years_that_ended(today: date, expected: list[str]) -> None:
    assert [period.code for period in last_half_years(today)] == expected
