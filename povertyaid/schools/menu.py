"""The menu in the order of the office's work (DESIGN §5). Records and pages are named as strings: they stand above us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Link:
    """A page that is no list of records: its URL name, and the permissions of which one opens it."""

    label: StrOrPromise
    url_name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One heading of the menu with its lists ("app.model") and pages."""

    key: str
    label: StrOrPromise
    entries: tuple[str | Link, ...]


SECTIONS: tuple[Section, ...] = (
    Section(
        "pupils",
        _("Pupils and households"),
        (
            "students.student",
            "students.enrolment",
            "households.household",
            "households.member",
            "households.incomeyear",
            "households.assignment",
            "households.village",
        ),
    ),
    Section("recognition", _("Recognition of hardship"), ("students.recognition", "students.specialgroup")),
    Section("pairings", _("Pairings"), ("pairings.pairing", "pairings.contact", "pairings.privatenote")),
    Section("aid", _("Aid payments"), ("aid.disbursement", "aid.payment", "aid.programme", "aid.standard")),
    Section(
        "summaries",
        _("Summaries and statistics"),
        (Link(_("Summaries by school and period"), "reports:index", ("reports.view_summary",)), "reports.summary"),
    ),
    Section(
        "imports",
        _("Lists: import and comparison"),
        (
            Link(_("Import a list"), "imports:index", ("imports.add_importbatch", "imports.view_importbatch")),
            "imports.importbatch",
            "imports.importrow",
            "imports.savedmapping",
        ),
    ),
    Section(
        "system",
        _("System administration"),
        (
            "schools.county",
            "schools.school",
            "schools.schoolclass",
            "schools.department",
            "schools.staff",
            "schools.user",
            "schools.rolegrant",
            "files.document",
            "files.attachment",
            "work.work",
            "audit.change",
            "audit.accesslog",
        ),
    ),
)


def build(request: HttpRequest, app_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn Django's list by app into the sections; a kind of record that no section names comes at the end."""
    models: dict[str, dict[str, Any]] = {}
    for app in app_dict.values():
        for entry in app["models"]:
            models[entry["model"]._meta.label_lower] = entry
    sections = []
    for section in SECTIONS:
        entries = [_entry(request, item, models) for item in section.entries]
        sections.append(_as_app(section.key, section.label, [entry for entry in entries if entry]))
    sections.append(_as_app("other", _("Other"), sorted(models.values(), key=lambda entry: str(entry["name"]))))
    return [section for section in sections if section["models"]]


def _entry(request: HttpRequest, item: str | Link, models: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    if isinstance(item, str):
        return models.pop(item, None)
    if not any(request.user.has_perm(permission) for permission in item.permissions):
        return None
    try:
        url = reverse(item.url_name)
    except NoReverseMatch:
        return None
    return {
        "model": None,
        "name": item.label,
        "object_name": item.url_name.replace(":", "-"),
        "perms": {},
        "admin_url": url,
        "add_url": None,
        "view_only": True,
    }


def _as_app(key: str, label: StrOrPromise, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": label,
        "app_label": key,
        "app_url": f"{reverse('admin:index')}#menu-{key}",
        "has_module_perms": True,
        "models": entries,
    }
