"""Near misses: a row that may mean a stored person, and the decision that only somebody who knows can make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from povertyaid.lib.messages import Message

Choice = Literal["take", "keep", "new", "skip"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
# Choices that mean a stored record, and so name it.
OF_A_CANDIDATE: frozenset[str] = frozenset({"take", "keep"})
_KEY_DIGITS = 18


@dataclass(frozen=True)
class Fact:
    """One thing to compare: what it is, what the row says, what is stored; sensitive values are masked."""

    label: str
    row: str
    stored: str
    differs: bool = False


@dataclass(frozen=True)
class Candidate:
    """A stored record that the row may mean; only records within the scope of the account are ever candidates.

    `choices` narrows those of the question where not all make sense for this record; () shows it for comparison alone.
    """

    pk: int
    label: str
    facts: Sequence[Fact] = ()
    choices: Sequence[Choice] | None = None


@dataclass(frozen=True)
class Question:
    """What a person must decide about a row.

    `code` names the kind of near miss: other_name, other_number, close_number, swapped_numbers, guardians_number,
    other_school, namesakes. `key` is the column at which it is told. Choices: take = the same person, and the row's
    values are right; keep = the same person, and what is stored stays where the two differ; new = somebody else;
    skip = leave the row out. The first two are made for one of the candidates. `model` names what the candidates are
    ("students.student"), so that whoever looks at the question later is shown only what he or she may see.
    """

    code: str
    key: str
    message: Message
    candidates: Sequence[Candidate] = ()
    choices: Sequence[Choice] = CHOICES
    model: str = ""

    def allows(self, decision: Decision) -> bool:
        """Whether a decision answers this question: with one of its choices, for one of its candidates as they are now."""
        if decision.choice not in OF_A_CANDIDATE:
            return decision.choice in self.choices
        return any(
            item.pk == decision.pk and decision.choice in self.choices_for(item) for item in self.candidates
        )

    def choices_for(self, item: Candidate) -> list[Choice]:
        """What may be chosen for one of the candidates."""
        own = self.choices if item.choices is None else item.choices
        return [choice for choice in self.choices if choice in own and choice in OF_A_CANDIDATE]

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the row of the preview."""
        return {
            "code": self.code,
            "message": str(self.message),
            "choices": list(self.choices),
            "model": self.model,
            "candidates": [
                {
                    "pk": item.pk,
                    "label": item.label,
                    "choices": self.choices_for(item),
                    "facts": [
                        {"label": fact.label, "row": fact.row, "stored": fact.stored, "differs": fact.differs}
                        for fact in item.facts
                    ],
                }
                for item in self.candidates
            ],
        }


@dataclass(frozen=True)
class Decision:
    """What a person chose; `pk` is the record that is meant by `take` and `keep`."""

    choice: Choice
    pk: int | None = None

    @classmethod
    def parse(cls, text: str) -> Decision | None:
        """The decision in a stored text as "keep:7" or "new"; None when it is none."""
        choice, _sign, number = text.partition(":")
        # What somebody sends may be longer than any key, and than Python turns into a number.
        named = number.isascii() and number.isdecimal() and len(number) <= _KEY_DIGITS
        if choice not in CHOICES or (not named if choice in OF_A_CANDIDATE else number):
            return None
        return cls(choice, int(number) if number else None)

    def __str__(self) -> str:
        return self.choice if self.pk is None else f"{self.choice}:{self.pk}"


def decision_key(sheet: str, row: int, kind: str, code: str) -> str:
    """Where the decision about a row is kept in `ImportBatch.decisions`."""
    return f"{sheet}!{row}!{kind}!{code}"


@dataclass(frozen=True)
class Decisions:
    """The decisions of a batch, by row."""

    stored: dict[str, str] = field(default_factory=dict)

    def of(self, sheet: str, row: int, kind: str, code: str) -> Decision | None:
        """The decision about one near miss of a row, when there is one."""
        text = self.stored.get(decision_key(sheet, row, kind, code))
        return Decision.parse(text) if text is not None else None

    def leaves_out(self) -> set[tuple[str, int, str]]:
        """Rows that were left out by decision: sheet, row, kind."""
        found = set()
        for key, text in self.stored.items():
            parts = key.rsplit("!", 3)
            if text == "skip" and len(parts) == 4 and parts[1].isdecimal():
                found.add((parts[0], int(parts[1]), parts[2]))
        return found
