"""Who acts now: set by the middleware for a request, by commands for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

from povertyaid.schools.models import User

SYSTEM_USERNAME = "system"


@dataclass(frozen=True)
class Acting:
    """The account that acts, the import batch it acts for, and why."""

    user: User | None = None
    batch_id: int | None = None
    reason: str = ""


_acting: ContextVar[Acting] = ContextVar("acting", default=Acting())  # noqa: B039 - frozen


def acting() -> Acting:
    """Return who acts now."""
    return _acting.get()


@contextmanager
def acting_as(user: User | None, *, batch_id: int | None = None, reason: str = "") -> Iterator[None]:
    """Name the account that the history records for all that is written inside."""
    token = _acting.set(
        Acting(user if user is not None and user.is_authenticated else None, batch_id, reason)
    )
    try:
        yield
    finally:
        _acting.reset(token)


def system_user() -> User:
    """Return the account under which the command line acts; made when it is missing; it cannot log in."""
    user, made = User.objects.get_or_create(
        username=SYSTEM_USERNAME, defaults={"is_system": True, "is_active": False, "password": "!"}
    )
    if not made and not user.is_system:
        msg = "The account name 'system' is taken by a person; rename that account."
        raise RuntimeError(msg)
    return cast(User, user)
