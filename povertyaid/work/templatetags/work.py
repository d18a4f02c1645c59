"""`{% load work %}`: the progress of a background work on any page.

In the head: {% work_head work %}; in the body: {% work_progress work %}. Both show nothing without a work that waits
or runs, so that the page that includes them needs no condition. The page must stand under an address that can be looked
at again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from povertyaid.work import services
from povertyaid.work.words import sentence

if TYPE_CHECKING:
    from povertyaid.work.models import Work

register = template.Library()


@register.inclusion_tag("work/head.html")
def work_head(work: Work | None) -> dict[str, Any]:
    """The script that looks again, and a refresh for browsers without scripts."""
    return {"live": work is not None and work.is_live}


@register.inclusion_tag("work/progress.html", takes_context=True)
def work_progress(context: dict[str, Any], work: Work | None) -> dict[str, Any]:
    """The bar, what is being done, and the button that stops it."""
    request = context["request"]
    if work is None or not work.is_live:
        return {"status": None}
    status = services.status(work)
    return {
        "work": work,
        "status": status,
        "text": sentence(status),
        "may_cancel": services.may_cancel(work, request.user) and not status.cancel_requested,
        "here": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }
