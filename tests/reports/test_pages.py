"""The pages of a summary: who opens them, what they show, and that each figure equals the list behind it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from aid.models import Payment
from povertyaid.audit.models import AccessLog
from povertyaid.schools.models import County, School, User
from povertyaid.schools.roles import Role
from reports.indicators import REGISTRY, Ratio
from reports.models import Summary
from tests import factories, personas
from tests.reports.hand import HAND, PERIOD, Hand

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]

PAGES = ("summary", "summary_pdf", "summary_html", "summary_json")
READERS = (
    "county_admin",
    "county_director",
    "bureau_clerk",
    "inspector",
    "school_inspector",
    "principal",
    "vice_principal",
    "central_clerk",
    "school_clerk",
)
STRANGERS = ("rival_principal", "rival_clerk", "rival_bureau_clerk", "foreign_clerk")
WITHOUT = ("class_teacher", "helper", "nobody")
LINK = re.compile(r'<a class="figure(?: nb)?" href="([^"]+)">([^<]+)</a>')


def addresses(summary: Summary) -> list[str]:
    """Every address of a summary."""
    pages = [reverse(f"reports:{name}", args=[summary.pk]) for name in PAGES]
    return [*pages, reverse("reports:summary_records", args=[summary.pk, "aid_persons"])]


# Who may open what


@pytest.mark.parametrize("name", READERS)
def test_readers_open_every_page(
    name: str, request: pytest.FixtureRequest, client_of: ClientOf, paper: Summary
) -> None:
    client = client_of(request.getfixturevalue(name))
    assert client.get(reverse("reports:index")).status_code == 200
    assert {client.get(url).status_code for url in addresses(paper)} == {200}
    assert {client.post(url).status_code for url in addresses(paper)} == {405}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_foreign_summary_is_not_found(
    name: str, request: pytest.FixtureRequest, client_of: ClientOf, paper: Summary
) -> None:
    client = client_of(request.getfixturevalue(name))
    assert {client.get(url).status_code for url in addresses(paper)} == {404}


@pytest.mark.parametrize("name", WITHOUT)
def test_teachers_and_helpers_have_no_summaries(
    name: str, request: pytest.FixtureRequest, client_of: ClientOf, paper: Summary
) -> None:
    client = client_of(request.getfixturevalue(name))
    assert {client.get(url).status_code for url in [reverse("reports:index"), *addresses(paper)]} == {403}
    assert client.post(reverse("reports:index"), {}).status_code == 403


def test_without_log_in_the_log_in_page_comes(client: Client, paper: Summary) -> None:
    for url in addresses(paper):
        response = client.get(url)
        assert response.status_code == 302
        assert response.headers["Location"].startswith(reverse("admin:login"))


def test_a_school_sees_neither_the_countys_paper_nor_its_form_value(
    client_of: ClientOf, principal: User, county_paper: Summary, county: County
) -> None:
    client = client_of(principal)
    assert {client.get(url).status_code for url in addresses(county_paper)} == {404}
    sent = client.post(reverse("reports:index"), {"target": f"county-{county.pk}", "period": PERIOD})
    assert sent.status_code == 200
    assert Summary.objects.count() == 1


def test_files_need_the_permission_to_export(client_of: ClientOf, principal: User, paper: Summary) -> None:
    group = Group.objects.get(name=Role.PRINCIPAL.value)
    group.permissions.remove(group.permissions.get(codename="export_summary"))
    client = client_of(principal)
    page = client.get(reverse("reports:summary", args=[paper.pk]))
    assert page.status_code == 200
    assert reverse("reports:summary_pdf", args=[paper.pk]) not in page.content.decode()
    for name in PAGES[1:]:
        assert client.get(reverse(f"reports:{name}", args=[paper.pk])).status_code == 403


# Beginning a summary


def test_a_principal_reaches_the_paper_in_two_clicks(
    client_of: ClientOf, principal: User, paper: Summary
) -> None:
    """Menu, then the line of the period."""
    client = client_of(principal)
    menu = client.get(reverse("admin:index")).content.decode()
    assert f'href="{reverse("reports:index")}"' in menu
    entry = client.get(reverse("reports:index")).content.decode()
    url = reverse("reports:summary", args=[paper.pk])
    assert f'<a href="{url}">2026年上半年</a>' in entry
    assert client.get(url).status_code == 200


def test_a_summary_is_begun_once(client_of: ClientOf, principal: User, counted: Hand) -> None:
    """The second time the same one opens."""
    client = client_of(principal)
    form = {"target": str(counted.school.pk), "period": PERIOD}
    first = client.post(reverse("reports:index"), form)
    made = Summary.objects.get()
    assert (made.school, made.county, made.period) == (counted.school, counted.school.county, PERIOD)
    assert first.headers["Location"] == reverse("reports:summary", args=[made.pk])
    again = client.post(reverse("reports:index"), form)
    assert again.headers["Location"] == first.headers["Location"]
    assert Summary.objects.count() == 1


def test_a_summary_of_a_foreign_school_or_a_wrong_period_is_refused(
    client_of: ClientOf, principal: User, school: School, rival_school: School
) -> None:
    client = client_of(principal)
    for form in (
        {"target": str(rival_school.pk), "period": PERIOD},
        {"target": str(school.pk), "period": "2026H3"},
        {"target": "x", "period": PERIOD},
        {},
    ):
        assert client.post(reverse("reports:index"), form).status_code == 200
    assert not Summary.objects.exists()


def test_a_reader_without_the_permission_to_add_begins_nothing(
    client_of: ClientOf, inspector: User, school: School
) -> None:
    sent = client_of(inspector).post(
        reverse("reports:index"), {"target": str(school.pk), "period": PERIOD}
    )
    assert sent.status_code == 403
    assert not Summary.objects.exists()


def test_the_bureau_begins_the_countys_paper(
    client_of: ClientOf, bureau_clerk: User, county: County, counted: Hand
) -> None:
    form = {"target": f"county-{county.pk}", "period": PERIOD}
    client_of(bureau_clerk).post(reverse("reports:index"), form)
    made = Summary.objects.get()
    assert (made.school, made.county) == (None, county)


# Figures and lists


def links_of(client: Client, summary: Summary) -> dict[str, str]:
    """Address and printed text of each figure on the page."""
    page = client.get(reverse("reports:summary", args=[summary.pk])).content.decode()
    found = {unescape(url): text for url, text in LINK.findall(page)}
    # The share opens its two parts; test_every_indicator_has_a_list looks at it.
    return {url: text for url, text in found.items() if "/coverage/" not in url}


def listed(client: Client, url: str) -> tuple[str, int, int, Decimal]:
    """What a list tells: the figure, the count, and, read from all its pages, rows and the sum of amounts."""
    page = client.get(url).content.decode()
    value = re.search(r'id="figure-value">([^<]*)<', page)
    count = re.search(r'id="list-count">(\d+)<', page)
    assert value
    assert count, url
    rows, amount, number = 0, Decimal(0), 1
    while True:
        table = page.partition('id="result_list"')[2]
        body = table.partition("<tbody>")[2].partition("</tbody>")[0]
        rows += body.count("<tr>")
        amount += sum((Decimal(found) for found in re.findall(r'class="numeric">([\d.]+)<', body)), Decimal(0))
        number += 1
        if f"p={number}" not in page:
            return value[1], int(count[1]), rows, amount
        page = client.get(f"{url}{'&' if '?' in url else '?'}p={number}").content.decode()


@pytest.mark.parametrize("name", READERS)
def test_each_figure_equals_the_list_behind_it_for_every_role(
    name: str, request: pytest.FixtureRequest, client_of: ClientOf, paper: Summary
) -> None:
    client = client_of(request.getfixturevalue(name))
    links = links_of(client, paper)
    assert len(links) > 40
    # Groups are looked at once, as the principal reads them.
    for url in links if name == "principal" else [url for url in links if "?" not in url]:
        value, count, rows, amount = listed(client, url)
        assert count == rows
        if "amount" in url:
            assert Decimal(value) == amount
        else:
            assert int(value) == count


@pytest.mark.parametrize("name", ["county_admin", "bureau_clerk", "inspector"])
def test_each_figure_of_the_county_equals_its_list(
    name: str, request: pytest.FixtureRequest, client_of: ClientOf, county_paper: Summary
) -> None:
    client = client_of(request.getfixturevalue(name))
    links = links_of(client, county_paper)
    assert len(links) > 50
    for url in links if name == "bureau_clerk" else [url for url in links if "?" not in url]:
        value, count, rows, amount = listed(client, url)
        assert count == rows
        assert Decimal(value) == (amount if "amount" in url else count)


def test_every_indicator_has_a_list(client_of: ClientOf, principal: User, paper: Summary) -> None:
    client = client_of(principal)
    for item in REGISTRY:
        url = reverse("reports:summary_records", args=[paper.pk, item.key])
        if isinstance(item, Ratio):
            page = client.get(url).content.decode()
            assert "50%" in page
            assert reverse("reports:summary_records", args=[paper.pk, item.part]) in page
            continue
        value, count, rows, _amount = listed(client, url)
        assert count == rows
        assert Decimal(value) == HAND[item.key]


def test_a_long_list_comes_in_pages(client_of: ClientOf, principal: User, school: School) -> None:
    classes = factories.SchoolClassFactory(school=school, entry_year=2022)
    for _number in range(53):
        pupil = factories.enrolled(classes)
        factories.RecognitionFactory(
            student=pupil, school=school, school_class=classes, semester="2025-2026-2"
        )
    summary = factories.SummaryFactory(school=school, period=PERIOD)
    client = client_of(principal)
    url = reverse("reports:summary_records", args=[summary.pk, "recognised_pupils"])
    page = client.get(url).content.decode()
    assert page[page.index('id="result_list"') :].count("<tr>") == 51
    assert listed(client, url)[1:3] == (53, 53)


def test_lists_are_masked_and_lead_to_the_record(client_of: ClientOf, principal: User, paper: Summary) -> None:
    client = client_of(principal)
    pupil = paper.school.recognitions.get(level="special").student  # type: ignore[union-attr]
    url = reverse("reports:summary_records", args=[paper.pk, "recognised_pupils"])
    page = client.get(f"{url}?level=special").content.decode()
    assert pupil.name in page
    assert pupil.identity.clear not in page
    assert str(pupil.identity) in page
    recognition = pupil.recognitions.get()
    assert reverse("admin:students_recognition_change", args=[recognition.pk]) in page
    payments = reverse("reports:summary_records", args=[paper.pk, "aid_amount"])
    shown = client.get(payments).content.decode()
    for payment in Payment.objects.filter(student=pupil):
        assert payment.account.clear not in shown


def test_who_may_not_see_a_person_sees_that_there_is_one(
    client_of: ClientOf, principal: User, school: School, county: County
) -> None:
    """A helper of the bureau who helps a pupil of the school is counted; the name is not the school's to see."""
    helper = factories.StaffFactory(school=None, county=county, name="局机关帮扶人")
    factories.PairingFactory(helper=helper, school=school, county=county)
    summary = factories.SummaryFactory(school=school, period="2026H2")
    url = reverse("reports:summary_records", args=[summary.pk, "helpers"])
    client = client_of(principal)
    assert listed(client, url)[:3] == ("1", 1, 1)
    assert "局机关帮扶人" not in client.get(url).content.decode()


