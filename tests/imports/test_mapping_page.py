"""The mapping page: what is asked, saved, remembered for the next list, and refused."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from aid.models import Payment
from households.models import Household, Village
from povertyaid.imports.models import ImportBatch, SavedMapping
from povertyaid.schools.models import County, School, User
from students.models import Student
from tests import factories
from tests.imports.conftest import Cells, xlsx
from tests.imports.test_mapping import pupils, working_sheet

pytestmark = pytest.mark.django_db
INDEX = reverse("imports:index")
ClientOf = Callable[[User], Client]


@pytest.fixture(autouse=True)
def reference(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda *_args: dt.date(2026, 7, 1))
    for number, name in enumerate(("脱贫家庭", "低保家庭")):
        factories.SpecialGroupFactory(code=f"group{number}", name=name)


def send(client: Client, rows: Cells, kind: str = "students", **fields: Any) -> ImportBatch:
    file = SimpleUploadedFile("名单.xlsx", xlsx(rows, title="名单"))
    answer = client.post(INDEX, {"kind": kind, "file": file, "period": "2025-2026-2", **fields})
    assert answer.status_code == 302, answer.context["form"].errors
    return ImportBatch.objects.order_by("-pk")[0]


def page_of(batch: ImportBatch) -> str:
    return reverse("imports:columns", args=[batch.pk])


def filled(page: Any) -> dict[str, Any]:
    """What a browser would send: every field of the page as it stands."""
    data: dict[str, Any] = {}
    for form in page.context["layouts"]:
        data[f"{form.prefix}-shown"] = form.now_shown
        for bound in form:
            value = bound.value()
            if value not in {None, False} if not isinstance(value, list) else True:
                data[bound.html_name] = value
    for bound in page.context["file"]:
        if bound.value() not in {None, False}:
            data[bound.html_name] = bound.value()
    return data


def select(page: Any, header: str, kind: str = "students") -> str:
    """The name of the select of a column."""
    for form in page.context["layouts"]:
        for column in form.columns:
            if column["text"] == header:
                return f"{form.prefix}-c{column['index']}-{kind}"
    raise AssertionError(header)


def save(client: Client, batch: ImportBatch, **changes: Any) -> Any:
    """Change fields of the page and save; names may leave out the prefix of the file's form."""
    page = client.get(page_of(batch))
    data = {**filled(page), **changes, "save": "1"}
    answer = client.post(page_of(batch), data)
    batch.refresh_from_db()
    return answer


def test_a_guess_is_shown_confirmed_and_imported(client_of: ClientOf, clerk: User, school: School) -> None:
    client = client_of(clerk)
    batch = send(client, pupils({"身份证号": "号码一"}))
    assert batch.state == "to_map"
    page = client.get(page_of(batch))
    text = page.content.decode()
    name = select(page, "号码一")
    prefix, _sign, field = name.partition("-")
    form = next(form for form in page.context["layouts"] if form.prefix == prefix)
    assert form[field].value() == "identity"
    assert "doubtful" in text
    assert "备注" in text
    assert "<script" not in text.split('<div id="content-main"')[1].split("</main>")[0]
    answer = save(client, batch)
    assert (answer.status_code, batch.state) == (302, "to_check")
    assert answer.url == reverse("imports:batch", args=[batch.pk])
    assert batch.counts["created"] == 6
    client.post(reverse("imports:commit", args=[batch.pk]), {"mode": "good"})
    assert Student.objects.filter(identity_hash__isnull=False).count() == 6


def test_no_kind_chosen_is_proposed_and_never_imported_unseen(
    client_of: ClientOf, bureau_clerk: User, county: County
) -> None:
    client = client_of(bureau_clerk)
    batch = send(client, [["乡镇", "行政村"], ["青石乡", "青石村"]], kind="", period="")
    assert (batch.state, batch.kind) == ("to_map", "")
    page = client.get(page_of(batch))
    assert [resource.kind for resource in page.context["layouts"][0].kinds] == ["villages"]
    save(client, batch)
    assert (batch.state, batch.kind, batch.counts["created"]) == ("to_check", "villages", 1)
    assert not Village.objects.exists()


