"""Imported lists hold whole numbers and rows of every school that they name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from povertyaid.audit.models import AccessLog
from povertyaid.imports.models import ImportBatch
from povertyaid.imports.options import Options
from povertyaid.imports.services import prepare, receive
from povertyaid.schools.models import School, User
from tests.personas import World

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
REASON = "核对银行退回名单"


def test_an_imported_list_needs_the_right_to_whole_numbers_and_a_reason(
    client_of: ClientOf, clerk: User, inspector: User, county_director: User, world: World
) -> None:
    stored = world.home.batch.file
    url = reverse("admin:files_attachment_file", args=[stored.pk])
    for user in (inspector, county_director):
        assert client_of(user).get(url).status_code == 403
        assert client_of(user).post(url, {"reason": REASON}).status_code == 403
    client = client_of(clerk)
    for asked in (client.get(url), client.post(url, {"reason": "看"})):
        assert asked.status_code == 200
        assert "Content-Disposition" not in asked
    assert not AccessLog.objects.filter(action=AccessLog.Action.EXPORT).exists()
    sent = client.post(url, {"reason": REASON})
    assert sent.content == stored.get()
    entry = AccessLog.objects.get(action=AccessLog.Action.EXPORT)
    assert (entry.actor, entry.object_id, entry.reason) == (clerk, stored.pk, REASON)


def test_a_list_with_rows_of_several_schools_is_not_shown_to_one_of_them(
    bureau_clerk: User, principal: User, school: School, rival_school: School, client_of: ClientOf
) -> None:
    rows = ["学校,姓名,年级,班级", f"{school.name},赵晓雨,三年级,1", f"{rival_school.name},钱小雪,九年级,1"]
    data = "\r\n".join(rows).encode("utf-8-sig")
    options = Options(school=school.code)
    batch = receive(data=data, name="名单.csv", user=bureau_clerk, options=options, kinds=["students"])
    prepare(batch=batch, user=bureau_clerk)
    assert batch.school is None
    assert not ImportBatch.objects.visible_to(principal).filter(pk=batch.pk).exists()
    assert client_of(principal).get(reverse("imports:batch", args=[batch.pk])).status_code == 404
