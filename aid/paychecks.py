"""What cannot be right in a list of payments, and what a person should look at (POLICY §2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from aid.models import Disbursement, Payment
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.messages import Message
from students.words import BOARDING

if TYPE_CHECKING:
    from aid.paylist import Line
    from students.models import Student

# Before approval nothing can have been paid.
_NOT_APPROVED = (
    Disbursement.State.DRAFT,
    Disbursement.State.TO_CHECK,
    Disbursement.State.TO_APPROVE,
    Disbursement.State.RETURNED,
)
# Holders of the cards of many children who are nobody's family.
_HOMES = ("福利院", "福利中心", "儿童之家", "救助", "孤儿院", "敬老院", "未成年人保护")


def refuse_repeated_payments(lines: Sequence[Line]) -> None:
    """A pupil gets a programme once in a semester's list."""
    first: dict[tuple[int, int, str | None, int | None], int] = {}
    for line in lines:
        if line.student is None or line.programme is None:
            continue
        key = (line.student.pk, line.programme.pk, line.semester, line.row.get("number"))
        if key in first:
            text = _("The same pupil gets the same programme in row %(row)d. Keep one of the two rows.")
            column = "identity" if line.row.get("identity") else "name"
            line.row.refuse(column, Message("repeated", text, {"row": first[key]}))
        else:
            first[key] = line.row.number


def check_stored(line: Line) -> None:
    """What was paid is never edited by a list; what is not approved yet cannot have arrived."""
    row, payment = line.row, line.stored
    if payment is None:
        return
    if payment.state == Payment.State.WAITING:
        if row.get("paid") is not None and payment.disbursement.state in _NOT_APPROVED:
            text = _(
                "The disbursement stands at “%(state)s”, so that nothing can have been paid. Have it approved first."
            )
            row.refuse(
                "paid", Message("not_approved", text, {"state": payment.disbursement.get_state_display()})
            )
        return
    paid, account = row.get("paid"), row.get("account")
    if paid is not None and paid != payment.paid:
        text = _(
            "%(paid)s yuan is on record for this semester (%(state)s). What was paid is corrected by a reversal; "
            "a second payment needs a disbursement of its own: fill in the column 批次."
        )
        told = f"{payment.paid:.2f}" if payment.paid is not None else "0.00"
        row.refuse("paid", Message("paid_before", text, {"paid": told, "state": payment.get_state_display()}))
    if account and payment.account_hash and lookup_hash("account", account) != payment.account_hash:
        text = _(
            "The payment went to another account (ending in %(last4)s). What was paid is corrected by a reversal."
        )
        row.refuse("account", Message("other_account", text, {"last4": payment.account_last4}))


def check_boarding(line: Line) -> None:
    """A subsidy for boarders goes to boarders, one for day pupils to day pupils; lists may know better than we do."""
    if line.student is None or line.programme is None or not line.row.ok:
        return
    wanted = line.programme.boarding
    if wanted and wanted != line.student.boarding:
        text = _(
            "%(name)s is recorded as %(boarding)s, and the programme is for others. Check which is right."
        )
        params = {"name": line.student.name, "boarding": BOARDING[line.student.boarding]}
        line.row.warn("programme", Message("boarding", text, params))


def check_cards(lines: Sequence[Line]) -> None:
    """Two pupils of one class on one card are to be looked at, unless they share the guardian or live in a home."""
    seen: dict[tuple[int, str], list[Line]] = {}
    for line in lines:
        account, school_class = line.row.get("account"), line.school_class
        if not account or school_class is None or line.student is None or not line.row.ok:
            continue
        if any(word in line.row.get("holder", "") for word in _HOMES):
            continue
        others = seen.setdefault((school_class.pk, account), [])
        other = next((found for found in others if not _one_family(found, line)), None)
        if other is not None:
            text = _("The card is also that of %(name)s of the same class (row %(row)d). Check whose it is.")
            params = {"name": other.student.name if other.student else "", "row": other.row.number}
            line.row.warn("account", Message("same_card", text, params))
        others.append(line)


def _one_family(one: Line, other: Line) -> bool:
    """Whether two pupils have a guardian in common; where nobody is recorded, whether the list calls the holder family."""
    first, second = _guardians(one.student), _guardians(other.student)
    if one.student is not None and other.student is not None and one.student.pk == other.student.pk:
        return True
    if first and second:
        return bool(first & second)
    return bool(one.row.get("relation") and other.row.get("relation"))


def _guardians(student: Student | None) -> set[str]:
    return {student.guardian_name, student.head_name} - {""} if student is not None else set()
