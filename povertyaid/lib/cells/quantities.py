"""Cleaners for amounts of money and for counts."""

# ruff: noqa: ARG001 - every cleaner takes the context, whether it needs it or not

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.cells.base import (
    CellError,
    Cleaned,
    Context,
    Steps,
    ambiguous,
    begin,
    error,
    is_blank,
    is_scientific,
)
from povertyaid.lib.money import CENT, LARGEST, TEN_THOUSAND
from povertyaid.lib.sheets.model import Value

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|[+-]?\.[0-9]+")
_CURRENCY = re.compile(r"^(?:人民币|RMB|CNY|[¥￥])\s*", re.IGNORECASE)
_WAN = re.compile(r"\s*万\s*(?:元|圆)?\s*整?$")
_YUAN = re.compile(r"\s*(?:元|圆|块)\s*整?$")
_NEGATIVE = re.compile(r"^\(\s*([0-9].*)\)$|^负\s*(?=[0-9])")
_COUNT_UNIT = re.compile(r"\s*(?:人次|人|名|户|口|个|月|年|岁|次|天|笔|份|件|项|只|头|平方米)$")
_POINT_OR_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_NOISE = Decimal("1e-9")
_LONGEST = 40


def _plain_number(steps: Steps, original: Value) -> Decimal:
    match = _NUMBER.fullmatch(steps.text)
    if match is None:
        raise error(
            "number",
            _("“%(value)s” is not a number. Write digits only, for example 1250 or 312.5."),
            original,
        )
    steps.apply("thousands", steps.text.replace(",", ""))
    return Decimal(steps.text)


def _float_amount(value: float, steps: Steps) -> Decimal:
    """A float as Excel shows it: two places, when it is within 1e-9 of them (binary noise), else as it is."""
    exact = Decimal(repr(value))
    if not exact.is_finite():
        raise error(
            "number", _("“%(value)s” is not a number. Write digits only, for example 1250 or 312.5."), value
        )
    if abs(exact) > LARGEST:
        raise error("size", _("The amount is too large."))
    rounded = exact.quantize(CENT)
    if exact != rounded and abs(exact - rounded) <= _NOISE:
        steps.apply("binary_noise", f"{rounded:f}")
        return rounded
    return exact


def clean_amount(value: Value, *, ctx: Context) -> Cleaned[Decimal]:
    """An amount in yuan with two places, not negative.

    1,250 · 1250元 · ￥625 · 0.0625万元; a bare number counts in the unit of `ctx.money_unit`. Error codes:
    number, negative, places (more than two after conversion), separator (1.250 may be 1,250), size, scientific, type.
    """
    if is_blank(value):
        return Cleaned(None)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise CellError("type", _("This cell must hold an amount of money, not a date or a logical value."))
    steps = begin(value)
    in_wan = ctx.money_unit == "wan"
    if isinstance(value, float):
        amount = Decimal(repr(value)) if in_wan and abs(value) < 1e15 else _float_amount(value, steps)
    elif isinstance(value, int):
        amount = Decimal(value)
    else:
        if is_blank(steps.text):
            return Cleaned(None)
        amount, in_wan = _text_amount(value, steps, in_wan=in_wan)
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise error("size", _("The amount is too large."))
    if amount < 0:
        raise error(
            "negative",
            _(
                "The amount %(value)s is negative. Money taken back is recorded as a reversal, not in this list."
            ),
            value,
        )
    if in_wan:
        amount *= TEN_THOUSAND
        if amount > LARGEST:
            raise error("size", _("The amount is too large."))
        rounded = amount.quantize(CENT)
        amount = rounded if abs(amount - rounded) <= _NOISE else amount
        steps.apply("unit_wan", f"{amount.normalize():f}")
    if amount != amount.quantize(CENT):
        raise error(
            "places",
            _("The amount %(value)s has more than two decimal places. Write it in yuan and fen."),
            value,
        )
    return Cleaned(amount.quantize(CENT), steps.repairs)


def _text_amount(value: Value, steps: Steps, *, in_wan: bool) -> tuple[Decimal, bool]:
    if len(steps.text) > _LONGEST:
        raise error(
            "number", _("“%(value)s” is not a number. Write digits only, for example 1250 or 312.5."), value
        )
    steps.apply("fullwidth", unicodedata.normalize("NFKC", steps.text))
    match = _NEGATIVE.match(steps.text)
    if match is not None:
        steps.apply("negative", f"-{match[1] or steps.text[match.end() :]}")
    steps.apply("currency_sign", _CURRENCY.sub("", steps.text))
    if is_scientific(steps.text):
        raise error(
            "scientific", _("The amount %(value)s is in scientific notation. Write it in full."), value
        )
    wan = _WAN.search(steps.text)
    yuan = _YUAN.search(steps.text)
    if wan is None and not in_wan and _POINT_OR_THOUSANDS.fullmatch(_YUAN.sub("", steps.text)):
        # 1.250 is one and a quarter, or what a comma should part.
        digits = _YUAN.sub("", steps.text)
        raise ambiguous("separator", value, f"{Decimal(digits).normalize():f}", digits.replace(".", ""))
    if wan is not None:
        in_wan = True
        number = Steps(steps.text[: wan.start()].strip())
        amount = _plain_number(number, value)
        return amount, in_wan
    if yuan is not None:
        in_wan = False
        steps.apply("unit_yuan", steps.text[: yuan.start()].strip())
    return _plain_number(steps, value), in_wan


def clean_integer(value: Value, *, ctx: Context, least: int = 0, most: int = 1_000_000_000) -> Cleaned[int]:
    """A whole number between `least` and `most`; a usual unit behind it (人, 户, 月, 次 …) is removed.

    Error codes: number, places, range, type.
    """
    if is_blank(value):
        return Cleaned(None)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise CellError("type", _("This cell must hold a whole number, not a date or a logical value."))
    steps = begin(value)
    if isinstance(value, (int, float)):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    else:
        if is_blank(steps.text):
            return Cleaned(None)
        steps.apply("fullwidth", unicodedata.normalize("NFKC", steps.text))
        if len(steps.text) > _LONGEST:
            raise error("number", _("“%(value)s” is not a whole number."), value)
        steps.apply("unit", _COUNT_UNIT.sub("", steps.text))
        number = _plain_number(steps, value)
    if not number.is_finite():
        raise error("number", _("“%(value)s” is not a whole number."), value)
    if not least <= number <= most:
        raise error(
            "range", _("%(value)s is not between %(least)d and %(most)d."), value, least=least, most=most
        )
    if number != int(number):
        raise error("places", _("“%(value)s” is not a whole number."), value)
    return Cleaned(int(number), steps.repairs)
