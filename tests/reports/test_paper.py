"""What the paper says: sentences, nil forms, numbering, kindergarten, county, money, punctuation, the PDF."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from aid.models import Payment
from povertyaid.lib.periods import Period
from povertyaid.schools.models import County, School, SchoolStage
from reports.indicators import Target
from reports.models import Summary
from reports.paper import OwnText, Paper
from reports.words import (
    date_range,
    deadline,
    numeral,
    own_paragraphs,
    period_words,
    plain,
    unbroken,
)
from students.models import Recognition
from tests import factories, personas
from tests.reports import hand
from tests.reports.checker import mistakes
from tests.reports.hand import PERIOD, Hand

pytestmark = pytest.mark.django_db
H1 = Period(PERIOD)


def sections(paper: Paper) -> dict[str, str]:
    """Heading and text of each section."""
    return {item["heading"]: item["text"] for item in paper.json()["sections"]}


def whole(paper: Paper) -> str:
    """All that is printed, as text."""
    html = paper.html(printing=True)
    return plain(html[html.index("<body") :])


def school_paper(counted: Hand, **own: object) -> Paper:
    return Paper(Target(counted.school.county, counted.school), H1, OwnText(**own))  # type: ignore[arg-type]


# Sentences


def test_a_school_tells_what_the_records_say(paper: Summary) -> None:
    """Every sentence of the hand-counted school."""
    told = sections(Paper.of(paper))
    assert told == {
        "一、摸底建档": (
            "现有家庭经济困难学生4人，其中特别困难1人、困难2人、一般困难1人；寄宿生2人，留守儿童1人；比上学期新增1人，"
            "退出1人。按年级和统计类别的分布见附件3。\n"
            "登记建档家庭2户、3人，其中脱贫户1户、监测对象1户；家庭成员中有在校学生1人。"
        ),
        "二、结对帮扶": (
            "3名教职工与2名学生、1户家庭结对，其中学校领导和处室负责人结对学生1人。"
            "现有家庭经济困难学生中，2人已落实帮扶教师，2人尚未落实。\n"
            "上半年家访3次，到访家庭经济困难学生2人；谈心谈话1人次，学业辅导1人次。"
            "结对和帮扶活动的明细统计见附件2。"
        ),
        "三、资助发放": (
            "2026年春季学期资助学生2人、3人次，发放资金1562.5元。其中，寄宿生生活补助2人、1250元，"
            "非寄宿生生活补助1人、312.5元。同一学生享受多个项目的，人数只计一次。"
            "各项目和各类别学生的受助情况见附件1。\n"
            "监护人已签领1笔，未签领2笔；银行退回尚未补发1笔；待发1笔。\n"
            "另补发以前学期资金1笔、500元，不计入以上数字。另向1户家庭发放2000元，不计入以上数字。"
        ),
        "四、存在问题": (
            "一是2名家庭经济困难学生尚未落实帮扶教师。二是2名家庭经济困难学生没有家访记录。三是1笔资金尚未发放。"
            "四是1笔资金被银行退回，尚未补发。五是2笔资金已到账，尚未登记签领。\n"
            "六是档案柜不够用。"
        ),
        "五、下半年打算": (
            "（一）9月底前完成新学年家庭经济困难学生认定。\n"
            "（二）10月前完成档案整理。\n"
            "（三）2026年秋季学期开学后一个月内，为2名学生落实帮扶教师；完成2名学生的家访；完成1笔资金的发放；"
            "核对银行卡信息，补发退回资金1笔；完成2笔资金的签领登记。"
        ),
    }


def test_the_opening_names_basis_calendars_and_the_day_of_the_data(counted: Hand) -> None:
    basis = "《关于做好认定工作的通知》（云教助〔2026〕7号）"
    paper = school_paper(counted, basis=basis, issued_on=dt.date(2026, 7, 5))
    opening = plain(str(paper.context()["opening"]))
    today = paper.context()["cutoff"]
    assert opening == (
        f"2026年上半年，我校按照{basis}和县教育局年度工作安排，开展家庭经济困难学生认定、结对帮扶和资助工作。"
        "活动按2026年1月1日至6月30日统计，认定和资助按2026年春季学期（2025—2026学年第二学期）统计，"
        f"数据截至{today}。"
    )
    assert paper.context()["signature_date"] == "2026年7月5日"


def test_the_county_speaks_of_its_own(county_paper: Summary) -> None:
    """Own order, run-in headings, 全县; the table of schools."""
    paper = Paper.of(county_paper)
    told = sections(paper)
    assert list(told) == [
        "一、摸清底数",
        "二、资助落实",
        "三、结对帮扶",
        "四、定点帮扶",
        "五、存在问题",
        "六、下半年工作",
    ]
    assert told["一、摸清底数"].startswith("全县现有家庭经济困难学生8人，其中特别困难2人、困难4人、一般困难2人")
    assert told["四、定点帮扶"] == "2名干部联系2个村2户家庭，其中不足2名帮扶责任人的2户。"
    assert "2户结对家庭不足2名帮扶责任人" in told["五、存在问题"]
    html = paper.html(printing=True)
    assert '<p><span class="run-in">一、摸清底数。</span>' in html
    assert "<h2>" not in html
    assert "云岭县第三初级中学" in html
    assert paper.title == "云岭县教育局2026年上半年扶贫帮困工作总结"
    assert mistakes(whole(paper)) == []


def test_a_kindergarten_has_children_and_no_lessons(county: County) -> None:
    """幼儿, 我园; no tutoring, no boarders; nothing says 学生 but the fixed words of the table of groups."""
    kindergarten = personas.make_school(county, SchoolStage.PRESCHOOL, "云岭县机关幼儿园")
    hand.make(kindergarten)
    paper = Paper(Target(county, kindergarten), H1)
    text = whole(paper)
    assert "我园" in text
    assert "现有家庭经济困难幼儿4人" in text
    assert "园领导结对幼儿1人" in text
    assert "谈心谈话1人次。" in text
    body = "\n".join(sections(paper).values())
    for word in ("学生", "我校", "学业辅导", "校长"):
        assert word not in body
    assert mistakes(text) == []


# Nil


def test_a_school_without_records_has_an_opening_and_nothing_else(school: School) -> None:
    """Empty sections go, heading and all."""
    paper = Paper(Target(school.county, school), Period("2025-2026"))
    assert sections(paper) == {}
    assert paper.context()["attachment_titles"] == []
    text = whole(paper)
    assert "2025—2026学年，我校按照县教育局年度工作安排" in text
    assert "一、" not in text
    assert mistakes(text) == []


def test_numbers_close_up_when_a_section_is_empty(school: School) -> None:
    """Only pairings, and a plan."""
    pupil = factories.StudentFactory()
    helper = factories.StaffFactory(school=school)
    factories.PairingFactory(helper=helper, student=pupil, start_on=dt.date(2026, 3, 1))
    paper = Paper(Target(school.county, school), H1, OwnText(next_steps="继续结对"))
    assert sections(paper) == {
        "一、结对帮扶": "1名教职工与1名学生结对。",
        "二、下半年打算": "（一）继续结对。",
    }
    assert paper.context()["attachment_titles"] == ["2026年上半年结对帮扶情况统计表"]
    assert '<p class="attachment-mark">附件</p>' in paper.html(printing=True)


def test_all_is_said_only_when_the_counts_prove_it(school: School) -> None:
    """均已落实, 均已签领, 均为 one level; then the same with one left."""
    classes = factories.SchoolClassFactory(school=school, entry_year=2022)
    helper = factories.StaffFactory(school=school)
    batch = factories.DisbursementFactory(
        school=school, semester=hand.SPRING, programme=hand.programme("meals", "营养改善补助")
    )
    for _number in range(2):
        pupil = factories.enrolled(classes)
        hand.recognise(pupil, classes, hand.SPRING, Recognition.Level.HARD)
        factories.PairingFactory(helper=helper, student=pupil, start_on=dt.date(2026, 3, 1))
        factories.PaymentFactory(disbursement=batch, student=pupil, state=Payment.State.SIGNED)
    told = "\n".join(sections(Paper(Target(school.county, school), H1)).values())
    assert "现有家庭经济困难学生2人，认定等级均为困难。" in told
    assert "现有家庭经济困难学生均已落实帮扶教师。" in told
    assert "已到账的2笔资金，监护人均已签领。" in told
    assert "资助学生2人、2人次，发放资金625元。资助项目为营养改善补助。" in told
    assert "人数只计一次" not in told
    assert "比上学期" not in told
    left = factories.enrolled(classes)
    hand.recognise(left, classes, hand.SPRING, Recognition.Level.HARD)
    factories.PaymentFactory(disbursement=batch, student=left)
    told = "\n".join(sections(Paper(Target(school.county, school), H1)).values())
    assert "2人已落实帮扶教师，1人尚未落实。" in told
    assert "监护人已签领2笔，未签领1笔。" in told
    assert mistakes(told) == []


def test_goods_and_waivers_are_not_called_money(school: School) -> None:
    """Each form under its own name; sources and stages where there are several."""
    for number, (form, source) in enumerate((("cash", "national"), ("goods", "society"), ("waiver", "school"))):
        kind = factories.ProgrammeFactory(
            code=f"form_{form}", name=f"项目{number}", form=form, source=source, position=number
        )
        batch = factories.DisbursementFactory(school=school, semester=hand.SPRING, programme=kind)
        factories.PaymentFactory(disbursement=batch, due=Decimal(100 * (number + 1)))
    told = sections(Paper(Target(school.county, school), H1))["一、资助发放"]
    assert "合计600元，其中资金100元，物资折价200元，减免300元。" in told
    assert "按来源分，国家资助100元，学校资助300元，社会资助200元。" in told


def test_money_from_ten_thousand_on_has_two_places_and_the_attachment_the_exact_sum(school: School) -> None:
    """9999.5元 stays, 10000 becomes 1.00万元; the table has four places and the yuan below."""
    batch = factories.DisbursementFactory(school=school, semester=hand.SPRING)
    payment = factories.PaymentFactory(disbursement=batch, due=Decimal("9999.50"))
    assert "发放资金9999.5元" in whole(Paper(Target(school.county, school), H1))
    payment.paid = Decimal("12345.50")
    payment.save()
    text = whole(Paper(Target(school.county, school), H1))
    assert "发放资金1.23万元" in text
    assert "1.2346" in text
    assert "合计12345.50元" in text


# Words


def test_own_text_is_numbered_by_the_paper() -> None:
    """Numbers, brackets and missing stops that people type are put right; figures at the start stay."""
    text = "1. 完成认定\n（二）加强家访；\n\n 三是补齐档案。\n四、建账\n2026年9月开会\n3.5万元到位"
    assert own_paragraphs(text) == [
        "完成认定。",
        "加强家访；",
        "补齐档案。",
        "建账。",
        "2026年9月开会。",
        "3.5万元到位。",
    ]


def test_own_text_is_escaped(school: School) -> None:
    """What somebody types cannot become markup."""
    own = OwnText(next_steps="<script>alert(1)</script>", problems="<b>", basis="《<i>》")
    html = Paper(Target(school.county, school), H1, own).html()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html


@pytest.mark.parametrize(
    ("code", "county", "words"),
    [
        ("2026H1", False, ("上半年", "上学期", "下半年打算")),
        ("2026H2", False, ("下半年", "上学期", "明年打算")),
        ("2026", False, ("全年", "上年末", "明年打算")),
        ("2025-2026-2", False, ("本学期", "上学期", "下学期打算")),
        ("2025-2026", False, ("本学年", "上学年末", "下学年打算")),
        ("2026H1", True, ("上半年", "上学期", "下半年工作")),
    ],
)
def test_periods_have_their_words(code: str, county: bool, words: tuple[str, str, str]) -> None:
    told = period_words(Period(code), county=county)
    assert (told.this, told.before, told.plans) == words


def test_dates_and_numerals_are_written_as_papers_do() -> None:
    assert date_range(dt.date(2025, 9, 1), dt.date(2026, 1, 31)) == "2025年9月1日至2026年1月31日"
    assert deadline(Period("2026H1")) == "2026年秋季学期开学后一个月内"
    assert deadline(Period("2025-2026-1")) == "2026年春季学期开学后一个月内"
    assert [numeral(number) for number in (1, 10, 11, 20, 21, 99)] == ["一", "十", "十一", "二十", "二十一", "九十九"]
    assert unbroken('<a href="/12人/">1.23万元</a>，2026年') == (
        '<a href="/12人/"><span class="nb">1.23万元</span></a>，<span class="nb">2026年</span>'
    )


@pytest.mark.parametrize("code", ["2026H1", "2026H2", "2025H2", "2026", "2025-2026-2", "2025-2026"])
def test_no_mistake_of_outsiders_in_any_period(counted: Hand, code: str) -> None:
    """The checker over every passage and table, for school and county."""
    for target in (Target(counted.school.county, counted.school), Target(counted.school.county)):
        paper = Paper(target, Period(code), OwnText(problems="场地不足", next_steps="继续努力"))
        assert mistakes(whole(paper)) == []


def test_the_checker_sees_mistakes() -> None:
    """It must not be blind."""
    wrong = "共0件,约312.50元。2026-07-05 受助12345元，，贫困生1.234万元None"
    assert len(mistakes(wrong)) >= 8


def test_the_paper_names_no_pupil(counted: Hand) -> None:
    """Nor any number of theirs."""
    text = whole(school_paper(counted))
    for pupil in counted.pupils.values():
        assert pupil.name not in text
        assert pupil.identity.clear not in text


def test_each_figure_stands_with_its_unit(counted: Hand) -> None:
    """No figure of the text can part from its unit at the line's end."""
    html = school_paper(counted).html(printing=True)
    text = html[html.index("<h2>") : html.index('class="attachment-list')]
    outside = re.sub(r'<(a|span) class="[^"]*nb[^"]*"[^>]*>[^<]*(?:<span class="nb">[^<]*</span>)?[^<]*</\1>', "", text)
    assert not re.search(r"\d", re.sub(r"<[^>]*>", "", outside))


