"""Which stored person each row of a household is, and what a person must decide where that is not plain.

All is decided within one household: by identity number, else by person number, else by name and relation to the head.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households import words
from households.models import Member, Relation
from povertyaid.audit.services import Update
from povertyaid.imports.asking import decided, failed_number, forgive, only_wrong_at
from povertyaid.imports.questions import Candidate, Fact, Question
from povertyaid.imports.resources import by_key
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.likeness import Likeness, may_be_close, number_likeness
from povertyaid.lib.masks import mask_identity, mask_phone
from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from povertyaid.imports.context import ImportContext
    from povertyaid.imports.questions import Choice
    from povertyaid.imports.resources import Planned, Row

MODEL = Member._meta.label_lower
# Who is a child of a household; all others can be somebody's guardian.
_CHILDREN = frozenset(
    (
        Relation.SON,
        Relation.DAUGHTER,
        Relation.SONS_SON,
        Relation.SONS_DAUGHTER,
        Relation.DAUGHTERS_SON,
        Relation.DAUGHTERS_DAUGHTER,
        Relation.SIBLING,
        Relation.OTHER,
    )
)
_TAKE_OR_KEEP: tuple[Choice, ...] = ("take", "keep", "skip")
_KEEP: tuple[Choice, ...] = ("keep", "skip")
_ALL: tuple[Choice, ...] = ("take", "keep", "new", "skip")
_REFUSED = _("This identity number cannot be entered here; ask the county bureau.")


@dataclass
class Matched:
    """What was found for the rows of a file, by row."""

    members: dict[int, Member] = field(default_factory=dict)
    # Fields that stay as they are on record, by decision.
    kept: dict[int, frozenset[str]] = field(default_factory=dict)
    # The person who gets the number of the row's person in exchange.
    exchanges: dict[int, Member] = field(default_factory=dict)
    # Persons who give up their number to somebody else of the file.
    released: set[int] = field(default_factory=set)

    def keeps(self, row: Row) -> frozenset[str]:
        """The fields of a person that a row does not change."""
        return self.kept.get(id(row), frozenset())


class PersonMatcher:
    """Matches the rows of one household after the other with the persons who are stored there."""

    def __init__(
        self,
        context: ImportContext,
        rows: Sequence[Row],
        *,
        holders: Mapping[str, Member],
        holding: Mapping[int, str],
    ) -> None:
        """`holders`: who has a number anywhere; `holding`: the numbers of those households that the account may know."""
        self._context = context
        self._holders = holders
        self._holding = holding
        self._rows_with = {_digest(row): row for row in rows if row.get("identity")}
        self.found = Matched()
        self._forced: dict[int, int] = {}

    def match(self, rows: Sequence[Row], stored: Sequence[Member]) -> None:
        """Find the person of each row; refuse or ask where a row contradicts what is stored."""
        members = pair(rows, stored, self._forced)
        taken = {member.pk for member in members.values()}
        free = [member for member in stored if member.pk not in taken]
        for row in rows:
            member = members.get(id(row))
            found = self._unknown(row, free) if member is None else self._known(row, member, stored)
            if found is not None and row.ok:
                self.found.members[id(row)] = found

    def force(self, row: Row, member: Member) -> None:
        """A decision says who a row is, although its number fails its check."""
        self._forced[id(row)] = member.pk
        self.found.kept[id(row)] = frozenset({"identity"})

    # One row

    def _known(self, row: Row, member: Member, stored: Sequence[Member]) -> Member | None:
        """A row that was matched: by its number with another name, or otherwise with another number."""
        digest = _digest(row)
        if digest and digest == member.identity_hash:
            return member if member.name == row.get("name") else self._other_name(row, member, stored)
        if digest and member.identity_hash:
            return self._other_number(row, member)
        if digest and digest in self._holders:
            self._refuse_held(row, self._holders[digest])
        return member

    def _unknown(self, row: Row, free: Sequence[Member]) -> Member | None:
        """A row that nobody stored is exactly: held by another household, one of several, a slip, or somebody new."""
        digest = _digest(row)
        if digest in self._holders:
            self._refuse_held(row, self._holders[digest])
            return None
        alike = [item for item in free if _name_and_relation(item) == (row.get("name"), row.get("relation"))]
        fitting = [item for item in alike if not (digest and item.identity_hash)]
        if len(fitting) > 1:
            text = _("Several persons of this name and relation are in the household. Choose who is meant.")
            choices: tuple[Choice, ...] = ("take", "new", "skip")
            message = Message("namesakes", text)
            return self._ask(row, "namesakes", "name", message, candidates=fitting, choices=choices)
        number = row.get("identity", "")
        near = [(item, like) for item in free if (like := closeness(number, item)) is not None]
        if near:
            message = _close(near[0][0], near[0][1])
            found = [item for item, _like in near]
            return self._ask(row, "close_number", "identity", message, candidates=found, choices=_ALL)
        return None

    def _refuse_held(self, row: Row, holder: Member) -> None:
        """The number is that of somebody in another household."""
        if holder.household_id not in self._holding:
            row.refuse("identity", _REFUSED)
            return
        text = _(
            "This person stands in the household %(household)s already. "
            "Correct the number, or end the entry there first."
        )
        params = {"household": self._holding[holder.household_id]}
        row.refuse("identity", Message("elsewhere", text, params))

    def _other_name(self, row: Row, holder: Member, stored: Sequence[Member]) -> Member | None:
        """The number is stored with another name: misspelt, swapped with a sibling's, or the guardian's."""
        namesakes = [item for item in stored if item.name == row.get("name") and item.pk != holder.pk]
        elder = holder.relation_to_head not in _CHILDREN and row.get("relation") in _CHILDREN
        if elder:
            text = _(
                "This is the number of %(holder)s, %(relation)s of this household: it seems to be the guardian's. "
                "Correct it, or decide what is meant."
            )
            relation = words.word(words.RELATIONS, holder.relation_to_head)
            message = Message("guardians_number", text, {"holder": holder.name, "relation": relation})
            return self._ask(
                row, "guardians_number", "identity", message, candidates=namesakes or [holder], choices=_KEEP
            )
        if len(namesakes) == 1 and namesakes[0].identity_hash:
            return self._swapped(row, namesakes[0], holder)
        text = _(
            "The person with this identity number is stored as %(name)s. "
            "Find out which is right, and correct this cell or the record."
        )
        message = Message("other_name", text, {"name": holder.name})
        return self._ask(row, "other_name", "name", message, candidates=[holder], choices=_TAKE_OR_KEEP)

    def _swapped(self, row: Row, member: Member, holder: Member) -> Member | None:
        text = _(
            "The numbers of %(name)s and %(other)s seem to be swapped. Decide which of the two is right."
        )
        message = Message("swapped_numbers", text, {"name": member.name, "other": holder.name})
        chosen = self._ask(
            row,
            "swapped_numbers",
            "identity",
            message,
            candidates=[member],
            beside=[holder],
            choices=_TAKE_OR_KEEP,
        )
        other = self._rows_with.get(member.identity_hash)
        if chosen is not None and "identity" not in self.found.keeps(row) and other in {None, row}:
            # No row gives the other one a number: the two exchange theirs.
            self.found.exchanges[id(row)] = holder
        return chosen

    def _other_number(self, row: Row, member: Member) -> Member | None:
        """The person is known by person number, or by name and relation, and has another identity number."""
        text = _(
            "%(name)s is stored with another identity number (it ends in %(tail)s). "
            "Find out which is right, and correct this cell or the record."
        )
        params = {"name": member.name, "tail": member.identity_last4}
        like = closeness(row.get("identity", ""), member)
        code = "close_number" if like is not None else "other_number"
        message = _close(member, like) if like is not None else Message("other_number", text, params)
        same_number = bool(row.get("person_number")) and row.get("person_number") == member.person_number
        choices = _TAKE_OR_KEEP if same_number or row.get("relation") == Relation.HEAD else _ALL
        if _digest(row) in self._holders:
            choices = _KEEP
        return self._ask(row, code, "identity", message, candidates=[member], choices=choices)

    def _ask(
        self,
        row: Row,
        code: str,
        key: str,
        message: Message,
        *,
        candidates: Sequence[Member],
        choices: Sequence[Choice],
        beside: Sequence[Member] = (),
    ) -> Member | None:
        """The person whom a decision names; None for a new one, or when the row is asked."""
        shown = [candidate(row, item) for item in candidates]
        shown += [candidate(row, item, ()) for item in beside]
        decision = decided(self._context, row, Question(code, key, message, shown, choices, MODEL))
        chosen = next((item for item in candidates if decision is not None and item.pk == decision.pk), None)
        if decision is not None and decision.choice == "keep" and chosen is not None:
            self.found.kept[id(row)] = self.found.keeps(row) | differing(row, chosen)
        return chosen

    # Numbers that change hands

    def release(self, rows: Sequence[Row]) -> None:
        """See who gives up a number to somebody else; refuse rows whose number its holder keeps after all."""
        members, holders = self.found.members, self._holders
        by_member = {member.pk: row for row in rows if (member := members.get(id(row))) is not None}
        taking = [
            (row, holders[_digest(row)].pk)
            for row in rows
            if id(row) in members
            and "identity" not in self.found.keeps(row)
            and _digest(row) in holders
            and holders[_digest(row)].pk != members[id(row)].pk
        ]
        changed = True
        while changed:
            changed = False
            for row, holder in taking:
                if row.ok and not self._gives_up(row, by_member.get(holder), holder):
                    row.refuse("identity", _REFUSED)
                    changed = True
        self.found.released = {holder for row, holder in taking if row.ok}

    def _gives_up(self, row: Row, other: Row | None, holder: int) -> bool:
        exchange = self.found.exchanges.get(id(row))
        if exchange is not None:
            return exchange.pk == holder
        if other is None or not other.ok or "identity" in self.found.keeps(other):
            return False
        return bool(other.get("identity")) and _digest(other) != self.found.members[id(other)].identity_hash

    def write_numbers(self, row: Row, member: Member, item: Planned) -> None:
        """Plan what must be written before a new number, and what the other one of an exchange gets."""
        other = self.found.exchanges.get(id(row))
        if other is not None:
            values = {
                "identity": member.identity.clear,
                "sex": member.sex,
                "birth_date": member.birth_date,
            }
            item.first += [Update(member, {"identity": ""}), Update(other, {"identity": ""})]
            item.change(other, values, row=row)
        elif member.pk in self.found.released:
            item.first.append(Update(member, {"identity": ""}))


def pair(
    rows: Sequence[Row], stored: Sequence[Member], forced: Mapping[int, int] | None = None
) -> dict[int, Member]:
    """Stored persons by row: all by identity number first, then by person number, then by name and relation."""
    ways: tuple[tuple[Callable[[Row], Any], Callable[[Member], Any]], ...] = (
        (lambda row: (forced or {}).get(id(row)), lambda member: member.pk),
        (_digest, lambda member: member.identity_hash),
        (lambda row: row.get("person_number", ""), lambda member: member.person_number),
        (lambda row: (row.get("name"), row.get("relation")), _name_and_relation),
    )
    matched: dict[int, Member] = {}
    free = {member.pk: member for member in stored}
    for of_row, of_member in ways:
        if not free:
            break
        found: dict[Any, list[Member]] = {}
        for member in free.values():
            found.setdefault(of_member(member), []).append(member)
        for row in rows:
            wanted = of_row(row) if id(row) not in matched else None
            same = found.get(wanted, []) if wanted else []
            if len(same) == 1 and same[0].pk in free:
                matched[id(row)] = free.pop(same[0].pk)
    return matched


def settle_failed_numbers(rows: Iterable[Row], context: ImportContext) -> dict[int, Member]:
    """Rows whose number fails its check and is almost that of the person on record: asked about, or settled.

    Returns the persons of the settled rows by row; the stored number stays.
    """
    failed = {id(row): row for row in rows if failed_number(row) and only_wrong_at(row, "identity")}
    if not failed:
        return {}
    members = Member.objects.visible_to(context.user).filter(left_on__isnull=True).select_related("household")
    named = by_key(members, "name", {row.get("name") for row in failed.values()})
    settled = {}
    for key, row in failed.items():
        number = failed_number(row)
        near = [
            (member, like)
            for member in named.get(row.get("name"), ())
            if member.household.number == row.get("number")
            and (like := closeness(number, member)) is not None
        ]
        if len(near) != 1:
            continue
        forgive(row, "identity")
        member, like = near[0]
        text = _(
            "The identity number does not pass its check, and is almost that of %(name)s on record: %(difference)s. "
            "Decide whether it is the same person, or correct the number."
        )
        message = Message("close_number", text, {"name": member.name, "difference": like.message})
        question = Question("close_number", "identity", message, [candidate(row, member)], _KEEP, MODEL)
        if decided(context, row, question) is not None:
            settled[key] = member
    return settled


def closeness(number: str, member: Member) -> Likeness | None:
    """How an identity number is almost that of a stored person; decrypted only where that can be."""
    if not number or not member.identity_hash:
        return None
    if not may_be_close(number, member.birth_date, member.identity_last4):
        return None
    return number_likeness(number, member.identity.clear)


def differing(row: Row, member: Member) -> frozenset[str]:
    """The fields by which persons are known (name, identity) where row and record say different things."""
    found = {"name"} if row.get("name") != member.name else set()
    if row.get("identity") and member.identity_hash and _digest(row) != member.identity_hash:
        found.add("identity")
    return frozenset(found)


def candidate(row: Row, member: Member, choices: Sequence[Choice] | None = None) -> Candidate:
    """A stored person beside a row; numbers and telephones are masked on both sides."""
    get = row.get
    number = get("identity") or failed_number(row)
    stored = str(member.identity) if member.identity_hash else ""
    digest = lookup_hash("identity", number)
    relation = words.word(words.RELATIONS, member.relation_to_head)
    facts = [
        _fact("name", get("name", ""), member.name),
        Fact(
            _label("identity"),
            mask_identity(number),
            stored,
            bool(number) and bool(stored) and digest != member.identity_hash,
        ),
        _fact("relation_to_head", words.word(words.RELATIONS, get("relation")), relation),
        _fact("person_number", get("person_number", ""), member.person_number),
        _fact("birth_date", "", str(member.birth_date or "")),
        _fact("ethnic_group", get("ethnic_group", ""), member.ethnic_group),
        _fact("student_status", get("student_status", ""), member.student_status),
        _fact("phone", mask_phone(get("phone", "")), mask_phone(member.phone)),
    ]
    label = f"{member.name}（{relation}）"
    return Candidate(member.pk, label, [fact for fact in facts if fact.row or fact.stored], choices)


def _close(member: Member, like: Likeness) -> Message:
    text = _(
        "The number is almost that of %(name)s on record: %(difference)s. Decide whether it is the same person."
    )
    return Message("close_number", text, {"name": member.name, "difference": like.message})


def _digest(row: Row) -> str:
    return lookup_hash("identity", row.get("identity", ""))


def _name_and_relation(member: Member) -> tuple[str, str]:
    return member.name, member.relation_to_head


def _fact(name: str, row: str, stored: str) -> Fact:
    return Fact(_label(name), row, stored, bool(row) and bool(stored) and row != stored)


def _label(name: str) -> str:
    return str(Member._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


__all__ = ["Matched", "PersonMatcher", "settle_failed_numbers"]
