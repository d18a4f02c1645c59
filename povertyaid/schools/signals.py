"""What the foundation tells the layers above it, which it may not import."""

from __future__ import annotations

from django.dispatch import Signal

# Somebody read, revealed or exported something. Arguments: action (a value of AccessLog.Action), user, and either
# record or model (its label); detail (a dict for the log) and reason are optional. `povertyaid.audit` writes the log.
accessed = Signal()
