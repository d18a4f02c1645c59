"""What the rows of a list of talks and visits become: contacts of pairings that are on record.

A contact has no number of its own. It is found again by the fingerprint of its row: pairing, kind, day, purpose, and
what tells two of a day apart (which one of the day, from when to when). What else stands in the row may be corrected.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import Household, Member, Relation
from households.words import word
from pairings.models import Contact, Pairing
from pairings.words import FORMS, Meant, kind_word
from povertyaid.imports.resources import Planned, Row, by_key
from povertyaid.lib import periods
from povertyaid.lib.cells import CellError, Cleaned, Context, Repair, as_text, clean_integer, clean_text
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.messages import Message, MessageError
from povertyaid.schools.models import Staff
from students.classbook import Place, PlaceError, read_place
from students.models import Enrolment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from povertyaid.imports.context import ImportContext
    from povertyaid.lib.cells import PartialDate
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import School, User

_MINUTES = re.compile(
    r"(?:([0-9]+(?:\.[0-9]+)?)(?:个)?(?:小时|时|h))?(?:([0-9]{1,4})(?:分钟|分|min)?)?", re.IGNORECASE
)
_LONGEST = 1440
_CLOCK = re.compile(
    r"([0-2]?[0-9])[:.时点]([0-5][0-9])分?(?:-|~|—|–|至|到)+([0-2]?[0-9])[:.时点]([0-5][0-9])分?"
)
_WHO = ("students", "identity", "pupil_number", "head", "household")
# Fields of a contact by column key that may be corrected by sending the list again.
FIELDS = {"minutes": "minutes", "present": "present", "follow_up": "follow_up"}


def clean_minutes(value: Value, *, ctx: Context) -> Cleaned[int]:
    """How long something took, in minutes: 40, 40分钟, 1小时, 1.5小时, 1小时20分. Error codes as `clean_integer`."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", as_text(value)))
    match = _MINUTES.fullmatch(text) if isinstance(value, str) and text else None
    if match is None or not any(match.groups()):
        return clean_integer(value, ctx=ctx, least=1, most=_LONGEST)
    minutes = Decimal(match[1] or 0) * 60 + int(match[2] or 0)
    cleaned = clean_integer(
        int(minutes) if minutes == int(minutes) else float(minutes), ctx=ctx, least=1, most=_LONGEST
    )
    if str(cleaned.value) != as_text(value).strip():
        cleaned.repairs.append(Repair("unit", as_text(value), str(cleaned.value)))
    return cleaned


def clean_span(value: Value, *, ctx: Context) -> Cleaned[str]:
    """From when to when: 14:00-14:40, 14时00分至14时40分; other words stay as they are and only tell two visits apart."""
    cleaned = clean_text(value, ctx=ctx, longest=40)
    if cleaned.value is None:
        return cleaned
    match = _CLOCK.fullmatch(re.sub(r"\s+", "", unicodedata.normalize("NFKC", cleaned.value)))
    if match is not None:
        begin, end = (f"{int(match[at]):02d}:{match[at + 1]}" for at in (1, 3))
        cleaned.value = f"{begin}-{end}"
    return cleaned


def minutes_of(span: str) -> int | None:
    """The length of a span of `clean_span` in minutes; None when it says none."""
    match = _CLOCK.fullmatch(span)
    if match is None:
        return None
    length = (int(match[3]) - int(match[1])) * 60 + int(match[4]) - int(match[2])
    return length if 0 < length <= _LONGEST else None


