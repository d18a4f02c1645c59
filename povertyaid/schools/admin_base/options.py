"""ScopedAdmin and the scoped inlines."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, connections, models, router, transaction
from django.db.models import ProtectedError, RestrictedError, Sum
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from povertyaid.lib.fields import EncryptedField, PhoneField
from povertyaid.lib.masks import mask_phone
from povertyaid.lib.money import yuan_table
from povertyaid.schools.admin_base import deletion, trail
from povertyaid.schools.admin_base.checks import ScopedAdminChecks, ScopedInlineChecks
from povertyaid.schools.admin_base.forms import (
    LOCK,
    ScopedAutocompleteSelect,
    ScopedFormSet,
    ScopedModelForm,
    is_key,
)
from povertyaid.schools.admin_base.rights import RoleBound, may_act_on, within_rights
from povertyaid.schools.admin_base.scoping import visible
from povertyaid.schools.admin_base.search import search
from povertyaid.schools.signals import accessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

HISTORY_PAGE = 50

__all__ = ["ScopedAdmin", "ScopedStackedInline", "ScopedTabularInline", "visible"]


class _Scoped:
    """What admins and inlines share: records and choices of the account's scope alone."""

    form: Any = ScopedModelForm
    model: type[models.Model]
    admin_site: Any

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible records; override to add annotations and select_related to super()'s."""
        queryset = visible(self.model, request.user)
        ordering = self.get_ordering(request)  # type: ignore[attr-defined]
        return queryset.order_by(*ordering) if ordering else queryset

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        """Choices of a relation: what the account may know of, in the order of the related admin."""
        ordered = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        choices = visible(db_field.remote_field.model, request.user)
        return choices.order_by(*ordered.query.order_by) if ordered is not None else choices

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Scope also a queryset that a subclass hands in."""
        if "queryset" in kwargs:
            allowed = visible(db_field.remote_field.model, request.user).order_by().values("pk")
            kwargs["queryset"] = kwargs["queryset"].filter(pk__in=allowed)
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = ScopedAutocompleteSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Give numbers one line; leave only the plus sign beside a relation (its record has a page of its own)."""
        if isinstance(db_field, EncryptedField) and db_field.domain:
            # Django's admin would make it a large box, as for any text column.
            kwargs.setdefault("widget", AdminTextInputWidget(attrs={"autocomplete": "off"}))
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        widget = getattr(field, "widget", None)
        for option in ("can_change_related", "can_delete_related", "can_view_related"):
            if hasattr(widget, option):
                setattr(widget, option, False)
        return field

    def derive(self, request: HttpRequest, instance: Any) -> None:
        """Fill what the form does not ask for (the county of a village, who recorded it).

        Called after the form is valid and before the constraints are checked; override where needed.
        Called twice, so that doing it again must change nothing.
        """

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Say whether the account may export this kind of record."""
        return self._may(request, "export")

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the account may see whole values of this kind of record, or of this one."""
        return self._may(request, "reveal") and (obj is None or may_act_on(request.user, obj, "reveal"))

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Say whether the account may import this kind of record."""
        return self._may(request, "import")

    def has_sign_permission(self, request: HttpRequest) -> bool:
        """Say whether the account may sign this kind of record."""
        return self._may(request, "sign")

    def _may(self, request: HttpRequest, action: str) -> bool:
        opts = self.model._meta
        return bool(request.user.has_perm(f"{opts.app_label}.{get_permission_codename(action, opts)}"))


def mask_phones(instance: models.Model) -> None:
    """Mask the telephone numbers of an object that is only going to be shown; never save it afterwards."""
    for field in instance._meta.concrete_fields:
        if isinstance(field, PhoneField):
            setattr(instance, field.attname, mask_phone(getattr(instance, field.attname) or ""))


class ScopedAdmin(RoleBound, _Scoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """The base of every admin page (docs/admin.md).

    Options besides Django's:
    - `search_people`: True, or paths to persons (("student",)) found by name, pinyin initials and whole pinyin;
    - `sensitive_search`: (encrypted field, its hash, its last four) triples found by last four and exact number;
    - `money_totals`: amounts whose sums over the whole filtered list stand below it;
    - `filter_lookups`: paths that addresses may filter by although they are no list_filter;
    - `derive(request, instance)`: fills columns that the form does not ask for.
    """

    checks_class = ScopedAdminChecks
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    save_on_top = False
    search_people: bool | Sequence[str] = ()
    sensitive_search: Sequence[tuple[str, str, str]] = ()
    money_totals: Sequence[str] = ()
    filter_lookups: Sequence[str] = ()
    object_history_template = "admin/object_history.html"
    delete_confirmation_template = "admin/delete_confirmation.html"

    # What a page shows

    @property
    def media(self) -> forms.Media:
        """Django's scripts without those for prepopulated slugs, 50 kB compressed that no page of ours uses."""
        scripts = ("vendor/jquery/jquery.min.js", "jquery.init.js", "core.js", "admin/RelatedObjectLookups.js", "actions.js")
        return forms.Media(js=[f"admin/js/{name}" for name in scripts])

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the record if it is visible; lock its row while a form is being saved."""
        if request.method == "POST" and connections[router.db_for_write(self.model)].in_atomic_block:
            self._lock(request, object_id)
        return super().get_object(request, object_id, from_field)

    def _lock(self, request: HttpRequest, object_id: str) -> None:
        try:
            key = self.model._meta.pk.to_python(object_id)
        except (ValidationError, ValueError):
            return
        rows = visible(self.model, request.user).order_by().filter(pk=key)
        list(rows.select_for_update(of=("self",)).values_list("pk"))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Answer 404 for a record that is not there or not for this account: the page does not tell which."""
        raise Http404

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.request, form.owner = request, self
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in super().get_fields(request, obj) if name != LOCK]

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Lock the rows of an inline before they are compared with what was sent."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "POST" and obj.pk:
            rows = inline.get_queryset(request).order_by().values("pk")
            name = kwargs_fk_name(inline)
            list(inline.model._default_manager.filter(pk__in=rows, **{name: obj}).select_for_update().values_list("pk"))
        return kwargs

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, unless nothing was changed: an untouched form must not raise the version."""
        if change and not form.has_changed():
            return
        super().save_model(request, obj, form, change)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Turn what only the database could refuse (two rows sent at the same moment) into an error on the form."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            if request.method != "POST":
                raise
            request.integrity_error = _(  # type: ignore[attr-defined]
                "Nothing was saved: two entries exclude each other (for example the same number or the same person"
                " twice), or somebody entered the same just now. Correct one of them and save again."
            )
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(  # type: ignore[override]
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Log the reading of children's records; offer the whole numbers to who may see them."""
        obj = kwargs.get("obj")
        if obj is not None and request.method == "GET" and getattr(obj, "logs_reads", False):
            accessed.send(sender=type(self), action="read", user=request.user, record=obj)
        name = {"name": self.opts.verbose_name}
        if kwargs.get("add"):
            context["title"] = _("Add %(name)s") % name
        elif self.has_change_permission(request, obj):
            context["title"] = _("Change %(name)s") % name
        else:
            context["title"] = str(self.opts.verbose_name)
        if obj is not None:
            context["reveal_links"] = self.reveal_links(request, obj)
            self._mask_what_is_only_shown(request, context, obj)
        return super().render_change_form(request, context, **kwargs)

    def _mask_what_is_only_shown(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        # Editable inputs have their masks from the form; these are the values that Django reads from the object.
        mask_phones(obj)
        for inline in context.get("inline_admin_formsets", ()):
            for form in inline.formset.initial_forms:
                mask_phones(form.instance)

    def reveal_links(self, request: HttpRequest, obj: Any) -> list[dict[str, str]]:
        """Return label and address of the page that shows each whole value, for who may see it."""
        if not self.has_reveal_permission(request, obj):
            return []
        links = []
        for field in self.model._meta.concrete_fields:
            if isinstance(field, EncryptedField | PhoneField) and getattr(obj, field.attname):
                try:
                    url = reverse("audit:reveal", args=[self.model._meta.label_lower, obj.pk, field.name])
                except NoReverseMatch:
                    return []
                links.append({"label": str(field.verbose_name), "url": url})
        return links

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Undo what was added where another role of the account only reads (the page saves in one transaction)."""
        seen = visible(self.model, request.user).filter(pk=obj.pk)
        if not may_act_on(request.user, obj, "add") and seen.exists():
            raise PermissionDenied
        return super().response_add(request, obj, post_url_continue)

    # Search, filters, totals

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Return the plain search fields; a name among them makes Django show the box."""
        fields = list(super().get_search_fields(request))
        return fields or (["pk"] if self._people() or self.sensitive_search else [])

    def _people(self) -> Sequence[str]:
        if isinstance(self.search_people, bool):
            return ("",) if self.search_people else ()
        return self.search_people

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Search by name, pinyin, last four, exact number and the plain search fields."""
        if not self._people() and not self.sensitive_search:
            return super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return queryset, False
        return search(
            queryset,
            search_term,
            people=self._people(),
            numbers=self.sensitive_search,
            plain=[name.lstrip("^=@") for name in self.search_fields],
        )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only declared filters: any other would let hidden values be guessed letter by letter."""
        declared = [item[0] if isinstance(item, tuple | list) else item for item in self.list_filter]
        paths = [item for item in declared if isinstance(item, str)]
        paths += [*self.filter_lookups, *filter(None, [self.date_hierarchy]), "pk", "id"]
        # Filters that are classes take their own parameter, and only the values they offer.
        paths += [item.parameter_name for item in declared if hasattr(item, "parameter_name")]
        return any(lookup == path or lookup.startswith(f"{path}__") for path in paths)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Name the list; add the totals of amounts."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            # The name of the list, not "select … to change".
            response.context_data["title"] = str(self.opts.verbose_name_plural)
        if self.money_totals and isinstance(response, TemplateResponse) and response.context_data:
            changelist = response.context_data.get("cl")
            if changelist is not None:
                response.context_data["money_totals"] = self._totals(changelist.queryset)
        return response

    def _totals(self, queryset: QuerySet[Any]) -> list[tuple[str, str]]:
        sums = queryset.order_by().aggregate(**{f"total_{name}": Sum(name) for name in self.money_totals})
        return [
            (self._label(name), yuan_table(sums[f"total_{name}"] or Decimal(0)))
            for name in self.money_totals
        ]

    def _label(self, name: str) -> str:
        return str(getattr(self.model._meta.get_field(name), "verbose_name", name))

    # Deleting

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Tell counts, not names of what hangs on the records."""
        found = deletion.foresee(objs, request, self.admin_site)
        keys = [item.pk for item in objs]
        if within_rights(visible(self.model, request.user).filter(pk__in=keys), request.user, "delete").count() < len(keys):
            found.missing.add(str(self.opts.verbose_name))
        return found.told, found.counts, found.missing, found.protected

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Turn a refusal of the database into a message on the record's page."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ProtectedError, RestrictedError, IntegrityError):
            self.message_user(request, self.refused_deletion(), messages.ERROR)
            return HttpResponseRedirect(reverse(f"admin:{self._names()}_change", args=[object_id]))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete one by one, so that each stands in the history."""
        for record in queryset:
            record.delete()

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> Any:
        """As delete_view does, for bulk actions; records that cannot exist are not found."""
        if not all(map(is_key, request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))):
            raise Http404
        try:
            with transaction.atomic():
                return super().response_action(request, queryset, *args)
        except (ProtectedError, RestrictedError):
            self.message_user(request, self.refused_deletion(), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    @staticmethod
    def refused_deletion() -> str:
        """Return the words for a deletion that other records stand against."""
        return _("Nothing was deleted: other records rest on this one. End or correct it instead.")

    def _names(self) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}"

    # History: ours (masked) in place of Django's, which stores what it is told in the clear

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The history has it already."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The history has it already."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        """The history has it already."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show who changed what and when, masked."""
        record = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, record):
            raise PermissionDenied
        if record is None:
            raise Http404
        page = Paginator(trail.changes_of(self.model, record.pk), HISTORY_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of changes: %(record)s") % {"record": record},
            "subtitle": None,
            "entries": trail.told(list(page.object_list), request.user),  # type: ignore[arg-type]
            "page": page,
            "object": record,
            "opts": self.opts,
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.object_history_template, context)


