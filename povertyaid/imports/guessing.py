"""What a column may be by the values below its header, where the header says nothing that is known.

A guess is never taken in silence: in the browser a person confirms it, on the command line it is told as a warning.
Free text gives no guess, and a header that speaks of somebody else (监护人, 户主, 班主任 …) never gives a pupil's field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from povertyaid.lib.cells import (
    CellError,
    Context,
    as_text,
    clean_class_name,
    clean_grade,
    clean_name,
    clean_semester,
    clean_sex,
    is_blank,
)
from povertyaid.lib.cells.text import YES_NO
from povertyaid.lib.sheets.headers import normalise_header
from povertyaid.lib.sheets.rows import is_header_word, is_sequence_header

if TYPE_CHECKING:
    from povertyaid.imports.resources import Cleaner, Column, SheetResource
    from povertyaid.imports.schoolbook import SchoolBook
    from povertyaid.lib.sheets.model import Value

SAMPLE = 200
# A column fits a field when this share of its filled cells reads without an error …
_FITS = 0.9
# … and says by itself what it is when this share does so.
_SPEAKS = 0.5
_SURNAMES_KNOWN = 0.8
# Fewer filled cells tell nothing, unless the list is as short as that.
_FEWEST = 3

# People whose names and numbers are not those of the person of the row; the longer words first.
_OTHERS = re.compile(
    "帮扶责任人|帮扶教师|帮扶人|帮扶对象|帮扶|结对教师|结对|监护人|家长|家属|亲属|家庭成员|成员|户主|配偶|丈夫|妻子|祖父|祖母|爷爷|"
    "奶奶|外公|外婆|父|母|爸|妈|兄|弟|姐|妹|班主任|教师|老师|校长|园长|领导|联系人|负责人|责任人|持卡人|开户人|代领|代办|收款人|"
    "领款人|领取人|经办|经手|填表|填报|制表|审核|复核|担保|推荐人|捐助|捐款|资助人"
)
# Pairs of characters that stand in the headers of many fields and so are no hint at one.
_COMMON = frozenset(
    (
        "姓名",
        "名字",
        "情况",
        "是否",
        "名称",
        "信息",
        "时间",
        "日期",
        "金额",
        "编号",
        "号码",
        "联系",
        "学生",
        "家庭",
        "所在",
        "类型",
        "类别",
        "状况",
    )
)
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍"
    "韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包"
    "司柏宁柯阮桂闵解强丘褚卓冉全蒙冼米池仇晏车肖付闫代芮华苟党冷腾滕明商农蓝银瞿粟沙艾麻蒲邝钮宗戚穆古仲娄刁满奉佘敖巫卿边卞晋"
    "岑缪娜阿扎巴土木吉依买努古赛尼布其格热旺次央才让多杰卓玛索朗"
)
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
    )
)
_NAME = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]{2,4}")
_KIN = re.compile(
    "(?:之)?(?:父亲?|母亲?|爸爸?|妈妈?|爷爷?|奶奶?|祖父|祖母|外公|外婆|外祖父|外祖母|父子|父女|母子|母女|祖孙|爷孙|兄弟?|姐妹?|哥哥?|"
    "姐姐?|弟弟?|妹妹?|叔叔?|伯伯?|姑姑?|舅舅?|本人|监护人)"
)
_GROUP = re.compile(
    "脱贫|边缘|突发|低保|特困|刚性支出|低收入|孤儿|无人抚养|残疾|烈士|因公牺牲|优抚|困难职工|易地|建档立卡|监测|贫困"
)
_DISABILITY = re.compile("(?:肢体|视力|听力|言语|语言|智力|精神|多重)(?:残疾|[一二三四1-4]级)")
_PROGRAMME = re.compile("补助|助学金|资助|免学费|免费|减免|营养改善|雨露计划|奖学金|贷款|救助")
_BANK = re.compile("银行|信用社|信用合作|农商|邮储|农信|工行|建行|农行|中行")
_VILLAGE = re.compile(".{1,12}(?:村|社区|居委会|村委会|嘎查)")
_TOWNSHIP = re.compile(".{1,10}(?:乡|镇|街道|街道办事处|苏木)")
_SCHOOL = re.compile(".{2,}(?:小学|中学|学校|完小|幼儿园|教学点|一中|二中|三中|职中|职高|高中|初中)")
_ETHNIC = re.compile("[\u4e00-\u9fff]{1,6}族")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_DIGITS = re.compile(r"\d+")

# How well one cell fits: not at all, only with a hint in the header, by itself.
NO, WITH_HINT, BY_ITSELF = 0, 1, 2


# Rates one cell: the value, and its text as `plain_text` gives it.
Rate = Callable[["Value", str], int]


@dataclass(frozen=True)
class Sampled:
    """A column with its header and up to SAMPLE filled cells."""

    index: int
    text: str
    group: str
    values: Sequence[Value]
    rows: int

    @property
    def enough(self) -> bool:
        """Whether there are cells enough for telling what they are."""
        return len(self.values) >= min(_FEWEST, max(1, self.rows))


@dataclass(frozen=True)
class Guess:
    """What an unmatched column may be: the fields that it fits, the likeliest first; strong when nothing competes."""

    keys: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True)
class Sense:
    """How cells of a kind are known: `rate` says how well one fits; `asks` wants a hint, or that the field is required."""

    name: str
    rate: Rate
    asks: bool = False


@dataclass
class Guesser:
    """Guesses for the columns of one layout; how well a column fits values of a kind is found once."""

    schools: SchoolBook
    ctx: Context
    _seen: dict[tuple[int, str], int] = field(default_factory=dict)

    def guesses(
        self,
        columns: Sequence[Sampled],
        resource: SheetResource,
        matched: Mapping[int, str],
        elsewhere: Collection[int] = (),
    ) -> dict[int, Guess]:
        """The guesses for columns that no header tells, by index, for fields that no header fills.

        `elsewhere` are columns whose headers another kind of the same sheet understands. A guess is strong when exactly
        one such column and one such field fit each other.
        """
        filled = set(matched.values())
        open_ = [column for column in resource.columns if column.key not in filled]
        fits: dict[int, list[Column]] = {}
        for sampled in columns:
            known = sampled.index in matched or sampled.index in elsewhere
            if known or not sampled.enough or is_sequence_header(sampled.text):
                continue
            found = [column for column in open_ if self._fits(sampled, column, resource, filled)]
            if found:
                fits[sampled.index] = found
        wanted = [column.key for found in fits.values() for column in found]
        return {
            index: Guess(
                tuple(column.key for column in sorted(found, key=lambda column: not column.required)),
                strong=len(found) == 1 and wanted.count(found[0].key) == 1,
            )
            for index, found in fits.items()
        }

    def _fits(self, sampled: Sampled, column: Column, resource: SheetResource, filled: set[str]) -> bool:
        sense = sense_of(column, resource, self.schools, self.ctx)
        if sense is None or speaks_of_another(sampled.group + sampled.text, column):
            return False
        level = self._level(sampled, sense)
        if level == NO:
            return False
        hint = has_hint(sampled.group + sampled.text, column)
        if not hint and not column.required and is_of_another(column):
            return False
        if sense.name == "amount":
            # A list without any amount that is understood is missing what it is about.
            amounts = {item.key for item in resource.columns if _function(item.cleaner) == "clean_amount"}
            return hint or not (amounts & filled or is_header_word(sampled.text))
        if sense.asks:
            return hint or (column.required and level == BY_ITSELF)
        return hint or level == BY_ITSELF

    def _level(self, sampled: Sampled, sense: Sense) -> int:
        """How well a column fits: by most of its cells; nine of ten must fit at all."""
        key = (sampled.index, sense.name)
        if key not in self._seen:
            self._seen[key] = _rated(sampled.values, sense)
        return self._seen[key]

    def looks_like(self, sampled: Sampled, column: Column, resource: SheetResource) -> bool:
        """Whether most cells read as those of a field, whatever the header says."""
        sense = sense_of(column, resource, self.schools, self.ctx)
        return sense is not None and bool(sampled.values) and self._level(sampled, sense) != NO


def _rated(values: Sequence[Value], sense: Sense) -> int:
    misses, speaking = 0, 0
    allowed = len(values) * (1 - _FITS)
    for value in values:
        rate = sense.rate(value, plain_text(value))
        misses += rate == NO
        speaking += rate == BY_ITSELF
        if misses > allowed:
            return NO
    share = _SURNAMES_KNOWN if sense.name == "name" else _SPEAKS
    return BY_ITSELF if speaking >= share * len(values) else WITH_HINT


def plain_text(value: Value) -> str:
    """A cell for these rules: compatibility forms unified, no blanks, no apostrophe before it."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", as_text(value))).lstrip("'’‘`")


