"""Spreadsheets of villages and of the registry of households."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from households import words
from households.household_list import COLUMNS, HouseholdListPlanner, clean_persons
from households.models import Household, Village
from households.present import listed_households, present_households
from households.registry import RegistryPlanner
from povertyaid.imports.resources import (
    SAME_RECORD,
    Column,
    Planned,
    Row,
    SheetResource,
    by_key,
    refuse_repeated,
    register,
)
from povertyaid.lib.cells import (
    CellError,
    Cleaned,
    Context,
    Repair,
    as_text,
    clean_amount,
    clean_choice,
    clean_date,
    clean_identity,
    clean_integer,
    clean_name,
    clean_phone,
    clean_text,
    clean_yes_no,
    is_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from povertyaid.imports.context import ImportContext
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import School, User

_COUNTY = ("县(市、区、旗)", "县区", "县", "区县", "县市区")
_TOWNSHIP = ("乡(镇)", "乡镇", "乡镇街道", "所在乡镇", "镇", "乡")
_VILLAGE = ("行政村", "村", "村名", "行政村名称", "村名称", "村(社区)", "所在村", "村(居)", "村(居)委会",
            "行政村(社区)")
# A spreadsheet keeps fifteen digits of a number; what is longer has lost its end.
_EXACT = 10**15


def clean_registry_number(value: Value, *, ctx: Context) -> Cleaned[str]:
    """The number of a household or person in the registry; a numeric cell is taken while it is exact, and told."""
    if not is_number(value):
        return clean_text(value, ctx=ctx, longest=30)
    if not isinstance(value, int | float) or value != int(value) or not 0 < value < _EXACT:
        raise CellError(
            "numeric",
            _(
                "The cell holds the number as a numeric value, so that its last digits are lost. "
                "Set the column to text and copy the number again from the registry."
            ),
        )
    text = str(int(value))
    return Cleaned(text, [Repair("number_as_text", as_text(value), text)])


@register
class VillageResource(SheetResource):
    """Villages of the county: the key is township and name."""

    kind = "villages"
    label = _("villages")
    model = Village
    permission = "households.import_village"
    key_help = _("township and village")
    columns = (
        Column("county", _COUNTY, partial(clean_text, longest=60), example="鹤山区"),
        Column("township", _TOWNSHIP, partial(clean_text, longest=40), required=True, example="青石乡"),
        Column("name", _VILLAGE, partial(clean_text, longest=60), required=True, example="青石村"),
    )

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Find every village by county, township and name; a known one is left as it is."""
        counties = {id(row): context.county_of(row) for row in rows if row.ok}

        def key(row: Row) -> Any:
            county = counties.get(id(row))
            return (county.pk, row.get("township"), row.get("name")) if county is not None else None

        refuse_repeated([row for row in rows if row.ok], "name", key, SAME_RECORD)
        known = {
            (village.county_id, village.township, village.name)
            for village in Village.objects.visible_to(context.user).filter(county__in=context.counties)
        }
        returned = by_key(Village.objects.visible_to(context.user), "pk", [row.returned for row in rows])
        planned = []
        for row in rows:
            county = counties.get(id(row))
            if not row.ok or county is None:
                continue
            township, name = row.get("township"), row.get("name")
            item = Planned(row, {"县": county.name, "乡镇": township, "行政村": name})
            if key(row) not in known and row.returned in returned:
                item.change(returned[row.returned][0], {"township": township, "name": name})
            elif key(row) not in known:
                item.add(Village(county=county, township=township, name=name), main=True)
            planned.append(item)
        return planned

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Villages as the importer reads them back."""
        prefetch_related_objects(records, "county")
        return [
            {"county": item.county.name, "township": item.township, "name": item.name} for item in records
        ]

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The villages of the county."""
        del school, period
        return Village.objects.visible_to(user).select_related("county").order_by("township", "name", "pk")


