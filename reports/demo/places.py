"""The demo county's schools, classes, villages and staff."""

from __future__ import annotations

from dataclasses import dataclass, field

from households.models import Village
from povertyaid.schools.models import County, Department, School, SchoolClass, SchoolStage, Staff, Stage
from reports.demo.invention import Invention

COUNTY = "云岭县"
BUREAU = "云岭县教育局"
CENTRE = "学生资助管理中心"
VILLAGES = {
    "青石乡": ("青石村", "柳溪村", "石门村", "竹溪村", "枫香村", "桐木村"),
    "白沙镇": ("白沙村", "大塘村", "黄泥村", "荷叶塘村"),
}


@dataclass(frozen=True)
class SchoolPlan:
    """A school: how many classes each grade has, how many pupils a class, and who works there."""

    key: str
    name: str
    code: str
    stage: SchoolStage
    teaches: Stage
    grades: int
    parallel: int
    size: int
    leaders: tuple[str, ...]
    others: int
    short_names: str = ""
    site: School.Site = School.Site.SCHOOL
    # Cohorts that have left, kept because two years of records tell of them.
    left: int = 0


PLANS = (
    SchoolPlan(
        "central", "青石坳中心完小", "2143880001", SchoolStage.PRIMARY, Stage.PRIMARY, 6, 2, 24,
        ("校长", "副校长", "教导主任", "政教主任"), 2, "青石坳完小、青石坳小学、中心完小", left=2,
    ),
    SchoolPlan(
        "point", "竹溪教学点", "2143880002", SchoolStage.PRIMARY, Stage.PRIMARY, 3, 1, 11,
        ("教学点负责人",), 0, "竹溪小学", School.Site.TEACHING_POINT,
    ),
    SchoolPlan(
        "junior", "青石坳初级中学", "3143880003", SchoolStage.JUNIOR, Stage.JUNIOR, 3, 2, 32,
        ("校长", "副校长", "德育处主任"), 2, "青石坳中学、青石坳初中", left=1,
    ),
    SchoolPlan(
        "kindergarten", "青石坳中心幼儿园", "1143880004", SchoolStage.PRESCHOOL, Stage.PRESCHOOL, 3, 1, 25,
        ("园长",), 1, "中心幼儿园、青石坳幼儿园", left=2,
    ),
)  # fmt: skip
BUREAU_POSTS = ("系统管理员", "副局长", "资助中心主任", "资助中心科员", "督导员")


@dataclass
class Places:
    """What was laid out."""

    county: County
    schools: dict[str, School] = field(default_factory=dict)
    plans: dict[str, SchoolPlan] = field(default_factory=dict)
    classes: dict[str, list[SchoolClass]] = field(default_factory=dict)
    staff: dict[str, list[Staff]] = field(default_factory=dict)
    bureau: list[Staff] = field(default_factory=list)
    villages: list[Village] = field(default_factory=list)
    departments: list[Department] = field(default_factory=list)

    def school_class(self, key: str, entry_year: int, number: int) -> SchoolClass | None:
        """Return a class of a school, if there is such a class."""
        for found in self.classes[key]:
            if (found.entry_year, found.number) == (entry_year, number):
                return found
        return None

    def principal(self, key: str) -> Staff:
        return self.staff[key][0]


def lay_out(county: County, school_year: int, invention: Invention) -> Places:
    """Return unsaved schools, classes, villages and people; the class teachers stand at their classes."""
    places = Places(county)
    for plan in PLANS:
        school = School(
            county=county,
            code=plan.code,
            name=plan.name,
            short_names=plan.short_names,
            stage=plan.stage,
            site=plan.site,
            township="青石乡",
        )
        if plan.site == School.Site.TEACHING_POINT:
            school.central_school = places.schools["central"]
        places.schools[plan.key], places.plans[plan.key] = school, plan
        people = [_person(places, invention, post, school, leads=True) for post in plan.leaders]
        offices = ("保教室",) if school.is_kindergarten else ("教导处", "德育处", "学生资助办公室")
        if plan.site == School.Site.SCHOOL:
            people.append(_person(places, invention, "资助专干", school))
            places.departments += [Department(county=county, school=school, name=name) for name in offices]
        people += [_person(places, invention, "教师", school) for _number in range(plan.others)]
        places.classes[plan.key] = []
        for grade in range(1, plan.grades + plan.left + 1):
            for number in range(1, plan.parallel + 1):
                teacher = None
                if grade <= plan.grades:
                    post = "带班教师" if school.is_kindergarten else "班主任"
                    teacher = _person(places, invention, post, school)
                    people.append(teacher)
                entered = SchoolClass(
                    school=school,
                    stage=plan.teaches,
                    entry_year=school_year - grade + 1,
                    number=number,
                    teacher=teacher,
                )
                places.classes[plan.key].append(entered)
        places.staff[plan.key] = people
    places.bureau = [_person(places, invention, post, None, leads=post == "副局长") for post in BUREAU_POSTS]
    places.departments.append(Department(county=county, school=None, name=CENTRE))
    places.villages = [
        Village(county=county, township=township, name=name)
        for township, names in VILLAGES.items()
        for name in names
    ]
    return places


def _person(
    places: Places, invention: Invention, post: str, school: School | None, *, leads: bool = False
) -> Staff:
    sex = invention.weighted({"male": 4, "female": 6})
    return Staff(
        county=places.county,
        school=school,
        office="" if school else BUREAU,
        name=invention.name(sex),
        post=post,
        phone=invention.phone(),
        is_leader=leads,
    )
