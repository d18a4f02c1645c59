"""What lists for return say of households: one row each, with the persons in columns, sensitive values masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from households import words
from households.household_list import COLUMNS
from households.models import Household, IncomeYear, Member, Relation
from povertyaid.imports.resources import by_key
from povertyaid.lib.cells import PartialDate
from povertyaid.lib.masks import mask_phone
from povertyaid.lib.periods import Period

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from povertyaid.schools.models import School, User


def _yes_no(value: bool | None) -> str:
    return {True: "是", False: "否", None: ""}[value]


def _date(day: dt.date | None, precision: str) -> str:
    return str(PartialDate(day, precision)) if day is not None else ""  # type: ignore[arg-type]


def present_households(records: Sequence[Household], user: User, period: str | None) -> list[dict[str, str]]:
    """Households with their members: the head, others in columns of their own, more than those in one cell.

    The income is that of the year of the period's end, and stands with the date that says its year.
    """
    pks = [household.pk for household in records]
    rest = Household.objects.visible_to(user).select_related("village__county")
    full = {pk: found[0] for pk, found in by_key(rest, "pk", pks).items()}
    members = by_key(
        Member.objects.visible_to(user).filter(left_on__isnull=True).order_by("pk"), "household_id", pks
    )
    year = Period.parse(period).end.year if period else None
    incomes = (
        by_key(IncomeYear.objects.visible_to(user).filter(year=year), "household_id", pks) if year else {}
    )
    told = []
    for record in records:
        item = full[record.pk]
        people = members.get(item.pk, [])
        head = next((person for person in people if person.relation_to_head == Relation.HEAD), None)
        income = incomes.get(item.pk)
        told.append(
            {
                "data_date": str(year) if income else "",
                "county": item.village.county.name,
                "township": item.village.township,
                "village": item.village.name,
                "address": item.address,
                "number": item.number,
                "head": head.name if head is not None else "",
                "head_identity": str(head.identity) if head is not None and head.identity else "",
                "size": str(item.declared_size or ""),
                "category": words.word(words.CATEGORIES, item.category),
                "monitored_type": words.word(words.MONITORED_TYPES, item.monitored_type),
                "cause": words.word(words.CAUSES, item.cause),
                "income": f"{income[0].amount:.2f}" if income else "",
                "household_phone": mask_phone(item.phone),
                "children": "",
                "dangerous_house": _yes_no(item.dangerous_house),
                "safe_water": _yes_no(item.safe_water),
                "identified_on": _date(item.identified_on, item.identified_precision),
                "risk_cleared": _yes_no(item.risk_cleared),
                "risk_on": _date(item.risk_on, item.risk_precision),
                "risk_cleared_on": str(item.risk_cleared_on or ""),
                **_others([person for person in people if person is not head]),
            }
        )
    return told


def _others(people: Sequence[Member]) -> dict[str, str]:
    """The members beside the head."""
    told: dict[str, str] = {}
    for number in range(1, COLUMNS + 1):
        person = people[number - 1] if number <= len(people) else None
        key = f"member{number}"
        told |= {
            f"{key}_name": person.name if person is not None else "",
            f"{key}_relation": words.word(words.RELATIONS, person.relation_to_head)
            if person is not None
            else "",
            f"{key}_identity": str(person.identity) if person is not None and person.identity else "",
        }
    told["members"] = "、".join(
        f"{person.name}（{words.word(words.RELATIONS, person.relation_to_head)}）"
        for person in people[COLUMNS:]
    )
    return told


def listed_households(user: User, school: School | None) -> QuerySet[Household]:
    """The households that have not left the registry: of one school those that it helps or has a child of."""
    found = Household.objects.visible_to(user).filter(exited_on__isnull=True)
    if school is not None:
        mine = Household.objects.visible_to(user).filter(
            Q(assignments__school=school) | Q(members__student__enrolments__school=school)
        )
        found = found.filter(pk__in=mine.values("pk"))
    return found.order_by("number", "pk")
