"""The demo county's households, their members, the pupils and where they are enrolled."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from households.models import Assignment, Household, IncomeYear, Member, Relation
from povertyaid.schools.models import SchoolClass, Stage
from reports.demo.invention import RARE_NAMES, Invention
from reports.demo.places import Places
from students.models import Enrolment, Student

HOUSEHOLDS = 250
WITHOUT_PUPILS = 14
ENTRY_AGE = {Stage.PRESCHOOL: 3, Stage.PRIMARY: 6, Stage.JUNIOR: 12}
GROUPS_OF_TYPE = {
    Household.MonitoredType.UNSTABLE: "unstable",
    Household.MonitoredType.MARGINAL: "marginal",
    Household.MonitoredType.SUDDEN: "sudden",
}
# What makes a pupil of an ordinary household one in hardship.
ORDINARY_GROUPS = {
    "minimum": 9, "minimum_margin": 4, "destitute": 1, "disabled_parent": 3, "rigid": 2, "low_income": 3, "": 6,
}  # fmt: skip
ALONE_GROUPS = {"orphan": 3, "unsupported": 3, "disabled": 3, "minimum": 4, "worker": 1, "": 5}
_CAUSES = {
    Household.Cause.ILLNESS: 34, Household.Cause.DISABILITY: 16, Household.Cause.SCHOOLING: 18,
    Household.Cause.LABOUR: 10, Household.Cause.SKILLS: 9, Household.Cause.DISASTER: 4, Household.Cause.MONEY: 4,
    Household.Cause.LAND: 2, Household.Cause.BEREAVEMENT: 2, Household.Cause.OTHER: 1,
}  # fmt: skip
_STATUS = {
    Stage.PRESCHOOL: ("学前教育",) * 3,
    Stage.PRIMARY: tuple(f"小学{grade}年级" for grade in "一二三四五六"),
    Stage.JUNIOR: ("七年级", "八年级", "九年级"),
}
_CHILD = {"male": Relation.SON, "female": Relation.DAUGHTER}
_GRANDCHILD = {"male": Relation.SONS_SON, "female": Relation.SONS_DAUGHTER}
_BOARDERS = {"central": 0.18, "point": 0.0, "junior": 0.62, "kindergarten": 0.0}


@dataclass
class Pupil:
    """A pupil with what the generator needs to know of it."""

    student: Student
    key: str
    school_class: SchoolClass
    enrolments: list[Enrolment]
    household: Household | None = None
    # Codes of special groups, the first is the one for statistics; None: not in hardship.
    groups: tuple[str, ...] | None = None
    account: str = ""
    bank: str = "农商银行"

    def enrolment_at(self, day: dt.date) -> Enrolment | None:
        """Return the enrolment that covers a day."""
        for enrolment in self.enrolments:
            begun = enrolment.start_on is not None and enrolment.start_on <= day
            if begun and (enrolment.end_on is None or day <= enrolment.end_on):
                return enrolment
        return None


@dataclass
class People:
    """What was invented, unsaved."""

    pupils: list[Pupil] = field(default_factory=list)
    households: list[Household] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    incomes: list[IncomeYear] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)


def settle(places: Places, today: dt.date, school_year: int, invention: Invention) -> People:
    """Invent the people of two years."""
    people = People()
    for key, classes in places.classes.items():
        plan = places.plans[key]
        for school_class in classes:
            gone = school_year - school_class.entry_year >= plan.grades
            # Of the primary and kindergarten cohorts that left, most went on to a school of the county (below).
            if gone and key != "junior":
                continue
            size = plan.size + invention.random.randint(-2, 2)
            people.pupils += [
                _pupil(places, key, school_class, school_year, invention) for _number in range(size)
            ]
    _add_earlier_schools(places, people, school_year, invention)
    for name, pupil in zip(RARE_NAMES, invention.random.sample(people.pupils, len(RARE_NAMES)), strict=True):
        pupil.student.name = name
    _house(places, people, today, school_year, invention)
    return people


def _pupil(
    places: Places, key: str, school_class: SchoolClass, school_year: int, invention: Invention
) -> Pupil:
    stage = Stage(school_class.stage)
    years = school_year - school_class.entry_year
    gone = years >= places.plans[key].grades
    sex = invention.weighted({"male": 52, "female": 48})
    born = invention.day(
        dt.date(school_class.entry_year - ENTRY_AGE[stage] - 1, 9, 1),
        dt.date(school_class.entry_year - ENTRY_AGE[stage], 8, 31),
    )
    identity = invention.identity(born, sex)
    # A pupil number comes with the first year of primary school; the newest have none until November.
    numbered = stage != Stage.PRESCHOOL and not invention.chance(0.02)
    both = 0.28 if key in {"central", "point"} else 0.2
    student = Student(
        name=invention.name(sex),
        sex=sex,
        identity=identity,
        pupil_number=f"G{identity}" if numbered else "",
        birth_date=born,
        ethnic_group=invention.weighted({"汉族": 86, "苗族": 6, "侗族": 5, "土家族": 3}),
        boarding="boarding" if invention.chance(_BOARDERS[key]) else "day",
        left_behind=invention.weighted(
            {"none": round(100 - both * 100 - 26), "one_parent": 26, "both_parents": round(both * 100)}
        ),
        guardian_relation=invention.weighted({"父亲": 50, "母亲": 28, "祖父": 12, "祖母": 10}),
        phone=invention.phone(),
    )
    student.guardian_name = invention.name(
        "male" if student.guardian_relation in {"父亲", "祖父"} else "female",
        student.name[0] if student.guardian_relation in {"父亲", "祖父"} else "",
    )
    start = dt.date(school_class.entry_year, 9, 1)
    if invention.chance(0.03) and years >= 1 and not gone:  # came from elsewhere in the middle of a year
        start = dt.date(school_class.entry_year + 1, 2, 20)
    enrolment = Enrolment(
        student=student, school=places.schools[key], school_class=school_class, start_on=start
    )
    if gone:
        enrolment.state = Enrolment.State.GRADUATED
        enrolment.end_on = dt.date(school_class.entry_year + places.plans[key].grades, 7, 5)
    elif invention.chance(0.012) and years >= 1:  # moved to another county in the summer
        enrolment.state = Enrolment.State.TRANSFERRED
        enrolment.end_on = dt.date(school_year, 7, 10)
    return Pupil(student, key, school_class, [enrolment], account=invention.account())


def _add_earlier_schools(places: Places, people: People, school_year: int, invention: Invention) -> None:
    """Give most beginners of junior school and of grade one the school that they came from."""
    before = {"junior": ("central", 6, 0.7), "central": ("kindergarten", 3, 0.5)}
    for pupil in people.pupils:
        entry = pupil.school_class.entry_year
        if pupil.key not in before or entry not in {school_year, school_year - 1}:
            continue
        key, years, share = before[pupil.key]
        number = invention.random.randint(1, places.plans[key].parallel)
        school_class = places.school_class(key, entry - years, number)
        if school_class is None or not invention.chance(share):
            continue
        pupil.enrolments.append(
            Enrolment(
                student=pupil.student,
                school=places.schools[key],
                school_class=school_class,
                start_on=dt.date(entry - years, 9, 1),
                end_on=dt.date(entry, 7, 5),
                state=Enrolment.State.GRADUATED,
            )
        )
        if pupil.enrolments[0].start_on and pupil.enrolments[0].start_on > dt.date(entry, 9, 1):
            pupil.enrolments[0].start_on = dt.date(entry, 9, 1)


def _house(places: Places, people: People, today: dt.date, school_year: int, invention: Invention) -> None:
    """Give about half of the pupils a registered household, and say who is in hardship."""
    waiting = people.pupils[:]
    invention.random.shuffle(waiting)
    for number in range(1, HOUSEHOLDS + 1):
        household = _household(places, number, invention)
        children = [] if number > HOUSEHOLDS - WITHOUT_PUPILS else [waiting.pop()]
        if children and invention.chance(0.2):
            # A brother or sister sits in another class.
            other = next((p for p in waiting if p.school_class is not children[0].school_class), None)
            if other is not None:
                waiting.remove(other)
                children.append(other)
        people.members += _fill(household, children, number, school_year, invention)
        people.households.append(household)
        people.incomes += _incomes(household, number, today.year, invention)
        if not children:
            key = invention.pick(("central", "junior"))
            people.assignments.append(
                Assignment(
                    household=household, school=places.schools[key], start_on=dt.date(today.year - 1, 3, 1)
                )
            )
    for pupil in waiting:
        if invention.chance(0.09):
            first = invention.weighted(ALONE_GROUPS)
            pupil.groups = (first,) if first else ()


def _household(places: Places, number: int, invention: Invention) -> Household:
    category = invention.weighted(
        {Household.Category.LIFTED: 55, Household.Category.MONITORED: 22, Household.Category.ORDINARY: 23}
    )
    registered = category != Household.Category.ORDINARY
    kind = ""
    if category == Household.Category.MONITORED:
        kind = invention.weighted({"unstable": 9, "marginal": 9, "sudden": 4})
    identified = dt.date(2014, 1, 1) if category == Household.Category.LIFTED else dt.date(2021, 6, 1)
    return Household(
        county=places.county,
        village=invention.pick(places.villages),
        # Ordinary households are entered by the school and have no number of the registry.
        number=f"431288{number:04d}" if registered else "",
        category=category,
        monitored_type=kind,
        cause=invention.weighted(_CAUSES) if registered else "",
        address=f"{invention.pick('一二三四五六七八')}组{invention.random.randint(1, 60)}号",
        phone=invention.phone(),
        dangerous_house=invention.chance(0.02),
        safe_water=not invention.chance(0.02),
        identified_on=invention.day(identified, identified + dt.timedelta(days=900)) if registered else None,
        risk_on=invention.day(dt.date(2022, 1, 1), dt.date(2024, 6, 30)) if kind else None,
        risk_cleared=invention.chance(0.4) if kind else None,
    )


def _fill(
    household: Household, children: list[Pupil], number: int, school_year: int, invention: Invention
) -> list[Member]:
    """Return the members: grown-ups with a head (a few households lack one, as real lists do), then the children."""
    family = children[0].student.name[0] if children and "·" not in children[0].student.name else ""
    sex = invention.weighted({"male": 85, "female": 15})
    head = Member(
        name=invention.name(sex, family if sex == "male" else ""),
        relation_to_head=Relation.OTHER if number % 42 == 7 else Relation.HEAD,
    )
    old = bool(children) and invention.chance(0.25)
    grown: list[Member] = [_grown(head, sex, 58 if old else 36, school_year, invention)]
    if invention.chance(0.75):
        other = "female" if sex == "male" else "male"
        spouse = Member(name=invention.name(other), relation_to_head=Relation.SPOUSE)
        grown.append(_grown(spouse, other, 57 if old else 35, school_year, invention))
    if old:
        parent = Member(name=invention.name("male", head.name[0]), relation_to_head=Relation.SON)
        grown.append(_grown(parent, "male", 36, school_year, invention))
    elif invention.chance(0.3):
        mother = Member(name=invention.name("female"), relation_to_head=Relation.MOTHER)
        grown.append(_grown(mother, "female", 62, school_year, invention))
    for member in grown:
        member.household = household
    members = grown + [_child(pupil, household, head, old=old, school_year=school_year) for pupil in children]
    for place, member in enumerate(members, start=1):
        if household.number:
            member.person_number = f"{household.number}{place:02d}"
        member.identified_on = household.identified_on
    household.declared_size = len(members) + (1 if number % 60 == 11 else 0)
    account = invention.account()
    for pupil in children:
        pupil.household = household
        pupil.account = account
        pupil.groups = _groups(household, invention)
    return members


def _grown(member: Member, sex: str, age: int, school_year: int, invention: Invention) -> Member:
    born = invention.day(dt.date(school_year - age - 6, 1, 1), dt.date(school_year - age + 6, 12, 28))
    member.sex = sex
    member.birth_date = born
    member.identity = invention.identity(born, sex)
    member.ethnic_group = "汉族"
    member.education = invention.weighted({"小学": 40, "初中": 45, "高中": 10, "文盲或半文盲": 5})
    member.student_status = "非在校生"
    member.health = invention.weighted({"healthy": 74, "chronic": 14, "severe": 4, "disabled": 8})
    healthy = member.health == "healthy"
    member.labour = invention.weighted(
        {"ordinary": 8, "skilled": 1} if healthy and age < 60 else {"weak": 6, "lost": 2, "none": 2}
    )
    member.work_months = invention.pick((0, 4, 6, 8, 10, 11)) if healthy and age < 60 else 0
    member.insured = not invention.chance(0.03)
    member.phone = invention.phone() if invention.chance(0.6) else ""
    return member


def _child(pupil: Pupil, household: Household, head: Member, *, old: bool, school_year: int) -> Member:
    student, school_class = pupil.student, pupil.school_class
    grade = school_year - school_class.entry_year
    stages = _STATUS[Stage(school_class.stage)]
    relation = _GRANDCHILD[student.sex] if old else _CHILD[student.sex]
    member = Member(
        household=household,
        name=student.name,
        relation_to_head=relation,
        identity=student.identity.clear,
        sex=student.sex,
        birth_date=student.birth_date,
        ethnic_group=student.ethnic_group,
        student_status=stages[grade] if grade < len(stages) else "普通高中一年级",
        health=Member.Health.HEALTHY,
        labour=Member.Labour.NONE,
        insured=True,
    )
    student.member = member
    student.head_name = head.name
    student.relation_to_head = relation
    student.guardian_name = head.name
    student.guardian_relation = {True: "祖父", False: "父亲"}[old]
    if head.sex == "female":
        student.guardian_relation = "祖母" if old else "母亲"
    student.phone = household.phone
    student.address = f"{household.village.name}{household.address}"
    return member


def _groups(household: Household, invention: Invention) -> tuple[str, ...] | None:
    """Special groups of a pupil from its household; some pupils of ordinary households are not in hardship."""
    if household.category == Household.Category.LIFTED:
        found = ["lifted"]
    elif household.monitored_type:
        found = [GROUPS_OF_TYPE[Household.MonitoredType(household.monitored_type)]]
    else:
        if invention.chance(0.15):
            return None
        first = invention.weighted(ORDINARY_GROUPS)
        found = [first] if first else []
    if found and invention.chance(0.12):
        found += [
            code
            for code in (invention.pick(("minimum", "disabled_parent", "relocated")),)
            if code not in found
        ]
    return tuple(found)


def _incomes(household: Household, number: int, year: int, invention: Invention) -> list[IncomeYear]:
    """Net income a head of the last two full years; every thirtieth household lacks it."""
    if number % 30 == 4:
        return []
    base = {"lifted": 13500, "monitored": 8200, "ordinary": 16500}[household.category]
    amount = (
        Decimal(base + invention.random.randint(-3200, 3600)) + Decimal(invention.random.randint(0, 99)) / 100
    )
    return [
        IncomeYear(
            household=household, year=year - 2, amount=(amount * Decimal("0.93")).quantize(Decimal("0.01"))
        ),
        IncomeYear(household=household, year=year - 1, amount=amount),
    ]
