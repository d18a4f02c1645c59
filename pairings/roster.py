"""What the rows of a list of pairings become: one pairing for each pupil that a row names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from pairings.helpers import HelperBook, HelperError, to_look_at
from pairings.models import Pairing
from povertyaid.imports.resources import Planned, Row, by_key
from povertyaid.lib import periods
from povertyaid.lib.cells import CellError, PartialDate, split_list
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.messages import Message
from students.classbook import Place, PlaceError, read_place
from students.meaning import Meaning
from students.pupilbook import PupilBook, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.imports.context import ImportContext
    from povertyaid.schools.models import School, Staff
    from students.models import Student

LIVE = tuple(state for state in Pairing.State if state != Pairing.State.ENDED)
# A pairing with another helper or pupil is another pairing: what was done in the first one stays its own.
OTHER_PAIRING = _(
    "A list for return does not change who helps whom. Put back what stood here and end the pairing on its page; "
    "add the new pairing as a row without key. A misspelt name is corrected in the list of staff or of pupils."
)


@dataclass(eq=False)
class Pair:
    """A pupil of a row: what is wanted, and who was found; `returned` is the pairing whose key the row carries."""

    row: Row
    school: School
    wanted: Wanted
    student: Student | None = None
    returned: Pairing | None = None


class PairingPlanner:
    """Plans a list of pairings: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports, for what."""
        self.context = context
        self.user = context.user

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each pupil that can be paired; a row may give some and refuse others."""
        self.school_years = self._school_years(rows)
        known = (
            self.context.records(Pairing).filter(student__isnull=False).select_related("helper", "student")
        )
        self.returned = by_key(known, "pk", (row.returned for row in rows))
        pairs: list[Pair] = []
        for row in rows:
            school = self.context.school_of(row)
            if row.ok and school is not None:
                pairs += self._pairs(row, school)
            else:
                row.refused = len(row.get("students") or [""])
        self.pupils = PupilBook(self.user, [pair.wanted for pair in pairs])
        meaning = Meaning(self.context, self.pupils, columns={"name": "students"})
        for pair in pairs:
            pair.student = meaning.find(pair.row, pair.wanted, alone=len(pair.row.get("students")) == 1)
            if pair.student is None:
                pair.row.refused = (pair.row.refused or 0) + 1
        schools = {pair.school for pair in pairs}
        self.helpers = HelperBook(self.user, schools, {pair.row.get("helper") for pair in pairs})
        found = [pair for pair in pairs if pair.student is not None]
        self.stored = self._stored(found)
        # By helper (new ones have no key yet) and pupil the row.
        self.seen: dict[tuple[int, int], int] = {}
        self.completed: set[int] = set()
        return [item for pair in found if (item := self._planned(pair)) is not None]

    def _school_years(self, rows: list[Row]) -> dict[int, int]:
        """By table: the school year in which its classes are named.

        That of the period; a list that tells none was made after the latest pairing in it.
        """
        years: dict[int, int] = {}
        for row in rows:
            table = id(row.table)
            if row.period is not None:
                years[table] = periods.Period.parse(row.period).school_year
            elif row.get("start") is not None:
                years[table] = max(years.get(table, 0), periods.school_year_of(row.get("start").value))
        return years

    # What a row says

    def _pairs(self, row: Row, school: School) -> list[Pair]:
        """The pupils of a row with their classes, name by name in the same order."""
        names: list[str] = row.get("students") or [""]
        identities = row.get("identity")
        if identities and len(names) > 1:
            row.refuse(
                "identity", _("The row names several pupils but one identity number. Write one pupil a row.")
            )
            return self._refuse_all(row, names)
        texts = split_list(row.get("school_class"))
        if len(texts) not in {0, 1, len(names)}:
            text = _(
                "The row names %(pupils)d pupils and %(classes)d classes. "
                "Write one class for each pupil, in the same order, or one pupil a row."
            )
            row.refuse(
                "school_class", Message("classes", text, {"pupils": len(names), "classes": len(texts)})
            )
            return self._refuse_all(row, names)
        if len(texts) == 1:
            texts *= len(names)
        returned = self._returned(row)
        if returned is not None and not _is_same(row, returned, names):
            return self._refuse_all(row, names)
        student = returned.student_id if returned is not None else None
        pairs = []
        year = self._school_year(row)
        for position, name in enumerate(names):
            place, ok = self._place(row, school, texts[position] if texts else "", year)
            if ok:
                numbers = (identities or "", row.get("pupil_number", ""))
                wanted = Wanted(name, *numbers, school, place, year, pk=student)
                pairs.append(Pair(row, school, wanted, returned=returned))
        row.refused = len(names) - len(pairs)
        return pairs

    def _returned(self, row: Row) -> Pairing | None:
        """The pairing whose key the row of a list for return carries."""
        found = self.returned.get(row.returned)
        return found[0] if found else None

    @staticmethod
    def _refuse_all(row: Row, names: Sequence[str]) -> list[Pair]:
        row.refused = len(names)
        return []

    def _school_year(self, row: Row) -> int:
        return self.school_years.get(id(row.table), periods.school_year_of(self.context.today))

    def _place(self, row: Row, school: School, text: str, year: int) -> tuple[Place | None, bool]:
        """The class of one pupil of a row, None where the list has no classes; and whether it can be."""
        try:
            return read_place(school, text, row.get("grade", ""), year, self.context.today), True
        except (CellError, PlaceError) as error:
            row.refuse("school_class" if text else "grade", error.message, value=text or None)
            return None, False

    # What is stored

    def _stored(self, pairs: Sequence[Pair]) -> dict[int, list[Pairing]]:
        """Live pairings of the pupils, by pupil."""
        live = Pairing.objects.visible_to(self.user).filter(state__in=LIVE)
        return by_key(live, "student_id", {pair.student.pk for pair in pairs if pair.student is not None})

    # What is written

    def _planned(self, pair: Pair) -> Planned | None:
        row, student = pair.row, pair.student
        name, post, phone = row.get("helper"), row.get("post", ""), row.get("phone", "")
        if student is None:
            return None
        helper: Staff | None
        stored: Pairing | None
        if pair.returned is not None:
            helper, stored = pair.returned.helper, pair.returned
            message = to_look_at(helper, post, phone)
            self._check_class(pair, student)
        else:
            try:
                helper, message = self.helpers.find(pair.school, name, post, phone)
            except HelperError as error:
                _refuse_one(row, "helper", error.message)
                return None
            stored = self._stored_pairing(helper, student)
        if stored is None and row.get("start") is None:
            text = _("The date is missing. A new pairing needs it, for example 2026-03.")
            _refuse_one(row, "start", Message("start", text))
            return None
        if helper is not None and (_key(helper), student.pk) in self.seen:
            text = _("%(name)s is paired with this helper in row %(row)d already. Keep one of the two.")
            params = {"name": student.name, "row": self.seen[_key(helper), student.pk]}
            _refuse_one(row, "students", Message("repeated", text, params))
            return None
        item = Planned(row)
        if message is not None and not any(note.message == message for note in row.notes):
            row.warn("phone" if message.code == "phone" else "helper", message)
        if helper is None:
            helper = item.add(self.helpers.add(pair.school, name, post, phone))
            row.repaired("helper", "", str(helper), "staff_created")
        else:
            self._complete(helper, item, {"post": post, "phone": phone})
        self.seen[_key(helper), student.pk] = row.number
        started = self._write(pair, item, helper, stored)
        item.values = {
            "帮扶责任人": helper.name,
            "职务": post or helper.post,
            "帮扶对象": student.name,
            "身份证号": str(student.identity),
            "自": str(PartialDate(started.value, "month") if started.precision == "day" else started),
            "结对时间": str(started),
        }
        return item

    def _stored_pairing(self, helper: Staff | None, student: Student) -> Pairing | None:
        """The live pairing of the two, where it is stored already."""
        if helper is None or helper._state.adding:
            return None
        stored = self.stored.get(student.pk, ())
        return next((pairing for pairing in stored if pairing.helper_id == helper.pk), None)

    def _check_class(self, pair: Pair, student: Student) -> None:
        """The class of a returned row finds nobody: the key does; another class is only told."""
        enrolment, place = self.pupils.enrolment(student, pair.school), pair.wanted.place
        school_class = enrolment.school_class if enrolment is not None else None
        if place is None or place.holds(school_class):
            return
        known = school_class.name_in(pair.wanted.school_year) if school_class is not None else "—"
        text = _("%(name)s stands in %(known)s on record, which is kept. Check the class.")
        pair.row.warn("school_class", Message("class", text, {"name": student.name, "known": known}))

    def _complete(self, helper: Staff, item: Planned, values: dict[str, str]) -> None:
        """Fill in what the record of a helper lacks, once a file."""
        if helper._state.adding or helper.pk in self.completed:
            return
        self.completed.add(helper.pk)
        item.change(helper, {key: text for key, text in values.items() if text and not getattr(helper, key)})

    @staticmethod
    def _write(pair: Pair, item: Planned, helper: Staff, stored: Pairing | None) -> PartialDate:
        """Plan a new pairing, or what changes in the stored one; return when it begins. A new one has its date."""
        start, measures = pair.row.get("start"), pair.row.get("measures", "")
        if stored is None:
            begun: PartialDate = start
            item.add(
                Pairing(
                    helper=helper,
                    student=pair.student,
                    county=pair.school.county,
                    school=pair.school,
                    start_on=begun.value,
                    start_precision=begun.precision,
                    measures=measures,
                ),
                main=True,
            )
            return begun
        begun = PartialDate(stored.start_on, stored.start_precision)  # type: ignore[arg-type]
        values: dict[str, Any] = {}
        # The same day written less exactly changes nothing.
        if start is not None and not str(begun).startswith(str(start)):
            begun = start
            values |= {"start_on": begun.value, "start_precision": begun.precision}
        if "measures" in pair.row.values:
            values["measures"] = measures
        item.change(stored, values, keys={"start_on": "start", "start_precision": "start"})
        return begun


def _key(helper: Staff) -> int:
    """A helper by the stored key, a new one by what tells it from the other new ones."""
    return helper.pk or -id(helper)


def _is_same(row: Row, returned: Pairing, names: Sequence[str]) -> bool:
    """Whether a returned row still means the helper and the pupil of its pairing; refused where it does not."""
    student = returned.student
    if student is None:  # only pairings with pupils are given out
        return False
    wrong = {"helper": row.get("helper") != returned.helper.name, "students": list(names) != [student.name]}
    for key in ("identity", "pupil_number"):
        stored = getattr(student, f"{key}_hash")
        wrong[key] = bool(row.get(key)) and bool(stored) and lookup_hash(key, row.get(key)) != stored
    for key, differs in wrong.items():
        if differs:
            row.refuse(key, Message("other_pairing", OTHER_PAIRING))
    return not any(wrong.values())


def _refuse_one(row: Row, key: str, message: Message) -> None:
    """Refuse one of the records that the row gives."""
    row.refuse(key, message)
    row.refused = (row.refused or 0) + 1
