"""Programmes, disbursements and payments through the real forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from aid.models import Disbursement, Payment, Programme, Standard
from povertyaid.schools import todo
from povertyaid.schools.models import School, User
from tests import factories
from tests.personas import World, as_new
from tests.records.pages import errors_of, field_names, page, run_action, saved, send, told

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def today() -> dt.date:
    return timezone.localdate()


def totals(response: Any) -> list[str]:
    """The sums that stand below a list."""
    return [total for _label, total in response.context_data["money_totals"]]


@pytest.fixture
def standard(world: World) -> Standard:
    """The standard of the home school's disbursement: 312.50 yuan a semester for primary pupils."""
    standard: Standard = factories.StandardFactory(programme=world.home.disbursement.programme)
    return standard


def add_payment(client: Client, world: World, **values: object) -> Any:
    """Send the form of a new payment to the other pupil of the home school."""
    data = {"disbursement": world.home.disbursement.pk, "student": world.home.other_pupil.pk, "due": "312.50"}
    return send(client, page(Payment, "add"), **{**data, **values})


def test_a_clerk_begins_a_disbursement_for_the_own_school_and_semester(
    client_of: ClientOf, clerk: User, school: School
) -> None:
    programme = factories.ProgrammeFactory()
    client, url = client_of(clerk), page(Disbursement, "add")
    for number in (1, 2):
        saved(client, url, programme=programme.pk)
        found = Disbursement.objects.get(number=number)
        assert (found.school, found.semester, found.state) == (school, factories.semester_now(), "draft")


def test_a_payment_takes_the_stage_and_waits(client_of: ClientOf, clerk: User, world: World) -> None:
    response = add_payment(client_of(clerk), world)
    assert response.status_code == 302, errors_of(response)
    payment = Payment.objects.get(student=world.home.other_pupil)
    assert (payment.state, payment.stage, payment.paid) == ("waiting", world.home.other_class.stage, None)


def test_an_amount_paid_makes_it_arrived_today(client_of: ClientOf, clerk: User, world: World) -> None:
    add_payment(client_of(clerk), world, paid="312.50", account="6228 4800 0000 0000 123", holder="周大山")
    payment = Payment.objects.get(student=world.home.other_pupil)
    assert (payment.state, payment.paid, payment.paid_on) == ("arrived", Decimal("312.50"), today())
    assert (payment.account.clear, payment.account_last4) == ("6228480000000000123", "0123")
    listed = client_of(clerk).get(page(Payment, "changelist")).content.decode()
    assert "**** 0123" in listed
    assert "6228480000000000123" not in listed


@pytest.mark.parametrize(
    ("field", "value"),
    [("due", "312.51"), ("paid", "400"), ("student", ""), ("due", "-1"), ("account", "12ab")],
)
@pytest.mark.usefixtures("standard")
def test_a_wrong_payment_is_told_at_its_field(
    client_of: ClientOf, clerk: User, world: World, field: str, value: str
) -> None:
    response = add_payment(client_of(clerk), world, **{field: value})
    assert list(response.context["adminform"].form.errors) == [field]
    assert not Payment.objects.filter(student=world.home.other_pupil).exists()


def test_the_standard_of_the_tier_and_semester_counts(
    client_of: ClientOf, clerk: User, world: World, standard: Standard
) -> None:
    standard.tier, standard.amount = "二档", Decimal(200)
    standard.save()
    factories.StandardFactory(programme=standard.programme, tier="一档", amount=Decimal(300))
    client = client_of(clerk)
    assert errors_of(add_payment(client, world, due="250", tier="二档"))
    assert errors_of(add_payment(client, world, due="300.50"))
    assert add_payment(client, world, due="250", tier="一档").status_code == 302


def test_the_preset_amount_is_the_standard(
    client_of: ClientOf, clerk: User, world: World, standard: Standard
) -> None:
    client, disbursement = client_of(clerk), world.home.disbursement
    link = f"{page(Payment, 'add')}?disbursement={disbursement.pk}"
    assert link in client.get(page(Disbursement, "change", disbursement.pk)).content.decode()
    assert client.get(link).context["adminform"].form["due"].value() == standard.amount
    foreign = client.get(f"{page(Payment, 'add')}?disbursement={world.rival.disbursement.pk}")
    assert not foreign.context["adminform"].form["due"].value()
    assert world.rival.school.name not in foreign.content.decode()


