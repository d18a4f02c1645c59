"""Print docs/import-columns.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from povertyaid.imports.documentation import columns_document


class Command(BaseCommand):
    """`document_imports > docs/import-columns.md`."""

    help = "Print the page of the documentation that lists the columns of every kind."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the page."""
        del args, options
        self.stdout.write(columns_document(), ending="")
