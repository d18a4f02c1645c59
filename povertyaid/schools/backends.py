"""Log-in, and permissions by role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from povertyaid.schools.models import User
from povertyaid.schools.scope import scope_of


class RoleBackend(ModelBackend):
    """Permissions are those of the groups that `sync_roles` writes, for the roles that are live today.

    Neither superusers nor direct user permissions exist here: the table in roles.py is the only source.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the permission strings of the live roles (one query a request)."""
        if not isinstance(user_obj, User) or not user_obj.is_active or obj is not None:
            return set()
        cached: set[str] | None = getattr(user_obj, "_role_permissions", None)
        if cached is None:
            rows = self._permissions(user_obj).values_list("content_type__app_label", "codename").order_by()
            cached = {f"{app}.{codename}" for app, codename in rows}
            user_obj._role_permissions = cached  # type: ignore[attr-defined]
        return cached

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions(user_obj))

    @staticmethod
    def _permissions(user: User) -> QuerySet[Permission]:
        names = [role.value for role in scope_of(user).roles]
        return Permission.objects.filter(group__name__in=names).distinct()
