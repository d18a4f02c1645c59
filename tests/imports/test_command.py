"""`import_workbook` and `export_template`: exit status, JSON, options, and files that cannot be read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook, load_workbook

from households.models import Household, Village
from povertyaid.audit.models import AccessLog, Change
from povertyaid.imports.documentation import columns_document
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.resources import kinds
from povertyaid.lib.sheets.headers import normalise_header
from povertyaid.schools.models import County, School, SchoolStage, Staff, User
from tests.imports.conftest import WORKBOOKS, Run

KEYS = {"kind", "file", "committed", "batch", "rows", "created", "updated", "unchanged", "rejected", "errors",
        "warnings", "ignored", "repairs", "records"}  # fmt: skip
VILLAGES = [
    ["全县行政村名单"],
    ["序号", "乡(镇)", "行政村"],
    [1, "青石乡", "青石村"],
    [2, "青石乡", "柳溪村"],
    ["合计", None, 2],
]
pytestmark = pytest.mark.django_db


def test_json_is_the_object_of_the_design(run: Run, county: County, write: Callable[..., Path]) -> None:
    status, told = run("villages", write(VILLAGES))
    assert status == 0
    assert set(told) >= KEYS
    assert [item["row"] for item in told["ignored"]] == [1, 2, 5]
    assert told["records"][0] == {
        "sheet": "Sheet",
        "row": 3,
        "action": "created",
        "values": {"县": county.name, "乡镇": "青石乡", "行政村": "青石村"},
    }
    assert told["columns"]["unmatched"] == [{"sheet": "Sheet", "header": "序号"}]


def test_good_rows_are_written_and_refused_ones_told(
    run: Run, county: County, write: Callable[..., Path]
) -> None:
    path = write([*VILLAGES[:4], [3, None, "石门村"], [4, "青石乡", "柳溪村"]])
    status, told = run("villages", path, "--commit")
    assert (status, told["committed"], told["created"], told["rejected"]) == (1, True, 2, 2)
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(5, "乡(镇)"), (6, "行政村")]
    assert set(Village.objects.values_list("name", flat=True)) == {"青石村", "柳溪村"}
    batch = ImportBatch.objects.get(pk=told["batch"])
    assert (batch.state, batch.counts["rejected"]) == ("partly", 2)
    outcomes = ImportRow.objects.filter(batch=batch).order_by("row").values_list("row", "outcome")
    assert list(outcomes) == [
        (1, "ignored"),
        (2, "ignored"),
        (3, "created"),
        (4, "created"),
        (5, "rejected"),
        (6, "rejected"),
    ]
    assert batch.file.get() == path.read_bytes()
    assert set(Change.objects.filter(model="households.village").values_list("actor_name", "batch_id")) == {
        ("system", batch.pk)
    }
    assert AccessLog.objects.get(action="import").detail["batch"] == batch.pk


def test_all_or_nothing_writes_nothing_when_a_row_is_refused(
    run: Run, county: County, write: Callable[..., Path]
) -> None:
    path = write([*VILLAGES[:4], [3, None, "石门村"]])
    status, told = run("villages", path, "--commit", "--all-or-nothing")
    assert (status, told["committed"], told["batch"]) == (1, False, None)
    assert not Village.objects.exists()
    assert not ImportBatch.objects.exists()
    status, told = run("villages", write(VILLAGES, "good.xlsx"), "--commit", "--all-or-nothing")
    assert (status, told["committed"], told["created"]) == (0, True, 2)


def test_report_for_people_is_readable(
    county: County, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        call_command("import_workbook", "villages", str(write([*VILLAGES[:4], [3, None, "石门村"]])))
    assert leaving.value.code == 1
    text = capsys.readouterr().out
    assert "Sheet" in text
    assert "乡(镇)" in text
    call_command("import_workbook", "villages", str(write(VILLAGES, "good.xlsx")), "--commit")
    assert str(ImportBatch.objects.get().pk) in capsys.readouterr().out


def test_value_for_a_column_that_the_file_lacks(run: Run, county: County, write: Callable[..., Path]) -> None:
    path = write([["县区", "行政村"], ["云岭县", "青石村"], ["云岭县", "柳溪村"]])
    status, told = run("villages", path)
    assert status == 2
    status, told = run("villages", path, "--set", "乡镇=青石乡", "--commit")
    assert (status, told["created"]) == (0, 2)
    assert Village.objects.filter(township="青石乡").count() == 2


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.xlsx"),
        (b"%PDF-1.7 not a workbook", "list.xlsx"),
        (b"PK\x03\x04 truncated", "list.xlsx"),
        ("\n".join("没有 表头" for _line in range(5)).encode(), "list.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "locked.xlsx"),
    ],
)
def test_file_that_cannot_be_read_is_status_2_and_says_why(
    run: Run, county: County, tmp_path: Path, content: bytes, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    status, told = run("villages", path, "--commit")
    assert status == 2
    assert set(told) == {"kind", "file", "error"}
    assert told["error"]
    assert not ImportBatch.objects.exists()


def test_wrong_kind_names_the_headers_and_the_kind_that_fits(run: Run, county: County) -> None:
    status, told = run("villages", WORKBOOKS / "pairings.xlsx")
    assert status == 2
    assert "行政村" in told["error"]
    status, told = run("schools", WORKBOOKS / "registry.xls")
    assert status == 2
    assert "学校标识码" in told["error"]
    households = next(found for found in kinds() if found.kind == "households")
    assert str(households.label) in told["error"]


@pytest.mark.parametrize(
    "options",
    [
        ("--school", "9999999999"),
        ("--period", "2026H3"),
        ("--period", "学期"),
        ("--set", "没有这列=1"),
        ("--set", "乡镇"),
        ("--as", "nobody-here"),
    ],
)
def test_options_that_do_not_exist_are_status_2(
    run: Run, county: County, write: Callable[..., Path], options: tuple[str, str]
) -> None:
    status, told = run("villages", write(VILLAGES), "--commit", *options)
    assert status == 2
    assert told["error"]
    assert not Village.objects.exists()


def test_unknown_kind_missing_file_and_county(run: Run, write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(VILLAGES)
    assert run("cows", path)[0] == 2
    assert run("villages", tmp_path / "gone.xlsx")[0] == 2
    assert run("villages", path)[0] == 2  # there is no county yet
    with pytest.raises(CommandError):
        call_command("import_workbook", "villages", str(path), "--all-or-nothing")


def test_account_without_the_permission_is_refused(
    run: Run, county: County, write: Callable[..., Path], clerk: User, bureau_clerk: User
) -> None:
    path = write(VILLAGES)
    status, told = run("villages", path, "--as", clerk.username, "--commit")
    assert status == 2
    assert not Village.objects.exists()
    status, told = run("villages", path, "--as", bureau_clerk.username, "--commit")
    assert (status, told["created"]) == (0, 2)
    assert ImportBatch.objects.get().sender == bureau_clerk
    assert Change.objects.filter(model="households.village").first().actor == bureau_clerk  # type: ignore[union-attr]


def test_every_sheet_with_a_table_is_read_and_others_are_named(
    run: Run, county: County, tmp_path: Path
) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.append(["乡镇", "行政村"])
    first.append(["青石乡", "青石村"])
    second = book.create_sheet("二")
    second.append(["乡镇", "行政村"])
    second.append(["青石乡", "柳溪村"])
    book.create_sheet("说明").append(["请如实填写"])
    secret = book.create_sheet("隐藏")
    secret.append(["乡镇", "行政村"])
    secret.append(["青石乡", "旧村"])
    secret.sheet_state = "hidden"
    book.save(tmp_path / "two.xlsx")
    _status, told = run("villages", tmp_path / "two.xlsx")
    assert [(item["sheet"], item["row"]) for item in told["records"]] == [("Sheet", 2), ("二", 2)]
    assert [item["sheet"] for item in told["sheets"]] == ["说明", "隐藏"]


def test_columns_that_stand_twice_are_refused(run: Run, county: County, write: Callable[..., Path]) -> None:
    status, told = run("villages", write([["乡镇", "行政村", "村名"], ["青石乡", "青石村", "柳溪村"]]))
    assert status == 2
    assert "行政村" in told["error"]


def test_schools_with_central_schools_of_the_same_file(
    run: Run, county: County, write: Callable[..., Path]
) -> None:
    path = write(
        [
            ["学校标识码", "学校名称", "简称", "学校类别", "乡镇", "中心校"],
            ["2143000102", "青石坳中心完小竹溪教学点", None, None, "青石乡", "青石坳完小"],
            [2143000101, "青石坳中心完小", "青石小学，青石坳小学", "小学", "青石乡", "青石坳中心完小"],
            ["9943000103", "无类别学校", None, None, "青石乡", None],
            ["2143000101", "另一所学校", None, None, "青石乡", None],
            ["21430001", "短码学校", None, None, "青石乡", None],
            ["1143000104", "云岭幼儿园", None, None, "青石乡", "不存在的学校"],
        ]
    )
    status, told = run("schools", path, "--commit")
    assert status == 1
    assert [(item["row"], item["column"]) for item in told["errors"]] == [
        (4, "学校类别"),
        (5, "学校标识码"),
        (6, "学校标识码"),
        (7, "中心校"),
    ]
    point = School.objects.get(code="2143000102")
    assert (point.stage, point.site) == (SchoolStage.PRIMARY, School.Site.TEACHING_POINT)
    assert point.central_school == School.objects.get(code="2143000101")
    assert point.central_school.short_names == "青石小学、青石坳小学"
    assert {item["rule"] for item in told["repairs"]} == {"school_short_name", "number_as_text"}
    assert run("schools", path)[1]["unchanged"] == 2
    moved = write([["学校代码", "学校", "乡镇"], ["2143000101", "青石坳第一完小", ""]], "b.xlsx")
    _status, told = run("schools", moved, "--commit")
    assert told["updated"] == 1
    school = School.objects.get(code="2143000101")
    assert (school.name, school.township) == ("青石坳第一完小", "青石乡")


def test_school_of_another_county_is_not_disclosed(
    run: Run, county: County, write: Callable[..., Path], bureau_clerk: User, foreign_school: School
) -> None:
    path = write([["学校标识码", "学校名称"], [foreign_school.code, "我们的学校"]])
    _status, told = run("schools", path, "--as", bureau_clerk.username, "--commit")
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(2, "学校标识码")]
    assert foreign_school.name not in json.dumps(told, ensure_ascii=False)


def test_staff_are_one_person_each(  # noqa: PLR0917 - fixtures are asked for by name
    run: Run, county: County, write: Callable[..., Path], school: School, clerk: User, rival_school: School
) -> None:
    head = ["姓名", "学校", "职务", "联系电话"]
    path = write(
        [
            head,
            ["蒋 丽", "青石坳完小", "校长", "139 5914 0280"],
            ["何涛", school.name, "教师", "15628248110"],
            ["何涛", school.name, "工会主席", "15628248111"],
            ["何涛", school.name, "保安", None],
            ["王五", rival_school.name, "教师", None],
        ]
    )
    _status, told = run("staff", path, "--as", clerk.username, "--commit")
    assert told["created"] == 3
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(5, "联系电话"), (6, "学校")]
    assert Staff.objects.get(name="蒋丽").school == school
    assert told["records"][0]["values"]["联系电话"] == "139****0280"
    _status, told = run("staff", path, "--as", clerk.username)
    assert told["unchanged"] == 3
    later = write([head[:3], ["蒋丽", None, "书记"], ["何涛", None, "教师"]], "b.xlsx")
    _status, told = run("staff", later, "--as", clerk.username, "--commit")
    assert (told["updated"], told["rejected"]) == (1, 1)
    assert Staff.objects.get(name="蒋丽").phone == "13959140280"


def test_sensitive_values_are_masked_wherever_they_are_kept(
    run: Run, county: County, villages: list[Village], capsys: pytest.CaptureFixture[str]
) -> None:
    _status, told = run("households", WORKBOOKS / "registry.xls", "--commit")
    kept = json.dumps(told) + str(list(ImportRow.objects.values_list("values", "messages")))
    kept += str(list(ImportBatch.objects.values_list("report", flat=True))) + str(
        list(Change.objects.values_list("fields"))
    )
    assert "431202197809142238" not in kept
    assert "15920249378" not in kept
    assert b"431202197809142238" not in bytes(ImportBatch.objects.get().file.content)


def test_template_has_drop_downs_text_columns_and_an_example_that_is_skipped(
    run: Run, county: County, school: School, tmp_path: Path
) -> None:
    for resource in kinds():
        path = tmp_path / f"{resource.kind}.xlsx"
        call_command("export_template", resource.kind, "--output", str(path), stdout=io.StringIO())
        book = load_workbook(path)
        sheet = book.worksheets[0]
        assert [cell.value for cell in sheet[1]] == ["序号", *(column.header for column in resource.columns)]
        rules = sheet.data_validations.dataValidation
        assert len(rules) == sum(bool(column.choices) for column in resource.columns)
        for index, column in enumerate(resource.columns, start=2):
            if column.sensitive:
                assert sheet.cell(2, index).number_format == "@"
        period = ("--period", "2025-2026-2") if resource.needs_semester else ()
        status, told = run(resource.kind, path, "--school", school.code, *period)
        assert (status, told["rows"], told["errors"]) == (0, 0, [])
        assert [item["row"] for item in told["ignored"] if item["sheet"] == sheet.title] == [1, 2]


def test_template_of_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as failure:
        call_command("export_template", "cows", "--output", str(tmp_path / "x.xlsx"))
    assert failure.value.returncode == 2
    with pytest.raises(CommandError) as failure:
        call_command("export_template", "villages", "--output", str(tmp_path / "no" / "x.xlsx"))
    assert failure.value.returncode == 2


def test_page_of_the_documentation_lists_the_columns_as_they_are() -> None:
    page = Path(__file__).parents[2] / "docs" / "import-columns.md"
    assert page.read_text() == columns_document()


def test_headers_of_a_kind_mean_one_column_each() -> None:
    for resource in kinds():
        seen: dict[str, str] = {}
        for column in resource.columns:
            for header in map(normalise_header, column.headers):
                assert seen.setdefault(header, column.key) == column.key, (resource.kind, header)


def test_history_of_an_import_names_record_and_batch(
    run: Run, county: County, villages: list[Village]
) -> None:
    _status, told = run("households", WORKBOOKS / "registry.xls", "--commit")
    household = Household.objects.get(number="4312020013")
    entry = Change.objects.get(model="households.household", object_id=household.pk)
    assert (entry.action, entry.batch_id) == ("add", told["batch"])


def test_zip_that_unpacks_to_gigabytes_is_refused(run: Run, county: County, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 500_000_000)
    status, told = run("villages", path)
    assert status == 2
    assert told["error"]
