"""Forms of pairings, contacts and private notes, and what their bulk actions ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget, AdminTextareaWidget, AutocompleteSelect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pairings.models import Pairing
from povertyaid.schools.admin_base import ScopedModelForm
from povertyaid.schools.admin_base.asking import UNCHOSEN, ActionForm
from povertyaid.schools.models import Staff


class PairingForm(ScopedModelForm):
    """A helper with a pupil or a household."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        if "student" in data and "household" in data and bool(data["student"]) == bool(data["household"]):
            self.add_error("student", _("Choose a pupil or a household, one of the two."))
        helper, start_on = data.get("helper"), data.get("start_on")
        if helper and start_on and helper.left_on and helper.left_on <= start_on:
            self.add_error(
                "helper",
                _("%(helper)s has left by that day; choose another helper.") % {"helper": helper.name},
            )
        return data


class ContactForm(ScopedModelForm):
    """A contact; it is entered after it took place."""

    def clean_date(self) -> Any:
        """Refuse a day that has not come."""
        date = self.cleaned_data["date"]
        if date and date > timezone.localdate():
            raise forms.ValidationError(
                _("This day has not come yet; enter the contact when it has taken place.")
            )
        return date


class PrivateNoteForm(ScopedModelForm):
    """The text stands whole in its author's form: nobody else ever gets there."""

    text = forms.CharField(label=gettext_lazy("private note"), widget=AdminTextareaWidget(attrs={"rows": 12}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["text"] = self.instance.text.clear


class EndPairingForm(ActionForm):
    """Why the pairings end, and when."""

    reason = forms.ChoiceField(
        label=gettext_lazy("why it ended"), choices=[UNCHOSEN, *Pairing.EndReason.choices]
    )
    end_on = forms.DateField(label=gettext_lazy("Last day"), widget=AdminDateWidget)

    def prepare(self) -> None:
        self.fields["end_on"].initial = timezone.localdate()


class HandoverForm(ActionForm):
    """Who takes over, and from which day."""

    helper = forms.ModelChoiceField(
        label=gettext_lazy("New helper"), queryset=Staff.objects.filter(left_on__isnull=True)
    )
    on = forms.DateField(label=gettext_lazy("From which day"), widget=AdminDateWidget)

    def prepare(self) -> None:
        self.fields["on"].initial = timezone.localdate()
        field: Any = self.fields["helper"]
        field.widget = AutocompleteSelect(Pairing._meta.get_field("helper"), admin.site)
        field.widget.choices = field.choices
