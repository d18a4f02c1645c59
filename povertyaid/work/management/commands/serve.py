"""`manage.py serve`: the web server and the worker together, for one machine."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from povertyaid.work.serving import supervise, web_child, worker_children


class Command(BaseCommand):
    help = "Run the web server, the background worker and the daily jobs until stopped; each comes back when it dies."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument(
            "--bind", default="127.0.0.1:8000", help="HOST:PORT or unix:PATH (default: %(default)s)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Supervise both."""
        sys.exit(supervise([web_child(options["bind"]), *worker_children(1)], daily=True))
