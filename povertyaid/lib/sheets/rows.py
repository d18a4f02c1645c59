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

from povertyaid.lib.sheets.headers import bare_header, normalise_header
from povertyaid.lib.sheets.vocabulary import HEADER_WORDS

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
    "empty",
    "second_table",
]

_SEQUENCE_HEADERS = frozenset(("序号", "编号", "顺序号", "行号", "no", "number", "序"))
_SUBTOTAL = re.compile(r".{0,10}?(?:小计|分计)(?:[:(\d].*|人数.*|金额.*)?")
_TOTAL = re.compile(
    r".{0,10}?(?:合计|总计|累计|共计|总合计|页计|总人数|总金额)(?:$|[:(\d].*|大写.*|小写.*|人数.*|金额.*|户数.*|人民币.*)"
    r"|(?:以上)?共\d+(?:人|户|名|人次|笔)(?:[,、;，。].*|金额.*|合计.*)?"
    r"|(?:人民币|金额)?\(?(?:大写|小写)(?:金额)?\)?:.*"
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
_STAMPED = re.compile(
    r".{0,40}\((?:签字|签名|签章|盖章|公章|章|印章|签字盖章|学校公章|单位盖章)\)(?::.*|年月日|\d{4}年.*)?"
)
_SIGNER_ALONE = re.compile(rf"(?:学校|单位|分管)?(?:{_SIGNERS})(?:人|员|者|领导|校长|负责人|日期|时间)?")
_DATED = re.compile(
    r"(?:日期|时间|(?:填表|填报|制表|报送)(?:日期|时间)):?.*|\d{4}年\d{1,2}月(?:\d{1,2}日)?|(?:\d{2,4}|_*)年_*月_*日"
    r"|[〇零○一二三四五六七八九]{4}年[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}日)?"
)
_PAGE = re.compile(
    r"(?:-*第?\d+页?[,/-]*共?\d+页-*|-*第\d+页-*|-+\d+-+|过次页|承前页|接上页|转下页|续上表|续表|\(?以下(?:空白|无正文)\)?|此表完|表完)"
)
_PAGE_NUMBER = re.compile(r"\(?(?:第\d+页[,/、]?)?共\d+页\)?|\(?第\d+页\)?|\(?\d+/\d+页\)?")
_NOTE = re.compile(
    r"(?:备注|附注|注|说明|填表说明|填报说明|注意|注意事项|提示|单位)\d?:.*|[*※].*|(?:备注|附注|注|说明|填表说明)"
)
_UNIT_ALONE = re.compile(
    r"\(?(?:万?元|人次?|户|名|岁|月|年|天|个|次|平方米|元/人|元/年|元/月|元/学期|%|是/否|男/女)\)?"
)
_ASKED = re.compile(
    r"\(?(?:必填项?|选填项?|可不填|文本格式?|文本型?|数字|日期|下拉选择|格式|填写(?:要求|说明)|要求|说明)\)?:?"
)
_UNIT = re.compile(r"(?:金额)?单位:(?:人民币)?(?:万?元|人|户|人次|个)(?:[、,/].*)?")
_ITEM = re.compile(r"(?:\d{1,2}|[一二三四五六七八九十])[.、)].{6,}")
_EXAMPLE = re.compile(r"\(?(?:填写|填报)?(?:示例|样例|范例|例子|例|举例)\d?\)?:?.*")
_EXAMPLE_BEFORE = re.compile(
    r"\(?(?:填写|填报)?(?:示例|样例|范例|例)\d?\)?:.+|\((?:填写|填报)?(?:示例|样例|范例|例)\d?\).+"
    r"|.+\((?:填写|填报)?(?:示例|样例|范例)\d?\)"
)
_EXAMPLE_ALONE = re.compile(r"\(?(?:填写|填报)?(?:示例|样例|范例|例子|例|举例)\d?\)?:?")
_IDENTITY = re.compile(r"[GJL]?\d{17}[\dXx]")
_AMOUNT = re.compile(r"[¥￥]?-?[\d,]+(?:\.\d+)?元?")
_COUNTED = re.compile(r"\d|^[一二三四五六七八九十百]+(?:人|名|户)")
# Common characters, digits and letters: nothing in them is unified or taken away.
_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]+")
_MARKS = re.compile(r"[\s'’‘`=\"“”]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad\x00-\x08\x0e-\x1f\x7f]")
_LOOKED_AT = 4
# Signs for "nothing": a row that has only these has no record.
_NOTHING = frozenset(("", "/", "\\", "-", "--", "—", "——", "–", "无", "空", "、", ".", "。", "*", "false"))
_NO_AMOUNT = re.compile(r"-?0+(?:\.0+)?|[¥￥]0(?:\.00?)?")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rules know of a table.

    Where 序号 stands, which columns make a record, the filled cells of the header rows by column, the texts
    of the title rows, and the other columns that are fields.
    """

    sequence: int | None
    required: tuple[int, ...]
    headers: frozenset[tuple[tuple[int, str], ...]]
    titles: frozenset[tuple[str, ...]]
    fields: frozenset[int] = frozenset()


def is_sequence_header(text: str) -> bool:
    """Whether a column holds the running numbers of the rows."""
    return normalise_header(text) in _SEQUENCE_HEADERS


def is_header_word(text: str) -> bool:
    """Whether a text names a column in lists of any office."""
    return normalise_header(text) in HEADER_WORDS or bare_header(text) in HEADER_WORDS


def is_unit(text: str) -> bool:
    """Whether a text, as `plain` gives it, is a unit that stands below the name of a column: (元)."""
    return _UNIT_ALONE.fullmatch(text) is not None


def plain(value: Value) -> str:
    """A cell as text for these rules: compatibility forms unified, no blanks; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return _MARKS.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFKC", str(value))))


