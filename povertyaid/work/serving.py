"""What the commands `run_worker` and `serve` start, and the watch for lost work beside it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from povertyaid.work import services
from povertyaid.work.supervisor import Child, Supervisor

log = logging.getLogger("povertyaid.work")

MANAGE = str(Path(settings.BASE_DIR) / "manage.py")
REAP_SECONDS = 5.0
# A small office has no timer of its own: `serve` does what is due each day soon after its start and a day later.
FIRST_DAILY_SECONDS = 60.0
DAILY_SECONDS = 24 * 3600.0
# gunicorn lets requests finish for 30 s (scripts/gunicorn_conf.py); nothing is killed before that.
WEB_GRACE_SECONDS = 30


def worker_children(count: int) -> list[Child]:
    """Programs that do what waits in the queue."""
    return [
        Child(f"worker {number}", [sys.executable, MANAGE, "run_worker", "--alone"])
        for number in range(1, count + 1)
    ]


def web_child(bind: str) -> Child:
    """The web server."""
    config = str(Path(settings.BASE_DIR) / "scripts" / "gunicorn_conf.py")
    command = [sys.executable, "-m", "gunicorn", "--config", config, "--bind", bind, "povertyaid.wsgi"]
    return Child("web server", command, must_start=True)


def supervise(children: list[Child], *, daily: bool = False) -> int:
    """Keep the children running until a signal, and look for lost work every few seconds; return the exit status.

    `daily`: also do what is due each day, once a day.
    """
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(ended, daily), daemon=True)
    watch.start()
    grace = max(WEB_GRACE_SECONDS, settings.WORK_GRACE_SECONDS) + 5
    try:
        return Supervisor(children, grace=grace).run()
    finally:
        ended.set()
        watch.join(timeout=1)
        _reap()


def _watch(ended: threading.Event, daily: bool) -> None:
    due_at = time.monotonic() + FIRST_DAILY_SECONDS
    while not ended.wait(REAP_SECONDS):
        _reap()
        if daily and time.monotonic() >= due_at:
            due_at = time.monotonic() + DAILY_SECONDS
            # A process of its own: it may take a while, and whatever happens in it leaves the supervisor alone.
            subprocess.run([sys.executable, MANAGE, "daily"], check=False)  # noqa: S603 - our own program
    connection.close()


def _reap() -> None:
    try:
        services.reap()
    except (DatabaseError, InterfaceError, OSError) as error:
        log.warning("Lost work could not be looked for: %s; trying again", type(error).__name__)
        connection.close()