def fingerprint(*, kind: str, day: str, purpose: str, order: int = 1, span: str = "") -> str:
    """What tells the contacts of one pairing apart, as a digest; `day` is written 2026-03-05."""
    told = json.dumps([kind, day, "".join(purpose.split()), order, span], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


@dataclass(eq=False)
class Talk:
    """One contact that a row tells: with whom, and which pairing that is."""

    row: Row
    school: School | None
    name: str = ""
    place: Place | None = None
    pairing: Pairing | None = None

    @cached_property
    def meant(self) -> Meant:
        """Kind, and form where the word for the kind says it."""
        found: Meant = self.row.get("kind")
        return found

    @property
    def form(self) -> str:
        """How they met, as the row says it; the empty text when it does not."""
        return self.row.get("form") or self.meant.form

    @cached_property
    def fingerprint(self) -> str:
        """By which the contact is found again."""
        get = self.row.get
        return fingerprint(
            kind=self.meant.kind,
            day=str(get("date")),
            purpose=get("purpose", ""),
            order=get("order", 1),
            span=get("span", ""),
        )


@dataclass
class _Found:
    """The stored contacts of a pairing."""

    by_fingerprint: dict[str, Contact] = field(default_factory=dict)
    days: set[tuple[str, str]] = field(default_factory=set)


class ContactPlanner:
    """Plans a list of contacts: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports, for what."""
        self.context = context
        self.user = context.user

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each contact; a row that names several pupils gives several."""
        talks: list[Talk] = []
        for row in rows:
            talks += self._talks(row)
        self.book = PairingBook(self.context, [talk.row.get("helper") for talk in talks])
        for talk in talks:
            self._match(talk)
        found = [talk for talk in talks if talk.pairing is not None]
        self.stored = self._stored(found)
        self.staff = self._staff(found)
        self.seen: dict[tuple[int, str], int] = {}
        return [item for talk in found if (item := self._planned(talk)) is not None]

    # What a row says

    def _talks(self, row: Row) -> list[Talk]:
        """The contacts of a row, one for each pupil that it names, else one with a household."""
        school = self.context.school_of(row) if row.get("school") or row.school is not None else None
        names: Sequence[str] = row.get("students") or [""]
        self._check(row)
        if row.ok and not any(row.get(key) for key in _WHO):
            row.refuse(
                "students",
                _("The row names nobody who was helped. Fill in the pupil or the head of the household."),
            )
        if row.ok and len(names) > 1 and row.get("identity"):
            row.refuse(
                "identity", _("One identity number does not tell several pupils. Write one pupil a row.")
            )
        place = self._place(row, school) if row.ok else None
        if not row.ok:
            row.refused = len(names)
            return []
        row.refused = 0
        return [Talk(row, school, name, place) for name in names]

    def _check(self, row: Row) -> None:
        """What a contact cannot be: a month without a day, two forms at once."""
        day: PartialDate | None = row.get("date")
        if day is not None and day.precision != "day":
            text = _("“%(date)s” is no whole date. A contact is kept by its day; write it as 2026-03-05.")
            row.refuse("date", Message("precision", text, {"date": str(day)}))
        meant, form = row.get("kind"), row.get("form")
        if meant is not None and form and meant.form and meant.form != form:
            text = _("The kind says “%(kind)s”, this cell “%(form)s”. Correct one of the two.")
            params = {"kind": word(FORMS, meant.form), "form": word(FORMS, form)}
            row.refuse("form", Message("form", text, params))
        if row.get("minutes") is None and row.ok and row.get("span"):
            minutes = minutes_of(row.get("span"))
            if minutes is not None:
                row.values["minutes"] = minutes
                row.repaired("minutes", "", str(minutes), "minutes_of_span")

    def _place(self, row: Row, school: School | None) -> Place | None:
        class_text, grade_text = row.get("school_class", ""), row.get("grade", "")
        if school is None or not (class_text or grade_text):
            return None
        year = periods.school_year_of(row.get("date").value)
        try:
            return read_place(school, class_text, grade_text, year, self.context.today)
        except (CellError, PlaceError) as error:
            row.refuse("school_class" if class_text else "grade", error.message)
            return None

    # Which pairing it means

    def _match(self, talk: Talk) -> None:
        try:
            talk.pairing = self.book.find(talk)
        except NoPairingError as error:
            _refuse_one(talk.row, error.key, error.message)

    def _stored(self, talks: Sequence[Talk]) -> dict[int, _Found]:
        """The contacts of the pairings on the days of the file; what was typed in is found by what it says."""
        days = {talk.row.get("date").value for talk in talks}
        contacts = Contact.objects.visible_to(self.user)
        if days:
            contacts = contacts.filter(date__gte=min(days), date__lte=max(days))
        pairings = {talk.pairing.pk for talk in talks if talk.pairing is not None}
        found: dict[int, _Found] = {}
        for pairing, stored in by_key(contacts, "pairing_id", pairings).items():
            mine = found.setdefault(pairing, _Found())
            for contact in stored:
                typed = fingerprint(kind=contact.kind, day=str(contact.date), purpose=contact.purpose)
                mine.by_fingerprint.setdefault(contact.fingerprint or typed, contact)
                mine.days.add((contact.kind, str(contact.date)))
        return found

    def _staff(self, talks: Sequence[Talk]) -> dict[tuple[int | None, str], list[Staff]]:
        """People who may have stood in for a helper, by school and name."""
        names = {talk.row.get("done_by") for talk in talks}
        schools = {talk.pairing.school_id for talk in talks if talk.pairing is not None}
        people = Staff.objects.visible_to(self.user).filter(
            Q(school__in=schools - {None}) | Q(school__isnull=True)
        )
        found: dict[tuple[int | None, str], list[Staff]] = {}
        for name, known in by_key(people, "name", names).items():
            for person in known:
                found.setdefault((person.school_id, name), []).append(person)
        return found

    # What is written

    def _planned(self, talk: Talk) -> Planned | None:
        row, pairing = talk.row, talk.pairing
        if pairing is None:
            return None
        key = (pairing.pk, talk.fingerprint)
        if key in self.seen:
            text = _(
                "This contact stands in row %(row)d already. Keep one of the two; if there were two on that day, "
                "tell them apart in the column “%(order)s” or “%(span)s”."
            )
            params = {"row": self.seen[key], "order": row.column("order"), "span": row.column("span")}
            _refuse_one(row, "date", Message("repeated", text, params))
            return None
        try:
            done_by = self._done_by(talk, pairing)
        except NoPairingError as error:
            _refuse_one(row, error.key, error.message)
            return None
        self.seen[key] = row.number
        item = Planned(row)
        stored = self.stored.get(pairing.pk, _Found())
        contact = stored.by_fingerprint.get(talk.fingerprint)
        values = {name: row.get(key) for key, name in FIELDS.items() if row.get(key) is not None}
        if talk.form:
            values["form"] = talk.form
        if row.get("done_by"):
            values["done_by"] = done_by
        if contact is None:
            self._warn_of_second(talk, stored)
            contact = item.add(
                Contact(
                    pairing=pairing,
                    kind=talk.meant.kind,
                    date=row.get("date").value,
                    purpose=row.get("purpose", ""),
                    fingerprint=talk.fingerprint,
                    **values,
                ),
                main=True,
            )
        else:
            item.change(contact, values)
        item.values = {
            "帮扶责任人": pairing.helper.name,
            "帮扶对象": self.book.helped(pairing),
            "日期": str(row.get("date")),
            "类型": kind_word(talk.meant.kind),
            "形式": word(FORMS, values.get("form", contact.form)),
            "时长(分钟)": values.get("minutes", contact.minutes),
            "目的": row.get("purpose", ""),
        }
        return item

    def _done_by(self, talk: Talk, pairing: Pairing) -> Staff | None:
        """Who stood in for the helper; None for the helper."""
        name = talk.row.get("done_by", "")
        if not name or name == pairing.helper.name:
            return None
        known = self.staff.get((pairing.school_id, name), [])
        if len(known) == 1:
            return known[0]
        text = _(
            "“%(name)s” is not exactly one person of the staff. Check the name, or leave it empty for the helper."
        )
        raise NoPairingError("done_by", text, {"name": name}).at("done_by")

    @staticmethod
    def _warn_of_second(talk: Talk, stored: _Found) -> None:
        """Another contact of the kind on that day may be the same in other words."""
        if (talk.meant.kind, str(talk.row.get("date"))) in stored.days:
            talk.row.warn(
                "date",
                _(
                    "Another contact of this kind on this day is on record. "
                    "Check that it is not the same one in other words."
                ),
            )


class NoPairingError(MessageError):
    """No pairing for a row, or not exactly one; `key` is the column to mend.

    Codes: no_helper, no_pairing, not_then, several, done_by.
    """

    key = "helper"

    def at(self, key: str) -> NoPairingError:
        """The same error at another column."""
        self.key = key
        return self


class PairingBook:
    """The pairings of the helpers that a file names, within the schools for which the account may import."""

    def __init__(self, context: ImportContext, names: Iterable[str]) -> None:
        """Read them with the people in them: four queries, whatever the file."""
        user = context.user
        mine = Q(school__in=[school.pk for school in context.schools.schools])
        if context.county_wide:
            mine |= Q(school__isnull=True, county__in=context.counties)
        pairings = (
            Pairing.objects.visible_to(user)
            .filter(mine)
            .exclude(state=Pairing.State.WAITING)
            .select_related("helper", "student", "household", "school")
            .annotate(helper_name=F("helper__name"))
        )
        self._pairings = by_key(pairings, "helper__name", names, key="helper_name")
        found = [pairing for known in self._pairings.values() for pairing in known]
        self._classes = self._read_classes(user, {item.student_id for item in found if item.student_id})
        self._heads = self._read_heads(user, {item.household_id for item in found if item.household_id})

    @staticmethod
    def _read_classes(user: User, students: set[int]) -> dict[int, list[Enrolment]]:
        enrolments = Enrolment.objects.visible_to(user).select_related("school_class")
        return by_key(enrolments, "student_id", students)

    @staticmethod
    def _read_heads(user: User, households: set[int]) -> dict[int, Member]:
        heads = Member.objects.visible_to(user).filter(relation_to_head=Relation.HEAD, left_on__isnull=True)
        return {pk: members[0] for pk, members in by_key(heads, "household_id", households).items()}

    def helped(self, pairing: Pairing) -> str:
        """The name of the pupil, or of the head of the household."""
        if pairing.student is not None:
            return pairing.student.name
        head = self._heads.get(pairing.household_id or 0)
        return head.name if head is not None else str(pairing.household)

    def find(self, talk: Talk) -> Pairing:
        """The one pairing of helper and helped on the day of the contact; NoPairingError says why there is none."""
        row, helper = talk.row, talk.row.get("helper")
        known = [
            item
            for item in self._pairings.get(helper, ())
            if talk.school is None or item.school_id == talk.school.pk
        ]
        if not known:
            text = _(
                "No pairing of a helper named %(helper)s is on record here. Check the name, or import the pairing first."
            )
            raise NoPairingError("no_helper", text, {"helper": helper})
        key = next((found for found in _WHO if row.get(found)), "students")
        params = {"helper": helper, "helped": talk.name or row.get("head", "") or row.get("household", "")}
        meant = [item for item in known if self._is_meant(item, talk)]
        if not meant:
            text = _(
                "%(helper)s has no pairing with “%(helped)s” on record. Check both names, or import the pairing first."
            )
            raise NoPairingError("no_pairing", text, params).at(key)
        day = row.get("date").value
        then = [
            item for item in meant if item.start_on <= day and (item.end_on is None or day <= item.end_on)
        ]
        if not then:
            raise _not_then(meant, params)
        if len(then) > 1:
            text = _(
                "%(helper)s has several pairings with “%(helped)s” on this day. "
                "Add the class, the identity number or the school."
            )
            raise NoPairingError("several", text, params).at(key)
        found: Pairing = then[0]
        return found

    def _is_meant(self, pairing: Pairing, talk: Talk) -> bool:
        if pairing.student is not None:
            return self._is_pupil(pairing, talk)
        return pairing.household is not None and self._is_household(pairing.household, talk)

    def _is_pupil(self, pairing: Pairing, talk: Talk) -> bool:
        """Whether the row means this pupil; a row may name the head of the household beside the pupil."""
        student, row = pairing.student, talk.row
        if student is None or not (talk.name or row.get("identity") or row.get("pupil_number")):
            return False
        if talk.name and student.name != talk.name:
            return False
        for number, stored in (
            ("identity", student.identity_hash),
            ("pupil_number", student.pupil_number_hash),
        ):
            if row.get(number) and (stored or not talk.name):
                return bool(lookup_hash(number, row.get(number)) == stored)
        place = talk.place
        enrolments = self._classes.get(student.pk, ())
        return place is None or any(place.holds(item.school_class) for item in enrolments)

    def _is_household(self, household: Household, talk: Talk) -> bool:
        row = talk.row
        if row.get("household"):
            return bool(household.number == row.get("household"))
        head = self._heads.get(household.pk)
        if head is None:
            return False
        if row.get("identity") and (head.identity_hash or not (talk.name or row.get("head"))):
            return bool(lookup_hash("identity", row.get("identity")) == head.identity_hash)
        # Under the heading 帮扶对象 lists name pupils and heads of households alike.
        return head.name == (row.get("head") if not talk.name else talk.name)


def _not_then(pairings: Sequence[Pairing], params: dict[str, Any]) -> NoPairingError:
    """Why a contact cannot lie on a day: it is outside the time of the pairing."""
    params |= {"first": min(item.start_on for item in pairings)}
    ends = [item.end_on for item in pairings if item.end_on is not None]
    text = _("The pairing of %(helper)s and “%(helped)s” began on %(first)s. Check the date.")
    if len(ends) == len(pairings):
        params |= {"last": max(ends)}
        text = _("The pairing of %(helper)s and “%(helped)s” ran from %(first)s to %(last)s. Check the date.")
    return NoPairingError("not_then", text, params).at("date")


def _refuse_one(row: Row, key: str, message: Message) -> None:
    """Refuse one of the contacts that the row tells."""
    row.refuse(key, message)
    row.refused = (row.refused or 0) + 1
