"""Which member of a school's staff a list means by name, post and telephone; who is not known is entered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.resources import by_key
from povertyaid.lib.messages import Message, MessageError
from povertyaid.schools.models import School, Staff

if TYPE_CHECKING:
    from povertyaid.schools.models import User

# Posts that lead a school or a department; 班主任 leads a class and is none.
_LEADING = re.compile(r"(?<!班)主任|校长|园长|书记|主席|科长|股长|局长|处长")


class HelperError(MessageError):
    """A name that several people have; code: several."""


def is_leading(post: str) -> bool:
    """Whether a post leads the school or a department."""
    return _LEADING.search(post) is not None


def _numbers(phone: str) -> set[str]:
    """The telephone numbers of a person: lists write two in one cell."""
    return set(filter(None, phone.split("、")))


class HelperBook:
    """The people of the schools of a file by name, with those that the file adds."""

    def __init__(self, user: User, schools: Collection[School], names: Iterable[str]) -> None:
        """Read everybody of these names at these schools, in one query; who has left counts where nobody else fits."""
        self._people: dict[tuple[int, str], list[Staff]] = {}
        people = Staff.objects.visible_to(user).filter(school__in={school.pk for school in schools})
        for name, found in by_key(people, "name", names).items():
            for person in found:
                self._people.setdefault((person.school_id or 0, name), []).append(person)
        for key, found in self._people.items():
            self._people[key] = [person for person in found if person.left_on is None] or found

    def find(self, school: School, name: str, post: str, phone: str) -> tuple[Staff | None, Message | None]:
        """The person, or None for a new one, and what to look at.

        The telephone number tells most, then the post. The only person of that name is meant even under another post
        or another number, not under both. HelperError where several people fit.
        """
        people = self._people.get((school.pk, name), [])
        possible = [person for person in people if _may_be(person, post, phone)]
        for fitting in (
            [person for person in possible if _numbers(phone) & _numbers(person.phone)],
            [person for person in possible if post and person.post == post],
            possible,
        ):
            if len(fitting) == 1:
                return fitting[0], to_look_at(fitting[0], post, phone)
        if possible:
            text = _(
                "Several people of %(school)s are called %(name)s. Add the telephone number of the helper."
            )
            raise HelperError("several", text, {"school": school.name, "name": name})
        stored = [str(person) for person in people if not person._state.adding]
        if not stored:
            return None, None
        text = _(
            "%(known)s on record has another post and telephone number, so that the helper is entered as a new person. "
            "Check that it is not the same one."
        )
        return None, Message("namesake", text, {"known": "、".join(stored)})

    def add(self, school: School, name: str, post: str, phone: str) -> Staff:
        """A new person, not stored yet; from now on `find` knows them."""
        person = Staff(
            county=school.county, school=school, name=name, post=post, phone=phone, is_leader=is_leading(post)
        )
        self._people.setdefault((school.pk, name), []).append(person)
        return person


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def _other_phone(person: Staff, phone: str) -> bool:
    return bool(phone and person.phone and not _numbers(phone) & _numbers(person.phone))


def _may_be(person: Staff, post: str, phone: str) -> bool:
    """Whether a row may mean this namesake: one list writes a person in one way, two lists may differ in one thing."""
    other_phone, other_post = _other_phone(person, phone), _differ(person.post, post)
    if person._state.adding:
        return not other_phone and not (other_post and not _numbers(phone) & _numbers(person.phone))
    return not (other_phone and other_post)


def to_look_at(person: Staff, post: str, phone: str) -> Message | None:
    """What differs between list and record; the record stays as it is."""
    if person._state.adding:
        return None
    if _other_phone(person, phone):
        text = _(
            "The telephone number differs from that of %(known)s on record, which is kept. Check which is right."
        )
        return Message("phone", text, {"known": str(person)})
    if _differ(person.post, post):
        text = _("The post differs from that of %(known)s on record, which is kept. Check which is right.")
        return Message("post", text, {"known": str(person)})
    return None
