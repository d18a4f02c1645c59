from __future__ import annotations

from django.urls import URLPattern, path

from povertyaid.work import views

app_name = "work"
urlpatterns: list[URLPattern] = [
    path("<int:pk>/status/", views.status, name="status"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
]
