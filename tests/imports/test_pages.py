"""The import in the browser: send, look, confirm; by a bureau clerk and a school clerk, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from households.models import Assignment, Household, Village
from povertyaid.audit.models import Change
from povertyaid.files.models import Attachment
from povertyaid.imports import jobs
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.schools.models import County, School, Staff, User
from povertyaid.work.models import Work
from tests import factories
from tests.imports.conftest import WORKBOOKS, Cells, xlsx

INDEX = reverse("imports:index")
VILLAGES = [["乡(镇)", "行政村"], ["青石乡", "青石村"], ["青石乡", "柳溪村"]]
pytestmark = pytest.mark.django_db


def file_of(rows: Cells, name: str = "名单.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, xlsx(rows))


def send(client: Client, kind: str, file: SimpleUploadedFile, **fields: Any) -> Any:
    return client.post(INDEX, {"kind": kind, "file": file, **fields})


def sent(client: Client, kind: str, file: SimpleUploadedFile, **fields: Any) -> ImportBatch:
    """The batch of a file that was taken."""
    answer = send(client, kind, file, **fields)
    batch = ImportBatch.objects.order_by("-pk")[0]
    assert answer.status_code == 302
    assert answer.url == reverse("imports:batch", args=[batch.pk])
    return batch


def confirm(client: Client, batch: ImportBatch, mode: str = "good") -> Any:
    return client.post(reverse("imports:commit", args=[batch.pk]), {"mode": mode}, follow=True)


def test_bureau_clerk_looks_at_the_registry_and_confirms_it(
    client_of: Callable[[User], Client], bureau_clerk: User, villages: list[Village]
) -> None:
    client = client_of(bureau_clerk)
    data = (WORKBOOKS / "registry.xls").read_bytes()
    batch = sent(client, "households", SimpleUploadedFile("registry.xls", data))
    assert not Household.objects.exists()
    assert (batch.state, batch.sender, batch.counts["created"]) == ("to_check", bureau_clerk, 14)
    page = client.get(reverse("imports:batch", args=[batch.pk]))
    text = page.content.decode()
    assert "4312**********2238" in text
    assert "431202197809142238" not in text
    assert "<script" not in text.split('<div id="content-main"')[1].split("</main>")[0]
    refused = client.get(reverse("imports:batch", args=[batch.pk]), {"show": "rejected"}).content.decode()
    assert "4312**********1471" in refused
    assert "4312**********2238" not in refused.split('class="preview"')[1].split("</table>")[0]
    answer = confirm(client, batch)
    assert answer.redirect_chain == [(reverse("imports:batch", args=[batch.pk]), 302)]
    batch.refresh_from_db()
    assert (batch.state, Household.objects.count()) == ("partly", 14)
    assert (
        Change.objects.filter(model="households.household", actor=bureau_clerk, batch_id=batch.pk).count()
        == 14
    )
    again = sent(client, "households", SimpleUploadedFile("registry.xls", data))
    assert again.counts["unchanged"] == 14
    page = client.get(reverse("imports:batch", args=[again.pk]))
    assert reverse("imports:batch", args=[batch.pk]) in page.content.decode()


def test_every_filter_of_the_preview_opens(
    client_of: Callable[[User], Client], bureau_clerk: User, villages: list[Village]
) -> None:
    client = client_of(bureau_clerk)
    data = (WORKBOOKS / "registry.xls").read_bytes()
    batch = sent(client, "households", SimpleUploadedFile("registry.xls", data))
    shown = {}
    for name in ("", "created", "updated", "unchanged", "rejected", "warned", "ignored"):
        page = client.get(reverse("imports:batch", args=[batch.pk]), {"show": name})
        assert page.status_code == 200
        shown[name] = len(page.context["rows"])
    assert shown == {
        "": 34,
        "created": 33,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "warned": 1,
        "ignored": 3,
    }
    assert client.get(reverse("imports:batch", args=[batch.pk]), {"show": "x"}).status_code == 404


def test_school_clerk_imports_for_the_own_school(
    client_of: Callable[[User], Client], clerk: User, school: School, villages: list[Village]
) -> None:
    client = client_of(clerk)
    data = (WORKBOOKS / "registry.xls").read_bytes()
    batch = sent(client, "households", SimpleUploadedFile("registry.xls", data))
    assert batch.school == school
    confirm(client, batch)
    assert Assignment.objects.filter(school=school).count() == 14


def test_all_or_nothing_and_cancelling_write_nothing(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    batch = sent(client, "villages", file_of([*VILLAGES, [None, "石门村"]]))
    page = confirm(client, batch, "all")
    assert [message.level_tag for message in page.context["messages"]] == ["error"]
    batch.refresh_from_db()
    assert batch.state == "to_check"
    answer = client.post(reverse("imports:cancel", args=[batch.pk]), follow=True)
    assert answer.redirect_chain == [(INDEX, 302)]
    batch.refresh_from_db()
    assert batch.state == "cancelled"
    confirm(client, batch)
    client.post(reverse("imports:cancel", args=[batch.pk]))
    assert not Village.objects.exists()
    whole = sent(client, "villages", file_of(VILLAGES))
    confirm(client, whole, "all")
    confirm(client, whole, "all")
    whole.refresh_from_db()
    assert (whole.state, Village.objects.count()) == ("imported", 2)


def test_records_that_changed_meanwhile_give_a_new_preview(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    batch = sent(client, "villages", file_of(VILLAGES))
    factories.VillageFactory(county=county, township="青石乡", name="青石村")
    page = confirm(client, batch)
    assert [message.level_tag for message in page.context["messages"]] == ["error"]
    batch.refresh_from_db()
    assert (batch.state, batch.counts["created"], batch.counts["unchanged"]) == ("to_check", 1, 1)
    assert Village.objects.count() == 1
    confirm(client, batch)
    batch.refresh_from_db()
    assert (batch.state, Village.objects.count()) == ("imported", 2)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("photo.xlsx", b"\x89PNG\r\n\x1a\n not a list", "不是电子表格"),
        ("blank.csv", b" \n \n", "文件是空的"),
        ("cut.xlsx", b"PK\x03\x04 cut off", "损坏"),
    ],
)
def test_file_that_cannot_be_read_is_sent_back_with_the_reason(  # noqa: PLR0917 - fixtures are asked for by name
    client_of: Callable[[User], Client],
    bureau_clerk: User,
    county: County,
    name: str,
    content: bytes,
    told: str,
) -> None:
    client = client_of(bureau_clerk)
    batch = sent(client, "villages", SimpleUploadedFile(name, content))
    assert (batch.state, batch.rows.count()) == ("refused", 0)
    page = client.get(reverse("imports:batch", args=[batch.pk]))
    assert told in page.content.decode()
    assert not page.context["may_commit"]
    confirm(client, batch)
    client.post(reverse("imports:again", args=[batch.pk]))
    batch.refresh_from_db()
    assert batch.state == "refused"


def test_list_of_another_kind_asks_what_its_columns_are(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    file = SimpleUploadedFile("other.csv", "姓名,分数\n张三,9\n".encode())
    answer = send(client, "villages", file)
    batch = ImportBatch.objects.get()
    assert batch.state == "to_map"
    assert answer.url == reverse("imports:columns", args=[batch.pk])
    assert client.get(answer.url).status_code == 200
    assert not client.get(reverse("imports:batch", args=[batch.pk])).context["may_commit"]
    confirm(client, batch)
    assert not Village.objects.exists()


def test_empty_file_and_unknown_kind_are_told_at_the_form(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    for kind, content in (("villages", b""), ("no-such-kind", "乡镇,行政村\n甲,乙\n".encode())):
        answer = send(client, kind, SimpleUploadedFile("list.csv", content))
        assert answer.status_code == 200
        assert answer.context["form"].errors
    assert not ImportBatch.objects.exists()
    assert not Attachment.objects.exists()


def test_lost_work_is_said_and_the_file_can_be_looked_at_again(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    batch = sent(client, "villages", file_of(VILLAGES))
    work = Work.objects.get(target_id=batch.pk)
    batch.move(ImportBatch.State.IMPORTING)
    Work(what=jobs.COMMIT, target_model=work.target_model, target_id=batch.pk, error="断电").save()
    jobs.stopped(Work.objects.order_by("-pk")[0])
    page = client.get(reverse("imports:batch", args=[batch.pk]))
    assert "断电" in page.content.decode()
    assert (page.context["may_commit"], page.context["batch"].state) == (False, "failed")


def test_rows_are_found_by_their_number(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    batch = sent(client, "villages", file_of(VILLAGES))
    address = reverse("imports:batch", args=[batch.pk])
    rows = client.get(address, {"row": "3"}).context["rows"]
    assert [(item.row.row, item.row.values["行政村"]) for item in rows] == [(3, "柳溪村")]
    for garbage in ("999999999999999999999", "-1", "三", "٣"):
        assert client.get(address, {"row": garbage}).status_code == 200


def test_too_large_file_is_told_at_the_form(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County, settings: Any
) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1000
    answer = send(client_of(bureau_clerk), "villages", file_of(VILLAGES))
    assert set(answer.context["form"].errors) == {"file"}
    assert not ImportBatch.objects.exists()


def test_foreign_school_and_unknown_semester_are_told_at_the_form(
    client_of: Callable[[User], Client], clerk: User, rival_school: School, villages: list[Village]
) -> None:
    client = client_of(clerk)
    data = (WORKBOOKS / "registry.xls").read_bytes()
    for fields, where in (({"school": rival_school.pk}, "school"), ({"period": "2025-2026-3"}, "period")):
        answer = send(client, "households", SimpleUploadedFile("registry.xls", data), **fields)
        assert set(answer.context["form"].errors) == {where}
    page = client.get(INDEX).content.decode()
    assert rival_school.name not in page
    assert not ImportBatch.objects.exists()


def test_list_that_names_a_foreign_school_is_not_taken_for_the_own_one(
    client_of: Callable[[User], Client], clerk: User, rival_school: School
) -> None:
    rows = [["姓名", "学校", "职务"], ["王五", rival_school.name, "教师"]]
    batch = sent(client_of(clerk), "staff", file_of(rows))
    assert batch.counts["rejected"] == 1
    confirm(client_of(clerk), batch)
    assert not Staff.objects.filter(name="王五").exists()


def test_batch_of_another_school_is_not_found(
    client_of: Callable[[User], Client], clerk: User, rival_clerk: User, villages: list[Village]
) -> None:
    data = (WORKBOOKS / "registry.xls").read_bytes()
    batch = sent(client_of(rival_clerk), "households", SimpleUploadedFile("registry.xls", data))
    own, rival = client_of(clerk), client_of(rival_clerk)
    assert rival.get(reverse("imports:batch", args=[batch.pk])).status_code == 200
    assert own.get(reverse("imports:batch", args=[batch.pk])).status_code == 404
    assert own.post(reverse("imports:commit", args=[batch.pk])).status_code == 404
    assert own.post(reverse("imports:cancel", args=[batch.pk])).status_code == 404
    assert "registry.xls" not in own.get(INDEX).content.decode()
    assert not Household.objects.exists()


def test_who_may_not_import_is_refused(
    client_of: Callable[[User], Client],
    principal: User,
    clerk: User,
    class_teacher: User,
    villages: list[Village],
) -> None:
    data = (WORKBOOKS / "registry.xls").read_bytes()
    batch = sent(client_of(clerk), "households", SimpleUploadedFile("registry.xls", data))
    head = client_of(principal)
    page = head.get(reverse("imports:batch", args=[batch.pk]))
    assert (page.status_code, page.context["may_commit"]) == (200, False)
    assert head.get(INDEX).context["form"] is None
    assert send(head, "households", SimpleUploadedFile("registry.xls", data)).status_code == 403
    assert head.post(reverse("imports:commit", args=[batch.pk])).status_code == 403
    assert head.post(reverse("imports:cancel", args=[batch.pk])).status_code == 403
    teacher = client_of(class_teacher)
    for address in (
        INDEX,
        reverse("imports:batch", args=[batch.pk]),
        reverse("imports:template", args=["villages"]),
    ):
        assert teacher.get(address).status_code == 403
    # A kind that one's role may not import, sent past the form.
    assert send(client_of(clerk), "villages", file_of(VILLAGES)).status_code == 403
    assert client_of(clerk).get(reverse("imports:template", args=["villages"])).status_code == 403
    assert Client().get(INDEX).status_code == 302


def test_template_stands_beside_each_kind(client_of: Callable[[User], Client], bureau_clerk: User) -> None:
    client = client_of(bureau_clerk)
    page = client.get(INDEX)
    kinds = [found.variant or found.kind for found in page.context["shapes"]]
    assert {"schools", "villages", "staff", "households"} <= set(kinds)
    for kind in kinds:
        answer = client.get(reverse("imports:template", args=[kind]))
        assert answer.content.startswith(b"PK")
        assert "attachment" in answer["Content-Disposition"]
    assert client.get(reverse("imports:template", args=["cows"])).status_code == 404


def test_confirming_needs_the_token_of_the_page(bureau_clerk: User, county: County) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bureau_clerk)
    batch = factories.ImportBatchFactory(county=county, school=None, sender=bureau_clerk)
    assert client.post(reverse("imports:commit", args=[batch.pk])).status_code == 403
    assert client.get(reverse("imports:commit", args=[batch.pk])).status_code == 405


def test_preview_is_paged_and_costs_as_many_queries_for_many_rows(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    client.get(INDEX)  # the first request of a session writes the session
    numbers = []
    for count in (10, 200):
        rows = [VILLAGES[0], *(["青石乡", f"第{number}村"] for number in range(count))]
        with CaptureQueriesContext(connection) as sending:
            batch = sent(client, "villages", file_of(rows))
        with CaptureQueriesContext(connection) as looking:
            page = client.get(reverse("imports:batch", args=[batch.pk]))
        with CaptureQueriesContext(connection) as confirming:
            confirm(client, batch)
        assert len(page.context["rows"]) == min(count, 50)
        numbers.append((len(sending), len(looking), len(confirming)))
        Village.objects.all().delete()
    # Bulk inserts go in blocks of 999 values where the database takes no more; nothing else grows with the rows.
    blocks = 200 * 20 // 999 + 1
    assert numbers[0][1] == numbers[1][1]
    assert numbers[1][0] - numbers[0][0] <= blocks
    assert numbers[1][2] - numbers[0][2] <= blocks


def test_register_of_imports_opens(
    client_of: Callable[[User], Client], bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    batch = sent(client, "villages", file_of(VILLAGES))
    assert client.get(reverse("admin:imports_importbatch_changelist")).status_code == 200
    assert client.get(reverse("admin:imports_importbatch_change", args=[batch.pk])).status_code == 200
    assert ImportRow.objects.filter(batch=batch).count() == 3
