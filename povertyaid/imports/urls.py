from __future__ import annotations

from django.urls import URLPattern, path

from povertyaid.imports import deciding_views, mapping_views, return_views, sendback_views, undo_views, views

app_name = "imports"
urlpatterns: list[URLPattern] = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.batch, name="batch"),
    path("<int:pk>/commit/", views.commit, name="commit"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/again/", views.again, name="again"),
    path("<int:pk>/decide/", deciding_views.decide_rows, name="decide"),
    path("<int:pk>/refused/", sendback_views.refused, name="refused"),
    path("<int:pk>/undo/", undo_views.undo, name="undo"),
    path("returns/", return_views.returns, name="returns"),
    path("<int:pk>/columns/", mapping_views.columns, name="columns"),
    path("template/<slug:kind>/", views.template, name="template"),
]
