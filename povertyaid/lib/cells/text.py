"""Cleaners for words: text, names, lists, and columns with a fixed set of values."""

# ruff: noqa: ARG001 - every cleaner takes the context, whether it needs it or not

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.cells.base import (
    CellError,
    Cleaned,
    Context,
    Repair,
    ambiguous,
    as_text,
    begin,
    error,
    is_blank,
    is_number,
)
from povertyaid.lib.names import PersonNameError, normalise_name
from povertyaid.lib.sheets.model import Value
from povertyaid.lib.validators import validate_no_numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

T = TypeVar("T")

_LIST_SEPARATOR = re.compile(r"[、，,;；/／|\n\r]+")
_PEOPLE_SEPARATOR = re.compile(r"\s*[、，,;；/／|\n\r]\s*")
_HAN_ONLY = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]+")
# A surname of two characters is not yet a name: 欧阳 娜 is one person.
_LONG_SURNAMES = frozenset(
    (
        "欧阳",
        "上官",
        "司马",
        "诸葛",
        "夏侯",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "司徒",
        "端木",
        "独孤",
        "南宫",
        "长孙",
        "宇文",
        "轩辕",
        "澹台",
        "申屠",
        "太史",
        "闻人",
        "赫连",
        "呼延",
    )
)
# Words of rows that are no person, where they stand in the column of names.
_NO_NAME = re.compile(
    r"合计|小计|总计|累计|共计|姓名|学生姓名|序号|备注|班级|示例|[一二三四五六七八九]年级|以下空白|同上|待定|是|否|男|女"
)
_LONGEST_WORD = 100
_LONGEST_LIST = 200
_SHOWN_WORDS = 12


def clean_text(
    value: Value, *, ctx: Context, legal: Collection[str] = (), longest: int = 1000
) -> Cleaned[str]:
    """Free text: blanks at the ends removed, everything else as it stands; at most `longest` characters.

    An identity number or bank card in it is refused: free text is stored as it is, in the clear.

    A picture gives a blank and a warning: it must not cost a pupil's whole row.
    """
    if is_blank(value, legal):
        return Cleaned(None)
    try:
        steps = begin(value)
    except CellError as found:
        if found.code != "picture":
            raise
        return Cleaned(None, warnings=[found.message])
    if is_blank(steps.text, legal):
        return Cleaned(None)
    if len(steps.text) > longest:
        raise error(
            "length", _("The text has more than %(longest)d characters. Shorten it."), longest=longest
        )
    try:
        validate_no_numbers(steps.text)
    except ValidationError:
        raise error(
            "number_in_text",
            _(
                "This text holds an identity number or bank account. Take it out: it belongs into a column of its own."
            ),
        ) from None
    return Cleaned(steps.text, steps.repairs)


def clean_name(value: Value, *, ctx: Context) -> Cleaned[str]:
    """The name of one person, in its one spelling (see `names.normalise_name`)."""
    if is_blank(value):
        return Cleaned(None)
    if not isinstance(value, str):
        raise error("name", _("“%(value)s” is not a name. Type the person's name."), value)
    steps = begin(value)
    if is_blank(steps.text):
        return Cleaned(None)
    tokens = steps.text.split()
    whole = len(tokens) > 1 and all(_HAN_ONLY.fullmatch(token) and len(token) > 1 for token in tokens)
    if whole and not (tokens[0] in _LONG_SURNAMES and len(tokens) == 2 and len(tokens[1]) <= 2):
        raise ambiguous("people", value, "、".join(tokens), "".join(tokens))
    return _name(steps.text, steps.repairs)


def _name(text: str, repairs: list[Repair]) -> Cleaned[str]:
    if _NO_NAME.fullmatch(re.sub(r"\s", "", text)):
        raise error("name", _("“%(value)s” is not a name. Type the person's name."), text)
    try:
        name, rules = normalise_name(text)
    except PersonNameError as found:
        raise error(
            "name",
            _("“%(value)s” is not a name: %(why)s Type one person's full name and nothing else."),
            text,
            why=found.message,
        ) from None
    return Cleaned(name, [*repairs, *(Repair(rule, text, name) for rule in rules)])


def split_list(value: Value) -> list[str]:
    """The parts of a cell that holds several things, by 、 ， , ; ； / | or line breaks; blank parts are dropped."""
    if is_blank(value):
        return []
    return [part.strip() for part in _LIST_SEPARATOR.split(as_text(value)) if not is_blank(part)]