def kwargs_fk_name(inline: Any) -> str:
    """Return the name of the foreign key by which an inline's rows belong to their parent."""
    from django.forms.models import _get_foreign_key  # noqa: PLC0415 - private, so named only where it is used

    return str(_get_foreign_key(inline.parent_model, inline.model, fk_name=inline.fk_name).name)


def read_choices_once(form: Any) -> None:
    """Read the choices of short selects here: Django would ask the database again for every row."""
    for field in form.base_fields.values():
        widget = getattr(field.widget, "widget", field.widget)
        short = isinstance(widget, forms.Select) and not isinstance(widget, ScopedAutocompleteSelect)
        if isinstance(field, forms.ModelChoiceField) and short:
            choices: Any = field.choices
            field.choices = list(choices)


class _ScopedInline(_Scoped):
    formset: Any = ScopedFormSet
    checks_class = ScopedInlineChecks
    extra = 0
    show_change_link = True

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Send the version of every row along."""
        fieldsets: Any = [(name, dict(options)) for name, options in super().get_fieldsets(request, obj)]  # type: ignore[misc]
        names = flatten_fieldsets(fieldsets)
        locks = self.has_change_permission(request, obj) and hasattr(self.model, "version")  # type: ignore[attr-defined]
        last = fieldsets[-1][1]
        fields = [name for name in last["fields"] if name != LOCK]
        if locks:
            fields.append(LOCK)
        last["fields"] = fields
        if LOCK in names and len(fieldsets) > 1:
            for _name, options in fieldsets[:-1]:
                options["fields"] = [name for name in options["fields"] if name != LOCK]
        return fieldsets

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        site = self.admin_site

        class CountingForm(formset.form):  # type: ignore[misc, name-defined]
            """Tells what stands against a deletion in counts, not in names."""

            def hand_clean_DELETE(self) -> None:  # noqa: N802 - Django's name
                if not self.cleaned_data.get(DELETION_FIELD_NAME) or self.instance._state.adding:
                    return
                found = deletion.foresee([self.instance], request, site)
                if found.protected:
                    told: Iterable[str] = found.protected
                    raise ValidationError(
                        gettext_lazy("%(record)s cannot be deleted; other records rest on it (%(kinds)s)."),
                        code="deleting_protected",
                        params={"record": self.instance, "kinds": "; ".join(told)},
                    )

        CountingForm.request, CountingForm.owner = request, self
        read_choices_once(CountingForm)
        formset.form = CountingForm
        return formset


class ScopedTabularInline(_ScopedInline, admin.TabularInline):  # type: ignore[type-arg]
    """Rows in a table; long children (payments) are a list of their own, never an inline."""


class ScopedStackedInline(_ScopedInline, admin.StackedInline):  # type: ignore[type-arg]
    """Rows one below the other."""
