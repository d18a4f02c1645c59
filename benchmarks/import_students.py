"""Import of 50,000 new pupils (12 columns, two of them encrypted), measured against a floor and a stock importer.

    python -m benchmarks.import_students [--rows N] [--without-stock | --undo]

On SQLite, or on the PostgreSQL of POVERTYAID_DATABASE_URL (scripts/with-postgres.sh). Every step runs in a process of
its own on a database of its own; the memory is that of the process and its children together, looked at 50 times a
second. The exit status is 1 when a ratio is missed. With --undo nothing but an import and its undo is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from benchmarks import people

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "POVERTYAID_DATABASE_URL"
ROWS = 50_000
FLOOR_FACTOR, STOCK_FACTOR, MEGABYTES = 2.5, 6.0, 400
_LOOK_SECONDS = 0.02
# Steps that go on where the first import ended.
_AFTER_FIRST = frozenset({"again", "take_back"})


@dataclass(frozen=True, slots=True)
class Measured:
    """One step: seconds by part, its longest transaction, and the most memory that it held, in megabytes."""

    seconds: dict[str, float]
    longest: float
    megabytes: float

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.seconds.values())


class SqliteDatabases:
    """Databases that are files: a copy is a new one."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        """Keep the files in a folder."""
        self._folder = folder

    def url(self, name: str) -> str:
        """Where a database is."""
        return f"sqlite:///{self._folder / name}.sqlite3"

    def copy(self, source: str, target: str) -> None:
        """Another database with the same content."""
        shutil.copy(self._folder / f"{source}.sqlite3", self._folder / f"{target}.sqlite3")


class PostgresDatabases:
    """Databases of one server, which may make more of them."""

    name = "PostgreSQL"

    def __init__(self, url: str) -> None:
        """Remember the server."""
        self._url = url
        self._run("DROP DATABASE IF EXISTS start", "CREATE DATABASE start")

    def _run(self, *statements: str) -> None:
        with psycopg.connect(
            self._url.replace("postgres://", "postgresql://"), autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement)

    def url(self, name: str) -> str:
        """The same server with another name of the database."""
        address, _sign, options = self._url.partition("?")
        return f"{address.rpartition('/')[0]}/{name}{'?' if options else ''}{options}"

    def copy(self, source: str, target: str) -> None:
        """Another database with the same content."""
        self._run(f"DROP DATABASE IF EXISTS {target}", f"CREATE DATABASE {target} TEMPLATE {source}")


def resident(pid: int) -> int:
    """Kilobytes of memory that a process and its children hold now; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0
    own = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return own + sum(resident(int(child)) for child in children)


def measure(step: str, path: Path, count: int, environment: dict[str, str]) -> Measured:
    """Run a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.step", step, str(path), str(count)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
    most = 0
    while process.poll() is None:
        most = max(most, resident(process.pid))
        time.sleep(_LOOK_SECONDS)
    told, _errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"The step {step} failed.")
    seconds = json.loads(told.splitlines()[-1])
    return Measured(seconds, seconds.pop("longest transaction", 0.0), round(most / 1024, 0))


def run(count: int, names: Sequence[str]) -> tuple[str, dict[str, Measured]]:
    """The steps, each told when it is done; the database's name and what was measured."""
    with tempfile.TemporaryDirectory(prefix="povertyaid-benchmark-") as folder:
        home = Path(folder)
        given = os.environ.get(DATABASE, "")
        databases = PostgresDatabases(given) if given.startswith("postgres") else SqliteDatabases(home)
        path = home / "pupils.xlsx"
        people.write_workbook(path, people.pupils(count))
        clean = {key: value for key, value in os.environ.items() if not key.startswith("POVERTYAID_")}

        def step(name: str, database: str) -> Measured:
            there = {**clean, "POVERTYAID_HOME": folder, DATABASE: databases.url(database)}
            return measure(name, path, count, there)

        step("prepare", "start")
        found = {}
        for name in names:
            database = "first" if name in _AFTER_FIRST else name
            if name not in _AFTER_FIRST:
                databases.copy("start", database)
            found[name] = step(name, database)
            parts = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in found[name].seconds.items())
            if found[name].longest:
                parts += f"; longest transaction {found[name].longest:.2f} s"
            print(f"{name}: {found[name].total:.2f} s ({parts}), {found[name].megabytes:.0f} MB", flush=True)
    return databases.name, found


def tell(database: str, count: int, found: dict[str, Measured]) -> bool:
    """Print the ratios; whether every one holds."""
    import_, again = found["first"], found["again"]
    rows = [
        ("preview + commit / floor", import_.total / found["floor"].total, "≤", FLOOR_FACTOR),
        ("unchanged / first", again.total / import_.total, "≤", 1.0),
        ("peak memory, MB", max(import_.megabytes, again.megabytes), "<", float(MEGABYTES)),
    ]
    if "stock" in found:
        rows.insert(1, ("stock / preview + commit", found["stock"].total / import_.total, "≥", STOCK_FACTOR))
    print(f"\n| {database}, {count} rows | measured | asked | |\n|---|---|---|---|")
    good = True
    for label, value, sign, limit in rows:
        holds = value >= limit if sign == "≥" else value < limit if sign == "<" else value <= limit
        good &= holds
        print(f"| {label} | {value:.2f} | {sign} {limit:g} | {'holds' if holds else 'MISSED'} |")
    return good


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--without-stock", action="store_true", help="leave out the slow comparison")
    parser.add_argument("--undo", action="store_true", help="measure an import and its undo instead")
    chosen = parser.parse_args()
    if chosen.undo:
        run(chosen.rows, ("first", "take_back"))
        return
    names = ["floor", "first", "again", *([] if chosen.without_stock else ["stock"])]
    database, found = run(chosen.rows, names)
    sys.exit(0 if tell(database, chosen.rows, found) else 1)


if __name__ == "__main__":
    main()