def clean_people(value: Value, *, ctx: Context) -> Cleaned[list[str]]:
    """The names of several people in one cell, by the signs of `split_list` or by blanks between complete names.

    Blanks are also written inside names (张 三): where it cannot be told which they are, the cell is refused.
    """
    if is_blank(value):
        return Cleaned(None)
    if not isinstance(value, str):
        raise error("name", _("“%(value)s” is not a name. Type the person's name."), value)
    steps = begin(value)
    names: list[str] = []
    repairs = steps.repairs
    for part in _PEOPLE_SEPARATOR.split(steps.text):
        if is_blank(part):
            continue
        for name in _split_blanks(part.strip()):
            cleaned = _name(name, [])
            repairs = repairs + cleaned.repairs
            names.append(cleaned.value or "")
    if len(names) > _LONGEST_LIST:
        raise error("people", _("The cell holds too many names. Write one person a row."))
    return Cleaned(names, repairs) if names else Cleaned(None)


def _split_blanks(text: str) -> list[str]:
    tokens = text.split()
    if len(tokens) == 1 or not all(
        _HAN_ONLY.fullmatch(token) or "·" in token or "•" in token for token in tokens
    ):
        return [text]
    if tokens[0] in _LONG_SURNAMES and len(tokens) == 2 and len(tokens[1]) <= 2:
        return ["".join(tokens)]
    if all(len(token) >= 2 and token not in _LONG_SURNAMES for token in tokens):
        return tokens
    complete = sum(len(token) >= 2 for token in tokens)
    if sum(map(len, tokens)) <= (4 if complete == 1 else 3):
        return ["".join(tokens)]
    raise error(
        "people", _("It cannot be told how many people “%(value)s” are. Put 、 between their names."), text
    )


