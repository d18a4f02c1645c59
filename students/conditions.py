"""Which pupils are enrolled, recognised, paired: conditions that filters, lists of gaps and the home page share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from povertyaid.lib import periods
from povertyaid.schools.admin_base.presets import own_schools
from students.models import Enrolment, Recognition, Student

if TYPE_CHECKING:
    from povertyaid.lib.periods import Semester


def enrolled_now(user: Any) -> Q:
    """Pupils who are enrolled at present in a school or class of the account."""
    live = Enrolment.objects.visible_to(user).filter(state=Enrolment.State.ENROLLED)
    return Q(pk__in=live.order_by().values("student"))


def enrolled_in_own_schools(user: Any) -> Q:
    """Pupils who are enrolled at present in a school that the account answers for."""
    live = Enrolment.objects.filter(
        state=Enrolment.State.ENROLLED, school__in=own_schools(user).order_by().values("pk")
    )
    return Q(pk__in=live.order_by().values("student"))


def recognised(user: Any, semester: Semester, **conditions: Any) -> Q:
    """Pupils whose recognition is in force in a semester."""
    found = Recognition.objects.visible_to(user).filter(
        semester=semester, state__in=Recognition.IN_FORCE, **conditions
    )
    return Q(pk__in=found.order_by().values("student"))


def not_carried_on(user: Any, semester: Semester) -> Q:
    """Pupils recognised in the semester before and not (in any state) in this one."""
    before = periods.shift_semester(semester, -1)
    entered = Recognition.objects.visible_to(user).filter(semester=semester).order_by().values("student")
    return recognised(user, before) & ~Q(pk__in=entered)


def paired() -> Q:
    """Pupils with a live pairing (pairings stand above this app and are named by look-up)."""
    return Q(pk__in=Student.objects.filter(pairings__state="active").order_by().values("pk"))
