"""The pages of an import: send a file, look at what it would become, confirm or give up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from povertyaid.imports import jobs, services
from povertyaid.imports.blank_workbook import blank_workbook
from povertyaid.imports.forms import UploadForm, allowed_kinds
from povertyaid.imports.models import ImportBatch, ImportRow, WrongBatchMoveError
from povertyaid.imports.resources import resource_for
from povertyaid.imports.rules import rule_text
from povertyaid.lib.messages import MessageError
from povertyaid.schools.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

VIEW, ADD = "imports.view_importbatch", "imports.add_importbatch"
ROWS_A_PAGE = 50
BATCHES_A_PAGE = 20
REPAIRS_SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _allowed(permission: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Ask for a log-in and a permission (403 without it), and keep the page out of caches."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        checked = permission_required(permission, raise_exception=True)(view)
        return never_cache(login_required(login_url="admin:login")(checked))

    return wrap


def _user(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):
        raise Http404
    return user


def _batch(request: HttpRequest, pk: int) -> ImportBatch:
    """A batch of the account's scope; a foreign one is not found."""
    known = ImportBatch.objects.visible_to(_user(request)).select_related(
        "file", "school", "county", "sender"
    )
    found: ImportBatch = get_object_or_404(known.defer("file__content"), pk=pk)
    return found


def kind_label(kind: str) -> StrOrPromise:
    """The name of a kind; its code when it is known no more."""
    resource = resource_for(kind)
    return resource.label if resource is not None else kind


