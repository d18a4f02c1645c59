"""Households, members and villages through the real forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from households.models import Assignment, Household, IncomeYear, Member, Village
from povertyaid.schools import todo
from povertyaid.schools.models import School, User
from tests import factories
from tests.personas import World, as_new
from tests.records.pages import errors_of, field_names, page, saved, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
ADD = "/households/household/add/"
BIRTH = dt.date(2015, 3, 8)
GIRL = factories.identity_number(BIRTH, 3, "female")


def rows(number: int, **values: object) -> dict[str, object]:
    """Values of one row of members."""
    return {f"members-{number}-{name}": value for name, value in values.items()}


@pytest.fixture
def village(school: School) -> Village:
    village: Village = factories.VillageFactory(county=school.county)
    return village


def test_a_school_clerk_enters_a_household_with_members_and_sees_it(
    client_of: ClientOf, clerk: User, school: School, village: Village
) -> None:
    client = client_of(clerk)
    saved(
        client,
        ADD,
        village=village.pk,
        category="monitored",
        monitored_type="marginal",
        **rows(0, name="周大山", relation_to_head="head", sex="male"),
        **rows(1, name="周小云", relation_to_head="daughter", identity=GIRL[:6] + " " + GIRL[6:].lower()),
    )
    household = Household.objects.visible_to(clerk).get()
    assert household.county == school.county
    assert list(Assignment.objects.values_list("household", "school")) == [(household.pk, school.pk)]
    girl = household.members.get(name="周小云")
    assert (girl.identity.clear, girl.sex, girl.birth_date) == (GIRL, "female", BIRTH)
    assert "周大山" in client.get(page(Household, "changelist")).content.decode()


def test_the_form_asks_neither_county_nor_school(client_of: ClientOf, clerk: User) -> None:
    names = field_names(client_of(clerk), ADD)
    assert not {name for name in names if "county" in name}
    assert {"village", "category"} <= names


def test_a_member_whose_sex_contradicts_the_number_is_told_at_the_field(
    client_of: ClientOf, clerk: User, village: Village
) -> None:
    response = send(
        client_of(clerk),
        ADD,
        village=village.pk,
        category="lifted",
        **rows(0, name="周小云", relation_to_head="head", identity=GIRL, sex="male"),
    )
    form = response.context["inline_admin_formsets"][0].formset.forms[0]
    assert list(form.errors) == ["sex"]
    assert not Household.objects.exists()


def test_two_heads_and_one_number_twice_are_refused_in_words(
    client_of: ClientOf, clerk: User, village: Village
) -> None:
    two_heads = send(
        client_of(clerk),
        ADD,
        village=village.pk,
        category="lifted",
        **rows(0, name="周大山", relation_to_head="head"),
        **rows(1, name="周大海", relation_to_head="head"),
    )
    assert len(errors_of(two_heads)) == 1
    twice = send(
        client_of(clerk),
        ADD,
        village=village.pk,
        category="lifted",
        **rows(0, name="周小云", relation_to_head="daughter", identity=GIRL),
        **rows(1, name="周小雨", relation_to_head="daughter", identity=GIRL),
    )
    assert len(errors_of(twice)) == 1
    assert not Household.objects.exists()


def test_the_head_changes_places_with_the_spouse_in_one_go(
    client_of: ClientOf, clerk: User, school: School
) -> None:
    household = factories.AssignmentFactory(school=school).household
    # The rows come in the order of entry: the new head stands first.
    spouse = factories.MemberFactory(household=household, relation_to_head="spouse")
    head = factories.MemberFactory(household=household)
    saved(
        client_of(clerk),
        page(Household, "change", household.pk),
        **rows(0, relation_to_head="head"),
        **rows(1, relation_to_head="spouse"),
    )
    spouse.refresh_from_db()
    head.refresh_from_db()
    assert (spouse.relation_to_head, head.relation_to_head) == ("head", "spouse")


def test_a_type_without_monitoring_and_a_year_twice_are_refused_in_words(
    client_of: ClientOf, clerk: User, village: Village
) -> None:
    client = client_of(clerk)
    wrong_type = send(client, ADD, village=village.pk, category="lifted", monitored_type="sudden")
    assert len(errors_of(wrong_type)) == 1
    household = factories.AssignmentFactory(school=clerk.staff.school).household
    factories.IncomeYearFactory(household=household, year=2025)
    url = page(Household, "change", household.pk)
    saved(client, url, **{"incomes-TOTAL_FORMS": 2, "incomes-1-year": 2024, "incomes-1-amount": "9800.50"})
    again = send(client, url, **{"incomes-TOTAL_FORMS": 3, "incomes-2-year": 2024, "incomes-2-amount": "1"})
    assert errors_of(again)
    assert IncomeYear.objects.filter(household=household).count() == 2


def test_a_number_of_another_county_or_village_is_refused(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    foreign = send(client, ADD, village=world.foreign.village.pk, category="lifted")
    assert len(errors_of(foreign)) == 1
    # The rival's household holds the number; the answer names nothing of it.
    taken = send(
        client, ADD, village=world.home.village.pk, category="lifted", number=world.rival.household.number
    )
    assert len(errors_of(taken)) == 1
    assert world.rival.member.name not in taken.content.decode()
    assert world.rival.village.name not in str(errors_of(taken))


def test_the_rival_finds_neither_list_nor_page_nor_name(
    client_of: ClientOf, rival_clerk: User, world: World
) -> None:
    client = client_of(rival_clerk)
    for record in (world.home.household, world.home.member):
        listed = client.get(page(type(record), "changelist"), {"q": world.home.member.name}).content.decode()
        assert f"/{record._meta.model_name}/{record.pk}/change/" not in listed
        for what in ("change", "delete", "history"):
            assert client.get(page(type(record), what, record.pk)).status_code in {403, 404}
    found = client.get(
        "/autocomplete/",
        {"app_label": "households", "model_name": "member", "field_name": "household", "term": ""},
    ).json()["results"]
    assert [item["id"] for item in found] == [str(world.rival.household.pk)]


def test_a_member_cannot_be_moved_into_a_household_that_is_not_seen(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    url = page(Member, "change", world.home.member.pk)
    response = send(client_of(clerk), url, household=world.rival.household.pk)
    assert len(errors_of(response)) == 1
    world.home.member.refresh_from_db()
    assert world.home.member.household == world.home.household


def test_a_sent_back_mask_keeps_the_number(client_of: ClientOf, clerk: User, world: World) -> None:
    member = world.home.member
    number = member.identity.clear
    client = client_of(clerk)
    assert number not in client.get(page(Member, "change", member.pk)).content.decode()
    saved(client, page(Member, "change", member.pk), health="chronic")
    member.refresh_from_db()
    assert (member.identity.clear, member.health) == (number, "chronic")


@pytest.mark.parametrize(
    "term",
    [
        lambda world: world.home.household.number,
        lambda world: world.home.member.name,
        lambda world: world.home.member.name_initials,
        lambda world: world.home.member.identity.clear,
        lambda world: world.home.member.identity_last4,
    ],
)
def test_search_by_number_name_initials_and_identity(
    client_of: ClientOf, bureau_clerk: User, world: World, term: Callable[[World], str]
) -> None:
    response = client_of(bureau_clerk).get(page(Household, "changelist"), {"q": term(world)})
    found = response.context["cl"].queryset
    assert world.home.household in found
    assert world.rival.household not in found


def test_the_list_of_gaps_is_what_the_home_page_counts(
    client_of: ClientOf, clerk: User, school: School
) -> None:
    whole = factories.AssignmentFactory(school=school).household
    factories.MemberFactory(household=whole)
    headless = factories.AssignmentFactory(school=school).household
    factories.MemberFactory(household=headless, relation_to_head="mother")
    factories.HouseholdFactory(county=school.county)  # nobody's of this school
    line = next(item for item in todo.lines(as_new(clerk), dt.date(2026, 3, 1)) if "household/" in item.url)
    listed = client_of(clerk).get(line.url).context["cl"].queryset
    assert (line.count, list(listed)) == (1, [headless])


def test_members_without_numbers_are_listed(client_of: ClientOf, clerk: User, school: School) -> None:
    household = factories.AssignmentFactory(school=school).household
    factories.MemberFactory(household=household)
    gap = factories.MemberFactory(household=household, relation_to_head="son", identity="", health="")
    for value in ("identity", "health"):
        listed = client_of(clerk).get(page(Member, "changelist"), {"gap": value}).context["cl"].queryset
        assert gap in listed


def test_villages_are_the_bureaus_to_enter(
    client_of: ClientOf, bureau_clerk: User, clerk: User, village: Village
) -> None:
    assert client_of(clerk).get(page(Village, "add")).status_code == 403
    client = client_of(bureau_clerk)
    saved(client, page(Village, "add"), township="松溪镇", name="石板村")
    assert Village.objects.get(name="石板村").county == village.county
    again = send(client, page(Village, "add"), township="松溪镇", name="石板村")
    assert len(errors_of(again)) == 1
