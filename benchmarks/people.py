"""Invented pupils for the benchmarks: the same number gives the same pupils, and no two share an identity number."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openpyxl import Workbook

from povertyaid.lib.identity import check_character

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REGION = "431202"
SCHOOLS = 40
HEADERS = (
    "学校",
    "姓名",
    "性别",
    "身份证号码",
    "学籍号",
    "年级班级",
    "就读方式",
    "民族",
    "监护人姓名",
    "联系电话",
    "家庭住址",
    "留守儿童",
)
_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"
_GIVEN = (
    "晓雨子轩梓涵欣怡浩然思远佳宁文博若曦俊杰雪琪明哲语桐一诺景行书瑶建国丽娟秀英志强春梅海波永红玉兰德胜"
)
_GRADES = "一二三四五六"
_GROUPS = ("汉族", "苗族", "侗族", "土家族", "瑶族")
_VILLAGES = ("青石村", "柳溪村", "石门村", "竹林村", "云盘村", "高坪村")
_FIRST_GRADE_BORN = 2018


@dataclass(frozen=True, slots=True)
class Pupil:
    """One invented pupil, as the office would want it stored. `grade` and `number` name the class."""

    school: int
    name: str
    male: bool
    identity: str
    pupil_number: str
    birth: dt.date
    grade: int
    number: int
    boarding: bool
    ethnic_group: str
    guardian: str
    phone: str
    address: str
    left_behind: int

    def cells(self, position: int) -> tuple[str, ...]:
        """The row of a list: of every forty one name has a blank inside and one telephone number dashes."""
        name = f"{self.name[0]} {self.name[1:]}" if position % 40 == 0 else self.name
        phone = f"{self.phone[:3]}-{self.phone[3:7]}-{self.phone[7:]}" if position % 40 == 20 else self.phone
        return (
            school_name(self.school),
            name,
            "男" if self.male else "女",
            self.identity,
            self.pupil_number,
            f"{_GRADES[self.grade - 1]}年级{self.number}班",
            "住校" if self.boarding else "走读",
            self.ethnic_group,
            self.guardian,
            phone,
            self.address,
            ("非留守", "单亲留守", "双亲留守")[self.left_behind],
        )


def school_name(number: int) -> str:
    """The name of one of the invented schools, from 0."""
    return f"云岭{_FAMILY[number]}家湾小学"


def school_code(number: int) -> str:
    """Its code: 21 for a primary school, and eight digits."""
    return f"2143{number:06d}"


def pupils(count: int) -> Iterator[Pupil]:
    """`count` pupils in the primary schools of a county."""
    chance = random.Random(20260301)
    for position in range(count):
        grade = 1 + position % 6
        born = dt.date(_FIRST_GRADE_BORN - grade, 9, 1) + dt.timedelta(days=(position // 6) % 365)
        sequence = 1 + position // (6 * 365)
        digits = f"{REGION}{born:%Y%m%d}{sequence:03d}"
        identity = digits + check_character(digits)
        family = chance.choice(_FAMILY)
        yield Pupil(
            school=chance.randrange(SCHOOLS),
            name=family + chance.choice(_GIVEN) + chance.choice(_GIVEN),
            male=sequence % 2 == 1,
            identity=identity,
            pupil_number=f"G{identity}",
            birth=born,
            grade=grade,
            number=1 + chance.randrange(4),
            boarding=chance.random() < 0.3,
            ethnic_group=chance.choice(_GROUPS),
            guardian=family + chance.choice(_GIVEN),
            phone=f"1{chance.choice('358')}{chance.randrange(10**9):09d}",
            address=f"{chance.choice(_VILLAGES)}{chance.randint(1, 12)}组{chance.randint(1, 300)}号",
            left_behind=chance.randrange(3),
        )


def write_workbook(path: Path, people: Iterable[Pupil]) -> None:
    """The list as the bureau would get it: a row of headers, one row a pupil.

    Without a title row, which the stock importer cannot read.
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("学生名单")
    sheet.append(list(HEADERS))
    for position, pupil in enumerate(people):
        sheet.append(list(pupil.cells(position)))
    workbook.save(path)
