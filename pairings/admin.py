"""Pages of pairings, contacts and private notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, Max, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from households.models import Household, Member, Relation
from pairings.conditions import contacted_this_semester
from pairings.forms import ContactForm, EndPairingForm, HandoverForm, PairingForm, PrivateNoteForm
from pairings.models import Contact, Pairing, PrivateNote, WrongPairingMoveError
from pairings.services import end_pairings, hand_over
from povertyaid.schools.admin_base import (
    ScopedAdmin,
    ScopedRelatedFilter,
    ScopedTabularInline,
    confirmed_action,
)
from povertyaid.schools.admin_base.asking import asking_action
from povertyaid.schools.admin_base.office import OfficeAdmin
from povertyaid.schools.admin_base.simple_filters import ChoiceFilter, Choices
from povertyaid.schools.scope import scope_of
from students.models import Enrolment, Student

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

LAST_CONTACTS = 10


class HelpedFilter(ChoiceFilter):
    """Pupils or households."""

    title = _("who is helped")
    parameter_name = "helped"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("pupil", _("pupils")), ("household", _("households"))]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(student__isnull=value == "household")


class MineFilter(ChoiceFilter):
    """My caseload: the pairings in which the account's person is the helper."""

    title = _("caseload")
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("my caseload"))] if scope_of(request.user).staff_id else []

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(helper=scope_of(request.user).staff_id)


