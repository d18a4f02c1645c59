"""List filters with choices of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from povertyaid.schools.admin_base.presets import semester_name

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

Choices = list[tuple[str, Any]]


class ChoiceFilter(admin.SimpleListFilter):
    """A filter that takes only the values it offers: anything else in the address is as if it were not there.

    Subclasses give `lookups` and `narrow`.
    """

    def value(self) -> str | None:
        value = super().value()
        return value if value in {str(choice) for choice, _label in self.lookup_choices} else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else self.narrow(request, queryset, value)

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Return the records that fit `value`, one of the offered ones."""
        raise NotImplementedError


class SemesterFilter(ChoiceFilter):
    """The semesters that visible records have, newest first. Subclass to give the `path` to the semester."""

    title = _("semester")
    parameter_name = "semester"
    path = "semester"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        found = model_admin.get_queryset(request).order_by().values_list(self.path, flat=True).distinct()
        return [(code, semester_name(code)) for code in sorted(set(found), reverse=True)]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(**{self.path: value})
