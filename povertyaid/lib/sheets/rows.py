"""What a row below the header is: a record, or one of the things that offices write between and below records.

A record must never be taken for a total, so that words decide only where nothing speaks for a person: a
number in the column 序号 together with something else, or anything that looks like an identity number, makes
a row a record.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from povertyaid.lib.sheets.headers import normalise_header

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from povertyaid.lib.sheets.model import Value

Why = Literal[
    "title",
    "header",
    "repeated_header",
    "subtotal",
    "total",
    "signature",
    "note",
    "section",
    "example",
    "numbered_blank",
]

_SEQUENCE_HEADERS = frozenset(("序号", "编号", "顺序号", "行号", "no", "number", "序"))
_SUBTOTAL = re.compile(r".{0,10}?(?:小计|分计)(?:[:(\d].*|人数.*|金额.*)?")
_TOTAL = re.compile(
    r"(?:本页|本表|本班|本校|全校|全园|全班|全年级|全县|全乡|全镇|全村|累计)?"
    r"(?:合计|总计|累计|共计|总合计|页计|总人数|总金额)(?:$|[:(\d].*|大写.*|人数.*|金额.*|户数.*|人民币.*)"
)
_SUMS: tuple[tuple[re.Pattern[str], Why], ...] = ((_SUBTOTAL, "subtotal"), (_TOTAL, "total"))
_SIGNERS = (
    r"制表|制单|填表|填报|审核|复核|审批|核对|校长|园长|负责|经办|经手|分管|主管|领导|班主任|统计|会计|出纳|监督|监证|"
    r"领款|签领|联系|报送|盖章|签字|签名|单位"
)
_SIGNATURE = re.compile(
    rf"(?:[^:]{{0,10}}?)(?:{_SIGNERS})(?:人|员|者|领导|校长|负责人|单位|日期|时间|电话|意见)*"
    r"(?:\((?:签字|签名|签章|盖章|公章|签字盖章|手签)\))*(?::.*|(?:签字|签名|签章|盖章)\W*|\((?:签字|签名|签章|盖章|公章)\).*)"
)
_SIGNER_ALONE = re.compile(rf"(?:学校|单位|分管)?(?:{_SIGNERS})(?:人|员|者|领导|校长|负责人|日期|时间)?")
_DATED = re.compile(r"(?:日期|时间|(?:填表|填报|制表|报送)(?:日期|时间)):?.*|\d{4}年\d{1,2}月(?:\d{1,2}日)?")
_NOTE = re.compile(
    r"(?:备注|附注|注|说明|填表说明|填报说明|注意|注意事项|提示|单位)\d?:.*|[*※].*|(?:备注|附注|注|说明|填表说明)"
)
_UNIT = re.compile(r"(?:金额)?单位:(?:人民币)?(?:万?元|人|户|人次|个)(?:[、,/].*)?")
_ITEM = re.compile(r"(?:\d{1,2}|[一二三四五六七八九十])[.、)].{6,}")
_EXAMPLE = re.compile(r"\(?(?:填写|填报)?(?:示例|样例|范例|例子|例|举例)\d?\)?:?.*")
_EXAMPLE_ALONE = re.compile(r"\(?(?:填写|填报)?(?:示例|样例|范例|例子|例|举例)\d?\)?:?")
_IDENTITY = re.compile(r"[GJL]?\d{17}[\dXx]")
_MARKS = re.compile(r"[\s'’‘`=\"“”]+")
_LOOKED_AT = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rules know of a table: where 序号 stands, which fields make a record, the texts of the header rows."""

    sequence: int | None
    required: tuple[int, ...]
    headers: frozenset[tuple[str, ...]]
    titles: frozenset[tuple[str, ...]]


def is_sequence_header(text: str) -> bool:
    """Whether a column holds the running numbers of the rows."""
    return normalise_header(text) in _SEQUENCE_HEADERS


