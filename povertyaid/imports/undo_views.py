"""The page on which an import is taken back: what would go, what would return, what stays and why."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from povertyaid.audit.models import Change
from povertyaid.audit.recorder import shown
from povertyaid.imports import jobs
from povertyaid.imports.batch_page import kinds_label
from povertyaid.imports.models import ImportBatch, WrongBatchMoveError
from povertyaid.imports.resources import display
from povertyaid.imports.undo import may_undo, plan_undo
from povertyaid.imports.undo_items import Item, UndoPlan, by_model
from povertyaid.imports.undo_writing import stored_by_key
from povertyaid.imports.views import ADD, _allowed, _batch, _user
from povertyaid.lib.messages import MessageError
from povertyaid.schools.models import User
from povertyaid.work.services import latest_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

ITEMS_A_PAGE = 50
CAN_BE_UNDONE = frozenset({ImportBatch.State.IMPORTED, ImportBatch.State.PARTLY})


@dataclass(frozen=True)
class Shown:
    """One record: its kind, what it is called, what would become of it, what would change, why it stays."""

    kind: str
    name: str
    action: str
    action_label: str
    changes: list[dict[str, str]]
    reasons: list[str]


@_allowed(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what taking the import back would do; POST does it."""
    user = _user(request)
    found = _batch(request, pk)
    if not may_undo(found, user):
        raise PermissionDenied
    if found.state not in CAN_BE_UNDONE:
        if found.state == ImportBatch.State.UNDONE:
            messages.warning(request, _("This import was undone before."))
        else:
            messages.warning(request, _("Only an import that was written can be undone."))
        return redirect("imports:batch", found.pk)
    if request.method == "POST":
        return _take_back(request, found)
    work = latest_for(found)
    if work is not None and work.is_live:
        return redirect("imports:batch", found.pk)
    show = request.GET.get("show", "")
    plan = _plan(found, user)
    counts = plan.counts
    if show and show not in counts:
        raise Http404
    items = plan.of(show) if show else list(plan.items.values())
    page = Paginator(items, ITEMS_A_PAGE).get_page(request.GET.get("p"))
    context = {
        **admin.site.each_context(request),
        "title": _("Undo this import"),
        "batch": found,
        "kinds": kinds_label(found),
        "counts": counts,
        "filters": _filters(plan, show),
        "page": page,
        "items": list(_shown(page.object_list)),
        "query": f"show={show}&" if show else "",
        "may_confirm": bool(counts["delete"] or counts["restore"] or not counts["refused"]),
    }
    return render(request, "imports/undo.html", context)


# The plan of a large batch takes seconds: its further pages and filters are shown from the one that was made last.
_LARGE = 2000
_KEPT_FOR = 300.0
_last: tuple[tuple[int, int, int], float, UndoPlan] | None = None


def _plan(found: ImportBatch, user: User) -> UndoPlan:
    """What would be taken back now; of a large batch the same as before while the history has not gone on.

    Only shown: whoever confirms has it planned anew.
    """
    global _last  # noqa: PLW0603 - one plan a process, replaced as a whole
    # Whose change it was is not told.
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    key = (found.pk, user.pk, newest)
    kept = _last
    if kept is not None and kept[0] == key and time.monotonic() - kept[1] < _KEPT_FOR:
        return kept[2]
    plan = plan_undo(found, user)
    _last = (key, time.monotonic(), plan) if len(plan.items) >= _LARGE else None
    return plan


def _take_back(request: HttpRequest, found: ImportBatch) -> HttpResponse:
    try:
        work = jobs.begin(jobs.UNDO, batch=found, user=_user(request))
    except WrongBatchMoveError:
        messages.warning(request, _("This import was undone before."))
    except MessageError as error:
        messages.error(request, str(error))
        return redirect("imports:undo", found.pk)
    else:
        if not work.is_live:
            found.refresh_from_db()
            text = _(
                "Undone: %(delete)d deleted, %(restore)d given back their earlier values, %(refused)d kept."
            )
            messages.success(request, text % found.report["undo"]["counts"])
    return redirect("imports:batch", found.pk)


def _labels() -> dict[str, str]:
    return {
        "delete": _("to be deleted"),
        "restore": _("to get earlier values"),
        "refused": _("stays"),
        "gone": _("gone already"),
    }


def _filters(plan: UndoPlan, show: str) -> list[dict[str, Any]]:
    counts = plan.counts
    entries = [("", _("all records"), len(plan.items))]
    entries += [(name, label, counts[name]) for name, label in _labels().items()]
    return [
        {"value": value, "label": label, "count": count, "current": value == show}
        for value, label, count in entries
    ]


def _shown(items: Iterable[Item]) -> Iterable[Shown]:
    """The records of one page; related records are read by model, not one by one."""
    items = list(items)
    names = _names_of_related(items)
    labels = _labels()
    for item in items:
        changes = []
        for name, (before, after) in item.columns.items():
            column: Any = item.model._meta.get_field(name)
            changes.append(
                {
                    "column": str(column.verbose_name),
                    "now": _told(item, column, after, names),
                    "earlier": _told(item, column, before, names),
                }
            )
        for name, keys in item.links.items():
            many: Any = item.model._meta.get_field(name)
            earlier, now = (
                "、".join(names.get((many.related_model, key), "") for key in side) for side in keys
            )
            changes.append({"column": str(many.verbose_name), "now": now, "earlier": earlier})
        yield Shown(
            str(item.model._meta.verbose_name),
            "" if item.hidden else item.label,
            item.action,
            labels[item.action],
            # What a foreign school holds is not told.
            [] if item.hidden else changes,
            [str(reason) for reason in item.reasons],
        )


def _told(item: Item, column: models.Field[Any, Any], value: Any, names: dict[tuple[Any, Any], str]) -> str:
    if isinstance(column, models.ForeignKey):
        return names.get((column.related_model, value), "")
    return display(item.model(), column.name, shown(column, column.to_python(value)))


def _names_of_related(items: Iterable[Item]) -> dict[tuple[Any, Any], str]:
    wanted: dict[Any, set[Any]] = {}
    for model, group in by_model(items).items():
        for item in group.values():
            pairs = [(name, pair) for name, pair in item.columns.items()]
            pairs += [(name, [*keys[0], *keys[1]]) for name, keys in item.links.items()]
            for name, keys in pairs:
                related = model._meta.get_field(name).related_model
                if related is not None:
                    wanted.setdefault(related, set()).update(keys)
    return {
        (model, pk): str(record)
        for model, keys in wanted.items()
        for pk, record in stored_by_key(model, keys).items()
    }
