from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    name = "povertyaid.imports"
    label = "imports"
    verbose_name = _("Imports")

    def ready(self) -> None:
        """Find the kinds: every app declares its own in `resources.py`."""
        # Schools lie below imports, so that their kinds are declared here.
        import povertyaid.imports.school_resources  # noqa: F401
        from povertyaid.imports import jobs, retention
        from povertyaid.work.daily import register_daily

        # What an app says about taking back its records stands in `undoing.py`.
        autodiscover_modules("resources", "undoing")
        jobs.register()
        register_daily("imports.erase_old_files", retention.delete_old_files)
