"""Say whether the configured keys can read the stored records."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from povertyaid.schools import starting


class Command(BaseCommand):
    """Used before the server starts and after keys were restored or rotated."""

    help = "Decrypts one stored value of every encrypted column; exit 1 with a message when a key does not fit."

    def handle(self, *_args: Any, **_options: Any) -> None:
        problem = starting.key_problem()
        if problem:
            raise CommandError(problem)
        self.stdout.write("The keys fit.")
