"""What stands in the queue: the number of a work, nothing else."""

from __future__ import annotations

from django_tasks import task

from povertyaid.work import runner


@task()
def run_work(pk: int) -> None:
    """Do one waiting work."""
    runner.run(pk)
