"""Conditions of payments that the filters and the home page share."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from aid.models import Payment

LONG_DAYS = 30


def waiting_long() -> Q:
    """Payments that wait for more than thirty days since they were entered."""
    return Q(state=Payment.State.WAITING, created_at__lt=timezone.now() - dt.timedelta(days=LONG_DAYS))
