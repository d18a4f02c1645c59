"""What the rows of a list of pupils become: pupils, their classes and enrolments, their recognition for a semester."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households.words import RELATIONS, word
from povertyaid.audit.services import Update
from povertyaid.imports.asking import failed_number
from povertyaid.imports.building import new_record
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.resources import Planned, Row, by_key, refuse_repeated
from povertyaid.lib import periods
from povertyaid.lib.identity import IdentityFacts, check_identity
from povertyaid.lib.masks import mask_identity, mask_phone
from povertyaid.lib.messages import Message
from students import words
from students.classbook import ClassBook, Place, PlaceError, grade_told, joined, place_of
from students.models import NUMBER_REFUSED, Enrolment, Student
from students.nearmisses import NearMisses, warn_of_likes
from students.numbers import release_numbers, without_known_numbers, write_numbers
from students.pupilbook import LIVE, PupilBook, Wanted
from students.recognising import Recognising, Recognitions

if TYPE_CHECKING:
    import datetime as dt

    from povertyaid.imports.context import ImportContext
    from povertyaid.lib.cells import PartialDate
    from povertyaid.schools.models import School, SchoolClass

# Fields of a pupil by column key.
FIELDS = {
    "name": "name",
    "sex": "sex",
    "identity": "identity",
    "pupil_number": "pupil_number",
    "ethnic_group": "ethnic_group",
    "boarding": "boarding",
    "left_behind": "left_behind",
    "guardian_name": "guardian_name",
    "guardian_relation": "guardian_relation",
    "phone": "phone",
    "head_name": "head_name",
    "relation": "relation_to_head",
    "address": "address",
    "note": "note",
}
KEYS = {field: key for key, field in FIELDS.items()}
SAME_PUPIL = _("This is the same pupil as in row %(row)d. Keep one of the two rows.")


@dataclass(eq=False)
class Line:
    """A row and what was found for it. `semester` is that of the recognition, `school_year` names the classes."""

    row: Row
    school: School | None
    semester: str | None
    school_year: int
    facts: IdentityFacts | None = None
    place: Place | None = None
    student: Student | None = None
    recognising: Recognising | None = None
    # Fields that stay as they are on record, by decision.
    kept: frozenset[str] = frozenset()
    # The pupil who gets this one's number in exchange, by decision, and which number: identity or pupil_number.
    exchange: tuple[Student, str] | None = None
    # Where the pupil comes from, by decision.
    leaves: Enrolment | None = None

    @cached_property
    def wanted(self) -> Wanted:
        """Whom the row names; asked for once school and class are settled."""
        get = self.row.get
        return Wanted(
            get("name", ""),
            get("identity", ""),
            get("pupil_number", ""),
            self.school,
            self.place,
            self.school_year,
            failed_number(self.row),
            self.row.returned,
        )

    @property
    def values(self) -> dict[str, Any]:
        """The fields of the pupil that the row holds, with what the identity number tells."""
        found = {FIELDS[key]: value for key, value in self.row.values.items() if key in FIELDS}
        for name in self.kept:
            found.pop(name, None)
        birth: PartialDate | None = self.row.get("birth_date")
        if (
            birth is not None
            and birth.precision == "day"
            and not (self.student and self.student.identity_hash)
        ):
            found["birth_date"] = birth.value
        if self.facts is not None and "identity" not in self.kept:
            found |= {"sex": self.facts.sex, "birth_date": self.facts.birth}
        return found


class RosterPlanner:
    """Plans a list of pupils: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports, for what."""
        self.context = context
        self.user = context.user
        # By school, class, grade and school year: the class that is meant, or why there is none.
        self.places: dict[Any, Place | PlaceError] = {}

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each pupil that can be taken; the other rows are refused with every reason."""
        lines = [self._line(row) for row in rows]
        self.classes = ClassBook(self.user, {line.school for line in lines if line.school is not None})
        for line in lines:
            self._place(line)
            self._check_identity(line)
        _refuse_repeated(lines)
        self.pupils = PupilBook(self.user, [line.wanted for line in lines])
        self.near = NearMisses(self.context, self.pupils, lines)
        for line in lines:
            self._match(line)
        _refuse_same_pupil(lines)
        warn_of_likes(lines)
        self._settle_other_schools(lines)
        self.recognitions = Recognitions(self.user, lines)
        self.released = release_numbers(lines)
        return [self._planned(line) for line in lines if line.row.ok]

    # What a row says

    def _line(self, row: Row) -> Line:
        semester = row.get("semester")
        if semester is None and row.period is not None:
            semester = periods.Period.parse(row.period).last_semester
        if semester is None and (row.get("level") or row.get("groups")):
            raise ImportRefusedError(
                "semester",
                _("The file does not say for which semester it is. Choose one, for example 2025-2026-2."),
            )
        school_year = (
            periods.split_semester(semester)[0]
            if semester is not None
            else periods.school_year_of(self.context.today)
        )
        return Line(row, self.context.school_of(row), semester, school_year)

    def _place(self, line: Line) -> None:
        row = line.row
        class_name, grade = row.get("school_class"), row.get("grade")
        if line.school is None or (class_name is None and grade is None):
            return
        # A list names a few dozen classes in tens of thousands of rows.
        key = (line.school.pk, class_name, grade, line.school_year)
        found = self.places.get(key)
        if found is None:
            try:
                found = self.classes.settled(
                    place_of(line.school, joined(class_name, grade), line.school_year)
                )
            except PlaceError as error:
                found = error
            self.places[key] = found
        if isinstance(found, PlaceError):
            row.refuse("school_class" if class_name is not None else "grade", found.message)
        else:
            line.place = found

    def _check_identity(self, line: Line) -> None:
        """Sex and date of birth must be those of the identity number."""
        row = line.row
        if not row.get("identity"):
            return
        line.facts = check_identity(row.get("identity"), self.context.today)
        sex, birth = row.get("sex"), row.get("birth_date")
        if sex and sex != line.facts.sex:
            text = _(
                "The sex contradicts the identity number, by which it is %(sex)s. Check which of the two is wrong."
            )
            row.refuse("sex", Message("sex", text, {"sex": words.SEX[line.facts.sex]}))
        if birth is not None and not str(line.facts.birth).startswith(str(birth)):
            row.refuse(
                "birth_date",
                _("The date of birth contradicts the identity number. Check which of the two is wrong."),
            )

    # Whom it means

    def _match(self, line: Line) -> None:
        """Find the stored pupil; refuse what contradicts what is stored; say what a new pupil lacks."""
        row = line.row
        line.student = student = self.near.settle(line)
        if student is None:
            self._check_new(line)
            return
        known = student.identity_hash and (not row.get("identity") or "identity" in line.kept)
        if known and row.get("sex", student.sex) != student.sex:
            row.refuse(
                "sex",
                _("The sex contradicts the identity number on record. Check which of the two is wrong."),
            )

    def _check_new(self, line: Line) -> None:
        row = line.row
        if not row.ok:
            return
        if line.place is None:
            row.refuse(
                "school_class", _("The class is missing. A new pupil needs it; write it as 一年级2班.")
            )
        if not row.get("identity"):
            if not row.get("sex"):
                row.refuse("sex", _("The sex is missing. Fill it in, or the identity number."))
            row.warn(
                "identity",
                _("A new pupil without an identity number. Add the number as soon as it is known."),
            )

    def _settle_other_schools(self, lines: list[Line]) -> None:
        """A pupil changes schools by decision only; who may not know of that school gets a neutral answer."""
        students = {line.student.pk for line in lines if line.student is not None and not self._is_here(line)}
        # Not by scope: a pupil is enrolled once. The answer is neutral where the other school is out of scope.
        enrolments = Enrolment.objects.filter(state=Enrolment.State.ENROLLED).select_related(
            "school", "school_class"
        )
        present = by_key(enrolments, "student_id", students)
        own = {school.pk for school in self.context.schools.schools}
        for line in lines:
            if line.student is None or line.school is None or not line.row.ok:
                continue
            for enrolment in present.get(line.student.pk, ()):
                if enrolment.school_id == line.school.pk:
                    continue
                if enrolment.school_id not in own:
                    line.row.refuse("identity" if line.row.get("identity") else "name", NUMBER_REFUSED)
                elif self.near.comes_over(line, enrolment):
                    line.leaves = enrolment

    def _is_here(self, line: Line) -> bool:
        """Whether the pupil is enrolled at the school of the row: then at no other."""
        if line.student is None or line.school is None:
            return False
        enrolment = self.pupils.enrolment(line.student, line.school)
        return enrolment is not None and enrolment.state == Enrolment.State.ENROLLED

    # What is written

    def _planned(self, line: Line) -> Planned:
        item = Planned(line.row)
        student, values, enrolment = line.student, line.values, None
        if student is None:
            student = item.add(new_record(Student, **values), main=True)
        else:
            enrolment = self.pupils.enrolment(student, line.school)
            write_numbers(line, item, student, released=self.released)
            item.change(student, without_known_numbers(line, student, values), keys=KEYS)
        self._enrol(line, item, student, enrolment)
        school_class = self._class_of(line, item) or (enrolment.school_class if enrolment else None)
        self.recognitions.plan(line, item, student, school_class)
        item.values = _told(line, student, values, school_class)
        return item

    def _enrol(self, line: Line, item: Planned, student: Student, enrolment: Enrolment | None) -> None:
        """Put the pupil into the class: by a new enrolment, or by another class of the same school."""
        if line.school is None:
            return
        if enrolment is not None and enrolment.state in LIVE:
            if line.place is not None and not line.place.holds(enrolment.school_class):
                values = {"school_class": self._class_of(line, item)}
                item.change(enrolment, values, keys={"school_class": "school_class"})
            return
        if line.leaves is not None:
            self._leave(line, item, line.leaves)
        elif enrolment is not None and not self._came_back(line, enrolment):
            return
        entered: PartialDate | None = line.row.get("entered")
        item.add(
            new_record(
                Enrolment,
                student=student,
                school=line.school,
                school_class=self._class_of(line, item),
                start_on=entered.value if entered is not None else self._moved_on(line),
            )
        )

    def _moved_on(self, line: Line) -> dt.date | None:
        """The first day at the new school: that of the list's semester, else today; never before the old enrolment."""
        if line.leaves is None:
            return None
        day = periods.semester_dates(line.semester)[0] if line.semester else self.context.today
        return max(day, line.leaves.start_on) if line.leaves.start_on is not None else day

    def _leave(self, line: Line, item: Planned, left: Enrolment) -> None:
        """End the enrolment at the other school; written first, since a pupil is enrolled once."""
        values = {"state": Enrolment.State.TRANSFERRED, "end_on": self._moved_on(line)}
        item.change(left, values)
        item.first.append(Update(left, values))

    def _came_back(self, line: Line, ended: Enrolment) -> bool:
        """Whether the list tells of a time after the pupil left; an old list does not enrol anybody again."""
        first = periods.semester_dates(line.semester)[0] if line.semester else self.context.today
        return ended.end_on is not None and ended.end_on < first

    def _class_of(self, line: Line, item: Planned) -> SchoolClass | None:
        """The class of the row; a new one is made with the first pupil who needs it, and listed."""
        if line.place is None:
            return None
        found = self.classes.get(line.place)
        if found is None:
            found = item.add(self.classes.make(line.place))
            line.row.repaired("school_class", "", line.place.label(line.school_year), "class_created")
        return found


