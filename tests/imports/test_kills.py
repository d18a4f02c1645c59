"""Imports whose worker is killed at fifty random moments, and pages that go on working during an import.

After each kill the records are exactly what they were before, the page says so soon, and the same import can go on.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from povertyaid.imports import jobs
from povertyaid.imports.models import ImportBatch
from povertyaid.imports.options import Options
from povertyaid.imports.services import receive
from povertyaid.schools.models import School, SchoolStage, User
from povertyaid.schools.roles import Role
from povertyaid.work import services
from povertyaid.work.models import Work
from students.models import Student
from tests import factories, personas
from tests.house import House, Nursery, wait_until
from tests.imports.conftest import xlsx
from tests.imports.test_students import HEADERS, SEMESTER, pupil

KILLS = 50
ROWS = 150
# The page of an import whose worker was killed must say so within a minute.
TOLD_WITHIN = 60.0
# What keeps the import itself and the work; everything else is the office's records.
OWN_BOOKS = ("imports_", "work_", "django_tasks_", "django_session", "files_attachment")
State = ImportBatch.State


@pytest.fixture
def db(house: House) -> None:
    """The database of the house in the place of pytest-django's."""


@pytest.fixture(autouse=True)
def _queued() -> Iterator[None]:
    with override_settings(WORK_INLINE=False, IMPORT_INLINE_BYTES=0):
        yield


@pytest.fixture
def place(db: None) -> School:
    county = factories.CountyFactory(name="云岭县")
    factories.SpecialGroupFactory(code="lifted", name="脱贫家庭", position=2)
    return personas.make_school(county, SchoolStage.PRIMARY, "青石坳中心完小")


@pytest.fixture
def clerk(place: School) -> User:
    return personas.make_user(Role.SCHOOL_CLERK, place, "clerk")


def send(place: School, user: User, rows: int) -> ImportBatch:
    """Put a list of pupils into the register of imports."""
    data = xlsx([HEADERS, *(pupil(serial) for serial in range(rows))])
    options = Options(school=place.code, period=SEMESTER)
    return receive(data=data, name="学生名单.xlsx", user=user, options=options, kinds=["students"])


