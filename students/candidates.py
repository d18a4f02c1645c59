"""Pupils beside a row: what the row says and what is stored, for somebody who decides whether they are one child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.questions import Candidate, Fact, Question
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.likeness import Likeness, number_likeness
from povertyaid.lib.masks import mask_identity, mask_phone, mask_pupil_number
from students import words
from students.models import Student
from students.pupilbook import LIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.imports.questions import Choice
    from povertyaid.imports.resources import Row
    from povertyaid.lib.messages import Message
    from students.models import Enrolment
    from students.pupilbook import PupilBook, Wanted

MODEL = Student._meta.label_lower
NUMBERS = ("identity", "pupil_number")
_MASKS = {"identity": mask_identity, "pupil_number": mask_pupil_number}


def closeness(wanted: Wanted, student: Student) -> tuple[str, Likeness] | None:
    """The number of a row that is almost that of a stored pupil, and how the two differ."""
    for key in NUMBERS:
        mine = (wanted.identity or wanted.failed) if key == "identity" else wanted.pupil_number
        if mine and getattr(student, f"{key}_hash"):
            found = number_likeness(mine, getattr(student, key).clear)
            if found is not None:
                return key, found
    return None


def differing(wanted: Wanted, student: Student) -> frozenset[str]:
    """The fields by which pupils are known (name, identity, pupil_number) where row and record say different things."""
    found = {"name"} if wanted.name and wanted.name != student.name else set()
    for key in NUMBERS:
        mine, stored = getattr(wanted, f"{key}_hash"), getattr(student, f"{key}_hash")
        if mine and stored and mine != stored:
            found.add(key)
    if wanted.failed:
        found.add("identity")
    return frozenset(found)


class Cards:
    """Makes candidates of pupils; the row's side is that of one row."""

    def __init__(self, pupils: PupilBook) -> None:
        """Remember where pupils are enrolled."""
        self._pupils = pupils

    def question(
        self,
        code: str,
        key: str,
        message: Message,
        *,
        row: Row,
        wanted: Wanted,
        candidates: Sequence[tuple[Student, Sequence[Choice] | None]],
        choices: Sequence[Choice],
    ) -> Question:
        """The question whether a row means one of these pupils."""
        shown = [self.candidate(row, wanted, student, own) for student, own in candidates]
        return Question(code, key, message, shown, choices, MODEL)

    def candidate(
        self, row: Row, wanted: Wanted, student: Student, choices: Sequence[Choice] | None = None
    ) -> Candidate:
        """A stored pupil beside a row; numbers and telephones are masked on both sides."""
        get = row.get
        enrolment = self.enrolment(student)
        stored_class = enrolment.school_class if enrolment is not None else None
        year = wanted.school_year
        facts = [
            _fact("name", wanted.name, student.name),
            *(self._number(key, wanted, student) for key in NUMBERS),
            _fact("sex", words.SEX.get(get("sex", ""), ""), words.SEX.get(student.sex, "")),
            _fact("birth_date", str(get("birth_date") or ""), str(student.birth_date or "")),
            Fact(
                str(_("school")),
                wanted.school.name if wanted.school else "",
                enrolment.school.name if enrolment is not None else "",
                wanted.school is not None
                and enrolment is not None
                and enrolment.school_id != wanted.school.pk,
            ),
            Fact(
                str(_("class")),
                wanted.place.label(year) if wanted.place is not None and year else row.shown("school_class"),
                "" if stored_class is None else stored_class.name_in(year) if year else str(stored_class),
                wanted.place is not None
                and stored_class is not None
                and not wanted.place.holds(stored_class),
            ),
            _fact("guardian_name", get("guardian_name", ""), student.guardian_name),
            _fact("head_name", get("head_name", ""), student.head_name),
            _fact(
                "phone", mask_phone(get("phone", "")) if _is_family(row) else "", mask_phone(student.phone)
            ),
        ]
        label = student.name if enrolment is None else f"{student.name}（{enrolment}）"
        return Candidate(student.pk, label, [fact for fact in facts if fact.row or fact.stored], choices)

    def enrolment(self, student: Student) -> Enrolment | None:
        """Where the pupil is, else where it was last."""
        found = self._pupils.enrolments(student)
        return next((item for item in found if item.state in LIVE), found[0] if found else None)

    @staticmethod
    def _number(key: str, wanted: Wanted, student: Student) -> Fact:
        mine = getattr(wanted, key) or (wanted.failed if key == "identity" else "")
        stored = bool(getattr(student, f"{key}_hash"))
        differs = bool(mine) and stored and lookup_hash(key, mine) != getattr(student, f"{key}_hash")
        masked = str(getattr(student, key)) if stored else ""
        return Fact(_label(key), _MASKS[key](mine), masked, differs)


def _is_family(row: Row) -> bool:
    """Whether the telephone of a row is the family's: lists of helpers have the helper's."""
    return row.table.resource.kind in {"students", "recognitions", "payments"}


def _fact(name: str, row: str, stored: str) -> Fact:
    return Fact(_label(name), row, stored, bool(row) and bool(stored) and row != stored)


def _label(name: str) -> str:
    field: Any = Student._meta.get_field(name)
    return str(field.verbose_name)
