"""The words of school rolls and of recognition for what we store, and how else lists write them (POLICY §1, §5).

The first word of a value is the usual one: previews and templates write it.
"""

from __future__ import annotations

from students.models import Recognition

SEX = {"male": "男", "female": "女"}
BOARDING = {"day": "走读", "boarding": "住校"}
# The codes of the national school roll.
LEFT_BEHIND = {"none": 0, "one_parent": 1, "both_parents": 2}

LEVELS: dict[str, Recognition.Level] = {
    "特别困难": Recognition.Level.SPECIAL,
    "困难": Recognition.Level.HARD,
    "一般困难": Recognition.Level.GENERAL,
    "特别困难学生": Recognition.Level.SPECIAL,
    "家庭经济特别困难": Recognition.Level.SPECIAL,
    "特困": Recognition.Level.SPECIAL,
    "比较困难": Recognition.Level.HARD,
    "较困难": Recognition.Level.HARD,
    "困难学生": Recognition.Level.HARD,
    "家庭经济困难": Recognition.Level.HARD,
    "一般困难学生": Recognition.Level.GENERAL,
    "家庭经济一般困难": Recognition.Level.GENERAL,
    "一般": Recognition.Level.GENERAL,
}
# What lists write where a pupil belongs to no special group.
NO_GROUP = frozenset(("否", "不是", "非特殊困难", "无特殊困难", "非特殊困难群体", "不属于"))
