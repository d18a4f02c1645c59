"""Spreadsheets of programmes with their standards, and of payments to pupils of a school in a semester."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from aid import words
from aid.models import Payment, Programme
from aid.paylist import PaymentPlanner
from aid.programme_list import (
    ProgrammePlanner,
    clean_beginning,
    clean_code,
    clean_rate,
    listed_programmes,
    programme_words,
)
from households.words import published
from povertyaid.imports.resources import Column, Planned, Row, SheetResource, register
from povertyaid.lib.cells import (
    clean_account,
    clean_amount,
    clean_choice,
    clean_date,
    clean_integer,
    clean_name,
    clean_pupil_number,
    clean_semester,
    clean_text,
)
from students.pupilbook import clean_known_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from povertyaid.imports.context import ImportContext
    from povertyaid.schools.models import School, User


@register
class PaymentResource(SheetResource):
    """A list of payments, such as a school's roster, the bank's return or a signing sheet.

    A payment is found by programme, semester, school and pupil. With an amount paid it has arrived; what has arrived is
    never changed by a list.
    """

    kind = "payments"
    label = _("payments")
    model = Payment
    permission = "aid.import_payment"
    needs_semester = True
    key_help = _("programme, semester, school and pupil (identity number, else pupil number, else name and class)")
    columns = (
        Column("school", ("学校", "学校名称", "就读学校", "所在学校"), partial(clean_text, longest=80),
               example="青石坳中心完小", help=_("Not needed when it stands in the title, or with an identity number.")),
        Column("grade", ("年级", "就读年级", "所在年级"), partial(clean_text, longest=40), example="一年级"),
        Column("school_class", ("班级", "年级班级", "所在班级", "就读班级", "年级(班级)", "年级及班级", "年班",
                                "班别", "班级名称", "班"), partial(clean_text, longest=40),
               text=True, example="2班"),
        Column("name", ("姓名", "学生姓名", "受助学生姓名", "受助学生", "受助人姓名", "幼儿姓名", "受助对象",
                        "受助对象姓名",
                        "资助对象姓名", "受益学生", "受益学生姓名", "享受学生姓名", "补助对象", "学生",
                        "儿童姓名"), clean_name, required=True,
               example="张三"),
        Column("identity", ("身份证号", "身份证号码", "学生身份证号", "学生身份证号码", "身份证件号", "证件号码",
                            "公民身份号码", "证件号", "身份证", "身份证件号码", "居民身份证号", "居民身份证号码",
                            "公民身份证号码",
                            "受助学生身份证号", "受助人身份证号"),
               clean_known_identity, sensitive="identity", text=True, example="18位身份证号码"),
        Column("pupil_number", ("学籍号", "全国学籍号",
                                "学籍号码"), clean_pupil_number, sensitive="pupil_number", text=True),
        Column("programme", ("资助项目", "项目名称", "资助项目名称", "补助项目", "项目", "资助类型", "补助类型",
                             "资助名称", "补助名称", "享受资助项目", "享受补助项目", "发放项目", "资助种类",
                             "资助政策", "受助项目"),
               partial(clean_text, longest=60),
               required=True, example="寄宿生生活补助"),
        Column("semester", ("学期", "资助学期", "发放学期"), clean_semester, example="2026年春季学期",
               help=_("Not needed when it stands in the title.")),
        Column("number", ("批次", "发放批次"), partial(clean_integer, least=1, most=99), example="1",
               help=_("Only for a second disbursement of the same programme in a semester.")),
        Column("tier", ("档次", "资助档次", "补助档次"), partial(clean_text, longest=20)),
        Column("standard", ("标准", "资助标准", "补助标准", "发放标准", "标准(元)", "资助标准(元)", "补助标准(元)",
                            "学期标准", "每学期标准",
                            "标准(元/学期)", "补助标准(元/学期)", "资助标准(元/学期)", "标准(元/生·学期)",
                            "每生每学期标准"),
               clean_amount, example="625"),
        Column("due", ("应发", "应发金额", "应发(元)", "应补金额", "应发数", "应补助金额", "应发放金额", "应补",
                       "应资助金额"), clean_amount, example="625"),
        Column("paid", ("实发", "实发金额", "发放金额", "实发(元)", "金额", "资助金额", "补助金额", "实际发放金额",
                        "到账金额", "实发数", "实际发放", "补助金额(元)", "实补金额", "实际补助金额",
                        "实发补助金额", "发放资金", "资助金额(元)", "发放金额(元)", "打卡金额",
                        "支付金额", "实领金额", "实际资助金额", "拨付金额", "补助资金", "资助资金", "实补"),
               clean_amount, example="625", help=_("Filled in: the money has arrived.")),
        Column("bank", ("开户行", "开户银行", "银行名称", "银行", "开户银行名称", "开户行名称", "开户网点", "开户机构",
                        "发卡银行", "发卡行", "收款银行", "收款人开户行", "代发银行", "开户金融机构"),
               partial(clean_text, longest=60), example="农商银行", erases=True),
        Column("account", ("账号", "银行账号", "一卡通账号", "银行卡号", "卡号", "帐号", "收款账号", "一卡通号",
                           "社保卡号",
                           "社会保障卡号", "惠农一卡通账号", "银行卡账号", "收款人账号",
                           "银行卡(折)号", "存折账号", "存折号", "银行账户", "打卡账号", "发放账号", "一卡通卡号",
                           "银行帐号", "卡(折)号",
                           "个人账号", "账户号", "一卡通帐号", "社会保障卡账号", "社保卡账号",
                           "社保卡银行账号", "惠农一卡通卡号",
                           "惠民惠农一卡通账号", "收款账户", "银行卡号(一卡通)", "银行卡号码", "账户账号"),
               clean_account, sensitive="account", text=True, example="银行账号"),
        Column("holder", ("户名", "账户名", "开户人", "持卡人", "账户姓名", "收款人", "开户人姓名", "持卡人姓名",
                          "账户名称", "收款人姓名", "户主(账户)", "开户名", "账户户名", "银行户名", "一卡通户名",
                          "账户持有人", "持卡人(户名)",
                          "收款户名", "账号户名", "一卡通姓名", "一卡通持有人",
                          "账户所有人"), partial(clean_text, longest=60),
               example="张大", erases=True),
        Column("relation", ("与学生关系", "持卡人与学生关系", "与受助学生关系", "户名与学生关系", "与学生的关系",
                            "持卡人关系",
                            "开户人与学生关系", "收款人与学生关系", "户主与学生关系", "与受助人关系", "与持卡人关系"),
               partial(clean_text, longest=20), example="父子", erases=True),
        Column("paid_on", ("发放日期", "发放时间", "到账日期", "领取日期", "支付日期", "打卡时间", "打卡日期",
                           "拨付日期", "拨付时间", "支付时间", "到账时间", "领取时间", "领款日期", "领款时间",
                           "到卡时间", "实际发放日期",
                            "入账日期", "入账时间", "交易日期", "实际发放时间"), clean_date, example="2026-05-20"),
        Column("note", ("备注",), partial(clean_text, longest=200), erases=True),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Match pupil, programme and disbursement of every row and plan the payments."""
        return PaymentPlanner(context).plan(rows)


