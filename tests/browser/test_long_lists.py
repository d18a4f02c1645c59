"""A long list is read and written by a real worker: the bar survives a reload, the work can be stopped and begun anew."""

from __future__ import annotations

import csv
import datetime as dt
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from playwright.sync_api import expect

from povertyaid.imports.models import ImportBatch
from povertyaid.schools.roles import Role
from povertyaid.work import services
from povertyaid.work.models import Work
from students.models import Student
from tests.browser import county
from tests.factories import identity_number, person_name
from tests.house import House, wait_until
from tests.personas import make_user

if TYPE_CHECKING:
    from povertyaid.schools.models import User
    from tests.browser.desk import Desk

PUPILS = 3_000
LONG_MS = 60_000


@pytest.fixture
def official(db: None, tmp_path: Path) -> User:
    """The clerk of the bureau."""
    return make_user(Role.COUNTY_CLERK, county.make_county(tmp_path), "official")


@pytest.fixture
def workers(db: None, tmp_path: Path) -> Iterator[House]:
    """Workers on the database of the test; the server leaves long work to them."""
    found = House(f"sqlite:///{connection.settings_dict['NAME']}", tmp_path / "worker.log")
    with override_settings(WORK_INLINE=False):
        yield found
    found.close()


def long_list(path: Path) -> Path:
    """A list of so many pupils that it is not read within the request."""
    first = dt.date(2014, 9, 1)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"{county.SCHOOL}2025—2026学年第二学期学生花名册"])
        writer.writerow(["姓名", "性别", "身份证号码", "年级班级", "家庭住址", "备注"])
        for number in range(PUPILS):
            birth = first + dt.timedelta(days=number % 400)
            identity = identity_number(birth, number // 400, "female")
            place = f"五年级{number % 40 + 1}班", f"青石乡青石村{number % 9 + 1}组", "在读，户口在本村"
            writer.writerow([person_name(number), "女", identity, *place])
    assert path.stat().st_size > settings.IMPORT_INLINE_BYTES
    return path


def test_a_long_list_is_followed_stopped_and_begun_anew(
    desk: Desk, workers: House, official: User, tmp_path: Path
) -> None:
    page = desk.page
    bar, stop = page.locator(".work-progress progress"), page.locator(".work-progress input[type=submit]")
    counts = page.locator("table.counts")
    desk.log_in(official)
    desk.send_list("students", long_list(tmp_path / "全校.csv"))
    # Nobody works yet: the page says that it waits, and goes on saying so when it is opened anew.
    expect(bar).to_be_visible()
    page.reload()
    expect(bar).to_be_visible()
    desk.fits()
    worker = workers.worker()
    # The page finds out by itself.
    expect(counts).to_be_visible(timeout=LONG_MS)
    assert desk.counts()[:2] == [PUPILS, PUPILS]
    assert not Student.objects.exists()

    # Stopped on the way: the worker is held at a moment when it surely is not done, so that there is time to press.
    page.locator(".decide form input[type=submit]").first.click()
    expect(bar).to_be_visible()
    work = Work.objects.latest("pk")
    wait_until(lambda: services.status(work).state == Work.State.RUNNING, every=0.02)
    os.kill(worker.pid, signal.SIGSTOP)
    page.reload()
    expect(bar).to_be_visible()
    desk.picture("progress", of=page.locator(".work-progress"))
    stop.click()
    expect(stop).to_have_count(0)
    os.kill(worker.pid, signal.SIGCONT)
    expect(desk.errors.first).to_be_visible(timeout=LONG_MS)
    # Nothing was written; the preview stands as before, to be confirmed again.
    assert ImportBatch.objects.get(kind="students").state == ImportBatch.State.TO_CHECK
    assert not Student.objects.exists()
    expect(counts).to_be_visible()
    page.locator(".decide form input[type=submit]").first.click()
    expect(page.locator("a[href$='/undo/']")).to_be_visible(timeout=LONG_MS)
    assert Student.objects.count() == PUPILS
    assert ImportBatch.objects.get(kind="students").state == ImportBatch.State.IMPORTED
    assert desk.is_chinese()
