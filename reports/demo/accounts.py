"""One account for each role in the demo county. They are marked: a production server refuses to start beside them."""

from __future__ import annotations

from dataclasses import dataclass

from pairings.models import Pairing
from povertyaid.schools.models import RoleGrant, Staff, User
from povertyaid.schools.roles import COUNTY_ROLES, Role
from reports.demo.places import Places

PASSWORD = "Yunling-Demo-1"  # noqa: S105 - printed at every start, of accounts that exist only in a demo


@dataclass(frozen=True)
class DemoAccount:
    """An account: its name, its role, and whose it is (`place` is a school's key or "bureau", `number` who of them)."""

    username: str
    role: Role
    place: str
    number: int


ACCOUNTS = (
    DemoAccount("admin", Role.COUNTY_ADMIN, "bureau", 0),
    DemoAccount("director", Role.COUNTY_DIRECTOR, "bureau", 1),
    DemoAccount("bureau", Role.COUNTY_CLERK, "bureau", 3),
    DemoAccount("inspector", Role.INSPECTOR, "bureau", 4),
    DemoAccount("principal", Role.PRINCIPAL, "central", 0),
    DemoAccount("vice", Role.VICE_PRINCIPAL, "central", 1),
    DemoAccount("central", Role.CENTRAL_CLERK, "central", 4),
    DemoAccount("clerk", Role.SCHOOL_CLERK, "junior", 3),
    DemoAccount("teacher", Role.CLASS_TEACHER, "central", -1),
    DemoAccount("helper", Role.HELPER, "central", 5),
)


def holder(places: Places, account: DemoAccount) -> Staff:
    """Return the person who holds an account."""
    people = places.bureau if account.place == "bureau" else places.staff[account.place]
    return people[account.number]


def open_accounts(places: Places) -> dict[str, User]:
    """Make the accounts and their roles; teachers and helpers have theirs by what they do."""
    users = {}
    for account in ACCOUNTS:
        user = User(username=account.username, is_demo=True)
        user.set_password(PASSWORD)
        user.save()
        users[account.username] = user
        person = holder(places, account)
        person.account = user
        person.save()
        if account.role in {Role.CLASS_TEACHER, Role.HELPER}:
            continue
        grant = RoleGrant(user=user, role=account.role)
        if account.role in COUNTY_ROLES or account.place == "bureau":
            grant.county = places.county
        else:
            grant.school = places.schools[account.place]
        grant.save()
    return users


def caseload_first(places: Places, pairings: list[Pairing]) -> Pairing | None:
    """Return a live pairing of the demo helper, for its private note."""
    person = holder(places, next(account for account in ACCOUNTS if account.username == "helper"))
    for pairing in pairings:
        if pairing.helper is person and pairing.state == Pairing.State.ACTIVE:
            return pairing
    return None


def table(users: list[User]) -> list[tuple[str, str, str]]:
    """Return account, role and place of each demo account, in the order of ACCOUNTS."""
    known = {user.username: user for user in users}
    rows = []
    for account in ACCOUNTS:
        user = known.get(account.username)
        if user is None:
            continue
        person = Staff.objects.visible_to(user).select_related("school").filter(account=user).first()
        place = (
            str(person.school) if person is not None and person.school else (person.office if person else "")
        )
        rows.append((account.username, str(account.role.label), place))
    return rows
