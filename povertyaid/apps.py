"""The admin site of this project, in place of Django's own."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class OfficeAdminConfig(AdminConfig):
    """Uses the site that lets in whoever holds a role, with the menu of the office's work."""

    default_site = "povertyaid.schools.site.OfficeSite"
