"""Which column a header is in every kind: the ways offices write it, and what only looks like it."""

from __future__ import annotations

import pytest

from povertyaid.imports.resources import kinds, resource_for
from povertyaid.lib.sheets.headers import match_columns, normalise_header

PUPILS: dict[str, str | None] = {
    "学生姓名*": "name",
    "*姓名": "name",
    "★姓名": "name",
    "姓 名": "name",
    "姓　名": "name",
    "姓\n名": "name",
    "1.姓名": "name",
    "（2）姓名": "name",
    "3、姓名": "name",
    "姓名：": "name",
    "姓名(必填)": "name",
    "姓名（与身份证一致）": "name",
    "姓名必填": "name",
    "学生姓名（全称）": "name",
    "身份证号（必填）": "identity",
    "身份证\n号码": "identity",
    "身份证件号码(18位)": "identity",
    "学生身份证号码": "identity",
    "证件号码（身份证）": "identity",
    "身份证号码【文本格式】": "identity",
    "ＩＤ身份证号": None,
    "性 别": "sex",
    "学生性别": "sex",
    "性别(男/女)": "sex",
    "幼儿性别": "sex",
    "学生民族": "ethnic_group",
    "学生学籍号码": "pupil_number",
    "年级/班级": "school_class",
    "年级、班级": "school_class",
    "家长联系电话": "phone",
    "监护人联系电话": "phone",
    "联系电话（家长）": "phone",
    "监护人姓名": "guardian_name",
    "家长姓名": "guardian_name",
    "户主姓名": "head_name",
    "与户主的关系": "relation",
    "困难等级（特别困难/困难/一般困难）": "level",
    "备 注": "note",
    # Other people's, and what only begins or ends alike.
    "监护人身份证号": "guardian_identity",
    "监护人身份证号码": "guardian_identity",
    "家长身份证号": "guardian_identity",
    "父亲身份证号": None,
    "母亲姓名": None,
    "父亲姓名": None,
    "户主身份证号": None,
    "户主证件号码": None,
    "班主任姓名": None,
    "班主任": None,
    "班主任联系电话": None,
    "帮扶教师": None,
    "帮扶人姓名": None,
    "姓名（监护人）": None,
    "姓名(班主任)": None,
    "身份证号（家长）": None,
    "身份证号码【监护人】": None,
    "性别（户主）": None,
    "曾用名": None,
    "姓名拼音": None,
    "身份证件类型": None,
    "身份证件有效期": None,
    "学籍辅号": None,
    "银行卡号": None,
    "开户人姓名": None,
    "": None,
    "—": None,
    "*": None,
}
PAYMENTS: dict[str, str | None] = {
    "受助学生姓名": "name",
    "身份证号（学生）": "identity",
    "实发金额（元）": "paid",
    "发放金额(元)": "paid",
    "银行卡号": "account",
    "银行账号（一卡通）": "account",
    "户名": "holder",
    "持卡人身份证号": None,
    "开户人身份证号": None,
    "身份证号（持卡人）": None,
    "身份证号（开户人）": None,
    "姓名（监护人）": None,
    "领款人签字": None,
}
PAIRINGS: dict[str, str | None] = {
    "帮扶责任人": "helper",
    "帮扶教师（姓名）": "helper",
    "联系电话（帮扶人）": "phone",
    "联系电话（家长）": None,
    "学生姓名": "students",
    "帮扶责任人身份证号": None,
    "家长姓名": None,
    "学生家长电话": None,
}
REGISTRY: dict[str, str | None] = {
    "姓名": "name",
    "家庭成员姓名": "name",
    "户主姓名": None,
    "户主身份证号": None,
    "姓名（户主）": None,
    "帮扶责任人姓名": None,
    "致贫原因2": None,
    "人均纯收入（元）": "income",
    "县（市、区、旗）": "county",
    "乡（镇）": "township",
}
CASES = [
    (kind, header, key)
    for kind, table in (
        ("students", PUPILS),
        ("payments", PAYMENTS),
        ("pairings", PAIRINGS),
        ("households", REGISTRY),
    )
    for header, key in table.items()
]


@pytest.mark.parametrize(("kind", "header", "key"), CASES)
def test_a_header_is_its_column_and_no_other(kind: str, header: str, key: str | None) -> None:
    resource = resource_for(kind)
    assert resource is not None
    assert match_columns([header], resource.columns).keys.get(0) == key


@pytest.mark.parametrize("dress", ["{}", " {} ", "{}*", "*{}", "{}（必填）", "2.{}", "{}：", "{}\n"])
def test_every_published_header_is_known_however_it_is_dressed(dress: str) -> None:
    for resource in kinds():
        headers = [dress.format(column.header) for column in resource.columns]
        matching = match_columns(headers, resource.columns)
        assert [matching.keys.get(index) for index in range(len(headers))] == [
            column.key for column in resource.columns
        ], resource.kind
        assert matching.duplicates == []


def test_no_two_columns_of_a_kind_share_a_header() -> None:
    for resource in kinds():
        seen: dict[str, str] = {}
        for column in resource.columns:
            for header in column.headers:
                assert seen.setdefault(normalise_header(header), column.key) == column.key, (
                    resource.kind,
                    header,
                )


@pytest.mark.parametrize(
    "group", ["监护人", "监护人1信息", "家长信息", "母亲", "班主任", "户主", "帮扶责任人"]
)
def test_columns_below_other_people_are_theirs(group: str) -> None:
    resource = resource_for("students")
    assert resource is not None
    headers = ["姓名", "身份证号码", "性别", "出生日期", "民族"]
    keys = match_columns(headers, resource.columns, [group] * len(headers)).keys.values()
    assert not set(keys) & {"name", "identity", "sex", "birth_date", "ethnic_group"}


@pytest.mark.parametrize(
    "group", ["学生信息", "学生基本情况", "基本信息", "个人信息", "幼儿信息", "学生及家长信息"]
)
def test_columns_below_the_pupil_are_the_pupils(group: str) -> None:
    resource = resource_for("students")
    assert resource is not None
    headers = ["姓名", "身份证号码", "性别", "出生日期", "民族"]
    keys = match_columns(headers, resource.columns, [group] * len(headers)).keys
    assert list(keys.values()) == ["name", "identity", "sex", "birth_date", "ethnic_group"]
