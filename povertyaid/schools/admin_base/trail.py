"""The history of a record in words: labels of fields, names of choices, and who and when.

The history itself belongs to a layer above (povertyaid.audit), so that it is reached by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from povertyaid.schools.admin_base.scoping import visible

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from povertyaid.schools.models import User

HISTORY = "audit.Change"


@dataclass(frozen=True)
class ToldField:
    """One changed field in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class ToldChange:
    """One entry of the history in words."""

    at: dt.datetime
    who: str
    what: str
    reason: str
    fields: tuple[ToldField, ...]
    record: str = ""


def changes_of(model: type[models.Model], pk: Any) -> models.QuerySet[Any]:
    """Return the entries of one record, newest first. Whoever may see the record may see them, so ask that first."""
    entries: models.QuerySet[Any] = apps.get_model(HISTORY)._default_manager.filter(
        model=model._meta.label_lower, object_id=pk
    )
    return entries.order_by("-at", "-pk")


def told(entries: Sequence[Any], user: User) -> list[ToldChange]:
    """Put entries into words; a record that `user` may not know of is only a number."""
    names = _names_of_related(entries, user)
    return [
        ToldChange(
            at=entry.at,
            who=entry.actor_name or _("system"),
            what=str(entry.get_action_display()),
            reason=entry.reason,
            fields=tuple(_told_field(entry.model, item, names) for item in entry.fields),
            record=entry.object_label,
        )
        for entry in entries
    ]


def conflict_text(instance: models.Model, sent: int, user: User) -> str:
    """Say who changed which fields since the form was opened at version `sent`."""
    stored = int(getattr(instance, "version", sent))
    count = max(stored - sent, 1)
    lines = []
    for change in told(list(changes_of(type(instance), instance.pk)[:count]), user):
        fields = _("; ").join(f"{item.label}: {item.before or '—'} → {item.after or '—'}" for item in change.fields)
        moment = date_format(localtime(change.at), "DATETIME_FORMAT")
        lines.append(_("%(who)s, %(when)s: %(fields)s") % {"who": change.who, "when": moment, "fields": fields})
    return " ".join(lines)


def _field(label: str, name: str) -> models.Field[Any, Any] | None:
    try:
        field = apps.get_model(label)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist):
        return None
    return field if isinstance(field, models.Field) else None


def _names_of_related(entries: Iterable[Any], user: User) -> dict[type[models.Model], dict[str, str]]:
    """Look up the records that entries point to: one query for each kind."""
    wanted: dict[type[models.Model], set[str]] = {}
    for entry in entries:
        for item in entry.fields:
            field = _field(entry.model, item["field"])
            if isinstance(field, models.ForeignKey):
                related = field.remote_field.model
                wanted.setdefault(related, set()).update(pk for pk in (item["from"], item["to"]) if pk.isdecimal())
    return {
        related: {str(record.pk): str(record) for record in visible(related, user).filter(pk__in=pks)}
        for related, pks in wanted.items()
        if pks
    }


def _told_field(label: str, item: dict[str, str], names: dict[type[models.Model], dict[str, str]]) -> ToldField:
    field = _field(label, item["field"])
    if field is None:
        return ToldField(item["field"], item["from"], item["to"])
    return ToldField(
        str(field.verbose_name), _told_value(field, item["from"], names), _told_value(field, item["to"], names)
    )


def _told_value(
    field: models.Field[Any, Any], text: str, names: dict[type[models.Model], dict[str, str]]
) -> str:
    if not text:
        return ""
    if isinstance(field, models.ForeignKey):
        return names.get(field.remote_field.model, {}).get(text, _("No. %(number)s") % {"number": text})
    if isinstance(field, models.BooleanField):
        return _("yes") if text == "1" else _("no")
    return str(dict(field.flatchoices).get(text, text))
