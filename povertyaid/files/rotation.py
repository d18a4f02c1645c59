"""Encrypts everything anew with the first key, in small transactions, while people go on working.

Every value is written back only if it is still the one that was read, so that an edit in between is never undone.
The values themselves do not change: neither version nor history does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models, transaction

from povertyaid.files.models import Attachment
from povertyaid.lib import crypto
from povertyaid.lib.fields import EncryptedField
from povertyaid.schools.starting import encrypted_fields

CHUNK = 200

Progress = Callable[[str, int], None]


def rotate_everything(progress: Progress) -> int:
    """Rotate every encrypted column and every stored file; return how many values were written.

    Raises WrongKeyError at the first value that no configured key can read; what was rotated before stays rotated.
    """
    total = 0
    for model, field in encrypted_fields():
        count = _rotate_field(model, field)
        progress(f"{model._meta.label}.{field.name}", count)
        total += count
    count = _rotate_files()
    progress("files.Attachment.content", count)
    return total + count


def _rotate_field(model: type[models.Model], field: EncryptedField) -> int:
    count, last = 0, 0
    while True:
        rows: list[tuple[int, Any]] = list(
            model._base_manager.filter(pk__gt=last)
            .exclude(**{field.name: ""})
            .order_by("pk")
            .values_list("pk", field.name)[:CHUNK]
        )
        if not rows:
            return count
        with transaction.atomic():
            for pk, value in rows:
                unchanged = model._base_manager.filter(pk=pk, **{field.name: value.token})
                count += unchanged.update(**{field.name: crypto.rotate(value.token)})
        last = rows[-1][0]


def _rotate_files() -> int:
    count = 0
    for pk in list(Attachment.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            stored = Attachment.objects.select_for_update().filter(pk=pk)
            content = stored.values_list("content", flat=True).first()
            if content:
                fresh = crypto.encrypt_bytes(crypto.decrypt_bytes(bytes(content)))
                count += Attachment.objects.filter(pk=pk).update(content=fresh)
    return count
