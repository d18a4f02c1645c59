"""Accounts and roles: made with a first password, delegated with dates, switched off, never deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from povertyaid.schools.models import RoleGrant, School, User
from povertyaid.schools.roles import Role
from povertyaid.schools.scope import scope_of
from tests import factories
from tests.personas import World, as_new
from tests.records.pages import errors_of, filled, page, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
PASSWORD = "Diyici-mima-1"
ADD = "/schools/user/add/"


def _new(**values: object) -> dict[str, object]:
    return {"username": "xinren", "password1": PASSWORD, "password2": PASSWORD, **values}


def _grant(role: str, school: School | None = None, **values: object) -> dict[str, object]:
    found = {"role": role, "school": school.pk if school else "", **values}
    return {f"grants-0-{name}": value for name, value in found.items()}


def test_an_administrator_makes_an_account_for_a_person(
    client_of: ClientOf, county_admin: User, school: School
) -> None:
    person = factories.StaffFactory(school=school, name="新来的专干")
    client = client_of(county_admin)
    response = send(client, ADD, **_new(person=person.pk), **_grant(Role.SCHOOL_CLERK, school))
    assert response.status_code == 302, errors_of(response)
    account = User.objects.get(username="xinren")
    assert account.must_change_password
    assert account.check_password(PASSWORD)
    person.refresh_from_db()
    assert person.account == account
    grant = RoleGrant.objects.get(user=account)
    assert (grant.role, grant.school, grant.county) == (Role.SCHOOL_CLERK, school, None)
    assert client.get(page(User, "change", account.pk)).status_code == 200
    # The password stands in no history.
    assert PASSWORD not in client.get(page(User, "history", account.pk)).content.decode()


def test_a_role_of_the_bureau_needs_no_school(client_of: ClientOf, county_admin: User, school: School) -> None:
    response = send(client_of(county_admin), ADD, **_new(), **_grant(Role.COUNTY_CLERK, school))
    assert response.status_code == 302, errors_of(response)
    grant = RoleGrant.objects.get(user__username="xinren")
    assert (grant.school, grant.county) == (None, school.county)


def test_a_role_of_a_school_needs_one_and_an_account_needs_a_role_or_a_person(
    client_of: ClientOf, county_admin: User
) -> None:
    client = client_of(county_admin)
    assert send(client, ADD, **_new(), **_grant(Role.PRINCIPAL)).status_code == 200
    assert send(client, ADD, **_new()).status_code == 200
    assert send(client, ADD, **_new(password2="anders")).status_code == 200
    assert send(client, ADD, **_new(password1="kurz", password2="kurz")).status_code == 200
    assert not User.objects.filter(username="xinren").exists()


def test_a_school_or_person_of_another_county_cannot_be_chosen(
    client_of: ClientOf, county_admin: User, foreign_school: School
) -> None:
    client = client_of(county_admin)
    assert send(client, ADD, **_new(), **_grant(Role.PRINCIPAL, foreign_school)).status_code == 200
    stranger = factories.StaffFactory(school=foreign_school)
    assert send(client, ADD, **_new(person=stranger.pk)).status_code == 200
    assert not User.objects.filter(username="xinren").exists()


def test_a_person_has_at_most_one_account(
    client_of: ClientOf, county_admin: User, clerk: User, school: School
) -> None:
    data = {**_new(person=clerk.staff.pk), **_grant(Role.SCHOOL_CLERK, school)}
    assert send(client_of(county_admin), ADD, **data).status_code == 200
    clerk.staff.refresh_from_db()
    assert clerk.staff.account == clerk


def test_a_delegation_holds_between_its_days(client_of: ClientOf, county_admin: User, world: World) -> None:
    client, deputy = client_of(county_admin), factories.StaffFactory(school=world.home.school)
    today = timezone.localdate()
    tomorrow = today + dt.timedelta(days=1)
    dates = {"valid_from": tomorrow.isoformat(), "valid_to": (today + dt.timedelta(days=9)).isoformat()}
    response = send(
        client, ADD, **_new(person=deputy.pk), **_grant(Role.PRINCIPAL, world.home.school, **dates)
    )
    assert response.status_code == 302, errors_of(response)
    account = User.objects.get(username="xinren")
    assert scope_of(account).roles == frozenset()
    RoleGrant.objects.filter(user=account).update(valid_from=today)
    assert scope_of(as_new(account)).roles == {Role.PRINCIPAL}
    wrong = {"valid_from": tomorrow.isoformat(), "valid_to": today.isoformat()}
    url = page(RoleGrant, "change", RoleGrant.objects.get(user=account).pk)
    assert send(client, url, **wrong).status_code == 200


def test_nobody_takes_the_administrators_role_from_himself(client_of: ClientOf, county_admin: User) -> None:
    client, url = client_of(county_admin), page(User, "change", county_admin.pk)
    form = filled(client, url)
    assert client.post(url, {**form, "grants-0-DELETE": "on", "_save": "1"}).status_code == 200
    assert RoleGrant.objects.filter(user=county_admin, role=Role.COUNTY_ADMIN).exists()
    form.pop("is_active")
    client.post(url, {**form, "_save": "1"})
    county_admin.refresh_from_db()
    assert county_admin.is_active


def test_accounts_are_switched_off_and_never_deleted(
    client_of: ClientOf, county_admin: User, clerk: User
) -> None:
    client, url = client_of(county_admin), page(User, "change", clerk.pk)
    assert client.post(page(User, "delete", clerk.pk), {"post": "yes"}).status_code == 403
    form = filled(client, url)
    form.pop("is_active")
    assert client.post(url, {**form, "_save": "1"}).status_code == 302
    clerk.refresh_from_db()
    assert not clerk.is_active


def test_a_new_first_password(client_of: ClientOf, county_admin: User, clerk: User) -> None:
    url = reverse("admin:schools_user_password", args=[clerk.pk])
    client = client_of(county_admin)
    assert url in client.get(page(User, "change", clerk.pk)).content.decode()
    assert client.get(url).status_code == 200
    assert client.post(url, {"password1": "kurz", "password2": "kurz"}).status_code == 200
    assert client.post(url, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    clerk.refresh_from_db()
    assert clerk.check_password(PASSWORD)
    assert clerk.must_change_password


def test_only_administrators_manage_accounts_and_only_those_of_their_county(
    client_of: ClientOf, county_admin: User, principal: User, rival_county_admin: User, bureau_clerk: User
) -> None:
    password = reverse("admin:schools_user_password", args=[principal.pk])
    for user in (principal, bureau_clerk):
        client = client_of(user)
        for url in (page(User, "changelist"), page(User, "change", principal.pk), ADD, password):
            assert client.get(url).status_code == 403, url
    stranger = client_of(rival_county_admin)
    for url in (page(User, "change", principal.pk), password):
        assert stranger.get(url).status_code == 404, url
        assert stranger.post(url, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 404, url
    names = {account.username for account in stranger.get(page(User, "changelist")).context["cl"].result_list}
    assert names == {rival_county_admin.username}