@pytest.mark.parametrize(
    "tail",
    [
        "nothing/",
        "recognised_pupils/?colour=red",
        "recognised_pupils/?grade=a~b",
        "aid_amount/?stage=a~b",
        "aid_amount/?stage=%00",
    ],
)
def test_a_figure_or_group_that_does_not_exist_is_not_found(
    tail: str, client_of: ClientOf, principal: User, paper: Summary
) -> None:
    url = reverse("reports:summary", args=[paper.pk])
    assert client_of(principal).get(f"{url}figures/{tail}").status_code == 404


# Files


def test_files_come_under_the_papers_title_and_are_logged(
    client_of: ClientOf, principal: User, paper: Summary
) -> None:
    client = client_of(principal)
    kinds = {}
    for name in PAGES[1:]:
        response = client.get(reverse(f"reports:{name}", args=[paper.pk]))
        kinds[name] = response.headers["Content-Type"].partition(";")[0]
        assert "attachment" in response.headers["Content-Disposition"]
        assert "no-store" in response.headers["Cache-Control"]
    assert kinds == {
        "summary_pdf": "application/pdf",
        "summary_html": "text/html",
        "summary_json": "application/json",
    }
    logged = AccessLog.objects.filter(model="reports.summary", object_id=paper.pk).order_by("pk")
    assert [(entry.action, entry.detail["format"], entry.actor) for entry in logged] == [
        ("print", "pdf", principal),
        ("export", "html", principal),
        ("export", "json", principal),
    ]


