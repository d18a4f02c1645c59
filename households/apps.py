from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = _("Households and villages")

    def ready(self) -> None:
        from households import gaps
        from povertyaid.schools import todo

        todo.register(gaps.waiting)
