"""The pages of a summary: entry, the paper, the lists behind its figures, and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from povertyaid.audit.models import AccessLog
from povertyaid.audit.services import log_access
from povertyaid.lib.pdf import PdfError
from povertyaid.lib.periods import Period
from povertyaid.schools.admin_base.rights import may_act_on
from povertyaid.schools.models import User
from reports.forms import NewSummaryForm
from reports.indicators import REGISTRY, Indicator, Ratio, UnknownIndicator, WrongFilter
from reports.indicators.base import Wording
from reports.lists import figure_list, total_text
from reports.models import Summary
from reports.paper import Paper
from reports.templatetags.papers import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

VIEW, EXPORT, ADD, CHANGE = (f"reports.{action}_summary" for action in ("view", "export", "add", "change"))
PER_PAGE = 30


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


def _summary(request: HttpRequest, pk: int) -> Summary:
    """Return a summary of the account's scope; a foreign one is not found."""
    records = Summary.objects.visible_to(_user(request)).select_related("county", "school", "basis")
    found: Summary = get_object_or_404(records, pk=pk)
    return found


@_allowed(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List the summaries of the scope; with the permission to add, a short form begins or opens one."""
    user = _user(request)
    form = NewSummaryForm(request.POST or None, user=user) if user.has_perm(ADD) else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.is_valid():
            return redirect("reports:summary", _open(form, user).pk)
    records = Summary.objects.visible_to(user).select_related("county", "school")
    page = Paginator(records.order_by("-period", "school__code", "pk"), PER_PAGE).get_page(request.GET.get("p"))
    context = {
        **admin.site.each_context(request),
        "title": _("Summaries"),
        "form": form,
        "page": page,
        "summaries": [(item, Period.parse(item.period).label) for item in page.object_list],
    }
    return render(request, "reports/index.html", context)


def _open(form: NewSummaryForm, user: User) -> Summary:
    """Return the summary that the form names; begin it when there is none."""
    known = Summary.objects.visible_to(user).filter(form.existing())
    found: Summary | None = known.first()
    if found is None:
        county, school = form.place()
        try:
            with transaction.atomic():
                found = Summary.objects.create(county=county, school=school, period=form.cleaned_data["period"])
        except IntegrityError:
            # Somebody else began it at the same moment.
            found = known.get()
    return found


@_allowed(VIEW)
@require_GET
def summary(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the summary as it will print; each figure leads to its records."""
    record = _summary(request, pk)
    paper = Paper.of(record)
    user = _user(request)

    def records_url(key: str, filters: dict[str, str]) -> str:
        address = reverse("reports:summary_records", args=[record.pk, key])
        return f"{address}?{urlencode(filters)}" if filters else address

    html = paper.html(
        records_url=records_url,
        toolbar=True,
        list_url=reverse("reports:index"),
        change_url=_change_url(record) if user.has_perm(CHANGE) and may_act_on(user, record, "change") else "",
        may_export=user.has_perm(EXPORT) and may_act_on(user, record, "export"),
        pdf_url=reverse("reports:summary_pdf", args=[record.pk]),
        html_url=reverse("reports:summary_html", args=[record.pk]),
        json_url=reverse("reports:summary_json", args=[record.pk]),
        remarks=_remarks(paper, record, records_url),
    )
    return HttpResponse(html)


def _change_url(record: Summary) -> str:
    try:
        return reverse("admin:reports_summary_change", args=[record.pk])
    except NoReverseMatch:
        return ""


def _remarks(
    paper: Paper, record: Summary, records_url: Callable[[str, dict[str, str]], str]
) -> list[tuple[str, str]]:
    """Return what to look at before printing: broken rules, pupils without a group, an empty plan."""
    found = [(str(rule), records_url(rule.key, {})) for rule in paper.broken_rules()]
    for group in paper.figures.groups("recognised_pupils", "primary_group"):
        if not group.token:
            text = _("%(count)s pupils in hardship have no group for statistics.") % {"count": group.value}
            found.append((text, records_url("recognised_pupils", {"primary_group": ""})))
    if not record.next_steps.strip():
        found.append((_("The next steps are not written yet."), _change_url(record)))
    if record.issued_on and record.issued_on < timezone.localdate(paper.figures.data_time):
        text = _("The date on the paper lies before the day of the data; set it when the paper is printed.")
        found.append((text, _change_url(record)))
    return found


@_allowed(VIEW)
@require_GET
def records(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """List the records behind a figure, narrowed by groups in the address (?level=special), 50 a page."""
    record = _summary(request, pk)
    paper = Paper.of(record)
    try:
        indicator = REGISTRY[key]
    except UnknownIndicator:
        raise Http404 from None
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": indicator.title,
        "indicator": indicator,
        "paper": paper,
        "summary": record,
    }
    if isinstance(indicator, Ratio):
        return render(request, "reports/ratio.html", context | _ratio(paper, indicator, record))
    filters = {name: request.GET.get(name, "") for name in request.GET if name != "p"}
    try:
        listing = figure_list(
            indicator,
            paper.target,
            paper.period,
            filters,
            user=_user(request),
            number=request.GET.get("p"),
        )
    except WrongFilter:
        raise Http404 from None
    context |= {
        "listing": listing,
        "value": total_text(listing.value),
        "filters": _told_filters(indicator, paper, filters),
        "query": urlencode(filters),
        "is_sum": indicator.measure.kind == "sum",
    }
    return render(request, "reports/records.html", context)


def _told_filters(indicator: Indicator, paper: Paper, filters: dict[str, str]) -> list[tuple[Any, str]]:
    """Return title and label of the groups that narrow a list."""
    records = indicator.records(paper.target, paper.period, filters)
    wording = Wording(paper.period)
    told_by = []
    for name, token in filters.items():
        breakdown = indicator.base.breakdown(name)
        told_by.append((breakdown.title, breakdown.label_in(records, wording) or token))
    return told_by


def _ratio(paper: Paper, ratio: Ratio, record: Summary) -> dict[str, Any]:
    """Return the two figures of a share with their lists."""
    parts = []
    for key in (ratio.part, ratio.whole):
        figure = paper.figures[key]
        parts.append((figure, reverse("reports:summary_records", args=[record.pk, key])))
    return {"value": told(paper.figures[ratio.key].value, ratio.unit), "parts": parts}


@_allowed(EXPORT)
@require_GET
def summary_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the paper as PDF; the export is logged."""
    record = _to_export(request, pk)
    paper = Paper.of(record)
    try:
        content = paper.pdf()
    except PdfError as error:
        messages.error(request, str(error))
        return redirect("reports:index")
    log_access(AccessLog.Action.PRINT, user=_user(request), record=record, detail={"format": "pdf"})
    return _file(content, "application/pdf", f"{paper.title}.pdf")


@_allowed(EXPORT)
@require_GET
def summary_html(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the paper as one file of HTML; the export is logged."""
    record = _to_export(request, pk)
    paper = Paper.of(record)
    content = paper.standalone_html().encode()
    log_access(AccessLog.Action.EXPORT, user=_user(request), record=record, detail={"format": "html"})
    return _file(content, "text/html; charset=utf-8", f"{paper.title}.html")


@_allowed(EXPORT)
@require_GET
def summary_json(request: HttpRequest, pk: int) -> HttpResponse:
    """Send figures and sections as JSON; the export is logged."""
    record = _to_export(request, pk)
    paper = Paper.of(record)
    content = paper.json()
    log_access(AccessLog.Action.EXPORT, user=_user(request), record=record, detail={"format": "json"})
    response = JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{paper.title}.json")
    return response


def _to_export(request: HttpRequest, pk: int) -> Summary:
    """Return a summary that a role of the account may export where it stands; 403 where it may only be read."""
    record = _summary(request, pk)
    if not may_act_on(_user(request), record, "export"):
        raise PermissionDenied
    return record


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response
