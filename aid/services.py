"""Which standard is in force, and moves of many payments at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from aid.models import Payment, Programme, Standard
from aid.reference import AVERAGE
from povertyaid.audit.services import Update, bulk_write
from povertyaid.lib.periods import Semester
from povertyaid.schools.models import County, User


@dataclass(frozen=True)
class Outcome:
    """How many payments an action moved, and how many it left as they were."""

    done: int
    left: int


def may_change_national() -> bool:
    """Say whether national programmes may be changed here: only where no other county shares them."""
    return County.objects.count() == 1


def standard_in_force(
    *, programme: Programme, stage: str, semester: Semester, tier: str = "", user: User
) -> Standard | None:
    """Return the standard of a programme for a stage in a semester, or None where nothing is laid down.

    A standard without a stage holds for every stage. Without a tier the highest tier is the one that nobody may pass.
    """
    standards = Standard.objects.visible_to(user).filter(
        Q(valid_to="") | Q(valid_to__gte=semester),
        programme=programme,
        valid_from__lte=semester,
        stage__in=("", stage),
    )
    # An average is no ceiling: tiers around it are the county's own.
    standards = standards.filter(tier=tier) if tier else standards.exclude(tier=AVERAGE)
    return standards.order_by("-amount").first()


@transaction.atomic
def move_payments(*, payments: Iterable[Payment], state: str, day: dt.date, actor: User) -> Outcome:
    """Move those payments whose life cycle (Payment.MOVES) leads to `state`; the others are left and counted.

    What arrives (已到账, 已补发) takes `day` as the day of payment and, where no amount was entered, the amount due.
    Written in bulk, all or nothing: a disbursement has some four hundred payments.
    """
    # Read again under lock: a confirmation that is sent twice must not move a payment twice.
    chosen = [payment.pk for payment in payments]
    payments = list(
        Payment.objects.visible_to(actor).filter(pk__in=chosen).order_by("pk").select_for_update(of=("self",))
    )
    moving = [payment for payment in payments if state in Payment.MOVES[payment.state]]
    updates = []
    for payment in moving:
        values: dict[str, Any] = {"state": state}
        if state in {Payment.State.ARRIVED, Payment.State.REISSUED}:
            values["paid_on"] = day
        if state in Payment.COUNTED and payment.paid is None:
            values["paid"] = payment.due
        updates.append(Update(payment, values))
    bulk_write(update=updates, actor=actor)
    return Outcome(len(moving), len(chosen) - len(moving))
