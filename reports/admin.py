"""The form in which the office writes its own text of a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.periods import Period, PeriodError
from povertyaid.schools.admin_base import ScopedAdmin, ScopedModelForm, ScopedRelatedFilter
from povertyaid.schools.models import School, User
from povertyaid.schools.scope import scope_of
from reports.forms import period_choices
from reports.models import Summary

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class SummaryForm(ScopedModelForm):
    """Offers the periods that somebody would write about now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "period" in self.fields:
            choices = period_choices(timezone.localdate(), keep=self.instance.period)
            self.fields["period"] = forms.ChoiceField(label=self.fields["period"].label, choices=choices)
        for name in ("problems", "next_steps"):
            if name in self.fields:
                self.fields[name].widget.attrs.update(rows=8, cols=80)


@admin.register(Summary)
class SummaryAdmin(ScopedAdmin):
    """Own text beside the figures: basis, problems, next steps, date. Figures are never typed."""

    form = SummaryForm
    change_list_template = "reports/change_list.html"
    list_display = ("period_label", "writer", "issued_on", "sealed", "open_paper")
    list_display_links = ("period_label",)
    list_filter = (("school", ScopedRelatedFilter), "period")
    list_select_related = ("school", "county")
    autocomplete_fields = ("school", "basis")
    readonly_fields = ("open_paper", "writer", "period_label")
    _own: tuple[Any, ...] = (
        (_("Own text"), {"fields": ("problems", "next_steps")}),
        (_("Date and seal"), {"fields": (("issued_on", "sealed"),)}),
    )
    add_fieldsets = ((None, {"fields": ("school", "period", "basis")}), *_own)
    # School and period name the summary: they are chosen once.
    fieldsets = ((None, {"fields": ("writer", "period_label", "open_paper", "basis")}), *_own)

    @admin.display(description=_("period"), ordering="period")
    def period_label(self, summary: Summary) -> str:
        try:
            return Period.parse(summary.period).label
        except PeriodError:
            return summary.period

    @admin.display(description=_("whose summary"), ordering="school")
    def writer(self, summary: Summary) -> str:
        return summary.school.name if summary.school else summary.county.bureau_name

    @admin.display(description=_("paper"))
    def open_paper(self, summary: Summary) -> SafeString:
        """Link to the page that shows the summary as it will print."""
        if not summary.pk:
            return mark_safe("—")
        return format_html('<a href="{}">{}</a>', reverse("reports:summary", args=[summary.pk]), _("Open the paper"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("school", "county")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Preset the account's school."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        scope = scope_of(request.user)
        if not scope.county_ids and len(scope.school_ids) == 1:
            initial.setdefault("school", next(iter(scope.school_ids)))
        elif not scope.county_ids and scope.home_school_ids:
            initial.setdefault("school", next(iter(scope.home_school_ids)))
        return initial

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A school account writes for a school of its scope; only a county account may leave the school empty."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "school" and field is not None and isinstance(request.user, User):
            scope = scope_of(request.user)
            field.queryset = School.objects.visible_to(request.user).filter(pk__in=scope.schools)
            field.required = not scope.county_ids
        return field

    def derive(self, request: HttpRequest, instance: Any) -> None:
        """Take the county from the school, else from the account."""
        if instance.school_id:
            instance.county_id = instance.school.county_id
        elif not instance.county_id and isinstance(request.user, User):
            instance.county_id = next(iter(scope_of(request.user).county_ids), None)
