"""Every address of the software, read from the resolver, so that a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

MODEL_PAGES = ("changelist", "add", "change", "delete", "history", "export")


@dataclass(frozen=True)
class Address:
    """One pattern: its route and its full name ("" when it has none)."""

    route: str
    name: str


def addresses() -> list[Address]:
    """All patterns of the software."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[Any], route: str, namespace: str) -> Iterator[Address]:
    for pattern in patterns:
        whole = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, whole, inner)
        elif isinstance(pattern, URLPattern):
            yield Address(whole, f"{namespace}{pattern.name}" if pattern.name else "")


def registered() -> list[str]:
    """Labels of the models that have pages, sorted."""
    return sorted(model._meta.label_lower for model in admin.site._registry)


def page_name(label: str, page: str) -> str:
    """The name of a model's page: page_name("students.student", "add") is admin:students_student_add."""
    return f"admin:{label.replace('.', '_')}_{page}"
