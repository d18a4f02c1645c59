"""What the commands `run_worker` and `serve` start, and the watch for lost work beside it."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from povertyaid.work import services
from povertyaid.work.supervisor import Child, Supervisor

log = logging.getLogger("povertyaid.work")

REAP_SECONDS = 5.0
# gunicorn lets requests finish for 30 s (scripts/gunicorn_conf.py); nothing is killed before that.
WEB_GRACE_SECONDS = 30


def worker_children(count: int) -> list[Child]:
    """Programs that do what waits in the queue."""
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    return [
        Child(f"worker {number}", [sys.executable, manage, "run_worker", "--alone"])
        for number in range(1, count + 1)
    ]


def web_child(bind: str) -> Child:
    """The web server."""
    config = str(Path(settings.BASE_DIR) / "scripts" / "gunicorn_conf.py")
    command = [sys.executable, "-m", "gunicorn", "--config", config, "--bind", bind, "povertyaid.wsgi"]
    return Child("web server", command, must_start=True)


def supervise(children: list[Child]) -> int:
    """Keep the children running until a signal, and look for lost work every few seconds; return the exit status."""
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(ended,), daemon=True)
    watch.start()
    grace = max(WEB_GRACE_SECONDS, settings.WORK_GRACE_SECONDS) + 5
    try:
        return Supervisor(children, grace=grace).run()
    finally:
        ended.set()
        watch.join(timeout=1)
        _reap()


def _watch(ended: threading.Event) -> None:
    while not ended.wait(REAP_SECONDS):
        _reap()
    connection.close()


def _reap() -> None:
    try:
        services.reap()
    except (DatabaseError, InterfaceError, OSError) as error:
        log.warning("Lost work could not be looked for: %s; trying again", type(error).__name__)
        connection.close()
