"""Factories of every record. All people, numbers and places are invented.

`factories.StudentFactory()` gives a stored record with everything it needs around it; name what matters to the test
and leave the rest. Identity numbers have right check digits; births are spread, so that none is ever given twice.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from aid.models import Disbursement, Payment, Programme, Standard
from households.models import Assignment, Household, IncomeYear, Member, Relation, Village
from pairings.models import Contact, Pairing, PrivateNote
from povertyaid.audit.models import AccessLog, Change
from povertyaid.files.models import Attachment, Document
from povertyaid.imports.models import ImportBatch, ImportRow, ReturnSheet, SavedMapping, UndoEntry
from povertyaid.lib import periods
from povertyaid.schools.models import (
    County,
    Department,
    RoleGrant,
    School,
    SchoolClass,
    SchoolStage,
    Staff,
    Stage,
    User,
)
from povertyaid.schools.roles import Role
from povertyaid.work.models import Work
from reports.models import Summary
from students.models import Enrolment, Recognition, SpecialGroup, Student

REGION = "431202"
PASSWORD = "Invented-Pass-2026"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN = "晓雨子轩梓涵欣怡浩然思远佳宁文博若曦俊杰雪琪明哲语桐一诺景行书瑶"


def identity_number(birth: dt.date, number: int, sex: str = "female") -> str:
    """An identity number with a right check character; `number` (from 0) tells people of one birthday apart."""
    sequence = 1 + (number * 2) % 998
    sequence += (sequence % 2 == 0) == (sex == "male")
    digits = f"{REGION}{birth:%Y%m%d}{sequence:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return digits + "10X98765432"[total % 11]


def pupil_number(identity: str) -> str:
    """A pupil number such as school rolls derive it: G and the identity number."""
    return f"G{identity}"


def account_number(number: int) -> str:
    """A card number of 19 digits with a right Luhn digit."""
    digits = f"622848{number:012d}"
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return digits + str(-total % 10)


def person_name(number: int) -> str:
    """A name of three characters, another for each number up to some thousands."""
    return (
        _FAMILY[number % len(_FAMILY)]
        + _GIVEN[(number // len(_FAMILY)) % len(_GIVEN)]
        + _GIVEN[(number * 7 + 3) % len(_GIVEN)]
    )


def semester_now() -> str:
    """The semester in which today lies."""
    return periods.semester_of(timezone.localdate())


def school_year_now() -> int:
    """The year in which today's school year began."""
    return periods.school_year_of(timezone.localdate())


def _birth(number: int, year: int) -> dt.date:
    return dt.date(year, 1, 1) + dt.timedelta(days=number % 1000)


class _Factory(DjangoModelFactory):  # type: ignore[misc]  # its types are left out: see pyproject.toml
    class Meta:
        abstract = True
        skip_postgeneration_save = True


class CountyFactory(_Factory):
    class Meta:
        model = County

    name = factory.Sequence(lambda n: f"云岭{n}县")
    bureau_name = factory.LazyAttribute(lambda o: f"{o.name}教育局")


class SchoolFactory(_Factory):
    class Meta:
        model = School

    county = factory.SubFactory(CountyFactory)
    code = factory.Sequence(lambda n: f"2143{n:06d}")
    name = factory.Sequence(lambda n: f"第{n}松溪小学")
    stage = SchoolStage.PRIMARY
    township = "松溪镇"


class DepartmentFactory(_Factory):
    class Meta:
        model = Department

    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    name = factory.Sequence(lambda n: f"教导处{n}")


