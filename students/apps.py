from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = _("Pupils")

    def ready(self) -> None:
        from povertyaid.schools import todo
        from students import linking, waiting

        linking.connect()
        todo.register(waiting.waiting)
