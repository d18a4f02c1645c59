"""Cleaners: every form of POLICY §6, every refusal, and nothing but a value or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib import cells
from povertyaid.lib.cells import CellError, Cleaned, Context
from povertyaid.lib.money import yuan

CTX = Context(date(2026, 7, 1))
IDENTITY = "431202201808214614"
CARD = "6217415776519259574"
Cleaner = Callable[..., Cleaned[Any]]

CLEANERS: list[Cleaner] = [
    cells.clean_text,
    cells.clean_name,
    cells.clean_people,
    cells.clean_identity,
    cells.clean_pupil_number,
    cells.clean_account,
    cells.clean_phone,
    cells.clean_sex,
    cells.clean_boarding,
    cells.clean_left_behind,
    cells.clean_yes_no,
    cells.clean_amount,
    cells.clean_integer,
    cells.clean_date,
    cells.clean_semester,
    cells.clean_class_name,
    cells.clean_grade,
]


def rules(cleaned: Cleaned[Any]) -> list[str]:
    """The codes of the repairs."""
    return [repair.rule for repair in cleaned.repairs]


def code_of(cleaner: Cleaner, value: object, **options: object) -> str:
    """The code with which a value is refused."""
    with pytest.raises(CellError) as caught:
        cleaner(value, ctx=CTX, **options)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("cleaner", CLEANERS)
@pytest.mark.parametrize("blank", [None, "", "  ", "/", "—", "－", "、", "暂无", "不详", "——", "\u3000", "'"])
def test_blanks_are_blank_everywhere(cleaner: Cleaner, blank: str | None) -> None:
    cleaned = cleaner(blank, ctx=CTX)
    assert (cleaned.value, cleaned.warnings) == (None, [])


def test_a_word_for_nothing_may_mean_no() -> None:
    assert cells.is_blank("无")
    assert not cells.is_blank("无", legal=("无",))
    assert cells.clean_left_behind("无", ctx=CTX).value == "none"
    assert cells.clean_yes_no("无", ctx=CTX).value is False
    assert cells.clean_sex("无", ctx=CTX).value is None
    assert cells.clean_text("无", ctx=CTX, legal=("无",)).value == "无"
    assert not cells.is_blank(0)


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        (IDENTITY, []),
        ("４３１２０２２０１８０８２１４６１４", ["fullwidth"]),
        (f"'{IDENTITY}", ["apostrophe"]),
        (f"’{IDENTITY}", ["apostrophe"]),
        (f'="{IDENTITY}"', ["formula_text"]),
        (f" {IDENTITY}\t", ["trimmed"]),
        ("431202 20180821 4614", ["inner_blanks"]),
        (f"\u200b{IDENTITY}", ["invisible"]),
    ],
)
def test_identity_numbers_are_repaired_only_in_dress(text: str, repairs: list[str]) -> None:
    cleaned = cells.clean_identity(text, ctx=CTX)
    assert (cleaned.value, rules(cleaned), cleaned.sensitive) == (IDENTITY, repairs, "identity")
    assert all(IDENTITY not in repair.before + repair.after for repair in cleaned.masked_repairs)


def test_a_small_x_becomes_capital() -> None:
    cleaned = cells.clean_identity("43120220151016700x", ctx=CTX)
    assert (cleaned.value, rules(cleaned)) == ("43120220151016700X", ["uppercase"])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (4.31202201603195e17, "numeric"),
        (431202201603195000, "numeric"),
        ("4.31202E+17", "scientific"),
        ("431202201507045480", "checksum"),
        ("431202209903014596", "future"),
        ("4312022018082146", "length"),
        ("43120220180821461王", "characters"),
        (date(2018, 8, 21), "type"),
        (True, "type"),
        ("#N/A", "formula_error"),
        ('=DISPIMG("ID_1",1)', "picture"),
    ],
)
def test_refused_identity_numbers(value: object, code: str) -> None:
    assert code_of(cells.clean_identity, value) == code


def test_an_odd_region_is_a_warning() -> None:
    assert [warning.code for warning in cells.clean_identity("500154201509024800", ctx=CTX).warnings] == [
        "region"
    ]


@pytest.mark.parametrize("value", [431202201603195000, 1.0, "4.3E+17"])
@pytest.mark.parametrize("cleaner", [cells.clean_identity, cells.clean_account, cells.clean_pupil_number])
def test_no_long_number_comes_from_a_number(cleaner: Cleaner, value: object) -> None:
    assert code_of(cleaner, value) in {"numeric", "scientific"}


def test_pupil_numbers() -> None:
    assert cells.clean_pupil_number("g43120220180422353x", ctx=CTX).value == "G43120220180422353X"
    assert code_of(cells.clean_pupil_number, IDENTITY) == "pupil_number"


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        (CARD, []),
        (f'="{CARD}"', ["formula_text"]),
        ("6217 4157 7651 9259 574", ["inner_blanks"]),
        ("６２１７４１５７７６５１９２５９５７４", ["fullwidth"]),
    ],
)
def test_accounts(text: str, repairs: list[str]) -> None:
    cleaned = cells.clean_account(text, ctx=CTX)
    assert (cleaned.value, rules(cleaned), cleaned.sensitive) == (CARD, repairs, "account")


def test_refused_accounts() -> None:
    assert code_of(cells.clean_account, "6.21700000000001E+18") == "scientific"
    assert code_of(cells.clean_account, "1234567") == "account"
    assert code_of(cells.clean_account, "62174157x") == "account"


@pytest.mark.parametrize(
    ("value", "phone", "repairs"),
    [
        ("15008470472", "15008470472", []),
        (15008470472.0, "15008470472", []),
        ("171-5905 5932", "17159055932", ["phone_separators"]),
        ("+86 15008470472", "15008470472", ["phone_separators", "phone_prefix"]),
        ("0745-2261234", "07452261234", ["phone_separators"]),
        ("(0745)2261234", "07452261234", ["phone_separators"]),
        ("15008470472、13800138000", "15008470472、13800138000", []),
        ("15008470472/13800138000", "15008470472、13800138000", ["phone_separators"]),
        ("15008470472 13800138000", "15008470472、13800138000", ["phone_separators"]),
        ("2261234", "2261234", []),
    ],
)
def test_phones(value: object, phone: str, repairs: list[str]) -> None:
    cleaned = cells.clean_phone(value, ctx=CTX)  # type: ignore[arg-type]
    assert (cleaned.value, rules(cleaned), cleaned.sensitive) == (phone, repairs, "phone")


@pytest.mark.parametrize(
    "value", ["12345", "23800138000", "1500847047", "15008470472、1", "张三", 1.5e300, True]
)
def test_refused_phones(value: object) -> None:
    assert code_of(cells.clean_phone, value) == "phone"


@pytest.mark.parametrize(
    ("cleaner", "value", "meaning"),
    [
        (cells.clean_sex, "男", "male"),
        (cells.clean_sex, "男性", "male"),
        (cells.clean_sex, 1.0, "male"),
        (cells.clean_sex, "Ｍ", "male"),
        (cells.clean_sex, "女 ", "female"),
        (cells.clean_sex, "2", "female"),
        (cells.clean_boarding, "走读", "day"),
        (cells.clean_boarding, 1, "day"),
        (cells.clean_boarding, "寄宿", "boarding"),
        (cells.clean_boarding, "是", "boarding"),
        (cells.clean_left_behind, "否", "none"),
        (cells.clean_left_behind, 0.0, "none"),
        (cells.clean_left_behind, "父母一方外出", "one_parent"),
        (cells.clean_left_behind, "双亲外出", "both_parents"),
        (cells.clean_left_behind, "2", "both_parents"),
        (cells.clean_yes_no, "√", True),
        (cells.clean_yes_no, "否", False),
    ],
)
def test_words_and_codes(cleaner: Cleaner, value: object, meaning: object) -> None:
    assert cleaner(value, ctx=CTX).value == meaning


def test_a_code_is_told_as_a_repair_and_a_word_is_not() -> None:
    assert [(repair.before, repair.after) for repair in cells.clean_sex(1.0, ctx=CTX).repairs] == [
        ("1", "男")
    ]
    assert cells.clean_sex("男性", ctx=CTX).repairs == []


def test_a_wrong_word_is_told_the_right_ones() -> None:
    with pytest.raises(CellError) as caught:
        cells.clean_boarding("半读", ctx=CTX)
    assert "走读、住校" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "amount", "repairs"),
    [
        (312.5, "312.50", []),
        (625, "625.00", []),
        ("625.00", "625.00", []),
        ("312.50元", "312.50", ["unit_yuan"]),
        ("1,250", "1250.00", ["thousands"]),
        ("1，250元", "1250.00", ["fullwidth", "unit_yuan", "thousands"]),
        ("0.0625万元", "625.00", ["unit_wan"]),
        ("0.125 万", "1250.00", ["unit_wan"]),
        ("¥625", "625.00", ["currency_sign"]),
        ("￥625", "625.00", ["fullwidth", "currency_sign"]),
        (0.1 + 0.2, "0.30", ["binary_noise"]),
        (0, "0.00", []),
    ],
)
def test_amounts(value: object, amount: str, repairs: list[str]) -> None:
    cleaned = cells.clean_amount(value, ctx=CTX)  # type: ignore[arg-type]
    assert (str(cleaned.value), rules(cleaned)) == (amount, repairs)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("-625", "negative"),
        ("－625", "negative"),
        ("(625)", "negative"),
        ("负625元", "negative"),
        (-0.01, "negative"),
        ("1312.505", "places"),
        (312.505, "places"),
        ("0.0000001万元", "places"),
        ("1.25E+03", "scientific"),
        ("约800元", "number"),
        ("六百", "number"),
        ("12,50", "number"),
        (float("nan"), "number"),
        (float("inf"), "number"),
        ("9" * 30, "size"),
        (True, "type"),
        (datetime(2026, 1, 1), "type"),  # noqa: DTZ001 - cells have no time zone
    ],
)
def test_refused_amounts(value: object, code: str) -> None:
    assert code_of(cells.clean_amount, value) == code


def test_a_column_in_ten_thousands() -> None:
    wan = Context(CTX.today, money_unit="wan")
    assert cells.clean_amount(0.0625, ctx=wan).value == Decimal("625.00")
    assert cells.clean_amount("0.0625", ctx=wan).value == Decimal("625.00")
    assert cells.clean_amount("625元", ctx=wan).value == Decimal("625.00")


@given(st.decimals(0, 10**12, places=2))
def test_every_way_of_writing_an_amount_is_read_back(amount: Decimal) -> None:
    for text in (f"{amount}", f"{amount:,}", f"{amount}元", f"￥{amount}", f"{amount / 10_000:f}万元"):
        assert cells.clean_amount(text, ctx=CTX).value == yuan(amount)
    if amount < 10**9:
        assert cells.clean_amount(float(amount), ctx=CTX).value == yuan(amount)


def test_integers() -> None:
    assert cells.clean_integer(4.0, ctx=CTX).value == 4
    assert cells.clean_integer("37人", ctx=CTX).value == 37
    assert cells.clean_integer("1,200", ctx=CTX).value == 1200
    assert code_of(cells.clean_integer, 4.5) == "places"
    assert code_of(cells.clean_integer, "-1") == "range"
    assert code_of(cells.clean_integer, 13, most=12) == "range"
    assert code_of(cells.clean_integer, float("inf")) == "number"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("严伟桂、周强", ["严伟桂", "周强"]),
        ("冯英远，冯英远,何远宇", ["冯英远", "冯英远", "何远宇"]),
        ("张三；李四;王五\n赵六/钱七", ["张三", "李四", "王五", "赵六", "钱七"]),
        ("严伟桂 周强", ["严伟桂", "周强"]),
        ("张 三", ["张三"]),
        ("韩 航英", ["韩航英"]),
        ("欧阳 娜娜", ["欧阳娜娜"]),
        ("阿依古丽•买买提 李四", ["阿依古丽·买买提", "李四"]),
    ],
)
def test_several_people_in_one_cell(text: str, names: list[str]) -> None:
    assert cells.clean_people(text, ctx=CTX).value == names


def test_people_who_cannot_be_told_apart() -> None:
    assert code_of(cells.clean_people, "张 三 李 四") == "people"
    assert code_of(cells.clean_people, "张三、13800138000") == "name"


def test_lists() -> None:
    assert cells.split_list("三(1)班、三(2)班；三(1)班") == ["三(1)班", "三(2)班", "三(1)班"]
    assert cells.split_list("学业辅导；心理疏导") == ["学业辅导", "心理疏导"]
    assert cells.split_list("无") == []
    assert cells.split_list(None) == []


def test_names_and_text() -> None:
    cleaned = cells.clean_name(" 阿依古丽•买买提", ctx=CTX)
    assert (cleaned.value, rules(cleaned)) == ("阿依古丽·买买提", ["trimmed", "dot"])
    assert code_of(cells.clean_name, "张三（转）") == "name"
    assert code_of(cells.clean_name, 5.0) == "name"
    assert cells.clean_text(" 按月发放 ", ctx=CTX).value == "按月发放"
    assert code_of(cells.clean_text, "长" * 11, longest=10) == "length"


def test_a_picture_in_a_remark_costs_nobody_the_row() -> None:
    cleaned = cells.clean_text('=DISPIMG("ID_1",1)', ctx=CTX)
    assert (cleaned.value, [warning.code for warning in cleaned.warnings]) == (None, ["picture"])


def test_messages_hold_no_sensitive_number() -> None:
    for cleaner in (
        cells.clean_sex,
        cells.clean_date,
        cells.clean_class_name,
        cells.clean_name,
        cells.clean_amount,
    ):
        with pytest.raises(CellError) as caught:
            cleaner(f"号码{IDENTITY}", ctx=CTX)
        assert IDENTITY not in str(caught.value)
        assert IDENTITY not in repr(caught.value.args)


def test_masked_values_for_previews() -> None:
    assert cells.mask_value(IDENTITY, "identity") == "4312**********4614"
    assert cells.mask_value(CARD, "account") == "**** 9574"
    assert cells.mask_value(f"见{IDENTITY}") == "见4312**********4614"
    assert cells.mask_value(None) == ""


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.text(
        alphabet="0123456789一二三四五六七八九十年级班月日.-/（）()元万,，+eEXx＋ 张三、小中大高初",
        max_size=20,
    ),
    st.dates(),
    st.datetimes(),
)


@pytest.mark.parametrize("cleaner", CLEANERS)
@given(value=VALUES)
def test_whatever_goes_in_a_value_or_a_refusal(cleaner: Cleaner, value: object) -> None:
    try:
        cleaned = cleaner(value, ctx=CTX)
    except CellError as error:
        outcome = str(error)
    else:
        outcome = "cleaned"
        assert all(repair.before != repair.after for repair in cleaned.repairs)
        assert isinstance(cleaned.masked_repairs, list)
    assert outcome


def test_free_text_takes_no_number_that_is_stored_encrypted_elsewhere() -> None:
    for text in ("母亲43120220180422353X", "卡号6217415776519259574"):
        with pytest.raises(CellError) as caught:
            cells.clean_text(text, ctx=CTX)
        assert caught.value.code == "number_in_text"
    assert cells.clean_text("电话15008470472，户编号4312020013", ctx=CTX).value
