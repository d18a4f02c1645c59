"""What each role may do to what, told from the table of roles and the rules of scope, not from the code of the pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models

from aid.models import Payment
from povertyaid.schools.models import User
from povertyaid.schools.roles import TABLE, Role
from tests import factories
from tests.personas import SchoolRecords, World

HOME, RIVAL, FOREIGN = "home", "rival", "foreign"

COUNTY_WIDE = {"county_admin", "county_director", "bureau_clerk", "inspector"}
# Everybody of the county knows it: villages, programmes, the county itself.
REFERENCE = {"schools.county", "households.village", "aid.programme", "aid.standard"}
NATIONAL = {"students.specialgroup"}
# What a class teacher and a helper see of their own school: the children's records, not the school's.
OF_THE_CHILD = {
    "households.household", "households.member", "households.incomeyear", "students.student", "students.enrolment",
    "students.recognition", "pairings.pairing", "pairings.contact", "aid.payment",
}  # fmt: skip
TEACHER_SEES = OF_THE_CHILD | REFERENCE | {"schools.school", "schools.schoolclass"}
HELPER_SEES = OF_THE_CHILD | REFERENCE | {"schools.school", "pairings.privatenote"}
# Only the county looks at what accounts did and at accounts.
OF_THE_COUNTY = {"audit.change", "audit.accesslog", "schools.user"}

# Pages that answer 403 to everybody although the table allows it, each with its reason.
NEVER = {
    ("files.attachment", "add"): "files are sent where they are used: with an import or a document",
    ("files.attachment", "change"): "a file stays as it arrived",
    ("work.work", "change"): "a work is stopped on the page that shows its progress",
    ("imports.importbatch", "add"): "lists are sent on the import page",
    ("imports.savedmapping", "add"): "columns are kept on the page of an import",
    (
        "schools.rolegrant",
        "delete",
    ): "roles end on the page of the account, where the last administrator is guarded",
}


@dataclass(frozen=True)
class Persona:
    """An account of the tests and its role (None: no role at all)."""

    name: str
    role: Role | None

    def may(self, label: str, action: str) -> bool:
        """Say whether the table lets the role do something; a permission to change includes looking."""
        if self.role is None or (label, action) in NEVER:
            return False
        return action in TABLE[self.role].get(label, frozenset())

    def sees(self, label: str, place: str) -> bool:
        """Say whether the scope reaches a record of a place."""
        if self.role is None or (place == FOREIGN and label not in NATIONAL):
            return False
        if label in NATIONAL or self.name in COUNTY_WIDE:
            return True
        if label in OF_THE_COUNTY:
            return False
        if place == RIVAL:
            return label in REFERENCE
        if self.role == Role.CLASS_TEACHER:
            return label in TEACHER_SEES
        return self.role != Role.HELPER or label in HELPER_SEES

    def status(self, label: str, action: str, place: str) -> int:
        """200, 404 or 403 for an action on a record of a place."""
        if not self.may(label, action):
            return 403
        return 200 if self.sees(label, place) else 404


PERSONAS = (
    Persona("county_admin", Role.COUNTY_ADMIN),
    Persona("county_director", Role.COUNTY_DIRECTOR),
    Persona("bureau_clerk", Role.COUNTY_CLERK),
    Persona("principal", Role.PRINCIPAL),
    Persona("vice_principal", Role.VICE_PRINCIPAL),
    Persona("central_clerk", Role.CENTRAL_CLERK),
    Persona("school_clerk", Role.SCHOOL_CLERK),
    Persona("class_teacher", Role.CLASS_TEACHER),
    Persona("helper", Role.HELPER),
    Persona("inspector", Role.INSPECTOR),
    Persona("school_inspector", Role.INSPECTOR),
)


@dataclass
class Targets:
    """One record of every kind in each of the three places, by label."""

    records: dict[str, dict[str, models.Model]] = field(default_factory=dict)

    def at(self, place: str, label: str) -> models.Model:
        return self.records[place][label]


def make_targets(world: World, accounts: dict[str, User]) -> Targets:
    """Choose the records on which the pages are tried."""
    return Targets(
        {
            HOME: _records(world.home, accounts[HOME]),
            RIVAL: _records(world.rival, accounts[RIVAL]),
            FOREIGN: _records(world.foreign, accounts[FOREIGN]),
        }
    )


def _records(of: SchoolRecords, account: User) -> dict[str, models.Model]:
    county = of.school.county
    programme = factories.ProgrammeFactory(county=county)
    waiting = factories.DisbursementFactory(school=of.school, programme=programme)
    found: list[Any] = [
        county, of.school, of.school_class, of.department, of.colleague, account, account.grants.get(), of.village,
        of.household, of.member, of.pupil, of.enrolment, of.recognition, of.pairing, of.contact, of.note, programme,
        factories.StandardFactory(programme=programme), waiting, of.summary, of.document, of.attachment, of.batch,
        of.row, *of.more, factories.SavedMappingFactory(county=county, school=of.school),
        factories.SpecialGroupFactory(),
        factories.WorkFactory(school=of.school),
        # One that was made is never deleted; one that waits may be.
        factories.PaymentFactory(disbursement=waiting, student=of.pupil, state=Payment.State.WAITING),
        factories.ChangeFactory(actor=account),
        factories.AccessLogFactory(actor=account),
    ]  # fmt: skip
    return {record._meta.label_lower: record for record in found}