def test_one_field_twice_and_a_missing_one_are_told_beside_their_place(
    client_of: ClientOf, clerk: User
) -> None:
    client = client_of(clerk)
    batch = send(client, pupils({"身份证号": "号码一"}))
    page = client.get(page_of(batch))
    changes = {select(page, "备注"): "phone", select(page, "姓名"): "", "file-office": "县退役军人局"}
    answer = save(client, batch, **changes)
    assert (answer.status_code, batch.state) == (200, "to_map")
    form = answer.context["layouts"][0]
    assert list(form.errors) == [select(page, "备注").partition("-")[2]]
    assert any("姓名" in error for error in answer.context["file"].non_field_errors())
    # Nothing typed is lost.
    assert answer.context["file"]["office"].value() == "县退役军人局"
    assert form[select(page, "备注").partition("-")[2]].value() == "phone"


def test_a_missing_column_is_given_for_the_whole_file(
    client_of: ClientOf, clerk: User, school: School
) -> None:
    factories.ProgrammeFactory(county=school.county, name="寄宿生生活补助")
    identity = factories.identity_number(dt.date(2016, 1, 3), 0)
    factories.enrolled(factories.SchoolClassFactory(school=school), name="赵晓雨", identity=identity)
    client = client_of(clerk)
    batch = send(client, [["姓名", "身份证号", "实发金额"], ["赵晓雨", identity, "625.00"]], kind="payments")
    assert batch.state == "to_map"
    page = client.get(page_of(batch))
    assert [bound.label for bound in page.context["file"].value_fields()] == ["资助项目"]
    answer = save(client, batch)
    assert (answer.status_code, batch.state) == (200, "to_map")
    assert any("资助项目" in error for error in answer.context["file"].non_field_errors())
    save(client, batch, **{"file-v-payments-programme": "寄宿生生活补助"})
    assert (batch.state, batch.counts["created"], batch.counts["rejected"]) == ("to_check", 1, 0)
    assert batch.options["set"] == {"资助项目": "寄宿生生活补助"}
    # It still stands there when the page is opened again.
    page = client.get(page_of(batch))
    assert page.context["file"]["v-payments-programme"].value() == "寄宿生生活补助"


