"""What the undo of an import must leave: payments of a disbursement that was closed or voided since."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from aid.models import Disbursement, Payment
from aid.paylist import OPEN
from povertyaid.imports.undo_items import guard
from povertyaid.lib.messages import Message


@guard(Payment)
def of_a_closed_disbursement(keys: list[int]) -> dict[int, Message]:
    """Payments are imported into open disbursements only; in one that is open no more they are part of its papers."""
    text = _("Its disbursement “%(disbursement)s” is “%(state)s” now.")
    found = Payment.objects.filter(pk__in=keys).exclude(
        disbursement__state__in=[*OPEN, Disbursement.State.DRAFT]
    )
    return {
        payment.pk: Message(
            "closed",
            text,
            {"disbursement": payment.disbursement, "state": payment.disbursement.get_state_display()},
        )
        for payment in found.select_related("disbursement__programme", "disbursement__school")
    }
