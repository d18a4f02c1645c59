"""Pages of villages, households and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from households.forms import ConstraintFormSet, IdentityForm
from households.gaps import without_head
from households.models import Assignment, Household, IncomeYear, Member, Relation, Village
from households.services import assign
from povertyaid.schools.admin_base import ScopedRelatedFilter, ScopedTabularInline
from povertyaid.schools.admin_base.office import OfficeAdmin
from povertyaid.schools.admin_base.presets import Preset, home_school
from povertyaid.schools.admin_base.simple_filters import ChoiceFilter, Choices

if TYPE_CHECKING:
    from django.http import HttpRequest


class TownshipFilter(ChoiceFilter):
    """Townships of the visible villages. Subclass with the `path` to the township."""

    title = _("township")
    parameter_name = "township"
    path = "township"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names = Village.objects.visible_to(request.user).order_by("township")
        return [(name, name) for name in names.values_list("township", flat=True).distinct()]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(**{self.path: value})


class VillageTownshipFilter(TownshipFilter):
    path = "village__township"


class HouseholdGapFilter(ChoiceFilter):
    """What a household lacks (the list of gaps)."""

    title = _("what is missing")
    parameter_name = "gap"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("head", _("without a head")),
            ("members", _("without members")),
            ("number", _("without a registry number")),
            ("size", _("fewer or more members than in the registry")),
        ]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "head":
            return queryset.filter(without_head())
        if value == "members":
            return queryset.exclude(pk__in=Member.objects.filter(left_on__isnull=True).values("household"))
        if value == "number":
            return queryset.filter(number="")
        return queryset.filter(declared_size__isnull=False).exclude(declared_size=_members_count())


class MemberGapFilter(ChoiceFilter):
    """What a member's record lacks."""

    title = _("what is missing")
    parameter_name = "gap"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("identity", _("without an identity number")),
            ("birth", _("without a date of birth")),
            ("health", _("health not entered")),
            ("labour", _("ability to work not entered")),
        ]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        gaps = {
            "identity": Q(identity_hash=""),
            "birth": Q(birth_date__isnull=True),
            "health": Q(health=""),
            "labour": Q(labour=""),
        }
        return queryset.filter(gaps[value])


def _living(**conditions: Any) -> QuerySet[Member]:
    """Members who live in the household of the outer query. Whoever sees the household sees its members."""
    return Member.objects.filter(household=OuterRef("pk"), left_on__isnull=True, **conditions).order_by()


def _members_count(**conditions: Any) -> Coalesce:
    counted = _living(**conditions).values("household").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


@admin.register(Village)
class VillageAdmin(OfficeAdmin):
    list_display = ("name", "township", "households_count")
    list_filter = (TownshipFilter,)
    search_fields = ("name", "township")
    fields = ("township", "name", "county")
    export_fields = ("township", "name", "households_count")

    def get_queryset(self, request: HttpRequest) -> Any:
        counted = (
            Household.objects.visible_to(request.user)
            .filter(village=OuterRef("pk"))
            .order_by()
            .values("village")
            .annotate(count=Count("pk"))
            .values("count")
        )
        villages = super().get_queryset(request)
        return villages.annotate(households_count=Coalesce(Subquery(counted), 0))

    @admin.display(description=_("households"), ordering="households_count")
    def households_count(self, village: Any) -> int:
        return int(village.households_count)


