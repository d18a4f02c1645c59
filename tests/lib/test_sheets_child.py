"""The child process: what it is told, what it may answer, and what becomes of it when it dies."""

from __future__ import annotations

import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.utils import translation

from povertyaid.lib.sheets.child import read_in_child
from povertyaid.lib.sheets.model import Limits, UnreadableFileError
from povertyaid.lib.sheets.reader import read_workbook

if TYPE_CHECKING:
    from pytest_django import Settings

WORKBOOKS = Path(__file__).parent.parent / "data" / "workbooks"


@pytest.mark.parametrize("name", ["students-roster.xlsx", "registry.xls", "payments.csv", "pairings.xlsx"])
def test_the_child_reads_what_we_would_read(name: str) -> None:
    data = (WORKBOOKS / name).read_bytes()
    assert read_in_child(data, name) == read_workbook(data, name)


def test_a_refusal_is_told_in_the_language_of_whoever_reads_it() -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_in_child(b"")
    with translation.override("en"):
        assert str(caught.value) == "The file is empty. Choose the file that holds the list."
    with translation.override("zh-hans"):
        assert "空" in str(caught.value)


def test_limits_reach_the_child() -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_in_child(b"a,b\nc,d\n", limits=Limits(rows=1))
    assert (caught.value.code, caught.value.message.params["most"]) == ("too_large", 1)


def test_several_at_a_time() -> None:
    files = [f"姓名,班级\n张{number},一班\n".encode() for number in range(6)]
    with ThreadPoolExecutor(3) as pool:
        books = list(pool.map(read_in_child, files))
    assert [book.sheets[0].rows[1][0] for book in books] == [f"张{number}" for number in range(6)]


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script stand in for the child."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(path))


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("kill -SEGV $$", "crash"),
        ("exit 7", "crash"),
        ("exit 0", "crash"),
        ("echo nothing that was asked for", "crash"),
        ("kill -KILL $$", "memory"),
        ("echo memory allocation of 9 bytes failed >&2; kill -ABRT $$", "memory"),
        ("exit 3", "memory"),
        ("kill -XCPU $$", "time"),
        ("exec sleep 60", "time"),
        ("exec >&- 2>&-; exec sleep 60", "time"),
        ("exec cat /dev/zero", "memory"),
    ],
)
def test_whatever_becomes_of_the_child_a_sentence_says_it(
    script: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.IMPORT_READ_SECONDS = 2
    stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(UnreadableFileError) as caught:
        # More than a pipe holds: the child may be gone before it has taken everything.
        read_in_child(b"a,b\n" * 100_000)
    assert caught.value.code == code
    assert str(caught.value)


class Evil:
    """What a parser that was taken over might answer."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """A call of the shell."""
        return os.system, ("exit 1",)


def test_an_answer_is_a_workbook_or_a_refusal_and_never_runs_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = tmp_path / "answer"
    answer.write_bytes(pickle.dumps(Evil()))
    stand_in(tmp_path, monkeypatch, f"exec cat '{answer}'")
    with pytest.raises(UnreadableFileError) as caught:
        read_in_child(b"a,b\n")
    assert caught.value.code == "crash"
    assert "system" in str(caught.value.message.params["detail"])


def test_the_child_gets_none_of_our_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POVERTYAID_SECRET_KEY", "x" * 50)
    seen = tmp_path / "seen"
    stand_in(tmp_path, monkeypatch, f"env > '{seen}'; exit 7")
    with pytest.raises(UnreadableFileError):
        read_in_child(b"a,b\n")
    names = {line.partition("=")[0] for line in seen.read_text("utf-8").splitlines()}
    assert "PATH" in names
    assert not any(name.startswith(("POVERTYAID", "DJANGO")) for name in names)
