"""The page on which a person decides whom the rows mean that nearly match somebody on record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from povertyaid.imports import jobs
from povertyaid.imports.deciding import (
    FOR_ALL,
    Asked,
    DecisionError,
    as_asked,
    asked_rows,
    decide,
    same_answers,
    undecide,
)
from povertyaid.imports.models import ImportBatch, ImportRow, WrongBatchMoveError
from povertyaid.imports.questions import CHOICES, Decision
from povertyaid.imports.resources import resource_for
from povertyaid.imports.views import ADD, _allowed, _batch, _user
from povertyaid.lib.messages import MessageError
from povertyaid.work.services import latest_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

    from povertyaid.schools.models import User

CARDS_A_PAGE = 20
DECIDED_SHOWN = 200
# How many alike make one answer for all worth while.
MANY = 3

CODES: dict[str, StrOrPromise] = {
    "other_name": gettext_lazy("same number, another name"),
    "other_number": gettext_lazy("same name, another number"),
    "close_number": gettext_lazy("almost the same number"),
    "swapped_numbers": gettext_lazy("numbers swapped between two people"),
    "guardians_number": gettext_lazy("perhaps the guardian's number"),
    "other_school": gettext_lazy("enrolled at another school"),
    "namesakes": gettext_lazy("several of the same name"),
}
_TEXTS: dict[str, StrOrPromise] = {
    "take": gettext_lazy("The same person; the list is right, and the record is corrected"),
    "keep": gettext_lazy(
        "The same person; what is asked about stays as on record, the rest is taken from the list"
    ),
    "new": gettext_lazy("Somebody else; enter a new record"),
    "skip": gettext_lazy("Leave this row out"),
}
_MEANT = gettext_lazy("This one is meant")
_BY_CODE: dict[tuple[str, str], StrOrPromise] = {
    ("other_school", "take"): gettext_lazy(
        "Has come over: end the enrolment there as transferred, enrol here"
    ),
    ("namesakes", "take"): _MEANT,
    ("swapped_numbers", "take"): gettext_lazy("The list is right; correct the numbers on record"),
    ("swapped_numbers", "keep"): gettext_lazy("The record is right; the numbers on record stay"),
}


@dataclass(frozen=True)
class Option:
    """One answer to choose: as it is stored, in words, whether it is chosen."""

    value: str
    text: str
    chosen: bool


@dataclass
class Side:
    """One stored record beside the row: its facts in the order of the card, and what may be chosen for it."""

    label: str
    cells: list[tuple[str, bool]]
    options: list[Option]


@dataclass
class Card:
    """A row with its question: facts by label, the records beside it, and the answers that name no record."""

    asked: Asked
    kind: str
    code: str
    labels: list[tuple[str, str]]
    sides: list[Side]
    options: list[Option]
    error: str = ""
    hidden: bool = False
    lines: list[tuple[str, str, list[tuple[str, bool]]]] = field(default_factory=list)


@_allowed(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def decide_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the rows that wait for a decision, each beside whom it may mean; POST keeps answers or takes them back."""
    user = _user(request)
    found = _batch(request, pk)
    for kind in found.kinds:
        resource = resource_for(kind)
        if resource is None or not user.has_perm(resource.permission):
            raise PermissionDenied
    work = latest_for(found)
    if found.state != ImportBatch.State.TO_CHECK or (work is not None and work.is_live):
        messages.warning(request, _("Nothing can be decided about this list now."))
        return redirect("imports:batch", found.pk)
    answers: dict[str, str] = {}
    wrong: Mapping[str, Any] = {}
    if request.method == "POST":
        answers = _answers(request, found, user)
        try:
            return _kept(request, found, answers)
        except DecisionError as error:
            messages.error(request, str(error))
            wrong = error.answers
    return render(request, "imports/decide.html", _context(request, found, answers=answers, wrong=wrong))


def _answers(request: HttpRequest, found: ImportBatch, user: User) -> dict[str, str]:
    """What was chosen: row by row, or one answer for all rows that are alike."""
    code, _sign, choice = request.POST.get("all", "").partition(":")
    if choice in CHOICES:
        return same_answers(batch=found, user=user, code=code, choice=choice)
    prefix = "answer-"
    return {
        name.removeprefix(prefix): text
        for name, text in request.POST.items()
        if name.startswith(prefix) and isinstance(text, str) and text
    }


def _kept(request: HttpRequest, found: ImportBatch, answers: dict[str, str]) -> HttpResponse:
    """Keep the answers, or take one back, and compare the list with the records once more."""
    user = _user(request)
    try:
        if request.POST.get("back"):
            count = undecide(batch=found, user=user, keys=[request.POST["back"]])
        else:
            count = decide(batch=found, user=user, answers=answers)
        if count:
            jobs.begin(jobs.PREPARE, batch=found, user=user)
    except WrongBatchMoveError:
        messages.warning(request, _("This import was confirmed or cancelled before."))
        return redirect("imports:batch", found.pk)
    except DecisionError:
        raise
    except MessageError as error:
        messages.error(request, str(error))
    else:
        if count:
            text = ngettext("%(count)d decision was kept.", "%(count)d decisions were kept.", count)
            back = _("The decision was taken back.")
            messages.success(request, back if request.POST.get("back") else text % {"count": count})
        else:
            messages.warning(request, _("Nothing was chosen."))
    found.refresh_from_db(fields=["state", "counts"])
    rest = found.state == ImportBatch.State.TO_CHECK and found.counts.get("asked")
    return redirect("imports:decide" if rest else "imports:batch", found.pk)


