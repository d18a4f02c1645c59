"""Cells that can be read in two ways are refused with both readings; what has one reading is read, however written."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from povertyaid.lib import cells
from povertyaid.lib.cells import CellError, ClassName, Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from povertyaid.lib.sheets.model import Value

CTX = Context(date(2026, 7, 1))
IDENTITY = "431202201808214614"


def refusal(cleaner: Callable[..., Any], value: object, **context: str) -> str:
    """The sentence with which a cell is refused."""
    with pytest.raises(CellError) as caught:
        cleaner(value, ctx=Context(CTX.today, **context))  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("cleaner", "value", "readings"),
    [
        (cells.clean_date, 2012.1, ["2012-01", "2012-10"]),
        (cells.clean_date, "01/02/2024", ["2024-01-02", "2024-02-01"]),
        (cells.clean_date, "1-2-2024", ["2024-01-02", "2024-02-01"]),
        (cells.clean_date, "12.3.1", ["2012-03-01", "2001-12-03", "2001-03-12"]),
        (cells.clean_date, "10-11-12", ["2010-11-12", "2012-10-11", "2012-11-10"]),
        (cells.clean_date, 20123, ["2012-03", "1955-02-03"]),
        (cells.clean_date, "20123", ["2012-03", "1955-02-03"]),
        (cells.clean_date, "2012111", ["2012-01-11", "2012-11-01"]),
        (cells.clean_class_name, 3.1, ["三年级1班", "三年级10班"]),
        (cells.clean_class_name, "3/1", ["3年级1班", "3班、1班"]),
        (cells.clean_class_name, "31", ["三年级1班", "31班"]),
        (cells.clean_class_name, 31.0, ["三年级1班", "31班"]),
        (cells.clean_class_name, "42班", ["四年级2班", "42班"]),
        (cells.clean_class_name, "小三", ["小班三班", "小学三年级"]),
        (cells.clean_class_name, "大一", ["大班一班", "大学一年级"]),
        (cells.clean_class_name, date(2026, 3, 1), ["3-1", "1-3"]),
        (cells.clean_class_name, datetime(2026, 3, 1), ["3-1", "1-3"]),  # noqa: DTZ001 - cells have no time zone
        (cells.clean_amount, "1.250", ["1.25", "1250"]),
        (cells.clean_amount, "1.250元", ["1.25", "1250"]),
        (cells.clean_amount, "￥312.500", ["312.5", "312500"]),
        (cells.clean_name, "张三 李四", ["张三、李四", "张三李四"]),
        (cells.clean_name, "张三　李四 王五", ["张三、李四、王五"]),
        (cells.clean_semester, "2025年上学期", ["2025年春季学期", "2025年秋季学期"]),
        (cells.clean_semester, "2025年下学期", ["2025年春季学期", "2025年秋季学期", "2026年春季学期"]),
        (cells.clean_semester, "2025学年第一学期", ["2025年秋季学期", "2024年秋季学期"]),
        (cells.clean_semester, "2025年秋季、2026年春季", ["2025年秋季学期", "2026年春季学期"]),
        (cells.clean_semester, "2025秋和2026春", ["2025年秋季学期", "2026年春季学期"]),
        (cells.clean_semester, "2025-2026学年第二学期（2025年秋季）", ["2026年春季学期", "2025年秋季学期"]),
    ],
)
def test_both_readings_are_told(cleaner: Callable[..., Any], value: object, readings: list[str]) -> None:
    text = refusal(cleaner, value)
    assert [reading for reading in readings if reading not in text] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("25/12/2024", "2024-12-25"),
        ("12/25/2024", "2024-12-25"),
        ("03/03/2024", "2024-03-03"),
        ("2024/1/2", "2024-01-02"),
        ("2012.1", "2012-01"),
        ("2012.10", "2012-10"),
        (2012.2, "2012-02"),
        ("2012年03月", "2012-03"),
        ("2012年3月份", "2012-03"),
        ("2012年", "2012"),
        ("2012．3．1", "2012-03-01"),
        ("'2012-03-01", "2012-03-01"),
        ("\u202a2012-03-01\u202c", "2012-03-01"),
        ("2012/3/1 0:00:00", "2012-03-01"),
        ("2012-03-01T00:00:00", "2012-03-01"),
    ],
)
def test_dates_with_one_reading(value: Value, text: str) -> None:
    assert str(cells.clean_date(value, ctx=CTX).value) == text


@pytest.mark.parametrize(
    "value",
    [
        "3/1",
        "3月1日",
        "99.99.99",
        8012,
        "8012",
        "13/13/2024",
        "2012-03-01至2012-03-05",
        "2012年3月上旬",
        "120301",
    ],
)
def test_what_is_no_date(value: object) -> None:
    assert refusal(cells.clean_date, value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("三(1)班", ClassName(3, 1)),
        ("3.1", ClassName(3, 1)),
        ("3-1", ClassName(3, 1)),
        ("3.10", ClassName(3, 10)),
        (3.2, ClassName(3, 2)),
        (3.12, ClassName(3, 12)),
        ("301", ClassName(3, 1)),
        ("301班", ClassName(3, 1)),
        ("310班", ClassName(3, 10)),
        ("三年级1班", ClassName(3, 1)),
        ("三年级（1）班", ClassName(3, 1)),
        ("三年级（1）", ClassName(3, 1)),
        ("三年级1", ClassName(3, 1)),
        ("3年级1", ClassName(3, 1)),
        ("三1", ClassName(3, 1)),
        ("三1班", ClassName(3, 1)),
        ("三一班", ClassName(3, 1)),
        ("三年1班", ClassName(3, 1)),
        ("三 年 级 一 班", ClassName(3, 1)),
        ("三年级第一班", ClassName(3, 1)),
        ("小学三年级2班", ClassName(3, 2, None, "primary")),
        ("小三(2)班", ClassName(3, 2, None, "primary")),
        ("初一3班", ClassName(7, 3, None, "junior")),
        ("初一(3)", ClassName(7, 3, None, "junior")),
        ("初一3", ClassName(7, 3, None, "junior")),
        ("八年级二班", ClassName(8, 2, None, "junior")),
        ("九(2)", ClassName(9, 2, None, "junior")),
        ("高二(5)班", ClassName(2, 5, None, "senior")),
        ("高二25班", ClassName(2, 25, None, "senior")),
        ("职高一(2)班", ClassName(1, 2, None, "vocational")),
        ("2024级1班", ClassName(None, 1, 2024)),
        ("2024级(1)班", ClassName(None, 1, 2024)),
        ("2024级", ClassName(None, None, 2024)),
        ("初2024级3班", ClassName(None, 3, 2024, "junior")),
        ("幼儿园大一班", ClassName(3, 1, None, "preschool")),
        ("大(1)班", ClassName(3, 1, None, "preschool")),
        ("大班1班", ClassName(3, 1, None, "preschool")),
        ("中班", ClassName(2, None, None, "preschool")),
        ("学前班", ClassName(3, None, None, "preschool")),
        ("学前(2)班", ClassName(3, 2, None, "preschool")),
        ("十一班", ClassName(None, 11)),
        ("12班", ClassName(None, 12)),
        ("20", ClassName(None, 20)),
    ],
)
def test_classes_with_one_reading(value: Value, found: ClassName) -> None:
    assert cells.clean_class_name(value, ctx=CTX).value == found


def test_the_year_before_school_is_told() -> None:
    assert [(repair.rule, repair.after) for repair in cells.clean_class_name("学前班", ctx=CTX).repairs] == [
        ("preschool_class", "大班")
    ]
    assert cells.clean_grade("学前班", ctx=CTX).value == ClassName(3, None, None, "preschool")
    assert cells.clean_class_name("三(1)班", ctx=CTX).repairs == []


def test_a_year_of_leaving_is_told() -> None:
    assert "2024级1班" in refusal(cells.clean_class_name, "2024届1班")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2025秋", "2025-2026-1"),
        ("2025年秋", "2025-2026-1"),
        ("2025年秋季学期", "2025-2026-1"),
        ("2025-2026学年度第一学期", "2025-2026-1"),
        ("2025-2026学年（第一学期）", "2025-2026-1"),
        ("2025～2026学年上学期", "2025-2026-1"),
        ("2026年春季", "2025-2026-2"),
        ("2026春", "2025-2026-2"),
        ("2025—2026学年下学期", "2025-2026-2"),
        ("2025－2026学年第2学期", "2025-2026-2"),
        ("２０２６年春季学期", "2025-2026-2"),
        ("二〇二六年春季学期", "2025-2026-2"),
        ("2026年春季学期（2025—2026学年第二学期）", "2025-2026-2"),
        ("2025-2026-2", "2025-2026-2"),
    ],
)
def test_semesters_with_one_reading(text: str, code: str) -> None:
    assert cells.clean_semester(text, ctx=CTX).value == code


@pytest.mark.parametrize(
    "text", ["2025-2027学年第一学期", "第一学期", "2025-2026学年", "2026", "春" * 40_000]
)
def test_what_is_no_semester(text: str) -> None:
    assert refusal(cells.clean_semester, text)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("1,250", "1250.00"),
        ("1,250.00", "1250.00"),
        ("￥1,250.00", "1250.00"),
        ("１２５０元", "1250.00"),
        ("1250 元", "1250.00"),
        ("1250元整", "1250.00"),
        ("0.125万元", "1250.00"),
        ("0.1250万", "1250.00"),
        ("人民币1250元", "1250.00"),
        ('="1250"', "1250.00"),
        ("1.25", "1.25"),
        ("1250.000", "1250.00"),
        ("\u200e1250\u200f", "1250.00"),
    ],
)
def test_amounts_with_one_reading(value: str, amount: str) -> None:
    assert str(cells.clean_amount(value, ctx=CTX).value) == amount


def test_four_places_are_usual_in_ten_thousands() -> None:
    wan = Context(CTX.today, "wan")
    assert str(cells.clean_amount("1.250", ctx=wan).value) == "12500.00"
    assert str(cells.clean_amount("1.250万元", ctx=CTX).value) == "12500.00"


@pytest.mark.parametrize(
    "value",
    [
        "壹仟",
        "壹仟贰佰伍拾元整",
        "1千",
        "625元/学期",
        "625+625",
        "约625",
        "$625",
        "1 250",
        "1.250.00",
        "12,50",
        "x" * 32_000,
    ],
)
def test_what_is_no_amount(value: str) -> None:
    assert refusal(cells.clean_amount, value)


@pytest.mark.parametrize(
    ("header", "value", "meaning"),
    [
        ("就读方式", "1", "day"),
        ("就读方式", 2.0, "boarding"),
        ("", "1", "day"),
        ("是否住校", "1", "boarding"),
        ("是否寄宿", 1.0, "boarding"),
        ("是否寄宿生", "是", "boarding"),
        ("是否住校", "0", "day"),
        ("是否住校", "2", "day"),
        ("是否走读", "是", "day"),
        ("是否走读", "否", "boarding"),
        ("是否走读", "住校", "boarding"),
        ("寄宿生", "√", "boarding"),
        ("走读或住校", "1", "day"),
    ],
)
def test_boarding_is_read_by_what_its_header_asks(header: str, value: Value, meaning: str) -> None:
    assert cells.clean_boarding(value, ctx=Context(CTX.today, header=header)).value == meaning


def test_a_one_under_a_question_about_being_left_behind() -> None:
    assert cells.clean_left_behind("1", ctx=Context(CTX.today, header="留守儿童")).value == "one_parent"
    assert "单亲留守" in refusal(cells.clean_left_behind, "1", header="是否留守儿童")
    assert cells.clean_left_behind("否", ctx=Context(CTX.today, header="是否留守儿童")).value == "none"


# Numbers that lost digits, formulas, pictures, marks, long cells


@pytest.mark.parametrize("cleaner", [cells.clean_identity, cells.clean_account, cells.clean_pupil_number])
@pytest.mark.parametrize("value", [431202201808214000, 4.31202201808214e17, 1, 0.5, float("nan")])
def test_a_number_is_never_a_long_number(cleaner: Callable[..., Any], value: float) -> None:
    assert "文本" in refusal(cleaner, value)


@pytest.mark.parametrize("value", ["4.31202E+17", "4.31202201808214E17", "6.217E18", "+4.3e+17"])
def test_scientific_notation_is_refused_in_every_number(value: str) -> None:
    for cleaner in (cells.clean_identity, cells.clean_account, cells.clean_pupil_number, cells.clean_phone):
        assert refusal(cleaner, value)


def test_a_number_that_ends_in_noughts_is_told() -> None:
    assert [warning.code for warning in cells.clean_account("6217000000000000", ctx=CTX).warnings] == [
        "shortened"
    ]
    assert cells.clean_account("62170000", ctx=CTX).warnings == []
    assert cells.clean_identity(IDENTITY, ctx=CTX).warnings == []


@pytest.mark.parametrize(
    "value",
    ['=DISPIMG("ID_A1B2",1)', '=_xlfn.DISPIMG("ID_A1B2",1)', "#N/A", "#REF!", "#VALUE!", "#NAME?", "#n/a", "Err:502",
     "=A1+B1",
     "=VLOOKUP(A2,表2!A:C,3,0)", "=1250", "= -B3"],
)  # fmt: skip
@pytest.mark.parametrize(
    "cleaner",
    [cells.clean_identity, cells.clean_name, cells.clean_amount, cells.clean_date, cells.clean_class_name, cells.clean_sex,
     cells.clean_phone, cells.clean_integer, cells.clean_semester, cells.clean_people],
)  # fmt: skip
def test_pictures_and_formulas_are_no_values(cleaner: Callable[..., Any], value: str) -> None:
    with pytest.raises(CellError) as caught:
        cleaner(value, ctx=CTX)
    assert caught.value.code in {"picture", "formula_error", "formula"}


@pytest.mark.parametrize("mark", ["\u200b", "\u200f", "\u202e", "\ufeff", "\x07", "\u2067"])
def test_marks_that_nobody_sees_are_removed_and_told(mark: str) -> None:
    for cleaner, text, value in (
        (cells.clean_identity, IDENTITY, IDENTITY),
        (cells.clean_name, "张三", "张三"),
        (cells.clean_sex, "女", "female"),
        (cells.clean_class_name, "三(1)班", ClassName(3, 1)),
    ):
        cleaned = cleaner(f"{mark}{text[:1]}{mark}{text[1:]}", ctx=CTX)
        assert cleaned.value == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("张 三", "张三"),
        ("韩 航英", "韩航英"),
        ("张　三", "张三"),
        ("欧阳 娜娜", "欧阳娜娜"),
        ("⼤三", "大三"),
        ("⽅三", "方三"),
        ("阿依古丽．买买提", "阿依古丽·买买提"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽 · 买买提", "阿依古丽·买买提"),
        ("𬭚三", "𬭚三"),
        ("'张三", "张三"),
        ('="张三"', "张三"),
    ],
)
def test_names_with_one_reading(text: str, name: str) -> None:
    assert cells.clean_name(text, ctx=CTX).value == name


@pytest.mark.parametrize(
    "text",
    [
        "合计",
        "小 计",
        "姓名",
        "三年级",
        "张三、李四",
        "张三1",
        "同上",
        "张三(转学)",
        "13800138000",
        "张" * 32_000,
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert len(refusal(cells.clean_name, text)) < 200


@pytest.mark.parametrize(
    "text", ["甲" * 32_767, "1" * 32_767, "(" * 32_767, "张 " * 16_000, "、" * 32_767, "1-" * 16_000]
)
def test_a_cell_of_32_000_characters_is_answered_at_once(text: str) -> None:
    for cleaner in (
        cells.clean_text, cells.clean_name, cells.clean_people, cells.clean_identity, cells.clean_phone, cells.clean_sex,
        cells.clean_amount, cells.clean_integer, cells.clean_date, cells.clean_semester, cells.clean_class_name,
        cells.clean_grade, cells.clean_account, cells.clean_yes_no,
    ):  # fmt: skip
        try:
            cleaned = cleaner(text, ctx=CTX)
        except CellError as found:
            assert len(str(found)) < 300  # noqa: PT017 - a value or a refusal, both are right
        else:
            assert cleaned.value is None


@pytest.mark.parametrize(
    "text", ["无", "/", "—", "－", "、", "暂无", "不详", "未知", "没有", "暂缺", "N/A", "n／a",
    "（无）", "-", "--", "\\", "。", "　", "\u200b", "'", "null"]
)  # fmt: skip
def test_the_ways_to_write_nothing(text: str) -> None:
    for cleaner in (
        cells.clean_name,
        cells.clean_identity,
        cells.clean_amount,
        cells.clean_date,
        cells.clean_phone,
    ):
        assert cleaner(text, ctx=CTX).value is None
