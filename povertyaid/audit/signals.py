"""Writes the log of access: log-ins, and what the layers below report (reads, exports, reveals)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from povertyaid.audit import services
from povertyaid.audit.models import AccessLog
from povertyaid.lib import masks
from povertyaid.schools.models import User
from povertyaid.schools.signals import accessed

NAME_LENGTH = 60


@receiver(accessed, dispatch_uid="log-access")
def log_access(action: str, user: Any, **details: Any) -> None:
    """Log what another layer reports."""
    services.log_access(
        AccessLog.Action(action),
        user=user if isinstance(user, User) else None,
        record=details.get("record"),
        model=details.get("model", ""),
        detail=details.get("detail"),
        reason=details.get("reason", ""),
    )


@receiver(user_logged_in, dispatch_uid="log-in")
def logged_in(user: Any, **_kwargs: Any) -> None:
    """Log a log-in."""
    services.log_access(AccessLog.Action.LOGIN, user=user)


@receiver(user_logged_out, dispatch_uid="log-out")
def logged_out(user: Any, **_kwargs: Any) -> None:
    """Log a log-out; nobody was logged in when a session had ended already."""
    if user is not None:
        services.log_access(AccessLog.Action.LOGOUT, user=user)


@receiver(user_login_failed, dispatch_uid="log-in-failed")
def login_failed(credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Log a failed log-in under the account if there is one; the typed name loses every number that it may hold."""
    name = str(credentials.get("username") or "")
    # The account is looked up to say whose log-in failed; nothing of it is shown to whoever typed.
    account = User.objects.filter(username=name).first()
    services.log_access(
        AccessLog.Action.LOGIN_FAILED, user=account, detail={"name": masks.scrub(name)[:NAME_LENGTH]}
    )
