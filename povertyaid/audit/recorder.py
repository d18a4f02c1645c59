"""Writes the history of single saves and deletions; bulk writes are recorded by `services.bulk_write`.

Values are masked before they are stored: encrypted fields show their mask, telephone numbers too, and free text loses
every run of digits that could be an identity number or an account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from povertyaid.audit.actor import acting
from povertyaid.audit.models import Change
from povertyaid.lib import masks
from povertyaid.lib.fields import EncryptedField, HashField, PhoneField, TailField

LABEL_LENGTH = 120
_json = json.JSONEncoder().encode
# Values that many records share are remembered as they are told, so many of each column.
_FEW_VALUES = frozenset({str, int, bool})
_REMEMBERED = 1_000
# Of a column: where it stands in the instance, how its JSON begins, how a value is told, what was told before.
_Told = tuple[str, str, Callable[[Any], str], dict[Any, str]]
_SILENT = frozenset(
    {"id", "created_at", "updated_at", "version", "name_key", "name_initials", "last_login", "password"}
)


@lru_cache(maxsize=256)
def history_fields(model: type[models.Model]) -> tuple[models.Field[Any, Any], ...]:
    """Return the columns whose changes are told: not the derived ones, never the password."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.name not in _SILENT and not isinstance(field, HashField | TailField | models.BinaryField)
    )


def shown(field: models.Field[Any, Any], value: Any) -> str:
    """Return a value as the history may show it."""
    return "" if value is None or value == "" else _teller(field)(value)


@lru_cache(maxsize=4096)
def _teller(field: models.Field[Any, Any]) -> Callable[[Any], str]:
    """What turns a value of a field, that is not empty, into the text of the history."""
    if isinstance(field, EncryptedField):
        return lambda value: str(field.wrap(value))
    if isinstance(field, PhoneField):
        return lambda value: masks.mask_phone(str(value))
    return str if isinstance(field, models.ForeignKey) else _plain


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float) or hasattr(value, "as_tuple") or hasattr(value, "isoformat"):
        return str(value)
    return masks.scrub(str(value))


def entry(instance: models.Model, action: str, fields: list[dict[str, str]]) -> Change:
    """Return an unsaved history entry for `instance` under whoever acts now."""
    now = acting()
    label = masks.scrub(str(instance))[:LABEL_LENGTH]
    return Change(
        actor=now.user,
        actor_name=now.user.username if now.user else "",
        model=instance._meta.label_lower,
        object_id=instance.pk,
        object_label=label,
        action=action,
        fields=fields,
        batch_id=now.batch_id,
        reason=masks.scrub(now.reason)[:200],
    )


def additions(instance: models.Model) -> list[dict[str, str]]:
    """Return the fields of a new record that hold something."""
    found = []
    for field in history_fields(type(instance)):
        after = shown(field, getattr(instance, field.attname))
        if after:
            found.append({"field": field.name, "from": "", "to": after})
    return found


# The columns of `Change` that the rows of `added` and `changed` give.
ROW = (
    "actor_id",
    "actor_name",
    "model",
    "object_id",
    "object_label",
    "action",
    "fields",
    "batch_id",
    "reason",
)


