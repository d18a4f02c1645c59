"""A child that stands in a household and on a school's roll is one child, also when both were typed in by hand."""

from __future__ import annotations

import pytest

from povertyaid.audit.models import Change
from students.models import Student
from tests import factories
from tests.personas import World

pytestmark = pytest.mark.django_db


def unlink(pupil: Student) -> None:
    """Take the pupil out of the household in which the test's world put it."""
    member, pupil.member = pupil.member, None
    pupil.save()
    if member is not None:
        member.delete()


def test_a_member_with_the_number_of_a_pupil_is_that_pupil(world: World) -> None:
    pupil = world.home.pupil
    unlink(pupil)
    household = factories.HouseholdFactory.create(county=world.home.school.county)
    member = factories.MemberFactory.create(household=household, identity=pupil.identity.clear, relation_to_head="son")
    pupil.refresh_from_db()
    assert pupil.member == member
    told = Change.objects.filter(model="students.student", object_id=pupil.pk).first()
    assert told is not None
    assert [item["field"] for item in told.fields] == ["member"]


def test_no_link_across_counties_nor_without_a_number(world: World) -> None:
    pupil = world.home.pupil
    unlink(pupil)
    elsewhere = factories.HouseholdFactory.create()
    assert elsewhere.county != world.home.school.county
    factories.MemberFactory.create(household=elsewhere, identity=pupil.identity.clear, relation_to_head="son")
    factories.MemberFactory.create(household=elsewhere, identity="", relation_to_head="daughter")
    pupil.refresh_from_db()
    assert pupil.member is None
