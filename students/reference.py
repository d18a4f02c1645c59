"""The special hardship groups of the national rules, as `init_county` enters them once.

Source: 家庭经济困难学生认定 papers of counties, in the order of their tables. Afterwards the county keeps the list: names
and groups change with policy, and each row has its dates. A synonym stands here only where it is another spelling of the
same group: 建档立卡贫困家庭 is none, since those households were later sorted into several groups.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A group: its code, its name, and how lists also write it (separated by 、)."""

    code: str
    name: str
    synonyms: str = ""


SPECIAL_GROUPS: tuple[Group, ...] = (
    Group(
        "lifted",
        "脱贫家庭",
        "脱贫、脱贫户、脱贫人口、脱贫家庭学生、脱贫享受政策户、脱贫学生、脱贫家庭子女、脱贫人口家庭",
    ),
    Group("unstable", "脱贫不稳定家庭", "脱贫不稳定、脱贫不稳定户、脱贫不稳定家庭学生、脱贫不稳定学生"),
    Group(
        "marginal", "边缘易致贫家庭", "边缘易致贫、边缘户、边缘易致贫户、边缘易致贫家庭学生、边缘易致贫学生"
    ),
    Group("sudden", "突发严重困难家庭", "突发严重困难、突发严重困难户、突发严重困难家庭学生"),
    Group(
        "minimum",
        "低保家庭",
        "低保、最低生活保障、最低生活保障家庭、低保户、城乡低保、农村低保、城市低保、低保家庭学生、低保学生、低保对象、"
        "农村低保户、城市低保户、城乡低保户、农村低保家庭、城市低保家庭、城乡低保家庭",
    ),
    Group(
        "minimum_margin",
        "低保边缘家庭",
        "低保边缘、最低生活保障边缘家庭、低保边缘户、低保边缘家庭学生、低保边缘学生、低保边缘人口",
    ),
    Group(
        "destitute",
        "特困救助供养",
        "特困、特困供养、特困救助供养学生、特困供养学生、特困人员、特困救助供养人员、特困供养人员、特困救助、特困学生、"
        "特困人员救助供养、农村特困、城市特困",
    ),
    Group("rigid", "刚性支出困难家庭", "刚性支出、刚性支出困难、刚性支出困难户、刚性支出困难家庭学生"),
    Group("low_income", "其他低收入家庭", "其他低收入户、其他低收入家庭学生"),
    Group("orphan", "孤儿", "孤儿学生"),
    Group(
        "unsupported",
        "事实无人抚养儿童",
        "无人抚养儿童、事实孤儿、事实无人抚养、事实无人抚养学生",
    ),
    Group(
        "disabled",
        "家庭经济困难残疾学生",
        "残疾儿童、残疾幼儿、残疾少年儿童、残疾学生、家庭经济困难的残疾学生",
    ),
    Group("disabled_parent", "残疾人子女", "家庭经济困难残疾人子女、残疾人家庭子女、残疾家庭子女"),
    Group("martyr", "烈士子女", "烈士、烈属、烈士的子女"),
    Group("disabled_soldier", "残疾军人子女", "伤残军人子女"),
    Group("duty", "因公牺牲军警子女", "因公牺牲军人子女、因公牺牲警察子女、因公牺牲人民警察子女"),
    Group("preferential", "优抚对象子女", "优抚、优抚家庭子女、优抚子女"),
    Group("worker", "困难职工子女", "困难职工、困难职工家庭子女、特困职工子女"),
    Group(
        "relocated",
        "易地扶贫搬迁",
        "易地扶贫搬迁家庭、易地搬迁家庭、易地扶贫搬迁户、易地搬迁、易地搬迁户、易地扶贫搬迁家庭学生",
    ),
)