def test_pupil_and_household_together_or_twice_are_refused(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    both = add_payment(client, world, household=world.home.household.pk)
    assert "student" in both.context["adminform"].form.errors
    assert len(errors_of(add_payment(client, world, student=world.home.pupil.pk))) == 1


@pytest.mark.parametrize("kind", ["disbursement", "student", "household"])
def test_forged_keys_are_refused(client_of: ClientOf, clerk: User, world: World, kind: str) -> None:
    values: dict[str, object] = {kind: getattr(world.rival, "pupil" if kind == "student" else kind).pk}
    if kind == "household":
        values["student"] = ""
    count = Payment.objects.count()
    assert errors_of(add_payment(client_of(clerk), world, **values))
    assert Payment.objects.count() == count


def test_a_pupil_of_another_site_or_a_closed_disbursement_is_refused(
    client_of: ClientOf, central_clerk: User, world: World, teaching_point: School
) -> None:
    client = client_of(central_clerk)
    elsewhere = factories.enrolled(factories.SchoolClassFactory(school=teaching_point))
    wrong = add_payment(client, world, student=elsewhere.pk)
    assert list(wrong.context["adminform"].form.errors) == ["student"]
    Disbursement.objects.filter(pk=world.home.disbursement.pk).update(state="closed")
    closed = add_payment(client, world)
    assert list(closed.context["adminform"].form.errors) == ["disbursement"]


def test_what_was_paid_is_not_edited_and_not_deleted(client_of: ClientOf, clerk: User, world: World) -> None:
    client, payment = client_of(clerk), world.home.payment
    url = page(Payment, "change", payment.pk)
    assert not field_names(client, url) & {"due", "paid", "paid_on", "student", "disbursement", "state"}
    saved(client, url, note="本人到行领取", due="1", paid="1", state="waiting")
    payment.refresh_from_db()
    assert (payment.note, payment.paid, payment.state) == ("本人到行领取", Decimal("312.50"), "arrived")
    assert client.post(page(Payment, "delete", payment.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [payment.pk], "post": "yes"}
    client.post(page(Payment, "changelist"), chosen)
    assert Payment.objects.filter(pk=payment.pk).exists()


def test_payments_arrive_and_are_signed_for_in_bulk(client_of: ClientOf, clerk: User, world: World) -> None:
    waiting = factories.PaymentFactory(
        disbursement=world.home.disbursement, student=world.home.other_pupil, state="waiting"
    )
    client, signed_before = client_of(clerk), world.home.payment
    response = run_action(
        client,
        Payment,
        "mark_arrived",
        [waiting, signed_before],
        day=(today() - dt.timedelta(days=2)).isoformat(),
    )
    assert len(told(response)) == 2
    waiting.refresh_from_db()
    assert (waiting.state, waiting.paid, waiting.paid_on) == (
        "arrived",
        waiting.due,
        today() - dt.timedelta(days=2),
    )
    run_action(client, Payment, "mark_signed", [waiting])
    waiting.refresh_from_db()
    assert waiting.state == "signed"
    future = run_action(
        client, Payment, "mark_arrived", [waiting], day=(today() + dt.timedelta(days=1)).isoformat()
    )
    assert list(future.context["form"].errors) == ["day"]


def test_a_returned_payment_is_paid_again(client_of: ClientOf, clerk: User, world: World) -> None:
    returned = factories.PaymentFactory(
        disbursement=world.home.disbursement, student=world.home.other_pupil, state="bank_returned"
    )
    lines = {item.url: item.count for item in todo.lines(as_new(clerk), today())}
    url = f"{page(Payment, 'changelist')}?state__exact=bank_returned"
    assert lines[url] == 1
    client = client_of(clerk)
    assert list(client.get(url).context["cl"].queryset) == [returned]
    run_action(client, Payment, "move", [returned], state="reissued", day=today().isoformat())
    returned.refresh_from_db()
    assert (returned.state, returned.paid) == ("reissued", returned.due)


def test_payments_that_wait_long_are_listed(client_of: ClientOf, clerk: User, world: World) -> None:
    old = factories.PaymentFactory(
        disbursement=world.home.disbursement, student=world.home.other_pupil, state="waiting"
    )
    Payment.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=31))
    lines = {item.url: item.count for item in todo.lines(as_new(clerk), today())}
    url = f"{page(Payment, 'changelist')}?waiting=long"
    assert lines[url] == 1
    assert list(client_of(clerk).get(url).context["cl"].queryset) == [old]


