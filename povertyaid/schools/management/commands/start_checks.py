"""Everything that must hold before the server starts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from povertyaid.schools import permissions, starting


class Command(BaseCommand):
    """`make run` and the service unit run it before gunicorn."""

    help = "Checks keys, demo accounts (production) and roles; exit 1 with a message when the server must not start."

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = starting.problems()
        if permissions.synchronise(write=False):
            found.append("The permissions of the roles differ from the table; run sync_roles.")
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write("Ready to start.")
