"""Spreadsheets of pairings, and of the talks and visits between helpers and those whom they help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from households.resources import clean_registry_number
from households.words import published
from pairings.contact_list import ContactPlanner, clean_minutes, clean_span
from pairings.models import Contact, Pairing
from pairings.present import listed_pairings, present_pairings
from pairings.roster import PairingPlanner
from pairings.words import FORMS, KINDS
from povertyaid.imports.resources import Column, Planned, Row, SheetResource, register
from povertyaid.lib.cells import (
    clean_choice,
    clean_date,
    clean_integer,
    clean_name,
    clean_people,
    clean_phone,
    clean_pupil_number,
    clean_text,
)
from students.pupilbook import clean_known_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from povertyaid.imports.context import ImportContext
    from povertyaid.schools.models import School, User


@register
class PairingResource(SheetResource):
    """A list of helpers and their pupils: several pupils in one cell go with several classes, in the same order.

    A pairing is found by helper and pupil as long as it has not ended. Helpers whom nobody has entered yet are entered.
    """

    kind = "pairings"
    label = _("pairings")
    model = Pairing
    permission = "pairings.import_pairing"
    needs_school = True
    key_help = _("helper (name, telephone, post) and pupil (name and class, or identity number), while it has not ended")
    columns = (
        Column("school", ("学校", "学校名称", "所在学校", "帮扶单位"), partial(clean_text, longest=80),
               help=_("Name or code; not needed when it stands in the title.")),
        Column("helper", ("帮扶责任人", "帮扶教师", "帮扶人", "结对教师", "帮扶教师姓名", "帮扶人姓名",
                          "帮扶责任人姓名",
                          "结对帮扶教师", "结对帮扶责任人", "帮扶干部", "结对帮扶人", "结对干部", "包保教师",
                          "包保责任人",
                          "帮扶责任人(教师)",
                          "帮扶人员", "帮扶老师", "结对老师", "结对教师姓名", "责任教师", "帮扶教职工", "结对人",
                          "结对人姓名",
                          "包保人", "联系教师", "帮教人", "帮教教师", "帮扶干部姓名", "责任人", "教师姓名",
                          "帮扶责任教师",
                          "包保教师姓名", "资助帮扶人", "结对帮扶人姓名", "帮扶负责人"),
               clean_name, required=True, example="李四"),
        Column("post", ("职务", "帮扶人职务", "帮扶教师职务", "岗位", "帮扶责任人职务", "教师职务", "结对教师职务",
                        "职务(岗位)", "职务/岗位",
                        "职务或岗位", "职务职称", "行政职务", "结对人职务",
                        "帮扶人岗位"), partial(clean_text, longest=40), example="班主任"),
        Column("phone", ("联系电话", "帮扶人电话", "帮扶教师电话", "帮扶责任人电话", "帮扶人联系电话", "电话",
                         "手机号码",
                         "帮扶责任人联系电话", "帮扶教师联系电话", "教师电话", "教师联系电话", "联系方式", "手机",
                         "手机号",
                         "结对教师电话", "帮扶人手机", "帮扶教师手机", "帮扶教师手机号", "帮扶人手机号",
                         "帮扶人联系方式",
                         "帮扶责任人手机号", "帮扶教师联系方式", "包保人电话"),
               clean_phone, sensitive="phone", text=True, example="13800000000"),
        Column("students", ("帮扶对象", "帮扶学生", "学生姓名", "结对学生", "帮扶学生姓名", "被帮扶学生",
                            "帮扶对象姓名",
                            "受助学生", "受帮扶学生", "结对对象", "被帮扶学生姓名", "学生", "结对帮扶学生",
                            "结对学生姓名",
                            "帮扶对象(学生)", "受帮扶学生姓名", "帮扶对象学生", "联系学生", "联系学生姓名",
                            "困难学生", "困难学生姓名",
                            "贫困学生", "贫困学生姓名", "受助学生姓名", "结对帮扶对象", "包保学生", "包保学生姓名",
                            "幼儿姓名",
                            "被帮扶人", "被帮扶人姓名", "帮扶对象名单", "帮扶学生名单", "结对帮扶学生姓名",
                            "帮教学生", "资助学生"),
               clean_people, required=True, example="张三、王五", help=_("Several pupils are separated by 、")),
        Column("grade", ("年级", "学生年级"), partial(clean_text, longest=40), example="一年级"),
        Column("school_class", ("年级班级", "班级", "所在班级", "学生班级", "就读班级", "年级(班级)", "年班",
                                "学生年级班级",
                                "帮扶学生班级", "帮扶对象班级", "学生所在班级", "帮扶对象所在班级", "班别",
                                "年级及班级", "所在年级班级",
                                "结对学生班级", "班级名称", "班"),
               partial(clean_text, longest=400), text=True, example="一年级2班、三年级1班",
               help=_("One for each pupil, in the same order.")),
        Column("identity", ("身份证号", "身份证号码", "学生身份证号", "帮扶对象身份证号", "学生身份证号码"),
               clean_known_identity, sensitive="identity", text=True,
               help=_("Not needed where name and class are of one pupil only.")),
        Column("pupil_number", ("学籍号", "全国学籍号"), clean_pupil_number, sensitive="pupil_number", text=True),
        Column("start", ("结对时间", "帮扶时间", "结对日期", "开始时间", "帮扶开始时间", "结对帮扶时间",
                         "结对起始时间", "起始时间", "帮扶起始时间",
                         "帮扶日期", "帮扶起始日期", "开始日期", "结对开始时间", "帮扶时间起", "结对年月",
                         "确定时间"), clean_date,
               example="2026-03"),
        Column("measures", ("帮扶措施", "措施", "主要帮扶措施", "帮扶内容", "帮扶方式", "帮扶计划", "具体帮扶措施",
                            "结对帮扶措施", "主要措施", "帮扶举措",
                            "帮扶方式及内容"), partial(clean_text, longest=2000),
               example="学业辅导", erases=True),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Match helper and pupils of every row and plan their pairings."""
        return PairingPlanner(context).plan(rows)

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Pairings as the importer reads them back."""
        return present_pairings(records, context.user, context.period)

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The pairings with pupils that have not ended."""
        del period
        return listed_pairings(user, school)


