"""A list as an office makes it for itself: no school, no semester, headers of its own, slips of the pen. All invented."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook

from tests.factories import identity_number

if TYPE_CHECKING:
    from pathlib import Path

BIRTHS = [dt.date(2016, month, 31 - 3 * month) for month in range(1, 9)]
GROUP = "脱贫家庭"
HEADERS = (
    "序号",
    "姓名",
    "性别",
    "二代证",
    "年级班级",
    "住在哪里",
    "家里电话",
    "困难类型",
    "认定等级",
    "学籍说明",
)
# The number of 罗小满, who stands on record under a name that was spelt wrongly.
KNOWN_BIRTH = dt.date(2015, 12, 19)
KNOWN = identity_number(KNOWN_BIRTH, 240)


def numbers() -> list[str]:
    """The right numbers of the pupils; no two of them are close to each other."""
    return [identity_number(birth, 13 * place) for place, birth in enumerate(BIRTHS)]


def wrong(number: str) -> str:
    """A number whose check character is wrong."""
    return number[:-1] + ("1" if number[-1] != "1" else "2")


def rows() -> list[list[Any]]:
    """The pupils: five that can be taken, one that may be somebody on record, two that are wrong."""
    right = numbers()
    return [
        [1, "骆 明 远", "女", right[0], "三(1)班", "青石村三组", "138 0000 0001", GROUP, "困难", "在读"],
        [2, "谷雨", "女", f"’{right[1]}", "三年级1班", "柳溪村一组", "13800000002", GROUP, "一般困难", "在读"],
        [3, "桑梓", "2", right[2], "3.1", "石门村", "/", GROUP, "特别困难", "在读"],
        [4, "罗小满", "女", KNOWN, "三年级1班", "青石村", "13800000004", GROUP, "困难", "在读"],
        [5, "米乐", "女", wrong(right[4]), "三年级1班", "青石村", "13800000005", GROUP, "困难", "在读"],
        [6, "温良", "女", right[5], "三年级1班", "青石村", "13800000006", GROUP, "很困难", "在读"],
        [7, "安然", "女", right[6], "三年级2班", "柳溪村", "13800000007", GROUP, "困难", "在读"],
        [8, "乔木", "女", right[7], "三年级2班", "柳溪村", "无", GROUP, "困难", "在读"],
    ]  # fmt: skip


def write(path: Path) -> Path:
    """Write the list."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "登记"
    sheet.append(["受助学生登记表"])
    sheet.merge_cells("A1:J1")
    sheet.append(["制表日期：2026年7月3日"])
    sheet.append(HEADERS)
    for row in rows():
        sheet.append(row)
    sheet.append(["合计", "8人"])
    sheet.append(["制表人：", "", "", "审核人："])
    workbook.save(path)
    return path
