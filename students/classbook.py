"""Which class a cell means: the words of a class or grade, a school and a school year give one class of one cohort.

For imports: all classes of the schools of a file are read in one query, new ones are made once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.cells import CellError, ClassName, Cleaned, Context, clean_class_name, clean_grade
from povertyaid.lib.messages import MessageError
from povertyaid.lib.periods import entry_year_of, grade_label, grade_of, last_grade, year_in_stage
from povertyaid.schools.models import School, SchoolClass, SchoolStage, Stage

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import User


class PlaceError(MessageError):
    """A class that cannot be: codes missing, conflict, not_taught, stage, grade, number."""


@dataclass(frozen=True, slots=True)
class Place:
    """A class of a school by its cohort; `number` None means every class of the grade."""

    school_id: int
    stage: str
    entry_year: int
    number: int | None

    def label(self, school_year: int) -> str:
        """The class's name in a school year: 三年级2班, or 三年级 for a whole grade."""
        grade = grade_label(self.stage, grade_of(self.entry_year, school_year))
        return f"{grade}{self.number}班" if self.number is not None else grade

    def holds(self, school_class: SchoolClass | None) -> bool:
        """Whether a class is this one, or one of this grade."""
        return (
            school_class is not None
            and (school_class.school_id, school_class.stage, school_class.entry_year)
            == (self.school_id, self.stage, self.entry_year)
            and self.number in {None, school_class.number}
        )


def grade_told(school_class: SchoolClass, school_year: int) -> int:
    """The grade of a class as people count it: 1–6 in primary, 7–9 in junior schools, else the year in the stage."""
    year = school_class.grade_in(school_year)
    return year + 6 if school_class.stage == Stage.JUNIOR else year


def clean_grade_or_cohort(value: Value, *, ctx: Context) -> Cleaned[ClassName]:
    """A grade (一年级, 七年级, 高一), or the year of entry (2024级) as school rolls write it."""
    try:
        return clean_grade(value, ctx=ctx)
    except CellError:
        try:
            found = clean_class_name(value, ctx=ctx)
        except CellError:
            found = None
        if (
            found is None
            or found.value is None
            or found.value.cohort is None
            or found.value.number is not None
        ):
            raise
        return found


def joined(class_name: ClassName | None, grade: ClassName | None) -> ClassName | None:
    """One class from the cells 班级 and 年级; PlaceError (conflict) when they name different grades."""
    if class_name is None or grade is None:
        return class_name or grade
    if class_name.grade is None and class_name.cohort is None:
        return ClassName(grade.grade, class_name.number, grade.cohort, grade.stage or class_name.stage)
    both_graded = class_name.year_in_stage is not None and grade.year_in_stage is not None
    both_cohorts = class_name.cohort is not None and grade.cohort is not None
    if (both_graded and class_name.year_in_stage != grade.year_in_stage) or (
        both_cohorts and class_name.cohort != grade.cohort
    ):
        raise PlaceError("conflict", _("Grade and class name different grades. Correct one of the two."))
    return class_name if class_name.stage else replace(class_name, stage=grade.stage)


def stage_of(school: School, found: ClassName) -> Stage | None:
    """The stage of a class in a school; None when the words fit two stages of it.

    Raises PlaceError (not_taught) when the words name a stage that the school does not teach.
    """
    stages = school.stages
    if school.stage == SchoolStage.SPECIAL and found.stage in {None, "primary", "junior", "special"}:
        # Special schools count their grades from one to nine.
        return Stage.SPECIAL
    if found.stage is not None:
        if found.stage not in stages:
            text = _("%(school)s does not teach this grade. Check school and class.")
            raise PlaceError("not_taught", text, {"school": school.name})
        return Stage(found.stage)
    taught: tuple[Stage, ...] = tuple(stage for stage in stages if stage != Stage.PRESCHOOL) or stages
    if len(taught) == 1:
        return taught[0]
    return Stage.PRIMARY if found.grade is not None and found.grade <= 6 and Stage.PRIMARY in taught else None


def place_of(school: School, found: ClassName | None, school_year: int) -> Place:
    """The class of a school that a cell means in a school year (given by the year in which it began).

    Raises PlaceError: missing (nothing says the grade), not_taught, stage (it may be either of two), grade (the stage
    has no such grade).
    """
    if found is None or (found.grade is None and found.cohort is None):
        raise PlaceError("missing", _("The grade is missing. Write the class as 一年级2班."))
    stage = stage_of(school, found)
    if stage is None:
        text = _(
            "%(school)s has two stages, and it is not clear which is meant. Write the class as 七年级2班 or 高一2班."
        )
        raise PlaceError("stage", text, {"school": school.name})
    if found.cohort is not None:
        year, entry_year = grade_of(found.cohort, school_year), found.cohort
    else:
        year = found.grade or 0 if stage == Stage.SPECIAL else year_in_stage(stage, found.grade or 0)
        entry_year = entry_year_of(year, school_year)
    if not 1 <= year <= last_grade(stage):
        text = _("%(school)s has no such grade in the school year %(year)s. Check class and school year.")
        raise PlaceError("grade", text, {"school": school.name, "year": f"{school_year}—{school_year + 1}"})
    return Place(school.pk, stage.value, entry_year, found.number)


def read_place(
    school: School, class_text: str, grade_text: str, school_year: int, today: dt.date
) -> Place | None:
    """The class that two cells name (either may be empty), None when both are; raises CellError or PlaceError."""
    ctx = Context(today)
    class_name = clean_class_name(class_text, ctx=ctx).value if class_text else None
    grade = clean_grade_or_cohort(grade_text, ctx=ctx).value if grade_text else None
    if class_name is None and grade is None:
        return None
    return place_of(school, joined(class_name, grade), school_year)


class ClassBook:
    """The classes of the schools of a file: read in one query, completed by new ones."""

    def __init__(self, user: User, schools: Collection[School]) -> None:
        """Read every class of the schools that the account may see."""
        self._schools = {school.pk: school for school in schools}
        self._classes: dict[tuple[int, str, int], dict[int, SchoolClass]] = {}
        found = SchoolClass.objects.visible_to(user).filter(school__in=self._schools) if self._schools else ()
        for school_class in found:
            self._keep(school_class)

    def _keep(self, school_class: SchoolClass) -> None:
        key = (school_class.school_id, school_class.stage, school_class.entry_year)
        self._classes.setdefault(key, {})[school_class.number] = school_class

    def settled(self, place: Place) -> Place:
        """The place with its number: a grade without one means its only class, or class 1 where there is none yet.

        Raises PlaceError (number) where the grade has several classes.
        """
        if place.number is not None:
            return place
        numbers = list(self._classes.get((place.school_id, place.stage, place.entry_year), ()))
        if len(numbers) > 1:
            raise PlaceError(
                "number", _("The grade has several classes. Write which one, for example 一年级2班.")
            )
        return replace(place, number=numbers[0] if numbers else 1)

    def get(self, place: Place) -> SchoolClass | None:
        """The class that is stored, or was made for this file."""
        classes = self._classes.get((place.school_id, place.stage, place.entry_year), {})
        return classes.get(place.number) if place.number is not None else None

    def make(self, place: Place) -> SchoolClass:
        """A new class, not stored yet; from now on `get` finds it."""
        school_class = SchoolClass(
            school=self._schools[place.school_id],
            stage=place.stage,
            entry_year=place.entry_year,
            number=place.number or 1,
        )
        self._keep(school_class)
        return school_class
