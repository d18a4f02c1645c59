"""The one way into the records of a model, for code that does not know the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db import models

    from povertyaid.schools.models import User


def visible(model: type[models.Model], user: User | AnonymousUser | Any) -> models.QuerySet[Any]:
    """Return the records of `model` that `user` may know of; ImproperlyConfigured when the model has no scope."""
    manager = model._default_manager
    if not hasattr(manager, "visible_to"):
        msg = f"{model._meta.label} has no visible_to: it cannot stand on a page."
        raise ImproperlyConfigured(msg)
    return cast("models.QuerySet[Any]", manager.visible_to(user))