@_allowed(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Send a list; below, what was sent before."""
    user = _user(request)
    may_add = user.has_perm(ADD) and bool(allowed_kinds(user))
    form = UploadForm(request.POST or None, request.FILES or None, user=user) if may_add else None
    if request.method == "POST":
        wanted = resource_for(request.POST.get("kind", ""))
        if form is None or (wanted is not None and not user.has_perm(wanted.permission)):
            raise PermissionDenied
        if form.is_valid():
            opened = _open(form, user)
            if opened is not None:
                return redirect("imports:batch", opened.pk)
    known = (
        ImportBatch.objects.visible_to(user).select_related("file", "school", "sender").defer("file__content")
    )
    page = Paginator(known.order_by("-created_at", "-pk"), BATCHES_A_PAGE).get_page(request.GET.get("p"))
    context = {
        **admin.site.each_context(request),
        "title": _("Import lists"),
        "form": form,
        "kinds": allowed_kinds(user) if may_add else [],
        "page": page,
        "batches": [(item, kind_label(item.kind)) for item in page.object_list],
    }
    return render(request, "imports/index.html", context)


def _open(form: UploadForm, user: User) -> ImportBatch | None:
    """Keep the file and look at it; what is wrong with the choices is told at the form."""
    sent = form.cleaned_data["file"]
    try:
        opened = services.receive(
            data=sent.read(),
            name=sent.name,
            user=user,
            options=form.options(),
            kinds=[form.cleaned_data["kind"]],
        )
    except MessageError as error:
        where = {"school": "school", "school_unknown": "school", "school_ambiguous": "school", "semester": "period",
                 "period": "period"}.get(error.code, "file")  # fmt: skip
        form.add_error(where, str(error))
        return None
    jobs.begin(jobs.PREPARE, batch=opened, user=user)
    return opened


@dataclass
class ShownRow:
    """One row of the preview's table: each cell with what is told of it, and what is told of the whole row."""

    row: ImportRow
    cells: list[tuple[str, list[dict[str, Any]]]]
    rest: list[dict[str, Any]] = field(default_factory=list)


def _shown(row: ImportRow, headers: list[str]) -> ShownRow:
    beside: dict[str | None, list[dict[str, Any]]] = {}
    for message in row.messages:
        told = {**message, "rule": rule_text(message.get("rule", ""))}
        beside.setdefault(message.get("column"), []).append(told)
    cells = [(row.values.get(header, ""), beside.pop(header, [])) for header in headers]
    return ShownRow(row, cells, [message for rest in beside.values() for message in rest])


@_allowed(VIEW)
@require_GET
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """What a file would become, or became: counts, rows by state, problems beside their cells, repairs."""
    user = _user(request)
    found = _batch(request, pk)
    show = request.GET.get("show", "")
    rows = ImportRow.objects.visible_to(user).filter(batch=found)
    filters = _filters(found, show)
    if show == "warned":
        rows = rows.filter(warned=True)
    elif show in ImportRow.Outcome.values:
        rows = rows.filter(outcome=show)
    elif show:
        raise Http404
    else:
        rows = rows.exclude(outcome=ImportRow.Outcome.IGNORED)
    page = Paginator(rows.order_by("sheet", "row", "pk"), ROWS_A_PAGE).get_page(request.GET.get("p"))
    headers = found.report.get("headers", [])
    resource = resource_for(found.kind)
    open_ = found.state == ImportBatch.State.TO_CHECK
    repairs = found.report.get("repairs", [])
    context = {
        **admin.site.each_context(request),
        "title": _("Import: %(kind)s") % {"kind": kind_label(found.kind)},
        "batch": found,
        "filters": filters,
        "show": show,
        "page": page,
        "headers": headers,
        "rows": [_shown(row, headers) for row in page.object_list],
        "repairs": [{**item, "rule": rule_text(item.get("rule", ""))} for item in repairs[:REPAIRS_SHOWN]],
        "repair_count": len(repairs),
        "more_repairs": max(0, len(repairs) - REPAIRS_SHOWN),
        "may_commit": open_
        and user.has_perm(ADD)
        and resource is not None
        and user.has_perm(resource.permission),
        "earlier": _earlier(found, user) if open_ else None,
    }
    return render(request, "imports/batch.html", context)


def _filters(found: ImportBatch, show: str) -> list[dict[str, Any]]:
    """The ways to narrow the table, with the number of rows of each."""
    numbers: dict[str, int] = {}
    for outcome in ImportRow.objects.filter(batch=found).values_list("outcome", flat=True):
        numbers[outcome] = numbers.get(outcome, 0) + 1
    entries: list[tuple[str, Any, int]] = [
        ("", _("all records"), sum(numbers.values()) - numbers.get(ImportRow.Outcome.IGNORED, 0))
    ]
    entries += [(value, label, numbers.get(value, 0)) for value, label in ImportRow.Outcome.choices]
    entries.insert(-1, ("warned", _("to look at"), found.counts.get("warned", 0)))
    return [
        {"value": value, "label": label, "count": count, "current": value == show}
        for value, label, count in entries
    ]


def _earlier(found: ImportBatch, user: User) -> ImportBatch | None:
    """An import of the very same file before."""
    return (
        ImportBatch.objects.visible_to(user)
        .filter(
            kind=found.kind,
            file__digest=found.file.digest,
            state__in=(ImportBatch.State.IMPORTED, ImportBatch.State.PARTLY),
        )
        .exclude(pk=found.pk)
        .select_related("sender")
        .order_by("-finished_at")
        .first()
    )


@_allowed(ADD)
@require_POST
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the good rows, or all or nothing (mode=all); back to the page of the batch with what happened."""
    user = _user(request)
    found = _batch(request, pk)
    resource = resource_for(found.kind)
    if resource is None or not user.has_perm(resource.permission):
        raise PermissionDenied
    try:
        work = jobs.begin(
            jobs.COMMIT, batch=found, user=user, all_or_nothing=request.POST.get("mode") == "all"
        )
    except WrongBatchMoveError:
        messages.warning(
            request, _("This import was confirmed or cancelled before; nothing was written again.")
        )
    except MessageError as error:
        messages.error(request, str(error))
    else:
        if not work.is_live:
            found.refresh_from_db()
            text = _(
                "Imported: %(created)d new, %(updated)d changed, %(unchanged)d unchanged, %(rejected)d refused."
            )
            messages.success(request, text % found.counts)
    return redirect("imports:batch", found.pk)


@_allowed(ADD)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up a preview; nothing was written and nothing will be."""
    found = _batch(request, pk)
    try:
        services.cancel_batch(batch=found)
    except WrongBatchMoveError:
        messages.warning(request, _("This import was confirmed or cancelled before."))
    else:
        messages.success(request, _("The import was cancelled. Nothing was written."))
    return redirect("imports:index")


@_allowed(ADD)
@require_GET
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """The workbook in which a kind is filled in."""
    resource = resource_for(kind)
    if resource is None:
        raise Http404
    if not _user(request).has_perm(resource.permission):
        raise PermissionDenied
    response = HttpResponse(blank_workbook(resource), content_type=XLSX)
    name = _("%(kind)s - template") % {"kind": resource.label}
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.xlsx")
    response["Content-Disposition"] = disposition or "attachment"
    return response
