"""Conditions of pairings that the filters and the home page share."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from pairings.models import Contact
from povertyaid.lib import periods


def contacted_this_semester(day: dt.date) -> Q:
    """Pairings with a contact in the semester of `day`."""
    first, last = periods.semester_dates(periods.semester_of(day))
    return Q(pk__in=Contact.objects.filter(date__range=(first, last)).order_by().values("pairing"))
