"""The engine and what it asks: names of schools, titles, scope of an import, hooks, order of writing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from households.models import Household, Member, Village
from povertyaid.audit.models import Change
from povertyaid.audit.services import Link, bulk_write
from povertyaid.imports import hooks, resources
from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.engine import make_plan
from povertyaid.imports.hooks import Committed, after_commit
from povertyaid.imports.options import Options
from povertyaid.imports.ordering import in_dependency_order
from povertyaid.imports.resources import by_key, register
from povertyaid.imports.rules import RULES, rule_text
from povertyaid.imports.schoolbook import SchoolBook, import_scope, school_like, unit_in
from povertyaid.schools.models import County, RoleGrant, School, SchoolStage, User
from povertyaid.schools.roles import Role
from tests import factories, personas
from tests.imports.conftest import Cells, Run, xlsx

pytestmark = pytest.mark.django_db
STAFF = [["姓名", "职务"], ["蒋丽", "校长"]]


def plan_of(kind: str, rows: Cells, user: User, options: Options | None = None) -> resources.Planned:
    """The first record of a small file."""
    plan = make_plan(kind=kind, data=xlsx(rows), name="x.xlsx", user=user, options=options or Options())
    return plan.planned[0]


@pytest.mark.parametrize(
    ("text", "code", "short"),
    [
        ("2143000101", "2143000101", False),
        ("青石坳中心完小", "2143000101", False),
        (" 青石坳中心 完小（盖章）", "2143000101", False),
        ("青石小学", "2143000101", False),
        ("青石坳完小", "2143000101", True),
        ("青石坳中心完小竹溪点", "2143000102", True),
        ("青石", None, False),
        ("石坳完小", None, False),
        ("云岭中学", None, False),
        ("云岭一中", "3143000103", True),
        ("石泉县实验小学", None, False),
        ("", None, False),
    ],
)
def test_names_of_schools(  # noqa: PLR0917 - fixtures are asked for by name
    county: County, bureau_clerk: User, foreign_school: School, text: str, code: str | None, short: bool
) -> None:
    for number, stage, name, others in (
        ("2143000101", SchoolStage.PRIMARY, "青石坳中心完小", "青石小学"),
        ("2143000102", SchoolStage.PRIMARY, "青石坳中心完小竹溪教学点", ""),
        ("3143000103", SchoolStage.JUNIOR, "云岭县第一中学", ""),
        ("3143000104", SchoolStage.JUNIOR, "云岭县第二中学", ""),
    ):
        factories.SchoolFactory(county=county, code=number, stage=stage, name=name, short_names=others)
    book = SchoolBook(bureau_clerk)
    found = book.resolve(text)
    assert (found.school.code if found.school else None, found.short) == (code, short)
    if text == "云岭中学":
        assert [school.name for school in found.candidates] == ["云岭县第一中学", "云岭县第二中学"]


def test_school_in_a_title_is_the_one_with_the_longest_name(
    school: School, teaching_point: School, bureau_clerk: User
) -> None:
    book = SchoolBook(bureau_clerk)
    assert book.named_in(f"{teaching_point.name}2026年花名册").school == teaching_point
    assert book.named_in(f"{school.name}2026年花名册").school == school
    assert book.named_in("全县花名册").school is None


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("填报单位：青石坳中心完小（盖章） 填报日期：2026年3月10日", "青石坳中心完小"),
        ("单位：元", ""),
        ("单位：万元", ""),
        ("学校（盖章）：竹溪小学", "竹溪小学"),
        ("花名册", ""),
    ],
)
def test_unit_in_a_title(title: str, unit: str) -> None:
    assert unit_in(title) == unit


def test_what_looks_like_a_school_in_a_title() -> None:
    assert school_like("红岩小学2026年花名册") == "红岩小学"
    assert school_like("全县中小学教职工名册") == ""
    assert school_like("教职工名册") == ""


def test_title_names_the_school(school: School, rival_school: School, bureau_clerk: User) -> None:
    named = plan_of("staff", [[f"{rival_school.name}教职工名册"], *STAFF], bureau_clerk)
    assert named.values["学校"] == rival_school.name
    of_bureau = plan_of("staff", [["全县帮扶干部名册"], *STAFF], bureau_clerk)
    assert of_bureau.values["学校"] == ""


def test_title_that_contradicts_the_choice_is_told(
    run: Run, write: Callable[..., Path], school: School, rival_school: School
) -> None:
    path = write([[f"{rival_school.name}教职工名册"], *STAFF])
    _status, told = run("staff", path, "--school", school.code)
    assert [(item["row"], item["column"]) for item in told["warnings"]] == [(1, None)]
    assert told["records"][0]["values"]["学校"] == school.name


def test_list_of_another_school_does_not_fall_to_the_only_one(
    clerk: User, school: School, rival_school: School
) -> None:
    plan = make_plan(
        kind="staff",
        data=xlsx([[f"{rival_school.name}教职工名册"], *STAFF]),
        name="x",
        user=clerk,
        options=Options(),
    )
    assert [(row.number, row.ok) for row in plan.rows] == [(3, False)]
    own = plan_of("staff", [["本校教职工名册"], *STAFF], clerk)
    assert own.values["学校"] == school.name


def test_role_that_only_reads_gives_no_place_to_import(
    school: School, rival_school: School, clerk: User
) -> None:
    RoleGrant.objects.create(user=clerk, role=Role.INSPECTOR, school=rival_school)
    user = personas.as_new(clerk)
    scope = import_scope(user, "schools.staff")
    assert list(scope.schools.values_list("code", flat=True)) == [school.code]
    with pytest.raises(ImportRefusedError) as refused:
        plan_of("staff", STAFF, user, Options(school=rival_school.code))
    assert refused.value.code == "school_unknown"


def test_central_clerk_imports_for_the_sites(
    central_clerk: User, school: School, teaching_point: School
) -> None:
    named = plan_of("staff", STAFF, central_clerk, Options(school=teaching_point.name))
    assert named.values["学校"] == teaching_point.name


def test_county_must_be_named_where_there_are_several(
    run: Run, write: Callable[..., Path], county: County, rival_county: County
) -> None:
    path = write(
        [
            ["县区", "乡镇", "行政村"],
            [county.name, "青石乡", "青石村"],
            [rival_county.name, "青石乡", "青石村"],
            [None, "青石乡", "柳溪村"],
            ["远方县", "青石乡", "石门村"],
        ]
    )
    _status, told = run("villages", path, "--commit")
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(4, "县区"), (5, "县区")]
    assert set(Village.objects.values_list("county", flat=True)) == {county.pk, rival_county.pk}


def test_hidden_row_is_read_and_said(run: Run, write: Callable[..., Path], county: County) -> None:
    rows = [["乡镇", "行政村"], ["青石乡", "青石村"], ["青石乡", "柳溪村"]]
    _status, told = run("villages", write(rows, hidden=[3]))
    assert told["created"] == 2
    assert [(item["row"], item["column"]) for item in told["warnings"]] == [(3, None)]


def test_merged_cells_count_for_every_row_that_they_cover(
    run: Run, write: Callable[..., Path], county: County
) -> None:
    rows = [["乡镇", "行政村"], ["青石乡", "青石村"], [None, "柳溪村"], [None, "石门村"]]
    _status, told = run("villages", write(rows, merges=["A2:A3"]))
    assert [item["values"]["乡镇"] for item in told["records"]] == ["青石乡", "青石乡"]
    assert [(item["row"], item["column"]) for item in told["errors"]] == [(4, "乡镇")]


def test_all_problems_of_a_row_are_told_at_once(run: Run, write: Callable[..., Path], county: County) -> None:
    rows = [["姓名", "职务", "联系电话", "是否领导"], ["123", "校长", "12", "也许"]]
    _status, told = run("staff", write(rows))
    assert [item["column"] for item in told["errors"]] == ["姓名", "联系电话", "是否领导"]
    assert told["rejected"] == 1


def test_hook_runs_inside_the_commit(
    run: Run, write: Callable[..., Path], county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Committed] = []
    monkeypatch.setattr(hooks, "_hooks", [])
    after_commit(seen.append)
    after_commit(seen.append)
    path = write([["乡镇", "行政村"], ["青石乡", "青石村"]])
    run("villages", path)
    assert seen == []
    run("villages", path, "--commit")
    assert [[str(village) for village in found.of(Village)] for found in seen] in (
        [["青石乡青石村"]],
        [["青石乡青石村"], ["青石乡青石村"]],
    )


def test_failing_hook_takes_everything_back(
    run: Run, write: Callable[..., Path], county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_committed: Committed) -> None:
        raise RuntimeError

    monkeypatch.setattr(hooks, "_hooks", [fail])
    with pytest.raises(RuntimeError):
        run("villages", write([["乡镇", "行政村"], ["青石乡", "青石村"]]), "--commit")
    assert not Village.objects.exists()
    assert not Change.objects.filter(model="households.village").exists()


def test_records_are_written_after_those_to_which_they_point(county: County) -> None:
    village = Village(county=county, township="甲", name="乙")
    household = Household(county=county, village=village, number="1", category="lifted")
    member = Member(household=household, name="丙", relation_to_head="head")
    assert in_dependency_order([member, household, village]) == [village, household, member]


def test_many_to_many_fields_are_written_with_their_history() -> None:
    recognition = factories.RecognitionFactory()
    recognition.special_groups.clear()
    first = factories.SpecialGroupFactory(code="first", name="孤儿")
    second = factories.SpecialGroupFactory(code="second", name="脱贫家庭")
    Change.objects.all().delete()
    for values, before in (([first, second], []), ([second], [first, second]), ([second], [second])):
        bulk_write(links=[Link(recognition, "special_groups", values, before)], actor=None)
        assert list(recognition.special_groups.all()) == sorted(
            values, key=lambda group: (group.position, group.pk)
        )
    told = Change.objects.filter(model="students.recognition").order_by("pk").values_list("fields", flat=True)
    assert [item[0]["to"] for item in told] == ["孤儿、脱贫家庭", "脱贫家庭"]
    with pytest.raises(TypeError):
        bulk_write(links=[Link(recognition, "level", [])], actor=None)


def test_two_resources_cannot_have_one_kind() -> None:
    class Other(type(resources.resource_for("villages"))):  # type: ignore[misc]
        """Claims the villages."""

    with pytest.raises(ValueError, match="villages"):
        register(Other)


def test_many_keys_are_looked_up_in_parts(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "KEYS_AT_ONCE", 2)
    for number in range(5):
        factories.VillageFactory(county=county, name=f"第{number}村")
    found = by_key(Village.objects.all(), "name", [f"第{number}村" for number in range(7)] + ["", None])
    assert sorted(found) == [f"第{number}村" for number in range(5)]


def test_every_rule_has_words() -> None:
    assert rule_text("number_as_text") is RULES["number_as_text"]
    assert rule_text("not-a-rule") == "not-a-rule"


def test_people_born_before_numbers_were_given_at_birth(
    run: Run, write: Callable[..., Path], villages: object
) -> None:
    """A region that was founded after the birth of an adult is no reason to look twice; for a child it is."""
    head = ["户编号", "姓名", "证件号码", "与户主关系", "行政村", "户类型"]
    # 431202 was founded in 1997.
    adult = factories.identity_number(dt.date(1978, 9, 14), 5)
    rows = [head, ["1", "华晨", adult, "户主", "青石村", "脱贫户"]]
    _status, told = run("households", write(rows))
    assert (told["created"], told["warnings"]) == (1, [])
