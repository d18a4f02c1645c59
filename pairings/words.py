"""The words of contact records for what we store, and how else lists write them (POLICY §5, DESIGN §5).

The first word of a value is the field's own: previews and templates write it.
"""

from __future__ import annotations

from typing import NamedTuple

from pairings.models import Contact


class Meant(NamedTuple):
    """What a word for a contact means: its kind, and the form where the word says it too (电话家访)."""

    kind: str
    form: str = ""


_KIND = Contact.Kind
_FORM = Contact.Form

KINDS: dict[str, Meant] = {
    "谈心谈话": Meant(_KIND.TALK),
    "家访": Meant(_KIND.HOME_VISIT),
    "学业辅导": Meant(_KIND.TUTORING),
    "心理辅导": Meant(_KIND.COUNSELLING),
    "走访慰问": Meant(_KIND.COMFORT_VISIT),
    "回访": Meant(_KIND.RETURN_VISIT),
    # Other spellings.
    "谈心": Meant(_KIND.TALK),
    "谈话": Meant(_KIND.TALK),
    "交心谈心": Meant(_KIND.TALK),
    "谈心交流": Meant(_KIND.TALK),
    "个别谈话": Meant(_KIND.TALK),
    "上门家访": Meant(_KIND.HOME_VISIT, _FORM.IN_PERSON),
    "入户家访": Meant(_KIND.HOME_VISIT, _FORM.IN_PERSON),
    "实地家访": Meant(_KIND.HOME_VISIT, _FORM.IN_PERSON),
    "入户走访": Meant(_KIND.HOME_VISIT, _FORM.IN_PERSON),
    "入户": Meant(_KIND.HOME_VISIT, _FORM.IN_PERSON),
    "走访": Meant(_KIND.HOME_VISIT),
    "电话家访": Meant(_KIND.HOME_VISIT, _FORM.TELEPHONE),
    "视频家访": Meant(_KIND.HOME_VISIT, _FORM.VIDEO),
    "线上家访": Meant(_KIND.HOME_VISIT, _FORM.VIDEO),
    "辅导": Meant(_KIND.TUTORING),
    "学习辅导": Meant(_KIND.TUTORING),
    "课业辅导": Meant(_KIND.TUTORING),
    "作业辅导": Meant(_KIND.TUTORING),
    "学业帮扶": Meant(_KIND.TUTORING),
    "心理疏导": Meant(_KIND.COUNSELLING),
    "心理健康辅导": Meant(_KIND.COUNSELLING),
    "心理咨询": Meant(_KIND.COUNSELLING),
    "慰问": Meant(_KIND.COMFORT_VISIT),
    "慰问走访": Meant(_KIND.COMFORT_VISIT),
    "节日慰问": Meant(_KIND.COMFORT_VISIT),
    "送温暖": Meant(_KIND.COMFORT_VISIT),
    "电话回访": Meant(_KIND.RETURN_VISIT, _FORM.TELEPHONE),
    "跟踪回访": Meant(_KIND.RETURN_VISIT),
}

FORMS: dict[str, Contact.Form] = {
    "上门": _FORM.IN_PERSON,
    "电话": _FORM.TELEPHONE,
    "视频": _FORM.VIDEO,
    "面谈": _FORM.IN_PERSON,
    "当面": _FORM.IN_PERSON,
    "面对面": _FORM.IN_PERSON,
    "见面": _FORM.IN_PERSON,
    "入户": _FORM.IN_PERSON,
    "实地": _FORM.IN_PERSON,
    "实地走访": _FORM.IN_PERSON,
    "上门走访": _FORM.IN_PERSON,
    "线下": _FORM.IN_PERSON,
    "到校": _FORM.IN_PERSON,
    "来校": _FORM.IN_PERSON,
    "校内": _FORM.IN_PERSON,
    "打电话": _FORM.TELEPHONE,
    "电访": _FORM.TELEPHONE,
    "电话联系": _FORM.TELEPHONE,
    "电话沟通": _FORM.TELEPHONE,
    "视频通话": _FORM.VIDEO,
    "视频连线": _FORM.VIDEO,
    "微信视频": _FORM.VIDEO,
    "线上": _FORM.VIDEO,
}


def kind_word(kind: str) -> str:
    """The field's own word for a kind of contact."""
    return next((text for text, meaning in KINDS.items() if meaning == Meant(kind)), "")
