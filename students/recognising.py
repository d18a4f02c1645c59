"""The recognition that a list of pupils tells: level and special groups for a semester."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.building import new_record
from povertyaid.imports.resources import by_key
from povertyaid.lib.cells import split_list
from povertyaid.lib.messages import Message
from povertyaid.lib.periods import semester_dates
from students.models import Recognition, SpecialGroup, Student
from students.words import NO_GROUP

if TYPE_CHECKING:
    from povertyaid.imports.resources import Planned, Row
    from povertyaid.schools.models import School, SchoolClass, User

_SHOWN_GROUPS = 12


class Recognisable(Protocol):
    """A row with what was found for it, as far as recognition asks for it.

    The columns are `level`, `groups`, `primary` (the group for statistics) and `state`; a kind may lack the last two.
    """

    row: Row
    school: School | None
    semester: str | None
    student: Student | None
    recognising: Recognising | None


@dataclass(eq=False)
class Recognising:
    """What a row tells about recognition; `stored` is the recognition of that semester, where there is one."""

    level: str
    groups: list[SpecialGroup]
    stored: Recognition | None = None
    chosen: SpecialGroup | None = None

    @property
    def primary(self) -> SpecialGroup | None:
        """The group for statistics: the one that the row names, else the stored one while it is held, else the first."""
        if self.chosen is not None:
            return self.chosen
        if self.stored is not None and self.stored.primary_group in self.groups:
            return self.stored.primary_group
        return self.groups[0] if self.groups else None


class Recognitions:
    """Reads the groups and the recognitions that the lines may change, and plans what becomes of them."""

    def __init__(self, user: User, lines: Sequence[Recognisable], *, every: bool = False) -> None:
        """Give every good line its `recognising`; refuse unknown groups, missing levels and what is not to be changed.

        Lines without level and groups tell nothing, unless `every` line is a recognition.
        """
        telling = [
            line
            for line in lines
            if line.semester and (every or line.row.get("level") or line.row.get("groups"))
        ]
        if not telling:
            return
        self._every = every
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
        self, line: Recognisable, stored: dict[int, list[Recognition]], taken: dict[int, list[Recognition]]
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
        if not level and row.ok and not self._every and "level" not in row.table.labels:
            # A list of another office: it knows the child and the hardship, not the school's decision.
            row.warn(
                "groups",
                _("The list has no column for the level: the pupil is taken, without a recognition."),
            )
            return
        if not level and row.ok:
            row.refuse(
                "level",
                _("The level is missing. A pupil with a special group needs one, for example 一般困难."),
            )
        if recognition is not None and not _may_become(recognition, _state(row)):
            text = _("The recognition of this pupil stands at “%(state)s”. Settle it on its page first.")
            row.refuse("level", Message("state", text, {"state": recognition.get_state_display()}))
        if groups is not None and row.ok:
            chosen = self._primary_of(row)
            if not groups and recognition is not None:
                groups = list(recognition.special_groups.all())
            if chosen is not None and chosen not in groups:
                if row.get("groups"):
                    text = _(
                        "“%(group)s” is not among the special groups of this row. Correct one of the two."
                    )
                    row.refuse("primary", Message("primary", text, {"group": chosen.name}))
                groups = [chosen, *groups]
            if row.ok:
                line.recognising = Recognising(level, groups, recognition, chosen)

    def _groups_of(self, row: Row, semester: str) -> list[SpecialGroup] | None:
        """The groups of a cell, the first first; None after refusing the row for a word that is no group."""
        found: dict[int, SpecialGroup] = {}
        first, last = semester_dates(semester)
        for part in split_list(row.get("groups")):
            if _key(part) in NO_GROUP:
                continue
            group = self._group(row, "groups", part)
            if group is None:
                return None
            if (group.valid_from and group.valid_from > last) or (group.valid_to and group.valid_to < first):
                text = _("“%(group)s” is not in force in this semester. Check the group.")
                row.warn("groups", Message("group_dates", text, {"group": group.name}))
            found.setdefault(group.pk, group)
        return list(found.values())

    def _primary_of(self, row: Row) -> SpecialGroup | None:
        """The group for statistics that the row names; None when it names none, or after refusing the row."""
        text = row.get("primary", "")
        return self._group(row, "primary", text) if text and _key(text) not in NO_GROUP else None

    def _group(self, row: Row, key: str, text: str) -> SpecialGroup | None:
        """The group that a word means; None after refusing the row."""
        group = self._groups.get(_key(text))
        if group is None:
            message = _("“%(group)s” is no special group. Known: %(known)s.")
            known = "、".join(self._names[:_SHOWN_GROUPS]) + ("…" if len(self._names) > _SHOWN_GROUPS else "")
            row.refuse(key, Message("group", message, {"group": text, "known": known}))
        return group

    @staticmethod
    def plan(
        line: Recognisable,
        item: Planned,
        student: Student,
        school_class: SchoolClass | None,
        *,
        main: bool = False,
    ) -> None:
        """Plan a new recognition, or what changes in the stored one; the school that decided stays.

        `main`: the recognition is the record that the kind counts.
        """
        telling = line.recognising
        if telling is None or line.semester is None or line.school is None:
            return
        if telling.stored is None:
            recognition = item.add(
                new_record(
                    Recognition,
                    student=student,
                    school=line.school,
                    school_class=school_class,
                    semester=line.semester,
                    level=telling.level,
                    primary_group=telling.primary,
                    state=_state(line.row),
                ),
                main=main,
            )
            item.link(recognition, "special_groups", telling.groups)
            return
        recognition = telling.stored
        values: dict[str, Any] = {"level": telling.level, "primary_group": telling.primary}
        state = _state(line.row)
        if state != Recognition.State.RECOGNISED or recognition.state not in Recognition.IN_FORCE:
            values["state"] = state
        if recognition.school_id == line.school.pk and school_class is not None:
            values["school_class"] = school_class
        item.change(recognition, values, keys={"primary_group": "groups"})
        item.link(recognition, "special_groups", telling.groups, list(recognition.special_groups.all()))


def _state(row: Row) -> str:
    """The state that a row tells; a list of pupils in hardship tells that they are recognised."""
    return row.get("state") or Recognition.State.RECOGNISED


def _may_become(recognition: Recognition, state: str) -> bool:
    """Whether a list may tell this state: where it is so already, or may become so next. What is filed is recognised."""
    stored = recognition.state
    if state == Recognition.State.RECOGNISED and stored in Recognition.IN_FORCE:
        return True
    return stored == state or state in Recognition.MOVES[stored]


def _key(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
