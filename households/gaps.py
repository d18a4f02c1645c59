"""What the records of households lack, told on the home page of who can mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from households.models import Household, Member, Relation
from povertyaid.schools.todo import Todo

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from povertyaid.schools.models import User


def without_head() -> Q:
    """Return the condition for households in which no living member is the head."""
    heads = Member.objects.filter(relation_to_head=Relation.HEAD, left_on__isnull=True)
    return ~Q(pk__in=heads.values("household"))


def waiting(user: User, day: dt.date) -> Iterator[Todo]:
    """Yield what is to be done about households."""
    del day
    if user.has_perm("households.change_household"):
        yield Todo(
            label=_("Households without a head"),
            count=Household.objects.visible_to(user).filter(without_head(), exited_on__isnull=True).count(),
            url=reverse("admin:households_household_changelist") + "?gap=head&exited_on__isempty=1",
            weight=20,
        )