class ContactedFilter(ChoiceFilter):
    """Whether there was a contact this semester."""

    title = _("contact this semester")
    parameter_name = "contact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("with a contact")), ("none", _("without a contact"))]

    def narrow(self, request: HttpRequest, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        contacted = contacted_this_semester(timezone.localdate())
        return queryset.filter(contacted if value == "yes" else ~contacted)


class ContactInline(ScopedTabularInline):
    """The last contacts to read, and a row for a new one; all of them are a paged list of their own."""

    model = Contact
    form = ContactForm
    fields = ("date", "kind", "form", "minutes", "purpose")
    can_delete = False
    verbose_name_plural = _("last contacts")

    def get_queryset(self, request: HttpRequest) -> Any:
        contacts = super().get_queryset(request)
        match = request.resolver_match
        pairing = match.kwargs.get("object_id") if match else None
        if not str(pairing).isdecimal():
            return contacts.none()
        last = contacts.filter(pairing=pairing).order_by("-date", "-pk").values("pk")[:LAST_CONTACTS]
        return contacts.filter(pk__in=list(last.values_list("pk", flat=True))).order_by("-date", "-pk")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Old contacts are changed on their own page."""
        return False

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1 if obj else 0


@admin.register(Pairing)
class PairingAdmin(OfficeAdmin):
    form = PairingForm
    list_display = (
        "helped",
        "school_now",
        "place",
        "helper",
        "start_on",
        "state",
        "contacts_count",
        "last_contact",
    )
    list_display_links = ("helped",)
    list_filter = (
        MineFilter,
        "state",
        HelpedFilter,
        ContactedFilter,
        ("school", ScopedRelatedFilter),
        ("helper", ScopedRelatedFilter),
        "end_reason",
    )
    search_people = ("helper", "student", "household__members")
    search_fields = ("household__number",)
    autocomplete_fields = ("helper", "student", "household")
    inlines = (ContactInline,)
    actions = ("hand_over", "end", "pause", "resume")
    export_fields = (
        "helped",
        "place",
        "helper",
        "school",
        "start_on",
        "end_on",
        "state",
        "end_reason",
        "measures",
        "contacts_count",
        "last_contact",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        contacts = Contact.objects.filter(pairing=OuterRef("pk")).order_by().values("pairing")
        heads = Member.objects.filter(
            household=OuterRef("household"), relation_to_head=Relation.HEAD, left_on__isnull=True
        )
        live = Enrolment.objects.visible_to(request.user).filter(state=Enrolment.State.ENROLLED)
        enrolled = Prefetch(
            "student__enrolments", live.select_related("school", "school_class"), to_attr="live_enrolments"
        )
        return (
            super()
            .get_queryset(request)
            .select_related("helper", "student", "household__village", "school")
            .annotate(
                contacts_total=Coalesce(Subquery(contacts.annotate(count=Count("pk")).values("count")), 0),
                contacted_on=Subquery(contacts.annotate(last=Max("date")).values("last")),
                head_name=Subquery(heads.values("name")[:1]),
            )
            .prefetch_related(enrolled)
        )

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Leave out the names of helpers where there are thousands."""
        kept = super().get_list_filter(request)
        if not scope_of(request.user).county_ids:
            return kept
        return [item for item in kept if not isinstance(item, tuple) or item[0] != "helper"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["helper", "student", "household", "start_on", "measures"]
        more: list[Any] = ["start_precision"]
        if obj is None:
            return [(None, {"fields": fields}), (_("More"), {"classes": ["collapse"], "fields": more})]
        return [
            (None, {"fields": [*fields, "state", "all_contacts"]}),
            (_("More"), {"classes": ["collapse"], "fields": [*more, "end_on", "end_reason"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The state moves by actions; the end can be corrected once there is one."""
        fields = ["state", "all_contacts"]
        if obj is None or obj.state != Pairing.State.ENDED:
            fields += ["end_on", "end_reason"]
        return fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"start_on": timezone.localdate(), **super().get_changeform_initial_data(request)}

    def derive(self, request: HttpRequest, instance: Pairing) -> None:
        """The school that helps, and the county, are those of the helper."""
        instance.school = instance.helper.school
        instance.county = instance.helper.county

    @staticmethod
    def autocomplete_label(pairing: Any) -> str:
        return f"{pairing.helper.name} — {_helped(pairing)}"

    @admin.display(description=_("pupil or household"), ordering="student__name_key")
    def helped(self, pairing: Any) -> str:
        return _helped(pairing)

    @admin.display(description=_("class or village"), empty_value="—")
    def place(self, pairing: Any) -> str | None:
        if pairing.student is None:
            return str(pairing.household.village)
        return next((str(item.school_class or item.school) for item in pairing.student.live_enrolments), None)

    @admin.display(description=_("school"), empty_value="—")
    def school_now(self, pairing: Any) -> str | None:
        if pairing.student is None:
            return str(pairing.school) if pairing.school else None
        return next((item.school.name for item in pairing.student.live_enrolments), None)

    @admin.display(description=_("contacts"), ordering="contacts_total")
    def contacts_count(self, pairing: Any) -> int:
        return int(pairing.contacts_total)

    @admin.display(description=_("last contact"), ordering="contacted_on", empty_value="—")
    def last_contact(self, pairing: Any) -> Any:
        return pairing.contacted_on

    @admin.display(description=_("contacts"))
    def all_contacts(self, pairing: Any) -> str:
        """Return the way to the paged list of all contacts."""
        url = reverse("admin:pairings_contact_changelist")
        text = gettext("all %(count)d contacts") % {"count": pairing.contacts_total}
        return format_html('<a href="{}?pairing__id__exact={}">{}</a>', url, pairing.pk, text)

    # Bulk actions

    @asking_action(
        _("Hand over to another helper"),
        _("Hand these pairings over? They end for the old helper and begin for the new one on the same day."),
        HandoverForm,
    )
    def hand_over(self, request: HttpRequest, records: QuerySet[Pairing], entered: dict[str, Any]) -> None:
        count = 0
        for pairing in records:
            hand_over(pairing=pairing, helper=entered["helper"], on=entered["on"])
            count += 1
        text = ngettext(
            "%(count)d pairing handed over to %(helper)s.",
            "%(count)d pairings handed over to %(helper)s.",
            count,
        )
        self.message_user(request, text % {"count": count, "helper": entered["helper"]}, messages.SUCCESS)

    @asking_action(
        _("End pairings"), _("End these pairings? Their contacts stay in the records."), EndPairingForm
    )
    def end(self, request: HttpRequest, records: QuerySet[Pairing], entered: dict[str, Any]) -> None:
        result = end_pairings(pairings=records, reason=entered["reason"], end_on=entered["end_on"])
        if result.done:
            text = ngettext("%(count)d pairing ended.", "%(count)d pairings ended.", result.done)
            self.message_user(request, text % {"count": result.done}, messages.SUCCESS)
        if result.left:
            text = ngettext(
                "%(count)d pairing was left as is: it has ended already or began later.",
                "%(count)d pairings were left as they are: they have ended already or began later.",
                result.left,
            )
            self.message_user(request, text % {"count": result.left}, messages.WARNING)

    @confirmed_action(_("Pause pairings"), _("Pause these pairings?"), refuses=(WrongPairingMoveError,))
    def pause(self, request: HttpRequest, pairing: Pairing) -> None:
        pairing.move(Pairing.State.PAUSED)

    @confirmed_action(_("Resume pairings"), _("Resume these pairings?"), refuses=(WrongPairingMoveError,))
    def resume(self, request: HttpRequest, pairing: Pairing) -> None:
        pairing.move(Pairing.State.ACTIVE)


def _helped(pairing: Any) -> str:
    """Return the pupil, or the head of the household with its number."""
    if pairing.student_id:
        return str(pairing.student)
    return " ".join(filter(None, (pairing.head_name, str(pairing.household))))


@admin.register(Contact)
class ContactAdmin(OfficeAdmin):
    form = ContactForm
    list_display = ("date", "kind", "form", "helped", "helper", "minutes", "purpose")
    list_filter = ("kind", "form", ("pairing__school", ScopedRelatedFilter))
    filter_lookups = ("pairing",)
    date_hierarchy = "date"
    search_people = ("pairing__helper", "pairing__student")
    search_fields = ("pairing__household__number", "purpose")
    fieldsets = (
        (None, {"fields": ("pairing", ("date", "kind"), ("form", "minutes"), "purpose", "own_note")}),
        (_("More"), {"classes": ("collapse",), "fields": ("present", "done_by", "follow_up")}),
    )
    readonly_fields = ("own_note",)
    export_fields = ("date", "kind", "form", "helped", "helper", "minutes", "present", "purpose", "follow_up")

    def get_queryset(self, request: HttpRequest) -> Any:
        contacts = super().get_queryset(request)
        return contacts.select_related("pairing__helper", "pairing__student", "pairing__household", "done_by")

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        """A helper chooses from the own caseload, which is short; others search."""
        scope = scope_of(request.user)
        return ("pairing", "done_by") if scope.county_ids or scope.school_ids else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "pairing":
            kwargs["queryset"] = Pairing.objects.select_related("helper", "student", "household")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"date": timezone.localdate(), **super().get_changeform_initial_data(request)}

    @staticmethod
    def autocomplete_label(contact: Any) -> str:
        return f"{contact} · {contact.pairing.student or contact.pairing.household}"

    @admin.display(description=_("pupil or household"), ordering="pairing__student__name_key")
    def helped(self, contact: Contact) -> Student | Household | None:
        return contact.pairing.student or contact.pairing.household

    @admin.display(description=_("done by"), ordering="pairing__helper__name_key")
    def helper(self, contact: Contact) -> str:
        return (contact.done_by or contact.pairing.helper).name

    @admin.display(description=_("private note"))
    def own_note(self, contact: Any) -> str:
        """Return the way to the own note; whether others keep one is not told."""
        if contact.pk is None:
            return gettext("After saving you can add a note that only you see.")
        request_user = getattr(contact, "reader", None)
        note = (
            PrivateNote.objects.visible_to(request_user).filter(contact=contact).first()
            if request_user
            else None
        )
        if note is not None:
            url = reverse("admin:pairings_privatenote_change", args=[note.pk])
            return format_html('<a href="{}">{}</a>', url, gettext("Open my note"))
        url = reverse("admin:pairings_privatenote_add")
        return format_html(
            '<a href="{}?contact={}">{}</a>', url, contact.pk, gettext("Add a note that only I see")
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Remember who reads: the note on the page is that account's own."""
        contact = super().get_object(request, object_id, from_field)
        if contact is not None:
            contact.reader = request.user
        return contact

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the private note only to who may keep one."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.has_perm("pairings.add_privatenote"):
            return fieldsets
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name != "own_note"]})
            for title, options in fieldsets
        ]


@admin.register(PrivateNote)
class PrivateNoteAdmin(ScopedAdmin):
    """Only the author gets here; no search, no export, no history."""

    form = PrivateNoteForm
    list_display = ("contact", "helped", "updated_at")
    fields = ("contact", "text")
    autocomplete_fields = ("contact",)

    def get_queryset(self, request: HttpRequest) -> Any:
        notes = super().get_queryset(request)
        return notes.select_related("contact__pairing__student", "contact__pairing__household")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("contact",) if obj else ()

    def derive(self, request: HttpRequest, instance: Any) -> None:
        """A note belongs to who writes it."""
        if instance.pk is None:
            instance.author = request.user

    @admin.display(description=_("pupil or household"))
    def helped(self, note: PrivateNote) -> Student | Household | None:
        return note.contact.pairing.student or note.contact.pairing.household
