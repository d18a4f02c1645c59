"""Pupils and household members who are the same child find each other by the identity number, however they came in.

Lists of pupils and of households arrive in any order, so that it is done after both. It is derived from what was
imported, and the history tells it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.signals import post_save

from households.models import Member
from povertyaid.audit.services import Update, bulk_write
from povertyaid.imports.hooks import Committed, after_commit
from povertyaid.imports.resources import by_key
from students.models import Enrolment, Student


@after_commit
def link_members(committed: Committed) -> None:
    """Give every imported pupil its household member, and every imported member its pupil, within the county.

    Not by the scope of the account: the school of a child may see the child's household from then on (DESIGN §3), which
    is what the link is for. Who left a household is not linked to it.
    """
    hashes = {student.identity_hash for student in committed.of(Student)}
    hashes |= {member.identity_hash for member in committed.of(Member)}
    hashes.discard("")
    if not hashes:
        return
    # Members first: of a roll of pupils most are in no list of households, and none of those need be read again.
    members = by_key(
        Member.objects.filter(household__county=committed.batch.county, left_on__isnull=True),
        "identity_hash",
        hashes,
    )
    free = Student.objects.filter(member__isnull=True, enrolments__school__county=committed.batch.county)
    students = by_key(free.distinct(), "identity_hash", members)
    taken = by_key(
        Student.objects.only("member_id"), "member_id", [item.pk for key in students for item in members[key]]
    )
    updates = [
        Update(students[key][0], {"member": found[0]})
        for key, found in members.items()
        if key in students and found[0].pk not in taken
    ]
    bulk_write(update=updates, actor=committed.actor, batch_id=committed.batch.pk)


def link_saved(instance: models.Model, **kwargs: Any) -> None:
    """Do the same for one record that was saved in a form."""
    if kwargs.get("raw"):
        return
    if isinstance(instance, Member):
        _link(instance.identity_hash, instance.household.county_id)
    elif isinstance(instance, Enrolment):
        _link(instance.student.identity_hash, instance.school.county_id)


def _link(identity_hash: str, county_id: int) -> None:
    free = Student.objects.filter(identity_hash=identity_hash, member__isnull=True)
    student = free.filter(enrolments__school__county=county_id).first() if identity_hash else None
    if student is None:
        return
    members = Member.objects.filter(identity_hash=identity_hash, left_on__isnull=True, student__isnull=True)
    member = members.filter(household__county=county_id).first()
    if member is not None:
        student.member = member
        student.save()


def connect() -> None:
    """Listen to what forms save; lists are written in bulk, without signals."""
    for model in (Member, Enrolment):
        post_save.connect(link_saved, sender=model, dispatch_uid=f"link-{model._meta.label}")
