"""The table of roles is what the database holds, what the documents print, and nothing besides."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from povertyaid.schools import permissions
from povertyaid.schools.models import User
from povertyaid.schools.roles import TABLE, Role, permissions_of

pytestmark = pytest.mark.django_db


def _held(role: Role) -> set[str]:
    rows = Permission.objects.filter(group__name=role.value).select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_migrate_has_applied_the_table() -> None:
    assert {role: _held(role) for role in Role} == {role: permissions_of(role) for role in Role}
    call_command("sync_roles", "--check", stdout=io.StringIO())


def test_sync_roles_adds_what_is_missing_and_removes_what_is_too_much() -> None:
    group = Group.objects.get(name=Role.HELPER.value)
    group.permissions.add(Permission.objects.get(codename="delete_student"))
    group.permissions.remove(Permission.objects.get(codename="view_student"))
    Group.objects.get(name=Role.INSPECTOR.value).delete()
    with pytest.raises(CommandError):
        call_command("sync_roles", "--check", stdout=io.StringIO())
    assert "students.delete_student" in _held(Role.HELPER)
    out = io.StringIO()
    call_command("sync_roles", stdout=out)
    assert "-students.delete_student" in out.getvalue()
    assert {role: _held(role) for role in Role} == {role: permissions_of(role) for role in Role}
    again = io.StringIO()
    call_command("sync_roles", stdout=again)
    assert "students" not in again.getvalue()


def test_the_document_is_the_table() -> None:
    path = Path(settings.BASE_DIR) / permissions.DOCUMENT
    assert path.read_text(encoding="utf-8") == permissions.document(), "run: manage.py sync_roles --docs"
    assert all(f"`{label}`" in permissions.document() for label in TABLE[Role.HELPER])


def test_neither_flags_nor_direct_permissions_open_anything(nobody: User) -> None:
    nobody.is_superuser = nobody.is_staff = True
    nobody.save()
    nobody.user_permissions.add(Permission.objects.get(codename="view_student"))
    user = User.objects.get(pk=nobody.pk)
    assert not user.has_perm("students.view_student")
    assert not user.has_module_perms("students")


def test_a_permission_that_no_model_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "permissions_of", lambda _role: {"students.fly_student"})
    with pytest.raises(CommandError, match=r"students\.fly_student"):
        call_command("sync_roles", stdout=io.StringIO())
