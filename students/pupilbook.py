"""Which pupil a row means: by identity number, by pupil number, else by name, school and class when exactly one fits.

For imports: what the rows of a file ask for is read in a constant number of queries, within the scope of the account.
A pupil out of scope is answered like one who does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.resources import by_key
from povertyaid.lib.cells import Cleaned, Context, clean_identity
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.messages import Message, MessageError
from povertyaid.schools.models import School, SchoolClass
from students.models import Enrolment, Student

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import User
    from students.classbook import Place

# Who counts as a pupil of a school when names are matched.
LIVE = (Enrolment.State.ENROLLED, Enrolment.State.SUSPENDED)


def clean_known_identity(value: Value, *, ctx: Context) -> Cleaned[str]:
    """An identity number by which somebody on record is found: what is odd about it was told when it was entered."""
    cleaned = clean_identity(value, ctx=ctx)
    cleaned.warnings.clear()
    return cleaned


class PupilError(MessageError):
    """No pupil, or not exactly one; `key` is the column that must be mended: identity, pupil_number, name, school.

    Codes: unknown, other_name, school, namesakes, nothing.
    """

    key = "name"

    def at(self, key: str) -> PupilError:
        """The same error at another column."""
        self.key = key
        return self


@dataclass(frozen=True)
class Wanted:
    """What a row says about a pupil; what it does not say is empty. Classes are named as in `school_year`.

    `failed` is an identity number that was refused, since it does not pass its check: nobody is found by it, but it may
    be a slip of the number of somebody on record.
    """

    name: str = ""
    identity: str = ""
    pupil_number: str = ""
    school: School | None = None
    place: Place | None = None
    school_year: int = 0
    failed: str = ""
    # The pupil whose key the row of a list for return carries: nobody else is meant, whatever else the row says.
    pk: int | None = None

    @cached_property
    def identity_hash(self) -> str:
        """By what the identity number is looked up; computed once, since a row is looked at many times."""
        return lookup_hash("identity", self.identity)

    @cached_property
    def pupil_number_hash(self) -> str:
        """The same for the pupil number."""
        return lookup_hash("pupil_number", self.pupil_number)


class PupilBook:
    """The pupils that the rows of a file may mean."""

    def __init__(self, user: User, wanted: Collection[Wanted]) -> None:
        """Read them: two queries by number, one by name, one for where they are enrolled."""
        self._user = user
        students = Student.objects.visible_to(user).defer("created_at")
        self._returned = by_key(students, "pk", (item.pk for item in wanted))
        self._identities = by_key(students, "identity_hash", (item.identity_hash for item in wanted))
        # Most pupils are found by the identity number; they are not read a second time by the pupil number.
        self._numbers = {
            student.pupil_number_hash: [student]
            for found in self._identities.values()
            for student in found
            if student.pupil_number_hash
        }
        numbers = {item.pupil_number_hash for item in wanted} - self._numbers.keys()
        self._numbers |= by_key(students, "pupil_number_hash", numbers)
        self._same_name: dict[str, list[Student]] = by_key(
            students, "name", {item.name for item in wanted if not self._is_settled(item)}
        )
        # One object for each pupil, however found: what one row changes must not be undone by another's.
        people = {student.pk: student for found in self._found() for student in found}
        for group in (self._returned, self._identities, self._numbers, self._same_name):
            for found in group.values():
                found[:] = [people[student.pk] for student in found]
        self._people = people
        self._enrolments = enrolments_of(user, people)
        self._named: dict[tuple[int, str], list[Enrolment]] = {}
        for name, namesakes in self._same_name.items():
            for student in namesakes:
                for enrolment in self._enrolments.get(student.pk, ()):
                    if enrolment.state in LIVE:
                        enrolment.student = student
                        self._named.setdefault((enrolment.school_id, name), []).append(enrolment)

    def _is_settled(self, wanted: Wanted) -> bool:
        """Whether the row is settled by a number, so that nobody asks for its namesakes."""
        known = self.exact(wanted)
        return known is not None and (wanted.pk is not None or wanted.name in {"", known.name})

    def _found(self) -> Iterable[list[Student]]:
        groups = (self._returned, self._identities, self._numbers, self._same_name)
        return (found for group in groups for found in group.values())

    def exact(self, wanted: Wanted) -> Student | None:
        """The pupil whose key a row carries, else with its identity number, else with its pupil number."""
        if wanted.pk in self._returned:
            returned: Student = self._returned[wanted.pk][0]
            return returned
        return self.by_identity(wanted) or self.by_pupil_number(wanted)

    def by_identity(self, wanted: Wanted) -> Student | None:
        """The pupil with the identity number of a row."""
        found = self._identities.get(wanted.identity_hash)
        return found[0] if found else None

    def by_pupil_number(self, wanted: Wanted) -> Student | None:
        """The pupil with the pupil number of a row."""
        found = self._numbers.get(wanted.pupil_number_hash)
        return found[0] if found else None

    def namesakes(self, name: str, school: School) -> list[Enrolment]:
        """The live enrolments of pupils of this name at a school."""
        return self._named.get((school.pk, name), [])

    def by_pk(self, pk: int) -> Student | None:
        """A pupil who was found in one of these ways."""
        return self._people.get(pk)

    def same_name(self, name: str) -> list[Student]:
        """The pupils of this name whom the account may know of, wherever they are."""
        return self._same_name.get(name, [])

    def add(self, students: Mapping[int, Student]) -> None:
        """Remember further pupils, and where they are and were."""
        further = {pk: student for pk, student in students.items() if pk not in self._people}
        self._people |= further
        self._enrolments |= enrolments_of(self._user, further)

    def enrolments(self, student: Student) -> list[Enrolment]:
        """Where the pupil is and was, as far as the account may know, the latest first."""
        return self._enrolments.get(student.pk, [])

    def enrolment(self, student: Student, school: School | None = None) -> Enrolment | None:
        """The pupil's enrolment at a school, a live one before an ended one; without a school the live one anywhere."""
        found = [item for item in self.enrolments(student) if school is None or item.school_id == school.pk]
        live = [item for item in found if item.state in LIVE]
        return next(iter(live or (found if school is not None else [])), None)

    def find(self, wanted: Wanted) -> Student:
        """The one pupil that a row means; PupilError says why there is none.

        A number that is not known is never replaced by a guess from the name, unless the pupil of that name, school and
        class has no number stored that could differ.
        """
        if wanted.pk in self._returned:
            returned: Student = self._returned[wanted.pk][0]
            return returned
        if wanted.identity:
            student = self.by_identity(wanted)
            if student is None:
                student = self._without_number(wanted)
            if student is None:
                text = _("No pupil of yours has this identity number. Check it, or import the pupil first.")
                raise PupilError("unknown", text).at("identity")
            return _named_so(student, wanted)
        if wanted.pupil_number:
            student = self.by_pupil_number(wanted)
            if student is None:
                text = _("No pupil of yours has this pupil number. Check it, or import the pupil first.")
                raise PupilError("unknown", text).at("pupil_number")
            return _named_so(student, wanted)
        return self._by_name(wanted)

    def _without_number(self, wanted: Wanted) -> Student | None:
        """The one pupil of that name, school and class for whom no identity number is stored yet."""
        if wanted.school is None or wanted.place is None:
            return None
        found = [
            enrolment.student
            for enrolment in self.namesakes(wanted.name, wanted.school)
            if wanted.place.holds(enrolment.school_class)
        ]
        return found[0] if len(found) == 1 and not found[0].identity_hash else None

    def _by_name(self, wanted: Wanted) -> Student:
        if not wanted.name:
            raise PupilError("nothing", _("The row names no pupil. Fill in the name or the identity number."))
        if wanted.school is None:
            text = _("Without an identity number the pupil is found by name and school. Fill in the school.")
            raise PupilError("school", text).at("school")
        namesakes = self.namesakes(wanted.name, wanted.school)
        place = wanted.place
        fitting = [item for item in namesakes if place is None or place.holds(item.school_class)]
        if len({item.student_id for item in fitting}) == 1:
            return fitting[0].student
        params = {"name": wanted.name, "school": wanted.school.name}
        if fitting:
            text = _("%(name)s: several pupils of this name fit. Add the class or the identity number.")
            raise PupilError("namesakes", text, params)
        if namesakes:
            classes = "、".join(sorted({_class_name(item, wanted.school_year) for item in namesakes}))
            text = _(
                "%(name)s is not in this class; a pupil of this name is in %(classes)s. Check the class."
            )
            raise PupilError("unknown", text, {**params, "classes": classes})
        raise PupilError(
            "unknown",
            _(
                "%(school)s has no pupil named %(name)s in this class. Check the name, or import the pupil first."
            ),
            params,
        )


