"""The admin site: open to whoever holds a role, with the menu in the order of the office's work."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from povertyaid.schools.scope import scope_of


class OfficeSite(AdminSite):
    """Django's admin without staff flags: a live role opens it."""

    site_title = _("Assistance office")
    site_header = _("School assistance office")
    index_title = _("Home")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in an active account with at least one live role."""
        return request.user.is_active and bool(scope_of(request.user).roles)  # type: ignore[arg-type]
