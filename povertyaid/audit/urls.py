from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from povertyaid.audit import views

app_name = "audit"
urlpatterns: list[URLPattern] = [
    path("reveal/<str:label>/<int:pk>/<str:field_name>/", admin.site.admin_view(views.reveal), name="reveal"),
]
