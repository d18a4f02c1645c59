"""Menu, home page, error pages, headers: what everybody meets."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections.abc import Callable
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.urls import reverse

from povertyaid.audit.models import AccessLog
from povertyaid.files.models import Attachment, Document
from povertyaid.schools import menu, todo
from povertyaid.schools.models import User
from tests.personas import World
from tests.records.pages import page, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def _menu(client: Client) -> dict[str, list[str]]:
    sections = client.get("/").context["app_list"]
    return {
        section["app_label"]: [
            entry["model"]._meta.label_lower if entry["model"] else entry["object_name"]
            for entry in section["models"]
        ]
        for section in sections
    }


def test_the_menu_follows_the_offices_work_and_shows_what_the_role_may(
    client_of: ClientOf, clerk: User, class_teacher: User, county_admin: User, county_director: User
) -> None:
    order = [section.key for section in menu.SECTIONS]
    menus = {user.username: _menu(client_of(user)) for user in (clerk, class_teacher, county_admin, county_director)}
    for found in menus.values():
        assert [key for key in order if key in found] == list(found)
        assert "other" not in found
    assert {"students.student", "households.household"} <= set(menus[clerk.username]["pupils"])
    assert "imports-index" in menus[clerk.username]["imports"]
    assert "imports" not in menus[county_director.username]
    assert "schools.user" in menus[county_admin.username]["system"]
    for user in (clerk, class_teacher, county_director):
        assert "schools.user" not in menus[user.username].get("system", [])
    assert "pairings.privatenote" in menus[class_teacher.username]["pairings"]
    assert "pairings.privatenote" not in menus[county_admin.username]["pairings"]


@pytest.mark.parametrize("persona", ["clerk", "principal", "class_teacher", "inspector", "county_admin"])
def test_every_entry_of_every_menu_opens(
    client_of: ClientOf, persona: str, world: World, request: pytest.FixtureRequest
) -> None:
    client = client_of(request.getfixturevalue(persona))
    for section in client.get("/").context["app_list"]:
        for entry in section["models"]:
            for url in filter(None, (entry["admin_url"], entry["add_url"])):
                assert client.get(url).status_code == 200, url


def test_the_home_page_counts_what_waits_and_leads_there(
    client_of: ClientOf, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[User, dt.date]] = []

    def source(user: User, day: dt.date) -> list[todo.Todo]:
        asked.append((user, day))
        return [
            todo.Todo("leicht", 1, "/a/"),
            todo.Todo("nichts", 0, "/b/"),
            todo.Todo("schwer", 7, "/c/", weight=5),
        ]

    monkeypatch.setattr(todo, "_SOURCES", [source])
    todo.register(source)
    response = client_of(clerk).get("/")
    assert [(line.label, line.count) for line in response.context["todo"]] == [("schwer", 7), ("leicht", 1)]
    assert asked[0][0] == clerk
    assert len(asked) == 1
    assert 'href="/c/"' in response.content.decode()
    assert set(todo.MONTHS) == set(range(1, 13))


def test_every_line_of_the_home_page_opens(client_of: ClientOf, clerk: User, world: World) -> None:
    client = client_of(clerk)
    for line in client.get("/").context["todo"]:
        assert client.get(line.url).status_code == 200, line.url


def test_the_language_can_be_switched_from_every_page(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    text = client.get("/").content.decode()
    assert 'lang="zh-hans"' in text
    assert reverse("set_language") in text
    answer = client.post(reverse("set_language"), {"language": "en", "next": "/"}, follow=True)
    assert 'lang="en"' in answer.content.decode()
    assert "School assistance office" in answer.content.decode()
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    assert 'lang="zh-hans"' in client.get("/").content.decode()


ERRORS = ("400.html", "403.html", "404.html", "500.html", "403_csrf.html")


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_page_tells_what_next_without_script_or_database(
    name: str, django_assert_num_queries: Callable[[int], object]
) -> None:
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        text = render_to_string(name)
    assert "<script" not in text
    assert "style=" not in text
    assert len(re.findall(r"<p>", text)) >= 2
    assert 'href="/"' in text
    sheet = re.search(r'href="/static/([^"]+)"', text)
    assert sheet
    assert (Path(settings.BASE_DIR) / "static" / sheet[1]).is_file()


def test_refusals_use_these_pages(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    for url, status in (("/schools/user/", 403), ("/schools/school/999999/change/", 404), ("/nirgends/", 404)):
        response = client.get(url)
        assert response.status_code == status
        assert "office/error.css" in response.content.decode()
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(reverse("admin:login"), {"username": "x", "password": "y"})
    assert response.status_code == 403
    assert "office/error.css" in response.content.decode()


def test_a_fault_of_ours_answers_500_in_words(
    client_of: ClientOf, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> list[todo.Todo]:
        raise ZeroDivisionError

    monkeypatch.setattr(todo, "_SOURCES", [broken])
    client = client_of(clerk)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert "office/error.css" in response.content.decode()


def test_pages_hold_neither_inline_scripts_nor_inline_styles(
    client_of: ClientOf, clerk: User, county_admin: User, world: World
) -> None:
    department = world.home.department
    urls = [
        "/",
        page(type(department), "changelist"),
        page(type(department), "change", department.pk),
        page(type(department), "delete", department.pk),
        page(type(department), "history", department.pk),
        page(type(world.home.pupil), "change", world.home.pupil.pk),
        page(type(world.home.pupil), "changelist"),
        page(type(world.home.pupil), "export"),
        reverse("admin:password_change"),
    ]
    client = client_of(clerk)
    for url in urls:
        response = client.get(url)
        text = response.content.decode()
        assert response.status_code == 200, url
        policy = response["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), url
        assert "<style" not in text, url
        assert not re.search(r"\sstyle=", text), url
        assert not re.search(r"\son[a-z]+=", text), url


def test_a_page_is_small_when_compressed(client_of: ClientOf, clerk: User, world: World) -> None:
    client = client_of(clerk)
    folder = Path(settings.BASE_DIR) / "static"
    stock = Path(django.__file__).parent / "contrib" / "admin" / "static"
    for url in (page(type(world.home.pupil), "changelist"), page(type(world.home.pairing), "add")):
        text = client.get(url).content
        total = len(gzip.compress(text))
        for name in set(re.findall(rb'(?:src|href)="/static/([^"]+)"', text)):
            path = next(root / name.decode() for root in (folder, stock) if (root / name.decode()).is_file())
            total += len(gzip.compress(path.read_bytes()))
        assert total < 150_000, (url, total)


# Scans of documents


def _document(**values: object) -> dict[str, object]:
    return {"title": "关于做好资助工作的通知", "number": "云教〔2026〕3号", **values}


def test_a_scan_is_kept_encrypted_and_comes_back_as_it_was(
    client_of: ClientOf, clerk: User, world: World
) -> None:
    client = client_of(clerk)
    data = b"%PDF-1.7 invented"
    scan = SimpleUploadedFile("通知.pdf", data)
    assert send(client, page(Document, "add"), **_document(scan=scan)).status_code == 302
    document = Document.objects.get(number="云教〔2026〕3号")
    assert document.school == world.home.school
    stored = document.attachment
    assert stored is not None
    assert (stored.name, stored.owner, stored.school) == ("通知.pdf", clerk, world.home.school)
    assert data not in bytes(stored.content)
    url = reverse("admin:files_attachment_file", args=[stored.pk])
    sent = client.get(url)
    assert sent.content == data
    assert sent["Content-Disposition"].startswith("attachment")
    assert sent["Content-Type"] == "application/octet-stream"
    entry = AccessLog.objects.get(action=AccessLog.Action.EXPORT)
    assert (entry.object_id, entry.actor) == (stored.pk, clerk)


def test_scans_of_other_kinds_or_sizes_are_refused(client_of: ClientOf, clerk: User, world: World) -> None:
    client, before = client_of(clerk), Attachment.objects.count()
    program = SimpleUploadedFile("harmless.pdf", b"MZ\x90\x00 not a scan")
    assert send(client, page(Document, "add"), **_document(scan=program)).status_code == 200
    with override_settings(UPLOAD_LIMIT_BYTES=8):
        large = SimpleUploadedFile("large.pdf", b"%PDF-1.7 too large")
        assert send(client, page(Document, "add"), **_document(scan=large)).status_code == 200
    assert Attachment.objects.count() == before


def test_files_are_sent_within_scope_and_permission(
    client_of: ClientOf, clerk: User, rival_clerk: User, class_teacher: User, world: World
) -> None:
    url = reverse("admin:files_attachment_file", args=[world.home.attachment.pk])
    answers = [client_of(user).get(url).status_code for user in (clerk, rival_clerk, class_teacher)]
    assert answers == [200, 404, 403]
