"""Who acts in the tests: one account for each role in two schools of one county, rivals, and another county.

The home school is a central primary school with a teaching point; the rival school is a junior school of the same
county; the foreign school stands in another county. Every persona is a `User`; `user.staff` is the person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models

from aid.models import Disbursement, Payment
from households.models import Household, Member, Relation, Village
from pairings.models import Contact, Pairing, PrivateNote
from povertyaid.files.models import Attachment, Document
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.schools.models import County, Department, School, SchoolClass, SchoolStage, Staff, User
from povertyaid.schools.roles import COUNTY_ROLES, Role
from reports.models import Summary
from students.models import Enrolment, Recognition, Student
from tests import factories

POSTS = {
    Role.COUNTY_ADMIN: "系统管理员",
    Role.COUNTY_DIRECTOR: "分管副局长",
    Role.COUNTY_CLERK: "资助中心科员",
    Role.PRINCIPAL: "校长",
    Role.VICE_PRINCIPAL: "副校长",
    Role.CENTRAL_CLERK: "中心校资助专干",
    Role.SCHOOL_CLERK: "资助专干",
    Role.CLASS_TEACHER: "班主任",
    Role.HELPER: "教师",
    Role.INSPECTOR: "督查员",
}


@dataclass
class SchoolRecords:
    """One record of every kind of one school; `pupil` sits in the class of `class_teacher` and is helped by `helper`."""

    school: School
    school_class: SchoolClass
    other_class: SchoolClass
    department: Department
    teacher: Staff
    colleague: Staff
    village: Village
    household: Household
    member: Member
    child: Member
    pupil: Student
    other_pupil: Student
    enrolment: Enrolment
    recognition: Recognition
    pairing: Pairing
    household_pairing: Pairing
    contact: Contact
    counselling: Contact
    note: PrivateNote
    disbursement: Disbursement
    payment: Payment
    household_payment: Payment
    summary: Summary
    document: Document
    attachment: Attachment
    batch: ImportBatch
    row: ImportRow
    more: list[models.Model] = field(default_factory=list)

    def all(self) -> list[models.Model]:
        """Every record, villages (the county's) left out."""
        found = [value for value in vars(self).values() if isinstance(value, models.Model)]
        return [record for record in found if not isinstance(record, Village)] + self.more


@dataclass
class World:
    """A county with two rival schools, and a school in another county."""

    county: County
    rival_county: County
    home: SchoolRecords
    rival: SchoolRecords
    foreign: SchoolRecords


def make_user(role: Role, place: County | School, name: str = "", **staff: Any) -> User:
    """Return an account with one role at a county or a school, held by a person who works there."""
    username = name or f"{role.value}{User.objects.count()}"
    user: User = factories.UserFactory(username=username)
    where = (
        {"county": place, "school": None} if isinstance(place, County) else {"county": None, "school": place}
    )
    if role not in {Role.CLASS_TEACHER, Role.HELPER}:
        factories.RoleGrantFactory(user=user, role=role, **where)
    county = place if isinstance(place, County) else place.county
    factories.StaffFactory(
        account=user,
        county=county,
        school=None if isinstance(place, County) else place,
        office=county.bureau_name if isinstance(place, County) else "",
        post=POSTS[role],
        is_leader=role in {Role.PRINCIPAL, Role.VICE_PRINCIPAL, *COUNTY_ROLES},
        **staff,
    )
    return user


def as_new(user: User) -> User:
    """Return the account anew: its scope is kept on the object, so a test that changes grants asks again."""
    found: User = User.objects.get(pk=user.pk)
    return found


def make_teacher(school_class: SchoolClass, name: str = "") -> User:
    """Return the account of a class's teacher."""
    user = make_user(Role.CLASS_TEACHER, school_class.school, name)
    school_class.teacher = user.staff
    school_class.save()
    return user


def make_records(
    school: School, *, teacher: Staff | None = None, helper: Staff | None = None, pupil_name: str = ""
) -> SchoolRecords:
    """Make one record of every kind for a school."""
    county = school.county
    clerk = factories.UserFactory()
    school_class = factories.SchoolClassFactory(school=school, teacher=teacher)
    other_class = factories.SchoolClassFactory(school=school)
    colleague = factories.StaffFactory(school=school)
    helper = helper or factories.StaffFactory(school=school)
    village = factories.VillageFactory(county=county)
    household = factories.HouseholdFactory(county=county, village=village)
    member = factories.MemberFactory(household=household)
    pupil = factories.StudentFactory(**({"name": pupil_name} if pupil_name else {}))
    child = factories.MemberFactory(
        household=household,
        relation_to_head=Relation.DAUGHTER,
        name=pupil.name,
        sex=pupil.sex,
        birth_date=pupil.birth_date,
        identity=pupil.identity.clear,
    )
    pupil.member = child
    pupil.save()
    other_pupil = factories.enrolled(other_class)
    pairing = factories.PairingFactory(helper=helper, student=pupil)
    counselling = factories.ContactFactory(pairing=pairing, kind=Contact.Kind.COUNSELLING)
    disbursement = factories.DisbursementFactory(school=school)
    batch = factories.ImportBatchFactory(school=school, sender=clerk)
    attachment = factories.AttachmentFactory(school=school)
    return SchoolRecords(
        school=school,
        school_class=school_class,
        other_class=other_class,
        department=factories.DepartmentFactory(school=school),
        teacher=teacher or colleague,
        colleague=colleague,
        village=village,
        household=household,
        member=member,
        child=child,
        pupil=pupil,
        other_pupil=other_pupil,
        enrolment=factories.EnrolmentFactory(student=pupil, school_class=school_class),
        recognition=factories.RecognitionFactory(student=pupil, school=school, school_class=school_class),
        pairing=pairing,
        household_pairing=factories.PairingFactory(helper=helper, student=None, household=household),
        contact=factories.ContactFactory(pairing=pairing),
        counselling=counselling,
        note=factories.PrivateNoteFactory(contact=counselling, author=helper.account or clerk),
        disbursement=disbursement,
        payment=factories.PaymentFactory(disbursement=disbursement, student=pupil),
        household_payment=factories.PaymentFactory(
            disbursement=disbursement, student=None, household=household
        ),
        summary=factories.SummaryFactory(school=school),
        document=factories.DocumentFactory(school=school, attachment=attachment),
        attachment=attachment,
        batch=batch,
        row=factories.ImportRowFactory(batch=batch),
        more=[
            factories.IncomeYearFactory(household=household),
            factories.AssignmentFactory(school=school, household=household),
        ],
    )


def make_school(county: County, stage: SchoolStage, name: str, **kwargs: Any) -> School:
    """Return a school of a kind."""
    school: School = factories.SchoolFactory(county=county, stage=stage, name=name, **kwargs)
    return school
