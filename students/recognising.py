"""The recognition that a list of pupils tells: level and special groups for a semester."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.resources import by_key
from povertyaid.lib.cells import split_list
from povertyaid.lib.messages import Message
from povertyaid.lib.periods import semester_dates
from students.models import Recognition, SpecialGroup, Student
from students.words import NO_GROUP

if TYPE_CHECKING:
    from povertyaid.imports.resources import Planned, Row
    from povertyaid.schools.models import SchoolClass, User
    from students.roster import Line

_SHOWN_GROUPS = 12


@dataclass(eq=False)
class Recognising:
    """What a row tells about recognition; `stored` is the recognition of that semester, where there is one."""

    level: str
    groups: list[SpecialGroup]
    stored: Recognition | None = None

    @property
    def primary(self) -> SpecialGroup | None:
        """The group for statistics: the stored one as long as it is among the groups, else the first."""
        if self.stored is not None and self.stored.primary_group in self.groups:
            return self.stored.primary_group
        return self.groups[0] if self.groups else None


class Recognitions:
    """Reads the groups and the recognitions that the lines may change, and plans what becomes of them."""

    def __init__(self, user: User, lines: Sequence[Line]) -> None:
        """Give every good line its `recognising`; refuse unknown groups, missing levels and what is not to be changed."""
        telling = [
            line for line in lines if line.semester and (line.row.get("level") or line.row.get("groups"))
        ]
        if not telling:
            return
        self._groups: dict[str, SpecialGroup] = {}
        self._names: list[str] = []
        for group in SpecialGroup.objects.visible_to(user):
            self._names.append(group.name)
            for text in (group.name, *group.synonyms.split("、")):
                self._groups.setdefault(_key(text), group)
        students = {line.student.pk for line in telling if line.student is not None}
        semesters = {line.semester for line in telling}
        stored = by_key(
            Recognition.objects.visible_to(user)
            .filter(semester__in=semesters)
            .select_related("primary_group", "school_class")
            .prefetch_related("special_groups"),
            "student_id",
            students,
        )
        unknown = {
            line.student.pk
            for line in telling
            if line.student is not None
            and all(item.semester != line.semester for item in stored.get(line.student.pk, ()))
        }
        # Not by scope: a pupil is recognised once a semester. The answer is neutral.
        taken = by_key(
            Recognition.objects.filter(semester__in=semesters).only("student_id", "semester"),
            "student_id",
            unknown,
        )
        for line in telling:
            self._read(line, stored, taken)

    def _read(
        self, line: Line, stored: dict[int, list[Recognition]], taken: dict[int, list[Recognition]]
    ) -> None:
        row = line.row
        groups = self._groups_of(row, line.semester or "")
        known = line.student.pk if line.student is not None else 0
        recognition = next((item for item in stored.get(known, ()) if item.semester == line.semester), None)
        if recognition is None and any(item.semester == line.semester for item in taken.get(known, ())):
            row.refuse(
                "level", _("The recognition of this pupil cannot be entered here; ask the county bureau.")
            )
        level = row.get("level") or (recognition.level if recognition is not None else "")
        if not level and row.ok:
            row.refuse(
                "level",
                _("The level is missing. A pupil with a special group needs one, for example 一般困难."),
            )
        if recognition is not None and not _may_be_recognised(recognition):
            text = _("The recognition of this pupil stands at “%(state)s”. Settle it on its page first.")
            row.refuse("level", Message("state", text, {"state": recognition.get_state_display()}))
        if groups is not None and row.ok:
            if not groups and recognition is not None:
                groups = list(recognition.special_groups.all())
            line.recognising = Recognising(level, groups, recognition)

    def _groups_of(self, row: Row, semester: str) -> list[SpecialGroup] | None:
        """The groups of a cell, the first first; None after refusing the row for a word that is no group."""
        found: dict[int, SpecialGroup] = {}
        first, last = semester_dates(semester)
        for part in split_list(row.get("groups")):
            if _key(part) in NO_GROUP:
                continue
            group = self._groups.get(_key(part))
            if group is None:
                text = _("“%(group)s” is no special group. Known: %(known)s.")
                known = "、".join(self._names[:_SHOWN_GROUPS]) + (
                    "…" if len(self._names) > _SHOWN_GROUPS else ""
                )
                row.refuse("groups", Message("group", text, {"group": part, "known": known}))
                return None
            if (group.valid_from and group.valid_from > last) or (group.valid_to and group.valid_to < first):
                text = _("“%(group)s” is not in force in this semester. Check the group.")
                row.warn("groups", Message("group_dates", text, {"group": group.name}))
            found.setdefault(group.pk, group)
        return list(found.values())

    @staticmethod
    def plan(line: Line, item: Planned, student: Student, school_class: SchoolClass | None) -> None:
        """Plan a new recognition, or what changes in the stored one; the school that decided stays."""
        telling = line.recognising
        if telling is None or line.semester is None or line.school is None:
            return
        if telling.stored is None:
            recognition = item.add(
                Recognition(
                    student=student,
                    school=line.school,
                    school_class=school_class,
                    semester=line.semester,
                    level=telling.level,
                    primary_group=telling.primary,
                )
            )
            item.link(recognition, "special_groups", telling.groups)
            return
        recognition = telling.stored
        values: dict[str, Any] = {"level": telling.level, "primary_group": telling.primary}
        if recognition.state not in Recognition.IN_FORCE:
            values["state"] = Recognition.State.RECOGNISED
        if recognition.school_id == line.school.pk and school_class is not None:
            values["school_class"] = school_class
        item.change(recognition, values, keys={"primary_group": "groups"})
        item.link(recognition, "special_groups", telling.groups, list(recognition.special_groups.all()))


def _may_be_recognised(recognition: Recognition) -> bool:
    """Whether a list may say that a pupil is recognised: where it is so already, or may become so next."""
    state = recognition.state
    return state in Recognition.IN_FORCE or Recognition.State.RECOGNISED in Recognition.MOVES[state]


def _key(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
