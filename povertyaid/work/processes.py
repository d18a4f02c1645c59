"""Which process is this, and is that one still alive? Without models: gunicorn's settings use it too.

Linux tells it in /proc. Elsewhere a process has no start time that others can read; the answer is then "unknown" and
the age of the last sign of life decides (povertyaid.work.liveness).
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
# /proc/PID/stat: fields after the name in brackets; the state is the first of them, the start time the 20th.
_STATE, _START = 0, 19


@dataclass(frozen=True)
class ProcessId:
    """One process for good: a number alone is given again to another process later."""

    host: str
    pid: int
    start: str


@cache
def host() -> str:
    """This machine since its last start, and the container in it: process numbers mean something only there."""
    boot, space = "", ""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        space = (_PROC / "self/ns/pid").readlink().name
    except OSError:
        pass
    return f"{platform.node()[:60]} {boot} {space}".strip()


def start_of(pid: int) -> str:
    """When a process started, in ticks since the machine did; "" when there is none such or nobody can tell.

    A process that ended and was not collected by its parent (a zombie) counts as ended.
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[_STATE] in {"Z", "X"} else fields[_START]


def this_process() -> ProcessId:
    """The process that asks."""
    return ProcessId(host(), os.getpid(), start_of(os.getpid()))


def is_alive(process: ProcessId) -> bool | None:
    """True or False when it can be told for sure; None for a process of another machine or without /proc."""
    if process.host != host() or not process.start:
        return None
    return start_of(process.pid) == process.start


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies, even if that was killed outright."""
    if platform.system() != "Linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
