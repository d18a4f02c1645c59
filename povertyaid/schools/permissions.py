"""The table of roles.py in the database: one group a role, with exactly the permissions of its column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.utils import translation

from povertyaid.schools.roles import TABLE, Role, permissions_of

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT = "docs/permissions.md"
LETTERS = (
    ("view", "看"),
    ("add", "增"),
    ("change", "改"),
    ("delete", "删"),
    ("import", "导入"),
    ("export", "导出"),
    ("reveal", "查看完整号码"),
    ("sign", "签发"),
)


@dataclass
class Difference:
    """What a role's group has too much and too little; permissions that the table names and no model has."""

    added: dict[str, set[str]] = field(default_factory=dict)
    removed: dict[str, set[str]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.unknown or self.groups)


def _known() -> dict[str, Permission]:
    rows = Permission.objects.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}": row for row in rows}


def _names(rows: Iterable[Permission]) -> set[str]:
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


@transaction.atomic
def synchronise(*, write: bool = True) -> Difference:
    """Make the groups agree with the table and return what differed; with write=False only look."""
    known = _known()
    result = Difference()
    for role in Role:
        wanted = permissions_of(role)
        result.unknown |= wanted - set(known)
        group = Group.objects.filter(name=role.value).first()
        if group is None:
            result.groups.add(role.value)
            group = Group.objects.create(name=role.value) if write else None
        held = _names(group.permissions.select_related("content_type")) if group else set()
        added, removed = (wanted & set(known)) - held, held - wanted
        if added:
            result.added[role.value] = added
        if removed:
            result.removed[role.value] = removed
        if write and group is not None and (added or removed):
            group.permissions.set([known[name] for name in wanted if name in known])
    return result


def after_migrate(sender: Any, **kwargs: Any) -> None:
    """Apply the table after the last app was migrated: by then every permission exists."""
    migrated = [config for config in apps.get_app_configs() if config.models_module is not None]
    if sender is not migrated[-1] or kwargs.get("using", "default") != "default":
        return
    if {Group._meta.db_table, Permission._meta.db_table} <= set(connection.introspection.table_names()):
        synchronise()


def document() -> str:
    """Return the table as Markdown, for docs/permissions.md: in the source words, so that no catalogue changes it."""
    with translation.override("en"):
        words = dict(LETTERS)
        lines = [
            "# 权限表 Permissions by role",
            "",
            "由 `python manage.py sync_roles --docs` 从 `povertyaid/schools/roles.py` 生成，请勿手工修改。",
            "Generated from `povertyaid/schools/roles.py` by `python manage.py sync_roles --docs`; do not edit by hand.",
            "",
            "权限只说明能做什么；能看到哪些学校、班级和学生，由账号的角色所在单位决定（默认什么也看不到）。",
            "A permission says what may be done; which schools, classes and pupils are seen is a matter of scope.",
            "",
            "| 记录 Records | " + " | ".join(f"{role.label}<br>`{role.value}`" for role in Role) + " |",
            "|---|" + "---|" * len(Role),
        ]
        models = list(TABLE[Role.COUNTY_ADMIN])
        for label in models:
            cells = []
            for role in Role:
                held = TABLE[role][label]
                cells.append("、".join(words[key] for key, _word in LETTERS if key in held) or "—")
            name = apps.get_model(label)._meta.verbose_name
            lines.append(f"| {name}<br>`{label}` | " + " | ".join(cells) + " |")
        return "\n".join([*lines, ""])