@lru_cache(maxsize=4096)
def _key(text: str) -> str:
    """A word for comparison: NFKC, without blanks, lower case, without a final full stop."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower().rstrip(".。")


def clean_choice(
    value: Value, *, ctx: Context, choices: Mapping[str, T], legal: Collection[str] = ()
) -> Cleaned[T]:
    """The value that a word stands for; `choices` maps every accepted spelling to its value.

    Words that `choices` knows are never blank. A number or single letter for a word is listed as the repair
    `code`, since nobody who reads the sheet can see what it means.
    """
    if len(as_text(value)) > _LONGEST_WORD:
        raise error(
            "length", _("The text has more than %(longest)d characters. Shorten it."), longest=_LONGEST_WORD
        )
    table = {_key(word): found for word, found in choices.items()}
    if _key(as_text(value)) not in table and is_blank(value, legal):
        return Cleaned(None)
    steps = begin(value)
    key = _key(steps.text)
    if key not in table:
        if is_blank(steps.text, legal):
            return Cleaned(None)
        first_words: dict[str, str] = {}
        for word, meaning in choices.items():
            first_words.setdefault(str(meaning), word)
        allowed = "、".join(list(first_words.values())[:_SHOWN_WORDS])
        raise error(
            "choice", _("“%(value)s” is not one of the allowed words: %(allowed)s."), value, allowed=allowed
        )
    found = table[key]
    if is_number(value) or (len(key) <= 2 and key.isascii()):
        word = next(word for word, meaning in choices.items() if meaning == found)
        steps.apply("code", word)
    return Cleaned(found, steps.repairs)


SEX: dict[str, Literal["male", "female"]] = {
    "男": "male",
    "女": "female",
    "男性": "male",
    "女性": "female",
    "男生": "male",
    "女生": "female",
    "1": "male",
    "2": "female",
    "m": "male",
    "f": "female",
    "male": "male",
    "female": "female",
}
# 1 走读 2 住校 are the codes of the national school roll.
BOARDING: dict[str, Literal["day", "boarding"]] = {
    "走读": "day",
    "通校": "day",
    "通校生": "day",
    "住校": "boarding",
    "走读生": "day",
    "住校生": "boarding",
    "通学": "day",
    "非寄宿": "day",
    "非寄宿生": "day",
    "不住校": "day",
    "寄宿": "boarding",
    "寄宿生": "boarding",
    "住宿": "boarding",
    "住宿生": "boarding",
    "内宿": "boarding",
    "1": "day",
    "2": "boarding",
    "否": "day",
    "是": "boarding",
}
_ANSWERS = ("是", "否", "1", "0", "2", "y", "n", "√", "×", "yes", "no")
_ANSWERS_BOARDING: dict[str, dict[str, Literal["day", "boarding"]]] = {
    "boarding": {
        "是": "boarding",
        "否": "day",
        "1": "boarding",
        "0": "day",
        "2": "day",
        "y": "boarding",
        "n": "day",
        "√": "boarding",
        "×": "day",
        "yes": "boarding",
        "no": "day",
    },
    "day": {
        "是": "day",
        "否": "boarding",
        "1": "day",
        "0": "boarding",
        "2": "boarding",
        "y": "day",
        "n": "boarding",
        "√": "day",
        "×": "boarding",
        "yes": "day",
        "no": "boarding",
    },
}
LEFT_BEHIND: dict[str, Literal["none", "one_parent", "both_parents"]] = {
    "非留守": "none",
    "单亲留守": "one_parent",
    "双亲留守": "both_parents",
    "双亲": "both_parents",
    "单亲": "one_parent",
    "非留守儿童": "none",
    "否": "none",
    "无": "none",
    "不是": "none",
    "单亲外出": "one_parent",
    "父母一方外出": "one_parent",
    "一方外出": "one_parent",
    "单亲留守儿童": "one_parent",
    "双亲外出": "both_parents",
    "双方外出": "both_parents",
    "父母双方外出": "both_parents",
    "父母外出": "both_parents",
    "双亲留守儿童": "both_parents",
    "0": "none",
    "1": "one_parent",
    "2": "both_parents",
}
YES_NO: dict[str, bool] = {
    "是": True,
    "否": False,
    "有": True,
    "无": False,
    "不是": False,
    "没有": False,
    "已": True,
    "未": False,
    "√": True,
    "✓": True,
    "×": False,
    "1": True,
    "0": False,
    "2": False,
    "y": True,
    "n": False,
    "yes": True,
    "no": False,
    "true": True,
    "false": False,
}


def clean_sex(value: Value, *, ctx: Context) -> Cleaned[Literal["male", "female"]]:
    """男, 男性, 1, M → male; 女, 女性, 2, F → female."""
    return clean_choice(value, ctx=ctx, choices=SEX)


def clean_boarding(value: Value, *, ctx: Context) -> Cleaned[Literal["day", "boarding"]]:
    """走读, 1, 否 (under 是否住校) → day; 住校, 寄宿, 2, 是 → boarding.

    Under a header that asks (是否住校, 是否走读) a number or 是 is its answer: 1 is yes, 0 and 2 are no.
    """
    asked = _asked_boarding(ctx.header)
    if asked is not None and _key(as_text(value)) in _ANSWERS:
        return clean_choice(value, ctx=ctx, choices=_ANSWERS_BOARDING[asked])
    return clean_choice(value, ctx=ctx, choices=BOARDING)


def _asked_boarding(header: str) -> Literal["day", "boarding"] | None:
    """What a yes means under a header that asks; None where it does not ask."""
    if "是否" not in header and not header.endswith(("否", "生", "?", "？")):
        return None
    words = [word for word in ("走读", "通学", "住校", "寄宿", "住宿") if word in header]
    kinds = {"day" if word in {"走读", "通学"} else "boarding" for word in words}
    if len(kinds) != 1:
        return None
    return "day" if kinds == {"day"} else "boarding"


def clean_left_behind(
    value: Value, *, ctx: Context
) -> Cleaned[Literal["none", "one_parent", "both_parents"]]:
    """否, 无, 0 → none; 单亲外出, 1 → one_parent; 双亲外出, 2 → both_parents.

    Under 是否留守 a 1 may be yes, or the code for one parent: refused.
    """
    if "是否" in ctx.header and _key(as_text(value)) in {"1", "2"}:
        answer = "是" if _key(as_text(value)) == "1" else "否"
        code = "单亲留守" if answer == "是" else "双亲留守"
        raise ambiguous("choice", value, answer, code)
    return clean_choice(value, ctx=ctx, choices=LEFT_BEHIND)


def clean_yes_no(value: Value, *, ctx: Context) -> Cleaned[bool]:
    """是, 有, √, 1 → True; 否, 无, ×, 0, 2 → False (2 is "no" in the codes of the registry)."""
    return clean_choice(value, ctx=ctx, choices=YES_NO)