@register
class ContactResource(SheetResource):
    """A list of talks, visits and lessons of helpers with pupils or households whom they help.

    The pairing must be on record; a contact is found again by pairing, day, kind and purpose, and by what tells two of a
    day apart. What was said in a talk is no column: it belongs into the private note.
    """

    kind = "contacts"
    label = _("contacts")
    model = Contact
    permission = "pairings.import_contact"
    one_of = (("students", "head", "household", "identity"),)
    key_help = _("helper, pupil or household, date, kind and purpose, and which one of the day")
    columns = (
        Column("school", ("学校", "学校名称", "所在学校", "帮扶单位"), partial(clean_text, longest=80),
               help=_("Only needed where a helper's name stands for people of several schools.")),
        Column("helper", ("帮扶责任人", "帮扶教师", "帮扶人", "结对教师", "帮扶教师姓名", "帮扶人姓名",
                          "帮扶责任人姓名",
                          "结对帮扶教师", "结对帮扶责任人", "家访教师", "谈话教师", "谈话人", "辅导教师", "教师姓名",
                          "帮扶干部", "结对干部", "包保教师", "包保责任人"),
               clean_name, required=True, example="李四",
               help=_("The pairing with the pupil or household must be on record.")),
        Column("students", ("帮扶对象", "帮扶学生", "学生姓名", "结对学生", "帮扶学生姓名", "被帮扶学生",
                            "帮扶对象姓名",
                            "家访对象", "谈话对象", "辅导对象", "走访对象", "家访学生", "谈话学生", "受帮扶学生",
                            "结对对象",
                            "学生"),
               clean_people, example="张三", help=_("Pupils, or the head of a household; several are separated by 、")),
        Column("grade", ("年级", "学生年级"), partial(clean_text, longest=40), example="一年级"),
        Column("school_class", ("年级班级", "班级", "所在班级", "学生班级", "就读班级", "年级(班级)", "年班"),
               partial(clean_text, longest=40), text=True, example="一年级2班",
               help=_("Only needed to tell namesakes apart.")),
        Column("identity", ("身份证号", "身份证号码", "学生身份证号", "帮扶对象身份证号", "学生身份证号码"),
               clean_known_identity, sensitive="identity", text=True),
        Column("pupil_number", ("学籍号", "全国学籍号"), clean_pupil_number, sensitive="pupil_number", text=True),
        Column("head", ("户主姓名", "户主", "帮扶户", "帮扶户户主"), clean_name, example="张大",
               help=_("Where a household is helped.")),
        Column("household", ("户编号", "户号"), clean_registry_number, text=True),
        Column("date", ("日期", "联系日期", "家访日期", "谈话日期", "走访日期", "帮扶日期", "辅导日期", "家访时间",
                        "谈话时间", "走访时间", "慰问时间", "慰问日期", "回访日期", "活动日期", "开展时间", "时间"),
               clean_date, required=True, example="2026-03-05", help=_("A whole date.")),
        Column("kind", ("类型", "联系类型", "帮扶类型", "记录类型", "活动类型", "帮扶形式", "类别"),
               partial(clean_choice, choices=KINDS), required=True,
               choices=("谈心谈话", "家访", "学业辅导", "心理辅导", "走访慰问", "回访"), example="家访",
               help=_("Can be given for the whole file, for example for a list of home visits.")),
        Column("form", ("方式", "形式", "家访方式", "走访方式", "谈话方式", "家访形式", "联系形式"),
               partial(clean_choice, choices=FORMS), choices=published(FORMS), example="上门",
               help=_("Left empty: in person.")),
        Column("minutes", ("时长(分钟)", "时长", "谈话时长", "家访时长", "辅导时长",
                           "用时"), clean_minutes, example="40"),
        Column("span", ("起止时间", "时间段", "具体时间", "起止时刻"), clean_span, text=True, example="14:00-14:40",
               help=_("Gives the length, and tells two contacts of a day apart.")),
        Column("order", ("当日第几次", "当日次序", "当天第几次"), partial(clean_integer, least=1, most=20), example="1",
               help=_("Only for a second contact of the same kind on a day.")),
        Column("done_by", ("实施人", "实际走访人", "实际家访人", "代为走访人"), clean_name,
               help=_("Only where somebody stood in for the helper.")),
        Column("present", ("参加人", "参加人员", "在场人员", "陪同人员", "参与人员", "同行人员"),
               partial(clean_text, longest=120), example="班主任", erases=True),
        Column("purpose", ("目的", "家访目的", "主题", "谈话主题", "事由", "走访目的", "辅导内容", "帮扶主题"),
               partial(clean_text, longest=200), example="了解家庭情况"),
        Column("follow_up", ("后续", "后续措施", "后续跟进", "跟进措施", "后续工作", "下一步措施", "处理意见",
                             "后续帮扶措施"),
               partial(clean_text, longest=1000), example="联系爱心书屋", erases=True),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Find the pairing of every row and plan the contacts."""
        return ContactPlanner(context).plan(rows)
