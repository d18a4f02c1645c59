"""Bulk actions that ask first and say afterwards what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from povertyaid.lib.messages import MessageError
from povertyaid.schools.admin_base.rights import within_rights

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

SHOWN = 20
SHOWN_FAILURES = 10

PerRecord = Callable[[Any, "HttpRequest", Any], None]


def confirmed_action(
    description: StrOrPromise,
    question: StrOrPromise,
    *,
    permissions: Sequence[str] = ("change",),
    refuses: tuple[type[Exception], ...] = (),
) -> Callable[[PerRecord], Callable[..., Any]]:
    """Make a bulk action of a method that acts on one record.

    The method gets (self, request, record), changes and saves the record by the model's own logic, and raises
    ValidationError, MessageError or one of `refuses` when the record cannot be treated so; such records are told one
    by one, the others are done. `permissions` as in django.contrib.admin.action.
    """

    expected: tuple[type[Exception], ...] = (ValidationError, MessageError, *refuses)

    def decorate(method: PerRecord) -> Callable[..., Any]:
        @wraps(method)
        def action(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
            for permission in permissions:
                queryset = within_rights(queryset, request.user, permission)
            if request.POST.get("confirmed") != "yes":
                return _ask(self, request, queryset, action_name=method.__name__, title=description, question=question)
            done, failed = 0, []
            with transaction.atomic():
                pks = list(queryset.order_by().values_list("pk", flat=True))
                for record in self.get_queryset(request).filter(pk__in=pks):
                    try:
                        with transaction.atomic():
                            method(self, request, record)
                        done += 1
                    except expected as error:
                        failed.append((record, error))
            _tell(self, request, title=description, done=done, failed=failed)
            return None

        action.short_description = description  # type: ignore[attr-defined]
        action.allowed_permissions = permissions  # type: ignore[attr-defined]
        return action

    return decorate


def _ask(
    admin: Any,
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    action_name: str,
    title: StrOrPromise,
    question: StrOrPromise,
) -> TemplateResponse:
    count = queryset.count()
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "question": question,
        "count": count,
        "records": list(queryset[:SHOWN]),
        "more": max(count - SHOWN, 0),
        "pks": list(queryset.values_list("pk", flat=True)),
        "action_name": action_name,
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        "opts": admin.opts,
        "media": admin.media,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/confirm_action.html", context)


def _tell(
    admin: Any, request: HttpRequest, *, title: StrOrPromise, done: int, failed: Sequence[tuple[Any, Exception]]
) -> None:
    if done:
        text = ngettext("%(action)s: done for %(count)d record.", "%(action)s: done for %(count)d records.", done)
        admin.message_user(request, text % {"action": title, "count": done}, messages.SUCCESS)
    for record, error in failed[:SHOWN_FAILURES]:
        if isinstance(error, ValidationError):
            why = " ".join(error.messages)
        elif isinstance(error, MessageError):
            why = str(error)
        else:
            why = _("not possible in its present state")
        admin.message_user(request, _("Not done for %(record)s: %(why)s") % {"record": record, "why": why}, messages.ERROR)
    if len(failed) > SHOWN_FAILURES:
        rest = len(failed) - SHOWN_FAILURES
        admin.message_user(request, _("Not done for %(count)d more.") % {"count": rest}, messages.ERROR)
