"""The pages of an import: send a file, look at what it would become, confirm or give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from povertyaid.imports.batch_page import BatchPage, kinds_label, page_of
from povertyaid.imports.blank_workbook import blank_workbook
from povertyaid.imports.forms import UploadForm, allowed_kinds
from povertyaid.imports.models import ImportBatch, WrongBatchMoveError
from povertyaid.imports.resources import resource_for, variants_of
from povertyaid.lib.messages import MessageError
from povertyaid.lib.sheets.child import told_limits
from povertyaid.schools.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

VIEW, ADD = "imports.view_importbatch", "imports.add_importbatch"
BATCHES_A_PAGE = 20
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


@_allowed(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Send a list; below, what was sent before."""
    user = _user(request)
    kinds = allowed_kinds(user) if user.has_perm(ADD) else []
    may_add = bool(kinds)
    form = UploadForm(request.POST or None, request.FILES or None, user=user) if may_add else None
    if request.method == "POST":
        wanted = resource_for(request.POST.get("kind", ""))
        if form is None or (wanted is not None and not user.has_perm(wanted.permission)):
            raise PermissionDenied
        if form.is_valid():
            opened = _open(form, user)
            if opened is not None:
                return redirect(page_of(opened))
    known = (
        ImportBatch.objects.visible_to(user).select_related("file", "school", "sender").defer("file__content")
    )
    page = Paginator(known.order_by("-created_at", "-pk"), BATCHES_A_PAGE).get_page(request.GET.get("p"))
    context = {
        **admin.site.each_context(request),
        "title": _("Import lists"),
        "form": form,
        "shapes": [shape for kind in kinds for shape in variants_of(kind.kind)],
        "page": page,
        "batches": [(item, kinds_label(item)) for item in page.object_list],
        "limits": told_limits(),
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
            kinds=[form.cleaned_data["kind"]] if form.cleaned_data["kind"] else [],
            office=form.cleaned_data["office"],
        )
    except MessageError as error:
        where = {"school": "school", "school_unknown": "school", "school_ambiguous": "school", "semester": "period",
                 "period": "period"}.get(error.code, "file")  # fmt: skip
        form.add_error(where, str(error))
        return None
    jobs.begin(jobs.PREPARE, batch=opened, user=user)
    opened.refresh_from_db()
    return opened


@_allowed(VIEW)
@require_GET
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """What a file would become, or became: counts, rows by state, problems beside their cells, repairs."""
    found = _batch(request, pk)
    page = BatchPage(found, _user(request), request.GET)
    return render(request, "imports/batch.html", {**admin.site.each_context(request), **page.context()})


@_allowed(ADD)
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at the kept file once more: after a failure, or when the records changed."""
    user = _user(request)
    found = _batch(request, pk)
    _may_import(found, user)
    try:
        jobs.begin(jobs.PREPARE, batch=found, user=user)
    except WrongBatchMoveError:
        messages.warning(request, _("This import was confirmed or cancelled before."))
    except MessageError as error:
        messages.error(request, str(error))
    return redirect("imports:batch", found.pk)


def _may_import(found: ImportBatch, user: User) -> None:
    """403 unless the account may import every kind of the batch."""
    for kind in found.kinds:
        resource = resource_for(kind)
        if resource is None or not user.has_perm(resource.permission):
            raise PermissionDenied


@_allowed(ADD)
@require_POST
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the good rows, or all or nothing (mode=all); back to the page of the batch with what happened."""
    user = _user(request)
    found = _batch(request, pk)
    _may_import(found, user)
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
    _may_import(found, _user(request))
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
