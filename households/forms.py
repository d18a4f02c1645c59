"""What the forms of persons share: facts of the identity number, and rules between the rows of one form."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext as _

from households.models import Sex
from povertyaid.lib.identity import IdentityError, IdentityFacts, check_identity
from povertyaid.schools.admin_base import ScopedFormSet, ScopedModelForm


class IdentityForm(ScopedModelForm):
    """Fills sex and date of birth from the identity number; what contradicts it is told at the field.

    Digit 17 is odd for men and even for women (POLICY §4).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "sex" in self.fields:
            self.fields["sex"].required = False

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        facts = self._facts(data)
        if facts is not None:
            self._compare(data, facts)
        if (
            "sex" in self.fields
            and not data.get("sex")
            and "sex" not in self.errors
            and not self._sex_may_be_empty()
        ):
            self.add_error("sex", _("Choose the sex, or enter the identity number, which tells it."))
        return data

    def _sex_may_be_empty(self) -> bool:
        field = self._meta.model._meta.get_field("sex")
        return isinstance(field, models.Field) and field.blank

    def _facts(self, data: dict[str, Any]) -> IdentityFacts | None:
        """Return what the number on the form says, or the stored one when its mask came back; None if it is wrong."""
        number = data.get("identity") or ""
        if "*" in number and number == str(self.instance.identity):
            number = self.instance.identity.clear
        try:
            return check_identity(number, timezone.localdate()) if number else None
        except IdentityError:
            return None  # the field's own validator says what is wrong

    def _compare(self, data: dict[str, Any], facts: IdentityFacts) -> None:
        if "sex" in self.fields:
            if not data.get("sex"):
                data["sex"] = facts.sex
            elif data["sex"] != facts.sex:
                said = Sex(facts.sex).label
                self.add_error(
                    "sex", _("The identity number says %(sex)s; correct one of the two.") % {"sex": said}
                )
        if "birth_date" in self.fields:
            if not data.get("birth_date"):
                data["birth_date"] = facts.birth
            elif data["birth_date"] != facts.birth:
                self.add_error(
                    "birth_date",
                    _("The identity number says %(date)s; correct one of the two.") % {"date": facts.birth},
                )


class ConstraintFormSet(ScopedFormSet):
    """Checks the rules between rows of one form: two heads, two present enrolments, one semester twice.

    Django checks neither conditional constraints nor hidden columns between rows that are sent together.
    """

    def clean(self) -> None:
        super().clean()
        live = [
            form
            for form in self.forms
            if form not in self.deleted_forms and form.is_valid() and (form.has_changed() or form.instance.pk)
        ]
        for constraint in self._unique_constraints():
            self._check(constraint, live)

    _saving = False

    @property
    def initial_forms(self) -> list[Any]:
        """Stored rows; while saving, those that give something up (an old head) before those that take it."""
        forms = list(super().initial_forms)
        if not self._saving:
            return forms
        rules = [
            item for item in self._unique_constraints() if item.condition and self.fk.name in item.fields
        ]

        def takes(form: Any) -> bool:
            return form not in self.deleted_forms and any(_holds(rule, form.instance) for rule in rules)

        return sorted(forms, key=takes)

    def save_existing_objects(self, commit: bool = True) -> list[Any]:
        self._saving = True
        try:
            return super().save_existing_objects(commit)
        finally:
            self._saving = False

    @property
    def _rows(self) -> type[models.Model]:
        """The model of the rows (Django's stubs allow a formset without one)."""
        assert self.model is not None  # noqa: S101 - for the type checker
        return self.model

    def _unique_constraints(self) -> list[UniqueConstraint]:
        found = (item for item in self._rows._meta.constraints if isinstance(item, UniqueConstraint))
        return [item for item in found if item.fields]

    def _check(self, constraint: UniqueConstraint, live: list[Any]) -> None:
        """Compare the rows with each other, then with stored ones that are not among them."""
        seen: set[tuple[Any, ...]] = set()
        for form in live:
            if not _holds(constraint, form.instance):
                continue
            attributes = [self._rows._meta.get_field(name).attname for name in constraint.fields]  # type: ignore[union-attr]
            key = tuple(getattr(form.instance, name) for name in attributes)
            if key in seen or self._is_stored(constraint, dict(zip(attributes, key, strict=True))):
                self._tell(form, str(constraint.get_violation_error_message()))
            seen.add(key)

    def _is_stored(self, constraint: UniqueConstraint, values: dict[str, Any]) -> bool:
        if self.fk.attname not in values or None in values.values():
            return False  # the row's own form has asked, or there is nothing stored yet
        # Every row counts, also one of a school that this user may not see; the message names nothing of it.
        stored = self._rows._default_manager.filter(**values)
        if constraint.condition is not None:
            stored = stored.filter(constraint.condition)
        here = [form.instance.pk for form in self.initial_forms]
        return bool(stored.exclude(pk__in=here).exists())

    @staticmethod
    def _tell(form: Any, message: str) -> None:
        if not any(message in errors for errors in form.errors.values()):
            form.add_error(None, message)


def _holds(constraint: UniqueConstraint, instance: Any) -> bool:
    """Say whether the condition of a constraint applies to a row as it was sent."""
    if constraint.condition is None:
        return True
    # As Django's own check of a conditional constraint does.
    values = instance._get_field_expression_map(meta=instance._meta)
    return bool(constraint.condition.check(values))
