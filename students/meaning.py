"""Rows that only refer to a pupil (payments, pairings, recognitions): exactly found, asked about, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.asking import decided, forgive, only_wrong_at
from povertyaid.lib.messages import Message
from students.candidates import Cards, closeness
from students.nearmisses import CLOSE_NUMBER, OTHER_NUMBER
from students.pupilbook import PupilError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from povertyaid.imports.context import ImportContext
    from povertyaid.imports.questions import Choice, Question
    from povertyaid.imports.resources import Row
    from students.models import Student
    from students.pupilbook import PupilBook, Wanted

_CHOICES: tuple[Choice, ...] = ("take", "skip")
_NAMESAKES = _(
    "Several pupils named %(name)s fit. Choose who is meant, or add the class or the identity number."
)


class Meaning:
    """Which pupil a row of another list means; nothing of the pupil changes by it."""

    def __init__(
        self, context: ImportContext, pupils: PupilBook, *, columns: Mapping[str, str] | None = None
    ) -> None:
        """`columns` maps the keys of this module (name) to those of the kind where they differ (students)."""
        self._context = context
        self._pupils = pupils
        self._cards = Cards(pupils)
        self._columns = columns or {}

    def find(self, row: Row, wanted: Wanted, *, alone: bool = True) -> Student | None:
        """The one pupil that a row means; None after refusing the row or asking about a near miss.

        `alone`: the row names no other pupil, so that a decision about the row is one about this pupil.
        """
        if wanted.failed:
            return self._with_failed_number(row, wanted)
        try:
            return self._pupils.find(wanted)
        except PupilError as error:
            question = self._question(row, wanted, error) if alone and row.ok else None
            if question is None:
                row.refuse(self._key(error.key), error.message)
                return None
        return self._decided(row, question)

    def _key(self, key: str) -> str:
        return self._columns.get(key, key)

    def _decided(self, row: Row, question: Question) -> Student | None:
        decision = decided(self._context, row, question)
        return self._pupils.by_pk(decision.pk) if decision is not None and decision.pk is not None else None

    def _with_failed_number(self, row: Row, wanted: Wanted) -> Student | None:
        """A number that fails its check and is almost that of a pupil of this name; else it stays refused."""
        near = [
            item for item in self._namesakes(wanted, everywhere=True) if closeness(wanted, item) is not None
        ]
        if not near or not only_wrong_at(row, "identity"):
            return None
        forgive(row, "identity")
        return self._decided(row, self._asked(row, wanted, near, "identity"))

    def _question(self, row: Row, wanted: Wanted, error: PupilError) -> Question | None:
        """What to ask in the place of an error; None where nobody comes near."""
        if error.code == "other_name":
            holder = self._pupils.exact(wanted)
            if holder is None:
                return None
            found = [holder, *(item for item in self._namesakes(wanted) if item.pk != holder.pk)]
            return self._made("other_name", error.key, error.message, row=row, wanted=wanted, found=found)
        if error.code == "namesakes":
            message = Message("namesakes", _NAMESAKES, {"name": wanted.name})
            found = self._namesakes(wanted)
            return self._made("namesakes", error.key, message, row=row, wanted=wanted, found=found)
        if error.code == "unknown" and error.key != "name":
            everywhere = self._namesakes(wanted, everywhere=True)
            near = [item for item in everywhere if closeness(wanted, item) is not None]
            found = near or (self._namesakes(wanted) if wanted.school is not None else [])
            return self._asked(row, wanted, found, error.key) if found else None
        return None

    def _asked(self, row: Row, wanted: Wanted, found: Sequence[Student], key: str) -> Question:
        """The question about another number, or about a slip in it."""
        close = closeness(wanted, found[0])
        if close is None:
            message = Message("other_number", OTHER_NUMBER, {"name": found[0].name})
        else:
            key, like = close
            params = {"name": found[0].name, "difference": like.message}
            message = Message("close_number", CLOSE_NUMBER, params)
        return self._made(message.code, key, message, row=row, wanted=wanted, found=found)

    def _made(
        self, code: str, key: str, message: Message, *, row: Row, wanted: Wanted, found: Sequence[Student]
    ) -> Question:
        candidates = [(student, None) for student in found]
        return self._cards.question(
            code, self._key(key), message, row=row, wanted=wanted, candidates=candidates, choices=_CHOICES
        )

    def _namesakes(self, wanted: Wanted, *, everywhere: bool = False) -> list[Student]:
        """Pupils of the name at the school (in the class, where the row tells one), or wherever the account sees them."""
        if everywhere:
            return self._pupils.same_name(wanted.name)
        if wanted.school is None:
            return []
        found = {
            item.student_id: item.student
            for item in self._pupils.namesakes(wanted.name, wanted.school)
            if wanted.place is None or wanted.place.holds(item.school_class)
        }
        return list(found.values())
