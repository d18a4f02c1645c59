"""`setup_demo`: fill a new database with the invented county and print its accounts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from povertyaid.audit.actor import acting_as, system_user
from povertyaid.schools.models import County, School, User
from reports import demo
from reports.demo.accounts import PASSWORD, table
from reports.demo.places import BUREAU, COUNTY


class Command(BaseCommand):
    """Only for a new database, never for production; a second run prints the accounts and changes nothing."""

    help = "Fill a new database with an invented county and print its demo accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(_("A production server has no demo county and no demo accounts."))
        if County.objects.exists() or School.objects.exists():
            self.stdout.write(_("The database holds a county already; nothing was changed."))
        else:
            self.stdout.write(_("Inventing the demo county (about half a minute) …"))
            with transaction.atomic():
                call_command("init_county", COUNTY, bureau=BUREAU, stdout=self.stdout)
                actor = system_user()
                with acting_as(actor, reason=demo.REASON):
                    demo.build(County.objects.get(name=COUNTY), timezone.localdate(), actor)
        self._print_accounts()

    def _print_accounts(self) -> None:
        rows = table(list(User.objects.filter(is_demo=True)))
        if not rows:
            return
        self.stdout.write("")
        self.stdout.write(_("Demo accounts, all with the password %(password)s:") % {"password": PASSWORD})
        for username, role, place in rows:
            self.stdout.write(f"  {username:<10} {role} · {place}")
        self.stdout.write("")
