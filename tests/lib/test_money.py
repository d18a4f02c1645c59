"""Money: two places, and how papers write it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib import money
from povertyaid.lib.money import MoneyError, capitals, yuan

NUMERALS = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
AMOUNTS = st.decimals(Decimal(0), money.LARGEST, places=2)


def read_group(text: str) -> int:
    """The value of 仟佰拾 numerals below ten thousand."""
    total, digit = 0, 0
    for character in text:
        if character in NUMERALS:
            digit = NUMERALS[character]
        else:
            total += digit * {"拾": 10, "佰": 100, "仟": 1000}[character]
            digit = 0
    return total + digit


def read_capitals(text: str) -> Decimal:
    """The amount that capitals say, by another way than the one that wrote them."""
    text = text.removeprefix("人民币").removesuffix("整")
    whole, found, rest = text.rpartition("元")
    if not found:
        whole = ""
    upper, _, lower = whole.rpartition("亿") if "亿" in whole else ("", "", whole)
    total = 0
    for part in (upper, lower):
        ten_thousands, _, ones = part.rpartition("万") if "万" in part else ("", "", part)
        total = total * 10**8 + read_group(ten_thousands) * 10**4 + read_group(ones)
    cents, digit = 0, 0
    for character in rest:
        if character in NUMERALS:
            digit = NUMERALS[character]
        else:
            cents += digit * (10 if character == "角" else 1)
    return Decimal(total) + Decimal(cents) / 100


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "人民币零元整"),
        ("0.05", "人民币伍分"),
        ("0.50", "人民币伍角整"),
        ("0.55", "人民币伍角伍分"),
        ("1", "人民币壹元整"),
        ("10", "人民币壹拾元整"),
        ("10.05", "人民币壹拾元零伍分"),
        ("312.50", "人民币叁佰壹拾贰元伍角整"),
        ("1250", "人民币壹仟贰佰伍拾元整"),
        ("1680.32", "人民币壹仟陆佰捌拾元叁角贰分"),
        ("6007.14", "人民币陆仟零柒元壹角肆分"),
        ("16409.02", "人民币壹万陆仟肆佰零玖元零贰分"),
        ("107000.53", "人民币壹拾万柒仟元伍角叁分"),
        ("10001", "人民币壹万零壹元整"),
        ("100010000", "人民币壹亿零壹万元整"),
        ("7701400", "人民币柒佰柒拾万壹仟肆佰元整"),
        ("1000000000001.01", "人民币壹万亿零壹元零壹分"),
        ("-625", "人民币负陆佰贰拾伍元整"),
    ],
)
def test_capitals(amount: str, text: str) -> None:
    assert capitals(Decimal(amount)) == text


@given(AMOUNTS)
def test_capitals_say_the_amount_and_never_two_zeros(amount: Decimal) -> None:
    text = capitals(amount)
    assert read_capitals(text) == amount
    assert "零零" not in text
    assert not text.removeprefix("人民币").startswith("零") or amount == 0


def test_texts_of_amounts() -> None:
    assert [money.yuan_text(Decimal(text)) for text in ("312.50", "625.00", "600", "0", "0.05")] == [
        "312.5",
        "625",
        "600",
        "0",
        "0.05",
    ]
    assert money.yuan_table(Decimal("312.5")) == "312.50"
    assert money.wan_text(Decimal(7701400)) == "770.14"
    assert money.wan_table(Decimal("312.50")) == "0.0313"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0.005", "places"),
        ("abc", "number"),
        ("NaN", "number"),
        ("1e30", "size"),
        ("１２", "number"),
        ("1_0", "number"),
    ],
)
def test_what_is_no_amount(value: str, code: str) -> None:
    with pytest.raises(MoneyError) as caught:
        yuan(value)
    assert caught.value.code == code


@given(AMOUNTS)
def test_yuan_keeps_the_amount_with_two_places(amount: Decimal) -> None:
    assert yuan(str(amount)) == amount
    assert yuan(amount).as_tuple().exponent == -2
