"""manage.py summary: the half-year summary of a school or the county as a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from povertyaid.audit.actor import system_user
from povertyaid.audit.models import AccessLog
from povertyaid.audit.services import log_access
from povertyaid.lib.messages import MessageError
from povertyaid.lib.periods import Period
from povertyaid.schools.models import County, School
from reports.indicators import Target
from reports.models import Summary
from reports.paper import OwnText, Paper

FORMATS = ("pdf", "html", "json")


class Command(BaseCommand):
    """Writes the summary of a target and period; own text comes from the stored summary if there is one."""

    help = gettext_lazy("Write the summary of a school or the county for a period as PDF, HTML or JSON.")  # type: ignore[assignment]  # shown in the active language

    def add_arguments(self, parser: ArgumentParser) -> None:
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--school", metavar="CODE", help=_("code of the school"))
        target.add_argument(
            "--county",
            nargs="?",
            const="",
            metavar="NAME",
            help=_("the county; its name if there are several"),
        )
        parser.add_argument("--period", required=True, help=_("2026H1, 2026, 2025-2026-2 or 2025-2026"))
        parser.add_argument(
            "--output", required=True, metavar="FILE", help=_("FILE.pdf, FILE.html or FILE.json")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["output"])
        kind = path.suffix.lower().lstrip(".")
        if kind not in FORMATS:
            raise CommandError(
                _(
                    "%(file)s: this ending is not supported yet. Write to a file ending in .pdf, .html or .json."
                )
                % {"file": path.name}
            )
        try:
            period = Period.parse(options["period"])
        except MessageError as error:
            raise CommandError(str(error)) from None
        target = self._target(options["school"], options["county"])
        paper = Paper(target, period, self._own_text(target, period))
        try:
            content = self._content(paper, kind)
            path.write_bytes(content)
        except MessageError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            text = _("%(file)s cannot be written: %(error)s.")
            raise CommandError(text % {"file": path, "error": error.strerror}) from None
        log_access(
            AccessLog.Action.EXPORT,
            user=system_user(),
            record=target.school or target.county,
            detail={"format": kind, "period": period.code},
        )
        self.stdout.write(_("Written: %(file)s") % {"file": path})

    def _target(self, code: str | None, name: str | None) -> Target:
        if code is not None:
            school = (
                School.objects.visible_to(system_user()).select_related("county").filter(code=code).first()
            )
            if school is None:
                raise CommandError(_("No school has the code %(code)s.") % {"code": code})
            return Target(school.county, school)
        counties = list(County.objects.visible_to(system_user()).filter(**({"name": name} if name else {})))
        if not counties:
            text = (
                _("There is no county called %(name)s.") % {"name": name}
                if name
                else _("There is no county yet.")
            )
            raise CommandError(text)
        if len(counties) > 1:
            names = "、".join(county.name for county in counties)
            raise CommandError(_("There are several counties; name one: %(names)s.") % {"names": names})
        return Target(counties[0])

    @staticmethod
    def _own_text(target: Target, period: Period) -> OwnText:
        stored = (
            Summary.objects.visible_to(system_user())
            .filter(county=target.county, school=target.school, period=period.code)
            .select_related("basis")
            .first()
        )
        return OwnText.of(stored) if stored else OwnText()

    @staticmethod
    def _content(paper: Paper, kind: str) -> bytes:
        if kind == "pdf":
            return paper.pdf()
        if kind == "html":
            return paper.standalone_html().encode()
        return (json.dumps(paper.json(), ensure_ascii=False, indent=2) + "\n").encode()
