"""Model fields for sensitive values: encrypted at rest, masked wherever they are turned into text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from django import forms
from django.core import checks
from django.db import models

from povertyaid.lib.crypto import decrypt, encrypt, lookup_hash
from povertyaid.lib.validators import validate_phone

TOKEN_PREFIX = "gAAAA"  # noqa: S105 - a marker, not a password; every Fernet token begins so (version byte and the high bytes of the time)
TAIL_LENGTH = 4
_BETWEEN_GROUPS = str.maketrans("", "", " -\t\u00a0")


class Sensitive:
    """A value that shows itself only masked; `.clear` gives the whole value and is what a reveal logs.

    Everything that turns an attribute into text by itself (templates, admin read-only fields, format strings, logs)
    gets the mask, so that forgetting to mask does no harm.
    """

    __slots__ = ("_clear", "_mask", "_token")

    def __init__(self, *, mask: Callable[[str], str], clear: str | None = None, token: str = "") -> None:
        self._mask = mask
        self._clear = clear
        self._token = token

    @property
    def clear(self) -> str:
        """The whole value. Raises WrongKeyError when the configured keys do not fit."""
        if self._clear is None:
            self._clear = decrypt(self._token) if self._token else ""
        return self._clear

    @property
    def token(self) -> str:
        """The encrypted form that is stored."""
        if not self._token and self._clear:
            self._token = encrypt(self._clear)
        return self._token

    def __str__(self) -> str:
        return self._mask(self.clear) if self else ""

    def __repr__(self) -> str:
        return f"<Sensitive {self!s}>"

    def __bool__(self) -> bool:
        return bool(self._clear or self._token)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sensitive):
            return self.clear == other.clear
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.clear)


class _SensitiveDescriptor:
    def __init__(self, field: EncryptedField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        return instance.__dict__[name]

    def __set__(self, instance: models.Model, value: object) -> None:
        field = self.field
        if isinstance(value, Sensitive) and value._token and value._clear is None:
            instance.__dict__[field.attname] = value
            return
        sensitive = field.wrap(value)
        instance.__dict__[field.attname] = sensitive
        if field.hash_field:
            setattr(instance, field.hash_field, lookup_hash(field.domain, sensitive.clear))
        if field.tail_field:
            setattr(instance, field.tail_field, sensitive.clear[-TAIL_LENGTH:])


class SensitiveFormField(forms.CharField):
    """One line that shows the mask; what is typed is brought to the spelling that is stored.

    Numbers lose blanks and dashes between their groups, full-width digits and a small x (POLICY §4). Text with a star
    is a mask that came back and stays as it is.
    """

    def __init__(self, *, is_number: bool = False, **kwargs: Any) -> None:
        self.is_number = is_number
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        if not self.is_number or "*" in text:
            return text
        return unicodedata.normalize("NFKC", text).translate(_BETWEEN_GROUPS).upper()

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare with the mask: an untouched field of an empty inline row must not count as filled in."""
        return not self.disabled and str(initial or "") != self.to_python(data)


class EncryptedField(models.TextField[Any, Any]):
    """Text that is stored encrypted; reading the attribute gives a `Sensitive`.

    `hash_field` and `tail_field` name columns (declared above this one) that are kept in step: the keyed hash of
    `domain` for exact look-up and uniqueness, and the last four characters. `mask` makes the text for display.
    """

    def __init__(
        self,
        *args: Any,
        domain: str = "",
        mask: Callable[[str], str] | None = None,
        hash_field: str = "",
        tail_field: str = "",
        **kwargs: Any,
    ) -> None:
        self.domain = domain
        self.mask = mask or (lambda _text: "******")
        self.hash_field = hash_field
        self.tail_field = tail_field
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def wrap(self, value: object) -> Sensitive:
        """Return `value` (text, token, Sensitive or None) as a Sensitive of this field."""
        if isinstance(value, Sensitive):
            return value
        text = "" if value is None else str(value)
        if text.startswith(TOKEN_PREFIX):
            return Sensitive(mask=self.mask, token=text)
        return Sensitive(mask=self.mask, clear=text)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SensitiveDescriptor(self))

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Add to Django's checks: companions must be declared above, else their defaults overwrite them."""
        errors = list(super().check(**kwargs))
        names = [field.name for field in self.model._meta.concrete_fields]
        for companion in filter(None, (self.hash_field, self.tail_field)):
            if companion not in names or names.index(companion) > names.index(self.name):
                msg = f"{companion} must be a field declared above {self.name}."
                errors += [checks.Error(msg, obj=self, id="povertyaid.E001")]
        return errors

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Sensitive:
        """Wrap what the database holds without decrypting it."""
        return Sensitive(mask=self.mask, token=value or "")

    def to_python(self, value: object) -> Any:
        return self.wrap(value)

    def get_prep_value(self, value: object) -> str:
        return self.wrap(value).token

    def value_to_string(self, obj: models.Model) -> str:
        """Serialise the token: a dump of the data holds nothing in the clear."""
        return self.wrap(self.value_from_object(obj)).token

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Run the validators on the whole value."""
        sensitive = self.wrap(value)
        self.validate(sensitive.clear, model_instance)
        self.run_validators(sensitive.clear)
        return sensitive

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """Keep the stored value when the form sends the mask back; otherwise take the new one."""
        current = getattr(instance, self.attname)
        text = "" if data is None else str(data).strip()
        if text and text == str(current):
            return
        setattr(instance, self.attname, text)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        """A one-line input that shows the mask; left as it is, the stored value stays."""
        return super().formfield(
            **{
                "form_class": SensitiveFormField,
                "is_number": bool(self.domain),
                "widget": forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
                "strip": True,
                **kwargs,
            }
        )

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.hash_field:
            kwargs["hash_field"] = self.hash_field
        if self.tail_field:
            kwargs["tail_field"] = self.tail_field
        if self.domain:
            kwargs["domain"] = self.domain
        return name, path, args, kwargs


class HashField(models.CharField[Any, Any]):
    """The keyed hash of an encrypted neighbour (64 hex digits); never shown, never edited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=64, blank=True, default="", editable=False)
        kwargs.setdefault("db_index", True)
        super().__init__(*args, **kwargs)


class TailField(models.CharField[Any, Any]):
    """The last four characters of an encrypted neighbour, for searching and display."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=TAIL_LENGTH, blank=True, default="", editable=False)
        kwargs.setdefault("db_index", True)
        super().__init__(*args, **kwargs)


class PhoneField(models.CharField[Any, Any]):
    """A telephone number (mobile or landline); history and exports show it masked."""

    default_validators = [validate_phone]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 60)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)
