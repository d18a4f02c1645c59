"""The form that sends a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.options import Options
from povertyaid.imports.resources import SheetResource, kinds
from povertyaid.imports.schoolbook import SchoolBook
from povertyaid.lib.messages import Message
from povertyaid.schools.admin_base.presets import semester_choices
from povertyaid.schools.models import School

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from povertyaid.schools.models import User

_BY_HEADINGS = _("to be told by the headings")
_AS_TOLD = _("as the title rows of the file say")


def allowed_kinds(user: User) -> list[SheetResource]:
    """The kinds that an account may import."""
    return [resource for resource in kinds() if user.has_perm(resource.permission)]


class UploadForm(forms.Form):
    """Kind and file; school and semester where the file does not say them."""

    kind = forms.ChoiceField(
        label=_("Kind of list"),
        required=False,
        help_text=_("Left open, it is told by the headings, and you are asked to agree."),
    )
    file = forms.FileField(
        label=_("File"),
        max_length=200,
        help_text=_(
            "Excel, WPS, OpenDocument or CSV. Title rows, totals and signatures may stay as they are."
        ),
        error_messages={
            "required": _("Choose the file that holds the list."),
            "empty": _("The file is empty. Choose the file that holds the list."),
        },
    )
    school = forms.ModelChoiceField(
        School.objects.none(), label=_("School"), required=False, empty_label=_AS_TOLD
    )
    period = forms.ChoiceField(label=_("Semester"), required=False)
    office = forms.CharField(
        label=_("Sending office"),
        required=False,
        max_length=80,
        help_text=_("Who sent you the list, for example the civil affairs office. It may be left empty."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        """Offer what the account may import, and its own schools."""
        super().__init__(*args, **kwargs)
        self.user = user
        kind, school, period = self.fields["kind"], self.fields["school"], self.fields["period"]
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [("", _BY_HEADINGS), *((found.kind, found.label) for found in allowed_kinds(user))]
        if isinstance(school, forms.ModelChoiceField):
            numbers = [found.pk for found in SchoolBook(user).schools]
            school.queryset = School.objects.visible_to(user).filter(pk__in=numbers)
        if isinstance(period, forms.ChoiceField):
            period.choices = [("", _AS_TOLD), *semester_choices()]

    def clean_file(self) -> UploadedFile[Any]:
        """Refuse what is larger than the settings allow, before it is read."""
        found: UploadedFile[Any] = self.cleaned_data["file"]
        if (found.size or 0) > settings.UPLOAD_LIMIT_BYTES:
            text = _("The file is larger than %(limit)s. Split the list, or remove pictures from it.")
            limit = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
            raise ValidationError(str(Message("too_large", text, {"limit": limit})), code="too_large")
        return found

    def options(self) -> Options:
        """What was chosen for the whole file."""
        school = self.cleaned_data.get("school")
        return Options(school.code if school else "", self.cleaned_data.get("period") or "")
