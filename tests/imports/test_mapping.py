"""Which column is which field: by the header, by the values below, by what a person decided; told on the command line."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from households.models import Household, Member
from povertyaid.imports.examining import Examination, Wishes
from povertyaid.imports.mapping import Inspection, inspect, told
from povertyaid.imports.options import Options
from povertyaid.imports.plans import Source
from povertyaid.lib.sheets.model import Sheet, Workbook
from povertyaid.schools.models import School, User
from students.models import Student
from tests import factories
from tests.imports.conftest import Run

pytestmark = pytest.mark.django_db
NAMES = ("赵晓雨", "钱文博", "孙佳宁", "李思远", "周子轩", "吴欣怡")


@pytest.fixture(autouse=True)
def groups(db: None) -> None:
    for number, name in enumerate(("脱贫家庭", "低保家庭")):
        factories.SpecialGroupFactory(code=f"group{number}", name=name)


def pupils(headers: dict[str, str] | None = None, count: int = 6) -> list[list[Any]]:
    """A list of pupils; `headers` rename some of its columns."""
    known = ["序号", "姓名", "性别", "身份证号", "班级", "困难类型", "认定等级", "联系电话", "备注"]
    rows: list[list[Any]] = [[(headers or {}).get(header, header) for header in known]]
    for number in range(count):
        identity = factories.identity_number(dt.date(2016, 1 + number % 12, 3), number)
        rows.append(
            [
                number + 1,
                NAMES[number % len(NAMES)],
                "女",
                identity,
                "三(1)班",
                ("脱贫家庭", "低保家庭")[number % 2],
                ("特别困难", "一般困难")[number % 2],
                f"1390000{number:04d}",
                "无",
            ]
        )
    return rows


def looked_at(rows: list[list[Any]], user: User, *kinds: str, more: list[Sheet] | None = None) -> Inspection:
    sheets = [Sheet("名单", rows), *(more or [])]
    return inspect(source_of(sheets, user, *kinds))


def source_of(sheets: list[Sheet], user: User, *kinds: str, options: Options | None = None) -> Source:
    return Source(Workbook("xlsx", "", sheets), "名单.xlsx", "0" * 64, user, options or Options(), kinds)


def strong(found: Inspection, kind: str = "students") -> dict[str, str]:
    """Header → key of the guesses with which nothing competes."""
    assert found.examined is not None
    item = found.examined.layouts[0]
    use = next(use for use in item.uses if use.resource.kind == kind)
    return {item.layout.texts[index]: key for index, key in use.strong.items()}


def test_known_headers_are_certain_and_leave_the_source_alone(clerk: User) -> None:
    found = looked_at(pupils(), clerk, "students")
    assert found.certain
    assert found.source.options.parts == ()
    assert found.message is None


@pytest.mark.parametrize(
    ("header", "other", "key"),
    [
        ("姓名", "娃娃大名", "name"),
        ("身份证号", "号码一", "identity"),
        ("性别", "男女", "sex"),
        ("班级", "哪个班", "school_class"),
        ("困难类型", "属于哪类", "groups"),
        ("认定等级", "评了几等", "level"),
        ("联系电话", "怎么联系", "phone"),
    ],
)
def test_a_column_is_told_by_its_values(clerk: User, header: str, other: str, key: str) -> None:
    found = looked_at(pupils({header: other}), clerk, "students")
    assert not found.certain
    assert strong(found) == {other: key}
    assert found.message is not None


@pytest.mark.parametrize("header", ["父亲姓名", "班主任", "校长", "户主身份证号", "联系人", "监护人身份证件"])
def test_what_speaks_of_somebody_else_is_never_the_pupil(clerk: User, header: str) -> None:
    for own in ("姓名", "身份证号"):
        found = looked_at(pupils({own: header}), clerk, "students")
        assert "name" not in strong(found).values() or own == "身份证号"
        assert "identity" not in strong(found).values()
        assert header not in {text for text, key in strong(found).items() if key in {"name", "identity"}}


def test_free_text_running_numbers_and_blanks_are_no_guess(clerk: User) -> None:
    rows = pupils()
    for number, row in enumerate(rows):
        row.extend(["说法", "第几", "空着"] if number == 0 else ["家里困难，需要帮助", number, None])
    assert looked_at(rows, clerk, "students").certain


def test_two_columns_that_fit_one_field_are_asked_and_not_guessed(clerk: User) -> None:
    rows = pupils({"联系电话": "号码甲"})
    for number, row in enumerate(rows):
        row.append("号码乙" if number == 0 else f"1380000{number:04d}")
    found = looked_at(rows, clerk, "students")
    assert not found.certain
    assert strong(found) == {}
    assert found.settled().options.parts == ()


def test_numbers_that_lost_digits_are_refused_in_their_column_and_not_passed_over(clerk: User) -> None:
    rows = pupils({"身份证号": "号码一"})
    for row in rows[1:]:
        row[3] = float(str(row[3]).replace("X", "0"))
    assert strong(looked_at(rows, clerk, "students")) == {"号码一": "identity"}


def test_nine_of_ten_cells_must_fit(clerk: User) -> None:
    rows = pupils({"身份证号": "号码一"}, count=20)
    for row in rows[1:4]:
        row[3] = "待补"
    assert strong(looked_at(rows, clerk, "students")) == {}


def test_without_a_kind_the_likeliest_is_proposed_and_a_person_asked(bureau_clerk: User) -> None:
    village = [["乡镇", "行政村"], ["青石乡", "青石村"], ["青石乡", "柳溪村"]]
    for rows, kind in ((pupils(), "students"), (village, "villages")):
        found = looked_at(rows, bureau_clerk)
        assert not found.certain
        assert found.examined is not None
        assert [use.resource.kind for use in found.examined.layouts[0].uses] == [kind]


def test_sheets_with_one_header_are_one_layout_and_hidden_ones_are_off(clerk: User) -> None:
    more = [
        Sheet("二年级", [["青石坳中心完小二年级"], *pupils()]),
        Sheet("旧名单", pupils(), visible=False),
        Sheet("说明", [["填表说明：按学籍填写"], ["一、", "每人一行"]]),
    ]
    found = looked_at(pupils(), clerk, "students", more=more)
    assert found.certain
    shown = told(found.examined or Examination(found.source))["layouts"]
    assert [(sheet["name"], sheet["on"], sheet["first"]) for sheet in shown[0]["sheets"]] == [
        ("名单", True, 1),
        ("二年级", True, 2),
        ("旧名单", False, 1),
    ]
    assert [sheet["on"] for layout in shown[1:] for sheet in layout["sheets"]] == [False]


def test_samples_show_no_number_whole(clerk: User) -> None:
    rows = pupils({"身份证号": "号码一", "联系电话": "号码二"})
    for number, row in enumerate(rows):
        told_ = [f"621741577651925{number:04d}", f"0745-266{number:04d}"]
        row.extend(["什么卡", "座机"] if number == 0 else told_)
    found = looked_at(rows, clerk, "students").as_json()
    text = str(found["layouts"][0]["columns"])
    for row in rows[1:]:
        for place in (3, 7, 9):
            assert str(row[place]) not in text
    assert "赵晓雨" in text
    assert all(len(column["samples"]) <= 3 for column in found["layouts"][0]["columns"])


def test_random_new_names_never_move_a_column_to_a_wrong_field(clerk: User) -> None:
    """Whatever the headers are called: what is read without asking is right, and nothing raises."""
    words = "甲乙丙丁戊己庚辛壬癸天地玄黄宇宙洪荒日月盈昃辰宿列张"
    right = dict(
        zip(
            ["姓名", "性别", "身份证号", "班级", "困难类型", "认定等级", "联系电话"],
            ["name", "sex", "identity", "school_class", "groups", "level", "phone"],
            strict=True,
        )
    )
    chance = random.Random(20260701)
    for _turn in range(60):
        chosen = chance.sample(sorted(right), chance.randint(1, 4))
        renamed = {
            header: "".join(chance.choices(words, k=chance.randint(1, 4))) + str(n)
            for n, header in enumerate(chosen)
        }
        found = looked_at(pupils(renamed), clerk, "students")
        assert not found.certain
        back = {new: right[old] for old, new in renamed.items()}
        assert strong(found).items() <= back.items()


# The command line


def test_guess_is_taken_and_told_where_nobody_can_be_asked(
    run: Run, write: Callable[..., Path], school: School
) -> None:
    path = write(pupils({"身份证号": "号码一"}))
    status, told_ = run("students", path, "--school", school.code, "--period", "2025-2026-2", "--commit")
    assert (status, told_["created"]) == (0, 6)
    warned = [item for item in told_["warnings"] if "号码一" in item["message"]]
    assert [(item["sheet"], item["row"], item["column"]) for item in warned] == [("Sheet", 1, None)]
    assert all(student.identity for student in Student.objects.all())
    _status, again = run("students", path, "--school", school.code, "--period", "2025-2026-2", "--commit")
    assert again["unchanged"] == 6


def test_columns_can_be_told(run: Run, write: Callable[..., Path], school: School) -> None:
    rows = pupils({"姓名": "甲", "身份证号": "监护人号码"})
    path = write([["青石坳中心完小"], [], *rows])
    options = ("--school", school.code, "--period", "2025-2026-2")
    status, refused = run("students", path, *options, "--map", "甲=无此列")
    assert (status, "无此列" in refused["error"]) == (2, True)
    status, refused = run("students", path, *options, "--map", "没有的=姓名")
    assert (status, "没有的" in refused["error"]) == (2, True)
    status, told_ = run(
        "students", path, *options, "--map", "甲=姓名", "--map", "监护人号码=identity", "--map", "备注="
    )
    assert (status, told_["created"]) == (0, 6)
    matched = {item["header"]: item["column"] for item in told_["columns"]["matched"]}
    assert (matched["甲"], matched["监护人号码"]) == ("姓名", "身份证号码")
    assert "备注" in {item["header"] for item in told_["columns"]["unmatched"]}


def test_a_sheet_can_be_told(clerk: User) -> None:
    sheets = [Sheet("旧", pupils(count=2), visible=False), Sheet("新", pupils())]
    found = inspect(source_of(sheets, clerk, "students"), wishes=Wishes(sheets=["旧"]))
    assert [(part.sheet, part.kind, part.header) for part in found.settled().options.parts] == [
        ("旧", "students", (1, 1))
    ]


@pytest.mark.usefixtures("villages")
def test_one_row_is_household_pupil_and_payment(run: Run, write: Callable[..., Path], school: School) -> None:
    """A county's working sheet: each row is all or nothing; the second time nothing changes."""
    factories.ProgrammeFactory(county=school.county, name="寄宿生生活补助")
    path = write(working_sheet(), name="work.xlsx")
    kinds, options = "households,students,payments", ("--period", "2025-2026-2", "--school", school.code)
    status, told_ = run(kinds, path, *options)
    made = {part["kind"]: (part["created"], part["rejected"]) for part in told_["parts"]}
    assert status == 1
    assert made == {"households": (2, 1), "students": (2, 1), "payments": (2, 1)}
    assert {item["row"] for item in told_["errors"]} == {5}
    assert not Household.objects.exists()
    status, told_ = run(kinds, path, *options, "--commit")
    assert (status, told_["created"], Member.objects.count(), Student.objects.count()) == (1, 6, 2, 2)
    student = Student.objects.get(name="赵晓雨")
    assert student.recognitions.get().level == "special"
    _status, again = run(kinds, path, *options, "--commit")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 6)


