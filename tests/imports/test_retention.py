"""Files of old imports are erased, with the values of their rows; the outcome stays."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from povertyaid.files.models import ErasedFileError
from povertyaid.imports.models import ImportBatch, ImportRow, UndoEntry
from povertyaid.imports.options import Options
from povertyaid.imports.retention import delete_old_files, is_erased
from povertyaid.imports.sendback import refused_workbook
from povertyaid.imports.services import commit_batch, prepare, receive, same_file
from povertyaid.imports.undo import plan_undo, undo_batch
from povertyaid.schools.models import School, User
from povertyaid.schools.starting import key_problem
from students.models import Student
from tests import factories
from tests.imports.conftest import xlsx

pytestmark = pytest.mark.django_db

HEADERS = ["姓名", "身份证号码", "年级班级", "联系电话"]
SEMESTER = "2025-2026-2"


def identity(place: int) -> str:
    return factories.identity_number(dt.date(2017, 1, 1) + dt.timedelta(days=place * 3), place)


def sent(user: User, school: School, phone: str = "13800000000", *, confirm: bool = True) -> ImportBatch:
    rows: list[list[Any]] = [HEADERS, ["赵晓雨", identity(0), "一年级2班", phone], ["钱子轩", "123", "一年级2班", None]]
    batch = receive(
        data=xlsx(rows), name="名单.xlsx", user=user, options=Options(school=school.code, period=SEMESTER),
        kinds=["students"],
    )  # fmt: skip
    prepare(batch=batch, user=user)
    return commit_batch(batch=batch, user=user, all_or_nothing=False) if confirm else batch


def age(batch: ImportBatch, days: int) -> None:
    long_ago = timezone.now() - dt.timedelta(days=days)
    finished = long_ago if batch.finished_at else None
    ImportBatch.objects.filter(pk=batch.pk).update(finished_at=finished, updated_at=long_ago)


def test_old_files_go_and_outcomes_stay(clerk: User, school: School) -> None:
    sent(clerk, school)
    batch = sent(clerk, school, "13911112222")
    assert UndoEntry.objects.filter(batch=batch).exists()
    counts, digest, size = batch.counts, batch.file.digest, batch.file.size
    age(batch, 181)
    assert delete_old_files() != ""
    batch = ImportBatch.objects.get(pk=batch.pk)
    assert is_erased(batch)
    assert (batch.state, batch.counts, batch.file.digest, batch.file.size) == ("partly", counts, digest, size)
    rows = ImportRow.objects.filter(batch=batch).order_by("row")
    assert [row.outcome for row in rows if row.outcome != "ignored"] == ["updated", "rejected"]
    kept = [[row.values, row.messages, row.question] for row in rows]
    told = json.dumps([kept, batch.report], ensure_ascii=False)
    assert [secret for secret in ("2222", "赵晓雨", "钱子轩", "123") if secret in told] == []
    assert any(note["level"] == "error" for row in rows for note in row.messages)
    assert not UndoEntry.objects.filter(batch=batch).exists()
    # The same file is known again.
    assert same_file(kind="students", digest=digest, user=clerk).first() == batch
    assert delete_old_files() == ""


def test_younger_files_stay(clerk: User, school: School, settings: Any) -> None:
    batch = sent(clerk, school)
    age(batch, 179)
    assert delete_old_files() == ""
    settings.IMPORT_FILE_DAYS = 30
    assert delete_old_files() != ""


def test_preview_that_nobody_confirmed_is_given_up(clerk: User, school: School) -> None:
    batch = sent(clerk, school, confirm=False)
    assert batch.state == "to_check"
    age(batch, 181)
    delete_old_files()
    batch = ImportBatch.objects.get(pk=batch.pk)
    assert (batch.state, is_erased(batch)) == ("cancelled", True)


def test_what_needs_the_file_says_that_it_is_gone(
    client_of: Callable[[User], Client], clerk: User, school: School
) -> None:
    batch = sent(clerk, school)
    age(batch, 181)
    delete_old_files()
    batch = ImportBatch.objects.get(pk=batch.pk)
    with pytest.raises(ErasedFileError):
        refused_workbook(batch, clerk)
    client = client_of(clerk)
    answer = client.get(reverse("imports:refused", args=[batch.pk]), follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    page = client.get(reverse("imports:batch", args=[batch.pk])).content.decode()
    assert timezone.localdate().isoformat() in page
    # The pages of files answer too.
    link = client.get(reverse("admin:files_attachment_file", args=[batch.file_id]), follow=True)
    assert link.status_code == 200
    assert "attachment" not in link.headers.get("Content-Disposition", "")


def test_new_records_can_still_be_taken_back_changed_ones_cannot(clerk: User, school: School) -> None:
    first = sent(clerk, school)
    second = sent(clerk, school, "13911112222")
    age(second, 181)
    delete_old_files()
    [item] = plan_undo(second, clerk).items.values()
    assert [reason.code for reason in item.reasons] == ["not_kept"]
    Student.objects.get().delete()
    undo_batch(batch=first, user=clerk)
    assert ImportBatch.objects.get(pk=first.pk).state == "undone"


def test_keys_are_checked_and_rotated_with_erased_files(clerk: User, school: School) -> None:
    batch = sent(clerk, school)
    age(batch, 181)
    delete_old_files()
    assert key_problem() == ""
    call_command("rotate_keys", verbosity=0)


def test_daily_command_does_it(clerk: User, school: School) -> None:
    batch = sent(clerk, school)
    age(batch, 181)
    call_command("daily", verbosity=0)
    assert is_erased(ImportBatch.objects.get(pk=batch.pk))
