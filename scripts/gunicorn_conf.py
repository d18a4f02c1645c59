"""Settings of the web server gunicorn, for `make run` and for production.

Two processes, because rendering a PDF keeps one busy for seconds; eight threads each, because a thread that
waits for SQLite's write lock must not hold up other pages. There is no access log: povertyaid writes its own,
without names, numbers and query strings.
"""

from __future__ import annotations

import os
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 120  # seconds; a worker that gives no sign of life for so long is replaced
graceful_timeout = 30  # seconds that a running request may take when the server stops
keepalive = 5  # seconds
accesslog = None
errorlog = "-"
loglevel = "warning"
proc_name = "povertyaid"


def on_starting(_server: Any) -> None:
    """Stop with `manage.py serve` even if that is killed outright; systemd cares for its own."""
    if os.environ.get("POVERTYAID_SUPERVISED") == "1":
        from povertyaid.work.processes import end_with_parent  # noqa: PLC0415 - read before the program is on the path

        end_with_parent()


def when_ready(server: Any) -> None:
    """Print where the pages are, once they can be opened."""
    for listener in server.LISTENERS:
        print(f"povertyaid is ready: {listener} (stop with Ctrl+C)", flush=True)
