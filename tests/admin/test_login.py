"""Log-in, lock-out, sessions, passwords: what classified protection asks of accounts."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from povertyaid.audit.models import AccessLog
from povertyaid.schools.models import RoleGrant, User
from povertyaid.schools.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
PASSWORD = "Shanqu-2026-ok"


@pytest.fixture
def account(clerk: User) -> User:
    clerk.set_password(PASSWORD)
    clerk.save()
    return clerk


def _log_in(client: Client, username: str, password: str) -> Any:
    return client.post(reverse("admin:login"), {"username": username, "password": password, "next": "/"})


def _logged(action: str) -> list[AccessLog]:
    return list(AccessLog.objects.filter(action=action))


def test_log_in_and_out_are_logged(client: Client, account: User) -> None:
    assert _log_in(client, account.username, PASSWORD).status_code == 302
    assert client.get("/").status_code == 200
    client.post(reverse("admin:logout"))
    assert client.get("/").status_code == 302
    assert [entry.actor for entry in _logged("login") + _logged("logout")] == [account, account]


def test_five_failures_lock_the_account_and_say_when_to_try_again(client: Client, account: User) -> None:
    answers = [_log_in(client, account.username, "falsch") for _attempt in range(5)]
    answer = answers[-1]
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 429]
    text = answer.content.decode()
    assert str(settings.AXES_FAILURE_LIMIT) in text
    assert str(int(settings.AXES_COOLOFF_TIME * 60)) in text
    assert "<script" not in text
    # Also the right password is refused while the lock holds, from another address too.
    other = Client(REMOTE_ADDR="10.0.0.9")
    assert _log_in(other, account.username, PASSWORD).status_code == 429
    assert len(_logged("login_failed")) >= 5
    assert {entry.actor for entry in _logged("login_failed")} == {account}


def test_the_lock_ends_by_itself_and_by_the_administrator(
    client: Client, client_of: ClientOf, account: User, county_admin: User
) -> None:
    for _attempt in range(5):
        _log_in(client, account.username, "falsch")
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))
    assert _log_in(client, account.username, PASSWORD).status_code == 302
    client.post(reverse("admin:logout"))
    for _attempt in range(5):
        _log_in(client, account.username, "falsch")
    url = reverse("admin:schools_user_changelist")
    chosen = {"action": "unlock", "_selected_action": [account.pk]}
    admin = client_of(county_admin)
    assert admin.post(url, chosen).status_code == 200
    admin.post(url, {**chosen, "confirmed": "yes"})
    assert _log_in(client, account.username, PASSWORD).status_code == 302


def test_a_number_typed_as_account_name_is_stored_nowhere(client: Client) -> None:
    number = factories.identity_number(dt.date(1980, 1, 1), 5, "male")
    _log_in(client, number, "falsch")
    kept = str(list(AccessAttempt.objects.values())) + str(list(AccessLog.objects.values()))
    assert number not in kept
    assert number[6:14] not in kept
    (entry,) = _logged("login_failed")
    assert entry.actor is None


def test_an_account_without_a_live_role_cannot_log_in(client: Client, nobody: User, account: User) -> None:
    nobody.set_password(PASSWORD)
    nobody.save()
    answer = _log_in(client, nobody.username, PASSWORD)
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    RoleGrant.objects.filter(user=account).update(valid_to=yesterday)
    assert _log_in(client, account.username, PASSWORD).status_code == 200
    RoleGrant.objects.filter(user=account).update(valid_from=timezone.localdate(), valid_to=timezone.localdate())
    assert _log_in(client, account.username, PASSWORD).status_code == 302


def test_a_deactivated_account_is_out_at_once(client: Client, account: User) -> None:
    _log_in(client, account.username, PASSWORD)
    User.objects.filter(pk=account.pk).update(is_active=False)
    assert client.get("/").status_code == 302
    assert _log_in(client, account.username, PASSWORD).status_code == 200


def test_a_session_is_renewed_at_most_once_a_minute(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    client.get("/")
    first = Session.objects.get().expire_date
    client.get("/")
    assert Session.objects.get().expire_date == first
    session = client.session
    session["renewed"] = int(time.time()) - settings.SESSION_RENEW_SECONDS
    session.save()
    before = Session.objects.get().expire_date
    client.get("/")
    assert Session.objects.get().expire_date > before


def test_a_session_without_work_ends_and_the_log_in_says_why(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    client.get("/")
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    answer = client.get("/students/student/", follow=True)
    assert answer.redirect_chain == [("/login/?next=/students/student/", 302)]
    assert str(settings.SESSION_COOKIE_AGE // 60) in answer.content.decode()


@pytest.mark.parametrize("weak", ["Ab1!", "1234567890123", "passwordpassword", "abcdefghijk1", "clerk2026!Xx"])
def test_weak_passwords_are_refused(weak: str, school: Any) -> None:
    user = User(username="clerk2026")
    with pytest.raises(ValidationError):
        validate_password(weak, user)


def test_a_good_password_is_taken(db: None) -> None:
    validate_password(PASSWORD, User(username="clerk"))


def test_a_first_password_must_be_changed_before_anything_else(client: Client, account: User) -> None:
    account.must_change_password = True
    account.save()
    _log_in(client, account.username, PASSWORD)
    page = reverse("admin:password_change")
    for url in ("/", "/students/student/", "/nonsense/"):
        answer = client.get(url)
        assert (answer.status_code, answer["Location"]) == (302, page), url
    assert client.get(page).status_code == 200
    same = {"old_password": PASSWORD, "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post(page, same).status_code == 200
    new = {"old_password": PASSWORD, "new_password1": "Xin-mima-2026", "new_password2": "Xin-mima-2026"}
    assert client.post(page, new).status_code == 302
    assert client.get("/").status_code == 200
    account.refresh_from_db()
    assert not account.must_change_password


def test_a_derived_role_opens_the_door_too(client: Client, class_teacher: User) -> None:
    class_teacher.set_password(PASSWORD)
    class_teacher.save()
    assert not RoleGrant.objects.filter(user=class_teacher, role=Role.CLASS_TEACHER).exists()
    assert _log_in(client, class_teacher.username, PASSWORD).status_code == 302
    assert client.get("/").status_code == 200


def test_administrators_see_failed_log_ins_under_names_that_no_account_has(
    client: Client, county_admin: User, clerk: User
) -> None:
    _log_in(client, "gibtesnicht", "falsch")
    (entry,) = _logged("login_failed")
    assert entry.detail == {"name": "gibtesnicht"}
    assert entry in AccessLog.objects.visible_to(county_admin)
    assert entry not in AccessLog.objects.visible_to(clerk)
