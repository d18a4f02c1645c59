"""Two years of disbursements and payments of the demo county, by the standards in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from aid.models import Disbursement, Payment, Programme, Standard
from povertyaid.lib import periods
from povertyaid.schools.models import School, Stage
from reports.demo.helping import Help
from reports.demo.invention import Invention
from reports.demo.people import People, Pupil
from reports.demo.places import Places

# Day pupils are subsidised when they belong to these groups, boarders when they are in hardship at all.
DAY_GROUPS = frozenset({"lifted", "unstable", "marginal", "sudden", "minimum", "destitute", "disabled"})
INFANT_AID = Decimal("500.00")
HOPE_AID = Decimal("1000.00")
WINTER_AID = Decimal("500.00")
BANK = "农商银行"
_CLOSED_STATES = {"signed": 930, "arrived": 25, "reissued": 20, "bank_returned": 12, "uncollected": 13}
_SIGNING_STATES = {"signed": 55, "arrived": 38, "bank_returned": 3, "waiting": 4}


@dataclass
class _Round:
    """One semester's payments: when they go out, and how far they have come by today."""

    semester: str
    today: dt.date

    @property
    def paid_on(self) -> dt.date:
        """Money goes out in the middle of November and of May."""
        year, number = periods.split_semester(self.semester)
        return dt.date(year, 11, 12) if number == 1 else dt.date(year + 1, 5, 14)

    @property
    def out(self) -> bool:
        return self.paid_on <= self.today

    @property
    def state(self) -> Disbursement.State:
        if not self.out:
            return Disbursement.State.TO_CHECK
        if self.today < self.paid_on + dt.timedelta(days=60):
            return Disbursement.State.SIGNING
        return Disbursement.State.CLOSED


@dataclass
class Giving:
    """Two years of disbursements and payments, unsaved."""

    places: Places
    people: People
    helped: Help
    today: dt.date
    invention: Invention
    disbursements: list[Disbursement] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)

    def give(self, semesters: list[str]) -> None:
        """Draw up each semester's disbursements, school by school and programme by programme."""
        programmes = {programme.code: programme for programme in Programme.objects.all()}
        standards = list(Standard.objects.select_related("programme"))
        for semester in semesters:
            now = _Round(semester, self.today)
            batches: dict[tuple[str, str], Disbursement] = {}
            for pupil, enrolment, _recognition in self.helped.recognised.get(semester, []):
                stage = _stage(enrolment.school_class.stage if enrolment.school_class else "")
                code = _programme(pupil, stage)
                if code is None:
                    continue
                due = INFANT_AID if stage == Stage.PRESCHOOL else _due(standards, code, stage, semester)
                batch = self._batch(batches, programmes[code], enrolment.school, now)
                self.payments.append(self._payment(batch, pupil, stage, due))
            if semester.endswith("-2"):
                self._hope(programmes["hope_scheme"], now)
            else:
                self._winter(programmes["school_aid"], now)

    def _batch(
        self, batches: dict[tuple[str, str], Disbursement], programme: Programme, school: School, now: _Round
    ) -> Disbursement:
        key = (programme.code, school.code)
        if key not in batches:
            batches[key] = Disbursement(
                programme=programme,
                school=school,
                semester=now.semester,
                title=f"{periods.semester_label(now.semester)}{programme.name}",
                state=now.state,
            )
            self.disbursements.append(batches[key])
        return batches[key]

    def _payment(self, batch: Disbursement, pupil: Pupil, stage: Stage, due: Decimal) -> Payment:
        now = _Round(batch.semester, self.today)
        state = Payment.State.WAITING
        if now.state == Disbursement.State.CLOSED:
            state = Payment.State(self.invention.weighted(_CLOSED_STATES))
        elif now.state == Disbursement.State.SIGNING:
            state = Payment.State(self.invention.weighted(_SIGNING_STATES))
        counted = state in Payment.COUNTED
        later = self.invention.random.randint(15, 35) if state == Payment.State.REISSUED else 0
        student = pupil.student
        return Payment(
            disbursement=batch,
            student=student,
            stage=stage,
            due=due,
            paid=due if counted else None,
            bank=BANK,
            account=pupil.account,
            holder=student.guardian_name or student.name,
            holder_relation=student.guardian_relation or "本人",
            paid_on=min(now.paid_on + dt.timedelta(days=later), now.today) if counted else None,
            state=state,
            note={"bank_returned": "账号有误，银行退回", "reissued": "核对账号后补发"}.get(state, ""),
        )

    def _hope(self, programme: Programme, now: _Round) -> None:
        """A few pupils of the junior school under the Hope scheme, once a year in spring."""
        school = self.places.schools["junior"]
        pupils = [
            pupil
            for pupil, enrolment, _r in self.helped.recognised.get(now.semester, [])
            if enrolment.school == school
        ]
        batch = self._batch({}, programme, school, now)
        for pupil in self.invention.random.sample(pupils, min(6, len(pupils))):
            self.payments.append(self._payment(batch, pupil, Stage.JUNIOR, HOPE_AID))

    def _winter(self, programme: Programme, now: _Round) -> None:
        """The school's own help to some households before the Spring Festival."""
        day = dt.date(periods.split_semester(now.semester)[0] + 1, 1, 25)
        if day > now.today:
            return
        batch = self._batch({}, programme, self.places.schools["central"], now)
        batch.title, batch.state = f"{day.year}年春节前慰问", Disbursement.State.CLOSED
        of_school = [
            pupil.household for pupil in self.people.pupils if pupil.household and pupil.key == "central"
        ]
        chosen = [
            household for household in self.people.households if any(household is home for home in of_school)
        ]
        for household in self.invention.random.sample(chosen, min(12, len(chosen))):
            self.payments.append(
                Payment(
                    disbursement=batch,
                    household=household,
                    due=WINTER_AID,
                    paid=WINTER_AID,
                    paid_on=day,
                    state=Payment.State.SIGNED,
                    note="班主任入户送达",
                )
            )


def _stage(value: str) -> Stage:
    return Stage(value or Stage.PRIMARY)


def _programme(pupil: Pupil, stage: Stage) -> str | None:
    if stage == Stage.PRESCHOOL:
        return "preschool_aid"
    if pupil.student.boarding == "boarding":
        return "living_subsidy_boarding"
    return "living_subsidy_day" if DAY_GROUPS & set(pupil.groups or ()) else None


def _due(standards: list[Standard], code: str, stage: Stage, semester: str) -> Decimal:
    for standard in standards:
        in_force = standard.valid_from <= semester and (
            not standard.valid_to or semester <= standard.valid_to
        )
        if standard.programme.code == code and standard.stage == stage and in_force:
            return standard.amount
    msg = f"No standard of {code} for {stage} in {semester}."
    raise LookupError(msg)
