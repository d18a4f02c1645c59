"""List filters that name only what the account may know of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import get_model_from_relation
from django.db.models import Q

from povertyaid.schools.admin_base.scoping import visible

if TYPE_CHECKING:
    from django.http import HttpRequest


class ScopedRelatedFilter(admin.RelatedFieldListFilter):
    """Choices of a relation: those that visible records have and that are visible themselves.

    Django's RelatedOnlyFieldListFilter asks only the first: a pupil who came from a foreign school would show that
    school's name.
    """

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Return (pk, name) pairs."""
        related = get_model_from_relation(field)
        used = visible(model_admin.model, request.user).order_by().values(f"{self.field_path}__pk")
        condition = Q(pk__in=used) & Q(pk__in=visible(related, request.user).order_by().values("pk"))
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, limit_choices_to=condition, ordering=ordering)
