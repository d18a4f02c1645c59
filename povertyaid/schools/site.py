"""The admin site: open to whoever holds a role, with the menu in the order of the office's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import PasswordChangeView
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.schools import menu, todo
from povertyaid.schools.forms import LoginForm, OwnPasswordChangeForm
from povertyaid.schools.models import User
from povertyaid.schools.scope import scope_of

if TYPE_CHECKING:
    from django.http import HttpRequest


class LabelledAutocomplete(AutocompleteJsonView):
    """Choices that tell namesakes apart: an admin may give its records a longer label here (`autocomplete_label`)."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        """Return the key and the label of one choice."""
        result = super().serialize_result(obj, to_field_name)
        label = getattr(self.model_admin, "autocomplete_label", None)
        return {**result, "text": label(obj)} if label else result


# Words of Django's own admin that its Chinese catalogue lacks: named here, they stand in ours.
LACKING = (_("Model name"), _("Add link"), _("Change or view list link"))


class OfficeSite(AdminSite):
    """Django's admin without staff flags: a live role opens it."""

    site_title = _("Assistance office")
    site_header = _("School assistance office")
    index_title = _("Home")
    site_url = None
    enable_nav_sidebar = True
    login_form = LoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in an active account with at least one live role."""
        return request.user.is_active and bool(scope_of(request.user).roles)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add what every page shows: languages, and the minutes after which a session ends."""
        return {
            **super().each_context(request),
            "languages": settings.LANGUAGES,
            "session_minutes": settings.SESSION_COOKIE_AGE // 60,
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the menu; for the page of one Django app its own records."""
        app_dict: dict[str, Any] = self._build_app_dict(request, app_label)
        return list(app_dict.values()) if app_label else menu.build(request, app_dict)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show what the month asks, then the menu."""
        today = timezone.localdate()
        user = request.user
        context = {
            "todo": todo.lines(user, today) if isinstance(user, User) else [],
            "today": today,
            "month_text": todo.MONTHS[today.month],
            **(extra_context or {}),
        }
        return super().index(request, context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Change one's own password; Django's own method has no way to name the form."""
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordChangeForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name
        return view(request)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        """Answer the choices of autocomplete fields."""
        return LabelledAutocomplete.as_view(admin_site=self)(request)