def _context(
    request: HttpRequest, found: ImportBatch, *, answers: Mapping[str, str], wrong: Mapping[str, Any]
) -> dict[str, Any]:
    user = _user(request)
    rows = asked_rows(found, user)
    page = Paginator(rows, CARDS_A_PAGE).get_page(request.GET.get("p"))
    cards = [_card(item, answers, wrong) for item in as_asked(page.object_list, user)]
    return {
        **admin.site.each_context(request),
        "title": _("Compare and decide"),
        "batch": found,
        "page": page,
        "cards": cards,
        "alike": _alike(rows),
        "decided": _decided(found, user),
    }


def _card(item: Asked, answers: Mapping[str, str], wrong: Mapping[str, Any]) -> Card:
    """A row and the records beside it, fact by fact; the same facts in one line for all records."""
    question = item.row.question
    refers = "keep" not in question["choices"] and "new" not in question["choices"]
    chosen = answers.get(item.key, "")
    facts: dict[str, dict[int, dict[str, Any]]] = {}
    for candidate in item.candidates:
        for fact in candidate["facts"]:
            facts.setdefault(fact["label"], {})[candidate["pk"]] = fact
    own = [(label, next(iter(by_pk.values()))["row"]) for label, by_pk in facts.items()]
    sides = [
        Side(
            candidate["label"],
            [_cell(by_pk.get(candidate["pk"])) for by_pk in facts.values()],
            [
                Option(value, choice_text(item.code, choice, refers=refers), value == chosen)
                for choice in candidate["choices"]
                for value in [f"{choice}:{candidate['pk']}"]
            ],
        )
        for candidate in item.candidates
    ]
    rest = [
        Option(choice, choice_text(item.code, choice), choice == chosen)
        for choice in item.choices
        if ":" not in choice
    ]
    card = Card(
        item,
        _kind_label(item.row.kind),
        str(CODES.get(item.code, item.code)),
        own,
        sides,
        rest,
        str(wrong.get(item.key, "")),
        len(item.candidates) < len(question["candidates"]),
    )
    card.lines = [
        (label, value, [side.cells[place] for side in sides]) for place, (label, value) in enumerate(own)
    ]
    return card


def _cell(fact: dict[str, Any] | None) -> tuple[str, bool]:
    return (fact["stored"], bool(fact["differs"])) if fact is not None else ("", False)


def choice_text(code: str, choice: str, *, refers: bool = False) -> str:
    """An answer in words; a row that only refers to somebody changes nothing of the record."""
    if choice == "take" and refers and code != "other_school":
        return str(_MEANT)
    return str(_BY_CODE.get((code, choice)) or _TEXTS[choice])


def _kind_label(kind: str) -> str:
    resource = resource_for(kind)
    return str(resource.label) if resource is not None else kind


def _alike(rows: Any) -> list[dict[str, Any]]:
    """The near misses of which there are many, with the answers that may be given for all of them."""
    numbers: dict[str, int] = {}
    choices: dict[str, list[str]] = {}
    for question in rows.values_list("question", flat=True):
        if question["code"] in FOR_ALL and len(question["candidates"]) == 1:
            code = question["code"]
            numbers[code] = numbers.get(code, 0) + 1
            choices.setdefault(code, question["choices"])
    return [
        {
            "label": str(CODES[code]),
            "count": count,
            "options": [
                {"value": f"{code}:{choice}", "text": choice_text(code, choice)} for choice in choices[code]
            ],
        }
        for code, count in numbers.items()
        if count >= MANY
    ]


def _decided(found: ImportBatch, user: User) -> list[dict[str, Any]]:
    """What was decided before, with the row as it stands in the file; the latest sheets and rows as they come."""
    entries = []
    for key, text in list(found.decisions.items())[:DECIDED_SHOWN]:
        parts = key.rsplit("!", 3)
        decision = Decision.parse(text)
        if len(parts) == 4 and parts[1].isdecimal() and decision is not None:
            entries.append((key, parts[0], int(parts[1]), parts[2], parts[3], decision))
    rows = _rows_by_place(
        ImportRow.objects.visible_to(user).filter(
            batch=found, row__in=[entry[2] for entry in entries][:DECIDED_SHOWN]
        )
    )
    shown = []
    for key, sheet, number, kind, code, decision in entries:
        row = rows.get((sheet, number, kind))
        shown.append(
            {
                "key": key,
                "sheet": sheet,
                "row": number,
                "kind": _kind_label(kind),
                "code": str(CODES.get(code, code)),
                "choice": choice_text(code, decision.choice),
                "values": "、".join(str(value) for value in list(row.values.values())[:4]) if row else "",
            }
        )
    return shown


def _rows_by_place(rows: Iterable[ImportRow]) -> dict[tuple[str, int, str], ImportRow]:
    return {(row.sheet, row.row, row.kind): row for row in rows}
