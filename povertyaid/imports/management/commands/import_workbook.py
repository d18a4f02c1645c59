"""Preview a spreadsheet, or write its good rows, or all of it or nothing (DESIGN §4)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from povertyaid.audit.actor import SYSTEM_USERNAME, acting_as, system_user
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.examining import Wishes
from povertyaid.imports.mapping import inspect, note_use
from povertyaid.imports.options import Options
from povertyaid.imports.plans import FilePlan, plan_file, read
from povertyaid.imports.resources import kinds
from povertyaid.imports.services import earlier_import, import_file
from povertyaid.lib.messages import MessageError
from povertyaid.schools.models import User

if TYPE_CHECKING:
    from povertyaid.imports.models import ImportBatch

REJECTED, UNREADABLE = 1, 2


class Command(BaseCommand):
    """`import_workbook KIND FILE`: exit status 0 when no row was refused, 1 when rows were, 2 when nothing was read."""

    help = "Preview a spreadsheet, or import its rows with --commit."

    def add_arguments(self, parser: CommandParser) -> None:
        """The stable form of DESIGN §4."""
        parser.add_argument(
            "kind",
            metavar="KIND",
            help="、".join(resource.kind for resource in kinds())
            + "; several with commas between them where one row holds several things",
        )
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--school", metavar="CODE", default="", help="code or name of the school")
        parser.add_argument(
            "--period", metavar="P", default="", help="2026H1, 2026, 2025-2026-2 or 2025-2026"
        )
        parser.add_argument(
            "--set", metavar="HEADER=VALUE", action="append", default=[], dest="constants",
            help="a value for a column that the file lacks; may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--map", metavar="HEADER=COLUMN", action="append", default=[], dest="columns",
            help="which column a header of the file is (HEADER= for one that is not used); may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--sheet", metavar="NAME", action="append", default=[], dest="sheets",
            help="read only this sheet, also a hidden one; may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--as", metavar="USER", default="", dest="username", help="the account that imports"
        )
        parser.add_argument("--commit", action="store_true", help="write the good rows")
        parser.add_argument(
            "--all-or-nothing", action="store_true", help="with --commit: write only if no row is refused"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, tell, and write when asked to."""
        del args
        if options["all_or_nothing"] and not options["commit"]:
            raise CommandError(_("--all-or-nothing goes with --commit."), returncode=UNREADABLE)
        try:
            plan, batch, before = self._run(options)
        except MessageError as error:
            self._fail(options, str(error))
        except IntegrityError:
            self._fail(
                options, _("The records changed while the file was imported. Nothing was written; try again.")
            )
        told = {
            **plan.as_json(),
            "committed": batch is not None,
            "batch": batch.pk if batch is not None else None,
        }
        if before is not None:
            told["same_as"] = before.pk
        if options["as_json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            self._report(plan, told, before, wanted=options["commit"])
        if told["rejected"]:
            sys.exit(REJECTED)

    def _run(self, options: dict[str, Any]) -> tuple[FilePlan, ImportBatch | None, ImportBatch | None]:
        path: Path = options["file"]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImportRefusedError(
                "file",
                _("The file %(file)s cannot be opened: %(why)s."),
                {"file": path.name, "why": error.strerror},
            ) from None
        user = self._user(options["username"], writing=options["commit"])
        chosen = Options(options["school"], options["period"], _pairs(options["constants"]))
        wanted = [kind for kind in options["kind"].split(",") if kind]
        source = read(data=data, name=path.name, user=user, options=chosen, kinds=wanted)
        with transaction.atomic(), acting_as(user):
            found = inspect(source, wishes=Wishes(_pairs(options["columns"]), options["sheets"]))
            plan = found.tell(plan_file(found.settled()))
            before = earlier_import(plan=plan, user=user)
            if not options["commit"] or (options["all_or_nothing"] and plan.counts["rejected"]):
                return plan, None, before
            planned = plan
            batch, plan = import_file(plan=plan, data=data)
            if plan is not planned:
                found.tell(plan)
            if found.mapping is not None:
                note_use(batch, found)
                batch.save(update_fields=["mapping"])
            return plan, batch, before

    @staticmethod
    def _user(username: str, *, writing: bool) -> User:
        if not username:
            # A preview writes nothing, not even the system account.
            known: User | None = User.objects.filter(username=SYSTEM_USERNAME, is_system=True).first()
            return known or (system_user() if writing else User(username=SYSTEM_USERNAME, is_system=True))
        user: User | None = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise ImportRefusedError("user", _("There is no account “%(user)s”."), {"user": username})
        return user

    def _fail(self, options: dict[str, Any], message: str) -> NoReturn:
        if options["as_json"]:
            told = {"kind": options["kind"], "file": options["file"].name, "error": message}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
        self.stderr.write(message)
        sys.exit(UNREADABLE)

    def _report(
        self, plan: FilePlan, told: dict[str, Any], before: ImportBatch | None, *, wanted: bool
    ) -> None:
        """The same for people."""
        write = self.stdout.write
        labels = "、".join(str(item.resource.label) for item in plan.plans)
        write(_("%(file)s as “%(kind)s”") % {"file": plan.name, "kind": labels})
        write(
            _(
                "%(rows)d records: %(created)d new, %(updated)d changed, %(unchanged)d unchanged, %(rejected)d refused; "
                "%(warned)d rows to look at, %(ignored)d rows ignored."
            )
            % plan.counts
        )
        for title, items in ((_("Refused"), told["errors"]), (_("To look at"), told["warnings"])):
            if items:
                write(f"\n{title}:")
            for item in items:
                where = _place(item)
                write(f"  {where}: {item['message']}" + (f"（{item['value']}）" if item["value"] else ""))
        if told["repairs"]:
            write(
                "\n"
                + _("Changed on the way: %(count)d cells (told in full with --json).")
                % {"count": len(told["repairs"])}
            )
        for item in told["sheets"]:
            write(f"  {item['why']}")
        if before is not None:
            write(
                "\n"
                + _("The same file was imported before, on %(date)s.")
                % {"date": f"{before.finished_at:%Y-%m-%d}"}
            )
        if told["committed"]:
            write("\n" + _("Written. Import number %(batch)d.") % {"batch": told["batch"]})
        elif wanted:
            write("\n" + _("Nothing was written, since rows are refused."))
        else:
            write("\n" + _("This was a preview; nothing was written. Write with --commit."))


def _place(item: dict[str, Any]) -> str:
    place = _("%(sheet)s row %(row)d") % item
    return f"{place} {item['column']}" if item["column"] else place


def _pairs(texts: list[str]) -> dict[str, str]:
    """HEADER=VALUE as a dictionary."""
    found = {}
    for text in texts:
        header, sign, value = text.partition("=")
        if not sign or not header.strip():
            raise ImportRefusedError(
                "constant", _("“%(text)s” is not of the form HEADER=VALUE."), {"text": text}
            )
        found[header.strip()] = value.strip()
    return found
