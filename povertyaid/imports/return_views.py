"""Giving out a list for return: choose kind, school and semester, and get the workbook with the present values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from povertyaid.audit.models import AccessLog
from povertyaid.audit.services import log_access
from povertyaid.imports.forms import allowed_kinds
from povertyaid.imports.models import ReturnSheet
from povertyaid.imports.resources import SheetResource, resource_for
from povertyaid.imports.return_workbook import return_workbook
from povertyaid.imports.returning import give_out, shape_for_return
from povertyaid.imports.schoolbook import SchoolBook, import_scope
from povertyaid.imports.views import ADD, XLSX, _allowed, _user
from povertyaid.lib import periods
from povertyaid.schools.admin_base.presets import semester_choices
from povertyaid.schools.models import School

if TYPE_CHECKING:
    from django.http import HttpRequest

    from povertyaid.schools.models import User

# Rows of one list; a school has no more, and a county gives out one list a school.
MOST_ROWS = 5_000
_LATEST = 20


def may_give_out(user: User, resource: SheetResource) -> bool:
    """Whether an account may take the records of a kind out, and send them back."""
    label = resource.model._meta
    return (
        shape_for_return(resource.kind) is not None
        and user.has_perm(resource.permission)
        and user.has_perm(f"{label.app_label}.export_{label.model_name}")
    )


class ReturnForm(forms.Form):
    """Which list: its kind, for which school, as of which semester."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of list"))
    school = forms.ModelChoiceField(
        School.objects.none(),
        label=gettext_lazy("School"),
        required=False,
        empty_label=gettext_lazy("whole county"),
    )
    period = forms.ChoiceField(label=gettext_lazy("Semester"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        """Offer what the account may give out, of its own schools."""
        super().__init__(*args, **kwargs)
        kind, school, period = self.fields["kind"], self.fields["school"], self.fields["period"]
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [
                (found.kind, found.label) for found in allowed_kinds(user) if may_give_out(user, found)
            ]
        if isinstance(school, forms.ModelChoiceField):
            own = SchoolBook(user).schools
            school.queryset = School.objects.visible_to(user).filter(pk__in=[found.pk for found in own])
            if len(own) == 1:
                school.initial = own[0].pk
        if isinstance(period, forms.ChoiceField):
            period.choices = semester_choices()
            period.initial = periods.semester_of(timezone.localdate())
        self._user = user

    def clean(self) -> dict[str, Any]:
        """Only a list that can come back: of a school for which the account may import, or of the county's own."""
        cleaned = super().clean() or {}
        resource = resource_for(cleaned.get("kind", ""))
        if resource is None or "school" in self.errors:
            return cleaned
        scope = import_scope(self._user, resource.model._meta.label_lower)
        own = SchoolBook(self._user, scope=scope).schools
        school = cleaned.get("school")
        if school is None and not (scope.everything or scope.county_ids):
            if len(own) == 1:
                cleaned["school"] = own[0]
            else:
                self.add_error("school", _("Choose the school whose list it is."))
        elif school is not None and school.pk not in {found.pk for found in own}:
            self.add_error("school", _("You do not import such lists for this school."))
        return cleaned


@_allowed(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def returns(request: HttpRequest) -> HttpResponse:
    """The form, and below the lists that were given out; POST gives the workbook."""
    user = _user(request)
    form = ReturnForm(request.POST or None, user=user)
    if request.method == "POST":
        wanted = resource_for(request.POST.get("kind", ""))
        if wanted is not None and not may_give_out(user, wanted):
            raise PermissionDenied
        if form.is_valid() and wanted is not None:
            answer = _workbook(form, wanted, user)
            if answer is not None:
                return answer
    known = (
        ReturnSheet.objects.visible_to(user).select_related("school", "owner").order_by("-created_at", "-pk")
    )
    sheets = [
        (sheet, resource.label if (resource := resource_for(sheet.kind)) is not None else sheet.kind)
        for sheet in known[:_LATEST]
    ]
    context = {
        **admin.site.each_context(request),
        "title": _("Lists for return"),
        "form": form,
        "sheets": sheets,
    }
    return render(request, "imports/returns.html", context)


def _workbook(form: ReturnForm, resource: SheetResource, user: User) -> HttpResponse | None:
    """The workbook, registered and logged; None after telling at the form why there is none."""
    school, period = form.cleaned_data["school"], form.cleaned_data["period"]
    shape = shape_for_return(resource.kind)
    queryset = shape.listed(user, school, period) if shape is not None else None
    scope = import_scope(user, resource.model._meta.label_lower)
    if queryset is not None and not scope.everything:
        # What another role merely shows could not come back.
        queryset = queryset.filter(resource.model.scope_filter(scope))
    records = list(queryset[: MOST_ROWS + 1]) if queryset is not None else []
    if shape is None or not records:
        form.add_error(None, _("There is no such record yet, so that there is nothing to correct."))
        return None
    if len(records) > MOST_ROWS:
        text = _("There are more than %(most)d records. Choose a school, and give out one list a school.")
        form.add_error("school", text % {"most": MOST_ROWS})
        return None
    sheet, rows = give_out(resource=shape, user=user, school=school, period=period, records=records)
    log_access(
        AccessLog.Action.EXPORT,
        user=user,
        model=resource.model._meta.label_lower,
        detail={"return": sheet.token, "rows": len(rows), "format": "xlsx"},
    )
    response = HttpResponse(return_workbook(shape, sheet, rows), content_type=XLSX)
    name = _("%(kind)s - for return") % {"kind": resource.label}
    place = school.name if school is not None else sheet.county.name
    disposition = content_disposition_header(as_attachment=True, filename=f"{place}{name}.xlsx")
    response["Content-Disposition"] = disposition or "attachment"
    return response
