"""System checks of our admins: what would open a way round the scope is an error at start."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.checks import InlineModelAdminChecks, ModelAdminChecks
from django.contrib.admin.utils import NotRelationField, get_fields_from_path, get_model_from_relation
from django.core import checks
from django.core.exceptions import FieldDoesNotExist

from povertyaid.schools.admin_base.filters import ScopedRelatedFilter
from povertyaid.schools.admin_base.forms import ScopedFormSet, ScopedModelForm


def _is_relation(model: Any, path: str) -> bool:
    try:
        get_model_from_relation(get_fields_from_path(model, path)[-1])
    except (NotRelationField, FieldDoesNotExist):
        return False
    return True


def _common(obj: Any) -> list[checks.CheckMessage]:
    errors: list[checks.CheckMessage] = []
    if obj.raw_id_fields:
        errors.append(
            checks.Error(
                "raw_id_fields shows the name of any record that is sent to it; use autocomplete_fields.",
                obj=type(obj),
                id="povertyaid.E010",
            )
        )
    if not issubclass(obj.form, ScopedModelForm):
        errors.append(checks.Error("The form must be a ScopedModelForm.", obj=type(obj), id="povertyaid.E011"))
    return errors


class ScopedAdminChecks(ModelAdminChecks):
    """Checks of ScopedAdmin."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[checks.CheckMessage]:
        """Add ours to Django's."""
        errors = list(super().check(admin_obj, **kwargs)) + _common(admin_obj)
        if admin_obj.list_editable:
            errors.append(
                checks.Error(
                    "list_editable has no locking and no scope of choices.", obj=type(admin_obj), id="povertyaid.E012"
                )
            )
        if admin_obj.prepopulated_fields:
            errors.append(
                checks.Error(
                    "prepopulated_fields needs scripts that our pages leave out.", obj=type(admin_obj), id="povertyaid.E015"
                )
            )
        for item in admin_obj.list_filter:
            path, kind = item if isinstance(item, tuple | list) else (item, None)
            if not isinstance(path, str) or not _is_relation(admin_obj.model, path):
                continue
            if kind is None or not issubclass(kind, ScopedRelatedFilter):
                errors.append(
                    checks.Error(
                        f"list_filter on the relation {path} must use ScopedRelatedFilter, else it names foreign records.",
                        obj=type(admin_obj),
                        id="povertyaid.E013",
                    )
                )
        return errors


class ScopedInlineChecks(InlineModelAdminChecks):
    """Checks of the scoped inlines."""

    def check(self, inline_obj: Any, **kwargs: Any) -> list[checks.CheckMessage]:  # type: ignore[override]
        """Add ours to Django's."""
        errors = list(super().check(inline_obj, **kwargs)) + _common(inline_obj)
        if not issubclass(inline_obj.formset, ScopedFormSet):
            errors.append(
                checks.Error("The formset must be a ScopedFormSet.", obj=type(inline_obj), id="povertyaid.E014")
            )
        return errors