def signature_of(texts: Sequence[str]) -> tuple[str, ...]:
    """The filled cells of a row but for page numbers, for telling whether the same row comes again."""
    return tuple(filter(None, (normalise_header(_PAGE_NUMBER.sub("", text)) for text in texts if text)))


def places_of(texts: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """The filled cells of a row with their columns: a header that comes again stands over the same columns."""
    return tuple((index, normalise_header(text)) for index, text in enumerate(texts) if text)


def classify(
    own: Sequence[str], filled: Collection[int], sequence_text: str, shape: Shape, *, wide: bool = False
) -> Why | None:
    """Why a row is no record, or None when it is one.

    `own` are the cells of the row itself as `plain` gives them, at least one not empty; `filled` the columns
    that got a value from a merged cell above; `sequence_text` the cell under 序号 after that filling; `wide`
    says that the first cell is merged across several columns.
    """
    used = [index for index, text in enumerate(own) if text]
    if _is_numbering(own, used):
        return "header"
    sequence = own[shape.sequence] if shape.sequence is not None else ""
    examples = (_EXAMPLE_BEFORE.fullmatch(own[index]) for index in used[:_LOOKED_AT])
    if (sequence and _EXAMPLE_ALONE.fullmatch(sequence)) or any(examples):
        # The invented person of a template has an identity number too: 示例：张三.
        return "example"
    if sequence and _ASKED.fullmatch(sequence):
        return "note"
    empty = _is_nothing(own, used, sequence, filled, shape)
    if empty is not None:
        return empty
    if is_certain(own, used, sequence_text, shape) and not (
        sequence_text and not sequence and _is_sum(own, used)
    ):
        return None
    repeated = _repeated(own, shape)
    if repeated is not None:
        return repeated
    if len(used) > 1 and all(
        _UNIT_ALONE.fullmatch(own[index]) or _ASKED.fullmatch(own[index]) for index in used
    ):
        return "header"
    return _by_words(own, used, filled, shape, wide=wide)


def is_certain(own: Sequence[str], used: Sequence[int], sequence_text: str, shape: Shape) -> bool:
    """Whether something speaks for a person: a running number with more beside it, or an identity number."""
    if shape.sequence is not None and re.fullmatch(r"\d{1,7}", sequence_text):
        return any(index != shape.sequence for index in used)
    return any(_IDENTITY.fullmatch(own[index]) for index in used)


def _is_nothing(
    own: Sequence[str], used: Sequence[int], sequence: str, filled: Collection[int], shape: Shape
) -> Why | None:
    """Numbers for pupils who never came, with or without signs for nothing and the zeros of formulas."""
    rest = [own[index] for index in used if index != shape.sequence]
    if filled or not all(text.lower() in _NOTHING or _NO_AMOUNT.fullmatch(text) for text in rest):
        return None
    if sequence:
        # A name of 0 would be a person that a formula did not find.
        named = any(own[index] and own[index] not in _NOTHING for index in shape.required)
        return "numbered_blank" if rest and not named and sequence.isdecimal() else None
    return "empty" if all(text.lower() in _NOTHING for text in rest) else None


def _is_sum(own: Sequence[str], used: Sequence[int]) -> bool:
    return any(pattern.fullmatch(own[index]) for pattern, _why in _SUMS for index in used[:2])


def _is_numbering(own: Sequence[str], used: Sequence[int]) -> bool:
    """A row 1 2 3 4 … (or 甲 乙 1 2 3 …) under the header that only numbers the columns."""
    texts = [own[index].strip("()") for index in used]
    while texts and texts[0] in {"甲", "乙", "丙", "丁", "栏次"}:
        texts = texts[1:]
    return len(texts) >= 3 and texts == [str(number) for number in range(1, len(texts) + 1)]


def _repeated(own: Sequence[str], shape: Shape) -> Why | None:
    row = places_of(own)
    if (len(row) >= 2 or len(shape.headers) > 2) and row in shape.headers:
        return "repeated_header"
    return "title" if signature_of(own) in shape.titles else None


def _by_words(
    own: Sequence[str], used: Sequence[int], filled: Collection[int], shape: Shape, *, wide: bool
) -> Why | None:
    first = own[used[0]]
    signers = [
        index
        for index in used[:_LOOKED_AT]
        if _SIGNATURE.fullmatch(own[index]) or _STAMPED.fullmatch(own[index])
    ]
    complete = (
        bool(shape.required)
        and not wide
        and all((own[index] and index not in signers) or index in filled for index in shape.required)
    )
    for pattern, why in _SUMS:
        # Beside 序号 the word also stands in the next cell; in a name it would be a person.
        for index in used[:2]:
            leading = index == used[0] or index - used[0] <= 2
            if (
                leading
                and pattern.fullmatch(own[index])
                and not (complete and index in shape.required and index != used[0])
                and not (complete and index in shape.fields and _are_names(own, shape))
            ):
                return why
    if _UNIT.fullmatch(first) or (len(used) == 1 and ":" in first and _NOTE.fullmatch(first)):
        return "note"
    if signers and (signers[0] == used[0] or not complete):
        return "signature"
    if _EXAMPLE_ALONE.fullmatch(first) or (len(used) == 1 and _EXAMPLE.fullmatch(first)):
        return "example"
    if len(used) <= 2 and _PAGE.fullmatch(first):
        return "note"
    if complete and not (len(used) == 1 and _DATED.fullmatch(first)):
        return None
    if _SIGNER_ALONE.fullmatch(first) or _DATED.fullmatch(first):
        return "signature"
    return _sparse(own, used, filled, shape, wide=wide)


def _are_names(own: Sequence[str], shape: Shape) -> bool:
    """Whether the cells that make a record are no numbers of people, as the 37人 beside 合计 is."""
    return not any(_COUNTED.search(own[index]) for index in shape.required)


def _sparse(
    own: Sequence[str], used: Sequence[int], filled: Collection[int], shape: Shape, *, wide: bool
) -> Why | None:
    """Rows with one or two cells: notes, headings of sections, numbers that nobody filled in."""
    first = own[used[0]]
    if len(used) <= 2 and (
        _NOTE.fullmatch(first) or (_ITEM.fullmatch(first) and (wide or used[0] not in shape.required))
    ):
        return "note"
    if len(used) > 1 or filled:
        return None
    if used[0] == shape.sequence and first.isdecimal():
        return "numbered_blank"
    if wide:
        return "note" if len(first) > 16 else "section"
    if used[0] in shape.required:
        return "note" if len(first) > 40 else None
    if _AMOUNT.fullmatch(first):
        # A number alone may be a total or what is left of a record: a person must look at it.
        return None
    return "note" if len(first) > 16 else "section"