def test_a_value_that_cannot_be_read_is_told_at_its_field(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    batch = send(client, pupils({"身份证号": "号码一"}))
    changes = {"file-x0-column": "入学年月", "file-x0-value": "不知何时", "file-x1-value": "没有列"}
    answer = save(client, batch, **changes)
    assert set(answer.context["file"].errors) == {"x0-value", "x1-column"}
    save(client, batch, **{"file-x0-column": "入学年月", "file-x0-value": "2024-09"})
    assert batch.options["set"] == {"入学年月": "2024-09"}


def test_a_header_that_was_moved_is_read_there_and_shown_first(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    rows = [["姓名", "班级"], ["这是旧表头", "不用"], *pupils()]
    batch = send(client, rows)
    page = client.get(page_of(batch))
    prefix = page.context["layouts"][0].prefix
    answer = save(client, batch, **{f"{prefix}-first": "3", f"{prefix}-height": "1"})
    assert answer.status_code == 200, "the columns of the other header were not seen yet"
    form = answer.context["layouts"][0]
    assert (form.place, len(form.columns)) == ("3:1", 9)
    data = {**filled(answer), "save": "1"}
    answer = client.post(page_of(batch), data)
    batch.refresh_from_db()
    assert (answer.status_code, batch.state, batch.counts["created"]) == (302, "to_check", 6)


def test_a_kind_that_is_added_is_shown_before_it_is_saved(
    client_of: ClientOf, bureau_clerk: User, school: School, villages: list[Village]
) -> None:
    """A county's working sheet on the page: households, pupils and payments from each row, all or none of them."""
    factories.ProgrammeFactory(county=school.county, name="寄宿生生活补助")
    client = client_of(bureau_clerk)
    batch = send(client, working_sheet(), kind="", school=school.pk)
    page = client.get(page_of(batch))
    prefix = page.context["layouts"][0].prefix
    kinds = ["households", "students", "payments"]
    data = {**filled(page), f"{prefix}-kinds": kinds, "save": "1"}
    seen = client.post(page_of(batch), data)
    assert seen.status_code == 200
    assert len(list(seen.context["layouts"][0].shown_columns())[4].choices) == 3
    names = {kind: seen.context["layouts"][0][f"c4-{kind}"].value() for kind in kinds}
    assert names == dict.fromkeys(kinds, "name")
    answer = client.post(page_of(batch), {**filled(seen), "save": "1"})
    batch.refresh_from_db()
    assert (answer.status_code, batch.state, batch.kind) == (302, "to_check", "households,students,payments")
    shown = client.get(reverse("imports:batch", args=[batch.pk]))
    assert shown.status_code == 200
    assert batch.counts["created"] == 6
    assert batch.counts["rejected"] == 3
    client.post(reverse("imports:commit", args=[batch.pk]), {"mode": "good"})
    assert (Household.objects.count(), Student.objects.count(), Payment.objects.count()) == (2, 2, 2)
    again = send(client, working_sheet(), kind="", school=school.pk)
    page = client.get(page_of(again))
    seen = client.post(page_of(again), {**filled(page), f"{prefix}-kinds": kinds, "show": "1"})
    client.post(page_of(again), {**filled(seen), "save": "1"})
    again.refresh_from_db()
    assert (again.counts["created"], again.counts["updated"], again.counts["unchanged"]) == (0, 0, 6)


# Saved columns


def remembered(client: Client, rows: Cells, sender: str, **fields: Any) -> ImportBatch:
    batch = send(client, rows, **fields)
    save(client, batch, **{"file-office": sender, "file-remember": "on"})
    return batch


def test_the_same_header_is_known_again_wherever_it_stands(
    client_of: ClientOf, bureau_clerk: User, school: School
) -> None:
    client = client_of(bureau_clerk)
    new_names = {"身份证号": "号码一", "姓名": "大 名"}
    first = remembered(client, pupils(new_names), "县退役军人局", school=school.pk)
    saved = SavedMapping.objects.get()
    assert (saved.sender, saved.school, first.mapping) == ("县退役军人局", None, saved)
    used = saved.used_at
    later = [["残疾学生名单"], [], *pupils({"身份证号": "号码一", "姓名": "大名"})]
    second = send(client, later, school=school.pk)
    assert (second.state, second.mapping) == ("to_check", saved)
    assert second.options["parts"][0]["header"] == [3, 1]
    saved.refresh_from_db()
    assert saved.used_at is not None
    assert used is not None
    assert saved.used_at >= used
    # Without a kind it is known too; with another kind it is not applied.
    third = send(client, later, kind="", school=school.pk)
    assert (third.state, third.kind) == ("to_check", "students")
    page = client.get(page_of(third))
    assert "县退役军人局" in page.content.decode()
    fourth = send(client, later, kind="payments", school=school.pk)
    assert fourth.state == "to_map"
    assert fourth.mapping is None


def test_several_senders_with_the_same_header_are_chosen_from(
    client_of: ClientOf, bureau_clerk: User, school: School
) -> None:
    client = client_of(bureau_clerk)
    rows = pupils({"身份证号": "号码一"})
    remembered(client, rows, "民政局", school=school.pk)
    mine = SavedMapping.objects.get()
    columns = {**mine.parts[0]["columns"], "备注": ""}
    other = factories.SavedMappingFactory(
        county=school.county,
        sender="县退役军人局",
        digest=mine.digest,
        parts=[{"kind": "students", "columns": columns}],
    )
    batch = send(client, rows, school=school.pk)
    assert (batch.state, batch.mapping) == ("to_map", None)
    assert "民政局" in batch.report["asked"]
    page = client.get(page_of(batch), {"mapping": other.pk})
    assert page.context["layouts"][0]["c8-students"].value() == ""
    client.post(page_of(batch), {**filled(page), "mapping": other.pk, "save": "1"})
    batch.refresh_from_db()
    assert (batch.state, batch.mapping) == ("to_check", other)
    # The sender that was named decides by itself.
    named = send(client, rows, school=school.pk, office="民政局")
    assert (named.state, named.mapping) == ("to_check", mine)


def test_saved_columns_of_others_are_not_known(
    client_of: ClientOf, clerk: User, rival_clerk: User, rival_bureau_clerk: User, school: School
) -> None:
    rows = pupils({"身份证号": "号码一"})
    remembered(client_of(clerk), rows, "县退役军人局")
    saved = SavedMapping.objects.get()
    assert saved.school == school
    for user in (rival_clerk, rival_bureau_clerk):
        batch = send(client_of(user), rows)
        assert (batch.state, batch.mapping) == ("to_map", None)
        page = client_of(user).get(page_of(batch), {"mapping": saved.pk})
        assert page.status_code == 200
        assert "县退役军人局" not in page.content.decode()


def test_the_senders_name_is_needed_for_keeping(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    batch = send(client, pupils({"身份证号": "号码一"}))
    answer = save(client, batch, **{"file-remember": "on"})
    assert list(answer.context["file"].errors) == ["office"]
    assert not SavedMapping.objects.exists()
    save(client, batch, **{"file-remember": "on", "file-office": "县退役军人局"})
    save(client, batch, **{"file-remember": "on", "file-office": "县退役军人局"})
    assert SavedMapping.objects.count() == 1


# Who may, and what nobody should send


def test_batches_of_others_are_not_found_and_lookers_are_refused(
    client_of: ClientOf, clerk: User, rival_clerk: User, rival_bureau_clerk: User, principal: User
) -> None:
    batch = send(client_of(clerk), pupils({"身份证号": "号码一"}))
    for user, status in ((rival_clerk, 404), (rival_bureau_clerk, 404), (principal, 403)):
        client = client_of(user)
        assert client.get(page_of(batch)).status_code == status
        assert client.post(page_of(batch), {"save": "1"}).status_code == status
    batch.refresh_from_db()
    assert batch.state == "to_map"


def test_a_kind_that_the_account_may_not_import_is_not_offered(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    batch = send(client, pupils({"身份证号": "号码一"}))
    page = client.get(page_of(batch))
    form = page.context["layouts"][0]
    assert "schools" not in form.resources
    answer = client.post(page_of(batch), {**filled(page), f"{form.prefix}-kinds": ["schools"], "save": "1"})
    assert answer.status_code == 200
    assert list(answer.context["layouts"][0].errors) == ["kinds"]


def test_what_was_imported_is_not_decided_again(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    batch = send(client, pupils())
    page = client.get(page_of(batch))
    client.post(reverse("imports:commit", args=[batch.pk]), {"mode": "good"})
    batch.refresh_from_db()
    assert batch.state == "imported"
    answers: list[Any] = [
        client.get(page_of(batch)),
        client.post(page_of(batch), {**filled(page), "save": "1"}),
    ]
    for answer in answers:
        assert answer.url == reverse("imports:batch", args=[batch.pk])
    batch.refresh_from_db()
    assert batch.state == "imported"


def test_garbage_is_refused_in_the_form_and_is_no_error_of_the_server(
    client_of: ClientOf, clerk: User
) -> None:
    client = client_of(clerk)
    batch = send(client, pupils({"身份证号": "号码一"}))
    whole = filled(client.get(page_of(batch)))
    chance = random.Random(7)
    odd = [
        "",
        "\x00",
        "²",
        "-1",
        "9" * 40,
        "x" * 3000,
        "name",
        "名单",
        "students",
        "💥",
        "1:1|students",
        "姓名",
    ]
    for _turn in range(80):
        data = {
            name: chance.choice(odd) if chance.random() < 0.2 else value
            for name, value in whole.items()
            if chance.random() > 0.1
        }
        data[f"s{chance.randint(0, 9)}-c{chance.choice(odd)[:20]}"] = chance.choice(odd)
        data[chance.choice(["save", "show"])] = "1"
        data["mapping"] = chance.choice(odd)
        answer = client.post(page_of(batch), data)
        assert answer.status_code in {200, 302}
        assert client.get(page_of(batch), {"mapping": chance.choice(odd)}).status_code == 200
    assert not Student.objects.exists()


def test_the_page_costs_as_many_queries_for_many_sheets_and_columns(client_of: ClientOf, clerk: User) -> None:
    client = client_of(clerk)
    costs = []
    for count in (2, 60):
        rows = pupils({"身份证号": "号码一"}, count=count)
        for number, row in enumerate(rows):
            row += [f"列{place}" if number == 0 else None for place in range(count)]
        batch = send(client, rows)
        client.get(page_of(batch))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(page_of(batch))
        assert page.status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert costs[0] < 30


def test_saved_columns_are_renamed_and_removed_in_the_register(
    client_of: ClientOf, bureau_clerk: User, rival_bureau_clerk: User, county: County
) -> None:
    saved = factories.SavedMappingFactory(county=county, sender="县退役军人局")
    change = reverse("admin:imports_savedmapping_change", args=[saved.pk])
    client = client_of(bureau_clerk)
    assert "行政村" in client.get(change).content.decode()
    client.post(change, {"sender": "县残疾人联合会", "lock_version": saved.version, "_save": "1"})
    saved.refresh_from_db()
    assert saved.sender == "县残疾人联合会"
    assert client_of(rival_bureau_clerk).get(change).status_code == 404
    client.post(reverse("admin:imports_savedmapping_delete", args=[saved.pk]), {"post": "yes"})
    assert not SavedMapping.objects.exists()
