"""Old works and entries of the queue are deleted by the daily command."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import ngettext
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from povertyaid.work import fence
from povertyaid.work.daily import register_daily

# What a work wrote stays in the history and in the batches; the work itself is of no use any more.
KEPT_DAYS = 90


def prune() -> str:
    """Delete works that ended more than 90 days ago and entries of the queue as old; say how many works."""
    moment = timezone.now() - timedelta(days=KEPT_DAYS)
    # Entries of workers that were killed stay "running" for ever, so that the age decides, not the state.
    old = DBTaskResult.objects.exclude(status=TaskResultStatus.READY).filter(enqueued_at__lt=moment)
    entries = old.delete()[0]
    works = fence.remove_ended_before(moment)
    if not works + entries:
        return ""
    text = ngettext(
        "%(count)d old background work was deleted.", "%(count)d old background works were deleted.", works
    )
    return text % {"count": works}


register_daily("work.prune", prune)
