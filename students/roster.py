"""What the rows of a list of pupils become: pupils, their classes and enrolments, their recognition for a semester."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households.words import RELATIONS, word
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.resources import Planned, Row, by_key, refuse_repeated
from povertyaid.lib import periods
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.identity import IdentityFacts, check_identity
from povertyaid.lib.masks import mask_identity, mask_phone
from povertyaid.lib.messages import Message
from povertyaid.schools.scope import scope_of
from students import words
from students.classbook import ClassBook, Place, PlaceError, grade_told, joined, place_of
from students.models import NUMBER_REFUSED, Enrolment, Student
from students.pupilbook import LIVE, PupilBook, Wanted, other_name
from students.recognising import Recognising, Recognitions

if TYPE_CHECKING:
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

    @property
    def wanted(self) -> Wanted:
        """Whom the row names."""
        get = self.row.get
        return Wanted(get("name", ""), get("identity", ""), get("pupil_number", ""), self.school, self.place)

    @property
    def values(self) -> dict[str, Any]:
        """The fields of the pupil that the row holds, with what the identity number tells."""
        found = {field: self.row.get(key) for key, field in FIELDS.items() if key in self.row.values}
        birth: PartialDate | None = self.row.get("birth_date")
        if (
            birth is not None
            and birth.precision == "day"
            and not (self.student and self.student.identity_hash)
        ):
            found["birth_date"] = birth.value
        if self.facts is not None:
            found |= {"sex": self.facts.sex, "birth_date": self.facts.birth}
        return found


class RosterPlanner:
    """Plans a list of pupils: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports, for what."""
        self.context = context
        self.user = context.user

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each pupil that can be taken; the other rows are refused with every reason."""
        lines = [self._line(row) for row in rows]
        self.classes = ClassBook(self.user, {line.school for line in lines if line.school is not None})
        for line in lines:
            self._place(line)
            self._check_identity(line)
        _refuse_repeated(lines)
        self.pupils = PupilBook(self.user, [line.wanted for line in lines])
        for line in lines:
            self._match(line)
        self._refuse_taken_numbers(lines)
        self._refuse_enrolled_elsewhere(lines)
        self.recognitions = Recognitions(self.user, lines)
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
        try:
            place = place_of(line.school, joined(class_name, grade), line.school_year)
            line.place = self.classes.settled(place)
        except PlaceError as error:
            row.refuse("school_class" if class_name is not None else "grade", error.message)

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
        row, wanted = line.row, line.wanted
        student = self.pupils.by_identity(wanted.identity)
        if student is None and wanted.pupil_number:
            student = self.pupils.by_pupil_number(wanted.pupil_number)
            if student is not None and wanted.identity and student.identity_hash:
                text = _(
                    "The pupil with this pupil number has another identity number on record. Check both numbers; "
                    "a wrong number on record is corrected on the pupil's page."
                )
                row.refuse("identity", text)
        if student is not None and wanted.name and wanted.name != student.name:
            row.refuse("name", other_name(student, wanted))
        if student is None and row.ok:
            student = self._by_name(line)
        line.student = student
        if student is None:
            self._check_new(line)
        elif student.identity_hash and not wanted.identity and row.get("sex", student.sex) != student.sex:
            row.refuse(
                "sex",
                _("The sex contradicts the identity number on record. Check which of the two is wrong."),
            )

    def _by_name(self, line: Line) -> Student | None:
        """The one pupil of that name in the class with no number that differs from the row's."""
        row, wanted, place = line.row, line.wanted, line.place
        if line.school is None or place is None:
            return None
        namesakes = self.pupils.namesakes(wanted.name, line.school)
        in_class = [item.student for item in namesakes if place.holds(item.school_class)]
        fitting = [
            student
            for student in in_class
            if not (wanted.identity and student.identity_hash)
            and not (wanted.pupil_number and student.pupil_number_hash)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            row.refuse("name", _("Several pupils of this name are in the class. Add the identity number."))
        elif in_class:
            row.warn(
                "name",
                _(
                    "A pupil of this name with another number is in the class. Check that it is not the same child."
                ),
            )
        elif namesakes and not wanted.identity:
            row.warn(
                "name",
                _("A pupil of this name is in another class. Check that it is not the same child."),
            )
        return None

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

    def _refuse_taken_numbers(self, lines: list[Line]) -> None:
        """Refuse a number that another pupil has, also one whom the account may not know of."""
        for key in ("identity", "pupil_number"):
            hashes = {
                id(line): number_hash
                for line in lines
                if (number_hash := lookup_hash(key, line.row.get(key, "")))
                and not (line.student and getattr(line.student, f"{key}_hash") == number_hash)
            }
            # Not by scope: a number is unique in the whole database. The answer is neutral.
            owners = by_key(Student.objects.only(f"{key}_hash"), f"{key}_hash", hashes.values())
            for line in lines:
                if line.row.ok and hashes.get(id(line)) in owners:
                    line.row.refuse(key, NUMBER_REFUSED)

    def _refuse_enrolled_elsewhere(self, lines: list[Line]) -> None:
        """A list does not move a pupil to another school; who may not know of that school gets a neutral answer."""
        students = {line.student.pk for line in lines if line.student is not None and not self._is_here(line)}
        # Not by scope: a pupil is enrolled once. The answer is neutral where the other school is out of scope.
        enrolments = Enrolment.objects.filter(state=Enrolment.State.ENROLLED).select_related("school")
        present = by_key(enrolments, "student_id", students)
        own = {school.pk for school in self.context.schools.schools}
        everything = scope_of(self.user).everything
        for line in lines:
            if line.student is None or line.school is None or not line.row.ok:
                continue
            for enrolment in present.get(line.student.pk, ()):
                if enrolment.school_id == line.school.pk:
                    continue
                if everything or enrolment.school_id in own:
                    text = _(
                        "The pupil is enrolled at %(school)s. End that enrolment there as transferred, "
                        "then import the row again."
                    )
                    line.row.refuse(None, Message("elsewhere", text, {"school": enrolment.school.name}))
                else:
                    line.row.refuse("identity" if line.row.get("identity") else "name", NUMBER_REFUSED)

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
            student = item.add(Student(**values), main=True)
        else:
            enrolment = self.pupils.enrolment(student, line.school)
            item.change(student, _new_values(student, values), keys=KEYS)
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
        if enrolment is not None and not self._came_back(line, enrolment):
            return
        entered: PartialDate | None = line.row.get("entered")
        item.add(
            Enrolment(
                student=student,
                school=line.school,
                school_class=self._class_of(line, item),
                start_on=entered.value if entered is not None else None,
            )
        )

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
        if not row.ok or row.get("identity") or row.get("pupil_number") or line.school is None:
            return None
        return row.get("name"), line.school.pk, line.place

    rows = [line.row for line in lines]
    refuse_repeated(rows, "identity", lambda row: row.get("identity"), SAME_PUPIL)
    good = [row for row in rows if row.ok]
    refuse_repeated(good, "pupil_number", lambda row: row.get("pupil_number"), SAME_PUPIL)
    refuse_repeated(rows, "name", nameless, SAME_PUPIL)


def _new_values(student: Student, values: dict[str, Any]) -> dict[str, Any]:
    """The values without the numbers that are stored already: comparing hashes spares decrypting them."""
    return {
        name: value
        for name, value in values.items()
        if name not in {"identity", "pupil_number"}
        or lookup_hash(name, value) != getattr(student, f"{name}_hash")
    }


def _told(
    line: Line, student: Student, values: dict[str, Any], school_class: SchoolClass | None
) -> dict[str, Any]:
    """What holds for the pupil after the import, for JSON and preview; numbers masked."""

    def after(name: str) -> Any:
        return values.get(name, getattr(student, name))

    recognising = line.recognising
    identity = after("identity")
    return {
        "姓名": after("name"),
        "身份证号": mask_identity(identity) if isinstance(identity, str) else str(identity),
        "性别": words.SEX.get(after("sex"), ""),
        "年级": grade_told(school_class, line.school_year) if school_class is not None else None,
        "班级": school_class.number if school_class is not None else None,
        "就读方式": words.BOARDING.get(after("boarding"), ""),
        "户主": after("head_name"),
        "与户主关系": word(RELATIONS, after("relation_to_head")),
        "联系电话": mask_phone(after("phone")),
        "困难类型": "、".join(group.name for group in recognising.groups) if recognising else "",
        "认定等级": word(words.LEVELS, recognising.level) if recognising else "",
        "留守": words.LEFT_BEHIND.get(after("left_behind"), 0),
    }
