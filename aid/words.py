"""The words of lists of programmes for what we store, and how else lists write them (POLICY §2).

The first word of a value is the usual one: previews and templates write it.
"""

from __future__ import annotations

from typing import Literal

from aid.models import Programme
from povertyaid.schools.models import Stage

Per = Literal["semester", "year", "once"]

_LEVEL = Programme.Level
_SOURCE = Programme.Source
_FORM = Programme.Form

LEVELS: dict[str, Programme.Level] = {
    "学前教育": _LEVEL.PRESCHOOL,
    "义务教育": _LEVEL.COMPULSORY,
    "普通高中": _LEVEL.SENIOR,
    "中等职业教育": _LEVEL.VOCATIONAL,
    "高等教育": _LEVEL.HIGHER,
    "各学段": _LEVEL.ANY,
    "学前": _LEVEL.PRESCHOOL,
    "幼儿园": _LEVEL.PRESCHOOL,
    "义务教育阶段": _LEVEL.COMPULSORY,
    "小学": _LEVEL.COMPULSORY,
    "初中": _LEVEL.COMPULSORY,
    "高中": _LEVEL.SENIOR,
    "普通高中教育": _LEVEL.SENIOR,
    "中职": _LEVEL.VOCATIONAL,
    "中等职业学校": _LEVEL.VOCATIONAL,
    "职业教育": _LEVEL.VOCATIONAL,
    "大学": _LEVEL.HIGHER,
    "高校": _LEVEL.HIGHER,
    "全学段": _LEVEL.ANY,
    "全部学段": _LEVEL.ANY,
    "各级各类": _LEVEL.ANY,
}

SOURCES: dict[str, Programme.Source] = {
    "国家": _SOURCE.NATIONAL,
    "省级": _SOURCE.PROVINCIAL,
    "县级": _SOURCE.COUNTY,
    "学校": _SOURCE.SCHOOL,
    "社会": _SOURCE.SOCIETY,
    "国家级": _SOURCE.NATIONAL,
    "中央": _SOURCE.NATIONAL,
    "国家资助": _SOURCE.NATIONAL,
    "省": _SOURCE.PROVINCIAL,
    "省级资助": _SOURCE.PROVINCIAL,
    "县": _SOURCE.COUNTY,
    "区级": _SOURCE.COUNTY,
    "县(区)级": _SOURCE.COUNTY,
    "地方": _SOURCE.COUNTY,
    "校级": _SOURCE.SCHOOL,
    "校内": _SOURCE.SCHOOL,
    "学校资助": _SOURCE.SCHOOL,
    "社会资助": _SOURCE.SOCIETY,
    "社会力量": _SOURCE.SOCIETY,
    "社会捐助": _SOURCE.SOCIETY,
}

FORMS: dict[str, Programme.Form] = {
    "现金": _FORM.CASH,
    "实物": _FORM.GOODS,
    "减免": _FORM.WAIVER,
    "资金": _FORM.CASH,
    "补助": _FORM.CASH,
    "补助金": _FORM.CASH,
    "助学金": _FORM.CASH,
    "发放资金": _FORM.CASH,
    "物资": _FORM.GOODS,
    "免费": _FORM.WAIVER,
    "免除": _FORM.WAIVER,
    "免费减免": _FORM.WAIVER,
    "免学费": _FORM.WAIVER,
}

STAGES: dict[str, Stage] = {
    "学前": Stage.PRESCHOOL,
    "小学": Stage.PRIMARY,
    "初中": Stage.JUNIOR,
    "普通高中": Stage.SENIOR,
    "中职": Stage.VOCATIONAL,
    "特殊教育": Stage.SPECIAL,
    "高等教育": Stage.HIGHER,
    "幼儿园": Stage.PRESCHOOL,
    "学前教育": Stage.PRESCHOOL,
    "高中": Stage.SENIOR,
    "普高": Stage.SENIOR,
    "中等职业学校": Stage.VOCATIONAL,
    "中等职业教育": Stage.VOCATIONAL,
    "特教": Stage.SPECIAL,
    "大学": Stage.HIGHER,
    "高校": Stage.HIGHER,
}
# The stage that a standard of a programme's whole level has.
LEVEL_OF_STAGE: dict[str, Programme.Level] = {
    Stage.PRESCHOOL: _LEVEL.PRESCHOOL,
    Stage.PRIMARY: _LEVEL.COMPULSORY,
    Stage.JUNIOR: _LEVEL.COMPULSORY,
    Stage.SPECIAL: _LEVEL.COMPULSORY,
    Stage.SENIOR: _LEVEL.SENIOR,
    Stage.VOCATIONAL: _LEVEL.VOCATIONAL,
    Stage.HIGHER: _LEVEL.HIGHER,
}

BOARDING: dict[str, str] = {
    "寄宿生": "boarding",
    "走读生": "day",
    "住校": "boarding",
    "住校生": "boarding",
    "寄宿": "boarding",
    "走读": "day",
    "非寄宿生": "day",
    "非寄宿": "day",
}

UNITS: dict[str, Per] = {
    "元/学期": "semester",
    "元/年": "year",
    "元/次": "once",
    "元/生·学期": "semester",
    "元/生/学期": "semester",
    "每生每学期": "semester",
    "每学期": "semester",
    "学期": "semester",
    "元/学年": "year",
    "元/生·年": "year",
    "元/生/年": "year",
    "每生每年": "year",
    "每年": "year",
    "每学年": "year",
    "年": "year",
    "学年": "year",
    "一次性": "once",
    "次": "once",
}
