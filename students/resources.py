"""Spreadsheets of pupils: the list of a school with the recognition of a semester."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

import students.linking  # noqa: F401 - joins pupils and household members after every import
from households.words import RELATIONS, published
from povertyaid.imports.resources import Column, Planned, Row, SheetResource, register
from povertyaid.lib.cells import (
    clean_boarding,
    clean_choice,
    clean_class_name,
    clean_date,
    clean_identity,
    clean_left_behind,
    clean_name,
    clean_phone,
    clean_pupil_number,
    clean_semester,
    clean_sex,
    clean_text,
)
from students.classbook import clean_grade_or_cohort
from students.models import Recognition, Student
from students.present import (
    listed_recognitions,
    listed_students,
    present_recognitions,
    present_students,
)
from students.pupilbook import clean_known_identity
from students.recognition_list import RecognitionPlanner
from students.roster import RosterPlanner
from students.words import LEVELS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from povertyaid.imports.context import ImportContext
    from povertyaid.schools.models import School, User

_GROUPS = ("困难类型", "特殊困难群体", "特殊困难类型", "困难学生类型", "困难类别", "特殊群体类型", "特殊困难群体类型",
           "家庭困难类型", "特殊群体", "特殊群体类别", "家庭类型", "困难原因类别", "家庭经济困难类型", "救助类别",
           "救助类型",
           "救助对象类别", "困难群体类型", "困难群体类别", "困难家庭类型", "家庭困难类别", "贫困类型", "资助对象类别",
           "认定类型", "认定类别", "特殊困难类别", "困难学生类别")  # fmt: skip
_LEVELS = ("认定等级", "困难等级", "认定档次", "困难程度", "困难认定等级", "困难档次", "认定困难等级", "贫困等级",
           "等次", "等级", "困难等次", "认定等次", "困难级别", "认定级别", "贫困程度", "家庭经济困难等级",
           "家庭困难等级",
           "家庭困难程度", "认定困难程度", "困难认定档次", "困难认定结果")  # fmt: skip


@register
class StudentResource(SheetResource):
    """A list of pupils of a school, with or without their recognition.

    A pupil is found by the identity number, else the pupil number, else by name, school and class when exactly one fits.
    Level and special groups make the recognition of the semester; without these columns none is made.
    """

    kind = "students"
    label = _("pupils")
    model = Student
    permission = "students.import_student"
    needs_school = True
    one_of = (("school_class", "grade"),)
    key_help = _("identity number, else pupil number, else name, school and class")
    columns = (
        Column("school", ("学校", "学校名称", "就读学校", "所在学校", "所属学校", "现就读学校", "学籍学校", "幼儿园",
                          "幼儿园名称", "就读学校名称", "就读幼儿园"), partial(clean_text, longest=80),
               help=_("Name or code; not needed when it stands in the title.")),
        Column("semester", ("学期", "认定学期"), clean_semester, example="2026年春季学期",
               help=_("Not needed when it stands in the title.")),
        Column("name", ("姓名", "学生姓名", "幼儿姓名", "儿童姓名", "受助学生姓名", "受助学生", "对象姓名",
                        "救助对象姓名", "孩子姓名",
                        "学生"), clean_name, required=True, example="张三"),
        Column("sex", ("性别",), clean_sex, choices=("男", "女"), example="男",
               help=_("Not needed with an identity number.")),
        Column("identity", ("身份证号码", "身份证号", "身份证件号", "身份证件号码", "证件号码", "证件号", "身份证",
                            "公民身份号码", "公民身份证号码", "居民身份证号", "居民身份证号码", "有效证件号码",
                            "证件号(身份证)", "学生身份证号", "学生身份证号码"),
               clean_identity, sensitive="identity", text=True, example="18位身份证号码"),
        Column("pupil_number", ("学籍号", "全国学籍号", "学籍号码", "学籍编号"), clean_pupil_number,
               sensitive="pupil_number", text=True, example="G开头的学籍号",
               help=_("New pupils may have none until November.")),
        Column("grade", ("年级", "所在年级", "就读年级"), clean_grade_or_cohort, example="一年级"),
        Column("school_class", ("年级班级", "班级", "所在班级", "就读班级", "年级及班级", "年级(班级)", "年班", "班别",
                                "班级名称", "班", "所在班", "年级班", "现就读班级"),
               clean_class_name, text=True, example="一年级2班"),
        Column("boarding", ("就读方式", "是否住校", "是否寄宿", "住宿情况", "是否寄宿生", "走读或住校", "住校生",
                            "寄宿生",
                            "是否住校生", "是否住宿", "是否走读", "走读/寄宿", "走读/住校", "寄宿情况", "住校情况",
                            "就学方式", "走读或寄宿",
                            "走读生", "是否走读生", "寄宿/走读", "住校/走读", "是否寄宿学生"), clean_boarding,
               choices=("走读", "住校"), example="走读"),
        Column("head_name", ("户主姓名", "户主"), clean_name, example="张大", erases=True),
        Column("relation", ("与户主关系", "与户主的关系"), partial(clean_choice, choices=RELATIONS),
               choices=published(RELATIONS), example="之子", erases=True),
        Column("phone", ("联系电话", "家庭联系电话", "家长联系电话", "监护人联系电话", "家长电话", "监护人电话", "电话",
                         "联系方式", "手机号码", "手机号", "手机", "监护人手机号", "监护人手机", "监护人联系方式",
                         "家长手机号", "家长手机", "家长联系方式", "家庭电话", "联系人电话", "监护人1联系电话",
                         "监护人1电话", "监护人手机号码", "家长手机号码",
                         "家长(监护人)联系电话", "家长或监护人电话", "监护人1手机", "联系手机", "家庭联系方式",
                         "家庭联系号码"),
               clean_phone, sensitive="phone", text=True, example="13800000000", erases=True),
        Column("groups", _GROUPS, partial(clean_text, longest=200), example="脱贫家庭",
               help=_("Several are separated by 、; the first counts in statistics.")),
        Column("level", _LEVELS, partial(clean_choice, choices=LEVELS), choices=published(LEVELS), example="一般困难"),
        Column("left_behind", ("留守儿童", "是否留守儿童", "留守情况", "是否留守", "留守儿童情况"), clean_left_behind,
               choices=("非留守", "单亲留守", "双亲留守"), example="非留守"),
        Column("ethnic_group", ("民族", "民族成份",
                                "民族成分"), partial(clean_text, longest=20), example="汉族", erases=True),
        Column("birth_date", ("出生日期", "出生年月", "出生年月日"), clean_date, example="2018-08-21",
               help=_("Not needed with an identity number.")),
        Column("entered", ("入学年月", "入学时间", "入学日期", "入校时间", "入校年月"),
               partial(clean_date, future=True), example="2024-09"),
        Column("guardian_name", ("监护人姓名", "监护人", "监护人1姓名", "家长姓名", "家长", "法定监护人", "监护人1",
                                 "第一监护人"), clean_name, example="张大", erases=True),
        Column("guardian_relation", ("监护人关系", "监护人1关系", "与监护人关系", "监护人与学生关系"),
               partial(clean_text, longest=20), example="父亲", erases=True),
        Column("guardian_identity", ("监护人身份证号", "监护人身份证号码", "监护人身份证件号", "监护人1身份证件号",
                                     "监护人证件号码", "家长身份证号", "家长身份证号码"),
               clean_known_identity, sensitive="identity", text=True, example="监护人的身份证号码",
               help=_("Only compared with the pupil's number; it is not stored.")),
        Column("address", ("家庭住址", "家庭地址", "现住址", "住址", "家庭详细住址", "家庭详细地址", "详细地址",
                           "家庭现住址", "居住地址"), partial(clean_text, longest=120), erases=True),
        Column("note", ("备注", "备注说明", "其他说明"), partial(clean_text, longest=500), erases=True),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Match every pupil and plan pupil, class, enrolment and recognition."""
        return RosterPlanner(context).plan(rows)

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Pupils as the importer reads them back."""
        return present_students(records, context.user, context.period)

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The pupils who are enrolled."""
        del period
        return listed_students(user, school)


