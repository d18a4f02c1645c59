"""Under which name failed log-ins are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from povertyaid.lib import masks
from povertyaid.lib.crypto import lookup_hash

if TYPE_CHECKING:
    from django.http import HttpRequest

LONGEST = 150


def account_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """Return the typed account name; what looks like an identity number, account or mobile is kept only as a hash.

    People type into the wrong box, and what they type is stored with the failed attempt.
    """
    name = str((credentials or {}).get("username") or (request.POST.get("username") if request else "") or "")
    return name[:LONGEST] if masks.scrub(name) == name else f"#{lookup_hash('login', name)[:32]}"
