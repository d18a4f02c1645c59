"""What the rows of a list of payments become: payments in the disbursement of their programme, school and semester."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from aid.models import Disbursement, Payment, Programme, Standard
from aid.paychecks import check_boarding, check_cards, check_stored, refuse_repeated_payments
from aid.programmebook import ProgrammeBook
from aid.services import standard_in_force
from povertyaid.imports.asking import failed_number
from povertyaid.imports.resources import Planned, Row, by_key
from povertyaid.lib import periods
from povertyaid.lib.cells import CellError
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.masks import mask_identity
from povertyaid.lib.messages import Message
from students.classbook import Place, PlaceError, read_place
from students.meaning import Meaning
from students.pupilbook import PupilBook, Wanted

if TYPE_CHECKING:
    from povertyaid.imports.context import ImportContext
    from povertyaid.lib.cells import PartialDate
    from povertyaid.schools.models import School, SchoolClass, User
    from students.models import Enrolment, Student

# Disbursements to which payments that were made can still be added.
OPEN = (Disbursement.State.PAYING, Disbursement.State.SIGNING)
# Fields of a payment by column key.
FIELDS = {
    "due": "due",
    "paid": "paid",
    "account": "account",
    "bank": "bank",
    "holder": "holder",
    "relation": "holder_relation",
    "tier": "tier",
    "note": "note",
}
KEYS = {name: key for key, name in FIELDS.items()}


@dataclass(eq=False)
class Line:
    """A row and what was found for it; `others` are the pupil's payments for the same in other disbursements."""

    row: Row
    school: School | None = None
    semester: str | None = None
    place: Place | None = None
    programme: Programme | None = None
    student: Student | None = None
    enrolment: Enrolment | None = None
    stored: Payment | None = None
    others: list[Payment] = field(default_factory=list)

    @property
    def wanted(self) -> Wanted:
        """Whom the row names."""
        get = self.row.get
        numbers = (get("identity", ""), get("pupil_number", ""))
        year = periods.split_semester(self.semester)[0] if self.semester else 0
        return Wanted(get("name", ""), *numbers, self.school, self.place, year, failed_number(self.row))

    @property
    def has_number(self) -> bool:
        """Whether the pupil is found by a number, so that school and class are not needed."""
        return bool(self.row.get("identity") or self.row.get("pupil_number"))

    @property
    def school_class(self) -> SchoolClass | None:
        """The pupil's class at the school that pays."""
        return self.enrolment.school_class if self.enrolment is not None else None

    @property
    def stage(self) -> str:
        """The pupil's stage at the school that pays."""
        if self.school_class is not None:
            return self.school_class.stage
        return self.school.stages[0].value if self.school is not None else ""