@register
class RecognitionResource(SheetResource):
    """A list of recognised pupils (认定名单) of a semester; the pupils must be on record already.

    A recognition is found by pupil and semester. Who is not in the list keeps the recognition.
    """

    kind = "recognitions"
    label = _("recognitions")
    model = Recognition
    permission = "students.import_recognition"
    needs_semester = True
    one_of = (("level", "groups", "state"),)
    key_help = _("semester and pupil (identity number, else pupil number, else name, school and class)")
    columns = (
        Column("school", ("学校", "学校名称", "就读学校", "所在学校", "认定学校"), partial(clean_text, longest=80),
               example="青石坳中心完小", help=_("Not needed when it stands in the title, or with an identity number.")),
        Column("semester", ("学期", "认定学期"), clean_semester, example="2026年春季学期",
               help=_("Not needed when it stands in the title.")),
        Column("name", ("姓名", "学生姓名", "幼儿姓名", "儿童姓名", "认定学生姓名"), clean_name, required=True,
               example="张三"),
        Column("identity", ("身份证号码", "身份证号", "身份证件号", "身份证件号码", "证件号码", "证件号", "身份证",
                            "公民身份号码", "公民身份证号码", "居民身份证号", "居民身份证号码", "有效证件号码",
                            "证件号(身份证)", "学生身份证号", "学生身份证号码"),
               clean_known_identity, sensitive="identity", text=True, example="18位身份证号码"),
        Column("pupil_number", ("学籍号", "全国学籍号", "学籍号码", "学籍编号"), clean_pupil_number,
               sensitive="pupil_number", text=True, example="G开头的学籍号"),
        Column("grade", ("年级", "所在年级", "就读年级"), partial(clean_text, longest=40), example="一年级"),
        Column("school_class", ("年级班级", "班级", "所在班级", "就读班级", "年级及班级", "年级(班级)", "年班", "班别",
                                "班级名称", "班", "所在班", "年级班", "现就读班级"),
               partial(clean_text, longest=40), text=True, example="一年级2班"),
        Column("level", _LEVELS, partial(clean_choice, choices=LEVELS), choices=published(LEVELS), example="一般困难",
               help=_("A new recognition needs it.")),
        Column("groups", _GROUPS, partial(clean_text, longest=200), example="脱贫家庭、孤儿",
               help=_("Several are separated by 、; the first counts in statistics.")),
        Column("primary", ("统计类别", "主要类别", "统计困难类别", "主要困难类型"), partial(clean_text, longest=40),
               example="脱贫家庭", help=_("The one group under which the pupil is counted; left empty, the first one.")),
        Column("state", ("认定状态", "认定结果", "认定结论", "状态", "审核结果"), partial(clean_choice, choices=STATES),
               choices=published(STATES), example="已认定", help=_("Left empty: recognised.")),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Find every pupil and plan the recognitions."""
        return RecognitionPlanner(context).plan(rows)

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Recognitions as the importer reads them back."""
        return present_recognitions(records, context.user)

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The recognitions of the semester."""
        return listed_recognitions(user, school, period)
