"""From the bytes of a file to a plan: read, find tables, clean every cell, ask the kind what the rows become.

Nothing here writes. What is accepted, refused, warned and ignored is known completely before anybody confirms.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from povertyaid.imports import returning
from povertyaid.imports.cleaning import TableCleaner
from povertyaid.imports.context import ImportContext, ImportRefusedError
from povertyaid.imports.fitting import check_tables, headers_of, top_of
from povertyaid.imports.resources import Planned, Row, SheetResource, kinds, resource_for, variants_of
from povertyaid.lib.messages import Message
from povertyaid.lib.progress import NO_PROGRESS
from povertyaid.lib.sheets.headerrows import columns_of
from povertyaid.lib.sheets.headers import ForcedHeader, header_signature, normalise_header
from povertyaid.lib.sheets.layout import SkippedSheet, Table, find_tables
from povertyaid.lib.sheets.model import Sheet, Workbook
from povertyaid.lib.sheets.reader import Limits, read_workbook

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from django_stubs_ext import StrOrPromise

    from povertyaid.imports.options import Options, Part
    from povertyaid.imports.questions import Decisions
    from povertyaid.lib.progress import Progress
    from povertyaid.lib.sheets.rows import Why
    from povertyaid.schools.models import User

WHY: dict[Why, StrOrPromise] = {
    "title": _("title row"),
    "header": _("header"),
    "repeated_header": _("header, repeated"),
    "subtotal": _("subtotal"),
    "total": _("total"),
    "signature": _("signatures"),
    "note": _("note"),
    "section": _("heading of a section"),
    "example": _("example of the template"),
    "numbered_blank": _("number without a record"),
    "empty": _("signs for nothing only"),
    "second_table": _("row of a second table"),
}
LEFT_OUT = _("left out by decision")
BLOCKED = Message(
    "blocked",
    _("The same row is refused as another kind. Mend it there, so that all of the row is imported at once."),
)


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    """A row that holds something and is no record."""

    sheet: str
    row: int
    why: str


@dataclass
class Plan:
    """What a file would become. `rows` are all rows of its tables, `planned` the records of the kind."""

    resource: SheetResource
    context: ImportContext
    name: str
    digest: str
    tables: list[Table] = field(default_factory=list)
    skipped: list[SkippedSheet] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    # Rows that a person left out when asked about a near miss.
    left_out: list[Row] = field(default_factory=list)
    # About a whole table; told with the number of its first row.
    warnings: list[tuple[str, int, Message]] = field(default_factory=list)

    @property
    def ignored(self) -> list[IgnoredRow]:
        """Rows of the tables' sheets that are no records, with the reason."""
        return [
            IgnoredRow(table.sheet, item.row, str(WHY[item.why]))
            for table in self.tables
            for item in sorted(table.ignored)
        ] + [IgnoredRow(row.sheet, row.number, str(LEFT_OUT)) for row in self.left_out]

    @property
    def counts(self) -> dict[str, int]:
        """Counts of the kind's main record, and of rows that were warned of or ignored."""
        actions = Counter(planned.action for planned in self.planned)
        rejected = sum(row.rejected for row in self.rows)
        return {
            "rows": len(self.planned) + rejected,
            "created": actions["created"],
            "updated": actions["updated"],
            "unchanged": actions["unchanged"],
            "rejected": rejected,
            "warned": sum(any(note.level == "warning" for note in row.notes) for row in self.rows),
            "ignored": sum(len(table.ignored) for table in self.tables) + len(self.left_out),
            "asked": sum(row.question is not None for row in self.rows),
        }

    @property
    def columns(self) -> dict[str, list[dict[str, Any]]]:
        """Which header is which column, which headers are none of the kind's, which stand twice."""
        matched, unmatched, duplicates = [], [], []
        for table in self.tables:
            for header in table.headers:
                entry: dict[str, Any] = {"sheet": table.sheet, "header": header.text}
                if header.hidden:
                    entry["hidden"] = True
                if header.key is not None:
                    matched.append({**entry, "column": self.resource.by(header.key).header})
                elif header in table.unmatched:
                    unmatched.append(entry)
                else:
                    duplicates.append(entry)
        return {"matched": matched, "unmatched": unmatched, "duplicates": duplicates}

    @property
    def fingerprint(self) -> str:
        """What the plan would do, as a digest: unchanged as long as neither file nor records change."""
        facts = [
            (
                row.sheet,
                row.number,
                row.outcome,
                [(note.level, note.column, note.before, note.after) for note in row.notes],
            )
            for row in self.rows
        ]
        told = json.dumps([self.digest, self.counts, facts], ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The object that `import_workbook --json` prints (DESIGN §4); sensitive values are masked throughout."""
        counts = self.counts
        warnings = [
            {"sheet": sheet, "row": row, "column": None, "value": "", "message": str(message)}
            for sheet, row, message in self.warnings
        ]
        return {
            "kind": self.resource.kind,
            "file": self.name,
            "committed": False,
            "batch": None,
            **{key: counts[key] for key in ("rows", "created", "updated", "unchanged", "rejected")},
            "errors": self.told("error"),
            "warnings": warnings + self.told("warning"),
            "ignored": [{"sheet": item.sheet, "row": item.row, "why": item.why} for item in self.ignored],
            "repairs": [
                {
                    "sheet": row.sheet,
                    "row": row.number,
                    "column": note.column,
                    "from": note.before,
                    "to": note.after,
                    "rule": note.rule,
                }
                for row in self.rows
                for note in row.notes
                if note.level == "repair"
            ],
            "records": [
                {
                    "sheet": item.row.sheet,
                    "row": item.row.number,
                    "action": item.action,
                    "values": item.values,
                }
                for item in self.planned
            ],
            "sheets": [{"sheet": item.sheet, "why": str(item.message)} for item in self.skipped],
            "columns": self.columns,
        }

    def told(self, level: str) -> list[dict[str, Any]]:
        """All errors, or all warnings, in the order of the rows."""
        return [
            {
                "sheet": row.sheet,
                "row": row.number,
                "column": note.column,
                "value": note.value,
                "message": str(note.message),
            }
            for row in self.rows
            for note in row.notes
            if note.level == level
        ]


def limits() -> Limits:
    """What a file may hold; the size is that of the settings."""
    return Limits(file_bytes=settings.UPLOAD_LIMIT_BYTES)


def make_plan(*, kind: str, data: bytes, name: str, user: User, options: Options) -> Plan:
    """Read a file as one kind and say what it would become; nothing is written.

    Raises ImportRefusedError (kind, permission, headers, school, period) or UnreadableFileError.
    """
    return plan_kind(
        kind=kind,
        workbook=read_workbook(data, name, limits=limits()),
        name=name,
        digest=hashlib.sha256(data).hexdigest(),
        user=user,
        options=options,
    )


def plan_kind(
    *,
    kind: str,
    workbook: Workbook,
    name: str,
    digest: str,
    user: User,
    options: Options,
    decisions: Decisions | None = None,
    blocked: Collection[tuple[str, int]] = (),
    progress: Progress = NO_PROGRESS,
) -> Plan:
    """What the sheets of a file would become as one kind; nothing is written.

    `blocked` are rows (sheet, number) that another kind of the same file refuses: they are refused here too.
    Raises ImportRefusedError (kind, permission, headers, school, period).
    """
    allowed_resource(kind, user)
    parts = [part for part in options.parts if part.kind == kind]
    workbook = _chosen_sheets(workbook, parts)
    forced = _forced(workbook, parts)
    resource = _shape(kind, workbook, options, forced)
    context = ImportContext(user, options, resource.model._meta.label_lower, decisions=decisions)
    context.kind = kind
    plan = Plan(resource, context, name, digest)
    constants = _constants(resource, options)
    plan.tables, plan.skipped = find_tables(
        workbook, (*resource.columns, returning.COLUMN), _required(resource, constants), forced=forced
    )
    check_tables(plan, workbook, constants, chosen=bool(parts))
    keys = returning.take_keys(plan.tables)
    book = returning.ReturnBook(resource, context, keys.values()) if keys else None
    for table in plan.tables:
        info, warnings = context.describe(resource, table)
        first = min((item.row for item in table.ignored), default=1)
        plan.warnings += [(table.sheet, first, message) for message in warnings]
        plan.warnings += [(table.sheet, row, message) for row, message in table.warnings]
        returned = {
            number: book.of(key)
            for (sheet, number), key in keys.items()
            if book is not None and sheet == table.sheet
        }
        plan.rows.extend(TableCleaner(table, info, context, constants, returned).rows())
    plan.warnings += _other_semesters(plan.rows, context)
    progress.tell(_("comparing with the records"), 0, len(plan.rows))
    _leave_out(plan, decisions)
    for row in plan.rows:
        if (row.sheet, row.number) in blocked:
            row.refuse(None, BLOCKED)
    plan.planned = resource.plan(plan.rows, context)
    _settle(plan)
    return plan


def _other_semesters(rows: Sequence[Row], context: ImportContext) -> list[tuple[str, int, Message]]:
    """What a chosen semester gives way to: the one that a row names holds for it, and that is said once a sheet."""
    found: dict[str, tuple[str, int, Message]] = {}
    for row in rows if context.period else ():
        named = row.get("semester")
        if named and row.semester and named != row.semester and row.sheet not in found:
            text = _("The row says %(named)s, but %(chosen)s was chosen. What the rows say holds for them.")
            message = Message("other_semester", text, {"named": named, "chosen": row.semester})
            found[row.sheet] = (row.sheet, row.number, message)
    return list(found.values())


def _required(resource: SheetResource, constants: Mapping[str, str]) -> list[str]:
    return [key for key in resource.required if key not in constants]


def _shape(
    kind: str, workbook: Workbook, options: Options, forced: Mapping[str, ForcedHeader]
) -> SheetResource:
    """The shape of a kind that the headers are of: the one that understands most of them; the kind's own when in doubt."""
    shapes = variants_of(kind)
    best, most = shapes[0], 0
    for shape in shapes if len(shapes) > 1 else ():
        constants = _constants(shape, options, strict=False)
        tables, _skipped = find_tables(
            top_of(workbook), shape.columns, _required(shape, constants), forced=forced
        )
        for table in tables:
            keys = {header.key for header in table.headers if header.key is not None} | set(constants)
            if len(keys) > most and all(keys & set(group) for group in shape.one_of):
                best, most = shape, len(keys)
    return best


def _leave_out(plan: Plan, decisions: Decisions | None) -> None:
    """Take out the rows that a person decided to leave out; they are listed among the ignored."""
    skipped = decisions.leaves_out() if decisions is not None else set()
    if not skipped:
        return
    kind = plan.resource.kind
    plan.left_out = [row for row in plan.rows if (row.sheet, row.number, kind) in skipped]
    plan.rows = [row for row in plan.rows if (row.sheet, row.number, kind) not in skipped]


def _chosen_sheets(workbook: Workbook, parts: Sequence[Part]) -> Workbook:
    """The sheets that a person chose for a kind; all of them when nobody did."""
    if not parts or any(not part.sheet for part in parts):
        return workbook
    names = {part.sheet for part in parts}
    # A hidden sheet that was chosen by name is read.
    sheets = [replace(sheet, visible=True) for sheet in workbook.sheets if sheet.name in names]
    return Workbook(workbook.kind, workbook.encoding, sheets)


def _forced(workbook: Workbook, parts: Sequence[Part]) -> dict[str, ForcedHeader]:
    """Where the headers stand and which column is which, as far as a person decided."""
    found = {}
    for part in parts:
        for sheet in workbook.sheets:
            if part.header is not None and part.sheet in {sheet.name, ""}:
                first, height = part.header
                signatures = signed_columns(sheet, first, height)
                keys = {
                    index: part.columns[text]
                    for text, index in signatures.items()
                    if text in part.columns and text not in returning.SIGNATURES
                }
                found[sheet.name] = ForcedHeader(first, height, keys)
    return found


def signed_columns(sheet: Sheet, first_row: int, height: int) -> dict[str, int]:
    """The columns of a header by signature; of equal headers the second ends with #2, and so on."""
    seen: Counter[str] = Counter()
    found = {}
    for header in columns_of(sheet, first_row, height):
        signature = header_signature(header.group, header.text)
        seen[signature] += 1
        found[signature if seen[signature] == 1 else f"{signature}#{seen[signature]}"] = header.index
    return found


def allowed_resource(kind: str, user: User) -> SheetResource:
    """The resource of a kind, when the account may import it; else ImportRefusedError."""
    resource = resource_for(kind)
    if resource is None:
        known = "、".join(found.kind for found in kinds())
        raise ImportRefusedError(
            "kind", _("There is no kind “%(kind)s”. Known: %(known)s."), {"kind": kind, "known": known}
        )
    if not (user.is_system or user.has_perm(resource.permission)):
        raise ImportRefusedError(
            "permission", _("Your account may not import “%(kind)s”."), {"kind": resource.label}
        )
    return resource


def _constants(resource: SheetResource, options: Options, *, strict: bool = True) -> dict[str, str]:
    """Values for the whole file by column key; ImportRefusedError for a header that the kind does not have.

    Where a file is read as several kinds, a value may be meant for another of them.
    """
    several = len({part.kind for part in options.parts}) > 1
    by_header = {normalise_header(text): column.key for column in resource.columns for text in column.headers}
    by_header.update({column.key: column.key for column in resource.columns})
    found = {}
    for header, value in options.constants.items():
        key = by_header.get(normalise_header(header)) or by_header.get(header)
        if key is None and (several or not strict):
            continue
        if key is None:
            raise ImportRefusedError(
                "constant",
                _("There is no column “%(header)s” in this kind. Its columns: %(headers)s."),
                {"header": header, "headers": headers_of(resource)},
            )
        found[key] = value
    return found


def _settle(plan: Plan) -> None:
    """Give every row its outcome; a row that the resource forgot is refused, so that none is lost in silence."""
    for planned in plan.planned:
        for row in planned.rows:
            if row.outcome is None:
                row.outcome = planned.action
    for row in plan.rows:
        if row.outcome is None and row.ok:
            row.refuse(None, _("It could not be told what this row is. Check it and send it again."))
        if row.outcome is None or row.rejected:
            row.outcome = "rejected"
