"""What must hold before the server starts: keys that fit the stored records, no demo accounts in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from povertyaid.lib.crypto import WrongKeyError
from povertyaid.lib.fields import EncryptedField
from povertyaid.schools.models import User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db import models


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedField]]:
    """Every encrypted column of every installed model."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedField):
                yield model, field


def key_problem() -> str:
    """Decrypt one stored value of every encrypted column; return what is wrong, "" when the keys fit."""
    for model, field in encrypted_fields():
        rows: Any = model._base_manager.exclude(**{field.name: ""}).order_by("-pk").values_list(field.name, flat=True)
        value = rows.first()
        try:
            if value is not None:
                _ = value.clear
        except WrongKeyError:
            return _wrong_keys(f"{model._meta.label}.{field.name}")
    smallest: Any = apps.get_model("files.Attachment")._base_manager.exclude(content=b"").order_by("size").first()
    try:
        if smallest is not None:
            smallest.get()
    except WrongKeyError:
        return _wrong_keys("files.Attachment.content")
    return ""


def _wrong_keys(name: str) -> str:
    return (
        f"The configured POVERTYAID_FIELD_KEYS cannot read the stored records ({name})."
        " Start with the keys that belong to this database; entering records with other keys would lose them."
    )


def demo_problem() -> str:
    """Return a refusal when a production database holds demo accounts."""
    if not settings.PRODUCTION:
        return ""
    names = User.objects.filter(is_demo=True, is_active=True).values_list("username", flat=True)
    found = sorted(names[:20])
    if not found:
        return ""
    return (
        f"This database holds demo accounts with published passwords ({', '.join(found)}): production does not start."
        " Use a database made by init_county, or deactivate them."
    )


def problems() -> list[str]:
    """Return every reason for not starting."""
    return [text for text in (key_problem(), demo_problem()) if text]


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured when production must not start; an unreachable database is left to the pages."""
    try:
        found = problems() if settings.PRODUCTION else []
    except DatabaseError:
        return
    if found:
        raise ImproperlyConfigured("\n".join(found))