def test_a_character_that_no_font_has_is_told(client_of: ClientOf, principal: User, paper: Summary) -> None:
    """Better no paper than one with a box, and words instead of an error page."""
    paper.next_steps = "完成\U000e1234认定"
    paper.save()
    client = client_of(principal)
    response = client.get(reverse("reports:summary_pdf", args=[paper.pk]), follow=True)
    assert response.redirect_chain == [(reverse("reports:index"), 302)]
    assert "U+E1234" in response.content.decode()
    assert not AccessLog.objects.filter(action=AccessLog.Action.PRINT).exists()


def test_the_page_tells_what_to_look_at_before_printing(
    client_of: ClientOf, principal: User, paper: Summary
) -> None:
    """Pupils without a group for statistics; an empty plan; a date before the day of the data."""
    paper.next_steps = ""
    paper.issued_on = dt.date(2026, 7, 5)
    paper.save()
    page = client_of(principal).get(reverse("reports:summary", args=[paper.pk])).content.decode()
    url = reverse("reports:summary_records", args=[paper.pk, "recognised_pupils"])
    assert f'href="{url}?primary_group="' in page
    assert page.count("<li>") == 3


# The form


def test_the_principal_writes_the_own_text(client_of: ClientOf, principal: User, paper: Summary) -> None:
    client = client_of(principal)
    url = reverse("admin:reports_summary_change", args=[paper.pk])
    page = client.get(url).content.decode()
    assert reverse("reports:summary", args=[paper.pk]) in page
    sent = client.post(
        url,
        {
            "problems": "一是场地不足。",
            "next_steps": "扩建心理辅导室。",
            "issued_on": "2026-07-05",
            "sealed": "on",
            "lock_version": paper.version,
        },
    )
    assert sent.status_code == 302
    shown = client.get(reverse("reports:summary", args=[paper.pk])).content.decode()
    assert "扩建心理辅导室。" in shown
    assert "场地不足。" in shown
    assert ">2026年7月5日<" in shown


