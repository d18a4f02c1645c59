"""Taking back what a batch wrote: what would go, what must stay because later work stands on it, and the doing of it.

A record that the import added is deleted, one that it changed gets its earlier values in the columns that the import
wrote. Records stay, each with the reason in words, when they were edited since, when others point to them, or when what
they would return to is taken. The number of queries does not grow with the number of records (pieces aside).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.actor import acting_as
from povertyaid.audit.deleting import parts
from povertyaid.audit.models import AccessLog, Change
from povertyaid.audit.recorder import differs
from povertyaid.audit.services import log_access
from povertyaid.imports.conflicts import Wanted, conflicts
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.keeping import stored_changes
from povertyaid.imports.models import ImportBatch, UndoEntry, WrongBatchMoveError
from povertyaid.imports.resources import resource_for
from povertyaid.imports.schoolbook import import_scope
from povertyaid.imports.undo_items import Item, Key, UndoPlan, by_model, guards_of
from povertyaid.imports.undo_standing import held_links, pointed_at, spread
from povertyaid.imports.undo_writing import CannotReturnError, Writer
from povertyaid.lib.messages import Message
from povertyaid.lib.progress import NO_PROGRESS
from povertyaid.schools.base import Record
from povertyaid.schools.models import County

if TYPE_CHECKING:
    from povertyaid.lib.progress import Progress
    from povertyaid.schools.models import User

# Rows of these apps are the batch itself, not what it brought.
_OWN = ("imports.", "files.", "audit.", "work.")
ADD = "imports.add_importbatch"
_NAMED_FIELDS = 6
# Each attempt leaves out records that the database denied; in practice one is enough.
_ATTEMPTS = 5


def may_undo(batch: ImportBatch, user: User) -> bool:
    """Whether the account may take a batch back: it might import each of its kinds into the same place today."""
    if not (user.is_system or user.has_perm(ADD)):
        return False
    for kind in batch.kinds:
        resource = resource_for(kind)
        if resource is None or not (user.is_system or user.has_perm(resource.permission)):
            return False
        scope = import_scope(user, resource.model._meta.label_lower)
        if (
            not scope.everything
            and not ImportBatch.objects.filter(ImportBatch.scope_filter(scope), pk=batch.pk).exists()
        ):
            return False
    return bool(batch.kinds)


def plan_undo(
    batch: ImportBatch, user: User, *, stays: Mapping[Key, Message] | None = None, lock: bool = False
) -> UndoPlan:
    """Say what an undo would take back and what must stay; nothing is written.

    `stays` are records that were found to have to stay for a reason of their own. With `lock` nobody else can change
    the records until the end of the transaction.
    """
    plan = UndoPlan(batch)
    _collect(plan)
    groups = by_model(plan.items.values())
    for model, items in groups.items():
        _look_up(model, items, batch, user, lock=lock)
        _edited_since(model, items, batch)
        _ask_guards(model, items)
    for key, message in (stays or {}).items():
        plan.items[key].reasons.append(message)
    pointed_at(plan, groups, _changes(batch))
    settled: set[Key] = set()
    while True:
        spread(plan, groups, settled)
        for model, items in groups.items():
            _taken(model, items)
        if settled == {item.key for item in plan.of("refused")}:
            return plan


def _model_of(label: str) -> type[Record] | None:
    try:
        found = apps.get_model(label)
    except LookupError:
        return None
    return found if issubclass(found, Record) else None


def _changes(batch: ImportBatch) -> models.QuerySet[Change]:
    """What the history tells of the import itself."""
    found = Change.objects.filter(batch_id=batch.pk).exclude(action=Change.Action.DELETE).order_by("pk")
    for label in _OWN:
        found = found.exclude(model__startswith=label)
    return found


def _collect(plan: UndoPlan) -> None:
    """Every record that the history says the batch touched, with the values that were kept of the changed ones."""
    unknown: set[Key] = set()
    for label, pk, action, text in (
        _changes(plan.batch).values_list("model", "object_id", "action", "object_label").iterator()
    ):
        model = _model_of(label)
        if model is None or pk is None or (label, pk) in plan.items:
            continue
        created = action == Change.Action.ADD
        plan.items[label, pk] = Item(model, pk, text, created)
        if not created:
            unknown.add((label, pk))
    for entry in UndoEntry.objects.filter(batch=plan.batch).order_by("pk"):
        for pk, columns, links in stored_changes(entry):
            item = plan.items.get((entry.model, pk))
            if item is None or item.created:
                continue
            unknown.discard(item.key)
            item.follows = (item.follows or not (item.main.columns or item.main.links)) and (
                entry.stage == UndoEntry.Stage.FOLLOWS
            )
            back = item.first if entry.stage == UndoEntry.Stage.FIRST else item.main
            for name, (before, after) in columns.items():
                back.columns[name] = [back.columns.get(name, [before])[0], after]
            for name, (before, after) in links.items():
                back.links[name] = [back.links.get(name, [before])[0], after]
    for key in unknown:
        plan.items[key].reasons.append(
            Message("not_kept", _("Its earlier values were not kept, or were erased after the set time."))
        )


def _look_up(
    model: type[Record], items: dict[int, Item], batch: ImportBatch, user: User, *, lock: bool
) -> None:
    """Which records are still there and within reach; whether the changed ones still hold what the import wrote."""
    reach = _reach(model, batch, user)
    stored: set[int] = set()
    for keys in parts(items):
        # In the order of the keys: that of the model may stand in other tables, which must not be locked.
        found = model._default_manager.filter(pk__in=keys).order_by("pk")
        stored |= set((found.select_for_update() if lock else found).values_list("pk", flat=True))
    changed = [pk for pk, item in items.items() if not item.created and pk in stored]
    for pk, item in items.items():
        item.gone = pk not in stored
    if reach is not None:
        visible: set[int] = set()
        for keys in parts(stored):
            visible |= set(reach.filter(pk__in=keys).values_list("pk", flat=True))
        for pk in stored - visible:
            items[pk].hidden = True
            if not items[pk].follows:
                items[pk].reasons.append(
                    Message("scope", _("It belongs to a school that you do not import for now."))
                )
    for keys in parts(changed):
        for instance in model._default_manager.filter(pk__in=keys):
            _compare(instance, items[instance.pk])
    _compare_links(model, [items[pk] for pk in changed])


def _reach(model: type[Record], batch: ImportBatch, user: User) -> models.QuerySet[Any] | None:
    """The records for which the account may import today; None when it is all of them."""
    found: models.QuerySet[Any] = model._default_manager.visible_to(user)
    scopes = [
        import_scope(user, resource.model._meta.label_lower)
        for resource in map(resource_for, batch.kinds)
        if resource is not None
    ]
    if user.is_system or any(scope.everything for scope in scopes):
        return None
    condition = models.Q(pk__in=())
    for scope in scopes:
        condition |= model.scope_filter(scope)
    return found.filter(condition)


def _changed_text(model: type[models.Model], names: Iterable[str]) -> str:
    words = []
    for name in names:
        try:
            words.append(str(getattr(model._meta.get_field(name), "verbose_name", name)))
        except FieldDoesNotExist:
            words.append(name)
    return "、".join(words[:_NAMED_FIELDS]) + ("…" if len(words) > _NAMED_FIELDS else "")


def _compare(instance: Record, item: Item) -> None:
    """Refuse a record whose columns hold something else than the import wrote."""
    other = []
    for name, (_before, after) in item.columns.items():
        column: Any = instance._meta.get_field(name)
        if differs(column, getattr(instance, column.attname), after):
            other.append(name)
    if other:
        text = _("“%(columns)s” holds another value than the import wrote.")
        item.reasons.append(Message("differs", text, {"columns": _changed_text(item.model, other)}))


def _compare_links(model: type[Record], items: list[Item]) -> None:
    for name in {name for item in items for name in item.links}:
        holders = {item.pk: item for item in items if name in item.links}
        held = held_links(model, name, holders)
        for pk, item in holders.items():
            if held.get(pk, set()) != set(item.links[name][1]):
                text = _("“%(columns)s” holds another value than the import wrote.")
                item.reasons.append(Message("differs", text, {"columns": _changed_text(model, [name])}))


def _edited_since(model: type[Record], items: dict[int, Item], batch: ImportBatch) -> None:
    """Refuse new records that anybody edited, and changed ones whose columns of the batch anybody edited.

    What a later import changed and its own undo took back counts for nothing.
    """
    label = model._meta.label_lower
    own = _changes(batch).filter(model=label)
    first = own.order_by("pk").values_list("pk", flat=True).first() or 0
    later = (
        Change.objects.filter(model=label, pk__gt=first, object_id__in=own.order_by().values("object_id"))
        .exclude(batch_id=batch.pk)
        .order_by("pk")
    )
    told = list(later.values_list("object_id", "action", "fields", "actor_name", "at", "batch_id"))
    undone = _undone({row[5] for row in told if row[5]})
    for pk, action, fields, who, at, other in told:
        item = items.get(pk or 0)
        if item is None or item.gone or action == Change.Action.DELETE:
            continue
        if other in undone and item.key not in undone[other]:
            continue
        names = [entry["field"] for entry in fields]
        if not item.created:
            names = [name for name in names if name in item.columns or name in item.links]
        if not names:
            continue
        params = {
            "who": who or _("somebody"),
            "day": f"{timezone.localtime(at):%Y-%m-%d %H:%M}",
            "columns": _changed_text(model, names),
        }
        # The history tells it better than the comparison does.
        item.reasons = [reason for reason in item.reasons if reason.code != "differs"]
        if other:
            text = _("The import no. %(batch)s of %(day)s changed “%(columns)s”. Undo that one first.")
            item.reasons.append(Message("later_import", text, {**params, "batch": other}))
        else:
            text = _("%(who)s changed “%(columns)s” on %(day)s.")
            item.reasons.append(Message("edited", text, params))


def _undone(batches: set[int]) -> dict[int, set[Key]]:
    """Of these batches those that were undone, with the records that their undo left as they were."""
    found = ImportBatch.objects.filter(pk__in=batches, state=ImportBatch.State.UNDONE)
    return {
        pk: {(kept["model"], kept["pk"]) for kept in report.get("undo", {}).get("kept", [])}
        for pk, report in found.values_list("pk", "report")
    }


def _ask_guards(model: type[Record], items: dict[int, Item]) -> None:
    for asked in guards_of(model):
        for keys in parts(pk for pk, item in items.items() if not item.gone):
            for pk, message in asked(keys).items():
                items[pk].reasons.append(message)


def _taken(model: type[Record], items: Mapping[int, Item]) -> None:
    """Refuse to give back what another record has now, or what points to a record that is there no more."""
    wanted = {
        pk: Wanted({name: before for name, (before, _after) in item.columns.items()})
        for pk, item in items.items()
        if item.action == "restore"
    }
    leaving = {pk for pk, item in items.items() if item.action == "delete"}
    for pk, message in conflicts(model, wanted, leaving).items():
        items[pk].reasons.append(message)


class UndoRefusedError(ImportRefusedError):
    """A batch that cannot be taken back; nothing was changed. Codes: nothing, busy."""


def undo_batch(
    *,
    batch: ImportBatch,
    user: User,
    progress: Progress = NO_PROGRESS,
    finish: Callable[[], None] = lambda: None,
) -> ImportBatch:
    """Take back what can be taken back of a committed batch, in one transaction; `finish` is its last step.

    What stays is kept with its reasons in `report["undo"]`. A batch is undone once: WrongBatchMoveError when it was, or
    was never imported; PermissionDenied without the right to import the same; UndoRefusedError when every record stays.
    """
    if not may_undo(batch, user):
        raise PermissionDenied
    stays: dict[Key, Message] = {}
    for _turn in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                _undo(batch, user, stays, progress)
                finish()
        except CannotReturnError as denied:
            text = _("The database does not take the earlier values together with what was entered since.")
            stays |= {key: Message("denied", text) for key in denied.keys}
        except (IntegrityError, ProtectedError):
            break
        else:
            return batch
        finally:
            batch.refresh_from_db()
    raise UndoRefusedError(
        "busy",
        _("The records changed at the same moment. Nothing was taken back; look at the page and try again."),
    )


def _undo(batch: ImportBatch, user: User, stays: Mapping[Key, Message], progress: Progress) -> None:
    # The same order of locks as in an import: the batch, then the county.
    locked = ImportBatch.objects.visible_to(user).select_for_update().get(pk=batch.pk)
    County.objects.select_for_update().get(pk=locked.county_id)
    if ImportBatch.State.UNDONE not in ImportBatch.MOVES[locked.state]:
        raise WrongBatchMoveError(f"An import that is {locked.state} cannot be undone.")
    progress.tell(_("looking at what was edited since"))
    plan = plan_undo(locked, user, stays=stays, lock=True)
    counts = plan.counts
    if not counts["delete"] and not counts["restore"] and counts["refused"]:
        raise UndoRefusedError(
            "nothing", _("Nothing of this import can be taken back: later work stands on every record of it.")
        )
    reason = str(_("undo of the import no. %(batch)s") % {"batch": locked.pk})
    write = Writer(user, locked, reason, progress, counts["delete"] + counts["restore"])
    write.give_back(plan.of("restore"), first=False)
    write.delete(plan.of("delete"))
    write.give_back(plan.of("restore"), first=True)
    locked.undo_entries.all().delete()
    locked.undone_at = timezone.now()
    locked.report = {
        **locked.report,
        "undo": {"counts": counts, "kept": [_told(item) for item in plan.of("refused")]},
    }
    with acting_as(user, batch_id=locked.pk, reason=reason):
        locked.move(ImportBatch.State.UNDONE)
    log_access(
        AccessLog.Action.IMPORT,
        user=user,
        record=locked,
        detail={"undone": True, "batch": locked.pk, "kind": locked.kind, **counts},
        reason=reason,
    )


def _told(item: Item) -> dict[str, Any]:
    """A record that stayed, as the report keeps it."""
    return {
        "model": item.model._meta.label_lower,
        "pk": item.pk,
        "kind": str(item.model._meta.verbose_name),
        "name": "" if item.hidden else item.label,
        "why": [str(reason) for reason in item.reasons],
    }
