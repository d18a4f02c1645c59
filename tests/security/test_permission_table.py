"""For every role and every address of two schools and another county, GET and POST: 200, 404 or 403 as the table says.

Each request is undone, so that one cannot change what the next one meets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import reverse

from povertyaid.imports.resources import resource_for
from povertyaid.schools.models import User
from povertyaid.schools.roles import TABLE
from povertyaid.work.models import Work
from reports.paper import Paper
from tests import personas
from tests.personas import World
from tests.security.addresses import MODEL_PAGES, addresses, page_name, registered
from tests.security.expectations import FOREIGN, HOME, NEVER, PERSONAS, RIVAL, Persona, Targets, make_targets

pytestmark = pytest.mark.django_db

PLACES = (HOME, RIVAL, FOREIGN)
KIND = "students"
# Pages of one record and the permission that each asks for.
RECORD_PAGES = {"change": "view", "history": "view", "delete": "delete"}
FIELDS = {
    "students.student": "identity",
    "households.member": "identity",
    "aid.payment": "account",
    "schools.staff": "phone",
}

# Every address that is no page of a model, and the test below that tries it.
CLASSIFIED = {
    "set_language": "test_open_pages", "health": "test_open_pages",
    "admin:index": "test_common_pages", "admin:login": "test_open_pages", "admin:logout": "test_common_pages",
    "admin:password_change": "test_common_pages", "admin:password_change_done": "test_common_pages",
    "admin:jsi18n": "test_common_pages", "admin:app_list": "test_pages_of_an_app",
    "admin:view_on_site": "test_no_way_round_by_content_types", "admin:autocomplete": "test_choices",
    "audit:reveal": "test_whole_values", "admin:files_attachment_file": "test_files",
    "admin:schools_user_password": "test_first_passwords",
    "imports:index": "test_import_pages", "imports:batch": "test_import_pages", "imports:commit": "test_import_pages",
    "imports:cancel": "test_import_pages", "imports:template": "test_import_pages",
    "imports:decide": "test_import_pages", "imports:columns": "test_import_pages",
    "imports:undo": "test_import_pages", "imports:refused": "test_import_pages",
    "imports:again": "test_import_pages", "imports:returns": "test_import_pages",
    "work:status": "test_background_works", "work:cancel": "test_background_works",
    "reports:index": "test_summary_pages", "reports:summary": "test_summary_pages",
    "reports:summary_pdf": "test_summary_pages", "reports:summary_html": "test_summary_pages",
    "reports:summary_json": "test_summary_pages", "reports:summary_records": "test_summary_pages",
}  # fmt: skip


@dataclass
class Desk:
    """A persona in front of a browser, with the records of three places."""

    persona: Persona
    client: Client
    targets: Targets
    world: World

    def get(self, url: str, **data: Any) -> Any:
        """Look at a page."""
        with transaction.atomic():
            response = self.client.get(url, data)
            transaction.set_rollback(True)
        return response

    def post(self, url: str, **data: Any) -> Any:
        """Send a form; what it changes is undone."""
        with transaction.atomic():
            response = self.client.post(url, data)
            transaction.set_rollback(True)
        return response

    def pk(self, label: str, place: str) -> int:
        return int(self.targets.at(place, label).pk)


@pytest.fixture(params=PERSONAS, ids=lambda persona: persona.name)
def desk(  # noqa: PLR0917 - fixtures are asked for by name
    request: pytest.FixtureRequest,
    world: World,
    client_of: Callable[[User], Client],
    rival_clerk: User,
    foreign_clerk: User,
    school_clerk: User,
) -> Desk:
    """Each role in turn."""
    persona: Persona = request.param
    user = personas.as_new(request.getfixturevalue(persona.name))
    accounts = {HOME: school_clerk, RIVAL: rival_clerk, FOREIGN: foreign_clerk}
    return Desk(persona, client_of(user), make_targets(world, accounts), world)


def assert_status(response: Any, expected: int, where: object, *, changes: bool = False) -> None:
    """200 also stands for the 302 that follows a successful POST."""
    allowed = {200, 302} if expected == 200 and changes else {expected}
    assert response.status_code in allowed, (
        where,
        response.status_code,
        expected,
        response.headers.get("Location"),
    )


def test_every_address_is_classified() -> None:
    pages = {page_name(label, page) for label in registered() for page in MODEL_PAGES}
    unnamed = {f"{label.replace('.', '/')}/<path:object_id>/" for label in registered()} | {"(?P<url>.*)$"}
    for address in addresses():
        known = address.name in pages or address.name in CLASSIFIED
        assert known or (not address.name and address.route in unnamed), address
    assert {name for name in CLASSIFIED if name not in {address.name for address in addresses()}} == set()
    assert {test for test in CLASSIFIED.values() if test not in globals()} == set()


def test_lists_and_new_records(desk: Desk) -> None:
    for label in registered():
        where = (desk.persona.name, label)
        listing = reverse(page_name(label, "changelist"))
        looked = 200 if desk.persona.may(label, "view") else 403
        response = desk.get(listing)
        assert_status(response, looked, where)
        if looked == 200:
            text = response.content.decode()
            for place in PLACES:
                shown = f"{reverse(page_name(label, 'change'), args=[desk.pk(label, place)])}" in text
                assert not shown or desk.persona.sees(label, place), (*where, place)
        assert_status(desk.post(listing), looked, where, changes=True)
        added = 200 if desk.persona.may(label, "add") else 403
        assert_status(desk.get(reverse(page_name(label, "add"))), added, where)
        assert_status(desk.post(reverse(page_name(label, "add"))), added, where, changes=True)


def test_pages_of_a_record(desk: Desk) -> None:
    for label in registered():
        for page, action in RECORD_PAGES.items():
            for place in PLACES:
                url = reverse(page_name(label, page), args=[desk.pk(label, place)])
                expected = desk.persona.status(label, action, place)
                if place == RIVAL and expected == 200 and page != "history":
                    continue  # a page that opens at home opens here: its history stands for it
                assert_status(desk.get(url), expected, (desk.persona.name, url, place))
                if page == "change":
                    changed = desk.persona.status(label, "change", place)
                    assert_status(
                        desk.post(url), changed, ("POST", desk.persona.name, url, place), changes=True
                    )
                elif page == "delete":
                    # Where it is allowed the page only asks: "post" confirms.
                    sent = {"post": "yes"} if expected != 200 else {}
                    assert_status(desk.post(url, **sent), expected, ("POST", desk.persona.name, url, place))


def test_addresses_without_a_page_lead_to_the_record(desk: Desk) -> None:
    for label in registered():
        url = reverse(page_name(label, "change"), args=[desk.pk(label, FOREIGN)])
        response = desk.get(url.removesuffix("change/"))
        assert_status(response, 302, url)
        assert response.headers["Location"] == url
    assert_status(desk.get("/no/such/page/"), 404, "catch-all")


def test_exports(desk: Desk) -> None:
    names = {address.name for address in addresses()}
    for label in registered():
        if page_name(label, "export") not in names:
            continue
        url = reverse(page_name(label, "export"))
        expected = 200 if desk.persona.may(label, "export") else 403
        assert_status(desk.get(url), expected, (desk.persona.name, url))
        assert_status(desk.post(url, format="csv"), expected, (desk.persona.name, url))


def test_exports_hold_the_scope_alone_and_masks(desk: Desk) -> None:
    if not desk.persona.may("students.student", "export"):
        return
    sent = desk.post(reverse("admin:students_student_export"), format="csv").content.decode()
    for place in PLACES:
        pupil = desk.targets.at(place, "students.student")
        assert (pupil.identity.clear in sent) is False  # type: ignore[attr-defined]
        assert (str(pupil.identity) in sent) == desk.persona.sees("students.student", place)  # type: ignore[attr-defined]


def test_every_right_to_export_has_a_page() -> None:
    names = {address.name for address in addresses()}
    for label in registered():
        if any(persona.may(label, "export") for persona in PERSONAS) and label != "reports.summary":
            assert page_name(label, "export") in names, label


def test_choices(desk: Desk) -> None:
    for model, page in admin.site._registry.items():
        for name in page.autocomplete_fields:
            related: Any = model._meta.get_field(name).related_model
            label = related._meta.label_lower
            asked = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": name,
            }
            response = desk.get(reverse("admin:autocomplete"), **asked)
            assert_status(
                response, 200 if desk.persona.may(label, "view") else 403, (desk.persona.name, asked)
            )
            if response.status_code != 200:
                continue
            offered = {item["id"] for item in json.loads(response.content)["results"]}
            for place in PLACES:
                if str(desk.pk(label, place)) in offered:
                    assert desk.persona.sees(label, place), (desk.persona.name, asked, place)
            assert_status(desk.post(reverse("admin:autocomplete"), **asked), 405, asked)


def test_background_works(desk: Desk) -> None:
    for place in PLACES:
        sees = desk.persona.may("work.work", "view") and desk.persona.sees("work.work", place)
        work = desk.pk("work.work", place)
        status, cancel = reverse("work:status", args=[work]), reverse("work:cancel", args=[work])
        assert_status(desk.get(status), 200 if sees else 404, (desk.persona.name, status, place))
        assert_status(desk.post(status), 405, status)
        Work.objects.filter(pk=work).update(state=Work.State.WAITING)
        allowed = desk.persona.may("work.work", "view") and desk.persona.role is not None
        stops = "change" in TABLE[desk.persona.role]["work.work"] if allowed and desk.persona.role else False
        expected = 404 if not sees else 200 if stops else 403
        assert_status(desk.post(cancel), expected, (desk.persona.name, cancel, place), changes=True)
        assert_status(desk.get(cancel), 405, cancel)


def test_pages_of_an_app(desk: Desk) -> None:
    for app in {label.split(".")[0] for label in registered()}:
        own = [label for label in registered() if label.startswith(f"{app}.")]
        some = any(
            desk.persona.may(label, action) for label in own for action in ("view", "add", "change", "delete")
        )
        url = reverse("admin:app_list", args=[app])
        assert_status(desk.get(url), 200 if some else 404, (desk.persona.name, url))


def test_common_pages(desk: Desk) -> None:
    for name in ("index", "password_change", "password_change_done", "jsi18n"):
        assert_status(desk.get(reverse(f"admin:{name}")), 200, name)
    assert_status(desk.post(reverse("admin:password_change")), 200, "password_change")
    assert_status(desk.get(reverse("admin:logout")), 405, "logout by a link")
    assert_status(desk.post(reverse("admin:logout")), 200, "logout", changes=True)


def test_no_way_round_by_content_types(desk: Desk) -> None:
    for label in registered():
        app, model = label.split(".")
        kind = ContentType.objects.get(app_label=app, model=model)
        url = reverse("admin:view_on_site", args=[kind.pk, desk.pk(label, HOME)])
        assert_status(desk.get(url), 404, (desk.persona.name, url))


def test_whole_values(desk: Desk) -> None:
    for label, field in FIELDS.items():
        for place in PLACES:
            url = reverse("audit:reveal", args=[label, desk.pk(label, place), field])
            expected = desk.persona.status(label, "reveal", place)
            asked = desk.get(url)
            assert_status(asked, expected, (desk.persona.name, url, place))
            value = getattr(desk.targets.at(place, label), field)
            clear = value if isinstance(value, str) else value.clear
            assert clear not in asked.content.decode()
            assert clear not in desk.post(url).content.decode()
            shown = desk.post(url, reason="核对银行退回的账号信息")
            assert_status(shown, expected, (desk.persona.name, url, place))
            assert (clear in shown.content.decode()) == (expected == 200)
    plain = reverse("audit:reveal", args=["students.student", desk.pk("students.student", HOME), "name"])
    assert_status(desk.get(plain), 404, "a name is no hidden value")


def test_files(desk: Desk) -> None:
    for place in PLACES:
        url = reverse("admin:files_attachment_file", args=[desk.pk("files.attachment", place)])
        expected = desk.persona.status("files.attachment", "view", place)
        assert_status(desk.get(url), expected, (desk.persona.name, url, place))
        assert_status(desk.post(url), expected, (desk.persona.name, url, place))


def test_imported_files_come_to_who_may_see_whole_numbers(desk: Desk) -> None:
    for place in PLACES:
        batch: Any = desk.targets.at(place, "imports.importbatch")
        url = reverse("admin:files_attachment_file", args=[batch.file.pk])
        expected = desk.persona.status("files.attachment", "view", place)
        if expected == 200 and not desk.persona.may("files.attachment", "reveal"):
            expected = 403
        asked, sent = desk.get(url), desk.post(url, reason="核对报送名单的原件")
        assert_status(asked, expected, (desk.persona.name, url, place))
        assert_status(sent, expected, (desk.persona.name, url, place))
        if expected == 200:
            # Only a reason brings the file.
            assert "attachment" not in asked.headers.get("Content-Disposition", "")
            assert "attachment" in sent.headers["Content-Disposition"]


def test_first_passwords(desk: Desk) -> None:
    for place in PLACES:
        url = reverse("admin:schools_user_password", args=[desk.pk("schools.user", place)])
        expected = desk.persona.status("schools.user", "change", place)
        assert_status(desk.get(url), expected, (desk.persona.name, url, place))
        assert_status(desk.post(url), expected, (desk.persona.name, url, place))


def test_import_pages(desk: Desk) -> None:
    label, persona = "imports.importbatch", desk.persona
    resource = resource_for(KIND)
    assert resource is not None
    # The table's NEVER speaks of the register; lists are sent on the page that is tried here.
    sends = persona.role is not None and "add" in _table(persona, label)
    takes = sends and "import" in _table(persona, "students.student")
    index = reverse("imports:index")
    assert_status(desk.get(index), 200 if persona.may(label, "view") else 403, index)
    assert_status(desk.post(index, kind=KIND), 200 if takes else 403, (persona.name, index))
    template = reverse("imports:template", args=[KIND])
    assert_status(desk.get(template), 200 if takes else 403, (persona.name, template))
    returns = reverse("imports:returns")
    assert_status(desk.get(returns), 200 if sends else 403, (persona.name, returns))
    gives = takes and "export" in _table(persona, "students.student")
    assert_status(desk.post(returns, kind=KIND), 200 if gives else 403, (persona.name, returns))
    for place in PLACES:
        pk, seen = desk.pk(label, place), persona.sees(label, place)
        page = reverse("imports:batch", args=[pk])
        assert_status(desk.get(page), persona.status(label, "view", place), (persona.name, page, place))
        assert_status(
            desk.post(page), 405 if persona.may(label, "view") else 403, (persona.name, page, place)
        )
        for name in ("commit", "cancel", "again"):
            url = reverse(f"imports:{name}", args=[pk])
            expected = 403 if not sends else 404 if not seen else 200 if takes else 403
            assert_status(desk.post(url), expected, (persona.name, url, place), changes=True)
            assert_status(desk.get(url), 405 if sends else 403, (persona.name, url, place))
        for name in ("decide", "columns", "undo"):
            url = reverse(f"imports:{name}", args=[pk])
            expected = 403 if not sends else 404 if not seen else 200 if takes else 403
            for response in (desk.get(url), desk.post(url)):
                assert_status(response, expected, (persona.name, url, place), changes=True)
        refused = reverse("imports:refused", args=[pk])
        expected = 403 if not sends else 404 if not seen else 200 if takes else 403
        assert_status(desk.get(refused), expected, (persona.name, refused, place), changes=True)
        assert_status(desk.post(refused), 405 if sends else 403, (persona.name, refused, place))


def _table(persona: Persona, label: str) -> frozenset[str]:
    from povertyaid.schools.roles import TABLE

    assert persona.role is not None
    return TABLE[persona.role][label]


def test_summary_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the file looks like is tested elsewhere; here only who gets it.
    monkeypatch.setattr(Paper, "pdf", lambda _paper: b"%PDF-")
    label, persona = "reports.summary", desk.persona
    index = reverse("reports:index")
    assert_status(desk.get(index), 200 if persona.may(label, "view") else 403, index)
    assert_status(desk.post(index), 200 if persona.may(label, "add") else 403, index)
    for place in PLACES:
        pk = desk.pk(label, place)
        urls = {reverse("reports:summary", args=[pk]): "view"}
        urls[reverse("reports:summary_records", args=[pk, "recognised_pupils"])] = "view"
        urls |= {reverse(f"reports:summary_{kind}", args=[pk]): "export" for kind in ("pdf", "html", "json")}
        for url, action in urls.items():
            assert_status(desk.get(url), persona.status(label, action, place), (persona.name, url, place))
            assert_status(
                desk.post(url), 405 if persona.may(label, action) else 403, (persona.name, url, place)
            )


def _closed(world: World, account: User) -> Iterator[str]:
    """Every address that needs a role, with a record of the home school where one is needed."""
    targets = make_targets(world, {HOME: account, RIVAL: account, FOREIGN: account})
    for label in registered():
        pk = targets.at(HOME, label).pk
        yield reverse(page_name(label, "changelist"))
        yield reverse(page_name(label, "add"))
        for page in RECORD_PAGES:
            yield reverse(page_name(label, page), args=[pk])
    names = {address.name for address in addresses()}
    yield from (reverse(name) for name in names if name.endswith("_export"))
    yield from (
        reverse(name) for name in ("admin:index", "admin:password_change", "imports:index", "reports:index")
    )
    yield from (
        reverse("admin:app_list", args=[app]) for app in {label.split(".")[0] for label in registered()}
    )
    yield reverse("admin:autocomplete")
    yield reverse("audit:reveal", args=["students.student", world.home.pupil.pk, "identity"])
    yield reverse("admin:files_attachment_file", args=[world.home.attachment.pk])
    yield reverse("admin:schools_user_password", args=[account.pk])
    yield reverse("imports:template", args=[KIND])
    yield from (
        reverse(f"imports:{name}", args=[world.home.batch.pk])
        for name in ("batch", "commit", "cancel", "again", "decide", "columns", "undo", "refused")
    )
    yield reverse("imports:returns")
    for name in ("summary", "summary_pdf", "summary_html", "summary_json"):
        yield reverse(f"reports:{name}", args=[world.home.summary.pk])
    yield reverse("reports:summary_records", args=[world.home.summary.pk, "recognised_pupils"])


def test_whoever_is_not_logged_in_is_asked_to(world: World, school_clerk: User) -> None:
    client = Client()
    for url in _closed(world, school_clerk):
        for response in (client.get(url), client.post(url)):
            # The lists and files of the software tell nothing, not even that a method is wrong.
            assert response.status_code in {302, 405}, url
            if response.status_code == 302:
                assert response.headers["Location"].startswith("/login/"), url


def test_an_account_without_a_role_opens_nothing(
    world: World, nobody: User, school_clerk: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(nobody)
    for url in _closed(world, school_clerk):
        for response in (client.get(url), client.post(url)):
            to_login = response.status_code == 302 and response.headers["Location"].startswith("/login/")
            assert to_login or response.status_code in {403, 405}, (url, response.status_code)


def test_open_pages() -> None:
    client = Client()
    assert client.get(reverse("health")).status_code == 200
    assert client.get(reverse("admin:login")).status_code == 200
    assert client.post(reverse("admin:login")).status_code == 200
    assert client.post(reverse("set_language"), {"language": "en"}).status_code == 302


def test_exceptions_of_the_table_are_real() -> None:
    for label, action in NEVER:
        roles = [persona for persona in PERSONAS if action in _table(persona, label)]
        assert roles or label == "files.attachment", (label, action)
