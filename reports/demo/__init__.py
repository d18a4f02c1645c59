"""An invented county for trying the software: everybody and everything in it is made up.

The same seed and day give the same county. Years are counted back from today, so that the present one is always filled.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from pairings.models import Contact, PrivateNote
from povertyaid.audit.services import Link, Update, bulk_write
from povertyaid.lib import periods
from povertyaid.schools.models import County, User
from reports.demo import accounts, giving, helping, papers, people, places
from reports.demo.invention import Invention
from students.models import SpecialGroup

SEED = 20260901
SEMESTERS = 5
REASON = "demo county"
NOTE = "愿意说起在外打工的父母，约好每两周谈一次。"


@transaction.atomic
def build(county: County, today: dt.date, actor: User) -> None:
    """Write two years of records for a county that has none; all or nothing."""
    invention = Invention(SEED)
    school_year = periods.school_year_of(today)
    now = periods.semester_of(today)
    semesters = [periods.shift_semester(now, step) for step in range(1 - SEMESTERS, 1)]
    laid = places.lay_out(county, school_year, invention)
    folk = people.settle(laid, today, school_year, invention)
    helped = helping.Help(laid, folk, semesters, today, invention)
    helped.record()
    given = giving.Giving(laid, folk, helped, today, invention)
    given.give(semesters)
    documents = papers.documents(laid, today)

    groups = {group.code: group for group in SpecialGroup.objects.all()}
    links = []
    for record, codes in zip(helped.recognitions, helped.groups, strict=True):
        record.primary_group = groups[codes[0]] if codes else None
        links.append(Link(record, "special_groups", [groups[code] for code in codes]))
    schools = list(laid.schools.values())
    bulk_write(
        create=[
            # The central school before the teaching point below it.
            *(school for school in schools if school.central_school is None),
        ],
        actor=actor,
        reason=REASON,
    )
    bulk_write(
        create=[
            *(school for school in schools if school.central_school is not None),
            *laid.departments,
            *(person for staff in laid.staff.values() for person in staff),
            *laid.bureau,
            *(school_class for classes in laid.classes.values() for school_class in classes),
            *laid.villages,
            *folk.households,
            *folk.members,
            *folk.incomes,
            *folk.assignments,
            *(pupil.student for pupil in folk.pupils),
            *(enrolment for pupil in folk.pupils for enrolment in pupil.enrolments),
            *helped.recognitions,
            *helped.pairings,
            *helped.contacts,
            *given.disbursements,
            *given.payments,
            *documents.values(),
            *papers.summaries(laid, documents, today),
        ],
        links=links,
        actor=actor,
        reason=REASON,
    )
    users = accounts.open_accounts(laid)
    _note(laid, helped, users["helper"], actor)


def _note(laid: places.Places, helped: helping.Help, author: User, actor: User) -> None:
    """One private note, so that the helper can see what nobody else sees."""
    pairing = accounts.caseload_first(laid, helped.pairings)
    contact = next((item for item in helped.contacts if item.pairing is pairing), None)
    if contact is not None:
        bulk_write(
            update=[Update(contact, {"kind": Contact.Kind.COUNSELLING, "purpose": ""})],
            create=[PrivateNote(contact=contact, author=author, text=NOTE)],
            actor=actor,
            reason=REASON,
        )
