"""Pages of programmes, standards, disbursements and payments."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from aid.conditions import waiting_long
from aid.forms import DayForm, DisbursementForm, MoveDisbursementForm, MovePaymentForm, PaymentForm
from aid.models import Disbursement, Payment, Programme, Standard, WrongAidMoveError
from aid.services import may_change_national, move_payments, standard_in_force
from povertyaid.lib.money import yuan_table
from povertyaid.schools.admin_base import ScopedRelatedFilter, ScopedTabularInline
from povertyaid.schools.admin_base.asking import ActionForm, asking_action
from povertyaid.schools.admin_base.office import OfficeAdmin
from povertyaid.schools.admin_base.presets import Preset, semester_name
from povertyaid.schools.admin_base.simple_filters import ChoiceFilter, Choices, SemesterFilter

if TYPE_CHECKING:
    from django.http import HttpRequest

# What may still be corrected in the form; whatever was paid is corrected by a reversal.
OPEN_STATES = (Payment.State.WAITING, Payment.State.BANK_RETURNED, Payment.State.UNCOLLECTED)
MONEY_FIELDS = ("disbursement", "student", "household", "due", "paid", "paid_on", "stage", "tier")


class NationalReadOnly:
    """Mixin: what the nation lays down is changed by nobody who shares it with other counties."""

    @staticmethod
    def programme_of(obj: Any) -> Programme:
        return obj if isinstance(obj, Programme) else obj.programme

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and self._is_ours(obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and self._is_ours(obj)  # type: ignore[misc]

    def _is_ours(self, obj: Any) -> bool:
        return obj is None or self.programme_of(obj).county_id is not None or may_change_national()


class StandardInline(NationalReadOnly, Preset, ScopedTabularInline):
    model = Standard
    fields = ("stage", "tier", "amount", "valid_from", "valid_to")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("programme")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_add_permission(request, obj)) and self._is_ours(obj)


@admin.register(Programme)
class ProgrammeAdmin(NationalReadOnly, OfficeAdmin):
    list_display = ("name", "level", "source", "form", "boarding", "valid_from", "valid_to")
    list_filter = ("level", "source", "form")
    search_fields = ("name", "synonyms", "code")
    inlines = (StandardInline,)
    fieldsets = (
        (None, {"fields": ("name", ("level", "source"), ("form", "boarding"), "county")}),
        (
            _("More"),
            {"classes": ("collapse",), "fields": ("synonyms", "position", ("valid_from", "valid_to"))},
        ),
    )
    export_fields = (
        "code",
        "name",
        "synonyms",
        "level",
        "source",
        "form",
        "boarding",
        "valid_from",
        "valid_to",
    )

    def derive(self, request: HttpRequest, instance: Programme) -> None:
        """Give a programme of one's own a code: only national ones have names that machines know."""
        if not instance.code:
            instance.code = f"own-{uuid.uuid4().hex[:12]}"


@admin.register(Standard)
class StandardAdmin(NationalReadOnly, OfficeAdmin):
    list_display = ("programme", "stage", "tier", "amount", "from_semester", "to_semester")
    list_filter = (("programme", ScopedRelatedFilter), "stage")
    search_fields = ("programme__name", "tier")
    autocomplete_fields = ("programme",)
    fields = ("programme", ("stage", "tier"), "amount", ("valid_from", "valid_to"))
    export_fields = ("programme", "stage", "tier", "amount", "from_semester", "to_semester")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("programme")

    @admin.display(description=_("from semester"), ordering="valid_from")
    def from_semester(self, standard: Standard) -> str:
        return semester_name(standard.valid_from)

    @admin.display(description=_("to semester"), ordering="valid_to", empty_value="—")
    def to_semester(self, standard: Standard) -> str | None:
        return semester_name(standard.valid_to) or None


