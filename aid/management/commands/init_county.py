"""`init_county NAME`: an empty county with its roles, dictionaries and standards."""

from __future__ import annotations

import secrets
import string
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from aid.models import Programme, Standard
from aid.reference import PROGRAMMES
from povertyaid.audit.actor import acting_as, system_user
from povertyaid.schools import permissions
from povertyaid.schools.models import County, RoleGrant, User
from povertyaid.schools.roles import Role
from students.models import SpecialGroup
from students.reference import SPECIAL_GROUPS

LONGEST = 60


class Command(BaseCommand):
    """Make what every office needs before its first record; what exists already is told and left as it is."""

    help = "Make an empty county: the bureau, the roles, the special hardship groups, the national programmes and standards."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the county, for example 云岭县")
        parser.add_argument(
            "--bureau", default="", help="name of the bureau (else the county's name and 教育局)"
        )
        parser.add_argument("--admin", default="", help="make an account for the county's administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        name, admin = options["name"].strip(), options["admin"].strip()
        if not name or len(name) > LONGEST:
            raise CommandError(
                _("The name of the county has 1 to %(longest)d characters.") % {"longest": LONGEST}
            )
        bureau = options["bureau"].strip() or f"{name}教育局"
        with transaction.atomic(), acting_as(system_user()):
            permissions.synchronise(write=True)
            county = self._county(name, bureau)
            self._groups()
            self._programmes()
            if admin:
                self._admin(admin, county)

    def _county(self, name: str, bureau: str) -> County:
        county = County.objects.filter(name=name).first()
        if county is not None:
            self._say(_("%(name)s exists already and stays as it is.") % {"name": name})
            return county
        county = County(name=name, bureau_name=bureau)
        county.save()
        self._say(_("%(name)s (%(bureau)s) was made.") % {"name": name, "bureau": bureau})
        return county

    def _groups(self) -> None:
        known = set(SpecialGroup.objects.values_list("code", flat=True))
        missing = [group for group in SPECIAL_GROUPS if group.code not in known]
        for group in missing:
            SpecialGroup(
                code=group.code,
                name=group.name,
                synonyms=group.synonyms,
                position=(SPECIAL_GROUPS.index(group) + 1) * 10,
            ).save()
        self._told(_("special hardship groups"), len(missing), len(SPECIAL_GROUPS) - len(missing))

    def _programmes(self) -> None:
        """Enter the programmes that are missing, each with its standards; people may have changed the others."""
        known = set(Programme.objects.values_list("code", flat=True))
        made = amounts = 0
        for position, rule in enumerate(PROGRAMMES, start=1):
            if rule.code in known:
                continue
            programme = Programme(
                code=rule.code,
                name=rule.name,
                synonyms=rule.synonyms,
                level=rule.level,
                source=rule.source,
                form=rule.form,
                boarding=rule.boarding,
                valid_from=rule.valid_from,
                position=position * 10,
            )
            programme.save()
            made += 1
            for amount in rule.amounts:
                Standard(
                    programme=programme,
                    stage=amount.stage,
                    tier=amount.tier,
                    amount=amount.amount,
                    valid_from=amount.valid_from,
                    valid_to=amount.valid_to,
                ).save()
            amounts += len(rule.amounts)
        self._told(_("programmes"), made, len(PROGRAMMES) - made)
        if amounts:
            self._say(_("standards: %(made)d made.") % {"made": amounts})

    def _admin(self, username: str, county: County) -> None:
        if User.objects.filter(username__iexact=username).exists():
            self._say(_("The account %(name)s exists already and stays as it is.") % {"name": username})
            return
        try:
            User.username_validator(username)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from None
        password = first_password()
        user = User(username=username, must_change_password=True)
        user.set_password(password)
        user.save()
        RoleGrant(user=user, role=Role.COUNTY_ADMIN, county=county).save()
        self._say(
            _(
                "Account %(name)s, first password %(password)s. It is shown this once; the first log-in asks for another."
            )
            % {"name": username, "password": password}
        )

    def _told(self, what: str, made: int, there: int) -> None:
        self._say(
            _("%(what)s: %(made)d made, %(there)d were there already.")
            % {"what": what, "made": made, "there": there}
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)


def first_password() -> str:
    """Return a random password that satisfies the rules and can be read out over the telephone."""
    letters = "abcdefghjkmnpqrstuvwxyz"
    parts = ["".join(secrets.choice(letters) for _letter in range(4)) for _part in range(3)]
    digits = "".join(secrets.choice(string.digits[2:]) for _digit in range(3))
    return "-".join([parts[0].capitalize(), *parts[1:], digits])
