"""Fixtures for every test: personas, two rival schools, and logged-in clients.

`clerk`, `principal`, … stand at the home school, `rival_clerk`, … at another school of the same county,
`rival_bureau_clerk` in another county. `world` adds one record of every kind to each school.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from povertyaid.schools.models import County, School, SchoolClass, SchoolStage, User
from povertyaid.schools.roles import Role
from tests import factories, personas
from tests.personas import World

# Databases that other processes can open, and workers on them.
pytest_plugins = ["tests.house"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what touches no database: it is the same on SQLite and PostgreSQL, and so runs once."""
    fixtures: set[str] = set(getattr(item, "fixturenames", ()))
    if not fixtures & {"db", "transactional_db"} and item.get_closest_marker("django_db") is None:
        item.add_marker("nodatabase")


@pytest.fixture
def county(db: None) -> County:
    county: County = factories.CountyFactory(name="云岭县")
    return county


@pytest.fixture
def rival_county(db: None) -> County:
    county: County = factories.CountyFactory(name="石泉县")
    return county


@pytest.fixture
def school(county: County) -> School:
    """The home school: a central primary school."""
    return personas.make_school(
        county, SchoolStage.PRIMARY, "青石坳中心完小", short_names="青石坳小学、青石坳完小"
    )


@pytest.fixture
def teaching_point(school: School) -> School:
    """The teaching point below the home school."""
    return personas.make_school(
        school.county,
        SchoolStage.PRIMARY,
        "青石坳中心完小竹溪教学点",
        central_school=school,
        site=School.Site.TEACHING_POINT,
    )


@pytest.fixture
def rival_school(county: County) -> School:
    """Another school of the same county."""
    return personas.make_school(county, SchoolStage.JUNIOR, "云岭县第三初级中学")


@pytest.fixture
def foreign_school(rival_county: County) -> School:
    """A school of another county."""
    return personas.make_school(rival_county, SchoolStage.PRIMARY, "石泉县实验小学")


@pytest.fixture
def school_class(school: School) -> SchoolClass:
    """A class of the home school, grade three."""
    school_class: SchoolClass = factories.SchoolClassFactory(school=school, number=1)
    return school_class


@pytest.fixture
def rival_class(rival_school: School) -> SchoolClass:
    """A class of the rival school, grade nine."""
    school_class: SchoolClass = factories.SchoolClassFactory(school=rival_school, number=1)
    return school_class


@pytest.fixture
def county_admin(county: County) -> User:
    return personas.make_user(Role.COUNTY_ADMIN, county, "county_admin")


@pytest.fixture
def county_director(county: County) -> User:
    return personas.make_user(Role.COUNTY_DIRECTOR, county, "county_director")


@pytest.fixture
def bureau_clerk(county: County) -> User:
    return personas.make_user(Role.COUNTY_CLERK, county, "bureau_clerk")


@pytest.fixture
def rival_bureau_clerk(rival_county: County) -> User:
    return personas.make_user(Role.COUNTY_CLERK, rival_county, "rival_bureau_clerk")


@pytest.fixture
def rival_county_admin(rival_county: County) -> User:
    return personas.make_user(Role.COUNTY_ADMIN, rival_county, "rival_county_admin")


@pytest.fixture
def inspector(county: County) -> User:
    """An inspector of the whole county."""
    return personas.make_user(Role.INSPECTOR, county, "inspector")


@pytest.fixture
def school_inspector(school: School) -> User:
    """An inspector sent to the home school only."""
    return personas.make_user(Role.INSPECTOR, school, "school_inspector")


@pytest.fixture
def principal(school: School) -> User:
    return personas.make_user(Role.PRINCIPAL, school, "principal")


@pytest.fixture
def rival_principal(rival_school: School) -> User:
    return personas.make_user(Role.PRINCIPAL, rival_school, "rival_principal")


@pytest.fixture
def vice_principal(school: School) -> User:
    return personas.make_user(Role.VICE_PRINCIPAL, school, "vice_principal")


@pytest.fixture
def rival_vice_principal(rival_school: School) -> User:
    return personas.make_user(Role.VICE_PRINCIPAL, rival_school, "rival_vice_principal")


@pytest.fixture
def central_clerk(school: School, teaching_point: School) -> User:
    """The clerk of the home school and of the teaching point below it."""
    return personas.make_user(Role.CENTRAL_CLERK, school, "central_clerk")


@pytest.fixture
def rival_central_clerk(rival_school: School) -> User:
    return personas.make_user(Role.CENTRAL_CLERK, rival_school, "rival_central_clerk")


@pytest.fixture
def school_clerk(school: School) -> User:
    return personas.make_user(Role.SCHOOL_CLERK, school, "clerk")


@pytest.fixture
def clerk(school_clerk: User) -> User:
    """The home school's aid clerk."""
    return school_clerk


@pytest.fixture
def rival_clerk(rival_school: School) -> User:
    return personas.make_user(Role.SCHOOL_CLERK, rival_school, "rival_clerk")


@pytest.fixture
def foreign_clerk(foreign_school: School) -> User:
    """An aid clerk in another county."""
    return personas.make_user(Role.SCHOOL_CLERK, foreign_school, "foreign_clerk")


@pytest.fixture
def class_teacher(school_class: SchoolClass) -> User:
    """The teacher of `school_class`; the role comes from standing at the class."""
    return personas.make_teacher(school_class, "class_teacher")


@pytest.fixture
def rival_class_teacher(rival_class: SchoolClass) -> User:
    return personas.make_teacher(rival_class, "rival_class_teacher")


@pytest.fixture
def helper(school: School) -> User:
    """A teacher of the home school with one live pairing; the role comes from the pairing."""
    user = personas.make_user(Role.HELPER, school, "helper")
    factories.PairingFactory(helper=user.staff)
    return user


@pytest.fixture
def rival_helper(rival_school: School) -> User:
    user = personas.make_user(Role.HELPER, rival_school, "rival_helper")
    factories.PairingFactory(helper=user.staff)
    return user


@pytest.fixture
def nobody(db: None) -> User:
    """An active account without any role."""
    user: User = factories.UserFactory(username="nobody")
    return user


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """Return a function that gives a browser in which an account is logged in."""

    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture
def world(  # noqa: PLR0917 - fixtures are asked for by name
    county: County,
    rival_county: County,
    school: School,
    rival_school: School,
    foreign_school: School,
    class_teacher: User,
    rival_class_teacher: User,
    helper: User,
    rival_helper: User,
) -> World:
    """One record of every kind in the home school, in a rival school and in another county.

    The pupils of `home` and `rival` are taught by the class teachers and helped by the helpers of their schools.
    """
    # Names with initials of their own, so that a search for one never finds another.
    return World(
        county=county,
        rival_county=rival_county,
        home=personas.make_records(
            school, teacher=class_teacher.staff, helper=helper.staff, pupil_name="赵晓雨"
        ),
        rival=personas.make_records(
            rival_school, teacher=rival_class_teacher.staff, helper=rival_helper.staff, pupil_name="钱思远"
        ),
        foreign=personas.make_records(foreign_school, pupil_name="孙梓涵"),
    )
