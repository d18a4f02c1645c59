"""Forms of log-in and accounts."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from povertyaid.schools.admin_base import ScopedModelForm
from povertyaid.schools.models import Staff, User
from povertyaid.schools.scope import scope_of


class LoginForm(AuthenticationForm):
    """Log-in for whoever holds a live role; Django's own admin form asks for the staff flag."""

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse an account without a role: it would see nothing but a refusal."""
        super().confirm_login_allowed(user)
        if not scope_of(user).roles:
            raise ValidationError(
                _("This account holds no role today. Ask the administrator of the county."), code="no_role"
            )


class OwnPasswordChangeForm(PasswordChangeForm):
    """Change of one's own password; the new one must differ, and then no longer has to be changed."""

    def clean(self) -> dict[str, Any]:
        """Refuse the old password as the new one."""
        cleaned = super().clean() or {}
        old, new = cleaned.get("old_password"), cleaned.get("new_password1")
        if old and old == new:
            self.add_error("new_password1", _("The new password must differ from the old one."))
        return cleaned

    def save(self, commit: bool = True) -> User:
        """Take the new password."""
        self.user.must_change_password = False
        return super().save(commit)


class FirstPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A password that somebody else sets: its holder must change it at the next log-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Accounts are switched off by “active”, not by a password that nobody can use.
        self.fields.pop("usable_password", None)

    def save(self, commit: bool = True) -> User:
        """Take the password and mark it as a first one."""
        user = cast(User, self.user)
        user.must_change_password = True
        return cast(User, super().save(commit))


class AccountForm(ScopedModelForm):
    """An account that exists; the person who holds it is chosen among the visible staff."""

    person = forms.ModelChoiceField(
        queryset=Staff.objects.all(),
        required=False,
        label=_("person"),
        help_text=_("Who uses the account. A person has at most one."),
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ("username", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "person" in self.fields and self.instance.pk:
            self.initial["person"] = Staff.objects.filter(account=self.instance).first()

    def clean_person(self) -> Staff | None:
        """Refuse a person who has another account."""
        person = cast("Staff | None", self.cleaned_data.get("person"))
        if person is not None and person.account_id not in {None, self.instance.pk}:
            raise ValidationError(_("This person has an account already."), code="unique")
        return person


class NewAccountForm(AccountForm):
    """A new account with a first password, which must be changed at the first log-in."""

    password1 = forms.CharField(
        label=_("First password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Hand it over in person; it must be changed at the first log-in."),
    )
    password2 = forms.CharField(
        label=_("First password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta(AccountForm.Meta):
        fields: tuple[str, ...] = ("username",)

    def clean_password2(self) -> str:
        """Both inputs must agree."""
        first, second = self.cleaned_data.get("password1"), str(self.cleaned_data.get("password2"))
        if first and first != second:
            raise ValidationError(_("The two passwords differ."), code="password_mismatch")
        return second

    def _post_clean(self) -> None:
        super()._post_clean()
        password = self.cleaned_data.get("password2")
        if password:
            from django.contrib.auth.password_validation import validate_password  # noqa: PLC0415 - asks the settings

            try:
                validate_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password1", error)

    def save(self, commit: bool = True) -> User:
        """Make the account."""
        user = cast(User, super().save(commit=False))
        user.set_password(self.cleaned_data["password1"])
        user.must_change_password = True
        if commit:
            user.save()
        return user
