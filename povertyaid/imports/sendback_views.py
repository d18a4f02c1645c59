"""The refused rows of an import as a workbook, for download."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from povertyaid.imports.sendback import refused_workbook
from povertyaid.imports.views import ADD, XLSX, _allowed, _batch, _user
from povertyaid.lib.messages import MessageError

if TYPE_CHECKING:
    from django.http import HttpRequest


@_allowed(ADD)
@require_GET
def refused(request: HttpRequest, pk: int) -> HttpResponse:
    """The refused rows in the sender's own layout; what prevents it is told on the page of the batch."""
    found = _batch(request, pk)
    try:
        data = refused_workbook(found, _user(request))
    except MessageError as error:
        messages.error(request, str(error))
        return redirect("imports:batch", found.pk)
    response = HttpResponse(data, content_type=XLSX)
    name = _("%(name)s - refused rows") % {"name": PurePath(found.file.name).stem}
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.xlsx")
    response["Content-Disposition"] = disposition or "attachment"
    return response
