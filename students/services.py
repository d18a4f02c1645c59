"""Writes of pupils that span rows or models: moves of a whole class, recognition carried on to a new semester."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from povertyaid.audit.services import Link, Update, bulk_write
from povertyaid.lib import periods
from povertyaid.schools.admin_base.rights import scope_for
from povertyaid.schools.models import SchoolClass, User
from students.models import Enrolment, Recognition, Student, WrongRecognitionMoveError

ENDED_STATES = (Enrolment.State.GRADUATED, Enrolment.State.TRANSFERRED, Enrolment.State.LEFT)


@dataclass(frozen=True)
class Outcome:
    """How many records a bulk action wrote, and how many it left as they were."""

    done: int
    left: int


@dataclass(frozen=True)
class CarriedOn:
    """What came of recognising pupils again; every pupil is counted under exactly one of these."""

    done: int
    already: int
    without_previous: int
    not_enrolled: int


def current_semester(day: dt.date | None = None) -> periods.Semester:
    """Return the semester in which a day (today) lies."""
    return periods.semester_of(day or timezone.localdate())


def live_enrolments(
    students: Iterable[Student], user: User, *, may: tuple[str, str] = ("students.enrolment", "change")
) -> list[Enrolment]:
    """Return the pupils' present enrolments in the schools where a role of `user` may do what `may` says.

    A pupil who moved on is still seen by the old school; its enrolment elsewhere is not the old school's to change.
    """
    enrolments = Enrolment.objects.visible_to(user).filter(
        student__in=[student.pk for student in students], state=Enrolment.State.ENROLLED
    )
    scope = scope_for(user, *may)
    if not scope.everything:
        enrolments = enrolments.filter(school__in=scope.schools)
    return list(enrolments.select_related("school", "school_class"))


def end_enrolments(*, students: Iterable[Student], state: str, end_on: dt.date, actor: User) -> Outcome:
    """End the present enrolments of pupils as graduated, transferred or left.

    Raises ValueError for another state. Pupils without a present enrolment here, or whose enrolment began after
    `end_on`, are left as they are and counted.
    """
    if state not in ENDED_STATES:
        msg = f"An enrolment does not end as {state}."
        raise ValueError(msg)
    students = list(students)
    ending = [
        enrolment
        for enrolment in live_enrolments(students, actor)
        if enrolment.start_on is None or enrolment.start_on <= end_on
    ]
    bulk_write(
        update=[Update(enrolment, {"state": state, "end_on": end_on}) for enrolment in ending], actor=actor
    )
    return Outcome(len(ending), len(students) - len(ending))


def set_class(*, students: Iterable[Student], school_class: SchoolClass, actor: User) -> Outcome:
    """Put pupils who are enrolled in the class's school into the class; the others are left and counted."""
    students = list(students)
    moving = [
        enrolment
        for enrolment in live_enrolments(students, actor)
        if enrolment.school_id == school_class.school_id
    ]
    bulk_write(
        update=[Update(enrolment, {"school_class": school_class}) for enrolment in moving], actor=actor
    )
    return Outcome(len(moving), len(students) - len(moving))


@transaction.atomic
def recognise_again(*, students: Iterable[Student], semester: periods.Semester, actor: User) -> CarriedOn:
    """Carry the recognition of the semester before on to `semester`: same level, groups and group for statistics.

    School and class are those of the present enrolment. Nobody is recognised twice in a semester.
    """
    students = list(students)
    before = periods.shift_semester(semester, -1)
    numbers = [student.pk for student in students]
    here = live_enrolments(students, actor, may=("students.recognition", "add"))
    enrolments = {enrolment.student_id: enrolment for enrolment in here}
    # Every recognition counts here, also one of a school that the user may not see: once a semester is once.
    already = set(
        Recognition.objects.filter(student__in=numbers, semester=semester).values_list("student", flat=True)
    )
    previous = {
        recognition.student_id: recognition
        for recognition in Recognition.objects.visible_to(actor)
        .filter(student__in=numbers, semester=before, state__in=Recognition.IN_FORCE)
        .prefetch_related("special_groups")
    }
    created: list[Recognition] = []
    not_enrolled = without_previous = 0
    for student in students:
        if student.pk in already:
            continue
        old, enrolment = previous.get(student.pk), enrolments.get(student.pk)
        if enrolment is None:
            not_enrolled += 1
        elif old is None:
            without_previous += 1
        else:
            created.append(
                Recognition(
                    student_id=student.pk,
                    school=enrolment.school,
                    school_class=enrolment.school_class,
                    semester=semester,
                    level=old.level,
                    primary_group_id=old.primary_group_id,
                )
            )
    links = [
        Link(item, "special_groups", list(previous[item.student_id].special_groups.all())) for item in created
    ]
    bulk_write(create=created, links=links, actor=actor)
    return CarriedOn(len(created), len(already), without_previous, not_enrolled)


@transaction.atomic
def move_recognitions(*, recognitions: Iterable[Recognition], state: str) -> Outcome:
    """Move those recognitions whose life cycle leads to `state`; the others are left and counted."""
    done = left = 0
    for recognition in recognitions:
        try:
            recognition.move(state)
        except WrongRecognitionMoveError:
            left += 1
        else:
            done += 1
    return Outcome(done, left)