class PaymentPlanner:
    """Plans a list of payments: every look-up is made once for all rows."""

    def __init__(self, context: ImportContext) -> None:
        """Remember who imports, for what."""
        self.context = context
        self.user = context.user
        self.standards: dict[tuple[int, str, str, str], Standard | None] = {}

    def plan(self, rows: list[Row]) -> list[Planned]:
        """One planned record for each payment that can be taken; the other rows are refused with every reason."""
        self.own = {school.pk for school in self.context.schools.schools}
        lines = [self._line(row) for row in rows]
        self.pupils = PupilBook(self.user, [line.wanted for line in lines])
        self.meaning = Meaning(self.context, self.pupils)
        programmes = ProgrammeBook(self.user)
        for line in lines:
            self._match(line)
            if line.row.get("programme"):
                line.programme = programmes.find(line.row, line.school)
        refuse_repeated_payments(lines)
        self._find_stored(lines)
        for line in lines:
            self._check_amount(line)
            check_stored(line)
            check_boarding(line)
        check_cards(lines)
        disbursements = Disbursements(self.user, [line for line in lines if line.row.ok])
        return [item for line in lines if (item := self._planned(line, disbursements)) is not None]

    # What a row says

    def _line(self, row: Row) -> Line:
        line = Line(row, semester=row.get("semester") or row.semester)
        if row.get("school") or row.school is not None:
            line.school = self.context.school_of(row)
        if line.semester is None and row.ok:
            row.refuse("semester", _("The semester is missing. Write it as 2026年春季学期 or 2025-2026-2."))
        if line.school is not None:
            self._place(line, line.school)
        return line

    def _place(self, line: Line, school: School) -> None:
        """The class of the row; what cannot be read is only refused where the pupil must be found by it."""
        class_text, grade_text = line.row.get("school_class", ""), line.row.get("grade", "")
        today = self.context.today
        year = periods.split_semester(line.semester)[0] if line.semester else periods.school_year_of(today)
        try:
            line.place = read_place(school, class_text, grade_text, year, today)
        except (CellError, PlaceError) as error:
            if not line.has_number:
                line.row.refuse("school_class" if class_text else "grade", error.message)

    def _match(self, line: Line) -> None:
        """The pupil, and the school that pays: the one of the row, else where the pupil is enrolled."""
        row = line.row
        if not (line.has_number or row.ok or line.wanted.failed):
            return
        line.student = self.meaning.find(row, line.wanted)
        if line.student is None:
            return
        line.enrolment = self.pupils.enrolment(line.student, line.school)
        if line.school is None and line.enrolment is not None and not row.get("school"):
            # Only where the account may import: it may know the pupil of a school that it merely inspects.
            line.school = line.enrolment.school if line.enrolment.school_id in self.own else None
        if line.school is None and row.ok:
            row.refuse("school", _("The school is missing. Type its name, or choose one for the whole file."))
        elif line.school is not None and line.enrolment is None and row.ok:
            text = _("%(name)s is not enrolled at %(school)s. Check that this school pays.")
            params = {"name": line.student.name, "school": line.school.name}
            row.warn("school", Message("not_enrolled", text, params))

    # What is known already

    def _find_stored(self, lines: Sequence[Line]) -> None:
        """The stored payment of the same programme, semester, school and pupil; of several the one with this amount."""
        payments = (
            Payment.objects.visible_to(self.user)
            .filter(
                disbursement__programme__in={line.programme.pk for line in lines if line.programme},
                disbursement__semester__in={line.semester for line in lines if line.semester},
            )
            .exclude(disbursement__state=Disbursement.State.VOID)
            .select_related("disbursement")
            .order_by("disbursement__number", "pk")
        )
        stored = by_key(payments, "student_id", {line.student.pk for line in lines if line.student})
        for line in lines:
            if line.student is None or line.programme is None or line.school is None:
                continue
            wanted = (line.programme.pk, line.school.pk, line.semester)
            found = [item for item in stored.get(line.student.pk, ()) if key_of(item.disbursement) == wanted]
            number = line.row.get("number")
            fitting = [item for item in found if number is None or item.disbursement.number == number]
            same = [item for item in fitting if item.paid == line.row.get("paid")]
            line.stored = next(iter(same or fitting), None)
            line.others = [item for item in found if item is not line.stored]

    def _check_amount(self, line: Line) -> None:
        """Nobody gets more than the standard in force, or than the list's own where none is laid down."""
        row = line.row
        standard = self._standard(line)
        limit = standard.amount if standard is not None else row.get("standard")
        if limit is None or line.student is None:
            return
        before = sum(
            (item.paid or Decimal(0) for item in line.others if item.state in Payment.COUNTED), Decimal(0)
        )
        for key in ("due", "paid"):
            amount: Decimal | None = row.get(key)
            if amount is None or amount + before <= limit:
                continue
            params = {"amount": f"{amount:.2f}", "limit": f"{limit:.2f}", "before": f"{before:.2f}"}
            text = (
                _(
                    "With %(before)s yuan paid before, %(amount)s yuan is above the standard of %(limit)s yuan a semester."
                )
                if before
                else _(
                    "%(amount)s yuan is above the standard of %(limit)s yuan a semester. Check the amount."
                )
            )
            row.refuse(key, Message("above_standard", text, params))

    def _standard(self, line: Line) -> Standard | None:
        """The standard in force, asked once for each programme, stage, semester and tier."""
        if line.programme is None or line.semester is None or not line.stage:
            return None
        key = (line.programme.pk, line.stage, line.semester, line.row.get("tier", ""))
        if key not in self.standards:
            self.standards[key] = standard_in_force(
                programme=line.programme, stage=key[1], semester=key[2], tier=key[3], user=self.user
            )
        return self.standards[key]

    # What is written

    def _planned(self, line: Line, disbursements: Disbursements) -> Planned | None:
        row, programme, student = line.row, line.programme, line.student
        if not row.ok or programme is None or student is None or line.semester is None:
            return None
        item = Planned(row)
        values = self._values(row)
        payment = line.stored
        if payment is None:
            disbursement = disbursements.of(line, item)
            if disbursement is None:
                return None
            payment = item.add(
                Payment(
                    disbursement=disbursement,
                    student=student,
                    stage=line.stage,
                    state=Payment.State.WAITING if row.get("paid") is None else Payment.State.ARRIVED,
                    **(values | {"due": self._due(line)}),
                ),
                main=True,
            )
        else:
            if payment.state == Payment.State.WAITING and row.get("paid") is not None:
                values["state"] = Payment.State.ARRIVED
            # What is stored already is told by the hash, without decrypting it.
            if lookup_hash("account", values.get("account", "")) == payment.account_hash:
                values.pop("account", None)
            item.change(payment, values, keys=KEYS)
        paid = row.get("paid", payment.paid)
        item.values = {
            "姓名": student.name,
            "身份证号": mask_identity(row.get("identity", "")) or str(student.identity),
            "资助项目": programme.name,
            "学期": line.semester,
            "实发": f"{paid:.2f}" if paid is not None else "",
            "账号末四位": row.get("account", "")[-4:] or payment.account_last4,
        }
        return item

    @staticmethod
    def _values(row: Row) -> dict[str, Any]:
        """The fields of a payment that the row holds."""
        values = {name: row.get(key) for key, name in FIELDS.items() if key in row.values}
        paid_on: PartialDate | None = row.get("paid_on")
        if paid_on is not None and paid_on.precision == "day":
            values["paid_on"] = paid_on.value
        elif paid_on is not None:
            row.warn("paid_on", _("Only a whole date is kept as the day of payment, for example 2026-05-20."))
        return values

    def _due(self, line: Line) -> Decimal:
        """What is due: as the list says, else by its standard, else by the standard in force, else what was paid."""
        get, standard = line.row.get, self._standard(line)
        in_force = standard.amount if standard is not None else None
        amounts: list[Decimal | None] = [get("due"), get("standard"), in_force, get("paid")]
        return next((amount for amount in amounts if amount is not None), Decimal(0))


