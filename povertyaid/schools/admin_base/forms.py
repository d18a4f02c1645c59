"""Forms of records: scope of choices, optimistic locking, masks of telephone numbers, words for constraints."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Q
from django.forms.models import BaseInlineFormSet, InlineForeignKeyField, construct_instance
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from povertyaid.lib.fields import EncryptedField, PhoneField
from povertyaid.lib.masks import mask_phone
from povertyaid.lib.validators import validate_no_numbers
from povertyaid.schools.admin_base import trail
from povertyaid.schools.admin_base.scoping import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

LOCK = "lock_version"
LONGEST_KEY = 18
# Columns of so many characters and more take free text; shorter ones hold names, codes and numbers of registries.
SENTENCE = 100


class LockField(forms.IntegerField):
    """The version at which the form was opened. It never counts as a change by itself."""

    def __init__(self) -> None:
        super().__init__(required=False, min_value=0, widget=forms.HiddenInput, label="")

    def has_changed(self, initial: Any, data: Any) -> bool:
        del initial, data
        return False


def is_key(text: Any) -> bool:
    """Say whether what was sent can be a primary key; anything else would be an error of the database."""
    return str(text).isascii() and str(text).isdecimal() and len(str(text)) <= LONGEST_KEY


class ScopedAutocompleteSelect(AutocompleteSelect):
    """Shows the record that stands there now without asking the database once a row."""

    known: models.Model | None = None

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        # Django asks the database for whatever was sent; the field itself has told by now that it is no choice.
        value = [item for item in value if is_key(item)]
        known = self.known
        if known is not None and [str(item) for item in value] == [str(known.pk)]:
            default: tuple[None, list[Any], int] = (None, [], 0)
            if not self.is_required and not self.allow_multiple_selected:
                default[1].append(self.create_option(name, "", "", False, 0))
            label = self.choices.field.label_from_instance(known)
            default[1].append(self.create_option(name, known.pk, label, [str(known.pk)], 0))  # type: ignore[arg-type]
            return [default]
        return super().optgroups(name, value, attrs)


class ScopedModelForm(forms.ModelForm[Any]):
    """The form of every record.

    Choices hold only what the account may know of (the value that stands there now stays allowed). The hidden version
    refuses a form that was opened before somebody else's save. All constraints are checked, also those on columns that
    the form does not show, so that none of them becomes an error page.
    """

    # Set on the class that the admin makes for one request.
    request: ClassVar[HttpRequest]
    owner: ClassVar[Any] = None

    lock_version = LockField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not hasattr(self.instance, "version"):
            del self.fields[LOCK]
        elif self.instance.pk:
            self.initial[LOCK] = self.instance.version
        self._scope_choices()

    def _scope_choices(self) -> None:
        for name, field in self.fields.items():
            if not isinstance(field, forms.ModelChoiceField) or isinstance(field, InlineForeignKeyField):
                continue
            queryset = field.queryset
            if queryset is None:
                continue
            if name in self.declared_fields and self.owner is not None:
                # Model fields are scoped where the admin makes them; declared ones only here.
                queryset = queryset.filter(pk__in=visible(queryset.model, self.request.user).order_by().values("pk"))
                field.queryset = queryset
            self._keep_current(name, field, queryset)

    def _keep_current(self, name: str, field: Any, queryset: models.QuerySet[Any]) -> None:
        if not self.instance.pk or isinstance(field, forms.ModelMultipleChoiceField):
            return
        model_field = next((f for f in self._meta.model._meta.concrete_fields if f.name == name), None)
        if not isinstance(model_field, models.ForeignKey):
            return
        current = getattr(self.instance, model_field.attname)
        if current is None:
            return
        allowed = Q(pk=current) | Q(pk__in=queryset.order_by().values("pk"))
        wider = queryset.model._default_manager.filter(allowed).order_by(*queryset.query.order_by)
        wider.query.select_related = queryset.query.select_related
        field.queryset = wider
        self._keep_shown(name, field, current)
        widget = getattr(field.widget, "widget", field.widget)
        if isinstance(widget, ScopedAutocompleteSelect):
            widget.known = self.instance._state.fields_cache.get(name)

    def _keep_shown(self, name: str, field: Any, current: Any) -> None:
        """Add the present value to choices that were read once for all rows of an inline."""
        known = getattr(field, "_choices", None)
        if known is None or str(current) in {str(value) for value, _label in known}:
            return
        record = getattr(self.instance, name)
        field.choices = [*known, (current, field.label_from_instance(record))]

    # Telephone numbers stand masked in the form; sent back unchanged they stay as they are.

    def _phones(self) -> Iterable[str]:
        fields = {field.name for field in self._meta.model._meta.concrete_fields if isinstance(field, PhoneField)}
        return (name for name in self.fields if name in fields)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        value = super().get_initial_for_field(field, field_name)
        return mask_phone(value) if value and self.instance.pk and field_name in self._phones() else value

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name in self._phones():
            stored = getattr(self.instance, name, "")
            if self.instance.pk and stored and self.cleaned_data.get(name) == mask_phone(stored):
                self.cleaned_data[name] = stored
        for name in self._free_texts():
            try:
                validate_no_numbers(self.cleaned_data.get(name) or "")
            except ValidationError as error:
                self.add_error(name, error)

    def _free_texts(self) -> list[str]:
        """Names of the fields in which people write sentences: stored and shown as they stand."""
        return [
            field.name
            for field in self._meta.model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
            and not isinstance(field, EncryptedField | PhoneField)
            and (field.max_length or SENTENCE) >= SENTENCE
            and field.name in self.fields
        ]

    # Optimistic locking

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        reason = getattr(self.request, "integrity_error", "") if self.owner is not None else ""
        if reason:
            raise ValidationError(reason, code="integrity")
        text = self.conflict()
        if text:
            self.take_new_version()
            raise ValidationError(text, code="conflict")
        return cleaned

    def take_new_version(self) -> None:
        """Let the page that comes back carry the stored version: who has read what changed may save again."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix(LOCK)] = str(self.instance.version)  # type: ignore[index]

    def conflict(self) -> str:
        """Return what somebody else changed since this form was opened, "" when nothing was."""
        if self.owner is None or not self.instance.pk or LOCK not in self.fields:
            return ""
        sent = self.cleaned_data.get(LOCK)
        stored = self.instance.version
        if sent == stored:
            return ""
        told = trail.conflict_text(self.instance, stored - 1 if sent is None else sent, self.request.user)  # type: ignore[arg-type]
        return _(
            "Somebody else changed “%(record)s” while this form was open; nothing has been saved. %(changes)s"
            " Your entries are still here: check them against this and save again."
        ) % {"record": self.instance, "changes": told}

    # Constraints

    def _post_clean(self) -> None:
        if not self.errors and self.owner is not None:
            # Filled in before Model.clean, which judges the whole record.
            options = self._meta
            with contextlib.suppress(ValidationError):  # Django's own pass below reports it
                self.instance = construct_instance(self, self.instance, options.fields, options.exclude)
            self.owner.derive(self.request, self.instance)
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and self.owner is not None:
            # That pass has set the form's own fields anew; those left empty are filled in again.
            self.owner.derive(self.request, self.instance)
            self.validate_constraints()

    def _update_errors(self, errors: ValidationError) -> None:
        """Show an error on a column that the form does not ask for at the top, where Django would fail."""
        if hasattr(errors, "error_dict"):
            moved: dict[str, list[ValidationError]] = {}
            for name, items in errors.error_dict.items():
                moved.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(items)
            errors = ValidationError(moved)
        super()._update_errors(errors)  # type: ignore[misc]

    def validate_constraints(self) -> None:
        """Check every constraint of the model after the admin has filled in what the form does not ask."""
        # Rules between the rows of one parent are the formset's to check: it knows the rows that are sent together.
        parents = {name for name, field in self.fields.items() if isinstance(field, InlineForeignKeyField)}
        try:
            self.instance.validate_constraints(exclude=parents)
        except ValidationError as error:
            for field, errors in self._helpful(error).items():
                for item in errors:
                    self.add_error(field if field in self.fields else None, item)

    def _helpful(self, error: ValidationError) -> dict[str, list[ValidationError]]:
        """Name the record that holds a number already, when the account may see it; else the neutral words stay."""
        # validate_constraints always raises an error with a dict: constraints without a field stand under "__all__".
        found = {str(key): errors for key, errors in error.error_dict.items()}
        for field in self._meta.model._meta.concrete_fields:
            if not isinstance(field, EncryptedField) or not field.hash_field or self.owner is None:
                continue
            neutral = self._neutral_words(field.hash_field)
            if neutral is None:
                continue
            kept: list[ValidationError] = []
            for key in list(found):
                kept += [item for item in found[key] if item.messages == [str(neutral)]]
                found[key] = [item for item in found[key] if item.messages != [str(neutral)]]
            if kept:
                twin = self._twin(field.hash_field)
                if twin is None and not self._holds(field.hash_field):
                    found.setdefault(NON_FIELD_ERRORS, []).extend(kept)
                    continue
                told = kept[0] if twin is None else self._names_twin(twin)
                found.setdefault(field.name, []).append(told)
        return {key: errors for key, errors in found.items() if errors}

    def _neutral_words(self, hash_field: str) -> Any:
        for constraint in self._meta.model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint) and tuple(constraint.fields) == (hash_field,):
                return constraint.violation_error_message
        return None

    def _same(self, hash_field: str) -> Q | None:
        value = getattr(self.instance, hash_field)
        return Q(**{hash_field: value}) & ~Q(pk=self.instance.pk) if value else None

    def _twin(self, hash_field: str) -> models.Model | None:
        same = self._same(hash_field)
        found: models.Model | None = None
        if same is not None:
            found = visible(self._meta.model, self.request.user).filter(same).first()
        return found

    def _holds(self, hash_field: str) -> bool:
        """Say whether any record, visible or not, holds the same number (the answer only sorts a message)."""
        same = self._same(hash_field)
        return same is not None and self._meta.model._default_manager.filter(same).exists()

    @staticmethod
    def _names_twin(twin: models.Model) -> ValidationError:
        return ValidationError(
            gettext_lazy("This number is already entered for %(record)s; open that record instead."),
            code="unique",
            params={"record": twin},
        )


class ScopedFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Rows of an inline: a row that somebody else changed cannot be deleted unseen either."""

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and isinstance(form, ScopedModelForm):
                form.cleaned_data = getattr(form, "cleaned_data", {})
                text = form.conflict()
                if text:
                    form.take_new_version()
                    raise ValidationError(text, code="conflict")