def _refuse_repeated(lines: list[Line]) -> None:
    """A pupil stands once in a list; without numbers pupils are told apart by name and class."""
    by_row = {id(line.row): line for line in lines}

    def nameless(row: Row) -> Any:
        line = by_row[id(row)]
        numbered = row.get("identity") or row.get("pupil_number") or row.returned
        if not row.ok or numbered or line.school is None:
            return None
        return row.get("name"), line.school.pk, line.place

    rows = [line.row for line in lines]
    refuse_repeated(rows, "identity", lambda row: row.get("identity"), SAME_PUPIL)
    good = [row for row in rows if row.ok]
    refuse_repeated(good, "pupil_number", lambda row: row.get("pupil_number"), SAME_PUPIL)
    refuse_repeated(rows, "name", nameless, SAME_PUPIL)


def _refuse_same_pupil(lines: list[Line]) -> None:
    """Two rows may mean one pupil on record although they say so in different ways."""
    by_row = {id(line.row): line for line in lines}

    def known(row: Row) -> Any:
        student = by_row[id(row)].student
        return student.pk if row.ok and student is not None else None

    refuse_repeated([line.row for line in lines], "name", known, SAME_PUPIL)


def _told(
    line: Line, student: Student, values: dict[str, Any], school_class: SchoolClass | None
) -> dict[str, Any]:
    """What holds for the pupil after the import, for JSON and preview; numbers masked."""

    def after(name: str) -> Any:
        return values.get(name, getattr(student, name))

    recognising = line.recognising
    identity, relation = after("identity"), after("relation_to_head")
    return {
        "姓名": after("name"),
        "身份证号": mask_identity(identity) if isinstance(identity, str) else str(identity),
        "性别": words.SEX.get(after("sex"), ""),
        "年级": grade_told(school_class, line.school_year) if school_class is not None else None,
        "班级": school_class.number if school_class is not None else None,
        "就读方式": words.BOARDING.get(after("boarding"), ""),
        "户主": after("head_name"),
        "与户主关系": word(RELATIONS, relation) if relation else "",
        "联系电话": mask_phone(after("phone")),
        "困难类型": "、".join(group.name for group in recognising.groups) if recognising else "",
        "认定等级": word(words.LEVELS, recognising.level) if recognising else "",
        "留守": words.LEFT_BEHIND.get(after("left_behind"), 0),
    }
