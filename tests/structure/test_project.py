"""Migrations, deployment check and translations are complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT = Path(settings.BASE_DIR)
SOURCES = ("povertyaid", "households", "students", "pairings", "aid", "reports", "templates", "locale")


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_a_production_server_passes_the_deployment_check() -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("POVERTYAID_", "DJANGO_"))
    }
    done = subprocess.run(
        [ROOT / "scripts" / "deploy-check.sh"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zh_Hans catalogue, brought up to date with the source in a copy."""
    copy = tmp_path_factory.mktemp("catalogue")
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", copy)
    done = subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--locale=zh_Hans", "--no-obsolete", "--no-location"],
        cwd=copy,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "povertyaid.settings",
            "POVERTYAID_HOME": str(copy / "var"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return copy / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def _left(catalogue: Path, which: str) -> list[str]:
    """Messages that are not translated or only guessed."""
    done = subprocess.run(
        ["msgattrib", which, "--no-obsolete", "--no-wrap", catalogue],
        capture_output=True,
        text=True,
        check=True,
    )
    return [entry for entry in done.stdout.strip().split("\n\n") if entry and "Content-Type" not in entry]


def test_every_text_is_translated(catalogue: Path) -> None:
    assert _left(catalogue, "--untranslated") == []
    assert _left(catalogue, "--only-fuzzy") == []


def test_translations_keep_their_placeholders(catalogue: Path) -> None:
    done = subprocess.run(
        ["msgfmt", "--check", "--output-file=/dev/null", catalogue],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
