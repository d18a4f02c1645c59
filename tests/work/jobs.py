"""Jobs for the tests of the worker, registered in the test's process and in the processes that it starts."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import TYPE_CHECKING

from django.db import transaction

from povertyaid.lib.messages import MessageError
from povertyaid.schools.models import Department
from povertyaid.work import registry
from povertyaid.work.registry import register_job
from tests import factories

if TYPE_CHECKING:
    from povertyaid.lib.progress import Progress
    from povertyaid.work.models import Work

STEPS = 400


def write_departments(work: Work, progress: Progress) -> None:
    """Write one department a step in one transaction, and finish inside it. args: steps, seconds (each step)."""
    assert work.school is not None
    steps, seconds = int(work.args.get("steps", 3)), float(work.args.get("seconds", 0))
    with transaction.atomic():
        for step in range(steps):
            progress.tell("Writing", step, steps)
            Department.objects.create(
                county=work.school.county, school=work.school, name=f"第{work.pk}-{step}组"
            )
            time.sleep(seconds)
        work.finish_inside()


def fail(work: Work, progress: Progress) -> None:
    """Fail with what stood in a cell in the message of the error."""
    msg = f"cannot read {factories.identity_number(dt.date(2014, 5, 6), 1)}"
    raise ValueError(msg)


def refuse(work: Work, progress: Progress) -> None:
    """Refuse in words."""
    raise MessageError("refused", "The list has no rows.")


def die(work: Work, progress: Progress) -> None:
    """End the whole process without a word, as the kernel does when memory is short."""
    os._exit(9)


def remember_stop(work: Work) -> None:
    """The hook: leave a department that tells what it was told."""
    assert work.school is not None
    Department.objects.create(county=work.school.county, school=work.school, name=f"{work.state}{work.pk}")


JOBS = {"write": write_departments, "fail": fail, "refuse": refuse, "die": die}


def register() -> None:
    """Register them all under tests.*."""
    for name, function in JOBS.items():
        register_job(f"tests.{name}", function, label=name, on_stopped=remember_stop)


def forget() -> None:
    """Take them away."""
    for name in JOBS:
        registry.forget_job(f"tests.{name}")
