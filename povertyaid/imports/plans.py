"""Everything that a file becomes: one plan a kind, and one kind after the other where a sheet feeds several.

A working sheet of a county has household, pupil and payment in one row. The pupil is found only once the household is
stored, the payment only once the pupil is: several kinds are therefore rehearsed, each written after the one before,
inside a transaction that is rolled back. A row that one kind refuses is refused for all, so that no row is half imported.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.services import bulk_write
from povertyaid.imports.engine import BLOCKED, IgnoredRow, Plan, limits, plan_kind
from povertyaid.imports.hooks import Committed, run_hooks
from povertyaid.imports.keeping import Keeper
from povertyaid.imports.models import ImportBatch, UndoEntry
from povertyaid.imports.ordering import in_dependency_order
from povertyaid.imports.resources import Note, in_order
from povertyaid.imports.sendback_layout import without_marks
from povertyaid.lib.progress import NO_PROGRESS
from povertyaid.lib.sheets.child import read_in_child

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from povertyaid.imports.options import Options
    from povertyaid.imports.questions import Decisions, Question
    from povertyaid.lib.progress import Progress
    from povertyaid.lib.sheets.layout import SkippedSheet
    from povertyaid.lib.sheets.model import Workbook
    from povertyaid.schools.models import User

# Rehearsals until no further row is refused; each refuses at least one row more, and in practice two are enough.
_REHEARSALS = 20


@dataclass(frozen=True)
class Source:
    """A file that was read, and for whom it is planned: everything that a plan depends on besides the records."""

    workbook: Workbook
    name: str
    digest: str
    user: User
    options: Options
    kinds: tuple[str, ...]
    decisions: Decisions | None = None

    @property
    def in_order(self) -> list[str]:
        """The kinds in the order in which they are written."""
        chosen = {part.kind for part in self.options.parts} or set(self.kinds)
        return in_order(chosen)


# Why rows were refused when they were first, by kind, sheet and row: what is wrong, and what a person must decide.
Reasons = dict[tuple[str, str, int], tuple[list[Note], "Question | None"]]


@dataclass
class FilePlan:
    """What a file would become: the plans of its kinds, in the order in which they are written."""

    source: Source
    plans: list[Plan]
    # Before the first look-up: what other people wrote since may not be in the plan.
    made_at: dt.datetime = field(default_factory=timezone.now)
    reasons: Reasons = field(default_factory=dict)

    @property
    def several(self) -> bool:
        """Whether the file feeds more than one kind."""
        return len(self.plans) > 1

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.source.name

    @property
    def kind(self) -> str:
        """The kinds, with commas between them."""
        return ",".join(plan.resource.kind for plan in self.plans)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The counts of all kinds together; `asked` are rows that wait for a decision."""
        found: dict[str, int] = {}
        for plan in self.plans:
            for key, number in plan.counts.items():
                found[key] = found.get(key, 0) + number
        found["ignored"] = len(self.ignored)
        return found

    @cached_property
    def ignored(self) -> list[IgnoredRow]:
        """Rows that are no record of any kind."""
        seen: dict[tuple[str, int], IgnoredRow] = {}
        taken = {(row.sheet, row.number) for plan in self.plans for row in plan.rows}
        for plan in self.plans:
            for item in plan.ignored:
                if (item.sheet, item.row) not in taken:
                    seen.setdefault((item.sheet, item.row), item)
        return list(seen.values())

    @property
    def skipped(self) -> list[SkippedSheet]:
        """Sheets that no kind reads."""
        read = {table.sheet for plan in self.plans for table in plan.tables}
        seen = {item.sheet: item for plan in self.plans for item in plan.skipped if item.sheet not in read}
        return list(seen.values())

    @cached_property
    def fingerprint(self) -> str:
        """What the plans would do, as a digest."""
        told = "\n".join(plan.fingerprint for plan in self.plans)
        return told if not self.several else hashlib.sha256(told.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The object of `import_workbook --json`; for several kinds with one object for each under `parts`."""
        if not self.several:
            return self.plans[0].as_json()
        parts = [plan.as_json() for plan in self.plans]
        lists = ("errors", "warnings", "repairs", "records")
        told = {
            key: [{"kind": part["kind"], **item} for part in parts for item in part[key]] for key in lists
        }
        return {
            "kind": self.kind,
            "file": self.name,
            "committed": False,
            "batch": None,
            **{key: self.counts[key] for key in ("rows", "created", "updated", "unchanged", "rejected")},
            **told,
            "ignored": [{"sheet": item.sheet, "row": item.row, "why": item.why} for item in self.ignored],
            "sheets": [{"sheet": item.sheet, "why": str(item.message)} for item in self.skipped],
            "parts": parts,
        }


def read(
    *,
    data: bytes,
    name: str,
    user: User,
    options: Options,
    kinds: Sequence[str],
    decisions: Decisions | None = None,
    progress: Progress = NO_PROGRESS,
) -> Source:
    """Read the bytes of a file in a child process; UnreadableFileError says what is wrong with it."""
    progress.tell(_("reading the file"))
    return Source(
        # A workbook that we gave back has two columns more than the sender's own.
        without_marks(read_in_child(data, name, limits=limits())),
        name,
        hashlib.sha256(data).hexdigest(),
        user,
        options,
        tuple(kinds),
        decisions,
    )


def plan_file(source: Source, *, progress: Progress = NO_PROGRESS) -> FilePlan:
    """Say what a file would become; nothing stays written. ImportRefusedError when it cannot be imported as it is."""
    started = timezone.now()
    if len(source.in_order) == 1:
        return FilePlan(source, [_plan(source, source.in_order[0], frozenset(), progress)], started)
    blocked: frozenset[tuple[str, int]] = frozenset()
    plans: list[Plan] = []
    reasons: Reasons = {}
    for _turn in range(_REHEARSALS):
        with transaction.atomic():
            plans = play(source, blocked=blocked, batch=ImportBatch(kind=""), progress=progress)
            transaction.set_rollback(True)
        _note_reasons(reasons, plans, blocked)
        refused = blocked | refused_rows(plans)
        if refused == blocked:
            break
        blocked = refused
    tell_reasons(plans, reasons)
    return FilePlan(source, plans, started, reasons)


def _note_reasons(reasons: Reasons, plans: Sequence[Plan], blocked: frozenset[tuple[str, int]]) -> None:
    """Keep what is wrong with the rows that are refused for the first time."""
    for plan in plans:
        for row in plan.rows:
            if not row.ok and (row.sheet, row.number) not in blocked:
                errors = [note for note in row.notes if note.level == "error"]
                reasons[plan.resource.kind, row.sheet, row.number] = errors, row.question


def tell_reasons(plans: Sequence[Plan], reasons: Reasons) -> None:
    """Tell of every refused row what was wrong with it at first.

    Played again without the rest of its row, a payment misses its pupil: that follows from the refusal, and would hide
    the reason that can be mended.
    """
    rows = {(sheet, number) for _kind, sheet, number in reasons}
    before: set[tuple[str, int]] = set()
    for plan in plans:
        for row in plan.rows:
            place = (row.sheet, row.number)
            if place not in rows:
                continue
            errors, question = reasons.get((plan.resource.kind, *place), ([], None))
            row.notes = [note for note in row.notes if note.level != "error"]
            if place in before or not errors:
                # What is wrong here may follow from what is wrong there.
                row.notes.append(Note("error", None, "", BLOCKED))
            row.notes += errors
            row.question = question
            if errors:
                before.add(place)


def refused_rows(plans: Sequence[Plan]) -> frozenset[tuple[str, int]]:
    """Rows that any of the kinds refuses or that were left out of one."""
    return frozenset(
        (row.sheet, row.number)
        for plan in plans
        for row in (*(row for row in plan.rows if not row.ok), *plan.left_out)
    )


def blocked_of(plan: FilePlan) -> frozenset[tuple[str, int]]:
    """The rows that are refused for all kinds of a file."""
    return refused_rows(plan.plans) if plan.several else frozenset()


def play(
    source: Source,
    *,
    blocked: frozenset[tuple[str, int]],
    batch: ImportBatch,
    progress: Progress = NO_PROGRESS,
    before: Callable[[Plan], None] | None = None,
) -> list[Plan]:
    """Plan and write one kind after the other, inside the caller's transaction; `before` is asked before each write."""
    plans = []
    for kind in source.in_order:
        plan = _plan(source, kind, blocked, progress)
        if batch._state.adding:
            # A rehearsal; what follows from the rows asks for the county.
            batch.county = plan.context.school.county if plan.context.school else plan.context.counties[0]
        if before is not None:
            before(plan)
        write_plan(plan, batch=batch, user=source.user, progress=progress)
        plans.append(plan)
    return plans


def _plan(source: Source, kind: str, blocked: frozenset[tuple[str, int]], progress: Progress) -> Plan:
    return plan_kind(
        kind=kind,
        workbook=source.workbook,
        name=source.name,
        digest=source.digest,
        user=source.user,
        options=source.options,
        decisions=source.decisions,
        blocked=blocked,
        progress=progress,
    )


def write_plan(plan: Plan, *, batch: ImportBatch, user: User, progress: Progress = NO_PROGRESS) -> None:
    """Write the records of a plan, and let the other apps do what follows; inside the caller's transaction."""
    create = in_dependency_order([record for item in plan.planned for record in item.create])
    update = [change for item in plan.planned for change in item.update]
    links = [link for item in plan.planned for link in item.links]
    progress.tell(_("writing"), 0, len(plan.planned))
    first = [change for item in plan.planned for change in item.first]
    keeper = Keeper()
    keeper.leave_out(create)
    with keeper.stage(UndoEntry.Stage.FIRST):
        bulk_write(update=first, actor=user, batch_id=batch.pk)
    with keeper.stage(UndoEntry.Stage.ROWS):
        bulk_write(create=create, update=update, links=links, actor=user, batch_id=batch.pk)
    with keeper.stage(UndoEntry.Stage.FOLLOWS):
        run_hooks(Committed(batch, user, create, [change.instance for change in update]))
    if batch.pk is not None:
        # A rehearsal is rolled back and has nothing to undo.
        keeper.store(batch, user)


__all__ = [
    "BLOCKED",
    "FilePlan",
    "Source",
    "blocked_of",
    "plan_file",
    "play",
    "read",
    "refused_rows",
    "tell_reasons",
    "write_plan",
]