def working_sheet() -> list[list[Any]]:
    """Household, pupil and payment side by side; the last row names a level that does not exist."""
    head = ["乡镇", "行政村", "户编号", "户类型", "姓名", "证件号码", "与户主关系", "班级", "困难类型", "认定等级",
            "资助项目", "实发金额"]  # fmt: skip
    rows: list[list[Any]] = [["云岭县2026年春季学期资助工作底册"], head]
    for number, level in enumerate(("特别困难", "一般困难", "不知道")):
        identity = factories.identity_number(dt.date(2016, 3, 4 + number), number)
        rows.append(
            ["青石乡", "青石村", f"431202001{number}", "脱贫户", NAMES[number], identity, "户主", "三(1)班", "脱贫家庭",
             level, "寄宿生生活补助", "625.00"]
        )  # fmt: skip
    return rows


def test_one_row_is_a_household_with_its_pupil(
    run: Run, write: Callable[..., Path], school: School, villages: list[Any]
) -> None:
    """A working sheet with one row a household: the head in columns of his own beside the pupil."""
    head = [
        "行政村",
        "户编号",
        "户主姓名",
        "户主身份证号",
        "户类型",
        "学生姓名",
        "学生身份证号",
        "班级",
        "困难类型",
        "认定等级",
    ]
    rows: list[list[Any]] = [head]
    for number in range(3):
        parent = factories.identity_number(dt.date(1985, 5, 1 + number), 40 + number)
        child = factories.identity_number(dt.date(2016, 3, 4 + number), number)
        rows.append(
            ["青石村", f"431202001{number}", f"{NAMES[number][0]}大山", parent, "脱贫户", NAMES[number], child, "三(1)班",
             "脱贫家庭", "一般困难"]
        )  # fmt: skip
    path = write(rows)
    options = ("--period", "2025-2026-2", "--school", school.code)
    status, told_ = run("households,students", path, *options, "--commit")
    assert (status, told_["errors"], told_["created"]) == (0, [], 6)
    assert {member.name for member in Member.objects.all()} == {f"{name[0]}大山" for name in NAMES[:3]}
    assert {student.name for student in Student.objects.all()} == set(NAMES[:3])
    _status, again = run("households,students", path, *options, "--commit")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 6)