def enrolments_of(user: User, students: Collection[int]) -> dict[int, list[Enrolment]]:
    """Where pupils are and were, the latest first, with school and class.

    Many pupils share a class: each school and class is read once, as `select_related` would not.
    """
    found = by_key(
        Enrolment.objects.visible_to(user).defer("created_at").order_by("-start_on", "-pk"),
        "student_id",
        students,
    )
    enrolments = [enrolment for group in found.values() for enrolment in group]
    schools = by_key(School.objects.all(), "pk", {item.school_id for item in enrolments})
    classes = by_key(SchoolClass.objects.all(), "pk", {item.school_class_id for item in enrolments})
    for enrolment in enrolments:
        enrolment.school = schools[enrolment.school_id][0]
        if enrolment.school_class_id is not None:
            enrolment.school_class = classes[enrolment.school_class_id][0]
    return found


def _class_name(enrolment: Enrolment, school_year: int) -> str:
    school_class = enrolment.school_class
    if school_class is None:
        return "—"
    return school_class.name_in(school_year) if school_year else str(school_class)


def other_name(student: Student, wanted: Wanted) -> Message:
    """Why a number with another name is refused: it is somebody else's, or one of the two is misspelt."""
    text = _("The number belongs to %(stored)s, not to %(name)s. Check which of the two is wrong.")
    return Message("other_name", text, {"stored": student.name, "name": wanted.name})


def _named_so(student: Student, wanted: Wanted) -> Student:
    """The pupil, when the row names it so."""
    if wanted.name and wanted.name != student.name:
        message = other_name(student, wanted)
        raise PupilError(message.code, message.text, message.params)
    return student
