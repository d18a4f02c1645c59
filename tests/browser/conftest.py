"""A real Chromium against a live server, on a SQLite file of each test's own.

The server is the software as `make run` serves it: static files gathered and compressed, threads, immediate
transactions. Where the date matters (`july`), its clock stands in July 2026, when the summary of the first half-year
is written.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings
from django.test.testcases import LiveServerThread
from django.utils import timezone
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.browser.desk import Desk

TODAY = dt.datetime(2026, 7, 6, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
CHROMIUM_FLAGS = (
    "--no-sandbox",  # a container gives root no user namespaces; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of this folder while they are collected, before `-m` chooses."""
    item.add_marker(pytest.mark.browser)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put them last.

    While Playwright runs, its event loop makes Django keep connections apart from those of plain tests; so no plain
    test may come after it.
    """
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.is_relative_to(here))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser a worker."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("The browser tests need the system's Chromium: make system-test installs it.")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's synchronous interface keeps an event loop in this thread. Django takes that for asynchronous
        # code and would refuse every query of a test; there is none, each test waits for the browser.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
            yield running
            running.close()


@pytest.fixture(scope="session")
def blank_database(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A migrated database with the roles, as a file."""
    path = tmp_path_factory.mktemp("browser") / "blank.sqlite3"
    with django_db_blocker.unblock():
        if connection.vendor != "sqlite":
            pytest.fail("The browser tests run on SQLite; leave them out with -m 'not browser'.")
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(path)) as target:
            connection.connection.backup(target)
    return path


@pytest.fixture
def db(
    blank_database: Path,
    browser: Browser,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """A database file of the test's own in the place of pytest-django's, for the server's threads too.

    pytest-django would give the threads of its server the one connection of the test, so that two requests at a time
    would stand in each other's transactions.
    """
    path = tmp_path / "county.sqlite3"
    shutil.copy(blank_database, path)
    plain = connections["default"]
    monkeypatch.setitem(connections.settings["default"], "NAME", str(path))
    with django_db_blocker.unblock():
        connections["default"] = connections.create_connection("default")
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = plain


@pytest.fixture
def july(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time run from a morning in July 2026, so that the forms offer 2026上半年 whenever the test is run."""
    now = timezone.now
    ahead = TODAY - now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now() + ahead)


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Static files gathered and compressed, once a worker."""
    path = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=path):
        call_command("collectstatic", interactive=False, verbosity=0)
    return path


@pytest.fixture
def server(db: None, static_root: Path) -> Iterator[str]:
    """The address of a server for this test."""
    with override_settings(
        STATIC_ROOT=static_root, WHITENOISE_USE_FINDERS=False, ALLOWED_HOSTS=["localhost"]
    ):
        # whitenoise serves the static files as in `make run`, where Django's own server would not compress them.
        thread = LiveServerThread(
            "localhost",
            static_handler=lambda application: application,  # type: ignore[arg-type]  # called like a class
        )
        thread.daemon = True
        thread.start()
        thread.is_ready.wait()
        if thread.error:
            raise thread.error
        yield f"http://localhost:{thread.port}"
        thread.terminate()


@pytest.fixture
def new_desk(browser: Browser, server: str) -> Iterator[Callable[..., Desk]]:
    """Return a function that opens a browser window of its own: `new_desk(phone=True)` for one of 390 points.

    At the end no desk may have met a violation of the Content-Security-Policy or a script error.
    """
    with contextlib.ExitStack() as stack:
        desks: list[Desk] = []

        def opened(*, phone: bool = False) -> Desk:
            desk = Desk(browser, server, phone=phone)
            stack.callback(desk.close)
            desks.append(desk)
            return desk

        yield opened
        complaints = [complaint for desk in desks for complaint in desk.complaints]
        assert complaints == []


@pytest.fixture
def desk(new_desk: Callable[..., Desk]) -> Desk:
    """One browser window."""
    return new_desk()
