"""Decisions about near misses: kept with the batch, which is then prepared again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.models import ImportBatch, ImportRow, WrongBatchMoveError
from povertyaid.imports.questions import OF_A_CANDIDATE, Decision, decision_key
from povertyaid.lib.messages import Message, MessageError

if TYPE_CHECKING:
    from povertyaid.imports.questions import Choice
    from povertyaid.schools.models import User

# Near misses of which a list may have many that are all alike: answered for all at once.
FOR_ALL = ("other_number", "other_school")
_GONE = _("This row is no longer asked about. Look at the page again.")
_NO_CHOICE = _("This cannot be chosen here. Choose one of the answers.")


class DecisionError(MessageError):
    """Answers that cannot be kept; nothing was. `answers` says by decision key what is wrong; code: answers."""

    def __init__(self, answers: Mapping[str, Message]) -> None:
        """Keep what is wrong with each answer."""
        super().__init__("answers", _("Some answers could not be kept. Look at them again."))
        self.answers = answers


@dataclass(frozen=True)
class Asked:
    """A row that waits for a decision, as one account may see it: candidates out of its scope are left out."""

    row: ImportRow
    candidates: list[dict[str, Any]]

    @property
    def key(self) -> str:
        """Where the decision is kept."""
        return key_of(self.row)

    @property
    def code(self) -> str:
        """Which near miss it is."""
        return str(self.row.question["code"])

    @property
    def choices(self) -> list[str]:
        """Every answer that may be given, as it is stored: take:7, keep:7, new, skip."""
        named = [f"{choice}:{item['pk']}" for item in self.candidates for choice in item["choices"]]
        return named + [choice for choice in self.row.question["choices"] if choice not in OF_A_CANDIDATE]


def key_of(row: ImportRow) -> str:
    """The key of the decision about a row that is asked about."""
    return decision_key(row.sheet, row.row, row.kind, str((row.question or {}).get("code", "")))


def asked_rows(batch: ImportBatch, user: User) -> Any:
    """The rows of a batch that wait for a decision, in their order."""
    found = ImportRow.objects.visible_to(user).filter(batch=batch, question__isnull=False)
    return found.order_by("sheet", "row", "pk")


def as_asked(rows: Iterable[ImportRow], user: User) -> list[Asked]:
    """The questions of some rows with the candidates that the account may see: one query for each kind of record.

    Another account may have prepared the batch, one that sees more schools.
    """
    rows = list(rows)
    wanted: dict[str, set[int]] = {}
    for row in rows:
        for item in row.question["candidates"]:
            wanted.setdefault(row.question["model"], set()).add(item["pk"])
    seen = {label: _visible(label, keys, user) for label, keys in wanted.items()}
    return [
        Asked(
            row,
            [item for item in row.question["candidates"] if item["pk"] in seen[row.question["model"]]],
        )
        for row in rows
    ]


def _visible(label: str, keys: set[int], user: User) -> set[int]:
    records: Any = apps.get_model(label)._default_manager
    ordered = sorted(keys)
    found: set[int] = set()
    for start in range(0, len(ordered), 800):
        part = records.visible_to(user).filter(pk__in=ordered[start : start + 800])
        found.update(part.values_list("pk", flat=True))
    return found


@transaction.atomic
def decide(*, batch: ImportBatch, user: User, answers: Mapping[str, str]) -> int:
    """Keep the answers (decision key → take:7, keep:7, new or skip) with the batch; return how many.

    All or none: DecisionError when a row is no longer asked about or an answer is none of those that may be given;
    WrongBatchMoveError unless the batch waits to be checked. The batch must be prepared again afterwards.
    """
    locked = _locked(batch, user)
    rows = {row.pk: row for row in asked_rows(batch, user)}
    asked = {item.key: item for item in as_asked(_named(rows.values(), answers), user)}
    wrong = {}
    for key, text in answers.items():
        decision = Decision.parse(text)
        if key not in asked:
            wrong[key] = Message("gone", _GONE)
        elif decision is None or str(decision) not in asked[key].choices:
            wrong[key] = Message("choice", _NO_CHOICE)
    if wrong:
        raise DecisionError(wrong)
    _keep(batch, locked, {**locked.decisions, **answers})
    return len(answers)


def _named(rows: Iterable[ImportRow], answers: Mapping[str, str]) -> list[ImportRow]:
    return [row for row in rows if key_of(row) in answers]


def undecide(*, batch: ImportBatch, user: User, keys: Iterable[str]) -> int:
    """Take decisions back, so that the rows are asked about again; return how many there were.

    WrongBatchMoveError unless the batch waits to be checked. The batch must be prepared again afterwards.
    """
    with transaction.atomic():
        locked = _locked(batch, user)
        gone = set(keys) & locked.decisions.keys()
        _keep(batch, locked, {key: text for key, text in locked.decisions.items() if key not in gone})
    return len(gone)


def same_answers(*, batch: ImportBatch, user: User, code: str, choice: Choice) -> dict[str, str]:
    """One answer for all rows with the same near miss of which exactly one record can be meant."""
    if code not in FOR_ALL:
        return {}
    found = {}
    for item in as_asked(asked_rows(batch, user), user):
        if item.code != code:
            continue
        fitting = [text for text in item.choices if text.partition(":")[0] == choice]
        if len(fitting) == 1:
            found[item.key] = fitting[0]
    return found


def _locked(batch: ImportBatch, user: User) -> ImportBatch:
    """The batch for writing; WrongBatchMoveError when it does not wait to be checked."""
    locked: ImportBatch = ImportBatch.objects.visible_to(user).select_for_update().get(pk=batch.pk)
    if locked.state != ImportBatch.State.TO_CHECK:
        raise WrongBatchMoveError(f"An import that is {locked.state} takes no decisions.")
    return locked


def _keep(batch: ImportBatch, locked: ImportBatch, decisions: dict[str, str]) -> None:
    locked.decisions = decisions
    locked.save(update_fields=["decisions"])
    batch.refresh_from_db(fields=["decisions", "version", "updated_at", "state"])