def test_the_totals_below_the_list_are_those_of_the_filter(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    factories.PaymentFactory(
        disbursement=world.home.disbursement,
        student=world.home.other_pupil,
        due=Decimal("100.10"),
        state="waiting",
    )
    client, url = client_of(clerk), page(Payment, "changelist")
    assert totals(client.get(url)) == ["725.10", "625.00"]
    waiting = client.get(url, {"state__exact": "waiting"})
    assert totals(waiting) == ["100.10", "0.00"]
    batches = client.get(page(Disbursement, "changelist"))
    assert totals(batches) == ["725.10", "625.00"]


def test_a_disbursement_links_to_the_paged_list_of_its_payments(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client, disbursement = client_of(clerk), world.home.disbursement
    text = client.get(page(Disbursement, "change", disbursement.pk)).content.decode()
    link = f"{page(Payment, 'changelist')}?disbursement__id__exact={disbursement.pk}"
    assert link in text
    assert "625.00" in text
    assert set(client.get(link).context["cl"].queryset) == {world.home.payment, world.home.household_payment}
    run_action(client, Disbursement, "move", [disbursement], state="to_check")
    disbursement.refresh_from_db()
    assert disbursement.state == "to_check"


def test_the_rival_sees_neither_payment_nor_disbursement(
    client_of: ClientOf, rival_clerk: User, world: World
) -> None:
    client = client_of(rival_clerk)
    for record in (world.home.payment, world.home.household_payment, world.home.disbursement):
        listed = client.get(page(type(record), "changelist")).content.decode()
        assert f"/{record._meta.model_name}/{record.pk}/change/" not in listed
        assert client.get(page(type(record), "change", record.pk)).status_code == 404
        assert world.home.school.name not in listed
    for term in (world.home.payment.account.clear, world.home.payment.account_last4, world.home.pupil.name):
        found = client.get(page(Payment, "changelist"), {"q": term}).context["cl"].queryset
        assert world.home.payment not in found


def test_payments_are_found_by_account_and_pupil(
    client_of: ClientOf, bureau_clerk: User, world: World
) -> None:
    client, payment = client_of(bureau_clerk), world.home.payment
    for term in (payment.account.clear, payment.account_last4, world.home.pupil.name_initials):
        assert payment in client.get(page(Payment, "changelist"), {"q": term}).context["cl"].queryset


def test_schools_read_programmes_and_the_bureau_enters_its_own(
    client_of: ClientOf, clerk: User, bureau_clerk: User, world: World
) -> None:
    national = world.home.disbursement.programme
    assert client_of(clerk).get(page(Programme, "change", national.pk)).status_code == 200
    assert client_of(clerk).post(page(Programme, "change", national.pk), {"name": "甲"}).status_code == 403
    client = client_of(bureau_clerk)
    saved(
        client,
        page(Programme, "add"),
        name="县级助学金",
        level="compulsory",
        source="county",
        **{"standards-TOTAL_FORMS": 1, "standards-0-amount": "300", "standards-0-valid_from": "2025-2026-1"},
    )
    own = Programme.objects.get(name="县级助学金")
    assert own.county == world.county
    assert own.standards.get().amount == Decimal(300)


def test_national_programmes_are_changed_only_where_no_other_county_shares_them(
    client_of: ClientOf, bureau_clerk: User, school: School
) -> None:
    national = factories.ProgrammeFactory()
    client, url = client_of(bureau_clerk), page(Programme, "change", national.pk)
    row = {"standards-TOTAL_FORMS": 1, "standards-0-amount": "330", "standards-0-valid_from": "2026-2027-1"}
    saved(client, url, **row)
    national.refresh_from_db()
    assert national.county is None
    standard = national.standards.get()
    factories.CountyFactory()
    assert client.post(url, {"name": "改名"}).status_code == 403
    assert client.post(page(Standard, "change", standard.pk), {"amount": "1"}).status_code == 403


def test_class_teachers_read_payments_of_their_pupils(
    client_of: ClientOf, class_teacher: User, world: World
) -> None:
    client = client_of(class_teacher)
    assert client.get(page(Payment, "change", world.home.payment.pk)).status_code == 200
    assert client.post(page(Payment, "change", world.home.payment.pk), {"note": "甲"}).status_code == 403
    assert client.get(page(Disbursement, "changelist")).status_code == 403
