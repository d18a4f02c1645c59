"""Refused rows given back: in the sender's own layout, marked, and taken once they are mended."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from households.models import Household, Member, Village
from povertyaid.audit.models import AccessLog
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.options import Options
from povertyaid.imports.sendback import SendbackError, refused_workbook
from povertyaid.imports.sendback_layout import NUMBER, REASON, without_marks
from povertyaid.imports.services import commit_batch, prepare, receive
from povertyaid.lib.sheets.reader import read_workbook
from povertyaid.schools.models import School, User
from students.models import Student
from tests import factories
from tests.imports.conftest import WORKBOOKS, xlsx

pytestmark = pytest.mark.django_db

HEADERS = ["序号", "姓名", "身份证号码", "年级班级", "联系电话", "备注"]
SEMESTER = "2025-2026-2"


def identity(place: int) -> str:
    return factories.identity_number(dt.date(2017, 1, 1) + dt.timedelta(days=place * 3), place)


def sent(
    data: bytes, name: str, kind: str, user: User, school: School | None = None, **options: Any
) -> ImportBatch:
    """A file as it is sent in the browser, looked at."""
    chosen = Options(school=school.code if school else "", **options)
    batch = receive(data=data, name=name, user=user, options=chosen, kinds=[kind])
    prepare(batch=batch, user=user)
    assert batch.state == ImportBatch.State.TO_CHECK, batch.report
    return batch


def confirmed(batch: ImportBatch, user: User) -> ImportBatch:
    return commit_batch(batch=batch, user=user, all_or_nothing=False)


def opened(data: bytes) -> Worksheet:
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    assert isinstance(sheet, Worksheet)
    return sheet


def saved(sheet: Worksheet) -> bytes:
    assert sheet.parent is not None
    out = io.BytesIO()
    sheet.parent.save(out)
    return out.getvalue()


def values(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def errors(batch: ImportBatch) -> list[list[tuple[str | None, str]]]:
    rows = ImportRow.objects.filter(batch=batch, outcome="rejected").order_by("pk")
    return [
        [(note["column"], note["message"]) for note in row.messages if note["level"] == "error"]
        for row in rows
    ]


def pupils(*rows: Sequence[Any]) -> list[Sequence[Any]]:
    return [["青石坳中心完小学生花名册"], HEADERS, *rows, ["制表人：王五"]]


@pytest.fixture
def batch(clerk: User, school: School) -> ImportBatch:
    """Four pupils, two of them refused: a wrong check digit, and a number that lost its end."""
    wrong = identity(1)[:-1] + ("1" if identity(1)[-1] != "1" else "2")
    data = xlsx(
        pupils(
            [1, "赵晓雨", identity(0), "一年级2班", "13800000000", None],
            [2, "钱子轩", wrong, "一年级2班", "13800000001", "=1+1"],
            [3, "孙文博", identity(2), "一年级2班", "13800000002", None],
            [4, "李若曦", 431202201701050025, "一年级2班", "13800000003", None],
        ),
        title="一年级",
        merges=["A1:F1"],
        hidden=[4],
    )
    return confirmed(sent(data, "花名册.xlsx", "students", clerk, school, period=SEMESTER), clerk)


def test_returned_workbook_has_the_own_layout_and_marks(batch: ImportBatch, clerk: User) -> None:
    assert (batch.state, Student.objects.count()) == ("partly", 2)
    sheet = opened(refused_workbook(batch, clerk))
    assert sheet.title == "一年级"
    assert [str(merge) for merge in sheet.merged_cells.ranges] == ["A1:F1"]
    told = values(sheet)
    assert told[0][0] == "青石坳中心完小学生花名册"
    assert told[1] == [*HEADERS, REASON, NUMBER]
    assert [row[1] for row in told[2:]] == ["钱子轩", "李若曦"]
    assert [row[-1] for row in told[2:]] == [4, 6]
    # A hidden row is visible, and what began like a formula is text.
    assert not sheet.row_dimensions[3].hidden
    assert (sheet["F3"].value, sheet["F3"].data_type) == ("=1+1", "s")
    marked: dict[str, Any] = {
        cell.coordinate: cell for row in sheet.iter_rows() for cell in row if cell.comment
    }
    assert set(marked) == {"C3", "C4", "F3"}
    for cell in marked.values():
        assert cell.fill.fgColor.rgb == "00FFC7CE"
        # What is typed here again keeps its digits.
        assert cell.number_format == "@"
        assert cell.comment is not None
        assert cell.comment.text in str(told[cell.row - 1][len(HEADERS)])
    assert sheet["E3"].number_format == "@"
    assert isinstance(sheet["C4"].value, int | float)


def test_mended_rows_are_taken_and_others_refused_again(
    batch: ImportBatch, clerk: User, school: School
) -> None:
    before = errors(batch)
    data = refused_workbook(batch, clerk)
    again = sent(data, "退回.xlsx", "students", clerk, school, period=SEMESTER)
    assert errors(again) == before
    assert [item["header"] for item in again.report["columns"]["unmatched"]] == ["序号"]
    sheet = opened(data)
    sheet["C3"], sheet["C4"], sheet["F3"] = identity(1), identity(3), "住校"
    mended = confirmed(sent(saved(sheet), "改好.xlsx", "students", clerk, school, period=SEMESTER), clerk)
    assert (mended.state, mended.counts["created"]) == ("imported", 2)
    assert Student.objects.count() == 4


def test_rows_that_wait_for_a_decision_are_given_back(
    batch: ImportBatch, clerk: User, school: School
) -> None:
    other = factories.identity_number(dt.date(2016, 5, 20), 30)
    row: list[Any] = [1, "赵晓雨", other, "一年级2班", None, None]
    asked = sent(xlsx(pupils(row)), "近似.xlsx", "students", clerk, school, period=SEMESTER)
    assert asked.counts["asked"] == 1
    assert values(opened(refused_workbook(asked, clerk)))[2][1] == "赵晓雨"


def test_header_of_two_rows_and_merged_families(bureau_clerk: User, villages: list[Village]) -> None:
    head = factories.identity_number(dt.date(1986, 3, 4), 0)
    rows: list[list[Any]] = [
        ["云岭县农户信息", *[None] * 8],
        ["地址", None, "户编号", "家庭成员", None, None, None, "户类型", "致贫原因1"],
        ["乡(镇)", "行政村", None, "姓名", "证件号码", "与户主关系", "人数", None, None],
        ["青石乡", "青石村", "431202000001", "沈一民", head, "户主", 2, "脱贫户", "因病"],
        [None, None, None, "沈小雨", "12345", "之女", None, None, None],
    ]
    merges = [
        "A1:I1",
        "A2:B2",
        "C2:C3",
        "D2:G2",
        "H2:H3",
        "I2:I3",
        "A4:A5",
        "B4:B5",
        "C4:C5",
        "H4:H5",
        "I4:I5",
    ]
    data = xlsx(rows, title="花名册", merges=merges)
    batch = confirmed(sent(data, "农户.xlsx", "households", bureau_clerk), bureau_clerk)
    assert batch.counts["rejected"]
    result = refused_workbook(batch, bureau_clerk)
    sheet = opened(result)
    told = values(sheet)
    assert {"A1:I1", "A2:B2", "C2:C3", "D2:G2", "H2:H3", "I2:I3", "J2:J3", "K2:K3"} == {
        str(merge) for merge in sheet.merged_cells.ranges
    }
    assert told[1][-2:] == [REASON, NUMBER]
    row = next(row for row in told[3:] if row[3] == "沈小雨")
    assert row[:3] == ["青石乡", "青石村", "431202000001"]
    place = next(cell for line in sheet.iter_rows() for cell in line if cell.value == "12345")
    assert place.comment is not None
    place.value = factories.identity_number(dt.date(2016, 5, 20), 30)
    mended = confirmed(sent(saved(sheet), "农户.xlsx", "households", bureau_clerk), bureau_clerk)
    assert errors(mended) == []
    assert {member.name for member in Member.objects.all()} == {"沈一民", "沈小雨"}


def test_old_excel_file(bureau_clerk: User, villages: list[Village]) -> None:
    data = (WORKBOOKS / "registry.xls").read_bytes()
    batch = confirmed(sent(data, "registry.xls", "households", bureau_clerk), bureau_clerk)
    before, count = errors(batch), Household.objects.count()
    result = refused_workbook(batch, bureau_clerk)
    again = sent(result, "退回.xlsx", "households", bureau_clerk)
    assert errors(again) == before
    refused = ImportRow.objects.filter(batch=batch, outcome="rejected").values_list("row", flat=True)
    assert [row[-1] for row in values(opened(result))[-len(refused) :]] == list(refused)
    assert Household.objects.count() == count


def test_text_file(clerk: User, school: School) -> None:
    lines = [
        ",".join(HEADERS),
        f"1,赵晓雨,{identity(0)},一年级2班,13800000000,",
        "2,钱子轩,123,一年级2班,138,@SUM(1)",
    ]
    name = "学生[一/二]名单.csv"
    batch = sent("\n".join(lines).encode("gb18030"), name, "students", clerk, school, period=SEMESTER)
    data = refused_workbook(batch, clerk)
    sheet = opened(data)
    assert values(sheet)[1][:6] == ["2", "钱子轩", "123", "一年级2班", "138", "@SUM(1)"]
    assert sheet["F2"].data_type == "s"
    assert errors(sent(data, "退回.xlsx", "students", clerk, school, period=SEMESTER)) == errors(batch)


def test_download_is_logged_and_only_for_those_who_may(
    batch: ImportBatch, client_of: Callable[[User], Client], clerk: User, bureau_clerk: User, principal: User
) -> None:
    url = reverse("imports:refused", args=[batch.pk])
    answer = client_of(clerk).get(url)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    log = AccessLog.objects.get(action=AccessLog.Action.EXPORT)
    assert (log.actor, log.object_id, log.detail["rows"]) == (clerk, batch.pk, 2)
    # The bureau's clerk may see whole numbers of pupils; a principal imports nothing.
    assert client_of(bureau_clerk).get(url).status_code == 200
    assert client_of(principal).get(url).status_code == 403
    assert AccessLog.objects.filter(action=AccessLog.Action.EXPORT).count() == 2


def test_rivals_do_not_find_it(
    batch: ImportBatch, client_of: Callable[[User], Client], rival_clerk: User, rival_bureau_clerk: User
) -> None:
    for user in (rival_clerk, rival_bureau_clerk):
        assert client_of(user).get(reverse("imports:refused", args=[batch.pk])).status_code == 404
        with pytest.raises(PermissionDenied):
            refused_workbook(batch, user)


def test_nothing_refused_is_said(clerk: User, school: School, client_of: Callable[[User], Client]) -> None:
    row: list[Any] = [1, "赵晓雨", identity(0), "一年级2班", None, None]
    batch = sent(xlsx(pupils(row)), "名单.xlsx", "students", clerk, school, period=SEMESTER)
    with pytest.raises(SendbackError) as told:
        refused_workbook(batch, clerk)
    assert told.value.code == "none"
    answer = client_of(clerk).get(reverse("imports:refused", args=[batch.pk]), follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]


def test_columns_that_we_added_are_no_columns_of_the_list() -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in ([None, "标题"], ["姓名", "班级", REASON, NUMBER], ["赵晓雨", "一班", "缺身份证号", 7]):
        sheet.append(row)
    rows = without_marks(read_workbook(saved(sheet), "x.xlsx")).sheets[0].rows
    assert rows[1:] == [["姓名", "班级"], ["赵晓雨", "一班"]]
