"""Spreadsheets of pairings: the list of a school's helpers and the pupils whom they help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from pairings.models import Pairing
from pairings.roster import PairingPlanner
from povertyaid.imports.resources import Column, Planned, Row, SheetResource, register
from povertyaid.lib.cells import (
    clean_date,
    clean_name,
    clean_people,
    clean_phone,
    clean_pupil_number,
    clean_text,
)
from students.pupilbook import clean_known_identity

if TYPE_CHECKING:
    from povertyaid.imports.context import ImportContext


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
        Column("helper", ("帮扶责任人", "帮扶教师", "帮扶人", "结对教师", "帮扶教师姓名", "帮扶人姓名", "帮扶责任人姓名",
                          "结对帮扶教师", "结对帮扶责任人"),
               clean_name, required=True, example="李四"),
        Column("post", ("职务", "帮扶人职务", "帮扶教师职务", "岗位"), partial(clean_text, longest=40), example="班主任"),
        Column("phone", ("联系电话", "帮扶人电话", "帮扶教师电话", "帮扶责任人电话", "帮扶人联系电话", "电话", "手机号码"),
               clean_phone, sensitive="phone", text=True, example="13800000000"),
        Column("students", ("帮扶对象", "帮扶学生", "学生姓名", "结对学生", "帮扶学生姓名", "被帮扶学生", "帮扶对象姓名",
                            "受助学生"),
               clean_people, required=True, example="张三、王五", help=_("Several pupils are separated by 、")),
        Column("grade", ("年级", "学生年级"), partial(clean_text, longest=40), example="一年级"),
        Column("school_class", ("年级班级", "班级", "所在班级", "学生班级", "就读班级", "年级(班级)", "年班"),
               partial(clean_text, longest=400), text=True, example="一年级2班、三年级1班",
               help=_("One for each pupil, in the same order.")),
        Column("identity", ("身份证号", "身份证号码", "学生身份证号", "帮扶对象身份证号", "学生身份证号码"),
               clean_known_identity, sensitive="identity", text=True,
               help=_("Not needed where name and class are of one pupil only.")),
        Column("pupil_number", ("学籍号", "全国学籍号"), clean_pupil_number, sensitive="pupil_number", text=True),
        Column("start", ("结对时间", "帮扶时间", "结对日期", "开始时间", "帮扶开始时间", "结对帮扶时间"), clean_date,
               example="2026-03"),
        Column("measures", ("帮扶措施", "措施", "主要帮扶措施", "帮扶内容", "帮扶方式"), partial(clean_text, longest=2000),
               example="学业辅导"),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Match helper and pupils of every row and plan their pairings."""
        return PairingPlanner(context).plan(rows)
