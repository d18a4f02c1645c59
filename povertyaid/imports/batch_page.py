"""The page of one import: what the file would become or became, what is to be decided, what can be done next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from povertyaid.imports.jobs import UNDO
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.resources import resource_for
from povertyaid.imports.rules import rule_text
from povertyaid.imports.services import OPEN, same_file
from povertyaid.work.services import latest_for

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import QueryDict

    from povertyaid.schools.models import User
    from povertyaid.work.models import Work

ADD = "imports.add_importbatch"
ROWS_A_PAGE = 50
REPAIRS_SHOWN = 200
State = ImportBatch.State


def label_of(kind: str) -> str:
    """The name of a kind; its code when it is known no more."""
    resource = resource_for(kind)
    return str(resource.label) if resource is not None else kind


def kinds_label(batch: ImportBatch) -> str:
    """The names of the kinds of a batch."""
    return "、".join(map(label_of, batch.kinds))


def _left_as_it_was(batch: ImportBatch, work: Work) -> bool:
    """Whether a work that ended early left the batch where it stood, so that its page must tell of it.

    What was imported once and is confirmed once more stands as it was imported: that is no failure of the import.
    """
    if work.what == UNDO:
        return batch.state in {State.IMPORTED, State.PARTLY}
    return bool(batch.state == State.TO_CHECK)


def page_of(batch: ImportBatch) -> str:
    """Where to go on with a batch: to its columns where they are not certain, else to its rows."""
    name = "imports:columns" if batch.state == State.TO_MAP else "imports:batch"
    return reverse(name, args=[batch.pk])


@dataclass
class ShownRow:
    """One row of the preview's table: each cell with what is told of it, and what is told of the whole row."""

    row: ImportRow
    kind: str
    cells: list[tuple[str, list[dict[str, Any]]]]
    rest: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Filter:
    """One way to narrow the table, with the number of its rows."""

    value: str
    label: str
    count: int
    current: bool


