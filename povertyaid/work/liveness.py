"""Is a running work still being done?"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from povertyaid.work import processes
from povertyaid.work.channels import channel
from povertyaid.work.models import Work

# A sign of life comes every two seconds. Where the process cannot be looked at (another machine), this long without
# one means that it is gone.
SILENCE = timedelta(seconds=30)
# A living process that has been silent for so long does this work no more: it could not write down the end.
LONG_SILENCE = timedelta(hours=1)


def is_lost(work: Work) -> bool:
    """Say whether nobody does this running work any more; `work` is fresh from the database."""
    if work.state != Work.State.RUNNING:
        return False
    last = channel().read(work).at or work.heartbeat_at or work.created_at
    silent_for = timezone.now() - last
    alive = processes.is_alive(processes.ProcessId(work.host, work.pid or 0, work.process_start))
    if alive is None:
        return silent_for > SILENCE
    return not alive or silent_for > LONG_SILENCE
