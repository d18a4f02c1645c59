from __future__ import annotations

from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.summary, name="summary"),
    path("<int:pk>/pdf/", views.summary_pdf, name="summary_pdf"),
    path("<int:pk>/html/", views.summary_html, name="summary_html"),
    path("<int:pk>/json/", views.summary_json, name="summary_json"),
    path("<int:pk>/figures/<slug:key>/", views.records, name="summary_records"),
]
