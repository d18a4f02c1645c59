from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PairingsConfig(AppConfig):
    name = "pairings"
    verbose_name = _("Pairing and contacts")

    def ready(self) -> None:
        from pairings import waiting
        from povertyaid.schools import todo

        todo.register(waiting.waiting)
