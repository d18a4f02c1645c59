from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkConfig(AppConfig):
    name = "povertyaid.work"
    label = "work"
    verbose_name = _("Background works")

    def ready(self) -> None:
        """Declare what this app itself does each day."""
        import povertyaid.work.pruning  # noqa: F401
