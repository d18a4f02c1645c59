"""Bulk actions that ask for something (a day, a class, another helper) on the page where they ask for confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.response import TemplateResponse

from povertyaid.schools.admin_base.rights import within_rights
from povertyaid.schools.admin_base.scoping import visible

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

SHOWN = 20
# Nothing is preset where each choice does something else: one click too many must not graduate a class.
UNCHOSEN = ("", "---------")


class ActionForm(forms.Form):
    """What an action asks for. Choices of records hold only what the account may know of."""

    def __init__(self, *args: Any, request: HttpRequest, records: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.records = records
        self.prepare()
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
                allowed = visible(field.queryset.model, request.user).order_by().values("pk")
                field.queryset = field.queryset.filter(pk__in=allowed)

    def prepare(self) -> None:
        """Set choices and presets that depend on `self.request` and `self.records`."""


ForAll = Callable[[Any, "HttpRequest", "QuerySet[Any]", dict[str, Any]], None]


def asking_action(
    description: StrOrPromise,
    question: StrOrPromise,
    form_class: type[ActionForm],
    *,
    permissions: Sequence[str] = ("change",),
) -> Callable[[ForAll], Callable[..., Any]]:
    """Make a bulk action of a method that acts on all chosen records with what the person entered.

    The method gets (self, request, records, entered), writes in one transaction and tells what happened with
    `message_user`; a ValidationError that it raises is told and nothing is written.
    """

    def decorate(method: ForAll) -> Callable[..., Any]:
        @wraps(method)
        def action(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
            for permission in permissions:
                queryset = within_rights(queryset, request.user, permission)
            pks = list(queryset.order_by().values_list("pk", flat=True))
            records = self.get_queryset(request).filter(pk__in=pks)
            sent = request.POST if request.POST.get("confirmed") == "yes" else None
            form = form_class(sent, request=request, records=records)
            if sent is not None and form.is_valid():
                try:
                    with transaction.atomic():
                        method(self, request, records, form.cleaned_data)
                except ValidationError as error:
                    for message in error.messages:
                        self.message_user(request, message, messages.ERROR)
                return None
            return _ask(
                self, request, records, form, title=description, question=question, name=method.__name__
            )

        action.short_description = description  # type: ignore[attr-defined]
        action.allowed_permissions = permissions  # type: ignore[attr-defined]
        return action

    return decorate


def _ask(
    admin: Any,
    request: HttpRequest,
    records: QuerySet[Any],
    form: ActionForm,
    *,
    title: StrOrPromise,
    question: StrOrPromise,
    name: str,
) -> TemplateResponse:
    pks = list(records.order_by().values_list("pk", flat=True))
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "question": question,
        "form": form,
        "count": len(pks),
        "records": list(records[:SHOWN]),
        "more": max(len(pks) - SHOWN, 0),
        "pks": pks,
        "action_name": name,
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        "opts": admin.opts,
        "media": admin.media + form.media,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/ask_action.html", context)
