"""Money in yuan: `Decimal` with two places, and how papers write it. Never float."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.messages import MessageError

CENT = Decimal("0.01")
TEN_THOUSAND = Decimal(10000)
# Sixteen digits before the point are more than any county spends, and what the capitals can still say.
LARGEST = Decimal("9999999999999999.99")

_NUMERALS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


class MoneyError(MessageError):
    """An amount that is no amount in yuan; codes: number, places, size."""


def yuan(value: Decimal | int | str) -> Decimal:
    """The amount with exactly two places; MoneyError when it has more, is no number or is too large."""
    if isinstance(value, str) and (not value.isascii() or "_" in value):
        raise _not_a_number(value)
    try:
        amount = Decimal(value)
    except ArithmeticError:
        raise _not_a_number(value) from None
    if not amount.is_finite():
        raise _not_a_number(value)
    if abs(amount) > LARGEST:
        raise MoneyError("size", _("The amount is too large."))
    exact = amount.quantize(CENT)
    if exact != amount:
        raise MoneyError(
            "places", _("An amount in yuan has at most two decimal places: %(value)s."), {"value": value}
        )
    return exact


def _not_a_number(value: object) -> MoneyError:
    return MoneyError("number", _("“%(value)s” is not an amount of money."), {"value": value})


def yuan_text(amount: Decimal) -> str:
    """For sentences: 312.50 → 312.5, 625.00 → 625; no separators of thousands."""
    text = f"{amount.quantize(CENT, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


def yuan_table(amount: Decimal) -> str:
    """For tables: always two places, 312.50."""
    return f"{amount.quantize(CENT, ROUND_HALF_UP):f}"


def wan_text(amount: Decimal) -> str:
    """Ten thousands of yuan for sentences, two places: 7701400 → 770.14."""
    return f"{(amount / TEN_THOUSAND).quantize(CENT, ROUND_HALF_UP):f}"


def wan_table(amount: Decimal) -> str:
    """Ten thousands of yuan for tables, four places: 312.50 → 0.0313."""
    return f"{(amount / TEN_THOUSAND).quantize(Decimal('0.0001'), ROUND_HALF_UP):f}"


def _group(number: int) -> str:
    """A number below ten thousand in capital numerals, with one 零 for each gap inside."""
    digits = f"{number:d}"
    out: list[str] = []
    gap = False
    for position, digit in enumerate(digits):
        if digit == "0":
            gap = True
            continue
        if gap:
            out.append("零")
            gap = False
        out.append(_NUMERALS[int(digit)] + _PLACES[len(digits) - 1 - position])
    return "".join(out)


def _whole(number: int) -> str:
    """A positive whole number in capital numerals, by groups of four digits."""
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10000)
        groups.append(group)
    out = ""
    gap = False
    for index in reversed(range(len(groups))):
        group = groups[index]
        if group == 0:
            gap = bool(out)
            # 万亿 needs its 亿 even when the group of 亿 itself is empty.
            if index == 2 and len(groups) == 4:
                out += "亿"
            continue
        if out and (gap or group < 1000):
            out += "零"
        gap = False
        unit = "万" if index == 3 else _GROUPS[index]
        out += _group(group) + unit
    return out


def capitals(amount: Decimal) -> str:
    """The amount in capitals as vouchers need it: 人民币壹仟贰佰伍拾元整, 人民币叁佰壹拾贰元伍角整.

    By the rules for bank papers: 整 after 元 and 角, none after 分; one 零 for zeros in between; 零 between
    元 and 分 when there are no 角; negative amounts begin with 负.
    """
    exact = yuan(amount)
    cents = int(abs(exact) * 100)
    sign = "负" if exact < 0 else ""
    whole, rest = divmod(cents, 100)
    jiao, fen = divmod(rest, 10)
    if not cents:
        return "人民币零元整"
    text = _whole(whole) + "元" if whole else ""
    if jiao:
        text += f"{_NUMERALS[jiao]}角"
    elif fen and whole:
        text += "零"
    text += f"{_NUMERALS[fen]}分" if fen else "整"
    return f"人民币{sign}{text}"
