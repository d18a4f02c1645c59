"""Write the workbook in which a kind is filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from povertyaid.imports.blank_workbook import blank_workbook
from povertyaid.imports.resources import kinds, resource_for


class Command(BaseCommand):
    """`export_template KIND --output FILE.xlsx`."""

    help = "Write the workbook in which a kind of list is filled in."

    def add_arguments(self, parser: CommandParser) -> None:
        """The stable form of DESIGN §4."""
        parser.add_argument("kind", metavar="KIND", help="、".join(resource.kind for resource in kinds()))
        parser.add_argument("--output", metavar="FILE.xlsx", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; exit status 2 for an unknown kind or a file that cannot be written."""
        del args
        resource = resource_for(options["kind"])
        if resource is None:
            known = "、".join(found.kind for found in kinds())
            message = _("There is no kind “%(kind)s”. Known: %(known)s.") % {
                "kind": options["kind"],
                "known": known,
            }
            raise CommandError(message, returncode=2)
        try:
            options["output"].write_bytes(blank_workbook(resource))
        except OSError as error:
            message = _("The file %(file)s cannot be written: %(why)s.")
            raise CommandError(
                message % {"file": options["output"], "why": error.strerror}, returncode=2
            ) from None
        self.stdout.write(_("Written: %(file)s") % {"file": options["output"]})
