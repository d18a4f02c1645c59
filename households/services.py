"""Writes of households that span models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from households.models import Assignment, Household

if TYPE_CHECKING:
    from povertyaid.schools.models import School


def assign(*, household: Household, school: School) -> bool:
    """Let a school help a household, and so see it; say whether it was not assigned before.

    Who enters a household assigns it to the own school (DESIGN §3): otherwise it would vanish from the own list.
    """
    _assignment, made = Assignment.objects.get_or_create(
        household=household, school=school, defaults={"start_on": timezone.localdate()}
    )
    return made