def speaks_of_another(header: str, column: Column) -> bool:
    """Whether a header names people whom the headers of a field do not know: 父亲 never gives the pupil's name."""
    known = "|".join(column.headers)
    return any(word not in known for word in _OTHERS.findall(normalise_header(header)))


def is_of_another(column: Column) -> bool:
    """Whether a field is not that of the person of the row: every header of 监护人身份证号 says so."""
    return all(_OTHERS.search(normalise_header(header)) for header in column.headers)


def has_hint(header: str, column: Column) -> bool:
    """Whether a header shares a telling pair of characters with a header of the field."""
    own = _pairs(header)
    return any(own & _pairs(known) for known in column.headers)


def _pairs(text: str) -> set[str]:
    plain = normalise_header(text)
    return {plain[start : start + 2] for start in range(len(plain) - 1)} - _COMMON


def _function(cleaner: Cleaner) -> str:
    """The name of a cleaner, also of one whose arguments are fixed."""
    whole: Any = cleaner.func if isinstance(cleaner, partial) else cleaner
    return str(getattr(whole, "__name__", ""))


def sense_of(column: Column, resource: SheetResource, schools: SchoolBook, ctx: Context) -> Sense | None:
    """How the values of a field are known; None for free text."""
    made = _BY_SENSITIVE.get(column.sensitive)
    if made is not None:
        return Sense(column.sensitive, partial(made, column.cleaner, ctx))
    name = _function(column.cleaner)
    if name == "clean_text":
        return _of_text(column.key, resource.kind, schools, ctx)
    if name in {"clean_choice", "clean_boarding", "clean_left_behind", "clean_sex"}:
        # Two fields with the same words are told apart by their headers alone.
        words = "|".join(column.choices)
        return Sense(f"{name}:{words}", partial(_choice, column.cleaner, ctx))
    plain: dict[str, Callable[[Cleaner, Context, Value, str], int]] = {
        "clean_class_name": _class,
        "clean_grade": _grade,
        "clean_grade_or_cohort": _grade,
        "clean_semester": _semester,
        "clean_school_code": _school_code,
    }
    asking: dict[str, tuple[str, Callable[[Cleaner, Context, Value, str], int]]] = {
        "clean_name": ("name", _person),
        "clean_people": ("people", _people),
        "clean_date": ("date", _reads),
        "clean_amount": ("amount", _amount),
        "clean_integer": (f"integer:{column.key}", _reads),
        "clean_yes_no": ("yes_no", _reads),
        "clean_registry_number": ("registry", _registry),
    }
    if name in plain:
        return Sense(name, partial(plain[name], column.cleaner, ctx))
    if name in asking:
        label, rate = asking[name]
        return Sense(label, partial(rate, column.cleaner, ctx), asks=True)
    return None


