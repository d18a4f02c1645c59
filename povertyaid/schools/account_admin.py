"""Accounts and the roles they hold: made, delegated with dates, switched off, never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axes.utils import reset as unlock_account
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from povertyaid.schools.admin_base import (
    ScopedAdmin,
    ScopedFormSet,
    ScopedRelatedFilter,
    ScopedTabularInline,
    confirmed_action,
)
from povertyaid.schools.admin_base.presets import own_county
from povertyaid.schools.forms import AccountForm, FirstPasswordForm, NewAccountForm
from povertyaid.schools.models import RoleGrant, SchoolClass, Staff, User
from povertyaid.schools.roles import COUNTY_ROLES, EITHER_ROLES, Role

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern


class GrantFields:
    """What the inline and the list of roles share."""

    def derive(self, request: HttpRequest, instance: RoleGrant) -> None:
        """A role of the bureau holds for the county, any other for the school."""
        of_county = instance.role in COUNTY_ROLES or (instance.role in EITHER_ROLES and not instance.school_id)
        if of_county and instance.county_id is None:
            county = own_county(request.user)
            instance.county_id = county.pk if county else None
        if of_county and instance.role in COUNTY_ROLES:
            instance.school_id = None
        if not of_county:
            instance.county_id = None


class GrantFormSet(ScopedFormSet):
    """An account keeps at least one role or a person, else nobody could find it again; nobody locks himself out."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form not in self.deleted_forms and form.instance.role]
        person = self.data.get("person") if "person" in self.data else getattr(self.instance, "staff", None)
        if not kept and not person:
            raise ValidationError(_("Give the account a role, or say whose account it is."), code="no_role")
        user = self.form.request.user
        if self.instance.pk == user.pk and not self._still_administrator(kept):
            raise ValidationError(
                _("You cannot take the administrator's role from yourself; another administrator can."),
                code="own_role",
            )

    @staticmethod
    def _still_administrator(kept: list[Any]) -> bool:
        today = timezone.localdate()
        return any(form.instance.role == Role.COUNTY_ADMIN and form.instance.is_live(today) for form in kept)


class GrantInline(GrantFields, ScopedTabularInline):
    """Roles of an account."""

    model = RoleGrant
    fk_name = "user"
    formset = GrantFormSet
    fields = ("role", "school", "valid_from", "valid_to", "delegated_by")
    autocomplete_fields = ("school", "delegated_by")
    verbose_name_plural = gettext_lazy("Roles (the bureau's need no school; dates only for a delegation)")
    show_change_link = False

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """One empty row on a new account."""
        return 0 if obj else 1


class RoleFilter(admin.SimpleListFilter):
    """Accounts by the role they hold."""

    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RoleGrant._meta.get_field("role").flatchoices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        grants = RoleGrant.objects.visible_to(request.user).filter(role=self.value())
        return queryset.filter(pk__in=grants.values("user"))