@admin.register(Disbursement)
class DisbursementAdmin(OfficeAdmin):
    form = DisbursementForm
    list_display = (
        "programme",
        "school",
        "semester_label",
        "number",
        "state",
        "payments_count",
        "due_total",
        "paid_total",
    )
    list_filter = (
        SemesterFilter,
        "state",
        ("programme", ScopedRelatedFilter),
        ("school", ScopedRelatedFilter),
    )
    search_fields = ("title", "programme__name", "school__name")
    autocomplete_fields = ("programme", "school")
    readonly_fields = ("state", "payments_link", "due_total", "paid_total")
    money_totals = ("due", "paid")
    actions = ("move",)
    export_fields = (
        "programme",
        "school",
        "semester_label",
        "number",
        "title",
        "state",
        "payments_count",
        "due_total",
        "paid_total",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        payments = Payment.objects.filter(disbursement=OuterRef("pk")).order_by().values("disbursement")
        counted = payments.filter(state__in=Payment.COUNTED)
        zero = Decimal(0)
        return (
            super()
            .get_queryset(request)
            .select_related("programme", "school")
            .annotate(
                payments_number=Coalesce(Subquery(payments.annotate(n=Count("pk")).values("n")), 0),
                due_sum=Coalesce(Subquery(payments.annotate(n=Sum("due")).values("n")), zero),
                paid_sum=Coalesce(Subquery(counted.annotate(n=Sum("paid")).values("n")), zero),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields: list[Any] = ["programme", "school", "semester"]
        if obj is not None:
            fields += ["state", "payments_link", ("due_total", "paid_total")]
        more = {"classes": ["collapse"], "fields": ["number", "title", "note"]}
        return [(None, {"fields": fields}), (_("More"), more)]

    def derive(self, request: HttpRequest, instance: Any) -> None:
        """Take the next number in the semester."""
        if instance.number is None:
            same = Disbursement.objects.filter(
                programme=instance.programme, school=instance.school, semester=instance.semester
            )
            instance.number = (same.aggregate(last=Max("number"))["last"] or 0) + 1

    def _totals(self, queryset: QuerySet[Any]) -> list[tuple[str, str]]:
        payments = Payment.objects.filter(disbursement__in=queryset.order_by().values("pk"))
        sums = payments.aggregate(due=Sum("due"), paid=Sum("paid", filter=Q(state__in=Payment.COUNTED)))
        return [
            (str(_("due (yuan)")), yuan_table(sums["due"] or Decimal(0))),
            (str(_("arrived (yuan)")), yuan_table(sums["paid"] or Decimal(0))),
        ]

    @staticmethod
    def autocomplete_label(disbursement: Any) -> str:
        return f"{disbursement} ({disbursement.number})"

    @admin.display(description=_("semester"), ordering="semester")
    def semester_label(self, disbursement: Disbursement) -> str:
        return semester_name(disbursement.semester)

    @admin.display(description=_("payments"), ordering="payments_number")
    def payments_count(self, disbursement: Any) -> int:
        return int(disbursement.payments_number)

    @admin.display(description=_("due (yuan)"), ordering="due_sum")
    def due_total(self, disbursement: Any) -> str:
        return yuan_table(disbursement.due_sum)

    @admin.display(description=_("arrived (yuan)"), ordering="paid_sum")
    def paid_total(self, disbursement: Any) -> str:
        return yuan_table(disbursement.paid_sum)

    @admin.display(description=_("payments"))
    def payments_link(self, disbursement: Any) -> str:
        """Return the ways to the paged list of payments and to a new one."""
        return format_html(
            '<a href="{}?disbursement__id__exact={}">{}</a> · <a href="{}?disbursement={}">{}</a>',
            reverse("admin:aid_payment_changelist"),
            disbursement.pk,
            gettext("all %(count)d payments") % {"count": disbursement.payments_number},
            reverse("admin:aid_payment_add"),
            disbursement.pk,
            gettext("Add a payment"),
        )

    @asking_action(
        _("Move to another state"),
        _("Move these disbursements? Each moves only where its steps lead."),
        MoveDisbursementForm,
    )
    def move(self, request: HttpRequest, records: QuerySet[Disbursement], entered: dict[str, Any]) -> None:
        done = left = 0
        for disbursement in records:
            try:
                disbursement.move(entered["state"])
                done += 1
            except WrongAidMoveError:
                left += 1
        label = Disbursement.State(entered["state"]).label
        if done:
            text = ngettext(
                "%(count)d disbursement is now: %(state)s.",
                "%(count)d disbursements are now: %(state)s.",
                done,
            )
            self.message_user(request, text % {"count": done, "state": label}, messages.SUCCESS)
        if left:
            text = ngettext(
                "%(count)d disbursement was left as is: its steps do not lead there.",
                "%(count)d disbursements were left as they are: their steps do not lead there.",
                left,
            )
            self.message_user(request, text % {"count": left}, messages.WARNING)


class PaymentSemesterFilter(SemesterFilter):
    path = "disbursement__semester"


class WaitingFilter(ChoiceFilter):
    """Payments that wait for long."""

    title = _("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("long", _("for more than 30 days"))]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(waiting_long())


@admin.register(Payment)
class PaymentAdmin(OfficeAdmin):
    form = PaymentForm
    list_display = (
        "recipient",
        "programme",
        "semester_label",
        "school",
        "due",
        "paid",
        "state",
        "paid_on",
        "account",
    )
    list_filter = (
        PaymentSemesterFilter,
        "state",
        WaitingFilter,
        ("disbursement__programme", ScopedRelatedFilter),
        ("disbursement__school", ScopedRelatedFilter),
        "stage",
    )
    filter_lookups = ("disbursement", "student", "household")
    date_hierarchy = "paid_on"
    search_people = ("student",)
    search_fields = ("holder", "household__number")
    sensitive_search = (
        ("account", "account_hash", "account_last4"),
        ("student__identity", "student__identity_hash", "student__identity_last4"),
    )
    money_totals = ("due", "paid")
    autocomplete_fields = ("disbursement", "student", "household")
    readonly_fields = ("state",)
    actions = ("mark_arrived", "mark_signed", "move")
    fieldsets = (
        (None, {"fields": ("disbursement", "student", "household", ("due", "paid"), "paid_on", "state")}),
        (
            _("Account"),
            {"classes": ("collapse",), "fields": ("account", "bank", ("holder", "holder_relation"))},
        ),
        (_("More"), {"classes": ("collapse",), "fields": (("stage", "tier"), "note")}),
    )
    export_fields = (
        "recipient",
        "programme",
        "semester_label",
        "school",
        "stage",
        "tier",
        "due",
        "paid",
        "bank",
        "account",
        "holder",
        "holder_relation",
        "paid_on",
        "state",
        "note",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        payments = super().get_queryset(request)
        return payments.select_related(
            "student", "household", "disbursement__programme", "disbursement__school"
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whatever was paid or ended is corrected by a reversal, never by editing (DESIGN §3)."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None or obj.state in OPEN_STATES else (*fields, *MONEY_FIELDS)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Preset the standard of the disbursement from which somebody came."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        number = str(initial.get("disbursement", ""))
        if number.isdecimal() and "due" not in initial:
            disbursement = Disbursement.objects.visible_to(request.user).filter(pk=number).first()
            standard = disbursement and standard_in_force(
                programme=disbursement.programme,
                stage=disbursement.school.stages[0],
                semester=disbursement.semester,
                user=request.user,  # type: ignore[arg-type]
            )
            if standard:
                initial["due"] = standard.amount
        return initial

    def derive(self, request: HttpRequest, instance: Payment) -> None:
        """A payment with an amount paid has arrived (DESIGN §3); without a day, today."""
        if instance.state == Payment.State.WAITING and instance.paid is not None:
            instance.state = Payment.State.ARRIVED
        if instance.state == Payment.State.ARRIVED and instance.paid_on is None:
            instance.paid_on = timezone.localdate()

    def save_model(self, request: HttpRequest, obj: Payment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        wanted = obj.disbursement.programme.boarding
        if not change and wanted and obj.student is not None and obj.student.boarding != wanted:
            text = gettext(
                "%(programme)s is for %(kind)s, and %(student)s is entered as: %(boarding)s. Please check."
            )
            told = {
                "programme": obj.disbursement.programme,
                "kind": obj.disbursement.programme.get_boarding_display(),
                "student": obj.student,
                "boarding": obj.student.get_boarding_display(),
            }
            self.message_user(request, text % told, messages.WARNING)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A payment that was made is reversed, not deleted."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.state == Payment.State.WAITING)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Stop the deletion of several when one of them was made."""
        told, counts, missing, protected = super().get_deleted_objects(objs, request)
        made = [str(payment) for payment in objs if payment.state != Payment.State.WAITING]
        return told, counts, missing, [*protected, *made]

    @admin.display(description=_("pupil or household"), ordering="student__name_key")
    def recipient(self, payment: Payment) -> str:
        return str(payment.student or payment.household)

    @admin.display(description=_("programme"), ordering="disbursement__programme")
    def programme(self, payment: Payment) -> str:
        return str(payment.disbursement.programme)

    @admin.display(description=_("semester"), ordering="disbursement__semester")
    def semester_label(self, payment: Payment) -> str:
        return semester_name(payment.disbursement.semester)

    @admin.display(description=_("school"), ordering="disbursement__school")
    def school(self, payment: Payment) -> str:
        return str(payment.disbursement.school)

    @asking_action(
        _("Mark as arrived"),
        _("Have these payments arrived? Where no amount is entered, the amount due is taken."),
        DayForm,
    )
    def mark_arrived(self, request: HttpRequest, records: QuerySet[Payment], entered: dict[str, Any]) -> None:
        self._move(request, records, Payment.State.ARRIVED, entered["day"])

    @asking_action(_("Mark as signed for"), _("Have the families signed for these payments?"), ActionForm)
    def mark_signed(self, request: HttpRequest, records: QuerySet[Payment], entered: dict[str, Any]) -> None:
        del entered
        self._move(request, records, Payment.State.SIGNED, timezone.localdate())

    @asking_action(
        _("Move to another state"),
        _("Move these payments? Each moves only where its steps lead."),
        MovePaymentForm,
    )
    def move(self, request: HttpRequest, records: QuerySet[Payment], entered: dict[str, Any]) -> None:
        self._move(request, records, entered["state"], entered["day"])

    def _move(self, request: HttpRequest, records: QuerySet[Payment], state: str, day: Any) -> None:
        result = move_payments(payments=records, state=state, day=day, actor=request.user)  # type: ignore[arg-type]
        label = Payment.State(state).label
        if result.done:
            text = ngettext(
                "%(count)d payment is now: %(state)s.", "%(count)d payments are now: %(state)s.", result.done
            )
            self.message_user(request, text % {"count": result.done, "state": label}, messages.SUCCESS)
        if result.left:
            text = ngettext(
                "%(count)d payment was left as is: its steps do not lead there.",
                "%(count)d payments were left as they are: their steps do not lead there.",
                result.left,
            )
            self.message_user(request, text % {"count": result.left}, messages.WARNING)
