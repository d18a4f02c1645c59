"""Keeps child processes running: starts them, starts them again when they die, stops them all at a signal."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

log = logging.getLogger("povertyaid.work")

LOOK_SECONDS = 0.1
FIRST_PAUSE = 0.5  # seconds before a child that died is started again; doubled each time it dies soon
LONGEST_PAUSE = 30.0
# A child that lived for so long was well: the next pause is the first again. One that must start and dies sooner is
# misconfigured (the port is taken), and all stop.
WELL_AFTER = 10.0


@dataclass
class Child:
    """A program that shall run."""

    name: str
    command: Sequence[str]
    must_start: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    pause: float = field(default=FIRST_PAUSE, init=False)
    due_at: float = field(default=0.0, init=False)
    was_well: bool = field(default=False, init=False)


class Supervisor:
    """Runs children until SIGTERM or SIGINT. A second signal ends them at once."""

    def __init__(self, children: Sequence[Child], *, grace: float) -> None:
        """`grace`: seconds that children get between being asked to stop and being killed."""
        self._children = children
        self._grace = grace
        self._signals = 0

    def run(self) -> int:
        """Return the exit status: 0 after a signal, the child's when one that must start does not."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        status = 0
        try:
            while not self._signals:
                failed = self._look()
                if failed is not None:
                    status = failed
                    break
                time.sleep(LOOK_SECONDS)
        finally:
            self._stop_all()
        return status

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _look(self) -> int | None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if now >= child.due_at and not self._signals:
                    self._start(child)
            elif (code := child.process.poll()) is not None:
                child.process = None
                if child.must_start and not child.was_well:
                    log.error("%s could not be started (exit status %s)", child.name, code)
                    return code or 1
                child.due_at = now + child.pause
                log.warning(
                    "%s ended (exit status %s); starting it again in %.1f s", child.name, code, child.pause
                )
                child.pause = min(LONGEST_PAUSE, child.pause * 2)
            elif now - child.started_at >= WELL_AFTER:
                child.was_well, child.pause = True, FIRST_PAUSE
        return None

    @staticmethod
    def _start(child: Child) -> None:
        # A group of its own, so that Ctrl+C in the terminal reaches the supervisor alone, which then asks once.
        environment = {**os.environ, "POVERTYAID_SUPERVISED": "1"}
        child.process = subprocess.Popen(list(child.command), start_new_session=True, env=environment)  # noqa: S603 - our own programs
        child.started_at = time.monotonic()

    def _stop_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        asked = self._signals
        until = time.monotonic() + self._grace
        while any(process.poll() is None for process in running):
            if time.monotonic() > until or self._signals > asked:
                for process in running:
                    process.kill()
            time.sleep(LOOK_SECONDS)
