"""Imports that the tests of undoing make, and what every table holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import models

from povertyaid.imports.models import ImportBatch
from povertyaid.imports.options import Options
from povertyaid.imports.plans import Source, plan_file
from povertyaid.imports.services import import_file
from povertyaid.lib.fields import EncryptedField
from povertyaid.lib.sheets.reader import read_workbook
from povertyaid.schools.base import Record
from povertyaid.schools.models import School, User
from tests.imports.conftest import Cells, xlsx

SEMESTER = "2025-2026-2"
# Logs, the batches themselves, and what is raised at every save.
_LOGS = {"audit", "imports", "files", "work"}
_RAISED = {"version", "updated_at"}


def imported(
    kinds: str | Sequence[str],
    rows: Cells,
    user: User,
    school: School | None = None,
    *,
    title: str = "Sheet",
    period: str = "",
    refused: int = 0,
) -> ImportBatch:
    """Import rows in one go, as the command line does; `refused` rows are expected not to be taken."""
    data = xlsx(rows, title=title)
    chosen = [kinds] if isinstance(kinds, str) else list(kinds)
    options = Options(school=school.code if school else "", period=period)
    digest = hashlib.sha256(data).hexdigest()
    source = Source(read_workbook(data, "名单.xlsx"), "名单.xlsx", digest, user, options, tuple(chosen))
    plan = plan_file(source)
    assert plan.counts["rejected"] == refused, [item.told("error") for item in plan.plans]
    batch, _done = import_file(plan=plan, data=data)
    return batch


def everything() -> dict[str, dict[Any, dict[str, Any]]]:
    """What every table of records holds, encrypted values in the clear."""
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    for model in apps.get_models(include_auto_created=True):
        kept = issubclass(model, Record) or isinstance(model._meta.auto_created, type)
        if not kept or model._meta.app_label in _LOGS | {"auth"}:
            continue
        # Links have keys of their own, which mean nothing.
        drop = _RAISED if issubclass(model, Record) else {"id"}
        rows = model._base_manager.order_by("pk").values()
        found[model._meta.label] = {
            (
                row["id"]
                if issubclass(model, Record)
                else tuple(sorted((k, v) for k, v in row.items() if k != "id"))
            ): {name: _clear(model, name, value) for name, value in row.items() if name not in drop}
            for row in rows
        }
    return found


def _clear(model: type[models.Model], name: str, value: Any) -> Any:
    field = model._meta.get_field(name)
    return field.wrap(value).clear if isinstance(field, EncryptedField) else value
