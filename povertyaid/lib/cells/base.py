"""What all cleaners share: their result, their error, what is blank, and text as the person typed it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.masks import mask_account, mask_identity, mask_phone, mask_pupil_number, scrub
from povertyaid.lib.messages import Message, MessageError
from povertyaid.lib.sheets.model import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django_stubs_ext import StrOrPromise

T = TypeVar("T")
Sensitive = Literal["", "identity", "pupil_number", "account", "phone"]

BLANK_WORDS = frozenset(
    (
        "",
        "无",
        "/",
        "\\",
        "—",
        "——",
        "–",
        "-",
        "--",
        "、",
        "。",
        ".",
        "*",
        "...",
        "……",
        "无。",
        "(无)",
        "没有",
        "暂无",
        "暂缺",
        "未填",
        "不详",
        "未知",
        "空",
        "空白",
        "(空)",
        "无数据",
        "n/a",
        "na",
        "null",
        "none",
        "nan",
        "nil",
    )
)
# Excel, WPS and LibreOffice.
_FORMULA_ERROR = re.compile(
    r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|UNKNOWN!|GETTING_DATA)|Err:\d{3}",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"=\s*[-+(]*\s*[A-Za-z$_'0-9@][^=“”\"]*", re.DOTALL)
_PICTURE = re.compile(r"=(?:_xlfn\.)?DISPIMG\(", re.IGNORECASE)
_FORMULA_TEXT = re.compile(r'=\s*["“”](.*)["“”]', re.DOTALL)
_APOSTROPHES = "'’‘`＇"
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad\x00-\x08\x0e-\x1f\x7f]")
_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+")
_SHOWN_CHARACTERS = 40
_JOIN = " / "


class CellError(MessageError):
    """A cell that cannot be taken; `code` names the cause, the message says what is wrong and how to mend it.

    The message never holds an identity number, pupil number or account: runs of digits in it are masked.
    """


@dataclass(frozen=True, slots=True)
class Context:
    """What a cleaner must know of its surroundings.

    `today` bounds dates of birth and of events; `money_unit` is `wan` where the header or a title row says
    万元; `header` is the header above the cell where it is known: 1 under 是否住校 is yes, under 就读方式 a code.
    """

    today: date
    money_unit: Literal["yuan", "wan"] = "yuan"
    header: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """One change that a cleaner made: the rule's code, and the text before and after it."""

    rule: str
    before: str
    after: str


@dataclass(slots=True)
class Cleaned(Generic[T]):
    """The value of a cell, None when it is blank; what was changed on the way; what to look at.

    Where `sensitive` names a kind, value and repairs hold it in clear: `masked_repairs` is for showing.
    """

    value: T | None
    repairs: list[Repair] = field(default_factory=list)
    warnings: list[Message] = field(default_factory=list)
    sensitive: Sensitive = ""

    @property
    def masked_repairs(self) -> list[Repair]:
        """The repairs with every sensitive value masked."""
        mask = _MASKS[self.sensitive]
        return [Repair(repair.rule, mask(repair.before), mask(repair.after)) for repair in self.repairs]


_MASKS: dict[str, Callable[[str], str]] = {
    "": scrub,
    "identity": mask_identity,
    "pupil_number": mask_pupil_number,
    "account": mask_account,
    "phone": mask_phone,
}


def mask_value(value: object, sensitive: Sensitive = "") -> str:
    """A cell's value as it may be shown in errors, previews and stored rows."""
    return _MASKS[sensitive](as_text(value))


def shown(value: object) -> str:
    """A value for the inside of a message: masked and short."""
    text = scrub(as_text(value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def error(code: str, text: StrOrPromise, value: object = None, **params: object) -> CellError:
    """A CellError whose message may use %(value)s, masked."""
    return CellError(code, text, {"value": shown(value), **params})


def as_text(value: object) -> str:
    """A cell as text: whole numbers without a point, dates as 2026-03-01, blank as the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time().isoformat() != "00:00:00" else value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def is_number(value: object) -> bool:
    """Whether a cell is numeric for Excel."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_plain(text: str) -> bool:
    """Whether a text is common Chinese characters, digits and letters only: nothing in it could need a repair.

    Nine cells of ten are such; the steps that look for marks and other forms are spared for them.
    """
    return _PLAIN.fullmatch(text) is not None


def is_blank(value: Value, legal: Collection[str] = ()) -> bool:
    """Whether a cell says nothing: empty, 无, /, —, 暂无, 不详 and their like.

    `legal` are words that do say something in this column, as 无 does where it stands for "no".
    """
    if not isinstance(value, str):
        return value is None
    if is_plain(value):
        return value not in legal and value.lower() in BLANK_WORDS
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", value)).strip().strip(_APOSTROPHES).strip()
    if text in legal:
        return False
    return text.lower() in BLANK_WORDS or not text.strip("-—–_/\\. ")


class Steps:
    """The text of a cell on its way through the repairs; each step that changes it is noted."""

    def __init__(self, text: str) -> None:
        """Begin with the text as it came."""
        self.text = text
        self.repairs: list[Repair] = []

    def apply(self, rule: str, after: str) -> None:
        """Go on with `after`; noted when it differs."""
        if after != self.text:
            self.repairs.append(Repair(rule, self.text, after))
            self.text = after


def refuse_unusable(value: Value) -> None:
    """CellError for pictures and for the errors of formulas, which no column can hold."""
    if not isinstance(value, str):
        return
    if _FORMULA_ERROR.fullmatch(value.strip()):
        raise error(
            "formula_error",
            _("The formula in this cell has an error (%(value)s). Type the value itself."),
            value,
        )
    if _PICTURE.match(value.strip()):
        raise CellError("picture", _("This cell holds a picture. Type the value as text."))


def ambiguous(code: str, value: object, *readings: object) -> CellError:
    """The refusal of a cell that can be read in several ways; the readings must hold nothing sensitive."""
    return error(
        code,
        _("“%(value)s” may mean %(readings)s. Write which of them it is."),
        value,
        readings=_JOIN.join(str(reading) for reading in readings),
    )


def begin(value: Value) -> Steps:
    """The text of a cell with the marks removed that spreadsheets leave around text.

    Rules: formula_text (="…"), apostrophe, invisible (zero-width and control characters), trimmed.
    """
    if isinstance(value, str) and is_plain(value):
        return Steps(value)
    refuse_unusable(value)
    steps = Steps(as_text(value))
    steps.apply("invisible", _INVISIBLE.sub("", steps.text))
    steps.apply("trimmed", steps.text.strip())
    match = _FORMULA_TEXT.fullmatch(steps.text)
    if match is not None:
        steps.apply("formula_text", match[1].strip())
    elif _FORMULA.fullmatch(steps.text):
        raise CellError(
            "formula",
            _("This cell holds a formula and not its value. Copy the column and paste it as values."),
        )
    steps.apply(
        "apostrophe",
        steps.text.lstrip(_APOSTROPHES).lstrip() if steps.text[:1] in _APOSTROPHES else steps.text,
    )
    return steps


def is_scientific(text: str) -> bool:
    """Whether a text is a number in scientific notation: what Excel makes of a long number."""
    return _SCIENTIFIC.fullmatch(text.strip()) is not None
