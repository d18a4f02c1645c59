"""Lists, forms and exports cost the same number of queries for one record and for three."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aid.models import Disbursement, Payment, Programme, Standard
from households.models import Household, Member, Village
from pairings.models import Contact, Pairing
from povertyaid.schools.models import School, SchoolClass, User
from students.models import Enrolment, Recognition, SpecialGroup, Student
from tests import factories
from tests.records.pages import page, queries

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def make_household(school: School) -> Household:
    household: Household = factories.AssignmentFactory(school=school).household
    factories.MemberFactory(household=household)
    factories.IncomeYearFactory(household=household)
    return household


def make_pupil(school_class: SchoolClass) -> Student:
    """A pupil with all that a list shows: class, recognition, helper."""
    pupil = factories.enrolled(school_class)
    factories.RecognitionFactory(student=pupil, school=school_class.school, school_class=school_class)
    helper = factories.StaffFactory(school=school_class.school)
    factories.ContactFactory(pairing=factories.PairingFactory(helper=helper, student=pupil))
    return pupil


def make_pairing(school: School) -> Pairing:
    """One of a household: its head and village are shown."""
    pairing: Pairing = factories.PairingFactory(
        helper=factories.StaffFactory(school=school), student=None, household=make_household(school)
    )
    factories.ContactFactory(pairing=pairing)
    return pairing


def make_payment(school_class: SchoolClass, disbursement: Disbursement | None = None) -> Payment:
    disbursement = disbursement or factories.DisbursementFactory(school=school_class.school)
    payment: Payment = factories.PaymentFactory(
        disbursement=disbursement, student=factories.enrolled(school_class)
    )
    return payment


MAKERS: dict[type[models.Model], Callable[[SchoolClass], Any]] = {
    Village: lambda item: make_household(item.school).village,
    Household: lambda item: make_household(item.school),
    Member: lambda item: make_household(item.school).members.get(),
    Student: make_pupil,
    Enrolment: lambda item: make_pupil(item).enrolments.get(),
    Recognition: lambda item: make_pupil(item).recognitions.get(),
    Pairing: lambda item: make_pairing(item.school),
    Contact: lambda item: make_pairing(item.school).contacts.get(),
    Disbursement: lambda item: make_payment(item).disbursement,
    Payment: make_payment,
    Programme: lambda _class: factories.StandardFactory().programme,
    Standard: lambda _class: factories.StandardFactory(),
    SpecialGroup: lambda _class: factories.SpecialGroupFactory(code=f"group-{SpecialGroup.objects.count()}"),
}


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)
def test_a_list_costs_the_same_for_one_and_three(
    client_of: ClientOf, bureau_clerk: User, school_class: SchoolClass, model: type[models.Model]
) -> None:
    client, url = client_of(bureau_clerk), page(model, "changelist")
    MAKERS[model](school_class)
    one = queries(client, url)
    for _ in range(2):
        MAKERS[model](school_class)
    assert queries(client, url) == one


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)
def test_an_export_costs_the_same_for_one_and_three(
    client_of: ClientOf, bureau_clerk: User, school_class: SchoolClass, model: type[models.Model]
) -> None:
    client, url = client_of(bureau_clerk), page(model, "changelist") + "export/"
    MAKERS[model](school_class)
    costs = []
    for _ in range(2):
        if client.get(url).status_code == 403:
            assert model in {Programme, Standard, SpecialGroup}
            return
        client.post(url, {"format": "csv"})
        with CaptureQueriesContext(connection) as captured:
            response = client.post(url, {"format": "csv"})
        assert response.status_code == 200
        costs.append(len(captured))
        for _more in range(2):
            MAKERS[model](school_class)
    assert costs[0] == costs[1]


def _more_rows(record: Any) -> None:
    """Two more rows in every inline of a record's form."""
    for _ in range(2):
        if isinstance(record, Household):
            factories.MemberFactory(household=record, relation_to_head="son")
            factories.IncomeYearFactory(household=record, year=2000 + record.incomes.count())
        elif isinstance(record, Student):
            school_class = record.enrolments.filter(state="enrolled").get().school_class
            assert school_class
            factories.EnrolmentFactory(student=record, school_class=school_class, state="transferred")
            semester = f"20{10 + record.recognitions.count()}-20{11 + record.recognitions.count()}-1"
            factories.RecognitionFactory(
                student=record, school=school_class.school, school_class=school_class, semester=semester
            )
        elif isinstance(record, Pairing):
            factories.ContactFactory(pairing=record)
        elif isinstance(record, Programme):
            factories.StandardFactory(
                programme=record, tier=f"{record.standards.count()}档", amount=Decimal(1)
            )


@pytest.mark.parametrize("model", [Household, Student, Pairing, Programme], ids=lambda model: model.__name__)
def test_a_form_costs_the_same_for_one_and_three_rows(
    client_of: ClientOf, clerk: User, school_class: SchoolClass, model: type[models.Model]
) -> None:
    record = MAKERS[model](school_class)
    client, url = client_of(clerk), page(model, "change", record.pk)
    one = queries(client, url)
    _more_rows(record)
    assert queries(client, url) == one


def test_a_disbursement_of_four_hundred_payments_is_a_small_page(
    client_of: ClientOf, clerk: User, school_class: SchoolClass
) -> None:
    disbursement = make_payment(school_class).disbursement
    client, url = client_of(clerk), page(Disbursement, "change", disbursement.pk)
    one = queries(client, url)
    for _ in range(20):
        make_payment(school_class, disbursement)
    assert queries(client, url) == one
    listed = client.get(f"{page(Payment, 'changelist')}?disbursement__id__exact={disbursement.pk}")
    assert listed.context["cl"].list_per_page == 50
