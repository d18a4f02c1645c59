"""What lists for return say of pupils and recognitions: the words that the importer reads back, sensitive values masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from households.words import RELATIONS, word
from povertyaid.imports.resources import by_key
from povertyaid.lib import periods
from povertyaid.lib.masks import mask_phone
from students import words
from students.models import Enrolment, Recognition, Student
from students.pupilbook import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from povertyaid.schools.models import School, SchoolClass, User


def masked(value: object) -> str:
    """An encrypted value as it is shown; the empty text for none."""
    return str(value) if value else ""


def semester_in(period: str | None) -> str:
    """The semester that a list for return is about: the last one of its period, else today's."""
    if period:
        return periods.Period.parse(period).last_semester
    return periods.semester_of(timezone.localdate())


def class_text(school_class: SchoolClass | None, school_year: int) -> str:
    """A class as the importer reads it; the empty text for one that has left or has not begun."""
    if school_class is None:
        return ""
    grade = school_class.grade_in(school_year)
    return school_class.name_in(school_year) if 1 <= grade <= periods.last_grade(school_class.stage) else ""


def live_enrolments(user: User, students: Iterable[int]) -> dict[int, Enrolment]:
    """Where pupils are enrolled, as far as the account may know, by pupil."""
    found = Enrolment.objects.visible_to(user).filter(state__in=LIVE).select_related("school", "school_class")
    return {
        pk: known[0] for pk, known in by_key(found.order_by("state", "-pk"), "student_id", students).items()
    }


def recognition_words(recognition: Recognition) -> dict[str, str]:
    """Level and groups; the group for statistics first, since it is the first that counts."""
    groups = sorted(
        recognition.special_groups.all(),
        key=lambda group: (group.pk != recognition.primary_group_id, group.position, group.pk),
    )
    return {
        "level": word(words.LEVELS, recognition.level),
        "groups": "、".join(group.name for group in groups),
    }


def present_students(records: Sequence[Student], user: User, period: str | None) -> list[dict[str, str]]:
    """Pupils with class, and with level and groups of the semester where they are recognised in it."""
    semester = semester_in(period)
    year = periods.split_semester(semester)[0]
    pks = [student.pk for student in records]
    enrolments = live_enrolments(user, pks)
    recognitions = by_key(
        Recognition.objects.visible_to(user)
        .filter(semester=semester, state__in=Recognition.IN_FORCE)
        .select_related("primary_group")
        .prefetch_related("special_groups"),
        "student_id",
        pks,
    )
    told = []
    for student in records:
        enrolment = enrolments.get(student.pk)
        recognised = recognitions.get(student.pk)
        told.append(
            {
                "school": enrolment.school.name if enrolment is not None else "",
                "semester": periods.semester_label(semester),
                "name": student.name,
                "sex": words.SEX.get(student.sex, ""),
                "identity": masked(student.identity),
                "pupil_number": masked(student.pupil_number),
                "grade": "",
                "school_class": class_text(enrolment.school_class, year) if enrolment is not None else "",
                "boarding": words.BOARDING.get(student.boarding, ""),
                "head_name": student.head_name,
                "relation": word(RELATIONS, student.relation_to_head),
                "phone": mask_phone(student.phone),
                "groups": "",
                "level": "",
                "left_behind": _LEFT_BEHIND.get(student.left_behind, ""),
                "ethnic_group": student.ethnic_group,
                "birth_date": str(student.birth_date or ""),
                "entered": str(enrolment.start_on or "") if enrolment is not None else "",
                "guardian_name": student.guardian_name,
                "guardian_relation": student.guardian_relation,
                "address": student.address,
                "note": student.note,
            }
            | (recognition_words(recognised[0]) if recognised else {})
        )
    return told


_LEFT_BEHIND = {"none": "非留守", "one_parent": "单亲留守", "both_parents": "双亲留守"}


def present_recognitions(records: Sequence[Recognition], user: User) -> list[dict[str, str]]:
    """Recognitions with the class in which the pupil is enrolled."""
    students = {
        pk: known[0]
        for pk, known in by_key(
            Student.objects.visible_to(user), "pk", (item.student_id for item in records)
        ).items()
    }
    rest = (
        Recognition.objects.visible_to(user)
        .select_related("school", "primary_group")
        .prefetch_related("special_groups")
    )
    full = {pk: known[0] for pk, known in by_key(rest, "pk", (item.pk for item in records)).items()}
    enrolments = _enrolments_at(user, full.values())
    told = []
    for record in records:
        item, student = full[record.pk], students[record.student_id]
        year = periods.split_semester(item.semester)[0]
        enrolment = enrolments.get((item.student_id, item.school_id))
        told.append(
            {
                "school": item.school.name,
                "semester": periods.semester_label(item.semester),
                "name": student.name,
                "identity": masked(student.identity),
                "pupil_number": masked(student.pupil_number),
                "grade": "",
                "school_class": class_text(enrolment.school_class, year) if enrolment is not None else "",
                "primary": item.primary_group.name if item.primary_group is not None else "",
                "state": word(words.STATES, item.state),
                **recognition_words(item),
            }
        )
    return told


def _enrolments_at(user: User, records: Iterable[Recognition]) -> dict[tuple[int, int], Enrolment]:
    """The enrolments of pupils by pupil and school, a live one before an ended one."""
    enrolments = Enrolment.objects.visible_to(user).select_related("school_class").order_by("start_on", "pk")
    found: dict[tuple[int, int], Enrolment] = {}
    for known in by_key(enrolments, "student_id", (item.student_id for item in records)).values():
        for enrolment in sorted(known, key=lambda item: item.state in LIVE):
            found[enrolment.student_id, enrolment.school_id] = enrolment
    return found


def listed_students(user: User, school: School | None) -> QuerySet[Student]:
    """The pupils who are enrolled, of one school or of all within the scope, by class and name."""
    enrolled = Enrolment.objects.visible_to(user).filter(state__in=LIVE)
    if school is not None:
        enrolled = enrolled.filter(school=school)
    return (
        Student.objects.visible_to(user).filter(pk__in=enrolled.values("student")).order_by("name_key", "pk")
    )


def listed_recognitions(user: User, school: School | None, period: str) -> QuerySet[Recognition]:
    """The recognitions of the semester of a period."""
    found = Recognition.objects.visible_to(user).filter(semester=semester_in(period))
    found = found.filter(school=school) if school is not None else found
    order: tuple[Any, ...] = ("school", "student__name_key", "pk")
    return found.order_by(*order)
