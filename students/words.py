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

# The words of DESIGN §5 first.
STATES: dict[str, Recognition.State] = {
    "已认定": Recognition.State.RECOGNISED,
    "已建档": Recognition.State.FILED,
    "不予认定": Recognition.State.REFUSED,
    "已调整": Recognition.State.ADJUSTED,
    "已退出": Recognition.State.EXITED,
    "自愿放弃": Recognition.State.DECLINED,
    "待申请": Recognition.State.WAITING,
    "已申请": Recognition.State.APPLIED,
    "班级评议": Recognition.State.CLASS_REVIEW,
    "学校审核": Recognition.State.SCHOOL_CHECK,
    "公示中": Recognition.State.NOTICE,
    "退回补正": Recognition.State.RETURNED,
    "异议复核": Recognition.State.OBJECTION,
    "认定": Recognition.State.RECOGNISED,
    "通过": Recognition.State.RECOGNISED,
    "认定通过": Recognition.State.RECOGNISED,
    "予以认定": Recognition.State.RECOGNISED,
    "同意认定": Recognition.State.RECOGNISED,
    "同意": Recognition.State.RECOGNISED,
    "建档": Recognition.State.FILED,
    "未认定": Recognition.State.REFUSED,
    "不认定": Recognition.State.REFUSED,
    "不通过": Recognition.State.REFUSED,
    "未通过": Recognition.State.REFUSED,
    "不同意": Recognition.State.REFUSED,
    "调整": Recognition.State.ADJUSTED,
    "退出": Recognition.State.EXITED,
    "取消": Recognition.State.EXITED,
    "放弃": Recognition.State.DECLINED,
}
