"""Exports of lists: the visible records, masked; whole values need a permission and a reason, and are logged."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields, resources, widgets
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, XLSX

from povertyaid.lib.fields import PhoneField, Sensitive
from povertyaid.lib.masks import mask_phone
from povertyaid.schools.admin_base.reasons import ReasonField
from povertyaid.schools.admin_base.rights import within_rights
from povertyaid.schools.signals import accessed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models import QuerySet

CHUNK = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class MaskedColumn(fields.Field):  # type: ignore[misc]
    """A column by attribute path; a callable of the admin or the model may stand in for the path.

    Sensitive values and telephone numbers come masked unless the export was granted whole values.
    """

    def __init__(self, *, path: str, label: str, last: Any, admin: Any, whole: bool) -> None:
        super().__init__(attribute=path, column_name=label, readonly=True, widget=widgets.CharWidget())
        self.path, self.last, self.admin, self.whole = path, last, admin, whole

    def export(self, instance: models.Model, **kwargs: Any) -> Any:
        """Return the cell: text, a number of money, or a date."""
        del kwargs
        return self._shown(self._value(instance))

    def _value(self, instance: models.Model) -> Any:
        own = own_column(self.admin, self.path)
        if own is not None:
            return own(instance)
        value: Any = instance
        *parents, name = self.path.split("__")
        for parent in parents:
            value = getattr(value, parent)
            if value is None:
                return ""
        display = getattr(value, f"get_{name}_display", None)
        found = display() if display else getattr(value, name)
        return found() if callable(found) else found

    def _shown(self, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, Sensitive):
            return value.clear if self.whole else str(value)
        if isinstance(self.last, PhoneField):
            return str(value) if self.whole else mask_phone(str(value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, Decimal | int):
            return value
        return neutral(str(value))


def own_column(admin: Any, path: str) -> Callable[[Any], Any] | None:
    """Return the admin's display method of that name; a column of the record (`form`, `action`) goes before it."""
    if any(field.name == path for field in admin.model._meta.concrete_fields):
        return None
    own = getattr(admin, path, None)
    return own if callable(own) else None


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula (an apostrophe in front, as a person would type it)."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def export_resource(admin: Any, *, whole: bool) -> resources.Resource:
    """Make the columns of an admin's `export_fields`: paths of fields, or names of its own display methods."""
    resource = resources.Resource()
    for path in admin.export_fields:
        last, label = _last_field(admin, path)
        resource.fields[path] = MaskedColumn(path=path, label=label, last=last, admin=admin, whole=whole)
    return resource


def _last_field(admin: Any, path: str) -> tuple[Any, str]:
    own = own_column(admin, path)
    if own is not None:
        return None, str(getattr(own, "short_description", path))
    model, field = admin.model, None
    for name in path.split("__"):
        field = model._meta.get_field(name)
        model = field.related_model or model
    return field, str(getattr(field, "verbose_name", path))


class Workbook(XLSX):  # type: ignore[misc]
    """An .xlsx file whose amounts stay numbers; the columns have neutralised formulas already."""

    def _escape_formulae(self, dataset: Any) -> None:
        """Leave the cells alone: import-export would cut off a sign and turn amounts into text."""


class CsvWithMark(CSV):  # type: ignore[misc]
    """CSV in UTF-8 with a byte order mark: without it Excel shows Chinese as rubbish."""

    def _escape_formulae(self, dataset: Any) -> None:
        """As in Workbook."""

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        return b"\xef\xbb\xbf" + str(super().export_data(dataset, **kwargs)).encode()


class OfficeExportForm(forms.Form):
    """Format, and why whole values are needed."""

    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=[("xlsx", "Excel (.xlsx)"), ("csv", "CSV")])
    whole = forms.BooleanField(
        label=gettext_lazy("With whole numbers"),
        required=False,
        help_text=gettext_lazy("Identity numbers, accounts and telephone numbers unmasked; the log records it."),
    )
    reason = ReasonField(required=False)

    def __init__(self, *args: Any, may_reveal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_reveal:
            del self.fields["whole"], self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("whole") and not cleaned.get("reason") and "reason" not in self.errors:
            self.add_error("reason", _("Whole numbers need a reason."))
        return cleaned


class ScopedExportMixin(ExportMixin):  # type: ignore[misc]
    """Adds “Export” to a list: `export_fields` names the columns; filters and search of the list apply.

    Needs the permission “export”; whole values need “reveal” and a reason besides.
    """

    import_export_change_list_template = "admin/change_list.html"
    export_template_name = "admin/export.html"
    export_fields: Sequence[str] = ()
    formats = [Workbook, CsvWithMark]

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Ask for the format, then send the file and log it."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        may_reveal = self.has_reveal_permission(request)
        form = OfficeExportForm(request.POST or None, may_reveal=may_reveal)
        queryset = within_rights(self.get_export_queryset(request), request.user, "export")
        if request.method == "POST" and form.is_valid():
            return self._file(request, queryset, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export: %(kind)s") % {"kind": self.opts.verbose_name_plural},
            "form": form,
            "count": queryset.count(),
            "labels": [_last_field(self, path)[1] for path in self.export_fields],
            "opts": self.opts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.export_template_name, context)

    def _file(self, request: HttpRequest, queryset: QuerySet[Any], chosen: dict[str, Any]) -> HttpResponse:
        whole = bool(chosen.get("whole"))
        if whole:
            queryset = within_rights(queryset, request.user, "reveal")
        file_format = Workbook() if chosen["format"] == "xlsx" else CsvWithMark()
        dataset = export_resource(self, whole=whole).export(queryset=_in_chunks(queryset))
        data = self._written(file_format, dataset)
        detail = {"rows": len(dataset), "format": chosen["format"], "whole": whole}
        accessed.send(
            sender=type(self),
            action="export",
            user=request.user,
            model=self.model._meta.label_lower,
            detail=detail,
            reason=chosen.get("reason", ""),
        )
        kind, today = self.opts.verbose_name_plural, timezone.localdate()
        name = f"{kind}-{today:%Y%m%d}.{file_format.get_extension()}"
        response = HttpResponse(data, content_type=file_format.get_content_type())
        disposition = content_disposition_header(as_attachment=True, filename=name)
        response["Content-Disposition"] = disposition or "attachment"
        response["Cache-Control"] = "no-store"
        return response

    @staticmethod
    def _written(file_format: Any, dataset: Any) -> bytes:
        written = file_format.export_data(dataset)
        return written if isinstance(written, bytes) else str(written).encode()


def _in_chunks(queryset: QuerySet[Any]) -> _Rows:
    return _Rows(queryset)


class _Rows:
    """Reads a queryset in chunks; import-export's own way drops the prefetching of a large one."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self.queryset = queryset

    def __iter__(self) -> Iterator[Any]:
        return self.queryset.iterator(chunk_size=CHUNK)