# PDF, HTML, JSON


def test_the_pdf_says_what_the_page_says(paper: Summary) -> None:
    """Text of all pages, title, language; no None, no missing part."""
    made = Paper.of(paper)
    reader = PdfReader(BytesIO(made.pdf()))
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))
    for heading, body in sections(made).items():
        assert heading in text
        for line in body.splitlines():
            # A page number may stand inside a paragraph that goes over the page.
            assert line[:20] in text
    assert "None" not in text
    assert "附件1" in text
    assert "2026年春季学期学生资助情况统计表" in text
    assert reader.metadata is not None
    assert reader.metadata.title == made.title
    assert 4 <= len(reader.pages) <= 6


def test_the_html_file_needs_no_server(paper: Summary) -> None:
    """The stylesheet stands inside; no link leads anywhere."""
    html = Paper.of(paper).standalone_html()
    assert "<style>" in html
    assert "@page" in html
    assert "<link" not in html
    assert "href=" not in html
    assert "<script" not in html


def test_json_has_figures_as_numbers_and_money_as_text(paper: Summary) -> None:
    content = Paper.of(paper).json()
    assert list(content) == ["scope", "period", "figures", "sections", "data_time", "digest"]
    assert content["scope"] == {"kind": "school", "code": paper.school.code, "name": "青石坳中心完小"}  # type: ignore[union-attr]
    assert content["period"] == PERIOD
    figures = content["figures"]
    assert figures["recognised_pupils"] == {
        "label": "家庭经济困难学生",
        "value": 4,
        "unit": "人",
        "breakdowns": {
            "level": {"特别困难": 1, "困难": 2, "一般困难": 1},
            "grade": {"四年级": 2, "五年级": 2},
            "primary_group": {"脱贫家庭": 3, "未填统计类别": 1},
        },
    }
    assert figures["aid_amount"]["value"] == "1562.50"
    assert figures["aid_amount"]["breakdowns"]["programme"] == {
        "寄宿生生活补助": "1250.00",
        "非寄宿生生活补助": "312.50",
    }
    assert figures["coverage"]["value"] == "50.0"


def test_the_digest_follows_the_content_and_not_the_time(paper: Summary) -> None:
    first, second = Paper.of(paper).json(), Paper.of(paper).json()
    assert first["data_time"] != second["data_time"]
    assert first["digest"] == second["digest"]
    paper.next_steps = "另作打算。"
    assert Paper.of(paper).json()["digest"] != first["digest"]
    Payment.objects.filter(state=Payment.State.SIGNED).first().move(Payment.State.RECOVERED)  # type: ignore[union-attr]
    paper.refresh_from_db()
    assert Paper.of(paper).json()["digest"] != first["digest"]


def test_a_long_title_stands_on_two_lines(school: School, county: County) -> None:
    assert Paper(Target(county, school), H1).title_lines == ["青石坳中心完小", "2026年上半年扶贫帮困工作总结"]
    assert Paper(Target(county), Period("2026")).title_lines == ["云岭县教育局2026年扶贫帮困工作总结"]
