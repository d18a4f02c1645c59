"""Rows of a list of pupils that may mean somebody on record, though not exactly: found, shown, and decided by a person.

Everything is looked up once for all rows that are not settled by a number; numbers on record are decrypted only where what
stands beside them in the clear (name, date of birth, last characters) leaves a near miss possible.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from households.models import Member, Relation
from households.words import RELATIONS, word
from povertyaid.imports.asking import decided, forgive, only_wrong_at
from povertyaid.imports.resources import by_key
from povertyaid.lib.likeness import close_keys, close_keys_of, may_be_close, number_likeness
from povertyaid.lib.messages import Message
from students.candidates import NUMBERS, Cards, closeness, differing
from students.models import Enrolment, Student
from students.pupilbook import LIVE, other_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from povertyaid.imports.context import ImportContext
    from povertyaid.imports.questions import Choice, Decision
    from students.pupilbook import PupilBook
    from students.roster import Line

# A pupil who is older than this (in years, by the number) is asked about: it may be the guardian's number.
_OLDEST = {"preschool": 9, "primary": 20, "junior": 25, "senior": 35, "vocational": 50, "special": 35}
_YOUNGEST = 2
_GROWN_UP = 18
# Who in a household is no child of it.
_ELDERS = frozenset(Relation) - {
    Relation.SON,
    Relation.DAUGHTER,
    Relation.SONS_SON,
    Relation.SONS_DAUGHTER,
    Relation.DAUGHTERS_SON,
    Relation.DAUGHTERS_DAUGHTER,
    Relation.SIBLING,
    Relation.OTHER,
}
NAMESAKES = _(
    "Several pupils of this name are in the class. Choose who is meant, or add the identity number."
)
OTHER_NUMBER = _("%(name)s is on record with another number. Decide whether it is the same child.")
CLOSE_NUMBER = _(
    "The number is almost that of %(name)s on record: %(difference)s. Decide whether it is the same child."
)
SWAPPED = _("The numbers of %(name)s and %(other)s seem to be swapped. Decide which of the two is right.")
_TAKE_OR_KEEP: tuple[Choice, ...] = ("take", "keep", "skip")
_ALL: tuple[Choice, ...] = ("take", "keep", "new", "skip")


class NearMisses:
    """Whom the rows of a list of pupils mean."""

    def __init__(self, context: ImportContext, pupils: PupilBook, lines: Sequence[Line]) -> None:
        """Remember the rows; what they need is read when it is asked for first."""
        self._context = context
        self._pupils = pupils
        self._lines = lines
        self._cards = Cards(pupils)
        self._own = {school.pk for school in context.schools.schools}

    def settle(self, line: Line) -> Student | None:
        """The stored pupil of a row, None when it is a new one or when the row was refused or is asked about."""
        row, wanted, pupils = line.row, line.wanted, self._pupils
        if wanted.failed:
            return self._with_failed_number(line)
        student = pupils.exact(wanted)
        if student is None:
            return self._unknown(line) if row.ok else None
        if wanted.pk is not None:
            return student
        differs = differing(wanted, student)
        if "name" in differs:
            return self._other_name(line, student)
        if "identity" in differs:
            return self._other_number(line, [student], "identity", _TAKE_OR_KEEP)
        holder = pupils.by_pupil_number(wanted) if "pupil_number" in differs else None
        if holder is not None and row.ok:
            return self._other_pupil_number(line, student, holder)
        return student

    # What was decided

    def _ask(
        self,
        line: Line,
        code: str,
        key: str,
        message: Message,
        *,
        candidates: Sequence[tuple[Student, Sequence[Choice] | None]],
        choices: Sequence[Choice],
    ) -> tuple[Decision | None, Student | None]:
        """The decision about a near miss and the pupil that it names; (None, None) when the row is asked."""
        question = self._cards.question(
            code, key, message, row=line.row, wanted=line.wanted, candidates=candidates, choices=choices
        )
        decision = decided(self._context, line.row, question)
        if decision is None:
            return None, None
        chosen = next((student for student, _own in candidates if student.pk == decision.pk), None)
        if chosen is not None and decision.choice == "keep":
            line.kept = differing(line.wanted, chosen)
        return decision, chosen

    # What can be near

    def _with_failed_number(self, line: Line) -> Student | None:
        """A number that fails its check is a slip of a stored one when the pupil is known otherwise."""
        wanted, row = line.wanted, line.row
        known = self._pupils.by_pupil_number(wanted)
        found = [known] if known is not None else self._of_that_name(line)
        near = [(student, close) for student in found if (close := closeness(wanted, student)) is not None]
        if not near or not only_wrong_at(row, "identity"):
            return None
        forgive(row, "identity")
        student, (key, like) = near[0]
        text = _(
            "The identity number does not pass its check, and is almost that of %(name)s on record: %(difference)s. "
            "Decide whether it is the same child, or correct the number."
        )
        message = Message("close_number", text, {"name": student.name, "difference": like.message})
        choices: tuple[Choice, ...] = ("keep", "skip")
        _decision, chosen = self._ask(
            line,
            "close_number",
            key,
            message,
            candidates=[(item, None) for item, _close in near],
            choices=choices,
        )
        return chosen

    def _other_name(self, line: Line, holder: Student) -> Student | None:
        """The number is stored with another name: misspelt, or the number is somebody else's."""
        row, wanted = line.row, line.wanted
        message = other_name(holder, wanted)
        if not row.ok:
            row.refuse("name", message)
            return holder
        key = "identity" if self._pupils.by_identity(wanted) is not None else "pupil_number"
        namesakes = [item for item in self._of_that_name(line, in_class=False) if item.pk != holder.pk]
        swapped = [item for item in namesakes if self._are_swapped(line, item, holder, key)]
        if len(swapped) == 1:
            return self._swapped(line, swapped[0], holder, key)
        of_class = [item for item in namesakes if self._is_in_place(line, item)]
        keep: tuple[Choice, ...] = ("keep",)
        candidates: list[tuple[Student, Sequence[Choice] | None]] = [(holder, ("take", "keep"))]
        candidates += [(item, keep) for item in of_class]
        _decision, chosen = self._ask(
            line, "other_name", "name", message, candidates=candidates, choices=_TAKE_OR_KEEP
        )
        return chosen

    def _are_swapped(self, line: Line, student: Student, holder: Student, key: str) -> bool:
        """Whether the stored number of `student` stands in another row, or the two are of one household."""
        other = self._rows_with.get((key, getattr(student, f"{key}_hash")))
        if other is not None and other is not line:
            return True
        return bool(getattr(student, f"{key}_hash")) and _of_one_family(student, holder)

    def _swapped(self, line: Line, student: Student, holder: Student, key: str) -> Student | None:
        """The row's number is the sibling's, and the sibling has this pupil's."""
        message = Message("swapped_numbers", SWAPPED, {"name": student.name, "other": holder.name})
        decision, chosen = self._ask(
            line,
            "swapped_numbers",
            key,
            message,
            candidates=[(student, None), (holder, ())],
            choices=_TAKE_OR_KEEP,
        )
        if (
            decision is not None
            and decision.choice == "take"
            and self._row_of(line, student, key) is None
            and chosen is not None
        ):
            # No row gives the other one a number: the two exchange theirs.
            line.exchange = (holder, key)
        return chosen

    def _row_of(self, line: Line, student: Student, key: str) -> Line | None:
        """The other row in which the stored number of a pupil stands."""
        found = self._rows_with.get((key, getattr(student, f"{key}_hash")))
        return found if found is not line else None

    def _other_pupil_number(self, line: Line, student: Student, holder: Student) -> Student | None:
        """The pupil number of a pupil who is known by the identity number belongs to somebody else."""
        key = "pupil_number"
        if self._are_swapped(line, student, holder, key):
            return self._swapped(line, student, holder, key)
        text = _(
            "The pupil number belongs to %(holder)s, not to %(name)s. Correct it, or keep what is on record."
        )
        message = Message("other_number", text, {"holder": holder.name, "name": student.name})
        _decision, chosen = self._ask(
            line,
            "other_number",
            key,
            message,
            candidates=[(student, None), (holder, ())],
            choices=("keep", "skip"),
        )
        return chosen

    def _unknown(self, line: Line) -> Student | None:
        """Nobody has the row's numbers: one of that name in the class, a slip in a number, or a new pupil."""
        row, wanted = line.row, line.wanted
        in_class = [item for item in self._of_that_name(line) if line.place is not None]
        doubt = self._guardian(line)
        if doubt is not None:
            return self._guardians_number(line, doubt, in_class)
        fitting = [item for item in in_class if not differing(wanted, item)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            message = Message("namesakes", NAMESAKES)
            choices: tuple[Choice, ...] = ("take", "new", "skip")
            candidates = [(item, None) for item in fitting]
            return self._ask(line, "namesakes", "name", message, candidates=candidates, choices=choices)[1]
        if in_class:
            key = "identity" if wanted.identity else "pupil_number"
            return self._other_number(line, in_class, key, _ALL)
        near = self._close(line)
        if near:
            return self._other_number(line, near, "identity" if wanted.identity else "pupil_number", _ALL)
        if (
            not wanted.identity
            and line.school is not None
            and self._pupils.namesakes(wanted.name, line.school)
        ):
            row.warn(
                "name", _("A pupil of this name is in another class. Check that it is not the same child.")
            )
        return None

    def _other_number(
        self, line: Line, found: Sequence[Student], key: str, choices: Sequence[Choice]
    ) -> Student | None:
        """The same pupil by all but a number; told apart where the number is only a slip."""
        if not line.row.ok:
            return found[0]
        near = [(item, close) for item in found if (close := closeness(line.wanted, item)) is not None]
        if near:
            student, (key, like) = near[0]
            params = {"name": student.name, "difference": like.message}
            message = Message("close_number", CLOSE_NUMBER, params)
        else:
            message = Message("other_number", OTHER_NUMBER, {"name": found[0].name})
        candidates = [(item, None) for item in found]
        return self._ask(line, message.code, key, message, candidates=candidates, choices=choices)[1]

    def _close(self, line: Line) -> list[Student]:
        """Pupils of one's schools with almost the row's number: of that name anywhere, or in the class."""
        wanted = line.wanted
        found = [item for item in self._pupils.same_name(wanted.name) if self._is_own(item)]
        near = [item for item in found if closeness(wanted, item) is not None]
        return near or [item for item in self._mates_like(line) if item.pk not in {one.pk for one in found}]

    def _mates_like(self, line: Line) -> list[Student]:
        """Pupils of the same class with almost the row's identity number."""
        number = line.wanted.identity
        keys = sorted(self._perhaps(line))
        return [self._near[pk] for pk in keys if pk in self._near and _is_close(number, self._near[pk])]

    def _perhaps(self, line: Line) -> set[int]:
        """Pupils of the class whose number may be close, as far as can be said without decrypting it."""
        number, place = line.wanted.identity, line.place
        if not number or place is None or not self._mates:
            return set()
        group = (place.school_id, place.stage, place.entry_year, place.number)
        return {
            pk
            for key in close_keys(number)
            for pk, birth, last4 in self._mates.get((*group, key), ())
            if may_be_close(number, birth, last4)
        }

    @cached_property
    def _unknown_lines(self) -> list[Line]:
        """The rows that no number settles."""
        return [line for line in self._lines if line.row.ok and self._pupils.exact(line.wanted) is None]

    @cached_property
    def _mates(self) -> dict[tuple[int, str, int, int | None, str], list[tuple[int, dt.date, str]]]:
        """What stands in the clear of the pupils of the classes of unknown rows, by class and key of closeness."""
        places = {
            line.place for line in self._unknown_lines if line.place is not None and line.wanted.identity
        }
        schools = {place.school_id for place in places}
        wanted = {(place.school_id, place.stage, place.entry_year, place.number) for place in places}
        live = (
            Enrolment.objects.visible_to(self._context.user)
            .filter(
                school__in=schools,
                state__in=LIVE,
                student__birth_date__isnull=False,
                school_class__entry_year__in={place.entry_year for place in places},
            )
            .exclude(student__identity_hash="")
            .values_list(
                "student_id",
                "student__birth_date",
                "student__identity_last4",
                "school_id",
                "school_class__stage",
                "school_class__entry_year",
                "school_class__number",
            )
        )
        found: dict[tuple[int, str, int, int | None, str], list[tuple[int, dt.date, str]]] = {}
        for pk, birth, last4, *place in live if places else ():
            group = (place[0], place[1], place[2], place[3])
            if group in wanted and birth is not None:
                for key in close_keys_of(birth, last4):
                    found.setdefault((*group, key), []).append((pk, birth, last4))
        return found

    @cached_property
    def _near(self) -> dict[int, Student]:
        """The pupils whose numbers must be compared as a whole, read at once for all rows."""
        keys = {pk for line in self._unknown_lines for pk in self._perhaps(line)}
        found = by_key(Student.objects.visible_to(self._context.user), "pk", keys)
        near = {pk: self._pupils.by_pk(pk) or students[0] for pk, students in found.items()}
        self._pupils.add(near)
        return near

    # Guardians

    def _guardian(self, line: Line) -> Message | None:
        """Why an identity number seems to be that of a grown-up; None when nothing speaks for it."""
        facts, get = line.facts, line.row.get
        if facts is None:
            return None
        if get("guardian_identity") and get("guardian_identity") == get("identity"):
            text = _(
                "This is the number of the guardian in the same row. Correct it, or decide what is meant."
            )
            return Message("same_as_guardian", text)
        age = _age(facts.birth, self._context.today)
        member = self._elders.get(line.wanted.identity_hash) if age >= _GROWN_UP else None
        if member is not None and member.name != line.wanted.name:
            text = _(
                "This is the number of %(holder)s, %(relation)s of a household on record: it seems to be the "
                "guardian's. Correct it, or decide what is meant."
            )
            params = {"holder": member.name, "relation": word(RELATIONS, member.relation_to_head)}
            return Message("belongs_to_elder", text, params)
        stage = (
            line.place.stage if line.place is not None else line.school.stages[0].value if line.school else ""
        )
        if stage in _OLDEST and not _YOUNGEST <= age <= _OLDEST[stage]:
            text = _(
                "By this identity number the pupil is %(age)d years old: it may be the guardian's. "
                "Correct it, or decide what is meant."
            )
            return Message("age", text, {"age": age})
        return None

    def _guardians_number(self, line: Line, doubt: Message, in_class: Sequence[Student]) -> Student | None:
        """Ask; a number that is plainly a grown-up's is never taken, an unusual age may be true."""
        choices: tuple[Choice, ...] = _ALL if doubt.code == "age" else ("keep", "skip")
        candidates = [(item, None) for item in in_class]
        return self._ask(line, "guardians_number", "identity", doubt, candidates=candidates, choices=choices)[
            1
        ]

    @cached_property
    def _elders(self) -> dict[str, Member]:
        """Members of households who are nobody's child there, by the identity numbers of grown-ups in the rows."""
        today = self._context.today
        hashes = {
            line.wanted.identity_hash
            for line in self._unknown_lines
            if line.facts is not None and _age(line.facts.birth, today) >= _GROWN_UP
        }
        members = Member.objects.visible_to(self._context.user).filter(
            left_on__isnull=True, relation_to_head__in=_ELDERS
        )
        return {key: found[0] for key, found in by_key(members, "identity_hash", hashes).items()}

    # Other schools

    def comes_over(self, line: Line, enrolment: Enrolment) -> bool:
        """Whether a pupil who is enrolled at another school of the account comes over to that of the row; asked if not."""
        if line.student is None:
            return False
        text = _("%(name)s is enrolled at %(school)s. Decide whether the pupil has come over from there.")
        params = {"name": line.student.name, "school": enrolment.school.name}
        question = self._cards.question(
            "other_school",
            "name",
            Message("other_school", text, params),
            row=line.row,
            wanted=line.wanted,
            candidates=[(line.student, None)],
            choices=("take", "skip"),
        )
        return decided(self._context, line.row, question) is not None

    # Small questions

    @cached_property
    def _rows_with(self) -> dict[tuple[str, str], Line]:
        """The rows in which a number stands."""
        return {
            (key, digest): line
            for line in self._lines
            for key in NUMBERS
            if (digest := getattr(line.wanted, f"{key}_hash"))
        }

    def _of_that_name(self, line: Line, *, in_class: bool = True) -> list[Student]:
        """The pupils of the row's name at its school (in its class, where it tells one) who are enrolled there."""
        if line.school is None:
            return []
        found = {
            item.student_id: item.student
            for item in self._pupils.namesakes(line.wanted.name, line.school)
            if not in_class or line.place is None or line.place.holds(item.school_class)
        }
        return list(found.values())

    def _is_in_place(self, line: Line, student: Student) -> bool:
        enrolment = self._pupils.enrolment(student, line.school)
        return line.place is None or (enrolment is not None and line.place.holds(enrolment.school_class))

    def _is_own(self, student: Student) -> bool:
        """Whether a pupil is or was at a school for which the account may import."""
        return any(item.school_id in self._own for item in self._pupils.enrolments(student))


def warn_of_likes(lines: Sequence[Line]) -> None:
    """Tell rows of one name, school and class whose numbers are almost the same: perhaps one child twice."""
    groups: dict[tuple[str, int, object], list[Line]] = {}
    for line in lines:
        if line.school is not None:
            groups.setdefault((line.wanted.name, line.school.pk, line.place), []).append(line)
    for found in groups.values():
        group = [line for line in found if line.row.ok] if len(found) > 1 else []
        for position, line in enumerate(group):
            for earlier in group[:position]:
                if line.student is not None and earlier.student is not None:
                    continue
                for key in NUMBERS:
                    mine, other = line.row.get(key), earlier.row.get(key)
                    like = number_likeness(mine, other) if mine and other else None
                    if like is not None:
                        text = _(
                            "Almost the same number as that of the namesake in row %(row)d: %(difference)s. "
                            "Check that it is not the same child twice."
                        )
                        params = {"row": earlier.row.number, "difference": like.message}
                        line.row.warn(key, Message("close_in_file", text, params))
                        break


def _is_close(number: str, student: Student) -> bool:
    return number_likeness(number, student.identity.clear) is not None


def _of_one_family(one: Student, other: Student) -> bool:
    """Whether two pupils seem to be siblings: one telephone, head of the household or guardian."""
    if one.phone and one.phone == other.phone:
        return True
    same_head = bool(one.head_name) and one.head_name == other.head_name
    same_guardian = bool(one.guardian_name) and one.guardian_name == other.guardian_name
    return same_head or (same_guardian and one.guardian_relation == other.guardian_relation)


def _age(birth: dt.date, today: dt.date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