@register
class HouseholdResource(SheetResource):
    """The list of the national registry, one row a person (POLICY §5).

    A household is found by its number, a person by the identity number, else the person number, else name and relation.
    What holds for the household is taken from the row of its head, else from its first row.
    """

    kind = "households"
    label = _("households (one row a person)")
    model = Household
    permission = "households.import_household"
    key_help = _(
        "household number; persons by identity number, else person number, else name and relation to the head"
    )
    columns = (
        Column("data_date", ("数据日期", "数据时间"), clean_date, example="2026-03-01",
               help=_("The year of the income a head.")),
        Column("county", _COUNTY, partial(clean_text, longest=60), example="鹤山区"),
        Column("township", _TOWNSHIP, partial(clean_text, longest=40), example="青石乡"),
        Column("village", _VILLAGE, partial(clean_text, longest=60), required=True, example="青石村",
               help=_("Must be in the list of villages.")),
        Column("address", ("自然村", "自然村组", "村民小组", "组", "家庭住址"), partial(clean_text, longest=120),
               example="三组", erases=True),
        Column("number", ("户编号", "家庭编号", "户号", "户编码", "户籍编号", "脱贫户编号",
                          "农户编号"), clean_registry_number, required=True, text=True,
               example="4312020013"),
        Column("person_number", ("人编号", "人员编号", "个人编号"), clean_registry_number, text=True,
               example="431202001301"),
        Column("name", ("姓名", "成员姓名", "家庭成员姓名", "人员姓名",
                        "人口姓名"), clean_name, required=True, example="张三"),
        Column("identity", ("证件号码", "身份证号", "身份证号码", "身份证件号", "证件号", "公民身份号码",
                            "公民身份证号码",
                            "居民身份证号码", "身份证", "身份证件号码", "居民身份证号", "公民身份证号",
                            "成员身份证号", "成员身份证号码"), clean_identity,
               header_required=True, sensitive="identity", text=True, example="18位身份证号码"),
        Column("size", ("人数", "家庭人口", "家庭人口数", "家庭人数", "家庭人口(人)", "家庭总人口", "家庭成员数",
                        "户人口数"), partial(clean_integer, least=1, most=30),
               example="4"),
        Column("relation", ("与户主关系", "与户主的关系", "户主关系", "与户主之间关系", "和户主关系"),
               partial(clean_choice, choices=words.RELATIONS),
               required=True, choices=words.published(words.RELATIONS), example="户主"),
        Column("ethnic_group", ("民族",), partial(clean_text, longest=20), example="汉族", erases=True),
        Column("education", ("文化程度", "受教育程度"), partial(clean_text, longest=20), example="小学", erases=True),
        Column("student_status", ("在校生状况", "在校生情况", "在校状况", "在校情况", "就学情况",
                                  "就读情况"), partial(clean_text, longest=20),
               example="非在校生", erases=True),
        Column("health", ("健康状况", "身体状况"), partial(clean_choice, choices=words.HEALTH),
               choices=words.published(words.HEALTH), example="健康", erases=True),
        Column("labour", ("劳动技能", "劳动能力"), partial(clean_choice, choices=words.LABOUR),
               choices=words.published(words.LABOUR), example="普通劳动力", erases=True),
        Column("work_months", ("务工时间(月)", "务工时间", "务工月数"), partial(clean_integer, least=0, most=12),
               example="10"),
        Column("insured", ("是否参加大病保险", "大病保险"), clean_yes_no, choices=("是", "否"), example="是"),
        Column("cause", ("致贫原因1", "致贫原因", "主要致贫原因", "致贫返贫原因", "致贫(返贫)原因", "返贫致贫原因",
                         "主要致贫返贫原因"), partial(clean_choice, choices=words.CAUSES),
               choices=words.published(words.CAUSES), example="因病", erases=True),
        Column("dangerous_house", ("危房户", "是否危房户", "是否危房"), clean_yes_no, choices=("是",
                                   "否"), example="否"),
        Column("safe_water", ("是否解决安全饮用水", "饮水安全", "安全饮水"), clean_yes_no, choices=("是", "否"),
               example="是"),
        Column("income", ("人均纯收入", "家庭人均纯收入", "人均纯收入(元)", "家庭人均纯收入(元)", "年人均纯收入",
                          "家庭年人均纯收入"), clean_amount, example="3773.29"),
        Column("household_phone", ("户联系电话", "联系电话", "户主联系电话", "户主电话", "联系方式", "户联系方式",
                                   "家庭联系电话"), clean_phone, sensitive="phone", text=True, erases=True),
        Column("phone", ("人联系电话", "本人电话"), clean_phone, sensitive="phone", text=True, erases=True),
        Column("identified_on", ("首次识别时间", "识别时间", "首次识别日期", "纳入时间",
                                 "首次纳入时间"), clean_date, example="2014-12"),
        Column("person_identified_on", ("人员识别时间",), clean_date, example="2014-12"),
        Column("category", ("户类型", "户属性", "脱贫户类型", "户属性类别", "农户类型"),
               partial(clean_choice, choices=words.CATEGORIES), required=True,
               choices=words.published(words.CATEGORIES), example="脱贫户"),
        Column("monitored_type", ("监测对象类型", "监测类型"), partial(clean_choice, choices=words.MONITORED_TYPES),
               choices=words.published(words.MONITORED_TYPES)),
        Column("risk_cleared", ("风险是否消除", "风险是否已消除"), clean_yes_no, choices=("是", "否")),
        Column("risk_on", ("风险识别时间", "监测对象识别时间"), clean_date),
        Column("risk_cleared_on", ("风险消除时间",), clean_date),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Group the rows by household number and plan each household with its members."""
        return RegistryPlanner(context).plan(rows)


def _member_columns() -> tuple[Column, ...]:
    """Name, relation and identity number of the persons beside the head who have columns of their own."""
    digits = "一二三四五六七八九"
    found: list[Column] = []
    for number in range(1, COLUMNS + 1):
        names = (f"成员{number}", f"家庭成员{number}", f"成员{digits[number - 1]}", f"家庭成员{digits[number - 1]}")
        key = f"member{number}"
        found += (
            Column(f"{key}_name", tuple(f"{name}{word}" for name in names for word in ("姓名", "")), clean_name),
            Column(f"{key}_relation", tuple(f"{name}{word}" for name in names for word in ("关系", "与户主关系")),
                   partial(clean_choice, choices=words.RELATIONS), choices=words.published(words.RELATIONS)),
            Column(f"{key}_identity", tuple(f"{name}{word}" for name in names for word in ("身份证号", "身份证号码",
                                                                                         "证件号码", "身份证")),
                   clean_identity, sensitive="identity", text=True),
        )  # fmt: skip
    return tuple(found)


_SHARED = {column.key: column for column in HouseholdResource.columns}


def _shared(*keys: str) -> tuple[Column, ...]:
    """Columns that both shapes of the list have; none of them must be filled in but those of the record itself."""
    return tuple(_SHARED[key] for key in keys)


@register
class HouseholdRowResource(SheetResource):
    """A list of households with one row a household: the head in columns, the other persons in columns or in one cell.

    A household is found by its number, else by the identity number of its head, else by village and name of the head.
    Who is not in the row stays in the household.
    """

    kind = "households"
    variant = "household_rows"
    label = _("households (one row a household)")
    model = Household
    permission = "households.import_household"
    key_help = _(
        "household number, else identity number of the head, else village and head; "
        "persons by identity number, else name and relation to the head"
    )
    columns = (
        *_shared("data_date", "county", "township", "village"),
        Column("address", ("家庭住址", "住址", "家庭地址", "详细地址", "地址", "自然村", "自然村组", "村民小组", "组"),
               partial(clean_text, longest=120), example="三组", erases=True),
        Column("number", ("户编号", "家庭编号", "户号"), clean_registry_number, text=True, example="4312020013",
               help=_("Left empty for households that are not in the registry.")),
        Column("head", ("户主姓名", "户主", "户主名字"), clean_name, required=True, example="张大"),
        Column("head_identity", ("户主身份证号", "户主身份证号码", "户主证件号码", "身份证号", "身份证号码", "证件号码",
                                 "公民身份证号码", "居民身份证号码"),
               clean_identity, sensitive="identity", text=True, example="18位身份证号码"),
        *_shared("size", "category", "monitored_type", "cause", "income"),
        Column("household_phone", ("联系电话", "户联系电话", "户主电话", "户主联系电话", "电话",
                                   "手机号码"), clean_phone,
               sensitive="phone", text=True, example="13800000000", erases=True),
        Column("members", ("家庭成员", "其他成员", "家庭成员情况", "其他家庭成员", "成员", "家庭成员姓名及关系"),
               clean_persons, text=True, example="张三（长子）、张小三（长女）",
               help=_("Each with the relation to the head in brackets; identity number and student status may follow.")),
        Column("children", ("在校子女", "在校学生", "在校生", "就读子女", "子女就读情况",
                            "在校子女情况"), clean_persons,
               text=True, example="张三（小学三年级）", help=_("With the student status in brackets.")),
        *_shared("dangerous_house", "safe_water", "identified_on", "risk_cleared", "risk_on", "risk_cleared_on"),
        *_member_columns(),
    )

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Take every row apart into persons and plan each household with its members."""
        return HouseholdListPlanner(context, HouseholdResource()).plan(rows)

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Households with their persons as the importer reads them back."""
        return present_households(records, context.user, context.period)

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The households that have not left the registry."""
        del period
        return listed_households(user, school)
