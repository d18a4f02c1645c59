"""`init_county` gives an empty county everything but records, and never overwrites what people changed."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.translation import override

from aid.models import Payment, Programme, Standard
from aid.services import standard_in_force
from povertyaid.audit.models import Change
from povertyaid.schools.models import County, RoleGrant, User
from povertyaid.schools.roles import Role, permissions_of
from students.models import SpecialGroup

pytestmark = pytest.mark.django_db


def init_county(*args: str, **options: Any) -> str:
    out = StringIO()
    with override("en"):
        call_command("init_county", *args, stdout=out, **options)
    return out.getvalue()


def counts() -> list[int]:
    return [model.objects.count() for model in (County, SpecialGroup, Programme, Standard, User, RoleGrant)]


def test_a_new_county_has_roles_groups_programmes_and_standards() -> None:
    init_county("云岭县")
    county = County.objects.get()
    assert (county.name, county.bureau_name) == ("云岭县", "云岭县教育局")
    assert SpecialGroup.objects.count() == 19
    assert set(Group.objects.values_list("name", flat=True)) >= {role.value for role in Role}
    for role in Role:
        stored = {
            f"{app}.{code}"
            for app, code in Group.objects.get(name=role.value).permissions.values_list(
                "content_type__app_label", "codename"
            )
        }
        assert stored == permissions_of(role)


# POLICY §2: yuan a semester.
@pytest.mark.parametrize(
    ("name", "stage", "semester", "amount"),
    [
        ("寄宿生生活补助", "primary", "2023-2024-1", "500.00"),
        ("寄宿生生活补助", "primary", "2023-2024-2", "625.00"),
        ("寄宿生生活补助", "junior", "2023-2024-1", "625.00"),
        ("寄宿生生活补助", "junior", "2025-2026-2", "750.00"),
        ("非寄宿生生活补助", "primary", "2023-2024-1", "250.00"),
        ("非寄宿生生活补助", "primary", "2025-2026-2", "312.50"),
        ("非寄宿生生活补助", "junior", "2023-2024-1", "312.50"),
        ("非寄宿生生活补助", "junior", "2025-2026-2", "375.00"),
        ("农村义务教育学生营养改善计划", "primary", "2020-2021-2", "400.00"),
        ("农村义务教育学生营养改善计划", "junior", "2021-2022-1", "500.00"),
        ("雨露计划", "vocational", "2025-2026-1", "1500.00"),
        ("国家励志奖学金", "higher", "2024-2025-1", "6000.00"),
        ("国家奖学金", "higher", "2023-2024-1", "8000.00"),
    ],
)
def test_standards_are_those_of_the_semester(
    name: str, stage: str, semester: str, amount: str, bureau_clerk: User
) -> None:
    init_county("云岭县")
    programme = Programme.objects.get(name=name)
    standard = standard_in_force(programme=programme, stage=stage, semester=semester, user=bureau_clerk)
    assert standard is not None
    assert standard.amount == Decimal(amount)


def test_averages_are_no_ceiling(bureau_clerk: User) -> None:
    init_county("云岭县")
    grant = Programme.objects.get(code="senior_grant")
    assert grant.standards.get(valid_to="").amount == Decimal("1150.00")
    assert (
        standard_in_force(programme=grant, stage="senior", semester="2025-2026-1", user=bureau_clerk) is None
    )


def test_codes_and_spellings_that_lists_use() -> None:
    init_county("云岭县")
    boarding = Programme.objects.get(code="living_subsidy_boarding")
    day = Programme.objects.get(code="living_subsidy_day")
    assert (boarding.name, boarding.boarding) == ("寄宿生生活补助", "boarding")
    assert (day.name, day.boarding) == ("非寄宿生生活补助", "day")
    spellings = [
        word
        for programme in Programme.objects.all()
        for word in [programme.name, *filter(None, programme.synonyms.split("、"))]
    ]
    assert len(spellings) == len(set(spellings))
    groups = [
        word
        for group in SpecialGroup.objects.all()
        for word in [group.name, *filter(None, group.synonyms.split("、"))]
    ]
    assert len(groups) == len(set(groups))
    assert "建档立卡" not in "".join(groups)
    assert Programme.objects.get(code="preschool_fee_waiver").valid_from == date(2025, 9, 1)


def test_running_again_keeps_what_people_changed() -> None:
    init_county("云岭县")
    before = counts()
    county = County.objects.get()
    county.bureau_name = "云岭县教育体育局"
    county.save()
    standard = Standard.objects.get(
        programme__code="living_subsidy_day", stage="primary", valid_from="2023-2024-2"
    )
    standard.amount = Decimal("400.00")
    standard.save()
    SpecialGroup.objects.get(code="worker").delete()
    said = init_county("云岭县")
    assert "exists already" in said
    assert "special hardship groups: 1 made, 18 were there already." in said
    assert counts() == before
    county.refresh_from_db()
    standard.refresh_from_db()
    assert county.bureau_name == "云岭县教育体育局"
    assert standard.amount == Decimal("400.00")


def test_the_administrator_gets_a_first_password_once() -> None:
    said = init_county("云岭县", admin="wang", bureau="云岭县教育和体育局")
    found = re.search(r"first password (\S+)\.", said)
    assert found is not None
    user = User.objects.get(username="wang")
    assert user.check_password(found[1])
    validate_password(found[1], user)
    assert user.must_change_password
    grant = RoleGrant.objects.get(user=user)
    assert (grant.role, grant.county.bureau_name if grant.county else "") == (
        Role.COUNTY_ADMIN,
        "云岭县教育和体育局",
    )
    again = init_county("云岭县", admin="wang")
    assert "password" not in again
    assert found[1] not in str(list(Change.objects.values_list("fields", flat=True)))


@pytest.mark.parametrize("name", ["", "  ", "云" * 61])
def test_a_county_needs_a_name(name: str) -> None:
    with pytest.raises(CommandError):
        init_county(name)
    assert counts() == [0] * 6


def test_a_wrong_account_name_changes_nothing() -> None:
    with pytest.raises(CommandError):
        init_county("云岭县", admin="not a name")
    assert County.objects.count() == 0


def test_nothing_is_recorded_as_paid() -> None:
    init_county("云岭县")
    assert Payment.objects.count() == 0
    assert set(Change.objects.values_list("actor_name", flat=True)) <= {"system", ""}
