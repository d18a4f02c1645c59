"""Spreadsheets of payments: what was paid to pupils of a school in a semester."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from aid.models import Payment
from aid.paylist import PaymentPlanner
from povertyaid.imports.resources import Column, Planned, Row, SheetResource, register
from povertyaid.lib.cells import (
    clean_account,
    clean_amount,
    clean_date,
    clean_integer,
    clean_name,
    clean_pupil_number,
    clean_semester,
    clean_text,
)
from students.pupilbook import clean_known_identity

if TYPE_CHECKING:
    from povertyaid.imports.context import ImportContext


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
        Column("school_class", ("班级", "年级班级", "所在班级", "就读班级", "年级(班级)"), partial(clean_text, longest=40),
               text=True, example="2班"),
        Column("name", ("姓名", "学生姓名", "受助学生姓名", "受助学生", "受助人姓名", "幼儿姓名"), clean_name, required=True,
               example="张三"),
        Column("identity", ("身份证号", "身份证号码", "学生身份证号", "学生身份证号码", "身份证件号", "证件号码",
                            "公民身份号码"),
               clean_known_identity, sensitive="identity", text=True, example="18位身份证号码"),
        Column("pupil_number", ("学籍号", "全国学籍号"), clean_pupil_number, sensitive="pupil_number", text=True),
        Column("programme", ("资助项目", "项目名称", "资助项目名称", "补助项目", "项目"), partial(clean_text, longest=60),
               required=True, example="寄宿生生活补助"),
        Column("semester", ("学期", "资助学期", "发放学期"), clean_semester, example="2026年春季学期",
               help=_("Not needed when it stands in the title.")),
        Column("number", ("批次", "发放批次"), partial(clean_integer, least=1, most=99), example="1",
               help=_("Only for a second disbursement of the same programme in a semester.")),
        Column("tier", ("档次", "资助档次", "补助档次"), partial(clean_text, longest=20)),
        Column("standard", ("标准", "资助标准", "补助标准", "发放标准"), clean_amount, example="625"),
        Column("due", ("应发", "应发金额", "应发(元)", "应补金额"), clean_amount, example="625"),
        Column("paid", ("实发", "实发金额", "发放金额", "实发(元)", "金额", "资助金额", "补助金额", "实际发放金额",
                        "到账金额"),
               clean_amount, example="625", help=_("Filled in: the money has arrived.")),
        Column("bank", ("开户行", "开户银行", "银行名称", "银行"), partial(clean_text, longest=60), example="农商银行"),
        Column("account", ("账号", "银行账号", "一卡通账号", "银行卡号", "卡号", "帐号", "收款账号", "一卡通号"),
               clean_account, sensitive="account", text=True, example="银行账号"),
        Column("holder", ("户名", "账户名", "开户人", "持卡人", "账户姓名", "收款人"), partial(clean_text, longest=60),
               example="张大"),
        Column("relation", ("与学生关系", "持卡人与学生关系", "与受助学生关系", "户名与学生关系"),
               partial(clean_text, longest=20), example="父子"),
        Column("paid_on", ("发放日期", "发放时间", "到账日期", "领取日期", "支付日期"), clean_date, example="2026-05-20"),
        Column("note", ("备注",), partial(clean_text, longest=200)),
    )  # fmt: skip

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Match pupil, programme and disbursement of every row and plan the payments."""
        return PaymentPlanner(context).plan(rows)
