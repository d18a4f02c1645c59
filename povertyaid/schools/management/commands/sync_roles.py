"""Apply the table of roles, check it, or write it into the documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from povertyaid.schools import permissions


class Command(BaseCommand):
    """`sync_roles` writes one group a role; `migrate` does the same by itself at its end."""

    help = "Gives each role exactly the permissions of the table in povertyaid/schools/roles.py."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something differs")
        parser.add_argument("--docs", action="store_true", help=f"write {permissions.DOCUMENT} and nothing else")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["docs"]:
            path = Path(settings.BASE_DIR) / permissions.DOCUMENT
            path.write_text(permissions.document(), encoding="utf-8")
            self.stdout.write(f"{permissions.DOCUMENT} written")
            return
        found = permissions.synchronise(write=not options["check"])
        if found.unknown:
            msg = f"The table names permissions that no model has: {', '.join(sorted(found.unknown))}. Run migrate first."
            raise CommandError(msg)
        for sign, changes in (("+", found.added), ("-", found.removed)):
            for role, names in sorted(changes.items()):
                self.stdout.write(f"{role}: " + " ".join(f"{sign}{name}" for name in sorted(names)))
        if found and options["check"]:
            msg = "The permissions differ from the table; run sync_roles."
            raise CommandError(msg)
        self.stdout.write("Roles agree with the table.")
