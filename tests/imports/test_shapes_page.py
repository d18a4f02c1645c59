"""Lists of households with one row a household, on the pages: told by their headers, matched by hand, imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from households.models import Household, Member, Village
from povertyaid.schools.models import User
from tests.imports.test_mapping_page import page_of, save, select, send

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]
HEADERS = ["乡镇", "行政村", "户编号", "户主姓名", "户主身份证号", "家庭人口", "户类型", "家庭成员"]
ROWS = [
    ["青石乡", "青石村", "4312020013", "张大", "431202197809142238", 2, "脱贫户", "张小三（长子）"],
    ["青石乡", "柳溪村", "4312020014", "李大", "", 1, "脱贫户", ""],
]


@pytest.mark.parametrize("kind", ["households", ""])
def test_one_row_a_household_is_told_by_its_headers(
    client_of: ClientOf, bureau_clerk: User, villages: list[Village], kind: str
) -> None:
    client = client_of(bureau_clerk)
    batch = send(client, [HEADERS, *ROWS], kind)
    # Without a kind a person agrees first; nothing else is to be said.
    assert batch.state == ("to_check" if kind else "to_map")
    if not kind:
        page = client.get(page_of(batch)).content.decode()
        assert "431202197809142238" not in page
        save(client, batch)
    batch.refresh_from_db()
    assert (batch.state, batch.kind, batch.counts["created"]) == ("to_check", "households", 2)


def test_a_column_of_such_a_list_is_chosen_by_hand(
    client_of: ClientOf, bureau_clerk: User, villages: list[Village]
) -> None:
    client = client_of(bureau_clerk)
    headers = [text.replace("户主姓名", "当家的") for text in HEADERS]
    batch = send(client, [headers, *ROWS], "households")
    assert batch.state == "to_map"
    page: Any = client.get(page_of(batch))
    answer = save(client, batch, **{select(page, "当家的", "households"): "head"})
    assert answer.status_code == 302
    assert (batch.state, batch.counts["created"], batch.counts["rejected"]) == ("to_check", 2, 0)
    client.post(answer.url + "commit/", {"mode": "good"})
    assert sorted(Household.objects.values_list("number", flat=True)) == ["4312020013", "4312020014"]
    assert Member.objects.count() == 3
