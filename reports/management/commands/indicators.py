"""manage.py indicators: every indicator and its definition."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports.catalogue import entries


class Command(BaseCommand):
    """Prints the registry of indicators."""

    help = gettext_lazy("Print every indicator and its definition.")  # type: ignore[assignment]  # shown in the active language

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help=_("as JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        found = entries()
        if options["json"]:
            content = [entry.as_dict() for entry in found]
            self.stdout.write(json.dumps(content, ensure_ascii=False, indent=2))
            return
        for entry in found:
            self.stdout.write(f"{entry.key}  {entry.label}（{entry.unit}）  {entry.definition}")