def key_of(disbursement: Disbursement) -> tuple[int, int, str]:
    """What a disbursement is for: programme, school, semester."""
    return disbursement.programme_id, disbursement.school_id, disbursement.semester


class Disbursements:
    """The disbursements into which the payments of a file go: stored ones that are being paid, else new ones."""

    def __init__(self, user: User, lines: Sequence[Line]) -> None:
        """Read those of the programmes, schools and semesters of a file in one query."""
        self._known: dict[tuple[int, int, str], dict[int, Disbursement]] = {}
        schools = {line.school.pk for line in lines if line.school is not None}
        found = (
            Disbursement.objects.visible_to(user)
            .filter(
                programme__in={line.programme.pk for line in lines if line.programme is not None},
                semester__in={line.semester for line in lines if line.semester is not None},
            )
            .order_by("number")
        )
        for disbursements in by_key(found, "school_id", schools).values():
            for disbursement in disbursements:
                self._known.setdefault(key_of(disbursement), {})[disbursement.number] = disbursement

    def of(self, line: Line, item: Planned) -> Disbursement | None:
        """The disbursement for a new payment; a new one is planned and listed; None after refusing the row."""
        if line.programme is None or line.school is None or line.semester is None:
            return None
        known = self._known.setdefault((line.programme.pk, line.school.pk, line.semester), {})
        number = line.row.get("number")
        open_ones = [found for found in known.values() if found.state in OPEN]
        if number is None and open_ones:
            return open_ones[-1]
        if number in known:
            if known[number].state in OPEN:
                return known[number]
            text = _("Disbursement %(number)d of this semester stands at “%(state)s” and takes no payments.")
            params = {"number": number, "state": known[number].get_state_display()}
            line.row.refuse("number", Message("closed", text, params))
            return None
        disbursement = Disbursement(
            programme=line.programme,
            school=line.school,
            semester=line.semester,
            number=number or max(known, default=0) + 1,
            state=Disbursement.State.PAYING,
        )
        known[disbursement.number] = item.add(disbursement)
        line.row.repaired("programme", "", str(disbursement), "disbursement_created")
        return disbursement