def records() -> str:
    """A digest of every table except those in which imports and works keep their own books."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if not table.startswith(OWN_BOOKS):
                # That a batch was begun and failed stands in the history too.
                own = " WHERE model NOT LIKE 'imports.%'" if table == "audit_change" else ""
                cursor.execute(f'SELECT * FROM "{table}"{own}')
                digest.update(table.encode())
                for row in sorted(map(repr, cursor.fetchall())):
                    digest.update(row.encode())
    return digest.hexdigest()


def next_job(batch: ImportBatch) -> str:
    """What a person would do next with a batch: look at it, write it, take it back."""
    batch.refresh_from_db()
    if batch.state in {State.UPLOADED, State.FAILED}:
        return jobs.PREPARE
    return jobs.COMMIT if batch.state == State.TO_CHECK else jobs.UNDO


def run_whole(batch: ImportBatch, user: User) -> tuple[str, float]:
    """Let a worker do the next job undisturbed; return the job and how many seconds it took."""
    job = next_job(batch)
    work = jobs.begin(job, batch=batch, user=user)
    wait_until(lambda: services.status(work).finished, seconds=60)
    work.refresh_from_db()
    assert work.state == Work.State.DONE, work.error
    assert work.started_at is not None
    assert work.finished_at is not None
    return job, (work.finished_at - work.started_at).total_seconds()


def kill_one(nursery: Nursery, batch: ImportBatch, user: User, after: float) -> tuple[Work, float]:
    """Start the next job in a new worker and kill it some seconds after it began; return how soon that was told."""
    work = jobs.begin(next_job(batch), batch=batch, user=user)
    worker = nursery.worker()
    wait_until(lambda: Work.objects.get(pk=work.pk).state != Work.State.WAITING, every=0.005)
    time.sleep(after)
    os.kill(worker, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: services.status(work).finished, seconds=TOLD_WITHIN)
    work.refresh_from_db()
    return work, time.monotonic() - killed


def test_fifty_kills_leave_nothing_half_written(house: House, place: School, clerk: User) -> None:
    chance = random.Random(20261124)
    nursery = house.nursery()
    batch = send(place, clerk, ROWS)
    worker = nursery.worker()
    usual = dict(run_whole(batch, clerk) for _ in range(3))
    assert set(usual) == {jobs.PREPARE, jobs.COMMIT, jobs.UNDO}
    os.kill(worker, signal.SIGTERM)
    batch = send(place, clerk, ROWS)
    interrupted: Counter[str] = Counter()
    for _ in range(KILLS):
        job = next_job(batch)
        before = records()
        work, told_after = kill_one(nursery, batch, clerk, chance.uniform(0, usual[job]))
        assert told_after < TOLD_WITHIN
        batch.refresh_from_db()
        pupils = Student.objects.count()
        if work.state == Work.State.FAILED:
            interrupted[job] += 1
            assert work.error
            assert records() == before, (job, "something was written")
            # A commit that was killed before it took the batch leaves it to be checked, as it was.
            after = {
                jobs.PREPARE: {State.FAILED},
                jobs.COMMIT: {State.FAILED, State.TO_CHECK},
                jobs.UNDO: {State.IMPORTED},
            }
            assert batch.state in after[job]
            assert pupils == (ROWS if job == jobs.UNDO else 0)
        else:
            # The kill came when all was written already.
            assert work.state == Work.State.DONE
            done = {jobs.PREPARE: State.TO_CHECK, jobs.COMMIT: State.IMPORTED, jobs.UNDO: State.UNDONE}
            assert batch.state == done[job]
            assert pupils == (ROWS if job == jobs.COMMIT else 0)
        if interrupted[job] % 4 == 3 and work.state == Work.State.FAILED and batch.state == State.FAILED:
            # Every so often a job is let through, so that commits and undoings are killed as well as first looks.
            through = nursery.worker()
            run_whole(batch, clerk)
            os.kill(through, signal.SIGTERM)
        if batch.state == State.UNDONE:
            batch = send(place, clerk, ROWS)
    # A kill may come too late; how many do is a matter of the machine, but looks and writes must be among those that don't.
    assert sum(interrupted.values()) >= KILLS // 5, interrupted
    assert interrupted[jobs.PREPARE], interrupted
    assert interrupted[jobs.COMMIT], interrupted
    # After all of it, the list is imported as if nothing had been.
    nursery.worker()
    while next_job(batch) != jobs.UNDO:
        run_whole(batch, clerk)
    assert batch.state == State.IMPORTED
    assert Student.objects.count() == ROWS


def test_pages_answer_and_save_during_an_import(
    house: House, place: School, clerk: User, client_of: Callable[[User], Client]
) -> None:
    """Other people look at lists and save a record while a large list is looked at and written."""
    other = personas.make_user(Role.SCHOOL_CLERK, place, "other")
    client = client_of(other)
    department = factories.DepartmentFactory(school=place, name="德育处")
    batch = send(place, clerk, ROWS * 10)
    house.worker()
    saves, reads = [], []
    assert client.get(reverse("admin:students_student_changelist")).status_code == 200  # everything is loaded
    for job in (jobs.PREPARE, jobs.COMMIT):
        assert next_job(batch) == job
        work = jobs.begin(job, batch=batch, user=clerk)
        number = 0
        while not services.status(work).finished:
            started = time.monotonic()
            assert client.get(reverse("admin:students_student_changelist")).status_code == 200
            reads.append(time.monotonic() - started)
            number += 1
            department.refresh_from_db()
            url = reverse("admin:schools_department_change", args=[department.pk])
            page = client.get(url).context["adminform"].form
            form = {name: value if value is not None else "" for name, value in page.initial.items()}
            form |= {name: page[name].value() or "" for name in page.fields}
            started = time.monotonic()
            response = client.post(url, {**form, "name": f"{job}{number}"})
            saves.append(time.monotonic() - started)
            assert response.status_code == 302, response.content.decode()[-2000:]
            department.refresh_from_db()
            assert department.name == f"{job}{number}"
        work.refresh_from_db()
        assert work.state == Work.State.DONE, work.error
    assert Student.objects.count() == ROWS * 10
    assert len(saves) >= 4
    # Reads never wait; a save may wait for the writing of the list, and less than the server's patience.
    assert max(reads) < 5
    assert max(saves) < 30