class BatchPage:
    """Everything that the page shows, in a constant number of queries however many rows the file has."""

    def __init__(self, batch: ImportBatch, user: User, asked: QueryDict) -> None:
        """Read what was asked for: `show` (a state), `kind`, `row` (a row number), `p` (a page)."""
        self.batch = batch
        self.user = user
        self.show = asked.get("show", "")
        kind = asked.get("kind", "")
        self.kind = kind if kind in batch.kinds else ""
        number = asked.get("row", "").strip()
        # A row number beyond what any sheet can have is none.
        self.row = int(number) if number.isascii() and number.isdecimal() and len(number) < 8 else None
        self.number = asked.get("p")
        self._all = ImportRow.objects.visible_to(user).filter(batch=batch)

    @property
    def may_import(self) -> bool:
        """Whether the account may go on with this import."""
        resources = [resource_for(kind) for kind in self.batch.kinds]
        return self.user.has_perm(ADD) and all(
            resource is not None and self.user.has_perm(resource.permission) for resource in resources
        )

    def context(self) -> dict[str, Any]:
        """For the template."""
        batch = self.batch
        work = latest_for(batch)
        live = work is not None and work.is_live
        rows = self._rows()
        page = Paginator(rows, ROWS_A_PAGE).get_page(self.number)
        headers = batch.report.get("headers", [])
        repairs = batch.report.get("repairs", [])
        may = self.may_import and not live
        return {
            "title": _("Import: %(kind)s") % {"kind": kinds_label(batch)}
            if batch.kind
            else _("Import lists"),
            "batch": batch,
            "kinds": kinds_label(batch),
            "work": work,
            "live": live,
            "failed": batch.report.get("failed", "") if batch.state == State.FAILED else "",
            # What a worker could not do stands in its work; a batch that is asked about says it itself.
            "stopped": work.error if work is not None and not live and _left_as_it_was(batch, work) else "",
            "filters": self._filters(),
            "several": len(batch.kinds) > 1,
            "kind_filters": [("", _("all kinds")), *((kind, label_of(kind)) for kind in batch.kinds)],
            "show": self.show,
            "kind": self.kind,
            "row": self.row,
            "query": self._query(),
            "page": page,
            "headers": headers,
            "rows": [self._shown(row, headers) for row in page.object_list],
            "repairs": [
                {**item, "rule": rule_text(item.get("rule", ""))} for item in repairs[:REPAIRS_SHOWN]
            ],
            "repair_count": len(repairs),
            "more_repairs": max(0, len(repairs) - REPAIRS_SHOWN),
            "may_commit": may and batch.state == State.TO_CHECK,
            "passing": any(batch.counts.get(name) for name in ("created", "updated", "unchanged")),
            "may_map": may and batch.state in OPEN,
            "may_look_again": may and batch.state in {State.FAILED, State.UPLOADED},
            "may_cancel": may and batch.state in OPEN,
            "may_return": self.may_import and bool(batch.counts.get("rejected")),
            "may_undo": may and batch.state in {State.IMPORTED, State.PARTLY},
            "earlier": self._earlier(),
            **self._columns(),
        }

    def _columns(self) -> dict[str, list[dict[str, Any]]]:
        """The columns that are used and those that no kind uses, each told once."""
        told = self.batch.report.get("columns", {})
        used = {(item["header"], item["column"]): item for item in told.get("matched", [])}
        known = {header for header, _column in used}
        unused = {item["header"]: item for item in told.get("unmatched", []) if item["header"] not in known}
        return {"used": list(used.values()), "unused": list(unused.values())}

    def _rows(self) -> QuerySet[ImportRow]:
        rows = self._all
        if self.show == "warned":
            rows = rows.filter(warned=True)
        elif self.show == "asked":
            rows = rows.filter(question__isnull=False)
        elif self.show in ImportRow.Outcome.values:
            rows = rows.filter(outcome=self.show)
        elif self.show:
            raise Http404
        elif self.row is None:
            rows = rows.exclude(outcome=ImportRow.Outcome.IGNORED)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.row is not None:
            rows = rows.filter(row=self.row)
        # They were written in the order of the file.
        return rows.order_by("pk")

    def _query(self) -> str:
        """The filters for the addresses of other pages."""
        given = {"show": self.show, "kind": self.kind, "row": self.row or ""}
        return "".join(f"{key}={value}&" for key, value in given.items() if value)

    def _filters(self) -> list[Filter]:
        rows = self._all.filter(kind=self.kind) if self.kind else self._all
        numbers = {
            item["outcome"]: item["count"] for item in rows.values("outcome").annotate(count=Count("pk"))
        }
        told = rows.aggregate(
            warned=Count("pk", filter=Q(warned=True)), asked=Count("pk", filter=Q(question__isnull=False))
        )
        ignored = ImportRow.Outcome.IGNORED
        entries = [("", _("all records"), sum(numbers.values()) - numbers.get(ignored, 0))]
        entries += [(value, str(label), numbers.get(value, 0)) for value, label in ImportRow.Outcome.choices]
        entries[-1:-1] = [
            ("asked", _("to decide"), told["asked"]),
            ("warned", _("to look at"), told["warned"]),
        ]
        return [Filter(value, label, count, value == self.show) for value, label, count in entries]

    def _shown(self, row: ImportRow, headers: list[str]) -> ShownRow:
        beside: dict[str | None, list[dict[str, Any]]] = {}
        for message in row.messages:
            told = {**message, "rule": rule_text(message.get("rule", ""))}
            beside.setdefault(message.get("column"), []).append(told)
        cells = [(row.values.get(header, ""), beside.pop(header, [])) for header in headers]
        rest = [message for told in beside.values() for message in told]
        return ShownRow(row, label_of(row.kind), cells, rest)

    def _earlier(self) -> ImportBatch | None:
        """An import of the very same file before."""
        if self.batch.state not in OPEN:
            return None
        found = same_file(kind=self.batch.kind, digest=self.batch.file.digest, user=self.user)
        return found.exclude(pk=self.batch.pk).first()
