"""What is to be done about recognition, told on the home page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import periods
from povertyaid.schools.todo import Todo
from students.conditions import enrolled_now, not_carried_on
from students.models import Student

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from povertyaid.schools.models import User


def waiting(user: User, day: dt.date) -> Iterator[Todo]:
    """Yield the pupils who were recognised last semester and are not yet in this one."""
    if user.has_perm("students.add_recognition"):
        lapsed = enrolled_now(user) & not_carried_on(user, periods.semester_of(day))
        yield Todo(
            label=_("Pupils recognised last semester, not yet this one"),
            count=Student.objects.visible_to(user).filter(lapsed).count(),
            url=reverse("admin:students_student_changelist") + "?enrolment=now&recognition=last",
            weight=50,
        )
