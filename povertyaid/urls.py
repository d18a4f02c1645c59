"""All addresses. Apps are named as strings, so that the layers stay one-way."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

handler400 = "povertyaid.schools.views.bad_request"
handler403 = "povertyaid.schools.views.forbidden"
handler404 = "povertyaid.schools.views.not_found"
handler500 = "povertyaid.schools.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("povertyaid.schools.urls")),
    path("", include("povertyaid.audit.urls")),
    path("work/", include("povertyaid.work.urls")),
    path("import/", include("povertyaid.imports.urls")),
    path("summaries/", include("reports.urls")),
    # Last: the admin takes every address that is left and answers 404 itself.
    path("", admin.site.urls),
]
