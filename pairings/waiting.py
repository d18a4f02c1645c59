"""What is to be done about pairings, told on the home page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pairings.conditions import contacted_this_semester
from pairings.models import Pairing
from povertyaid.lib import periods
from povertyaid.schools.scope import scope_of
from povertyaid.schools.todo import Todo
from students.conditions import enrolled_now, paired, recognised
from students.models import Student

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from povertyaid.schools.models import User


def waiting(user: User, day: dt.date) -> Iterator[Todo]:
    """Yield the pupils whom nobody helps yet, and the helper's own pairings without a contact."""
    if user.has_perm("pairings.add_pairing"):
        alone = enrolled_now(user) & recognised(user, periods.semester_of(day)) & ~paired()
        yield Todo(
            label=_("Recognised pupils without a helper"),
            count=Student.objects.visible_to(user).filter(alone).count(),
            url=reverse("admin:students_student_changelist") + "?enrolment=now&recognition=now&pairing=no",
            weight=40,
        )
    staff = scope_of(user).staff_id
    if staff is not None and user.has_perm("pairings.add_contact"):
        mine = Pairing.objects.visible_to(user).filter(helper=staff, state=Pairing.State.ACTIVE)
        yield Todo(
            label=_("My caseload: no contact yet this semester"),
            count=mine.filter(~contacted_this_semester(day)).count(),
            url=reverse("admin:pairings_pairing_changelist") + "?mine=yes&state__exact=active&contact=none",
            weight=60,
        )
