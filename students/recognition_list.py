"""What the rows of a list of recognised pupils become: recognitions of pupils who are on record already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households.words import word
from povertyaid.imports.asking import failed_number
from povertyaid.imports.resources import Planned, Row, by_key, refuse_repeated
from povertyaid.lib import periods
from povertyaid.lib.cells import CellError
from povertyaid.lib.masks import mask_identity
from povertyaid.lib.messages import Message
from students import words
from students.classbook import Place, PlaceError, read_place
from students.meaning import Meaning
from students.models import Recognition
from students.pupilbook import PupilBook, Wanted
from students.recognising import Recognising, Recognitions

if TYPE_CHECKING:
    from povertyaid.imports.context import ImportContext
    from povertyaid.schools.models import School, SchoolClass
    from students.models import Enrolment, Student

REPEATED = _("This is the same pupil and semester as in row %(row)d. Keep one of the two rows.")


@dataclass(eq=False)
class Line:
    """A row and what was found for it; `enrolment` is the pupil's at the school that recognises."""

    row: Row
    semester: str | None
    school: School | None = None
    place: Place | None = None
    student: Student | None = None
    enrolment: Enrolment | None = None
    recognising: Recognising | None = None
    # The pupil of the recognition whose key the row of a list for return carries.
    returned: int | None = None

    @property
    def school_year(self) -> int:
        """The school year in which the row names classes."""
        return periods.split_semester(self.semester)[0] if self.semester else 0

    @property
    def has_number(self) -> bool:
        """Whether the pupil is found by a number, so that school and class are not needed."""
        return bool(self.row.get("identity") or self.row.get("pupil_number"))

    @property
    def wanted(self) -> Wanted:
        """Whom the row names."""
        get = self.row.get
        numbers = (get("identity", ""), get("pupil_number", ""))
        failed = failed_number(self.row)
        return Wanted(
            get("name", ""), *numbers, self.school, self.place, self.school_year, failed, self.returned
        )

    @property
    def school_class(self) -> SchoolClass | None:
        """The pupil's class at the school that recognises."""
        return self.enrolment.school_class if self.enrolment is not None else None


class RecognitionPlanner:
    """Plans a list of recognitions: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports, for what."""
        self.context = context
        self.user = context.user

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each recognition that can be taken; the other rows are refused with every reason."""
        lines = [self._line(row) for row in rows]
        known = Recognition.objects.visible_to(self.user)
        returned = by_key(known, "pk", (row.returned for row in rows))
        for line in lines:
            found = returned.get(line.row.returned, [])
            line.returned = found[0].student_id if found else None
        self.pupils = PupilBook(self.user, [line.wanted for line in lines])
        self.meaning = Meaning(self.context, self.pupils)
        for line in lines:
            self._match(line)
        by_row = {id(line.row): line for line in lines}

        def same(row: Row) -> Any:
            line = by_row[id(row)]
            return (line.student.pk, line.semester) if row.ok and line.student is not None else None

        refuse_repeated(rows, "name", same, REPEATED)
        good = [line for line in lines if line.row.ok and line.student is not None]
        self.recognitions = Recognitions(self.user, good, every=True)
        return [self._planned(line) for line in good if line.row.ok]

    # What a row says

    def _line(self, row: Row) -> Line:
        line = Line(row, row.get("semester") or row.semester)
        if row.get("school") or row.school is not None:
            line.school = self.context.school_of(row)
        if line.semester is None and row.ok:
            row.refuse("semester", _("The semester is missing. Write it as 2026年春季学期 or 2025-2026-2."))
        if line.school is not None and line.semester is not None:
            self._place(line, line.school)
        return line

    def _place(self, line: Line, school: School) -> None:
        """The class of the row; what cannot be read is only refused where the pupil must be found by it."""
        class_text, grade_text = line.row.get("school_class", ""), line.row.get("grade", "")
        try:
            line.place = read_place(school, class_text, grade_text, line.school_year, self.context.today)
        except (CellError, PlaceError) as error:
            key = "school_class" if class_text else "grade"
            if line.has_number or line.row.returned:
                line.row.warn(key, error.message)
            else:
                line.row.refuse(key, error.message)

    # Whom it means

    def _match(self, line: Line) -> None:
        """The pupil on record, and the school that recognises: the one of the row, else where the pupil is enrolled."""
        row = line.row
        if not (line.has_number or row.ok or line.wanted.failed):
            return
        line.student = self.meaning.find(row, line.wanted)
        if line.student is None:
            return
        line.enrolment = self.pupils.enrolment(line.student, line.school)
        if not row.ok:
            return
        if line.school is None:
            self._take_school(line)
        elif line.enrolment is None:
            text = _("%(name)s is not enrolled at %(school)s. Check school and pupil.")
            params = {"name": line.student.name, "school": line.school.name}
            row.refuse("school" if row.get("school") else "name", Message("not_enrolled", text, params))
        elif line.place is not None and not line.place.holds(line.school_class):
            stored = line.school_class
            text = _("%(name)s stands in %(known)s on record, which is kept. Check the class.")
            known = stored.name_in(line.school_year) if stored is not None else "—"
            row.warn("school_class", Message("class", text, {"name": line.student.name, "known": known}))

    def _take_school(self, line: Line) -> None:
        """The school where the pupil is enrolled, when it is one of those for which the account may import."""
        enrolled = line.enrolment.school if line.enrolment is not None else None
        if enrolled is not None and enrolled.pk in {school.pk for school in self.context.schools.schools}:
            line.school = enrolled
        else:
            line.row.refuse(
                "school", _("The school is missing. Type its name, or choose one for the whole file.")
            )

    # What is written

    def _planned(self, line: Line) -> Planned:
        item = Planned(line.row)
        student, telling = line.student, line.recognising
        if student is None or telling is None:  # good lines have both
            raise RuntimeError
        self.recognitions.plan(line, item, student, line.school_class, main=True)
        state = line.row.get("state") or (telling.stored.state if telling.stored is not None else None)
        item.values = {
            "姓名": student.name,
            "身份证号": mask_identity(line.row.get("identity", "")) or str(student.identity),
            "学校": line.school.name if line.school is not None else "",
            "学期": line.semester,
            "认定等级": word(words.LEVELS, telling.level),
            "特殊困难群体": "、".join(group.name for group in telling.groups),
            "统计类别": telling.primary.name if telling.primary is not None else "",
            "认定状态": word(words.STATES, state or words.STATES["已认定"]),
        }
        return item
