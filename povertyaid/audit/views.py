"""The page that shows a whole value: a permission, a reason, a line in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from povertyaid.audit import services
from povertyaid.audit.models import AccessLog
from povertyaid.lib.fields import EncryptedField, PhoneField, Sensitive
from povertyaid.schools.admin_base.reasons import ReasonField
from povertyaid.schools.admin_base.scoping import visible

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest

    from povertyaid.schools.models import User


class RevealForm(forms.Form):
    """Why somebody needs the whole value."""

    reason = ReasonField()


def _model(label: str) -> type[models.Model]:
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        raise Http404 from None
    if not admin.site.is_registered(model):
        raise Http404
    return model


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise Http404 from None
    if not isinstance(field, EncryptedField | PhoneField):
        raise Http404
    return field


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reveal(request: HttpRequest, label: str, pk: int, field_name: str) -> HttpResponse:
    """Ask for a reason, then show one whole value of one record and log it."""
    model = _model(label)
    field = _field(model, field_name)
    model_admin = admin.site.get_model_admin(model)
    may_reveal = getattr(model_admin, "has_reveal_permission", None)
    if may_reveal is None or not may_reveal(request):
        raise PermissionDenied
    record = get_object_or_404(visible(model, request.user), pk=pk)
    if not may_reveal(request, record):
        raise PermissionDenied
    form = RevealForm(request.POST or None)
    value = ""
    if request.method == "POST" and form.is_valid():
        stored = getattr(record, field.attname)
        value = stored.clear if isinstance(stored, Sensitive) else str(stored)
        user: User = request.user  # type: ignore[assignment]
        services.log_access(
            AccessLog.Action.REVEAL,
            user=user,
            record=record,
            detail={"field": field.name},
            reason=form.cleaned_data["reason"],
        )
    context = {
        **admin.site.each_context(request),
        "title": _("Whole number: %(field)s") % {"field": field.verbose_name},
        "record": record,
        "label": field.verbose_name,
        "opts": model._meta,
        "form": form,
        "value": value,
        "shown": bool(request.method == "POST" and form.is_valid()),
    }
    return TemplateResponse(request, "admin/reveal.html", context)
