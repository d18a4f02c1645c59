"""Names of columns: one spelling for comparison, and which column of a sheet is which field."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BRACKETS = re.compile(r"[(\[【〔<《「]([^()\[\]【】〔〕<>《》「」]*)[)\]】〕>》」]")
# 1、姓名 · (2)身份证号 · 3.班级
_NUMBERED = re.compile(r"^\s*[*★]?\s*[(\[]?\d{1,2}[)\].、:]\s*(?=\D)")
_ASKED = re.compile(r"(?:必填项?|选填项?|必须填写|请填写|可不填|下拉选择|请选择)$")
_ASKED_IN_BRACKETS = re.compile(r"[(\[【][^()\[\]【】]*(?:必填|选填|可不填)[^()\[\]【】]*[)\]】]")
# Whose name, number or telephone it is, when it is not that of the person of the row.
_PEOPLE = re.compile(
    "监护人|家长|父母|父亲|母亲|爸爸|妈妈|祖父|祖母|爷爷|奶奶|外公|外婆|配偶|户主|亲属|家属|家庭成员|家庭主要成员|"
    "成员|班主任|教师|老师|帮扶人|帮扶|结对|联系人|负责人|责任人|校长|园长|持卡人|开户人|代领人?|代办人?|收款人|领款人|"
    "经办人?|填表人|审核人|申请人|担保人|兄弟姐妹|兄弟|姐妹|学生|幼儿|儿童|本人"
)
_GROUP = re.compile(f"{_PEOPLE.pattern}|信息|情况|资料|金额|标准|一卡通|账户|家庭|基本")
_TITLE = re.compile("(?:表|册|名单|台账|汇总|统计|登记|清单|公示|通知)(?:[(（].*)?$")
_PUPIL = re.compile("受助学生|学生|幼儿|儿童|本人")
_AND = re.compile("[及和与或、/]")
_PERSONAL = re.compile(
    "姓名|名字|身份证|证件|电话|手机|联系方式|性别|出生|年龄|民族|职务|职业|住址|地址|账号|帐号|卡号|户籍|健康|文化|学历"
)


_LONGEST = 200


class Column(Protocol):
    """A field that a sheet may hold: its key, and the headers under which it arrives, the usual one first."""

    @property
    def key(self) -> str:
        """The name of the field in the program."""

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header under which the field is known."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Which column is which field: `keys` by column index; `duplicates` came later for a key that was taken."""

    keys: dict[int, str] = field(default_factory=dict)
    duplicates: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ForcedHeader:
    """What a person decided about the header of a sheet.

    `first_row` is its first row as Excel numbers it and `height` the number of its rows; None leaves them to
    be found. `keys` says by column index (A is 0) which field a column is, "" for a column that is not used;
    columns that it does not name are matched as always.
    """

    first_row: int | None = None
    height: int | None = None
    keys: Mapping[int, str] = field(default_factory=dict)


def normalise_header(text: str) -> str:
    """A header without blanks, brackets, punctuation and marks of required columns; compatibility forms unified.

    The words inside brackets stay: 县(市、区、旗) and 县 are different columns until nothing else fits. Of a text that
    is far too long for a name only the beginning is looked at.
    """
    return _normalised(text[:_LONGEST])


@lru_cache(maxsize=8192)
def _normalised(text: str) -> str:
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).lower()
        if unicodedata.category(character)[0] in "LN"
    )


def header_signature(group: str, text: str) -> str:
    """A header with what stands above it, in the spelling by which the same header is known again."""
    return "/".join(
        filter(None, (normalise_header(group), normalise_header(text) or text.strip()[:_LONGEST]))
    )


@lru_cache(maxsize=8192)
def _undressed(text: str) -> str:
    """A header without its number and without 必填; other words in brackets stay."""
    plain = _NUMBERED.sub("", unicodedata.normalize("NFKC", text))
    return _ASKED.sub("", normalise_header(_ASKED_IN_BRACKETS.sub("", plain)))


@lru_cache(maxsize=8192)
def bare_header(text: str) -> str:
    """A header without its number, its brackets and 必填."""
    plain = _BRACKETS.sub("", _NUMBERED.sub("", unicodedata.normalize("NFKC", text)))
    return _ASKED.sub("", normalise_header(plain))


@lru_cache(maxsize=8192)
def _people_in(text: str) -> tuple[str, ...]:
    """The people whom a text names; of 学生家长 only the last, of 学生及家长 both."""
    found = _PEOPLE.findall(text)
    return tuple(found) if _AND.search(text) else tuple(found[-1:])


@lru_cache(maxsize=8192)
def _nearest_person(group: str) -> str:
    """What a group says from the one person on whom it names; empty where that is all of it, or nobody or several."""
    starts = [found.start() for found in _PEOPLE.finditer(group)]
    return group[starts[-1] :] if len(starts) == 1 and starts[0] > 0 else ""


def names_group(text: str) -> bool:
    """Whether a text above several columns says whose or what they are: 监护人信息, 家庭情况."""
    return _GROUP.search(text) is not None and _TITLE.search(text) is None


@lru_cache(maxsize=8192)
def _in_brackets(text: str) -> str:
    return "".join(_BRACKETS.findall(unicodedata.normalize("NFKC", text)))


def _loose(text: str) -> str:
    """身份证号码 and 身份证号, 与户主的关系 and 与户主关系 are one."""
    return text.replace("号码", "号").replace("的", "")


