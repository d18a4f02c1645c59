"""Rules that the source text itself must keep; each exception stands here with its reason."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("povertyaid", "households", "students", "pairings", "aid", "reports")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
LONGEST = 500

# Writes that pass single saves by, and so the history. Only the service that keeps the history may do them.
BULK = {"bulk_create", "bulk_update", "_raw_delete", "_update", "raw", "extra"}
SERVICE = "povertyaid/audit/services.py"
PAST_THE_HISTORY = {
    SERVICE: "writes the history itself",
    "povertyaid/audit/inserting.py": "called by that service alone",
    "povertyaid/audit/deleting.py": "called by that service alone",
    "povertyaid/work/fence.py": "works keep no history; a conditional UPDATE decides who ends one",
    "povertyaid/work/pruning.py": "entries of the queue, which are no records",
    "povertyaid/files/rotation.py": "encrypts the same values with a new key: nothing that people entered changes",
}
# Names that look like writes and are none.
NO_WRITES = {
    "povertyaid/lib/sheets/reader.py .raw(": "the raw cells of a sheet",
    "povertyaid/lib/fields.py kwargs.update(": "a dictionary",
}
# Code that answers requests starts from visible_to. Where it does not, the reason stands here.
LINKED = "joined to records that are visible already"
CHOICES = "choices that the form narrows to what is visible"
RULE = "a rule over all records; nothing of a foreign record is told"
OPEN_ALLOWED = {
    "aid/admin.py:County.objects.count": "how many counties share the national programmes; names none",
    "aid/admin.py:Payment.objects.filter": LINKED,
    "aid/admin.py:Disbursement.objects.filter": RULE,
    "aid/forms.py:Enrolment.objects.filter": LINKED,
    "households/admin.py:Member.objects.filter": LINKED,
    "povertyaid/files/admin.py:Attachment.objects.filter": LINKED,
    "households/admin.py:Assignment.objects.filter": RULE,
    "households/forms.py:self._rows._default_manager.filter": RULE,
    "pairings/admin.py:Member.objects.filter": LINKED,
    "pairings/admin.py:Contact.objects.filter": LINKED,
    "pairings/admin.py:Pairing.objects.select_related": CHOICES,
    "pairings/forms.py:Staff.objects.filter": CHOICES,
    "povertyaid/imports/views.py:ImportRow.objects.filter": LINKED,
    "povertyaid/imports/undo_views.py:Change.objects.order_by": "the number of the newest change; tells nothing of it",
    "povertyaid/schools/admin_base/forms.py:queryset.model._default_manager.filter": CHOICES,
    "povertyaid/schools/admin_base/forms.py:self._meta.model._default_manager.filter": RULE,
    "povertyaid/schools/admin_base/options.py:inline.model._default_manager.filter": "keys of rows that are visible",
    "povertyaid/schools/admin_base/rights.py:model._default_manager.filter": "the scope of one role of the account",
    "povertyaid/schools/admin_base/trail.py:apps.get_model(HISTORY)._default_manager.filter": LINKED,
    "povertyaid/schools/forms.py:Staff.objects.all": CHOICES,
    "povertyaid/schools/forms.py:Staff.objects.filter": LINKED,
    "students/admin.py:Enrolment.objects.filter": LINKED,
    "students/admin.py:SchoolClass.objects.filter": CHOICES,
    "students/forms.py:Enrolment.objects.filter": LINKED,
    "students/forms.py:SchoolClass.objects.filter": LINKED,
}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    """Method calls of a module."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func


def test_only_the_service_writes_past_single_saves() -> None:
    found = []
    for path in MODULES:
        for node, method in calls(path):
            receiver = ast.unparse(method.value)
            of_queryset = re.search(r"\b(objects|\w*_manager|filter|exclude|visible_to|queryset)\b", receiver)
            # A dictionary is updated too, but seldom by keywords; then its name says so.
            by_keywords = node.keywords and not receiver.endswith(("attrs", "context"))
            writes = method.attr in BULK
            writes |= method.attr == "update" and bool(by_keywords or of_queryset)
            writes |= method.attr == "delete" and bool(of_queryset)
            shown = "" if method.attr in BULK else receiver
            if (
                writes
                and name_of(path) not in PAST_THE_HISTORY
                and (f"{name_of(path)} {shown}.{method.attr}(" not in NO_WRITES)
            ):
                found.append(f"{name_of(path)}:{node.lineno} {receiver}.{method.attr}(")
    assert found == []


def test_pages_start_from_what_the_account_may_see() -> None:
    """`Model.objects.` in a module that answers requests is followed by visible_to."""
    pages = [path for path in MODULES if re.search(r"(views|admin|forms|lists)", name_of(path))]
    found = []
    for path in pages:
        for node in ast.walk(parsed(path)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr in {"objects", "_default_manager", "_base_manager"}
                and node.attr not in {"visible_to", "create", "none"}
            ):
                place = f"{name_of(path)}:{ast.unparse(node)}"
                if place not in OPEN_ALLOWED:
                    found.append(f"{place} (line {node.lineno})")
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short_and_typed_lazily(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST
    assert (
        not text.strip()
        or "from __future__ import annotations" in text
        or not re.search(r"^(import|from) ", text, re.MULTILINE)
    )


def tracked() -> list[Path]:
    """The files of the repository as text (a checkout without git is searched by its folders)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in listed.stdout.split("\0") if name]
    if listed.returncode or not names:
        skipped = {".git", ".venv", "var", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
        return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.parts)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def _words(*parts: str) -> str:
    """Words written in two halves, so that this file does not match itself."""
    return "|".join(part.replace("+", "") for part in parts)


FORBIDDEN = {
    "a path of one machine": rf"(?<![\w.])/({_words('ho+me', 'ro+ot', 'Us+ers')})/(?=[\w.])",
    "unfinished work": rf"\b({_words('TO+DO', 'FIX+ME', 'XX+X')})\b",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_files_hold_nothing_that_belongs_elsewhere(what: str) -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if re.search(FORBIDDEN[what], line) and len(line) < 2000:
                found.append(f"{name_of(path)}:{number} {line.strip()[:100]}")
    assert found == []