class AccountAdmin(ScopedAdmin):
    """Accounts of the county. None is deleted: the history names them."""

    form = AccountForm
    list_display = ("username", "person_name", "roles", "is_active", "must_change_password", "last_login")
    list_filter = (RoleFilter, "is_active", "must_change_password")
    list_select_related = ("staff",)
    search_fields = ("username", "staff__name", "staff__name_initials")
    ordering = ("username",)
    readonly_fields = ("must_change_password", "last_login")
    fieldsets = (
        (None, {"fields": ("username", "person", "is_active")}),
        (gettext_lazy("Log-in"), {"fields": ("must_change_password", "last_login")}),
    )
    inlines = (GrantInline,)
    actions = ("unlock",)
    change_form_template = "admin/account_change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("grants__school", "grants__county")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new account needs a name, a person, a first password."""
        if obj is None:
            return [(None, {"fields": ("username", "person", "password1", "password2")})]
        return super().get_fieldsets(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The person is chosen by typing, as elsewhere."""
        if obj is None:
            kwargs["form"] = NewAccountForm
        # Declared fields and read-only ones are none of the model form's business.
        kwargs["fields"] = ["username"] if obj is None else ["username", "is_active"]
        form = super().get_form(request, obj, change, **kwargs)
        person: forms.ModelChoiceField[Any] | None = form.base_fields.get("person")
        if person is not None:
            # The autocomplete address needs a foreign key to staff; that of the class teacher offers the same people.
            person.widget = AutocompleteSelect(SchoolClass._meta.get_field("teacher"), self.admin_site)
            person.widget.choices = person.choices
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the account and whose it is."""
        if change and obj.pk == request.user.pk and not obj.is_active:
            obj.is_active = True
            self.message_user(request, _("You cannot deactivate your own account."), messages.WARNING)
        super().save_model(request, obj, form, change)
        if "person" in form.cleaned_data:
            self._link(request, obj, form.cleaned_data["person"])

    @staticmethod
    def _link(request: HttpRequest, account: User, person: Staff | None) -> None:
        for other in Staff.objects.visible_to(request.user).filter(account=account):
            if other != person:
                other.account = None
                other.save()
        if person is not None and person.account_id != account.pk:
            person.account = account
            person.save()

    @admin.display(description=gettext_lazy("person"), ordering="staff__name_key")
    def person_name(self, record: User) -> str:
        """Who holds the account."""
        staff = getattr(record, "staff", None)
        return str(staff) if staff else ""

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, record: User) -> str:
        """Roles granted by hand, with their dates."""
        return "；".join(_described(grant) for grant in record.grants.all())

    @confirmed_action(
        gettext_lazy("Unlock after failed log-ins"),
        gettext_lazy("Let these accounts try to log in again at once?"),
    )
    def unlock(self, request: HttpRequest, record: User) -> None:
        """Forget the failed log-ins of an account."""
        unlock_account(username=record.username)

    # A new first password

    def get_urls(self) -> list[URLPattern]:
        """Add the page for a new first password."""
        view = self.admin_site.admin_view(self.password_view)
        return [path("<path:object_id>/password/", view, name="schools_user_password"), *super().get_urls()]

    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set a first password for somebody who lost his; it must be changed at the next log-in."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        account = self.get_object(request, unquote(object_id))
        if account is None:
            raise Http404
        form = FirstPasswordForm(account, request.POST or None)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                form.save()
                unlock_account(username=account.username)
            text = _("“%(account)s” has a new first password; it must be changed at the next log-in.")
            self.message_user(request, text % {"account": account}, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:schools_user_change", args=[account.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("New first password: %(account)s") % {"account": account},
            "form": form,
            "opts": self.opts,
            "original": account,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/account_password.html", context)


def _described(grant: RoleGrant) -> str:
    text = f"{grant.get_role_display()}（{grant.school or grant.county}）"
    if grant.valid_from or grant.valid_to:
        text += f" {grant.valid_from or ''}—{grant.valid_to or ''}"
    return text


class RoleGrantAdmin(GrantFields, ScopedAdmin):
    """All roles of all accounts, for checking who may what and which delegations run out."""

    list_display = ("user", "role", "place", "valid_from", "valid_to", "delegated_by")
    list_filter = ("role", ("school", ScopedRelatedFilter), ("valid_to", admin.EmptyFieldListFilter))
    list_select_related = ("user", "school", "county", "delegated_by")
    search_fields = ("user__username", "user__staff__name", "school__name")
    autocomplete_fields = ("user", "school", "delegated_by")
    fields = ("user", "role", "school", "valid_from", "valid_to", "delegated_by")

    @admin.display(description=gettext_lazy("holds for"))
    def place(self, record: RoleGrant) -> str:
        """The school or the county."""
        return str(record.school or record.county)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Roles end on the account's page, where the last administrator is guarded."""
        return False
