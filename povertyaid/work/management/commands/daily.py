"""`manage.py daily`: what is due each day; safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from povertyaid.audit.actor import acting_as, system_user
from povertyaid.work.daily import run_daily


class Command(BaseCommand):
    help = "Do what is due each day (old files, old works …). Running it again the same day does nothing new."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all jobs; tell what each did; fail at the end when one failed."""
        failed = []
        with acting_as(system_user()):
            for outcome in run_daily():
                if outcome.failed:
                    failed.append(outcome.name)
                    self.stderr.write(f"{outcome.name}: {outcome.told}")
                else:
                    self.stdout.write(f"{outcome.name}: {outcome.told or _('nothing was due')}")
        if failed:
            raise CommandError(_("These daily jobs failed: %(names)s") % {"names": ", ".join(failed)})