@register
class ProgrammeResource(SheetResource):
    """The county's programmes of aid, one row a standard: what holds for the programme stands in its first row.

    A standard of a later semester ends the one before it. National programmes are changed only where no other county
    shares them.
    """

    kind = "programmes"
    label = _("programmes")
    model = Programme
    permission = "aid.import_programme"
    key_help = _("code, else name in the county; standards by stage, tier and first semester")
    columns = (
        Column("code", ("项目代码", "代码", "编码", "项目编码"), clean_code, text=True,
               help=_("Left empty for new programmes.")),
        Column("name", ("资助项目", "项目名称", "资助项目名称", "项目", "补助项目",
                        "名称"), partial(clean_text, longest=60),
               required=True, example="寒窗助学金"),
        Column("synonyms", ("别名", "其他名称", "又称",
                            "项目简称"), partial(clean_text, longest=300), example="寒窗助学",
               erases=True, help=_("Several with 、 between them: as other lists write the programme.")),
        Column("level", ("教育阶段", "资助阶段", "适用阶段"), partial(clean_choice, choices=words.LEVELS),
               choices=published(words.LEVELS), example="义务教育", help=_("A new programme needs it.")),
        Column("source", ("级别", "项目级别", "资金来源", "项目来源", "来源", "资助类别"),
               partial(clean_choice, choices=words.SOURCES), choices=published(words.SOURCES), example="县级",
               help=_("A new programme needs it.")),
        Column("form", ("资助形式", "资助方式", "形式", "发放形式"), partial(clean_choice, choices=words.FORMS),
               choices=published(words.FORMS), example="现金", help=_("Left empty: money.")),
        Column("boarding", ("就读方式", "限定对象", "限就读方式"), partial(clean_choice, choices=words.BOARDING),
               choices=published(words.BOARDING), help=_("Only for a programme of boarders or of day pupils alone.")),
        Column("stage", ("学段", "适用学段", "资助学段"), partial(clean_choice, choices=words.STAGES),
               choices=published(words.STAGES), example="小学", help=_("Left empty: the amount holds for every stage.")),
        Column("tier", ("档次", "资助档次", "等级", "资助等级"), partial(clean_text, longest=20), example="一档"),
        Column("semester_amount", ("标准(元/学期)", "学期标准", "每学期标准", "标准(元/生·学期)", "每生每学期标准"),
               clean_rate, example="300"),
        Column("year_amount", ("标准(元/年)", "年标准", "标准(元/学年)", "学年标准", "年度标准", "标准(元/生·年)",
                               "每生每年标准"),
               clean_rate, help=_("Half of it is the amount of a semester.")),
        Column("amount", ("标准", "资助标准", "补助标准", "发放标准", "金额"), clean_rate,
               help=_("With its unit: 300元/学期, 600元/年 or 600元/次.")),
        Column("unit", ("单位", "标准单位", "计算单位"), partial(clean_choice, choices=words.UNITS),
               choices=published(words.UNITS), help=_("Where the column 标准 holds the number alone.")),
        Column("from", ("执行起始学期", "执行起始日期", "起始学期", "执行时间", "执行起始时间", "执行学期", "开始学期"),
               clean_beginning, text=True, example="2026年春季学期", help=_("An amount needs it.")),
        Column("to", ("执行截止学期", "截止学期", "执行截止日期", "执行截止时间",
                      "终止学期"), clean_beginning, text=True,
               help=_("Left empty: until another standard follows.")),
        Column("valid_from", ("项目启用日期", "启用日期"), partial(clean_date, future=True)),
        Column("valid_to", ("项目停用日期", "停用日期"), partial(clean_date, future=True)),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Group the rows by programme and plan each programme with its standards."""
        return ProgrammePlanner(context).plan(rows)

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Programmes as the importer reads them back, without their standards: those are several to a programme."""
        return [programme_words(programme) for programme in records]

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The programmes that the county may change: its own, and national ones that no other county shares."""
        del school, period
        return listed_programmes(user)
