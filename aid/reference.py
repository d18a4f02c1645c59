"""National programmes and standards, as `init_county` enters them once; afterwards the county keeps them.

Source: the published national rules (student aid fund measures and the notices on raising the standards of 2024 spring,
2024 autumn and 2025 spring). Amounts are yuan a semester, half of what the rules give for a year. What is paid once a
year (scholarships, loans) stands with its whole amount. Where a standard is local, the programme comes without one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from aid.models import Programme
from povertyaid.schools.models import Stage

# The rule fixes an average, counties pay two or three tiers around it: no payment is above the standard for being above
# the average. The county adds its own tiers.
AVERAGE = "平均"


@dataclass(frozen=True)
class Amount:
    """Yuan a semester for a stage and tier, from one semester to another ("" = still in force)."""

    stage: Stage
    yuan: str
    valid_from: str
    valid_to: str = ""
    tier: str = ""

    @property
    def amount(self) -> Decimal:
        return Decimal(self.yuan)


@dataclass(frozen=True)
class Rule:
    """A programme and its amounts."""

    code: str
    name: str
    level: Programme.Level
    source: Programme.Source
    form: Programme.Form = Programme.Form.CASH
    synonyms: str = ""
    boarding: str = ""
    valid_from: dt.date | None = None
    amounts: tuple[Amount, ...] = ()


def _compulsory(primary: tuple[str, str], junior: tuple[str, str], since: str) -> tuple[Amount, ...]:
    """Amounts before and from 2024 spring."""
    return tuple(
        amount
        for stage, (before, today) in ((Stage.PRIMARY, primary), (Stage.JUNIOR, junior))
        for amount in (
            Amount(stage, before, since, "2023-2024-1"),
            Amount(stage, today, "2023-2024-2"),
        )
    )


def _meals() -> tuple[Amount, ...]:
    """3, 4, then 5 yuan a day on 200 days a year, never paid out in money."""
    return tuple(
        amount
        for stage in (Stage.PRIMARY, Stage.JUNIOR)
        for amount in (
            Amount(stage, "300.00", "2011-2012-1", "2013-2014-2"),
            Amount(stage, "400.00", "2014-2015-1", "2020-2021-2"),
            Amount(stage, "500.00", "2021-2022-1"),
        )
    )


_LEVEL = Programme.Level
_SOURCE = Programme.Source
_FORM = Programme.Form

PROGRAMMES: tuple[Rule, ...] = (
    Rule(
        "preschool_aid", "学前教育资助", _LEVEL.PRESCHOOL, _SOURCE.COUNTY,
        synonyms="学前教育政府资助、学前幼儿资助、学前教育家庭经济困难幼儿资助、家庭经济困难儿童资助、幼儿资助",
    ),
    Rule(
        "preschool_fee_waiver", "学前一年免保育教育费", _LEVEL.PRESCHOOL, _SOURCE.NATIONAL, _FORM.WAIVER,
        synonyms="免保育教育费、学前一年免费教育、免保教费", valid_from=dt.date(2025, 9, 1),
    ),
    Rule(
        "living_subsidy_boarding", "寄宿生生活补助", _LEVEL.COMPULSORY, _SOURCE.NATIONAL, boarding="boarding",
        synonyms="家庭经济困难寄宿生生活补助、义务教育寄宿生生活补助、义务教育家庭经济困难寄宿生生活补助、寄宿生生活费补助、寄宿生补助",
        amounts=_compulsory(("500.00", "625.00"), ("625.00", "750.00"), "2011-2012-1"),
    ),
    Rule(
        "living_subsidy_day", "非寄宿生生活补助", _LEVEL.COMPULSORY, _SOURCE.NATIONAL, boarding="day",
        synonyms="家庭经济困难非寄宿生生活补助、义务教育非寄宿生生活补助、义务教育家庭经济困难非寄宿生生活补助、非寄宿生生活费补助、非寄宿生补助",
        amounts=_compulsory(("250.00", "312.50"), ("312.50", "375.00"), "2019-2020-1"),
    ),
    Rule(
        "compulsory_fee_waiver", "免学杂费", _LEVEL.COMPULSORY, _SOURCE.NATIONAL, _FORM.WAIVER,
        synonyms="义务教育免学杂费、免除学杂费",
    ),
    Rule(
        "free_textbooks", "免费提供教科书", _LEVEL.COMPULSORY, _SOURCE.NATIONAL, _FORM.GOODS,
        synonyms="免费教科书、义务教育免费教科书、免书本费",
    ),
    Rule(
        "school_meals", "农村义务教育学生营养改善计划", _LEVEL.COMPULSORY, _SOURCE.NATIONAL, _FORM.GOODS,
        synonyms="营养改善计划、学生营养改善计划、营养餐", valid_from=dt.date(2011, 9, 1), amounts=_meals(),
    ),
    Rule(
        "senior_grant", "普通高中国家助学金", _LEVEL.SENIOR, _SOURCE.NATIONAL,
        synonyms="高中国家助学金、普高国家助学金、高中助学金",
        amounts=(
            Amount(Stage.SENIOR, "750.00", "2010-2011-1", "2014-2015-1", AVERAGE),
            Amount(Stage.SENIOR, "1000.00", "2014-2015-2", "2024-2025-1", AVERAGE),
            Amount(Stage.SENIOR, "1150.00", "2024-2025-2", tier=AVERAGE),
        ),
    ),
    Rule(
        "senior_fee_waiver", "普通高中免学杂费", _LEVEL.SENIOR, _SOURCE.NATIONAL, _FORM.WAIVER,
        synonyms="高中免学杂费、普高免学杂费、普通高中免学费", valid_from=dt.date(2016, 9, 1),
    ),
    Rule(
        "vocational_grant", "中等职业学校国家助学金", _LEVEL.VOCATIONAL, _SOURCE.NATIONAL,
        synonyms="中职国家助学金、中职助学金",
        amounts=(
            Amount(Stage.VOCATIONAL, "1000.00", "2014-2015-2", "2024-2025-1", AVERAGE),
            Amount(Stage.VOCATIONAL, "1150.00", "2024-2025-2", tier=AVERAGE),
        ),
    ),
    Rule(
        "vocational_fee_waiver", "中等职业学校免学费", _LEVEL.VOCATIONAL, _SOURCE.NATIONAL, _FORM.WAIVER,
        synonyms="中职免学费",
    ),
    Rule(
        "rain_dew", "雨露计划", _LEVEL.VOCATIONAL, _SOURCE.NATIONAL,
        synonyms="雨露计划职业教育补助、雨露计划补助",
        amounts=(Amount(Stage.VOCATIONAL, "1500.00", "2015-2016-1"),),
    ),
    Rule(
        "higher_grant", "高校国家助学金", _LEVEL.HIGHER, _SOURCE.NATIONAL,
        synonyms="本专科生国家助学金、大学国家助学金",
        amounts=(
            Amount(Stage.HIGHER, "1650.00", "2018-2019-2", "2023-2024-2", AVERAGE),
            Amount(Stage.HIGHER, "1850.00", "2024-2025-1", tier=AVERAGE),
        ),
    ),
    Rule(
        "endeavour_scholarship", "国家励志奖学金", _LEVEL.HIGHER, _SOURCE.NATIONAL, synonyms="励志奖学金",
        amounts=(
            Amount(Stage.HIGHER, "5000.00", "2007-2008-1", "2023-2024-2"),
            Amount(Stage.HIGHER, "6000.00", "2024-2025-1"),
        ),
    ),
    Rule(
        "national_scholarship", "国家奖学金", _LEVEL.HIGHER, _SOURCE.NATIONAL, synonyms="本专科生国家奖学金",
        amounts=(
            Amount(Stage.HIGHER, "8000.00", "2007-2008-1", "2023-2024-2"),
            Amount(Stage.HIGHER, "10000.00", "2024-2025-1"),
        ),
    ),
    Rule(
        "home_loan", "生源地信用助学贷款", _LEVEL.HIGHER, _SOURCE.NATIONAL, synonyms="生源地助学贷款、助学贷款",
        amounts=(
            Amount(Stage.HIGHER, "16000.00", "2023-2024-1", "2023-2024-2", "本专科生"),
            Amount(Stage.HIGHER, "20000.00", "2023-2024-1", "2023-2024-2", "研究生"),
            Amount(Stage.HIGHER, "20000.00", "2024-2025-1", tier="本专科生"),
            Amount(Stage.HIGHER, "25000.00", "2024-2025-1", tier="研究生"),
        ),
    ),
    Rule("school_aid", "校内资助", _LEVEL.ANY, _SOURCE.SCHOOL, synonyms="学校资助、校内奖助、学校助学金"),
    Rule("hope_scheme", "希望工程助学", _LEVEL.ANY, _SOURCE.SOCIETY, synonyms="希望工程、希望工程助学金、圆梦行动"),
    Rule("society_aid", "社会助学", _LEVEL.ANY, _SOURCE.SOCIETY, synonyms="企业助学、爱心助学、社会捐资助学、社会资助"),
)  # fmt: skip
