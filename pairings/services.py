"""Writes of pairings that span rows: endings and handovers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from pairings.models import Pairing
from povertyaid.schools.models import Staff


@dataclass(frozen=True)
class Outcome:
    """How many pairings an action changed, and how many it left as they were."""

    done: int
    left: int


class HandoverRefusedError(ValidationError):
    """A handover that cannot be: same helper, another school, a helper who left, a day before the beginning."""


@transaction.atomic
def end_pairings(*, pairings: Iterable[Pairing], reason: str, end_on: dt.date) -> Outcome:
    """End live pairings on a day for a reason; ended ones and those that began later are left and counted."""
    done = left = 0
    for pairing in pairings:
        if pairing.state == Pairing.State.ENDED or pairing.start_on > end_on:
            left += 1
            continue
        pairing.end_on = end_on
        pairing.end_reason = reason
        pairing.move(Pairing.State.ENDED)
        done += 1
    return Outcome(done, left)


@transaction.atomic
def hand_over(*, pairing: Pairing, helper: Staff, on: dt.date) -> Pairing:
    """End a pairing and begin one of another helper with the same pupil or household; return the new one.

    Both or neither: HandoverRefusedError says why it cannot be, and nothing is changed. The measures go along.
    """
    _check_handover(pairing, helper, on)
    target = {"student": pairing.student} if pairing.student_id else {"household": pairing.household}
    pairing.end_on = on
    pairing.end_reason = Pairing.EndReason.MOVED
    if Pairing.State.HANDOVER in Pairing.MOVES[pairing.state]:
        pairing.state = Pairing.State.HANDOVER
    pairing.move(Pairing.State.ENDED)
    successor = Pairing(
        helper=helper,
        county=pairing.county,
        school=helper.school if pairing.school_id else None,
        start_on=on,
        measures=pairing.measures,
        **target,
    )
    # A helper who helps this pupil already: the constraint says it in a person's words.
    successor.full_clean()
    successor.save()
    return successor


def _check_handover(pairing: Pairing, helper: Staff, on: dt.date) -> None:
    """Raise HandoverRefusedError when `helper` cannot take over on that day."""
    name = {"helper": helper.name, "pairing": str(pairing)}
    if pairing.state == Pairing.State.ENDED:
        raise HandoverRefusedError(
            _("“%(pairing)s” has ended and cannot be handed over.") % name, code="ended"
        )
    if helper.pk == pairing.helper_id:
        raise HandoverRefusedError(
            _("%(helper)s is the helper already; choose another one.") % name, code="same"
        )
    if pairing.school_id and helper.school_id != pairing.school_id:
        raise HandoverRefusedError(_("%(helper)s works at another school.") % name, code="school")
    if helper.left_on and helper.left_on <= on:
        raise HandoverRefusedError(_("%(helper)s has left by that day.") % name, code="left")
    if on < pairing.start_on:
        raise HandoverRefusedError(
            _("“%(pairing)s” began after that day; choose a later day.") % name, code="date"
        )
