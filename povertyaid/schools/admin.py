"""Pages of the bureau, its schools, classes, people, accounts and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import admin as account_pages
from django.contrib.auth.models import Group
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import periods
from povertyaid.schools.account_admin import AccountAdmin, RoleGrantAdmin
from povertyaid.schools.admin_base import ScopedAdmin, ScopedExportMixin, ScopedRelatedFilter
from povertyaid.schools.admin_base.presets import Preset, take_county
from povertyaid.schools.columns import masked_phone
from povertyaid.schools.models import (
    County,
    Department,
    RoleGrant,
    School,
    SchoolClass,
    Staff,
    User,
)
from povertyaid.schools.scope import scope_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

# What a role may do stands in roles.py alone: Django's page of groups is taken off (its module puts it there).
if admin.site.is_registered(account_pages.Group):  # type: ignore[attr-defined]
    admin.site.unregister(Group)
admin.site.register(User, AccountAdmin)
admin.site.register(RoleGrant, RoleGrantAdmin)


@admin.register(County)
class CountyAdmin(ScopedAdmin):
    """The bureau itself: its name stands on every paper."""

    list_display = ("name", "bureau_name", "title_words")
    search_fields = ("name",)
    fields = ("name", "bureau_name", "title_words")


@admin.register(School)
class SchoolAdmin(Preset, ScopedExportMixin, ScopedAdmin):
    """Schools, kindergartens, campuses and teaching points."""

    list_display = ("name", "code", "stage", "site", "township", "central_school")
    list_filter = ("stage", "site", "township")
    list_select_related = ("central_school",)
    search_fields = ("name", "short_names", "code")
    autocomplete_fields = ("central_school",)
    fieldsets = (
        (None, {"fields": ("name", "code", "short_names", "county")}),
        (_("Kind and place"), {"fields": ("stage", "site", "township", "central_school")}),
    )
    export_fields = ("code", "name", "short_names", "stage", "site", "township", "central_school__name")
    filter_lookups = ("central_school", "county")


class ClassSearch:
    """Finds classes as people write them: by school, by this year's name (三年级2班), by year of entry."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Return the classes that match every word."""
        year = periods.school_year_of(timezone.localdate())
        for word in search_term.split():
            found = Q(school__name__icontains=word) | Q(school__short_names__icontains=word)
            for stage, entry_year, number in self._kinds(request):
                one = SchoolClass(stage=stage, entry_year=entry_year, number=number)
                if word in one.name_in(year) or word == str(entry_year):
                    found |= Q(stage=stage, entry_year=entry_year, number=number)
            queryset = queryset.filter(found)
        return queryset, False

    @staticmethod
    def _kinds(request: HttpRequest) -> list[tuple[str, int, int]]:
        rows = SchoolClass.objects.visible_to(request.user).order_by("stage", "entry_year", "number")
        return list(rows.values_list("stage", "entry_year", "number").distinct())


@admin.register(SchoolClass)
class SchoolClassAdmin(ClassSearch, Preset, ScopedAdmin):
    """Classes by the year of entry; a new school year moves them up by itself."""

    list_display = ("class_name", "school", "stage", "entry_year", "number", "teacher", "pupils")
    list_filter = (("school", ScopedRelatedFilter), "stage", "entry_year")
    list_select_related = ("school", "teacher")
    search_fields = ("number",)
    autocomplete_fields = ("school", "teacher")
    fields = ("school", "stage", "entry_year", "number", "teacher")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Pupils are counted by a look-up string: they stand in a layer above.
        enrolled = Count("enrolments", filter=Q(enrolments__state="enrolled"))
        queryset: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = queryset.select_related("school", "teacher").annotate(pupils_count=enrolled)
        return counted

    @admin.display(description=_("class"), ordering="-entry_year")
    def class_name(self, record: SchoolClass) -> str:
        """Name of the class in this school year."""
        return str(record)

    @admin.display(description=_("pupils"), ordering="pupils_count")
    def pupils(self, record: Any) -> int:
        """Pupils who are enrolled now."""
        return int(record.pupils_count)

    @staticmethod
    def autocomplete_label(record: SchoolClass) -> str:
        """Every school has a 三年级2班."""
        return f"{record.school} {record}"


@admin.register(Department)
class DepartmentAdmin(Preset, ScopedAdmin):
    """Offices of schools and of the bureau."""

    list_display = ("name", "school")
    list_filter = (("school", ScopedRelatedFilter),)
    list_select_related = ("school",)
    search_fields = ("name", "school__name")
    autocomplete_fields = ("school",)
    fields = ("name", "school")

    def derive(self, request: HttpRequest, instance: Department) -> None:
        """The county is the school's, else the account's own."""
        take_county(request, instance)


@admin.register(Staff)
class StaffAdmin(Preset, ScopedExportMixin, ScopedAdmin):
    """People who act: one person is one record."""

    list_display = ("name", "post", "unit", "masked_phone", "is_leader", "has_account", "left_on")
    list_filter = (("school", ScopedRelatedFilter), "is_leader", ("left_on", admin.EmptyFieldListFilter))
    list_select_related = ("school",)
    search_people = True
    search_fields = ("post", "office", "school__name")
    autocomplete_fields = ("school", "account")
    fieldsets = (
        (None, {"fields": ("name", "post", "school", "office", "phone")}),
        (_("Further"), {"classes": ("collapse",), "fields": ("is_leader", "account", "left_on")}),
    )
    export_fields = ("name", "post", "school__name", "office", "phone", "is_leader", "left_on")
    filter_lookups = ("county",)

    masked_phone = masked_phone()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)
        return queryset.select_related("school")

    @admin.display(description=_("unit"), ordering="school")
    def unit(self, record: Staff) -> str:
        """The school, else the office."""
        return str(record.school or record.office)

    @admin.display(description=_("account"), boolean=True)
    def has_account(self, record: Staff) -> bool:
        """Whether the person can log in."""
        return record.account_id is not None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only who manages accounts may say whose an account is: roles follow from it."""
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.has_perm("schools.change_user") else [*fields, "account"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """People of no school are the bureau's to enter: a school would lose sight of them at once."""
        form = super().get_form(request, obj, change, **kwargs)
        school = form.base_fields.get("school")
        if school is not None and own_county_only_by_school(request):
            school.required = True
        return form

    def derive(self, request: HttpRequest, instance: Staff) -> None:
        """The county is the school's, else the account's own."""
        take_county(request, instance)

    @staticmethod
    def autocomplete_label(record: Staff) -> str:
        """Namesakes work at different schools."""
        return f"{record}  {record.school or record.office}".strip()


def own_county_only_by_school(request: HttpRequest) -> bool:
    """Say whether an account belongs to schools alone, not to the bureau."""
    return not scope_of(request.user).county_ids
