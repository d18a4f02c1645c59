"""Lists with one row a household: the head in columns of its own, the others in columns or several in one cell.

Each row is taken apart into the rows that the registry would have for it (one a person) and planned as those are. A row
is imported whole or not at all: its persons share the notes of the row.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households import words
from households.models import Assignment, Household, IncomeYear, Member, Relation
from households.registry import RegistryPlanner
from povertyaid.imports.resources import Planned, Row, SheetResource, by_key
from povertyaid.lib.cells import (
    CellError,
    Cleaned,
    Context,
    as_text,
    clean_identity,
    clean_name,
    is_blank,
)
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from povertyaid.imports.context import ImportContext, TableInfo
    from povertyaid.lib.sheets.model import Value

# How many persons beside the head may have columns of their own.
COLUMNS = 8
_LONGEST = 20
_SEPARATORS = frozenset("、,;|/\n\r")
_PERSON = re.compile(r"([^()]+?)\s*(?:\(([^()]*)\))?\s*")
_NUMBER = re.compile(r"[0-9]{15,}[Xx]?|[0-9]{17}[Xx]")
_COLUMN_KEYS = ("name", "relation", "identity")
# What holds for the household; the registry's planner takes it from the row of the head.
HOUSEHOLD_KEYS = (
    "township",
    "village",
    "address",
    "size",
    "cause",
    "dangerous_house",
    "safe_water",
    "income",
    "household_phone",
    "identified_on",
    "category",
    "monitored_type",
    "risk_cleared",
    "risk_on",
    "risk_cleared_on",
    "data_date",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a cell: `relation` is None and the texts empty where the cell does not say them."""

    name: str
    relation: Relation | None = None
    identity: str = ""
    status: str = ""


def clean_persons(value: Value, *, ctx: Context) -> Cleaned[list[Person]]:
    """Several persons in one cell: 张三（长子）、张小三（长女，小学三年级）.

    In the brackets stand the relation to the head, the identity number and the student status, in any order. Error
    codes: person, people, and those of names and identity numbers.
    """
    if is_blank(value):
        return Cleaned(None)
    text = unicodedata.normalize("NFKC", as_text(value)).replace("[", "(").replace("]", ")")
    found = Cleaned[list[Person]]([], sensitive="")
    for part in _parts(text):
        person = _person(part, ctx, found)
        found.value = [*(found.value or ()), person]
    if len(found.value or ()) > _LONGEST:
        raise CellError("people", _("The cell holds too many names. Write one person a row."))
    return found if found.value else Cleaned(None)


def _parts(text: str) -> Iterator[str]:
    """The persons of a cell: what stands between separators outside brackets."""
    depth, part = 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in _SEPARATORS:
            yield part
            part = ""
        else:
            part += character
    yield part


def _person(part: str, ctx: Context, found: Cleaned[list[Person]]) -> Person:
    match = _PERSON.fullmatch(part.strip())
    if match is None:
        raise CellError(
            "person", _("A person cannot be read here. Write each as 张三（长子）, with 、 between them.")
        )
    name = clean_name(match[1], ctx=ctx)
    found.repairs += name.repairs
    relation: Relation | None = None
    identity, status = "", ""
    for word in re.split(r"[,、;\s]+", match[2] or ""):
        if word in words.RELATIONS:
            relation = words.RELATIONS[word]
        elif _NUMBER.fullmatch(word):
            number = clean_identity(word, ctx=ctx)
            found.warnings += number.warnings
            identity = number.value or ""
        elif word:
            status = f"{status} {word}".strip()
    if len(status) > _LONGEST:
        raise CellError(
            "person", _("A person cannot be read here. Write each as 张三（长子）, with 、 between them.")
        )
    return Person(name.value or "", relation, identity, status)


@dataclass(eq=False)
class _Home:
    """A row, and the household on record that it means; `key` stands for the number where there is none."""

    row: Row
    key: str
    household: Household | None = None
    members: list[Member] = field(default_factory=list)


