"""Reading a stranger's file in a process of its own, with a limit on its memory and its time.

The parsers may be led to take gigabytes or minutes by a small file. Whatever happens to them then happens to the
child: the process that serves pages, and the worker, keep their memory and go on. The child knows neither settings
nor database nor keys; it gets bytes and gives a workbook or an error back.
"""

from __future__ import annotations

import gc
import io
import json
import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.sheets.model import Limits, UnreadableFileError, Workbook

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).resolve().parents[3]
_MEGABYTE = 1024 * 1024
_HEADER = struct.Struct(">I")
_CHUNK = 256 * 1024
_ERROR_BYTES = 64 * 1024
# The workbook travels in at most this share of the child's memory: as objects it grows about fourfold again.
_RESULT_SHARE = 4
# The seconds are the child's own, so that a busy machine refuses no file that it reads on a quiet day; by the clock
# it has this many times as long.
_PATIENCE = 2
# What the child may name in its answer; anything else is refused, whatever a parser has been made to do.
_ANSWERS = {
    ("povertyaid.lib.sheets.model", "Workbook"),
    ("povertyaid.lib.sheets.model", "Sheet"),
    ("django.utils.functional", "_lazy_proxy_unpickle"),
    ("django.utils.translation", "gettext"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("builtins", "set"),
    ("builtins", "str"),
}


def told_limits() -> dict[str, int]:
    """What the page of uploads states: `megabytes` of a file, `seconds` and `memory_megabytes` to read it.

    Further `sheets`, and for each sheet `rows`, `columns`, `cells`; `characters` of one cell.
    """
    limits = Limits()
    return {
        "megabytes": settings.UPLOAD_LIMIT_BYTES // _MEGABYTE,
        "seconds": settings.IMPORT_READ_SECONDS,
        "memory_megabytes": settings.IMPORT_READ_MB,
        "sheets": limits.sheets,
        "rows": limits.rows,
        "columns": limits.columns,
        "cells": limits.cells,
        "characters": limits.cell_characters,
    }


def read_in_child(data: bytes, name: str = "", *, limits: Limits | None = None) -> Workbook:
    """The workbook in the bytes of a file, read in a child process.

    `name` is only the name of the single sheet of a text file. The child may use IMPORT_READ_SECONDS of
    computing time (twice as long by the clock) and IMPORT_READ_MB of memory. Raises UnreadableFileError as
    `reader.read_workbook` does, and besides with the codes `time` and `memory` when a limit was reached, and
    `crash` when the child ended otherwise.
    """
    limits = limits or Limits(file_bytes=settings.UPLOAD_LIMIT_BYTES)
    seconds, megabytes = settings.IMPORT_READ_SECONDS, settings.IMPORT_READ_MB
    order = {"name": name, "limits": asdict(limits), "seconds": seconds, "megabytes": megabytes}
    header = json.dumps(order).encode()
    with subprocess.Popen(
        [sys.executable, "-m", "povertyaid.lib.sheets.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        env=_environment(),
    ) as process:
        try:
            talk = _Talk(
                process, [_HEADER.pack(len(header)), header, data], megabytes * _MEGABYTE // _RESULT_SHARE
            )
            in_time = talk.run(time.monotonic() + seconds * _PATIENCE)
        finally:
            process.kill()
    if not in_time:
        raise _takes_too_long(seconds)
    if talk.too_long:
        raise _takes_too_much(megabytes)
    return _answer(bytes(talk.answer), bytes(talk.errors), process.returncode, seconds, megabytes)


def _environment() -> dict[str, str]:
    """What the child needs to start; nothing else of ours is its business, least of all the keys."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    # One arena: each further one reserves address space, which counts against the limit.
    return {**kept, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}


@dataclass(slots=True)
class _Talk:
    """What goes to the child and what comes back, never more than `most` bytes, until a moment."""

    process: subprocess.Popen[bytes]
    parts: list[bytes]
    most: int
    answer: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    too_long: bool = False

    def run(self, until: float) -> bool:
        """Talk until the child has ended; whether it did so in time."""
        process = self.process
        assert process.stdin is not None  # noqa: S101 - for the type checker: all three are pipes
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        waiting = [memoryview(part) for part in self.parts]
        with selectors.DefaultSelector() as selector:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ, self.answer)
            selector.register(process.stderr, selectors.EVENT_READ, self.errors)
            while selector.get_map():
                left = until - time.monotonic()
                if left <= 0:
                    return False
                for key, _mask in selector.select(left):
                    if key.fileobj is process.stdin:
                        if not self._send(key.fd, waiting):
                            selector.unregister(process.stdin)
                            process.stdin.close()
                    elif not self._receive(key.fd, key.data):
                        selector.unregister(key.fileobj)
                    if self.too_long:
                        return True
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    @staticmethod
    def _send(descriptor: int, waiting: list[memoryview]) -> bool:
        """Send the next piece; whether there is more to send."""
        try:
            sent = os.write(descriptor, waiting[0][:_CHUNK])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            # The child ended early; why is in its answer or its return code.
            return False
        waiting[0] = waiting[0][sent:]
        while waiting and not waiting[0]:
            waiting.pop(0)
        return bool(waiting)

    def _receive(self, descriptor: int, into: bytearray) -> bool:
        """Take the next piece; whether there may be more."""
        piece = os.read(descriptor, _CHUNK)
        if into is self.errors:
            into += piece[: _ERROR_BYTES - len(into)]
        else:
            into += piece
            self.too_long = len(into) > self.most
        return bool(piece)


def _takes_too_long(seconds: int) -> UnreadableFileError:
    return UnreadableFileError(
        "time",
        _(
            "The file takes more than %(seconds)s seconds to read. Delete empty rows and columns beside and below "
            "the table, pictures and formulas, or split the file into several, and send them."
        ),
        {"seconds": seconds},
    )


def _takes_too_much(megabytes: int) -> UnreadableFileError:
    return UnreadableFileError(
        "memory",
        _(
            "The file takes more than %(megabytes)s MB of memory to read. Delete empty rows and columns beside and "
            "below the table, pictures and formulas, or split the file into several, and send them."
        ),
        {"megabytes": megabytes},
    )


def _crashed(detail: object) -> UnreadableFileError:
    return UnreadableFileError(
        "crash",
        _(
            "The file is damaged in a way that makes reading it break off. "
            "Open it in Excel or WPS, save it again as .xlsx, and send that file."
        ),
        {"detail": detail},
    )


class _Answers(pickle.Unpickler):
    """Takes workbooks and refusals, and nothing else that a pickle can hold."""

    def find_class(self, module: str, name: str) -> object:
        """The class or function of this name, when an answer may hold it."""
        if (module, name) not in _ANSWERS:
            msg = f"{module}.{name}"
            raise pickle.UnpicklingError(msg)
        return super().find_class(module, name)


def _answer(answer: bytes, errors: bytes, code: int, seconds: int, megabytes: int) -> Workbook:
    if code == 0:
        try:
            found = _Answers(io.BytesIO(answer)).load()
        except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError) as error:
            raise _crashed(error) from error
        if isinstance(found, Workbook):
            return found
        match found:
            case (str(cause), text, dict(params)):
                raise UnreadableFileError(cause, text, params)
        raise _crashed(type(found))
    # An allocation that fails ends Python with MemoryError (status 3 below), Rust with SIGABRT and a line that says
    # so; the machine itself ends a process that takes too much with SIGKILL.
    if code in {_NO_MEMORY, -signal.SIGKILL} or b"memory allocation of" in errors or b"MemoryError" in errors:
        raise _takes_too_much(megabytes)
    if code == -signal.SIGXCPU:
        raise _takes_too_long(seconds)
    raise _crashed(code)


_NO_MEMORY = 3


def _limit(seconds: int, megabytes: int) -> None:
    """Bound this process: memory in bytes of address space, CPU seconds; no files, no dumps of what it held."""
    import resource  # noqa: PLC0415 - only the child needs it, and only POSIX has it

    resource.setrlimit(resource.RLIMIT_AS, (megabytes * _MEGABYTE, megabytes * _MEGABYTE))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(source: BinaryIO, target: BinaryIO) -> int:
    """Read an order and a file from `source`, write the workbook or the refusal to `target`; the exit status."""
    size = _HEADER.unpack(source.read(_HEADER.size))[0]
    order = json.loads(source.read(size))
    # Nothing that is read here lives longer than the process: looking for rubbish among millions of cells is in vain.
    gc.disable()
    _limit(order["seconds"], order["megabytes"])
    try:
        from povertyaid.lib.sheets.reader import read_workbook  # noqa: PLC0415 - only the child parses

        found: object
        try:
            found = read_workbook(source.read(), order["name"], limits=Limits(**order["limits"]))
        except UnreadableFileError as error:
            found = (error.code, error.message.text, _plain(error.message.params))
        pickle.dump(found, target, protocol=pickle.HIGHEST_PROTOCOL)
        target.flush()
    except MemoryError:
        return _NO_MEMORY
    return 0


def _plain(params: Mapping[str, object]) -> dict[str, object]:
    """The parameters of a message as values that may travel: what is no number becomes a short text."""
    return {
        str(key): value if isinstance(value, (int, float)) else str(value)[:200]
        for key, value in params.items()
    }


if __name__ == "__main__":
    # Straight out, without the tidying up of objects that the end of the process tidies up faster.
    status = main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(status)
