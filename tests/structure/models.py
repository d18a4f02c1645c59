"""The models of the software, for tests that hold for every one of them."""

from __future__ import annotations

from django.apps import apps
from django.db import models

APPS = ("schools", "audit", "work", "files", "imports", "households", "students", "pairings", "aid", "reports")
MODELS: list[type[models.Model]] = [
    model for label in APPS for model in apps.get_app_config(label).get_models()
]


def name_of(model: type[models.Model]) -> str:
    """The name that pytest shows."""
    return model._meta.label