class HouseholdListPlanner(RegistryPlanner):
    """Plans a list with one row a household."""

    def __init__(self, context: ImportContext, persons: SheetResource) -> None:
        """Remember who imports; `persons` is the resource whose rows are planned."""
        super().__init__(context)
        self._persons = persons
        self._homes: dict[str, _Home] = {}
        self._tables: dict[Any, TableInfo] = {}

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One record a household; a row with any wrong person is refused whole."""
        homes = self._find_homes([row for row in rows if row.ok])
        self._homes = {home.key: home for home in homes}
        split = {id(home.row): self._split(home) for home in homes}
        origin = {id(person): home.row for home in homes for person in split[id(home.row)]}
        planned = super().plan([person for home in homes for person in split[id(home.row)]])
        for row in rows:
            asked = [person.question for person in split.get(id(row), ()) if person.question is not None]
            row.question = asked[0] if asked else row.question
        for item in planned:
            item.row = origin[id(item.row)]
            item.rows = [item.row]
            item.row.outcome = item.action
            home = self._homes[item.values["户编号"]]
            stored = home.household.number if home.household is not None else ""
            item.values["户编号"] = home.row.get("number") or stored
        return [item for item in planned if item.row.ok]

    # Which household it is

    def _find_homes(self, rows: Sequence[Row]) -> list[_Home]:
        """The households of the rows: by number, else by the head's identity number, else by village and head."""
        visible = self._context.records(Household).select_related("village")
        numbered = by_key(visible, "number", [row.get("number") for row in rows])
        heads = self._context.records(Member).filter(relation_to_head=Relation.HEAD, left_on__isnull=True)
        heads = heads.select_related("household__village")
        hashes = {id(row): lookup_hash("identity", row.get("head_identity", "")) for row in rows}
        by_hash = by_key(heads, "identity_hash", hashes.values())
        by_name = by_key(heads, "name", [row.get("head") for row in rows if not by_hash.get(hashes[id(row)])])
        returned = by_key(visible, "pk", [row.returned for row in rows])
        homes, first = [], dict[int | str, int]()
        for row in rows:
            home = _Home(row, row.get("number") or f"\x1f{row.sheet}\x1f{row.number}")
            if row.returned in returned:
                home.household = self._returned(row, returned[row.returned][0])
            elif not numbered.get(row.get("number")):
                home.household = self._by_head(
                    row, by_hash.get(hashes[id(row)], []), by_name.get(row.get("head"), [])
                )
            if home.household is not None and home.household.number:
                home.key = home.household.number
            elif home.household is not None:
                home.key = f"\x1f{row.sheet}\x1f{row.number}"
            seen = first.setdefault(home.household.pk if home.household is not None else home.key, row.number)
            if seen != row.number:
                text = _("This is the same household as in row %(row)d. Keep one of the two rows.")
                row.refuse("head", Message("repeated", text, {"row": seen}))
            homes.append(home)
        self._read_members(homes, numbered)
        return [home for home in homes if home.row.ok]

    @staticmethod
    def _returned(row: Row, household: Household) -> Household:
        """The household whose key the row of a list for return carries; its number is completed, never changed."""
        if household.number and row.get("number", household.number) != household.number:
            text = _(
                "The household has the number %(number)s on record. A list for return does not change it."
            )
            row.refuse("number", Message("number", text, {"number": household.number}))
        return household

    @staticmethod
    def _by_head(row: Row, same_number: Sequence[Member], same_name: Sequence[Member]) -> Household | None:
        """The household whose head the row names; a row with a number of its own only completes one without number."""
        found = list(same_number)
        if not found:
            village, township = row.get("village"), row.get("township")
            found = [
                head
                for head in same_name
                if head.household.village.name == village
                and township in {None, "", head.household.village.township}
                and not (row.get("head_identity") and head.identity_hash)
            ]
        if row.get("number"):
            found = [head for head in found if not head.household.number]
        if len(found) > 1:
            text = _(
                "Several households of this village have a head named %(name)s. Add the identity number."
            )
            row.refuse("head", Message("heads", text, {"name": row.get("head")}))
        return found[0].household if len(found) == 1 else None

    def _read_members(self, homes: Sequence[_Home], numbered: dict[str, list[Household]]) -> None:
        """Who lives in the households on record: a cell may name a person without the relation."""
        of_home = {
            id(home): [home.household] if home.household is not None else numbered.get(home.key, [])
            for home in homes
        }
        members = by_key(
            Member.objects.visible_to(self._user).filter(left_on__isnull=True),
            "household_id",
            {household.pk for found in of_home.values() for household in found},
        )
        for home in homes:
            home.members = [item for found in of_home[id(home)] for item in members.get(found.pk, ())]

    # The persons of a row

    def _split(self, home: _Home) -> list[Row]:
        """The rows that the registry would have: the head first."""
        row = home.row
        head = Person(row.get("head"), Relation.HEAD, row.get("head_identity", ""))
        persons = [self._person_row(home, head, ("head", "head", "head_identity"), with_household=True)]
        told = [head]
        for person, keys in self._told(row):
            if any(_same(person, known) for known in told):
                text = _("%(name)s stands twice in this row. Keep one of the two.")
                row.refuse(keys[0], Message("twice", text, {"name": person.name}))
                continue
            known = self._known(person, home)
            if known.relation is None:
                text = _(
                    "The relation of %(name)s to the head is missing. Write it in brackets: 张三（长子）."
                )
                row.refuse(keys[1], Message("relation", text, {"name": person.name}))
                continue
            told.append(known)
            persons.append(self._person_row(home, known, keys))
        self._add_children(home, told, persons)
        return persons if row.ok else []

    @staticmethod
    def _told(row: Row) -> Iterator[tuple[Person, tuple[str, str, str]]]:
        """The persons beside the head, with the columns of name, relation and identity number."""
        for number in range(1, COLUMNS + 1):
            keys = (f"member{number}_name", f"member{number}_relation", f"member{number}_identity")
            name = row.get(keys[0])
            if name:
                yield Person(name, row.get(keys[1]), row.get(keys[2], "")), keys
            elif row.get(keys[1]) is not None or row.get(keys[2]):
                row.refuse(keys[0], _("The name of this person is missing."))
        for person in row.get("members") or ():
            if person.relation != Relation.HEAD:
                yield person, ("members", "members", "members")

    def _add_children(self, home: _Home, told: list[Person], persons: list[Row]) -> None:
        """Pupils of the household: persons told already get their student status, others need their relation."""
        row = home.row
        keys = ("children", "children", "children")
        for child in row.get("children") or ():
            same = next((at for at, person in enumerate(told) if _same(child, person)), None)
            if same is not None:
                if child.status:
                    persons[same].values["student_status"] = child.status
                continue
            known = self._known(child, home)
            if known.relation is None:
                text = _(
                    "%(name)s is not entered, since the relation to the head is not known. "
                    "Add it in brackets: 张三（长子）."
                )
                row.warn("children", Message("child", text, {"name": child.name}))
                continue
            told.append(known)
            persons.append(self._person_row(home, known, keys))

    @staticmethod
    def _known(person: Person, home: _Home) -> Person:
        """The person with the relation on record, where the row does not say it."""
        if person.relation is not None:
            return person
        found = [member for member in home.members if member.name == person.name]
        return replace(person, relation=Relation(found[0].relation_to_head)) if len(found) == 1 else person

    def _person_row(
        self, home: _Home, person: Person, keys: tuple[str, str, str], *, with_household: bool = False
    ) -> Row:
        """A row of the registry for one person; what is noted there is noted at the row of the household."""
        row = home.row
        values: dict[str, Any] = {"number": home.key, "name": person.name, "relation": person.relation}
        values |= {
            key: text
            for key, text in (("identity", person.identity), ("student_status", person.status))
            if text
        }
        wanted = ("county", *HOUSEHOLD_KEYS) if with_household else ("county",)
        values |= {key: row.get(key) for key in wanted if row.get(key) is not None}
        raw = {key: row.raw[key] for key in wanted if key in row.raw}
        own: dict[str, Value] = {"name": person.name, "identity": person.identity}
        raw |= own | ({"number": row.raw["number"]} if "number" in row.raw else {})
        return Row(self._table(row.table, keys), row.number, values, raw, row.hidden, row.notes)

    def _table(self, table: TableInfo, keys: tuple[str, str, str]) -> TableInfo:
        """The table as a list of persons, whose columns are called as in this file."""
        found = self._tables.get((id(table), keys))
        if found is None:
            shared = {key: table.label(key) for key in ("county", "number", *HOUSEHOLD_KEYS)}
            person = {name: table.label(key) for name, key in zip(_COLUMN_KEYS, keys, strict=True)}
            found = replace(table, resource=self._persons, labels=shared | person)
            self._tables[id(table), keys] = found
        return found

    # What the registry's planner looks up by number, where there is none

    def _look_up(self, families: list[Any]) -> None:
        super()._look_up(families)
        unnumbered = {
            home.household.pk: home
            for home in self._homes.values()
            if home.household is not None and not home.household.number
        }
        for pk, home in unnumbered.items():
            if home.household is not None:
                self._households[home.household.county_id, home.key] = home.household
            self._members[pk] = home.members
        for found in by_key(IncomeYear.objects.visible_to(self._user), "household_id", unnumbered).values():
            self._incomes |= {(income.household_id, income.year): income for income in found}
        for assigned in by_key(
            Assignment.objects.visible_to(self._user), "household_id", unnumbered
        ).values():
            self._assigned |= {(item.household_id, item.school_id) for item in assigned}

    def _household(self, family: Any, item: Planned) -> Household:
        household = super()._household(family, item)
        home = self._homes[family.number]
        if household._state.adding:
            household.number = home.row.get("number", "")
        elif not household.number and home.row.get("number"):
            item.change(household, {"number": home.row.get("number")})
        return household


def _same(one: Person, other: Person) -> bool:
    """Whether two entries of a row are one person; namesakes with different numbers are two."""
    return one.name == other.name and not (one.identity and other.identity and one.identity != other.identity)
