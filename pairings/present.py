"""What lists for return say of pairings with pupils, in the words that the importer reads back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from pairings.models import Pairing
from povertyaid.imports.resources import by_key
from povertyaid.lib import periods
from povertyaid.lib.cells import PartialDate
from povertyaid.lib.masks import mask_phone
from students.present import class_text, live_enrolments, masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.schools.models import School, User


def present_pairings(records: Sequence[Pairing], user: User, period: str | None) -> list[dict[str, str]]:
    """Pairings with the pupil's class, as it is called in the period; without a period classes are left out."""
    year = periods.Period.parse(period).school_year if period else None
    rest = Pairing.objects.visible_to(user).select_related("helper", "student", "school")
    full = {pk: found[0] for pk, found in by_key(rest, "pk", (item.pk for item in records)).items()}
    enrolments = live_enrolments(user, {item.student_id for item in full.values() if item.student_id})
    told = []
    for record in records:
        item = full[record.pk]
        student = item.student
        enrolment = enrolments.get(item.student_id or 0)
        school_class = enrolment.school_class if enrolment is not None else None
        begun = PartialDate(item.start_on, item.start_precision)
        told.append(
            {
                "school": item.school.name if item.school is not None else "",
                "helper": item.helper.name,
                "post": item.helper.post,
                "phone": mask_phone(item.helper.phone),
                "students": student.name if student is not None else "",
                "grade": "",
                "school_class": class_text(school_class, year) if year is not None else "",
                "identity": masked(student.identity) if student is not None else "",
                "pupil_number": masked(student.pupil_number) if student is not None else "",
                "start": str(begun),
                "measures": item.measures,
            }
        )
    return told


def listed_pairings(user: User, school: School | None) -> QuerySet[Pairing]:
    """The pairings with pupils that have not ended, by helper."""
    found = Pairing.objects.visible_to(user).filter(student__isnull=False).exclude(state=Pairing.State.ENDED)
    found = found.filter(school=school) if school is not None else found
    return found.order_by("school", "helper__name_key", "helper", "pk")
