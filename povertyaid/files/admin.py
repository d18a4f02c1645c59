"""The register of documents that work rests on, and the files that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from povertyaid.files.models import Attachment, Document
from povertyaid.schools.admin_base import ScopedAdmin, ScopedModelForm, ScopedRelatedFilter
from povertyaid.schools.admin_base.presets import Preset, take_county
from povertyaid.schools.admin_base.reasons import ReasonField
from povertyaid.schools.scope import scope_of
from povertyaid.schools.signals import accessed

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.urls import URLPattern


SCANS = {b"%PDF-": ".pdf", b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}


def download_link(record: Attachment) -> str:
    """Return a link to the file itself."""
    return format_html('<a href="{}">{}</a>', reverse("admin:files_attachment_file", args=[record.pk]), record.name)


class DocumentForm(ScopedModelForm):
    """A document with its scan: a PDF, JPEG or PNG, known by its bytes and not by its name."""

    scan = forms.FileField(
        label=_("Scan"), required=False, help_text=_("PDF, JPG or PNG; a new file takes the place of the old one.")
    )

    class Meta:
        model = Document
        fields = ("title", "number", "issuer", "issued_on", "school")

    def clean_scan(self) -> Any:
        """Refuse what is too large or of another kind."""
        scan = self.cleaned_data.get("scan")
        if scan is None:
            return None
        if scan.size > settings.UPLOAD_LIMIT_BYTES:
            most = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
            raise ValidationError(_("The file is larger than %(most)s; scan it with fewer dots an inch.") % {"most": most})
        head = scan.read(8)
        scan.seek(0)
        if not any(head.startswith(magic) for magic in SCANS):
            raise ValidationError(_("Only PDF, JPG and PNG files can be stored here; this file is none of them."))
        return scan


class WholeFileForm(forms.Form):
    """Why somebody needs an imported list as it arrived."""

    reason = ReasonField()


@admin.register(Attachment)
class AttachmentAdmin(ScopedAdmin):
    """Files as they arrived. They come in where they are used (imports, documents), not here."""

    list_display = ("name", "school", "size_text", "owner", "created_at")
    list_filter = (("school", ScopedRelatedFilter), "created_at")
    list_select_related = ("school", "owner")
    search_fields = ("name", "digest")
    fields = ("name", "school", "size_text", "digest", "owner", "created_at", "download")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # A list must not load the bytes of fifty workbooks.
        queryset: QuerySet[Any] = super().get_queryset(request)
        return queryset.defer("content")

    @admin.display(description=_("size"), ordering="size")
    def size_text(self, record: Attachment) -> str:
        """Size in units that people read."""
        return filesizeformat(record.size)

    @admin.display(description=_("file"))
    def download(self, record: Attachment) -> str:
        """Where the file can be had."""
        return download_link(record)

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the file itself."""
        view = self.admin_site.admin_view(self.download_view)
        return [path("<int:pk>/file/", view, name="files_attachment_file"), *super().get_urls()]

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a file as it arrived, and log it; an imported list holds whole numbers, so that it asks for a reason."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = get_object_or_404(Attachment.objects.visible_to(request.user).defer("content"), pk=pk)
        if not record.content:
            text = _("The file was erased after the set time. Only its name and what became of it are kept.")
            messages.error(request, text)
            return redirect("admin:files_attachment_change", record.pk)
        reason = ""
        # Imports stand in a layer above: reached by the lookup string.
        if Attachment.objects.filter(pk=pk, batches__isnull=False).exists():
            if not self.has_reveal_permission(request, record):
                raise PermissionDenied
            form = WholeFileForm(request.POST or None)
            if request.method != "POST" or not form.is_valid():
                return self._ask(request, record, form)
            reason = form.cleaned_data["reason"]
        accessed.send(
            sender=type(self),
            action="export",
            user=request.user,
            record=record,
            detail={"file": True, "whole": bool(reason)},
            reason=reason,
        )
        # Never shown inside a page: what was sent to us may be made to look like one of ours.
        response = HttpResponse(record.get(), content_type="application/octet-stream")
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(record.name)}"
        response["Cache-Control"] = "no-store"
        return response

    def _ask(self, request: HttpRequest, record: Attachment, form: WholeFileForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Imported list with whole numbers: %(file)s") % {"file": record.name},
            "form": form,
            "opts": self.opts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/whole_file.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Document)
class DocumentAdmin(Preset, ScopedAdmin):
    """Documents on which recognition, payments and summaries rest."""

    form = DocumentForm

    list_display = ("title", "number", "issuer", "issued_on", "school")
    list_filter = (("school", ScopedRelatedFilter), "issued_on")
    list_select_related = ("school",)
    search_fields = ("title", "number", "issuer")
    fields = ("title", "number", "issuer", "issued_on", "school", "stored_scan", "scan")
    readonly_fields = ("stored_scan",)
    autocomplete_fields = ("school",)
    date_hierarchy = "issued_on"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Documents of the whole county are the bureau's to enter."""
        form = super().get_form(request, obj, change, **kwargs)
        school = form.base_fields.get("school")
        if school is not None and not scope_of(request.user).county_ids:
            school.required = True
        return form

    def derive(self, request: HttpRequest, instance: Document) -> None:
        """The county is the school's, else the account's own."""
        take_county(request, instance)

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        """Keep the scan encrypted beside the document."""
        scan = form.cleaned_data.get("scan")
        if scan is not None and request.user.has_perm("files.add_attachment"):
            stored = Attachment(county_id=obj.county_id, school_id=obj.school_id, name=scan.name[:200])
            stored.owner = request.user  # type: ignore[assignment]
            stored.put(scan.read())
            stored.save()
            obj.attachment = stored
        super().save_model(request, obj, form, change)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The input for a scan is only for who may send files."""
        names = super().get_fields(request, obj)
        may_send = request.user.has_perm("files.add_attachment") and self.has_change_permission(request, obj)
        return names if may_send else [name for name in names if name != "scan"]

    @admin.display(description=_("stored scan"))
    def stored_scan(self, record: Document) -> str:
        """A link to the file."""
        return download_link(record.attachment) if record.attachment_id and record.attachment else ""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change only what is one's own: everybody of the county sees its documents, the bureau keeps them."""
        return super().has_change_permission(request, obj) and _is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing."""
        return super().has_delete_permission(request, obj) and _is_own(request, obj)


def _is_own(request: HttpRequest, document: Document | None) -> bool:
    if document is None:
        return True
    scope = scope_of(request.user)
    if document.school_id is None:
        return scope.everything or document.county_id in scope.county_ids
    return scope.everything or scope.schools.filter(pk=document.school_id).exists()
