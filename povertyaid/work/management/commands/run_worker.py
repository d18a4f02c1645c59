"""`manage.py run_worker`: does background work, and comes back when it is killed."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from povertyaid.work.serving import supervise, worker_children
from povertyaid.work.worker import Loop


class Command(BaseCommand):
    help = "Do background work until stopped (SIGTERM, Ctrl+C). A worker process that dies is started again."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many processes, or one without a supervisor."""
        parser.add_argument(
            "--processes",
            type=int,
            default=1,
            choices=range(1, 9),
            help="Works done at the same time (1 with SQLite).",
        )
        parser.add_argument(
            "--alone", action="store_true", help="Work in this very process; nobody starts it again."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Supervise, or work."""
        if options["alone"]:
            Loop().run()
            return
        sys.exit(supervise(worker_children(options["processes"])))
