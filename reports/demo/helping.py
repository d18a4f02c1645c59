"""Recognition of pupils in hardship, their pairings, and what was done in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

from pairings.models import Contact, Pairing
from povertyaid.lib import periods
from povertyaid.schools.models import SchoolClass, Staff
from reports.demo.invention import Invention
from reports.demo.people import People, Pupil
from reports.demo.places import Places
from students.models import Enrolment, Recognition

UNPAIRED_SHARE = 0.05
# How far this semester's recognition has come.
_LATEST_STATES = {"filed": 50, "recognised": 36, "notice": 8, "class_review": 4, "declined": 2}
PAIRED_HOUSEHOLDS = 24
_MEASURES = (
    "每月谈心一次，每学期家访一次，帮助改正作业。",
    "课后辅导语文、数学，关注出勤，每学期家访一次。",
    "周末通电话，了解在校和在家情况；协助申请资助。",
    "指导阅读和书写，关心住校生活，开学前核对银行卡。",
    "心理疏导，与外出务工的父母保持联系。",
)
_PURPOSES = {
    Contact.Kind.TALK: ("了解近期学习", "期中成绩分析", "同学相处", "住校生活", "开学适应"),
    Contact.Kind.HOME_VISIT: ("了解家庭情况", "核对资助信息", "政策宣传", "反馈在校表现", "商议帮扶措施"),
    Contact.Kind.TUTORING: ("数学计算", "语文阅读", "英语单词", "作文修改"),
    Contact.Kind.COUNSELLING: ("情绪疏导",),
    Contact.Kind.COMFORT_VISIT: ("春节前慰问", "节日慰问"),
    Contact.Kind.RETURN_VISIT: ("资助到账回访", "帮扶效果回访"),
}
_FOLLOW_UPS = ("", "", "", "提醒家长按时签领。", "下月再访。", "与任课教师沟通辅导安排。", "协助更换银行卡。")
_MINUTES = {
    Contact.Kind.TALK: (15, 20, 30), Contact.Kind.HOME_VISIT: (40, 50, 60, 90), Contact.Kind.TUTORING: (30, 40, 60),
    Contact.Kind.COUNSELLING: (30, 40), Contact.Kind.COMFORT_VISIT: (30, 40), Contact.Kind.RETURN_VISIT: (15, 20),
}  # fmt: skip


@dataclass
class Help:
    """Two years of recognition, pairings and contacts, unsaved; `groups` are the codes that each recognition holds."""

    places: Places
    people: People
    semesters: list[str]
    today: dt.date
    invention: Invention
    recognitions: list[Recognition] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    pairings: list[Pairing] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    # Who was recognised in a semester, in force, with the enrolment of that time.
    recognised: dict[str, list[tuple[Pupil, Enrolment, Recognition]]] = field(default_factory=dict)

    def record(self) -> None:
        """Record everything; called once."""
        for pupil in self.people.pupils:
            if pupil.groups is not None:
                self._recognise(pupil)
        self._helpers = {key: cycle(staff) for key, staff in self.places.staff.items()}
        self._keys = {school.code: key for key, school in self.places.schools.items()}
        for pupil in self.people.pupils:
            if pupil.groups is not None:
                self._pair(pupil)
        self._pair_households()

    @property
    def first_day(self) -> dt.date:
        """The first day that records tell of."""
        return periods.semester_dates(self.semesters[0])[0]

    def _recognise(self, pupil: Pupil) -> None:
        level = self.invention.weighted({"special": 20, "hard": 35, "general": 45})
        begin = self.invention.weighted({0: 70, 1: 8, 2: 10, 3: 6, 4: 6})
        leave = (
            self.invention.random.randint(begin + 1, 4) if begin < 4 and self.invention.chance(0.07) else None
        )
        for place, semester in enumerate(self.semesters):
            day = reference_day(semester, self.today)
            enrolment = pupil.enrolment_at(day)
            if place < begin or enrolment is None:
                continue
            state = Recognition.State.FILED
            if semester == self.semesters[-1]:
                state = Recognition.State(self.invention.weighted(_LATEST_STATES))
            if leave is not None and place == leave:
                state = Recognition.State.EXITED
            if self.invention.chance(0.06):
                level = self.invention.weighted({"special": 20, "hard": 40, "general": 40})
            groups = pupil.groups or ()
            record = Recognition(
                student=pupil.student,
                school=enrolment.school,
                school_class=enrolment.school_class,
                semester=semester,
                level=level,
                state=state,
            )
            self.recognitions.append(record)
            self.groups.append(groups)
            if state in Recognition.IN_FORCE:
                self.recognised.setdefault(semester, []).append((pupil, enrolment, record))
            if leave is not None and place >= leave:
                return

    def _pair(self, pupil: Pupil) -> None:
        """Pair a pupil with somebody of each school that it went to in the two years."""
        first = self.first_day
        for enrolment in reversed(pupil.enrolments):
            ended = enrolment.end_on
            if ended is not None and ended < first:
                continue
            if ended is None and self.invention.chance(UNPAIRED_SHARE):
                continue
            start = max(enrolment.start_on or first, first) + dt.timedelta(
                days=self.invention.random.randint(8, 30)
            )
            if start > self.today:
                continue
            key = self._keys[enrolment.school.code]
            helper = self._helper(enrolment.school_class, self._helpers[key])
            pairing = Pairing(
                helper=helper,
                student=pupil.student,
                county=self.places.county,
                school=enrolment.school,
                start_on=start,
                measures=self.invention.pick(_MEASURES),
            )
            if ended is not None:
                pairing.state, pairing.end_on = Pairing.State.ENDED, max(ended, start)
                moved = enrolment.state == Enrolment.State.TRANSFERRED
                pairing.end_reason = Pairing.EndReason.TRANSFERRED if moved else Pairing.EndReason.GRADUATED
            self.pairings.append(pairing)
            self._contacts(pairing, kindergarten=key == "kindergarten")

    def _helper(self, school_class: SchoolClass | None, others: Iterator[Staff]) -> Staff:
        """The class teacher often, else the next colleague."""
        if school_class is not None and school_class.teacher is not None and self.invention.chance(0.35):
            return school_class.teacher
        return next(others)

    def _contacts(self, pairing: Pairing, *, kindergarten: bool) -> None:
        """What a helper did, semester by semester, from the pairing's start until its end or today."""
        last = min(pairing.end_on or self.today, self.today)
        semester = periods.semester_of(pairing.start_on)
        while periods.semester_dates(semester)[0] <= last:
            start, end = periods.semester_dates(semester)
            # Until the holidays begin.
            lessons_end = dt.date(end.year, 1, 15) if end.month == 1 else dt.date(end.year, 7, 5)
            begin, close = max(start, pairing.start_on), min(lessons_end, last)
            kinds: list[Contact.Kind] = [Contact.Kind.HOME_VISIT] if self.invention.chance(0.86) else []
            kinds += [Contact.Kind.TALK] * self.invention.weighted({0: 1, 1: 4, 2: 5, 3: 2})
            if not kindergarten:
                kinds += [Contact.Kind.TUTORING] * self.invention.weighted({0: 5, 1: 3, 2: 2})
                kinds += [Contact.Kind.COUNSELLING] * self.invention.weighted({0: 9, 1: 1})
            kinds += [Contact.Kind.RETURN_VISIT] * self.invention.weighted({0: 9, 1: 1})
            for kind in kinds:
                if begin < close:
                    visit = kind in {Contact.Kind.HOME_VISIT, Contact.Kind.RETURN_VISIT}
                    self.contacts.append(
                        self._contact(pairing, kind, self.invention.day(begin, close, school_day=not visit))
                    )
            winter = dt.date(end.year, 1, 20)
            if start < winter <= end and begin <= winter <= last and self.invention.chance(0.18):
                day = self.invention.day(winter, min(winter + dt.timedelta(days=9), last))
                self.contacts.append(self._contact(pairing, Contact.Kind.COMFORT_VISIT, day))
            semester = periods.shift_semester(semester, 1)

    def _contact(self, pairing: Pairing, kind: Contact.Kind, day: dt.date) -> Contact:
        at_home = kind in {Contact.Kind.HOME_VISIT, Contact.Kind.COMFORT_VISIT, Contact.Kind.RETURN_VISIT}
        form = Contact.Form.IN_PERSON
        if kind == Contact.Kind.RETURN_VISIT:
            form = Contact.Form(self.invention.weighted({"in_person": 3, "telephone": 7}))
        elif kind == Contact.Kind.HOME_VISIT and self.invention.chance(0.06):
            form = Contact.Form.VIDEO
        return Contact(
            pairing=pairing,
            kind=kind,
            date=day,
            form=form,
            minutes=self.invention.pick(_MINUTES[kind]),
            present=self.invention.pick(("父亲", "母亲", "祖父母", "祖母", "监护人")) if at_home else "",
            purpose=self.invention.pick(_PURPOSES[kind]),
            follow_up=self.invention.pick(_FOLLOW_UPS),
        )

    def _pair_households(self) -> None:
        """Pair registered households with people of the bureau and of the junior school."""
        registered = [household for household in self.people.households if household.number]
        helpers = cycle([*self.places.bureau[1:4], *self.places.staff["junior"][:3]])
        for household in self.invention.random.sample(registered, PAIRED_HOUSEHOLDS):
            helper = next(helpers)
            pairing = Pairing(
                helper=helper,
                household=household,
                county=self.places.county,
                school=helper.school,
                start_on=self.first_day + dt.timedelta(days=self.invention.random.randint(20, 60)),
                measures="每季度走访一次，协助落实产业和就学帮扶措施。",
            )
            self.pairings.append(pairing)
            day = pairing.start_on + dt.timedelta(days=self.invention.random.randint(5, 40))
            while day <= self.today:
                kind = Contact.Kind.COMFORT_VISIT if day.month == 1 else Contact.Kind.HOME_VISIT
                self.contacts.append(self._contact(pairing, kind, day))
                day += dt.timedelta(days=self.invention.random.randint(70, 110))


def reference_day(semester: str, today: dt.date) -> dt.date:
    """A day in the middle of a semester, or today while it runs."""
    start, end = periods.semester_dates(semester)
    return min(start + dt.timedelta(days=(end - start).days // 2 - 10), max(today, start))