class UserFactory(_Factory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password(PASSWORD)


class StaffFactory(_Factory):
    """A teacher of a school; `school=None` with a county for the bureau's own people."""

    class Meta:
        model = Staff

    name = factory.Sequence(person_name)
    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    post = "教师"
    phone = factory.Sequence(lambda n: f"139{n:08d}")


class SchoolClassFactory(_Factory):
    """A class of grade three in today's school year."""

    class Meta:
        model = SchoolClass

    school = factory.SubFactory(SchoolFactory)
    stage = factory.LazyAttribute(lambda o: o.school.stages[0])
    entry_year = factory.LazyFunction(lambda: school_year_now() - 2)
    number = factory.Sequence(lambda n: n % 58 + 3)


class RoleGrantFactory(_Factory):
    class Meta:
        model = RoleGrant

    user = factory.SubFactory(UserFactory)
    role = Role.SCHOOL_CLERK
    school = factory.SubFactory(SchoolFactory)


class ChangeFactory(_Factory):
    class Meta:
        model = Change

    action = Change.Action.CHANGE
    actor = factory.SubFactory(UserFactory)
    actor_name = factory.LazyAttribute(lambda o: o.actor.username)
    model = "schools.school"
    object_id = 1
    object_label = "第1松溪小学"
    batch_id = 1


class AccessLogFactory(_Factory):
    class Meta:
        model = AccessLog

    action = AccessLog.Action.READ
    actor = factory.SubFactory(UserFactory)
    actor_name = factory.LazyAttribute(lambda o: o.actor.username)
    model = "students.student"
    object_id = 1


class AttachmentFactory(_Factory):
    """A file; `data` are its bytes."""

    class Meta:
        model = Attachment

    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    name = factory.Sequence(lambda n: f"扫描件{n}.pdf")
    data = "表格".encode()

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Attachment:
        data = kwargs.pop("data")
        attachment: Attachment = model_class(*args, **kwargs)
        attachment.put(data)
        attachment.save()
        return attachment


class DocumentFactory(_Factory):
    class Meta:
        model = Document

    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    title = factory.Sequence(lambda n: f"关于做好家庭经济困难学生认定工作的通知（{n}）")
    number = factory.Sequence(lambda n: f"云教助〔2026〕{n}号")
    issuer = "县教育局"
    issued_on = dt.date(2026, 2, 20)


class ImportBatchFactory(_Factory):
    class Meta:
        model = ImportBatch

    kind = "students"
    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    file = factory.LazyAttribute(lambda o: AttachmentFactory(county=o.county, school=o.school))
    sender = factory.SubFactory(UserFactory)


class ImportRowFactory(_Factory):
    class Meta:
        model = ImportRow

    batch = factory.SubFactory(ImportBatchFactory)
    sheet = "Sheet1"
    row = factory.Sequence(lambda n: n + 4)
    outcome = ImportRow.Outcome.CREATED
    values = factory.LazyFunction(lambda: {"name": "赵晓雨"})


class SavedMappingFactory(_Factory):
    """The bureau's; name a school for a school's own."""

    class Meta:
        model = SavedMapping

    county = factory.SubFactory(CountyFactory)
    school = None
    sender = factory.Sequence(lambda n: f"民政局{n + 1}股")
    digest = factory.Sequence(lambda n: f"{n:064x}")
    parts = factory.LazyFunction(lambda: [{"kind": "villages", "columns": {"乡镇": "township", "村": "name"}}])


class UndoEntryFactory(_Factory):
    class Meta:
        model = UndoEntry

    batch = factory.SubFactory(ImportBatchFactory)
    model = "households.village"
    stage = UndoEntry.Stage.ROWS
    records = 1
    content = '[[1,{"name":["青石村","青石坳村"]},{}]]'


class ReturnSheetFactory(_Factory):
    class Meta:
        model = ReturnSheet

    county = factory.SubFactory(CountyFactory)
    school = None
    kind = "students"
    token = factory.Sequence(lambda n: f"{n:032x}")
    rows_count = 1


class WorkFactory(_Factory):
    """A work that has ended; nothing was run."""

    class Meta:
        model = Work

    what = "tests.nothing"
    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    owner = factory.SubFactory(UserFactory)
    state = Work.State.DONE
    finished_at = factory.LazyFunction(timezone.now)


class VillageFactory(_Factory):
    class Meta:
        model = Village

    county = factory.SubFactory(CountyFactory)
    township = "松溪镇"
    name = factory.Sequence(lambda n: f"第{n}坳村")


class HouseholdFactory(_Factory):
    """A lifted household without members."""

    class Meta:
        model = Household

    county = factory.SubFactory(CountyFactory)
    village = factory.LazyAttribute(lambda o: VillageFactory(county=o.county))
    number = factory.Sequence(lambda n: f"4312020{n:09d}")
    category = Household.Category.LIFTED
    cause = Household.Cause.ILLNESS


class MemberFactory(_Factory):
    """A grown-up, the head of the household."""

    class Meta:
        model = Member

    class Params:
        serial = factory.Sequence(lambda n: n)

    household = factory.SubFactory(HouseholdFactory)
    name = factory.LazyAttribute(lambda o: person_name(o.serial + 500))
    person_number = factory.LazyAttribute(lambda o: f"{o.household.number}{o.serial:02d}"[:30])
    relation_to_head = Relation.HEAD
    sex = "male"
    birth_date = factory.LazyAttribute(lambda o: _birth(o.serial, 1984))
    identity = factory.LazyAttribute(lambda o: identity_number(o.birth_date, o.serial, o.sex))


class IncomeYearFactory(_Factory):
    class Meta:
        model = IncomeYear

    household = factory.SubFactory(HouseholdFactory)
    year = 2025
    amount = Decimal("12600.50")


class AssignmentFactory(_Factory):
    class Meta:
        model = Assignment

    school = factory.SubFactory(SchoolFactory)
    household = factory.LazyAttribute(lambda o: HouseholdFactory(county=o.school.county))


class StudentFactory(_Factory):
    """A pupil who is enrolled nowhere; see EnrolmentFactory and `enrolled`."""

    class Meta:
        model = Student

    class Params:
        serial = factory.Sequence(lambda n: n)

    name = factory.LazyAttribute(lambda o: person_name(o.serial))
    sex = "female"
    birth_date = factory.LazyAttribute(lambda o: _birth(o.serial, 2014))
    identity = factory.LazyAttribute(lambda o: identity_number(o.birth_date, o.serial, o.sex))
    pupil_number = factory.LazyAttribute(lambda o: pupil_number(o.identity) if o.identity else "")
    ethnic_group = "汉族"
    guardian_name = factory.LazyAttribute(lambda o: f"{o.name[0]}建国")
    guardian_relation = "父亲"
    phone = factory.LazyAttribute(lambda o: f"138{o.serial:08d}")


class EnrolmentFactory(_Factory):
    class Meta:
        model = Enrolment

    student = factory.SubFactory(StudentFactory)
    school_class = factory.SubFactory(SchoolClassFactory)
    school = factory.LazyAttribute(lambda o: o.school_class.school if o.school_class else SchoolFactory())
    start_on = factory.LazyFunction(lambda: dt.date(school_year_now() - 2, 9, 1))


def enrolled(school_class: SchoolClass, **kwargs: Any) -> Student:
    """Return a pupil who is enrolled in a class."""
    student: Student = StudentFactory(**kwargs)
    EnrolmentFactory(student=student, school_class=school_class)
    return student


class SpecialGroupFactory(_Factory):
    class Meta:
        model = SpecialGroup
        django_get_or_create = ("code",)

    code = "lifted"
    name = "脱贫家庭"


class RecognitionFactory(_Factory):
    """A recognition in force in today's semester."""

    class Meta:
        model = Recognition

    student = factory.SubFactory(StudentFactory)
    school = factory.SubFactory(SchoolFactory)
    semester = factory.LazyFunction(semester_now)
    level = Recognition.Level.HARD
    primary_group = factory.SubFactory(SpecialGroupFactory)

    @factory.post_generation  # type: ignore[untyped-decorator]
    def groups(self: Any, create: bool, extracted: Any, **_kwargs: Any) -> None:
        """Every group the pupil holds; the primary one unless told otherwise."""
        if create:
            chosen = extracted if extracted is not None else [self.primary_group]
            self.special_groups.set([group for group in chosen if group])


class PairingFactory(_Factory):
    """A live pairing of a teacher with a pupil; `student=None, household=…` for a household."""

    class Meta:
        model = Pairing

    helper = factory.SubFactory(StaffFactory)
    student = factory.LazyAttribute(lambda o: None if o.household else StudentFactory())
    household = None
    school = factory.LazyAttribute(lambda o: o.helper.school)
    county = factory.LazyAttribute(lambda o: o.helper.county)
    start_on = factory.LazyFunction(lambda: dt.date(school_year_now() - 1, 9, 10))
    measures = "每月谈心一次，每学期家访一次。"


class ContactFactory(_Factory):
    class Meta:
        model = Contact

    pairing = factory.SubFactory(PairingFactory)
    kind = Contact.Kind.HOME_VISIT
    date = factory.LazyAttribute(lambda o: o.pairing.start_on + dt.timedelta(days=30))
    minutes = 40
    purpose = "了解家庭情况"


class PrivateNoteFactory(_Factory):
    class Meta:
        model = PrivateNote

    contact = factory.LazyFunction(lambda: ContactFactory(kind=Contact.Kind.COUNSELLING))
    author = factory.SubFactory(UserFactory)
    text = "孩子愿意多说一些了。"


class ProgrammeFactory(_Factory):
    class Meta:
        model = Programme

    county = None
    code = factory.Sequence(lambda n: f"programme_{n}")
    name = factory.Sequence(lambda n: f"生活补助{n}")
    level = Programme.Level.COMPULSORY
    source = Programme.Source.NATIONAL


class StandardFactory(_Factory):
    class Meta:
        model = Standard

    programme = factory.SubFactory(ProgrammeFactory)
    stage = Stage.PRIMARY
    amount = Decimal("312.50")
    valid_from = "2023-2024-2"


class DisbursementFactory(_Factory):
    class Meta:
        model = Disbursement

    programme = factory.SubFactory(ProgrammeFactory)
    school = factory.SubFactory(SchoolFactory)
    semester = factory.LazyFunction(semester_now)
    number = factory.Sequence(lambda n: n % 30000 + 1)


class PaymentFactory(_Factory):
    """A payment that arrived, to a pupil; `student=None, household=…` for a household."""

    class Meta:
        model = Payment

    class Params:
        serial = factory.Sequence(lambda n: n)

    disbursement = factory.SubFactory(DisbursementFactory)
    student = factory.LazyAttribute(lambda o: None if o.household else StudentFactory())
    household = None
    stage = Stage.PRIMARY
    due = Decimal("312.50")
    paid = factory.LazyAttribute(lambda o: o.due if o.state in Payment.COUNTED else None)
    bank = "农商银行"
    account = factory.LazyAttribute(lambda o: account_number(o.serial))
    holder = factory.LazyAttribute(lambda o: o.student.name if o.student else "")
    holder_relation = "本人"
    paid_on = factory.LazyAttribute(lambda o: timezone.localdate() if o.state in Payment.COUNTED else None)
    state = Payment.State.ARRIVED


class SummaryFactory(_Factory):
    class Meta:
        model = Summary

    school = factory.SubFactory(SchoolFactory)
    county = factory.LazyAttribute(lambda o: o.school.county if o.school else CountyFactory())
    period = "2026H1"
    next_steps = "9月底前完成新学年家庭经济困难学生认定。"
