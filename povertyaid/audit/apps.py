from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "povertyaid.audit"
    label = "audit"
    verbose_name = _("History and access")

    def ready(self) -> None:
        from povertyaid.audit import recorder, signals

        del signals  # its receivers connect themselves

        recorder.connect()