def added(instances: Sequence[models.Model]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the history for new records of one model: what `entry` and `additions` make of each.

    As rows, not as records: tens of thousands of them need neither the time nor the memory of instances.
    """
    return _held(instances, Change.Action.ADD, '"from": "", "to": ', "")


def deleted(instances: Sequence[models.Model]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the history for records of one model that are deleted: what each held until now."""
    return _held(instances, Change.Action.DELETE, '"from": ', ', "to": ""')


def _held(
    instances: Sequence[models.Model], action: str, before: str, after: str
) -> Iterator[tuple[Any, ...]]:
    """Rows that tell all that records hold; `before` and `after` stand around each value in the JSON."""
    told: list[_Told] = [
        (field.attname, f'{{"field": {_json(field.name)}, {before}', _teller(field), {})
        for field in history_fields(type(instances[0]))
    ]
    return (_row(instance, action, _fields(instance, told, f"{after}}}")) for instance in instances)


def changed(items: Iterable[tuple[models.Model, list[dict[str, str]]]]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the history for changed records with what is told of each."""
    return (_row(instance, Change.Action.CHANGE, _json(fields)) for instance, fields in items)


def _fields(instance: models.Model, told: Sequence[_Told], tail: str) -> str:
    """The JSON of all fields that hold something. What records have in common is made once: `told` remembers it."""
    parts = []
    for name, head, tell, known in told:
        value = getattr(instance, name)
        if value is None or value == "":
            continue
        key = (type(value), value) if type(value) in _FEW_VALUES else None
        part = known.get(key) if key is not None else None
        if part is None:
            text = tell(value)
            part = f"{head}{_json(text)}{tail}" if text else ""
            if key is not None and len(known) < _REMEMBERED:
                known[key] = part
        if part:
            parts.append(part)
    return f"[{', '.join(parts)}]"


def _row(instance: models.Model, action: str, fields: str) -> tuple[Any, ...]:
    now = acting()
    return (
        now.user.pk if now.user else None,
        now.user.username if now.user else "",
        instance._meta.label_lower,
        instance.pk,
        masks.scrub(str(instance))[:LABEL_LENGTH],
        action,
        fields,
        now.batch_id,
        masks.scrub(now.reason)[:200],
    )


def differs(field: models.Field[Any, Any], before: Any, after: Any) -> bool:
    """Say whether two values of a field differ (encrypted ones by what they hold)."""
    if isinstance(field, EncryptedField):
        return field.wrap(before) != field.wrap(after)
    if type(before) is type(after) and before == after:
        return False
    return bool(field.to_python(before) != field.to_python(after))


def is_kept(model: type[models.Model]) -> bool:
    """Say whether a model's changes go into the history."""
    return bool(getattr(model, "keeps_history", False)) and not model._meta.abstract


def _before_save(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    if kwargs.get("raw") or not is_kept(sender) or instance._state.adding:
        return
    names = [field.attname for field in history_fields(sender)]
    instance._before = sender._default_manager.filter(pk=instance.pk).values(*names).first()  # type: ignore[attr-defined]


def _after_save(sender: type[models.Model], instance: models.Model, *, created: bool, **kwargs: Any) -> None:
    if kwargs.get("raw") or not is_kept(sender):
        return
    before = instance.__dict__.pop("_before", None)
    if created:
        entry(instance, Change.Action.ADD, additions(instance)).save()
        return
    changed = []
    for field in history_fields(sender):
        old, new = (before or {}).get(field.attname), getattr(instance, field.attname)
        if differs(field, old, new):
            changed.append({"field": field.name, "from": shown(field, old), "to": shown(field, new)})
    if changed:
        entry(instance, Change.Action.CHANGE, changed).save()


def _after_delete(sender: type[models.Model], instance: models.Model, **_kwargs: Any) -> None:
    if is_kept(sender):
        fields = [{"field": item["field"], "from": item["to"], "to": ""} for item in additions(instance)]
        entry(instance, Change.Action.DELETE, fields).save()


def _after_links(
    sender: type[models.Model], instance: models.Model, action: str, pk_set: set[Any] | None, **kwargs: Any
) -> None:
    """Tell which records of a many-to-many field were added or taken away."""
    if kwargs.get("reverse") or action not in {"post_add", "post_remove", "pre_clear"}:
        return
    field = next(field for field in instance._meta.many_to_many if field.remote_field.through is sender)
    chosen = (
        getattr(instance, field.name).all()
        if action == "pre_clear"
        else (kwargs["model"]._default_manager.filter(pk__in=pk_set or ()))
    )
    told = masks.scrub("、".join(str(item) for item in chosen))
    if told:
        before, after = ("", told) if action == "post_add" else (told, "")
        entry(instance, Change.Action.CHANGE, [{"field": field.name, "from": before, "to": after}]).save()


def connect() -> None:
    """Listen to every model that keeps a history."""
    for model in apps.get_models():
        if is_kept(model):
            pre_save.connect(_before_save, sender=model, dispatch_uid=f"history-before-{model._meta.label}")
            post_save.connect(_after_save, sender=model, dispatch_uid=f"history-after-{model._meta.label}")
            post_delete.connect(
                _after_delete, sender=model, dispatch_uid=f"history-delete-{model._meta.label}"
            )
            for field in model._meta.many_to_many:
                m2m_changed.connect(
                    _after_links,
                    sender=field.remote_field.through,
                    dispatch_uid=f"history-links-{model._meta.label}-{field.name}",
                )
