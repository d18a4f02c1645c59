"""Invented people: names, numbers and days, the same ones for the same seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import TypeVar

from povertyaid.lib.identity import check_character

T = TypeVar("T")

# No such region exists, so that no number belongs to anybody.
REGION = "431288"
_FAMILIES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马苗方俞任袁柳"
_MALE = "建国志强文斌俊杰子轩浩然明远宇航博文家豪思源一鸣晨阳立新宏伟少峰天佑景行"
_FEMALE = "秀英丽娟雅婷欣怡梓涵诗雨佳琪雨桐若曦梦瑶晓燕思颖婉清静怡春梅玉兰芷若可心"
# Characters outside the basic plane and a name with a dot: they must print everywhere.
RARE_NAMES = ("李䶮", "钟𬭚", "周𫖯", "阿依努尔·吐尔逊江", "扎西·桑吉卓玛")


class Invention:
    """A source of chance that never gives an identity number, phone or account twice."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._births: dict[tuple[dt.date, str], int] = {}
        self._phones = 0
        self._accounts = 0

    def chance(self, share: float) -> bool:
        """Say yes with a probability between 0 and 1."""
        return self.random.random() < share

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def weighted(self, weights: dict[T, int]) -> T:
        """Pick a key by its weight."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def day(self, first: dt.date, last: dt.date, *, school_day: bool = False) -> dt.date:
        """A day between two days (both included), a Monday to Friday if asked for."""
        found = first + dt.timedelta(days=self.random.randint(0, max((last - first).days, 0)))
        if school_day and found.weekday() > 4:
            back = found - dt.timedelta(days=found.weekday() - 4)
            return max(back, first)
        return found

    def family(self) -> str:
        return self.pick(_FAMILIES)

    def name(self, sex: str, family: str = "") -> str:
        """A name of two or three characters."""
        given = _MALE if sex == "male" else _FEMALE
        parts = self.random.sample(given, self.weighted({1: 2, 2: 8}))
        return (family or self.family()) + "".join(parts)

    def identity(self, birth: dt.date, sex: str) -> str:
        """An identity number, valid in form."""
        number = self._births.get((birth, sex), 0)
        self._births[birth, sex] = number + 1
        sequence = 101 + 2 * number + (0 if sex == "male" else 1)
        digits = f"{REGION}{birth:%Y%m%d}{sequence:03d}"
        return digits + check_character(digits)

    def phone(self) -> str:
        self._phones += 1
        return f"1380000{self._phones:04d}"

    def account(self) -> str:
        """A card number of 19 digits with a right Luhn digit, of no bank."""
        self._accounts += 1
        digits = f"62000000{self._accounts * 7919 % 10**10:010d}"
        doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
        return digits + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
