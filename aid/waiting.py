"""What is to be done about payments, told on the home page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from aid.conditions import waiting_long
from aid.models import Payment
from povertyaid.schools.todo import Todo

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from povertyaid.schools.models import User


def waiting(user: User, day: dt.date) -> Iterator[Todo]:
    """Yield the payments that came back and those that wait for long."""
    del day
    if not user.has_perm("aid.change_payment"):
        return
    payments = Payment.objects.visible_to(user)
    url = reverse("admin:aid_payment_changelist")
    yield Todo(
        label=_("Payments that the bank sent back"),
        count=payments.filter(state=Payment.State.BANK_RETURNED).count(),
        url=f"{url}?state__exact={Payment.State.BANK_RETURNED}",
        weight=70,
    )
    yield Todo(
        label=_("Payments that wait for more than 30 days"),
        count=payments.filter(waiting_long()).count(),
        url=f"{url}?waiting=long",
        weight=65,
    )