def _of_text(key: str, kind: str, schools: SchoolBook, ctx: Context) -> Sense | None:
    """Fields of free text whose values can be known all the same."""
    key = {("schools", "name"): "school", ("villages", "name"): "village"}.get((kind, key), key)
    rates: dict[str, tuple[str, Rate]] = {
        "school": ("school", partial(_school, schools)),
        "village": ("village", partial(_pattern, _VILLAGE)),
        "township": ("township", partial(_pattern, _TOWNSHIP)),
        "school_class": ("clean_class_name", partial(_class, clean_class_name, ctx)),
        "grade": ("clean_grade", partial(_grade, clean_grade, ctx)),
        "semester": ("clean_semester", partial(_semester, clean_semester, ctx)),
        "groups": ("groups", _group),
        "primary": ("groups", _group),
        "relation": ("kin", partial(_pattern, _KIN)),
        "guardian_relation": ("kin", partial(_pattern, _KIN)),
        "ethnic_group": ("ethnic", partial(_pattern, _ETHNIC)),
        "programme": ("programme", partial(_contains, _PROGRAMME)),
        "bank": ("bank", partial(_contains, _BANK)),
        "holder": ("name", partial(_person, clean_name, ctx)),
    }
    if key not in rates:
        return None
    return Sense(*rates[key], asks=key == "holder")


def _pattern(pattern: re.Pattern[str], value: Value, text: str) -> int:
    return BY_ITSELF if isinstance(value, str) and pattern.fullmatch(text) else NO


