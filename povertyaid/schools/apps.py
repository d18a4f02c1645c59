from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SchoolsConfig(AppConfig):
    name = "povertyaid.schools"
    label = "schools"
    verbose_name = _("Schools and accounts")

    def ready(self) -> None:
        from povertyaid.schools import permissions

        post_migrate.connect(permissions.after_migrate, dispatch_uid="sync-roles")