class HeaderNames:
    """The headers of a kind: which field an exact header is, and whose fields they are."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Look at the columns of a kind once."""
        self.exact: dict[str, str] = {}
        # The place of a header among those of its field: the published one comes first.
        self._places: dict[str, int] = {}
        # Fields of which a sheet may have two columns under different names: the better name counts, the other column is
        # left unused, and shown so. Who somebody is, and numbers that identify, are never chosen like that.
        self._either = {
            column.key
            for column in columns
            if not getattr(column, "required", False) and getattr(column, "sensitive", "") in {"", "phone"}
        }
        self._spoken: dict[str, str] = {}
        subject = ""
        for column in columns:
            self._spoken[column.key] = "|".join(column.headers)
            if "姓名" in column.headers:
                # Whose list it is: 学生 above 性别 says nothing new where 学生姓名 is the name of the row.
                subject = self._spoken[column.key]
            for place, header in enumerate(column.headers):
                self.exact.setdefault(normalise_header(header), column.key)
                self._places.setdefault(normalise_header(header), place)
        self._subject = f"{subject}|本人"
        self.exact.pop("", None)
        self._loose = {_loose(text): key for text, key in reversed(self.exact.items())}

    def place(self, header: str) -> int:
        """The place of a header among those of its field; after all of them when it only resembles one."""
        return self._places.get(normalise_header(header), len(self._places))

    def may_choose(self, key: str, header: str, other: str) -> bool:
        """Whether one of two columns of a field may be left unused, since their names differ."""
        return key in self._either and normalise_header(header) != normalise_header(other)

    def find(self, header: str, group: str) -> tuple[int, str] | None:
        """How well a header fits (0 is best) and the field; None when it is none."""
        named = normalise_header(group + header) if group else ""
        if named in self.exact:
            return 0, self.exact[named]
        nearest = _nearest_person(group)
        if nearest and normalise_header(nearest + header) in self.exact:
            # 监护人 below 家庭信息 and above 姓名.
            return 0, self.exact[normalise_header(nearest + header)]
        above = 1 if group else 0
        header, group = header[:_LONGEST], group[:_LONGEST]
        for rank, text, context in (
            (1, normalise_header(header), group),
            (1, _undressed(header), group),
            (3, bare_header(header), group + _in_brackets(header)),
        ):
            key = self.exact.get(text) if text else None
            if key is not None and self._is_of(key, text, context):
                return rank + above, key
        joined = bare_header(group) + bare_header(header) if group else ""
        if joined in self.exact:
            return 5, self.exact[joined]
        text = _loose(bare_header(header))
        spoken = _PUPIL.match(text)
        if spoken is not None and spoken[0] in self._subject and text != spoken[0]:
            # 学生性别 is 性别 in a list of pupils.
            text = text[spoken.end() :]
        key = self._loose.get(text)
        return (
            (7 + above, key)
            if key is not None and self._is_of(key, text, group + _in_brackets(header))
            else None
        )

    def _is_of(self, key: str, text: str, context: str) -> bool:
        """Whether a field can be that of the people whom the words above it, or in brackets behind it, name."""
        if not context or _PERSONAL.search(text) is None:
            return True
        people = _people_in(context)
        return not people or any(word in self._spoken[key] or word in self._subject for word in people)


def match_columns(
    headers: Sequence[str],
    columns: Sequence[Column],
    groups: Sequence[str] = (),
    forced: Mapping[int, str] | None = None,
) -> Matching:
    """Which field each header names; see `match_names`."""
    return match_names(headers, HeaderNames(columns), groups, forced)


def match_names(
    headers: Sequence[str],
    names: HeaderNames,
    groups: Sequence[str] = (),
    forced: Mapping[int, str] | None = None,
) -> Matching:
    """Which field each header names.

    `groups` are the headers above, where there are any: 监护人 above 姓名 is tried as 监护人姓名 before 姓名
    alone, and a 姓名 without a group is preferred to one under a group. Exact headers come before those that
    only fit without what stands in brackets, as 实发金额（元）. What is another person's, as 身份证号 under
    监护人, is never taken for the field of that name. `forced` decides by column index; "" is no field.
    """
    decided = {index: key for index, key in (forced or {}).items() if index >= 0}
    above = [*groups, *[""] * (len(headers) - len(groups))]
    found: list[tuple[int, int, int, str]] = []
    for index, (header, group) in enumerate(zip(headers, above, strict=False)):
        fit = names.find(header, group) if index not in decided else None
        if fit is not None:
            found.append((fit[0], names.place(header), index, fit[1]))
    keys: dict[int, str] = {}
    duplicates: list[tuple[int, str]] = []
    taken: set[str] = set()
    for index, key in sorted(decided.items()):
        if key and key in taken:
            duplicates.append((index, key))
        elif key:
            taken.add(key)
            keys[index] = key
    by_hand = frozenset(taken)
    first: dict[str, str] = {}
    for _rank, _place, index, key in sorted(found):
        if key in by_hand:
            continue
        if key not in taken:
            taken.add(key)
            keys[index] = key
            first[key] = headers[index]
        elif not names.may_choose(key, headers[index], first[key]):
            duplicates.append((index, key))
    return Matching(dict(sorted(keys.items())), sorted(duplicates))