def test_a_new_summary_in_the_form_is_preset_and_scoped(
    client_of: ClientOf, principal: User, school: School, rival_school: School
) -> None:
    client = client_of(principal)
    url = reverse("admin:reports_summary_add")
    assert school.name in client.get(url).content.decode()
    form = {"period": PERIOD, "problems": "", "next_steps": "", "sealed": "on"}
    assert client.post(url, form | {"school": rival_school.pk}).status_code == 200
    assert client.post(url, form | {"school": ""}).status_code == 200
    assert not Summary.objects.exists()
    assert client.post(url, form | {"school": school.pk}).status_code == 302
    made = Summary.objects.get()
    assert (made.school, made.county) == (school, school.county)


def test_a_second_summary_of_a_period_is_refused_with_words(
    client_of: ClientOf, principal: User, school: School, paper: Summary
) -> None:
    url = reverse("admin:reports_summary_add")
    form = {"period": PERIOD, "problems": "", "next_steps": "", "sealed": "on", "school": school.pk}
    assert client_of(principal).post(url, form).status_code == 200
    assert Summary.objects.count() == 1


def test_lists_of_summaries_cost_the_same_queries_for_one_and_three(
    client_of: ClientOf, bureau_clerk: User, paper: Summary, django_assert_num_queries: object
) -> None:
    """The list in the admin and the entry page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost(url: str) -> int:
        client = client_of(personas.as_new(bureau_clerk))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    urls = [reverse("reports:index"), reverse("admin:reports_summary_changelist")]
    before = [cost(url) for url in urls]
    for number in range(2):
        school = factories.SchoolFactory(county=paper.county, name=f"第{number}完小")
        factories.SummaryFactory(school=school, period=PERIOD)
    assert [cost(url) for url in urls] == before
