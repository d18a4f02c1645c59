from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SchoolsConfig(AppConfig):
    name = "povertyaid.schools"
    label = "schools"
    verbose_name = _("Schools and accounts")
