"""Numbers of pupils that change hands: a number is unique, so that it must be given up before another pupil gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from povertyaid.audit.services import Update
from povertyaid.imports.resources import by_key
from students.candidates import NUMBERS
from students.models import NUMBER_REFUSED, Student

if TYPE_CHECKING:
    from povertyaid.imports.resources import Planned
    from students.roster import Line

# Pairs of a pupil and the name of the field: identity or pupil_number.
Released = frozenset[tuple[int, str]]


def release_numbers(lines: list[Line]) -> Released:
    """The numbers that pupils of the file give up to others of it; refuse a number that anybody else has.

    Also one whom the account may not know of. A number whose holder keeps it after all, since the holder's own row is
    refused, is taken: that may refuse another row, until nothing changes any more.
    """
    released: set[tuple[int, str]] = set()
    for key in NUMBERS:
        wanted = {
            id(line): number_hash
            for line in lines
            if key not in line.kept
            and (number_hash := getattr(line.wanted, f"{key}_hash"))
            and not (line.student and getattr(line.student, f"{key}_hash") == number_hash)
        }
        # Not by scope: a number is unique in the whole database. The answer is neutral.
        owners = by_key(Student.objects.only(f"{key}_hash"), f"{key}_hash", wanted.values())
        holders = {number_hash: found[0].pk for number_hash, found in owners.items()}
        if holders:
            released |= {(pk, key) for pk in _given_up(lines, key, wanted, holders)}
    return frozenset(released)


def _given_up(lines: list[Line], key: str, wanted: dict[int, str], holders: dict[str, int]) -> set[int]:
    taking = [line for line in lines if wanted.get(id(line)) in holders]
    by_student = {line.student.pk: line for line in lines if line.student is not None}
    while True:
        refused = [
            line
            for line in taking
            if line.row.ok and not _gives_up(line, holders[wanted[id(line)]], key, by_student, wanted)
        ]
        if not refused:
            return {holders[wanted[id(line)]] for line in taking if line.row.ok}
        for line in refused:
            line.row.refuse(key, NUMBER_REFUSED)


def _gives_up(line: Line, holder: int, key: str, by_student: dict[int, Line], wanted: dict[int, str]) -> bool:
    """Whether the holder of a number gets another one: by its own row, or in exchange."""
    if line.exchange is not None and (line.exchange[0].pk, line.exchange[1]) == (holder, key):
        return True
    other = by_student.get(holder)
    return other is not None and other.row.ok and id(other) in wanted


def write_numbers(line: Line, item: Planned, student: Student, *, released: Released) -> None:
    """Plan what must be written before the new numbers, and what the other one of an exchange gets.

    Sex and date of birth go with an identity number.
    """
    if line.exchange is not None:
        other, key = line.exchange
        number = getattr(student, key).clear
        values: dict[str, Any] = {key: number}
        if key == "identity":
            values |= {"sex": student.sex, "birth_date": student.birth_date}
        item.first.append(Update(student, {key: ""}))
        item.first.append(Update(other, {key: ""}))
        item.change(other, values)
    item.first += [Update(student, {key: ""}) for key in NUMBERS if (student.pk, key) in released]


def without_known_numbers(line: Line, student: Student, values: dict[str, Any]) -> dict[str, Any]:
    """The values without the numbers that are stored already: comparing hashes spares decrypting them."""
    known = [key for key in NUMBERS if getattr(line.wanted, f"{key}_hash") == getattr(student, f"{key}_hash")]
    return {name: value for name, value in values.items() if name not in known}
