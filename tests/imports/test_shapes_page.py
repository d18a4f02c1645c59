"""Lists of households with one row a household, on the pages: told by their headers, matched by hand, imported."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from households.models import Household, Member, Village
from povertyaid.imports.models import ImportBatch
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


def test_each_shape_has_a_template_that_is_filled_in_and_sent(
    client_of: ClientOf, bureau_clerk: User, villages: list[Village]
) -> None:
    client = client_of(bureau_clerk)
    address = reverse("imports:template", args=["household_rows"])
    assert address in client.get(reverse("imports:index")).content.decode()
    answer = client.get(address)
    workbook = load_workbook(io.BytesIO(answer.content))
    sheet = workbook.worksheets[0]
    headers = [str(cell.value) for cell in sheet[1]]
    values = dict(zip(HEADERS, ROWS[1], strict=True)) | {"序号": 1}
    sheet.append([values.get(header) for header in headers])
    out = io.BytesIO()
    workbook.save(out)
    file = SimpleUploadedFile("填写.xlsx", out.getvalue())
    client.post(reverse("imports:index"), {"kind": "households", "file": file})
    batch = ImportBatch.objects.get()
    # The example row above it is no record.
    assert (batch.state, batch.counts["rows"], batch.counts["created"]) == ("to_check", 1, 1)