def _group(value: Value, text: str) -> int:
    # What a disability is, is no group of pupils: 肢体残疾.
    return NO if _DISABILITY.search(text) else _contains(_GROUP, value, text)


def _contains(pattern: re.Pattern[str], value: Value, text: str) -> int:
    return BY_ITSELF if isinstance(value, str) and len(text) <= 40 and pattern.search(text) else NO


def _school(schools: SchoolBook, value: Value, text: str) -> int:
    if not isinstance(value, str):
        return NO
    return BY_ITSELF if _SCHOOL.fullmatch(text) or schools.resolve(value).school is not None else NO


def _read(cleaner: Cleaner, ctx: Context, value: Value) -> bool:
    try:
        return cleaner(value, ctx=ctx).value is not None
    except CellError:
        return False


def _reads(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    del text
    return WITH_HINT if _read(cleaner, ctx, value) else NO


def _identity(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    # A number of that length in a numeric cell has lost its last digits, and is one all the same: it must be refused
    # in its column, not passed over.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return BY_ITSELF if 1e17 <= value < 1e18 and "19" <= str(int(value))[6:8] <= "20" else NO
    return BY_ITSELF if len(text) in {15, 18} and _read(cleaner, ctx, value) else NO


def _pupil_number(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    return BY_ITSELF if text[:1] in {"G", "J", "L", "g", "j", "l"} and _read(cleaner, ctx, value) else NO


def _account(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return BY_ITSELF if 1e18 <= value < 1e19 else NO
    if not _read(cleaner, ctx, value):
        return NO
    digits = text.replace("-", "")
    return BY_ITSELF if len(digits) in {16, 17, 19} else WITH_HINT


def _phone(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not _read(cleaner, ctx, value):
        return NO
    return BY_ITSELF if _MOBILE.search(text.replace("-", "")) else WITH_HINT


_BY_SENSITIVE: dict[str, Callable[[Cleaner, Context, Value, str], int]] = {
    "identity": _identity,
    "pupil_number": _pupil_number,
    "account": _account,
    "phone": _phone,
}


def _choice(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not _read(cleaner, ctx, value):
        return NO
    # 是 and 1 are words of many columns; 女 is also a daughter.
    if text.lower() in YES_NO or text.isascii() or text == "其他":
        return WITH_HINT
    return WITH_HINT if text in {"男", "女"} and cleaner is not clean_sex else BY_ITSELF


def _class(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not _read(cleaner, ctx, value):
        return NO
    return BY_ITSELF if "班" in text or ("级" in text and _DIGITS.search(text)) else WITH_HINT


def _grade(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not _read(cleaner, ctx, value):
        return NO
    return BY_ITSELF if re.search("[级班]|^[初高]", text) else WITH_HINT


def _semester(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not _read(cleaner, ctx, value):
        return NO
    return BY_ITSELF if re.search(r"学期|[春秋]|\d{4}-\d{4}-[12]", text) else WITH_HINT


def _school_code(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    return (
        BY_ITSELF if text[:2] in {"11", "21", "31", "34", "36", "51"} and _read(cleaner, ctx, value) else NO
    )


def _registry(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not _DIGITS.fullmatch(text) or not _read(cleaner, ctx, value) or _MOBILE.fullmatch(text):
        return NO
    return BY_ITSELF if 8 <= len(text) <= 17 else WITH_HINT


def _amount(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if len(re.sub(r"\D", "", text)) > 9:
        return NO
    return WITH_HINT if _read(cleaner, ctx, value) else NO


def _person(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not isinstance(value, str) or not _read(cleaner, ctx, value):
        return NO
    if "·" in text or "•" in text:
        return BY_ITSELF
    if not _NAME.fullmatch(text):
        return NO
    return BY_ITSELF if text[:2] in _LONG_SURNAMES or text[0] in _SURNAMES else WITH_HINT


def _people(cleaner: Cleaner, ctx: Context, value: Value, text: str) -> int:
    if not isinstance(value, str) or not _read(cleaner, ctx, value):
        return NO
    names = [part for part in re.split("[、，,;；/]", text) if part]
    known = all(_NAME.fullmatch(name) and name[0] in _SURNAMES for name in names)
    return BY_ITSELF if known and names else WITH_HINT


def filled(values: Sequence[Value]) -> list[Value]:
    """The cells that say something, as many as are looked at."""
    found = []
    for value in values:
        if not is_blank(value):
            found.append(value)
            if len(found) == SAMPLE:
                break
    return found
