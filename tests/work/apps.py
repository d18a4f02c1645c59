"""Registers the jobs of these tests in the processes that they start."""

from __future__ import annotations

from django.apps import AppConfig


class TestJobsConfig(AppConfig):
    name = "tests.work"
    label = "tests_work"

    def ready(self) -> None:
        from tests.work import jobs

        jobs.register()
