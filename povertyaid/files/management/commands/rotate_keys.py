"""Encrypt every stored value and file anew with the first of POVERTYAID_FIELD_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from povertyaid.files.rotation import rotate_everything
from povertyaid.lib.crypto import WrongKeyError


class Command(BaseCommand):
    """After it has run, the older keys may be taken out of the setting (docs/production.md)."""

    help = "Encrypts every stored value and file anew with the first key; people may go on working meanwhile."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            total = rotate_everything(self._tell)
        except WrongKeyError as error:
            msg = f"{error} Give all keys that were ever used, the new one first, and run rotate_keys again."
            raise CommandError(msg) from error
        self.stdout.write(f"{total} values are encrypted with the first key. Older keys can be removed now.")

    def _tell(self, name: str, count: int) -> None:
        self.stdout.write(f"{name}: {count}")