class MemberInline(ScopedTabularInline):
    model = Member
    form = IdentityForm
    formset = ConstraintFormSet
    fields = ("name", "relation_to_head", "identity", "sex", "birth_date", "health")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A new household begins with rows to fill in; an old one gets them by “add another”."""
        return 0 if obj else 3


class IncomeInline(ScopedTabularInline):
    model = IncomeYear
    formset = ConstraintFormSet
    fields = ("year", "amount")
    classes = ("collapse",)
    show_change_link = False


class AssignmentInline(Preset, ScopedTabularInline):
    model = Assignment
    formset = ConstraintFormSet
    fields = ("school", "start_on")
    classes = ("collapse",)
    autocomplete_fields = ("school",)
    show_change_link = False


@admin.register(Household)
class HouseholdAdmin(OfficeAdmin):
    list_display = (
        "head",
        "number",
        "village",
        "category",
        "monitored_type",
        "members_count",
        "pupils_count",
    )
    list_display_links = ("head", "number")
    list_filter = (
        VillageTownshipFilter,
        ("village", ScopedRelatedFilter),
        "category",
        "monitored_type",
        "cause",
        HouseholdGapFilter,
        ("exited_on", admin.EmptyFieldListFilter),
    )
    list_select_related = ("village",)
    search_fields = ("number", "address", "village__name")
    search_people = ("members",)
    sensitive_search = (("members__identity", "members__identity_hash", "members__identity_last4"),)
    autocomplete_fields = ("village",)
    inlines = (MemberInline, IncomeInline, AssignmentInline)
    fieldsets = (
        (None, {"fields": ("village", "category", "monitored_type", "cause", "number")}),
        (
            _("Address and housing"),
            {"classes": ("collapse",), "fields": ("address", "phone", "dangerous_house", "safe_water")},
        ),
        (
            _("Registry"),
            {
                "classes": ("collapse",),
                "fields": (
                    "declared_size",
                    ("identified_on", "identified_precision"),
                    ("risk_on", "risk_precision"),
                    ("risk_cleared", "risk_cleared_on"),
                    "exited_on",
                    "note",
                ),
            },
        ),
    )
    export_fields = (
        "number",
        "head",
        "village__township",
        "village__name",
        "category",
        "monitored_type",
        "cause",
        "members_count",
        "pupils_count",
        "address",
        "phone",
        "identified_on",
        "exited_on",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        heads = _living(relation_to_head=Relation.HEAD)
        households = super().get_queryset(request).select_related("village")
        return households.annotate(
            head_name=Subquery(heads.values("name")[:1]),
            head_key=Subquery(heads.values("name_key")[:1]),
            members_count=_members_count(),
            pupils_count=_members_count(student__isnull=False),
        )

    def derive(self, request: HttpRequest, instance: Household) -> None:
        """A household lies in the county of its village."""
        instance.county = instance.village.county

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Assign a household that a school enters to the school: otherwise it would vanish from its list."""
        super().save_related(request, form, formsets, change)
        school = None if change else home_school(request.user)
        if school is not None and not Assignment.objects.filter(household=form.instance).exists():
            assign(household=form.instance, school=school)

    @staticmethod
    def autocomplete_label(household: Any) -> str:
        """Head, village and number: a number alone tells nobody which household it is."""
        head = household.head_name or _("no head")
        return " · ".join(filter(None, (str(head), str(household.village), household.number)))

    @admin.display(description=_("head of the household"), ordering="head_key", empty_value="—")
    def head(self, household: Any) -> str | None:
        return household.head_name or None

    @admin.display(description=_("members"), ordering="members_count")
    def members_count(self, household: Any) -> int:
        return int(household.members_count)

    @admin.display(description=_("pupils"), ordering="pupils_count")
    def pupils_count(self, household: Any) -> int:
        return int(household.pupils_count)


@admin.register(Member)
class MemberAdmin(OfficeAdmin):
    form = IdentityForm
    list_display = (
        "name",
        "relation_to_head",
        "household",
        "village",
        "sex",
        "birth_date",
        "identity",
        "health",
        "labour",
        "student_status",
    )
    list_filter = (
        ("household__village", ScopedRelatedFilter),
        "relation_to_head",
        "health",
        "labour",
        MemberGapFilter,
        ("left_on", admin.EmptyFieldListFilter),
    )
    filter_lookups = ("household",)
    list_select_related = ("household__village",)
    search_people = True
    sensitive_search = (("identity", "identity_hash", "identity_last4"),)
    search_fields = ("household__number",)
    autocomplete_fields = ("household",)
    fieldsets = (
        (None, {"fields": ("household", "name", "relation_to_head", "identity", ("sex", "birth_date"))}),
        (
            _("Health, school and work"),
            {"fields": ("health", "labour", "student_status", "education", "work_months")},
        ),
        (
            _("More"),
            {
                "classes": ("collapse",),
                "fields": (
                    "ethnic_group",
                    "phone",
                    "insured",
                    "person_number",
                    ("identified_on", "identified_precision"),
                    "left_on",
                ),
            },
        ),
    )
    export_fields = (
        "household__number",
        "person_number",
        "name",
        "relation_to_head",
        "identity",
        "sex",
        "birth_date",
        "ethnic_group",
        "education",
        "student_status",
        "health",
        "labour",
        "work_months",
        "phone",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("household__village")

    @staticmethod
    def autocomplete_label(member: Any) -> str:
        """Name, relation and household tell namesakes apart."""
        return f"{member.name} · {member.get_relation_to_head_display()} · {member.household}"

    @admin.display(description=_("village"), ordering="household__village")
    def village(self, member: Member) -> Village:
        return member.household.village
