"""Basis documents and summaries of the demo county, as its offices would write them."""

from __future__ import annotations

import datetime as dt

from povertyaid.files.models import Document
from povertyaid.lib.periods import Period, half_year_of
from povertyaid.schools.models import School
from reports.demo.places import BUREAU, Places
from reports.models import Summary


def last_half_years(today: dt.date) -> list[Period]:
    """The half-years whose summaries are due: the last two that have ended."""
    now = Period.parse(half_year_of(today))
    return [now.previous().previous(), now.previous()]


def documents(places: Places, today: dt.date) -> dict[str, Document]:
    """Return unsaved documents: the county's by year, one of each school; invented titles and numbers."""
    found = {}
    for year in (today.year - 2, today.year - 1, today.year):
        found[f"county-{year}"] = Document(
            county=places.county,
            title=f"关于做好{year}年家庭经济困难学生认定和资助工作的通知",
            number=f"云教助〔{year}〕7号",
            issuer=BUREAU,
            issued_on=dt.date(year, 2, 18),
        )
    for key, school in places.schools.items():
        if school.site != School.Site.SCHOOL:
            continue
        found[key] = Document(
            county=places.county,
            school=school,
            title=f"{school.name}{today.year}年学生资助和结对帮扶工作方案",
            number=f"{_sign(key)}〔{today.year}〕3号",
            issuer=school.name,
            issued_on=dt.date(today.year, 3, 4),
        )
    return found


def _sign(key: str) -> str:
    return {"central": "青完小发", "junior": "青中发", "kindergarten": "青幼发"}[key]


def summaries(places: Places, papers: dict[str, Document], today: dt.date) -> list[Summary]:
    """Return unsaved summaries of each school and the county for the half-years that have ended."""
    found = []
    for period in last_half_years(today):
        basis = papers[f"county-{period.start.year}"]
        issued = period.end + dt.timedelta(days=6)
        # A teaching point collects; its central school reports for it.
        for school in places.schools.values():
            if school.site != School.Site.SCHOOL:
                continue
            problems, steps = _passages(school, period)
            found.append(
                Summary(
                    county=places.county,
                    school=school,
                    period=period.code,
                    basis=basis,
                    problems=problems,
                    next_steps=steps,
                    issued_on=issued,
                )
            )
        problems, steps = _county_passages(period)
        found.append(
            Summary(
                county=places.county,
                period=period.code,
                basis=basis,
                problems=problems,
                next_steps=steps,
                issued_on=issued + dt.timedelta(days=9),
            )
        )
    return found


def _passages(school: School, period: Period) -> tuple[str, str]:
    """Problems and next steps of a school; every problem has its remedy and a date."""
    pupils, teachers, leader = (
        ("幼儿", "带班教师", "园长") if school.is_kindergarten else ("学生", "班主任", "校长")
    )
    year = period.next().start.year
    if period.start.month == 1:
        problems = [
            f"一是外出务工家长较多，部分{pupils}由祖辈照看，入户家访不易约到监护人。",
            "二是少数家长更换银行卡后未及时告知，补助退回后再次发放，到账推迟。",
        ]
        steps = [
            f"{year}年9月15日前完成资助政策告知和申请受理，10月20日前完成评议、审核、公示和系统录入。",
            f"9月30日前调整教师交流涉及的结对关系，为尚未结对的{pupils}落实帮扶教师，由{teachers}先行家访。",
            "开学第一周逐户核对银行卡，11月底前发放秋季学期补助，12月20日前完成签领和归档。",
            f"利用国庆、寒假返乡时段集中家访，{leader}带头走访特别困难{pupils}家庭。",
        ]
    else:
        problems = [
            f"一是年末新增监测对象家庭的{pupils}建档材料还不齐全。",
            f"二是部分结对教师兼任{teachers}，入户走访集中在期末。",
        ]
        steps = [
            f"{year}年2月底前逐班核对返校情况，3月15日前完成困难认定复核，补齐新增对象档案。",
            "4月10日前完成春季学期补助名单公示，5月底前发放到卡，6月20日前完成签领。",
            f"把家访排进周历，4月底前完成首轮走访，{leader}每月抽查一次结对记录。",
        ]
    return "\n".join(problems), "\n".join(steps)


def _county_passages(period: Period) -> tuple[str, str]:
    year = period.next().start.year
    if period.start.month == 1:
        problems = [
            "一是部分学校签领手续不及时，个别发放批次资料归档滞后。",
            "二是换卡、销户造成银行退回，再次发放周期偏长。",
        ]
        steps = [
            "7月至9月办理生源地信用助学贷款，8月底前完成资助专干业务培训。",
            f"{year}年9月底前完成新学年部门名单比对，10月底前完成认定和公示。",
            "11月底前发放秋季学期补助，12月底前完成发放档案检查和全年统计；退回资金15日内核实补发。",
        ]
    else:
        problems = ["一是新增监测对象信息共享不够及时，个别学生认定晚于开学。"]
        steps = [
            f"{year}年3月底前完成春季学期部门名单比对和困难认定复核。",
            "5月底前发放春季学期补助，6月底前抽查各校签领和归档情况。",
        ]
    return "\n".join(problems), "\n".join(steps)
