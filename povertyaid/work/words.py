"""How far a work is, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from povertyaid.work.services import Status


def sentence(status: Status) -> str:
    """What stands beside the progress bar."""
    if status.finished:
        return status.error or str(status.state_label)
    if status.cancel_requested:
        return _("Being stopped …")
    if status.waits_long and not status.ahead:
        return _(
            "Still waiting. If this lasts, tell the administrator that the background worker does not run."
        )
    if status.ahead:
        return _("Waiting; works that come first: %(count)d") % {"count": status.ahead}
    if not status.phase:
        return str(status.state_label)
    if status.total:
        return _("%(phase)s: %(done)d of %(total)d") % {
            "phase": status.phase,
            "done": status.done,
            "total": status.total,
        }
    return status.phase
