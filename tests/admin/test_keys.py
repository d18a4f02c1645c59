"""Keys: rotated while people work, checked before the server starts."""

from __future__ import annotations

import io

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from povertyaid.lib.crypto import WrongKeyError
from povertyaid.schools import starting
from povertyaid.schools.models import User
from students.models import Student
from tests.personas import World

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def _tokens() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity FROM students_student WHERE identity <> '' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def _rotate() -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_after_a_rotation_the_old_key_is_no_longer_needed(world: World, settings: object) -> None:
    pupil, version = world.home.pupil, world.home.pupil.version
    first = settings.FIELD_KEYS[0]  # type: ignore[attr-defined]
    number, file = pupil.identity.clear, world.home.attachment.get()
    before = _tokens()
    with override_settings(FIELD_KEYS=[NEW, first]):
        told = _rotate()
    assert "students.Student.identity" in told
    assert not set(before) & set(_tokens())
    with override_settings(FIELD_KEYS=[NEW]):
        again = Student.objects.get(pk=pupil.pk)
        assert (again.identity.clear, again.version) == (number, version)
        world.home.attachment.refresh_from_db()
        assert world.home.attachment.get() == file
        assert Student.objects.get(identity_hash=again.identity_hash) == again
        call_command("check_keys", stdout=io.StringIO())
    with override_settings(FIELD_KEYS=[OLD]), pytest.raises(WrongKeyError):
        _ = Student.objects.get(pk=pupil.pk).identity.clear


def test_a_rotation_without_the_old_key_stops_loudly(world: World) -> None:
    before = _tokens()
    with override_settings(FIELD_KEYS=[NEW]), pytest.raises(CommandError):
        _rotate()
    assert _tokens() == before


def test_wrong_keys_stop_the_start(world: World) -> None:
    call_command("start_checks", stdout=io.StringIO())
    with override_settings(FIELD_KEYS=[NEW]):
        for command in ("check_keys", "start_checks"):
            with pytest.raises(CommandError, match="FIELD_KEYS"):
                call_command(command, stdout=io.StringIO())
        with override_settings(PRODUCTION=True), pytest.raises(ImproperlyConfigured, match="FIELD_KEYS"):
            starting.refuse_unsafe_start()


def test_production_refuses_demo_accounts(clerk: User) -> None:
    User.objects.filter(pk=clerk.pk).update(is_demo=True)
    starting.refuse_unsafe_start()
    with override_settings(PRODUCTION=True):
        with pytest.raises(ImproperlyConfigured, match=clerk.username):
            starting.refuse_unsafe_start()
        with pytest.raises(CommandError, match=clerk.username):
            call_command("start_checks", stdout=io.StringIO())
        User.objects.filter(pk=clerk.pk).update(is_active=False)
        starting.refuse_unsafe_start()
