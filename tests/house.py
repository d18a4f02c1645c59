"""A database of a test's own that other processes can open too, and real workers on it.

The tests' usual database is one connection inside one transaction; a worker that is killed needs a database that
outlives it: a copy of the migrated one, as a file (SQLite) or a database (PostgreSQL). A module that uses it overrides
the fixture `db`, by which pytest-django knows that a database is wanted:

    @pytest.fixture
    def db(house: House) -> None: ...
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

ROOT = Path(settings.BASE_DIR)
PATIENCE = 30.0  # seconds; a machine that runs other tests too may be slow


def wait_until(holds: Callable[[], Any], *, seconds: float = PATIENCE, every: float = 0.05) -> Any:
    """Wait until something is true and return it; fail when it does not come."""
    until = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(every)


@dataclass
class Nursery:
    """Gives real workers in a moment: a process that has loaded the software forks one for each wish."""

    process: subprocess.Popen[bytes]

    def worker(self) -> int:
        """The number of a new worker's process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"worker\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@dataclass
class House:
    """The database and the processes that a test has started on it."""

    url: str
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def manage(
        self, *arguments: str, stdin: int | None = None, stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `manage.py …` on this database; what it says goes to the log unless `stdout` leads elsewhere."""
        environment = {
            **os.environ,
            "POVERTYAID_DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "tests.work.worker_settings",
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=stdin,
                stdout=stdout or log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        """Start one worker without a supervisor."""
        return self.manage("run_worker", "--alone")

    def nursery(self) -> Nursery:
        """Start a process from which workers are born quickly."""
        return Nursery(self.manage("nursery", stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


@pytest.fixture(scope="session")
def blank_file(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The migrated SQLite database as a file."""
    path = tmp_path_factory.mktemp("house") / "blank.sqlite3"
    with django_db_blocker.unblock():
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(path)) as target:
            connection.connection.backup(target)
    return path


@pytest.fixture
def house(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
) -> Iterator[House]:
    """A database of the test's own, in this process too, and whatever is started on it."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        if connection.vendor == "sqlite":
            path = tmp_path / "county.sqlite3"
            path.write_bytes(request.getfixturevalue("blank_file").read_bytes())
            name, url = str(path), f"sqlite:///{quote(str(path))}"
        else:
            name = stack.enter_context(_copy_on_postgres())
            url = _address(name)
        plain = connections["default"]
        # The connection of the other tests shares these settings. While they name a file, it would take itself for one
        # of a file and close, and with it the database in memory would be gone.
        given = connections.settings["default"]
        usual = given["NAME"]
        given["NAME"] = name
        connections["default"] = connections.create_connection("default")
        found = House(url, tmp_path / "log")
        try:
            yield found
        finally:
            found.close()
            connections["default"].close()
            given["NAME"] = usual
            connections["default"] = plain


@contextlib.contextmanager
def _copy_on_postgres() -> Iterator[str]:
    """The migrated database copied on the server, and dropped at the end."""
    name = f"house_{uuid.uuid4().hex[:12]}"
    here = connection
    template = here.settings_dict["NAME"]
    here.close()
    with here._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        with here._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _address(name: str) -> str:
    given = connection.settings_dict
    password = f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else ""
    options = {**given["OPTIONS"], **({"host": given["HOST"]} if given["HOST"] else {})}
    options.pop("pool", None)
    return f"postgres://{quote(given['USER'])}{password}@/{name}?{urlencode(options)}"
