"""Settings of the processes that tests start: a worker, and a database that gives up waiting for a lock soon."""

from __future__ import annotations

from tests.settings import *  # noqa: F403 - every setting, then the exceptions below
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.work.apps.TestJobsConfig"]
WORK_INLINE = False
WORK_GRACE_SECONDS = 3
if "timeout" in DATABASES["default"]["OPTIONS"]:
    DATABASES["default"]["OPTIONS"]["timeout"] = 1
