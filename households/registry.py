"""What the rows of the registry become: households with their members, incomes and the school that helps.

One row is one person. What holds for the household stands in every row of it and may differ there: the row of the head
counts, else the first one, and each difference is told. Of dates that agree the most exact one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households import words
from households.models import Assignment, Household, IncomeYear, Member, Precision, Relation, Village
from households.nearmisses import PersonMatcher, settle_failed_numbers
from povertyaid.audit.services import Update
from povertyaid.imports.resources import Planned, Row, by_key
from povertyaid.lib.cells import PartialDate
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.identity import check_identity
from povertyaid.lib.masks import mask_identity
from povertyaid.lib.messages import Message
from povertyaid.lib.periods import Period
from povertyaid.schools.models import School

if TYPE_CHECKING:
    from collections.abc import Iterable

    from povertyaid.imports.context import ImportContext
    from povertyaid.schools.models import County

HEAD_ROW_RULE = "head_row"
# Columns that speak of the household; the others speak of the person in the row.
_HOUSEHOLD_KEYS = (
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
_LARGEST_INCOME = Decimal("9999999999.99")
_DATES = frozenset(("identified_on", "risk_on", "risk_cleared_on", "data_date"))
_EXACTNESS = {"year": 0, "month": 1, "day": 2}
# 柳溪村委会 is the committee of 柳溪村.
_COMMITTEE = re.compile(r"村(?:民委员会|委员会|委会|委)$")
# Where the fields of the models have other names than the columns.
_HOUSEHOLD_COLUMNS = {
    "declared_size": "size",
    "phone": "household_phone",
    "identified_precision": "identified_on",
    "risk_precision": "risk_on",
}
_MEMBER_COLUMNS = {
    "relation_to_head": "relation",
    "identified_on": "person_identified_on",
    "identified_precision": "person_identified_on",
}


@dataclass
class _Family:
    """The rows of one household that can be taken, and what they say of it."""

    number: str
    county: County
    rows: list[Row]
    told: dict[str, Any] = field(default_factory=dict)
    village: Village | None = None

    @property
    def base(self) -> Row:
        """The row of the head, else the first."""
        return next((row for row in self.rows if row.get("relation") == Relation.HEAD), self.rows[0])


class RegistryPlanner:
    """Plans one file: looks up everything at once, then goes through the families."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports."""
        self._context = context
        self._user = context.user

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One record a household; rows that cannot be taken are refused one by one."""
        for row in rows:
            if row.ok and row.get("monitored_type") and row.get("category") != Household.Category.MONITORED:
                row.refuse(
                    "monitored_type",
                    _(
                        "Only a monitored household has a type. Correct the household category, or empty this cell."
                    ),
                )
        settled = settle_failed_numbers(rows, self._context)
        self._refuse_repeated(rows)
        families = self._families(rows)
        self._look_up(families)
        taken = [row for family in families for row in family.rows]
        self._people = PersonMatcher(self._context, taken, holders=self._holders, holding=self._holding)
        for row in taken:
            if id(row) in settled:
                self._people.force(row, settled[id(row)])
        for family in families:
            self._match(family)
        self._people.release(taken)
        planned = []
        for family in families:
            family.rows = [row for row in family.rows if row.ok]
            if family.rows:
                self._tell(family)
                self._find_village(family)
            if family.village is not None:
                planned.append(self._plan_family(family))
        return planned

    @staticmethod
    def _refuse_repeated(rows: Iterable[Row]) -> None:
        """One person stands once in the file."""
        first: dict[Any, int] = {}
        for row in rows:
            if not row.ok:
                continue
            for key in ("identity", "person_number"):
                if not row.get(key):
                    continue
                seen = first.setdefault((key, row.get(key)), row.number)
                if seen != row.number:
                    text = _("This is the same person as in row %(row)d. Keep one of the two rows.")
                    row.refuse(key, Message("repeated", text, {"row": seen}))
                    break

    def _families(self, rows: Iterable[Row]) -> list[_Family]:
        families: dict[tuple[int, str], _Family] = {}
        for row in rows:
            county = self._context.county_of(row) if row.ok else None
            if county is None:
                continue
            number = row.get("number")
            families.setdefault((county.pk, number), _Family(number, county, [])).rows.append(row)
        return list(families.values())

    def _look_up(self, families: list[_Family]) -> None:
        """Everything that is stored about the families: a constant number of queries."""
        user = self._user
        counties = {family.county.pk for family in families}
        villages = Village.objects.visible_to(user).filter(county__in=counties)
        self._villages: dict[tuple[int, str], list[Village]] = {}
        for village in villages:
            self._villages.setdefault((village.county_id, village.name), []).append(village)
        numbers = [family.number for family in families]
        visible = self._context.records(Household).filter(county__in=counties).select_related("village")
        self._households = {
            (household.county_id, household.number): household
            for found in by_key(visible, "number", numbers).values()
            for household in found
        }
        everywhere = Household.objects.filter(county__in=counties).only("number", "county")
        self._foreign = {
            (household.county_id, household.number)
            for found in by_key(everywhere, "number", numbers).values()
            for household in found
        } - self._households.keys()
        stored = [household.pk for household in self._households.values()]
        self._members = by_key(
            Member.objects.visible_to(user).filter(left_on__isnull=True), "household_id", stored
        )
        hashes = [
            lookup_hash("identity", row.get("identity", "")) for family in families for row in family.rows
        ]
        # Also people whom this account may not know of: their number cannot be entered twice.
        elsewhere = Member.objects.filter(left_on__isnull=True).only("identity_hash", "household", "name")
        self._holders = {key: found[0] for key, found in by_key(elsewhere, "identity_hash", hashes).items()}
        holding = Household.objects.visible_to(user).only("number")
        found = by_key(holding, "pk", [holder.household_id for holder in self._holders.values()])
        self._holding = {key: households[0].number for key, households in found.items()}
        self._incomes = {
            (income.household_id, income.year): income
            for found in by_key(IncomeYear.objects.visible_to(user), "household_id", stored).values()
            for income in found
        }
        self._assigned = {
            (assignment.household_id, assignment.school_id)
            for found in by_key(Assignment.objects.visible_to(user), "household_id", stored).values()
            for assignment in found
        }

    def _find_village(self, family: _Family) -> None:
        """Find the village of a household, or refuse all rows of it."""
        township, name = family.told.get("township"), family.told.get("village")
        found: list[Village] = []
        for spelling in (str(name), _COMMITTEE.sub("村", str(name))):
            known = self._villages.get((family.county.pk, spelling), [])
            found = found or [village for village in known if not township or village.township == township]
        if len(found) == 1:
            family.village = found[0]
            return
        text = _(
            "The village “%(village)s” is not in the list of villages. "
            "Add it there first (kind “villages”), or correct the name."
        )
        if found:
            text = _("There are several villages “%(village)s”. Write the township too.")
        for row in family.rows:
            row.refuse("village", Message("village", text, {"village": f"{township or ''}{name}"}))

    @staticmethod
    def _tell(family: _Family) -> None:
        """Settle the values of the household, and list a repair for each row that says otherwise."""
        ordered = [family.base, *(row for row in family.rows if row is not family.base)]
        for key in _HOUSEHOLD_KEYS:
            values = [(row, row.get(key)) for row in ordered if row.get(key) is not None]
            # An empty cell that erases gives way to any row that tells something: merged cells stand in one row alone.
            values = [(row, value) for row, value in values if value != ""] or values[:1]
            if not values:
                continue
            chosen = values[0][1]
            if key in _DATES:
                agreeing = [value for _row, value in values if agree(chosen, value)]
                chosen = max(agreeing, key=lambda value: _EXACTNESS[value.precision])
            family.told[key] = chosen
            for row, value in values:
                same = agree(chosen, value) if key in _DATES else value == chosen
                if not same:
                    row.repaired(key, row.shown(key), _text(chosen), HEAD_ROW_RULE)

    def _plan_family(self, family: _Family) -> Planned:
        item = Planned(family.base, rows=family.rows)
        household = self._household(family, item)
        self._plan_income(family, household, item)
        self._plan_school(family, household, item)
        changed = item.action != "unchanged"
        for row in family.rows:
            self._plan_member(row, household, self._people.found.members.get(id(row)), item)
        if changed and item.row.outcome == "unchanged":
            item.row.outcome = "updated"
        item.values = self._values(family)
        return item

    def _household(self, family: _Family, item: Planned) -> Household:
        """The stored household with what changes, or a new one."""
        stored: Household | None = self._households.get((family.county.pk, family.number))
        values = self._household_values(family, stored)
        if stored is None:
            new = Household(county=family.county, number=family.number, **values)
            return item.add(new, main=True)
        item.change(stored, values, keys=_HOUSEHOLD_COLUMNS)
        return stored

    @staticmethod
    def _household_values(family: _Family, stored: Household | None) -> dict[str, Any]:
        """Fields of the household from what the rows tell; nothing for what they do not tell."""
        told = family.told
        values: dict[str, Any] = {"village": family.village}
        plain = (
            "category",
            "monitored_type",
            "cause",
            "address",
            "dangerous_house",
            "safe_water",
            "risk_cleared",
        )
        values |= {key: told[key] for key in plain if key in told}
        if "size" in told:
            values["declared_size"] = told["size"]
        if "household_phone" in told:
            values["phone"] = told["household_phone"]
        for name, precision in (("identified_on", "identified_precision"), ("risk_on", "risk_precision")):
            values |= date_fields(told.get(name), stored, name, precision)
        if "risk_cleared_on" in told:
            values["risk_cleared_on"] = told["risk_cleared_on"].value
        if (
            stored is not None
            and stored.monitored_type
            and values.get("category") != Household.Category.MONITORED
        ):
            # A type belongs to monitored households alone: it goes when the household is monitored no more.
            values["monitored_type"] = ""
        return values

    def _match(self, family: _Family) -> None:
        """Find who each row is on record; rows that contradict what is stored are refused or asked about."""
        if (family.county.pk, family.number) in self._foreign:
            for row in family.rows:
                row.refuse(
                    "number", _("This household number cannot be entered here; ask the county bureau.")
                )
            return
        household = self._households.get((family.county.pk, family.number))
        stored = self._members.get(household.pk, []) if household is not None else []
        self._people.match(family.rows, stored)
        self._check_head(family, stored, self._people.found.members)

    @staticmethod
    def _check_head(family: _Family, stored: list[Member], matched: dict[int, Member]) -> None:
        """A household has one head: refuse a second one in the file, and one beside the stored one."""
        heads = [row for row in family.rows if row.ok and row.get("relation") == Relation.HEAD]
        for row in heads[1:]:
            text = _("Row %(row)d is the head of this household already. Correct the relation.")
            row.refuse("relation", Message("second_head", text, {"row": heads[0].number}))
        if not heads:
            return
        told = {matched[id(row)].pk for row in family.rows if row.ok and id(row) in matched}
        for member in stored:
            if member.relation_to_head == Relation.HEAD and member.pk not in told:
                text = _(
                    "%(name)s is stored as the head of this household and is not in the file. "
                    "Add that row with the present relation, or change the record first."
                )
                heads[0].refuse("relation", Message("other_head", text, {"name": member.name}))

    def _plan_member(self, row: Row, household: Household, member: Member | None, item: Planned) -> None:
        values = self._member_values(row, member)
        if member is not None:
            self._people.write_numbers(row, member, item)
        if member is None:
            item.add(Member(household=household, **values))
            row.outcome = "created"
            return
        changed = item.change(member, values, row=row, keys=_MEMBER_COLUMNS)
        row.outcome = "updated" if changed else "unchanged"
        if (
            changed
            and member.relation_to_head == Relation.HEAD
            and values["relation_to_head"] != Relation.HEAD
        ):
            # The old head steps back before the new one is written: a household never has two.
            item.first.append(Update(member, {"relation_to_head": values["relation_to_head"]}))

    def _member_values(self, row: Row, stored: Member | None) -> dict[str, Any]:
        """Fields of a person from a row; sex and birth from the identity number."""
        names = ("name", "person_number", "identity", "ethnic_group", "education", "student_status", "health", "labour",
                 "work_months", "insured", "phone")  # fmt: skip
        values: dict[str, Any] = {name: row.get(name) for name in names if row.get(name) is not None}
        values["relation_to_head"] = row.get("relation")
        kept = self._people.found.keeps(row)
        for name in kept:
            values.pop(name, None)
        if row.get("identity") and "identity" not in kept:
            facts = check_identity(row.get("identity"), self._context.today)
            values |= {"sex": facts.sex, "birth_date": facts.birth}
        return values | date_fields(
            row.get("person_identified_on"), stored, "identified_on", "identified_precision"
        )

    def _plan_income(self, family: _Family, household: Household, item: Planned) -> None:
        amount = family.told.get("income")
        if amount is None:
            return
        year = self._income_year(family)
        if year is None:
            item.row.warn(
                "income",
                _(
                    "The income was not taken, since its year is not known. "
                    "Add the column 数据日期 with the date of the data."
                ),
            )
            return
        stored = self._incomes.get((household.pk, year)) if household.pk else None
        if stored is None:
            item.add(IncomeYear(household=household, year=year, amount=amount))
        else:
            item.change(stored, {"amount": amount}, keys={"amount": "income"})

    @staticmethod
    def _income_year(family: _Family) -> int | None:
        day = family.told.get("data_date")
        if day is not None:
            return int(day.value.year)
        period = family.rows[0].period
        return Period.parse(period).end.year if period else None

    def _plan_school(self, family: _Family, household: Household, item: Planned) -> None:
        """Assign the household to the school for which the list is, so that the school sees it."""
        school: School | None = item.row.school
        if school is None or (household.pk, school.pk) in self._assigned:
            return
        item.add(Assignment(household=household, school=school, start_on=self._context.today))

    @staticmethod
    def _values(family: _Family) -> dict[str, Any]:
        """The record for the JSON and the preview."""
        told, taken = family.told, family.rows
        identified = told.get("identified_on")
        return {
            "户编号": family.number,
            "行政村": family.village.name if family.village else "",
            "户类型": words.word(words.CATEGORIES, told.get("category")),
            "监测对象类型": words.word(words.MONITORED_TYPES, told.get("monitored_type")),
            "致贫原因": words.word(words.CAUSES, told.get("cause")),
            "人均纯收入": f"{told['income']:f}" if "income" in told else "",
            "人数": told.get("size", len(taken)),
            "首次识别": str(identified)[:7] if identified else "",
            "首次识别时间": str(identified) if identified else "",
            "members": [
                {
                    "row": row.number,
                    "姓名": row.get("name"),
                    "证件号码": mask_identity(row.get("identity", "")),
                    "与户主关系": words.word(words.RELATIONS, row.get("relation")),
                    "在校生状况": row.get("student_status", ""),
                }
                for row in taken
            ],
        }


def agree(first: PartialDate, second: PartialDate) -> bool:
    """Whether two dates are the same as far as both are known: 2014-12 and 2014-12-15."""
    coarse, fine = sorted((str(first), str(second)), key=len)
    return fine.startswith(coarse)


def date_fields(told: PartialDate | None, stored: Any, name: str, precision: str) -> dict[str, Any]:
    """The two fields of a date and its precision; nothing when the stored date says the same more exactly."""
    if told is None:
        return {}
    if stored is not None and getattr(stored, name) is not None:
        known = PartialDate(getattr(stored, name), getattr(stored, precision))
        if agree(known, told) and _EXACTNESS[known.precision] >= _EXACTNESS[told.precision]:
            return {}
    return {name: told.value, precision: Precision(told.precision)}


def _text(value: Any) -> str:
    """A household's value for telling a repair."""
    for table in (words.CATEGORIES, words.MONITORED_TYPES, words.CAUSES):
        found = words.word(table, value) if isinstance(value, str) else ""
        if found:
            return found
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
