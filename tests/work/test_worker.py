"""Real workers in processes of their own: killed, stopped, cancelled, locked out. On either database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from povertyaid.schools.models import Department, School
from povertyaid.work import services
from povertyaid.work.channels import Signs, channel
from povertyaid.work.models import Work
from tests import factories
from tests.house import House, wait_until
from tests.work import jobs

State = Work.State
# Long enough to be interrupted; a test never waits for its end.
LONG: dict[str, Any] = {"steps": 3000, "seconds": 0.01}
SOON = 10.0  # seconds; the page of a work whose worker was killed says so well within a minute


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    jobs.register()
    with override_settings(WORK_INLINE=False):
        yield
    jobs.forget()


@pytest.fixture
def db(house: House) -> None:
    """The database of the house in the place of pytest-django's."""


@pytest.fixture
def place(db: None) -> School:
    school: School = factories.SchoolFactory()
    return school


def begin(place: School, job: str = "tests.write", **args: Any) -> Work:
    """Queue a work about a school."""
    return services.start(job=job, user=None, school=place, target=place, args=args)


def state(work: Work) -> str:
    """As the page that shows the work would tell it."""
    return services.status(work).state


def runs_at(work: Work, step: int) -> bool:
    """Whether it is in the middle: a step is done inside its open transaction."""
    now = services.status(work)
    return now.state == State.RUNNING and now.done >= step


def written(place: School) -> int:
    """Departments that the job wrote, those of the hook left out."""
    return Department.objects.filter(school=place, name__startswith="第").count()


def hooks(place: School) -> list[str]:
    return list(
        Department.objects.filter(school=place).exclude(name__startswith="第").values_list("name", flat=True)
    )


def test_a_worker_does_what_waits(house: House, place: School) -> None:
    work = begin(place, steps=3)
    assert state(work) == State.WAITING
    house.worker()
    wait_until(lambda: state(work) == State.DONE)
    assert written(place) == 3
    assert hooks(place) == []
    work.refresh_from_db()
    assert (work.phase, work.done, work.total, work.error) == ("Writing", 2, 3, "")


def test_signs_of_life_come_while_the_transaction_is_open(house: House, place: School) -> None:
    work = begin(place, **LONG)
    house.worker()
    wait_until(lambda: runs_at(work, 1))

    def signs() -> Signs:
        return channel().read(Work.objects.get(pk=work.pk))

    first = signs()
    second = wait_until(lambda: (now := signs()).done > first.done and now)
    third = wait_until(lambda: (now := signs()).done > second.done and now)
    assert first.at is not None
    assert first.at < second.at < third.at
    assert (third.phase, third.total) == ("Writing", LONG["steps"])
    assert written(place) == 0  # all of it is still inside the job's transaction
    services.request_cancel(work)


def test_a_killed_worker_leaves_nothing_and_the_page_says_so(house: House, place: School) -> None:
    work = begin(place, **LONG)
    worker = house.worker()
    wait_until(lambda: runs_at(work, 20))
    worker.kill()
    worker.wait()
    killed = time.monotonic()
    wait_until(lambda: state(work) == State.FAILED, seconds=SOON)
    assert time.monotonic() - killed < SOON
    assert written(place) == 0
    assert hooks(place) == [f"failed{work.pk}"]
    assert services.status(work).error
    # The next worker goes on with what waits, and leaves the lost one alone.
    again = begin(place, steps=2)
    house.worker()
    wait_until(lambda: state(again) == State.DONE)
    assert written(place) == 2
    assert state(work) == State.FAILED


def test_a_work_is_cancelled_in_the_middle(house: House, place: School) -> None:
    work = begin(place, **LONG)
    house.worker()
    wait_until(lambda: runs_at(work, 5))
    services.request_cancel(work)
    assert services.status(work).cancel_requested
    wait_until(lambda: state(work) == State.CANCELLED, seconds=SOON)
    assert written(place) == 0
    assert hooks(place) == [f"cancelled{work.pk}"]


def test_a_worker_that_is_stopped_breaks_off_after_its_grace(house: House, place: School) -> None:
    work = begin(place, **LONG)
    worker = house.worker()
    wait_until(lambda: runs_at(work, 5))
    worker.terminate()
    assert worker.wait(timeout=SOON) == 0
    work.refresh_from_db()
    assert work.state == State.FAILED
    assert work.error
    assert written(place) == 0


def test_a_worker_that_is_stopped_finishes_what_is_short(house: House, place: School) -> None:
    work = begin(place, steps=40, seconds=0.01)
    worker = house.worker()
    wait_until(lambda: state(work) != State.WAITING)
    worker.terminate()
    assert worker.wait(timeout=SOON) == 0
    assert state(work) == State.DONE
    assert written(place) == 40


def test_the_supervisor_brings_a_killed_worker_back(house: House, place: School) -> None:
    supervisor = house.manage("run_worker")
    work = begin(place, **LONG)
    wait_until(lambda: runs_at(work, 5))
    work.refresh_from_db()
    assert work.pid is not None
    os.kill(work.pid, signal.SIGKILL)
    # Nobody asks for the status: the supervisor finds out by itself.
    wait_until(lambda: Work.objects.get(pk=work.pk).state == State.FAILED, seconds=SOON + 5)
    again = begin(place, steps=2)
    wait_until(lambda: state(again) == State.DONE)
    again.refresh_from_db()
    assert again.pid != work.pid
    supervisor.terminate()
    assert supervisor.wait(timeout=SOON) == 0
    assert again.pid is not None
    assert not Path(f"/proc/{again.pid}").exists()


def test_a_work_that_ends_its_process_is_not_done_again(house: House, place: School) -> None:
    house.manage("run_worker")
    work = begin(place, job="tests.die")
    wait_until(lambda: Work.objects.get(pk=work.pk).state == State.FAILED)
    again = begin(place, steps=1)
    wait_until(lambda: state(again) == State.DONE)
    assert hooks(place) == [f"failed{work.pk}"]


def test_workers_go_when_their_supervisor_is_killed(house: House, place: School) -> None:
    supervisor = house.manage("run_worker")
    work = begin(place, steps=1)
    wait_until(lambda: state(work) == State.DONE)
    work.refresh_from_db()
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not Path(f"/proc/{work.pid}/exe").exists(), seconds=SOON)


def test_a_worker_outlives_a_database_that_is_locked_or_away(house: House, place: School) -> None:
    worker = house.worker()
    first = begin(place, steps=1)
    wait_until(lambda: state(first) == State.DONE)
    if connection.vendor == "sqlite":
        second = begin(place, steps=2)
        name = connection.settings_dict["NAME"]
        with contextlib.closing(sqlite3.connect(name, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(3)  # three times as long as the worker waits for a lock
            assert worker.poll() is None
            other.execute("ROLLBACK")
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] >= 1
        second = begin(place, steps=2)
    wait_until(lambda: state(second) == State.DONE)
    assert worker.poll() is None
    second.refresh_from_db()
    assert second.pid == worker.pid


def test_pages_and_worker_are_served_together(house: House, place: School) -> None:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = house.manage("serve", "--bind", f"127.0.0.1:{port}")

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    wait_until(answers)
    work = begin(place, steps=1)
    wait_until(lambda: state(work) == State.DONE)
    # A second one cannot have the same port: it says so and leaves no worker behind.
    second = house.manage("serve", "--bind", f"127.0.0.1:{port}")
    assert second.wait(timeout=PATIENCE_OF_GUNICORN) != 0
    assert answers()
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=SOON) == 0
    assert not answers()


PATIENCE_OF_GUNICORN = 60.0  # it tries five times to get the port, a second apart
