"""The loop that does what waits in the queue, in one process, until it is told to stop.

django-tasks-db's own command takes SQLite's write lock at every look into an empty queue and dies when somebody else
holds it for longer than the timeout. Here the look is a read, and the lock is asked for only when something waits.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils.crypto import get_random_string
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from povertyaid.work import processes, services

if TYPE_CHECKING:
    from types import FrameType

log = logging.getLogger("povertyaid.work")

LOOK_SECONDS = 0.3
LONGEST_PAUSE = 5.0


class Loop:
    """One worker."""

    def __init__(self) -> None:
        self._stopping = False
        self._busy = False
        self._parent = os.getppid()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, or until whoever started this process is gone."""
        processes.end_with_parent()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        for name in ("django_tasks", "django_tasks_db"):
            logging.getLogger(name).setLevel(logging.WARNING)
        pause = LOOK_SECONDS
        while not self._stopping and os.getppid() == self._parent:
            try:
                if self.step():
                    continue
                pause = LOOK_SECONDS
            except (DatabaseError, InterfaceError) as error:
                log.warning("The database is locked or away (%s); trying again", type(error).__name__)
                connection.close()
                pause = min(LONGEST_PAUSE, pause * 2)
            time.sleep(pause)
        connection.close()

    def step(self) -> bool:
        """Do the next work if one waits; say whether there was one."""
        close_old_connections()
        if not DBTaskResult.objects.ready().exists():
            return False
        self._busy = True
        try:
            Worker(
                queue_names=["*"],
                interval=0,
                batch=True,
                backend_name=DEFAULT_TASK_BACKEND_ALIAS,
                startup_delay=False,
                max_tasks=1,
                worker_id=get_random_string(32),
                excluded_queue_names=[],
            ).run()
        finally:
            self._busy = False
            signal.alarm(0)
        services.reap_mine()
        return True

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        """Let the running work go on for a while; at a second signal or after that, break it off (it rolls back)."""
        if not self._busy:
            sys.exit(0)
        if self._stopping:
            sys.exit(1)
        self._stopping = True
        signal.signal(signal.SIGALRM, self._asked_to_stop)
        signal.alarm(settings.WORK_GRACE_SECONDS)