def plain(value: Value) -> str:
    """A cell as text for these rules: compatibility forms unified, no blanks; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return _MARKS.sub("", unicodedata.normalize("NFKC", str(value)))


def signature_of(texts: Sequence[str]) -> tuple[str, ...]:
    """The filled cells of a row, for telling whether the same row comes again."""
    return tuple(normalise_header(text) for text in texts if text)


def classify(own: Sequence[str], filled: Collection[int], sequence_text: str, shape: Shape) -> Why | None:
    """Why a row is no record, or None when it is one.

    `own` are the cells of the row itself as `plain` gives them, at least one not empty; `filled` the columns
    that got a value from a merged cell above; `sequence_text` the cell under 序号 after that filling.
    """
    used = [index for index, text in enumerate(own) if text]
    if _is_numbering(own, used):
        return "header"
    if shape.sequence is not None and _EXAMPLE_ALONE.fullmatch(own[shape.sequence]):
        # The invented person of a template has an identity number too.
        return "example"
    if _is_certain(own, used, sequence_text, shape):
        return None
    repeated = _repeated(own, shape)
    if repeated is not None:
        return repeated
    return _by_words(own, used, filled, shape)


def _is_certain(own: Sequence[str], used: Sequence[int], sequence_text: str, shape: Shape) -> bool:
    """Whether something speaks for a person: a running number with more beside it, or an identity number."""
    if shape.sequence is not None and re.fullmatch(r"\d{1,7}", sequence_text):
        return any(index != shape.sequence for index in used)
    return any(_IDENTITY.fullmatch(own[index]) for index in used)


def _is_numbering(own: Sequence[str], used: Sequence[int]) -> bool:
    """A row 1 2 3 4 … (or 甲 乙 1 2 3 …) under the header that only numbers the columns."""
    texts = [own[index] for index in used]
    while texts and texts[0] in {"甲", "乙", "丙", "丁", "栏次"}:
        texts = texts[1:]
    return len(texts) >= 3 and texts == [str(number) for number in range(1, len(texts) + 1)]


def _repeated(own: Sequence[str], shape: Shape) -> Why | None:
    row = signature_of(own)
    if len(row) >= 2 and row in shape.headers:
        return "repeated_header"
    return "title" if row in shape.titles else None


def _by_words(own: Sequence[str], used: Sequence[int], filled: Collection[int], shape: Shape) -> Why | None:
    first = own[used[0]]
    signers = [index for index in used[:_LOOKED_AT] if _SIGNATURE.fullmatch(own[index])]
    complete = bool(shape.required) and all(
        (own[index] and index not in signers) or index in filled for index in shape.required
    )
    for pattern, why in _SUMS:
        # Beside 序号 the word also stands in the next cell; in a name it would be a person.
        for index in used[:2]:
            leading = index == used[0] or index - used[0] <= 2
            if (
                leading
                and pattern.fullmatch(own[index])
                and not (complete and index in shape.required and index != used[0])
            ):
                return why
    if _UNIT.fullmatch(first):
        return "note"
    if signers and (signers[0] == used[0] or not complete):
        return "signature"
    if _EXAMPLE_ALONE.fullmatch(first) or (len(used) == 1 and _EXAMPLE.fullmatch(first)):
        return "example"
    if complete:
        return None
    if _SIGNER_ALONE.fullmatch(first) or _DATED.fullmatch(first):
        return "signature"
    return _sparse(own, used, filled, shape)


def _sparse(own: Sequence[str], used: Sequence[int], filled: Collection[int], shape: Shape) -> Why | None:
    """Rows with one or two cells: notes, headings of sections, numbers that nobody filled in."""
    first = own[used[0]]
    if len(used) <= 2 and (
        _NOTE.fullmatch(first) or (_ITEM.fullmatch(first) and used[0] not in shape.required)
    ):
        return "note"
    if len(used) > 1 or filled:
        return None
    if used[0] == shape.sequence and first.isdecimal():
        return "numbered_blank"
    if used[0] in shape.required:
        return "note" if len(first) > 40 else None
    return "note" if len(first) > 16 else "section"
