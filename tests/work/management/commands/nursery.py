"""`manage.py nursery`: forks a worker for each line that comes in, and prints the number of its process.

The worker is the one of `run_worker --alone`; only the two seconds in which Python loads the software are spared.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand

from povertyaid.work.worker import Loop


class Command(BaseCommand):
    help = "For tests: fork a worker for each line that comes in."
    # Nothing may open the database before the fork: a connection belongs to one process.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Fork until the input ends."""
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # workers that die are not kept as zombies
        for _line in iter(sys.stdin.readline, ""):
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                Loop().run()
                os._exit(0)
            self.stdout.write(str(pid))
            self.stdout.flush()
