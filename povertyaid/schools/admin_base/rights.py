"""A permission of one role does not reach into the scope of another.

A principal who also teaches a class reads the whole school and changes the pupils of the own class; a clerk who inspects
another school only reads there. What an account sees is the union of its roles; what it may add, change, delete, export
or see whole is what one and the same role sees and may do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from povertyaid.schools.roles import ACTIONS, TABLE, Role
from povertyaid.schools.scope import Scope, scope_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from povertyaid.schools.base import Record

NONE: frozenset[int] = frozenset()


def scope_for(user: Any, label: str, action: str) -> Scope:
    """Return the part of an account's scope that comes from roles which may do `action` to records of `label`."""
    scope = scope_of(user)
    if scope.everything:
        return scope
    roles = {role for role in scope.roles if action in TABLE[role].get(label, ())}
    return replace(
        scope.of_roles(roles),
        class_ids=scope.class_ids if Role.CLASS_TEACHER in roles else NONE,
        staff_id=scope.staff_id if Role.HELPER in roles else None,
    )


def within_rights(queryset: QuerySet[Any], user: Any, action: str) -> QuerySet[Any]:
    """Return those of the visible records of `queryset` to which one role of the account may do `action`."""
    model = queryset.model
    if action not in ACTIONS.values():
        return queryset  # a permission of the admin's own: its method decides
    scope = scope_for(user, model._meta.label_lower, action)
    if scope.everything or scope == scope_of(user):
        return queryset  # every role may: being visible, which got us here, is enough
    allowed = model._default_manager.filter(model.scope_filter(scope)).order_by()
    return queryset.filter(pk__in=allowed.values("pk"))


def may_act_on(user: Any, record: Record, action: str) -> bool:
    """Say whether one role of the account both sees the record and may do `action` to it."""
    scope = scope_for(user, record._meta.label_lower, action)
    if scope.everything or scope == scope_of(user):
        return True
    model = type(record)
    return model._default_manager.filter(model.scope_filter(scope), pk=record.pk).exists()


class RoleBound:
    """Mixin of admins whose records some roles only read."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = bool(super().has_change_permission(request, obj))  # type: ignore[misc]
        return allowed and (obj is None or self._answer(request, obj, "change"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = bool(super().has_delete_permission(request, obj))  # type: ignore[misc]
        return allowed and (obj is None or self._answer(request, obj, "delete"))

    @staticmethod
    def _answer(request: HttpRequest, obj: Any, action: str) -> bool:
        """Ask once a request: Django's admin asks for each inline and each button again."""
        answers: dict[tuple[str, Any, str], bool] = request.__dict__.setdefault("_role_answers", {})
        key = (obj._meta.label, obj.pk, action)
        if key not in answers:
            answers[key] = may_act_on(request.user, obj, action)
        return answers[key]
