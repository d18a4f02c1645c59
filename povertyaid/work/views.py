"""What the progress bar asks for, and the button beside it. A work of somebody else's scope is not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from povertyaid.schools.models import User
from povertyaid.work import services
from povertyaid.work.models import Work
from povertyaid.work.words import sentence

if TYPE_CHECKING:
    from django.http import HttpRequest


def _find(request: HttpRequest, pk: int) -> tuple[Work, User]:
    user = request.user
    if not isinstance(user, User):
        raise Http404
    work: Work = get_object_or_404(Work.objects.visible_to(user), pk=pk)
    if work.owner_id != user.pk and not user.has_perm("work.view_work"):
        raise Http404
    return work, user


@never_cache
@login_required(login_url="admin:login")
@require_GET
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is: {"state", "text", "done", "total", "percent", "finished", "error"}; percent is null when unknown."""
    work, _user = _find(request, pk)
    now = services.status(work)
    return JsonResponse(
        {
            "state": now.state,
            "text": sentence(now),
            "done": now.done,
            "total": now.total,
            "percent": now.percent,
            "finished": now.finished,
            "error": now.error,
        }
    )


@never_cache
@login_required(login_url="admin:login")
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a work to stop, and go back to the page that showed it (`next`)."""
    work, user = _find(request, pk)
    if not work.is_live:
        messages.warning(request, _("This was finished before it could be stopped."))
    elif not services.may_cancel(work, user):
        raise PermissionDenied
    else:
        services.request_cancel(work)
        messages.info(request, _("It will stop at once; nothing of it is written."))
    back = request.POST.get("next", "")
    known = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if known else "admin:index")
