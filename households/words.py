"""The words of the national registry for what we store, and how else lists write them (POLICY §5).

The first word of a value is the registry's own: previews, papers and templates write it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from households.models import Household, Member, Relation

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

RELATIONS: dict[str, Relation] = {
    "户主": Relation.HEAD,
    "配偶": Relation.SPOUSE,
    "之子": Relation.SON,
    "之女": Relation.DAUGHTER,
    "之儿媳": Relation.DAUGHTER_IN_LAW,
    "之女婿": Relation.SON_IN_LAW,
    "之孙子": Relation.SONS_SON,
    "之孙女": Relation.SONS_DAUGHTER,
    "之外孙子": Relation.DAUGHTERS_SON,
    "之外孙女": Relation.DAUGHTERS_DAUGHTER,
    "之父": Relation.FATHER,
    "之母": Relation.MOTHER,
    "之岳父": Relation.WIFES_FATHER,
    "之岳母": Relation.WIFES_MOTHER,
    "之公公": Relation.HUSBANDS_FATHER,
    "之婆婆": Relation.HUSBANDS_MOTHER,
    "之祖父": Relation.FATHERS_FATHER,
    "之祖母": Relation.FATHERS_MOTHER,
    "之外祖父": Relation.MOTHERS_FATHER,
    "之外祖母": Relation.MOTHERS_MOTHER,
    "之兄弟姐妹": Relation.SIBLING,
    "其他": Relation.OTHER,
    # Other spellings.
    "本人": Relation.HEAD,
    "本人或户主": Relation.HEAD,
    "丈夫": Relation.SPOUSE,
    "妻子": Relation.SPOUSE,
    "妻": Relation.SPOUSE,
    "夫": Relation.SPOUSE,
    "子": Relation.SON,
    "儿子": Relation.SON,
    "长子": Relation.SON,
    "次子": Relation.SON,
    "三子": Relation.SON,
    "女": Relation.DAUGHTER,
    "女儿": Relation.DAUGHTER,
    "长女": Relation.DAUGHTER,
    "次女": Relation.DAUGHTER,
    "三女": Relation.DAUGHTER,
    "儿媳": Relation.DAUGHTER_IN_LAW,
    "女婿": Relation.SON_IN_LAW,
    "孙子": Relation.SONS_SON,
    "孙": Relation.SONS_SON,
    "孙女": Relation.SONS_DAUGHTER,
    "外孙": Relation.DAUGHTERS_SON,
    "外孙子": Relation.DAUGHTERS_SON,
    "外孙女": Relation.DAUGHTERS_DAUGHTER,
    "父": Relation.FATHER,
    "父亲": Relation.FATHER,
    "母": Relation.MOTHER,
    "母亲": Relation.MOTHER,
    "岳父": Relation.WIFES_FATHER,
    "岳母": Relation.WIFES_MOTHER,
    "祖父": Relation.FATHERS_FATHER,
    "祖母": Relation.FATHERS_MOTHER,
    "外祖父": Relation.MOTHERS_FATHER,
    "外祖母": Relation.MOTHERS_MOTHER,
    "兄弟姐妹": Relation.SIBLING,
    "其它": Relation.OTHER,
}

CATEGORIES: dict[str, Household.Category] = {
    "脱贫户": Household.Category.LIFTED,
    "监测对象": Household.Category.MONITORED,
    "一般农户": Household.Category.ORDINARY,
    "已脱贫户": Household.Category.LIFTED,
    "建档立卡脱贫户": Household.Category.LIFTED,
    "监测户": Household.Category.MONITORED,
    "监测对象户": Household.Category.MONITORED,
    "防返贫监测对象": Household.Category.MONITORED,
    "一般户": Household.Category.ORDINARY,
    "非贫困户": Household.Category.ORDINARY,
}

MONITORED_TYPES: dict[str, Household.MonitoredType] = {
    "脱贫不稳定户": Household.MonitoredType.UNSTABLE,
    "边缘易致贫户": Household.MonitoredType.MARGINAL,
    "突发严重困难户": Household.MonitoredType.SUDDEN,
    "边缘户": Household.MonitoredType.MARGINAL,
    "脱贫不稳定": Household.MonitoredType.UNSTABLE,
    "边缘易致贫": Household.MonitoredType.MARGINAL,
    "突发严重困难": Household.MonitoredType.SUDDEN,
}

CAUSES: dict[str, Household.Cause] = {
    "因病": Household.Cause.ILLNESS,
    "因残": Household.Cause.DISABILITY,
    "因学": Household.Cause.SCHOOLING,
    "因灾": Household.Cause.DISASTER,
    "因婚": Household.Cause.MARRIAGE,
    "因丧": Household.Cause.BEREAVEMENT,
    "缺土地": Household.Cause.LAND,
    "缺水": Household.Cause.WATER,
    "缺技术": Household.Cause.SKILLS,
    "缺劳力": Household.Cause.LABOUR,
    "缺资金": Household.Cause.MONEY,
    "交通条件落后": Household.Cause.TRANSPORT,
    "自身发展力不足": Household.Cause.MOTIVATION,
    "其他": Household.Cause.OTHER,
    "缺劳动力": Household.Cause.LABOUR,
    "自身发展动力不足": Household.Cause.MOTIVATION,
    "其它": Household.Cause.OTHER,
}

HEALTH: dict[str, Member.Health] = {
    "健康": Member.Health.HEALTHY,
    "长期慢性病": Member.Health.CHRONIC,
    "患有大病": Member.Health.SEVERE,
    "残疾": Member.Health.DISABLED,
    "慢性病": Member.Health.CHRONIC,
    "大病": Member.Health.SEVERE,
    "良好": Member.Health.HEALTHY,
}

LABOUR: dict[str, Member.Labour] = {
    "普通劳动力": Member.Labour.ORDINARY,
    "技能劳动力": Member.Labour.SKILLED,
    "弱劳动力或半劳动力": Member.Labour.WEAK,
    "丧失劳动力": Member.Labour.LOST,
    "无劳动力": Member.Labour.NONE,
    "弱劳动力": Member.Labour.WEAK,
    "半劳动力": Member.Labour.WEAK,
    "弱劳动力、半劳动力": Member.Labour.WEAK,
}


def word(words: Mapping[str, T], value: object) -> str:
    """The registry's own word for a stored value; the empty text for none."""
    return next((text for text, meaning in words.items() if meaning == value), "")


def published(words: Mapping[str, T]) -> tuple[str, ...]:
    """The registry's own words, one for each value, for drop-down lists."""
    return tuple(dict.fromkeys(word(words, value) for value in words.values()))
