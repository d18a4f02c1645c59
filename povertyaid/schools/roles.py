"""The roles, and what each may do: one table, applied by `manage.py sync_roles`, printed in docs/permissions.md.

Scope (which schools, classes and children) is a separate question: povertyaid.schools.scope. A permission never widens
a scope, a scope never grants a permission.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Who somebody is in the office's work (DESIGN §3)."""

    COUNTY_ADMIN = "county_admin", _("County administrator")
    COUNTY_DIRECTOR = "county_director", _("Deputy director in charge")
    COUNTY_CLERK = "county_clerk", _("County clerk")
    PRINCIPAL = "principal", _("Principal (kindergarten head)")
    VICE_PRINCIPAL = "vice_principal", _("Vice-principal in charge")
    CENTRAL_CLERK = "central_clerk", _("Aid clerk of a central school")
    SCHOOL_CLERK = "school_clerk", _("School aid clerk")
    CLASS_TEACHER = "class_teacher", _("Class teacher")
    HELPER = "helper", _("Helper")
    INSPECTOR = "inspector", _("Inspector (read only)")


COUNTY_ROLES = frozenset({Role.COUNTY_ADMIN, Role.COUNTY_DIRECTOR, Role.COUNTY_CLERK})
# The county or a school: an inspector may be sent to either.
EITHER_ROLES = frozenset({Role.INSPECTOR})
# Held by standing at a class or having live pairings, never granted by hand.
DERIVED_ROLES = frozenset({Role.CLASS_TEACHER, Role.HELPER})
# Their scope takes in the sites below a central school.
WITH_SITES_ROLES = frozenset({Role.CENTRAL_CLERK, Role.PRINCIPAL, Role.VICE_PRINCIPAL})

ACTIONS = {
    "v": "view",
    "a": "add",
    "c": "change",
    "d": "delete",
    "i": "import",
    "e": "export",
    "r": "reveal",
    "s": "sign",
}

# The columns: model, then what each role may do in letters of ACTIONS ("" = nothing).
_ORDER = (
    Role.COUNTY_ADMIN, Role.COUNTY_DIRECTOR, Role.COUNTY_CLERK, Role.PRINCIPAL, Role.VICE_PRINCIPAL,
    Role.CENTRAL_CLERK, Role.SCHOOL_CLERK, Role.CLASS_TEACHER, Role.HELPER, Role.INSPECTOR,
)  # fmt: skip
_TABLE: dict[str, tuple[str, ...]] = {
    #                       admin     director clerk      principal vice    central   clerk     teacher  helper  inspector
    "schools.county":       ("vc",    "v",     "v",       "v",      "v",    "v",      "v",      "v",     "v",    "v"),
    "schools.school":       ("vacie", "v",     "vacie",   "v",      "v",    "v",      "v",      "v",     "v",    "v"),
    "schools.schoolclass":  ("vacd",  "v",     "vacd",    "vacd",   "vac",  "vacd",   "vacd",   "v",     "",     "v"),
    "schools.department":   ("vacd",  "v",     "vacd",    "vacd",   "vac",  "vacd",   "vacd",   "",      "",     "v"),
    "schools.staff":        ("vacdie", "v",    "vacdie",  "vace",   "vace", "vacie",  "vacie",  "v",     "v",    "v"),
    "schools.user":         ("vac",   "",      "",        "",       "",     "",       "",       "",      "",     ""),
    "schools.rolegrant":    ("vacd",  "",      "",        "",       "",     "",       "",       "",      "",     ""),
    "audit.change":         ("v",     "",      "",        "",       "",     "",       "",       "",      "",     "v"),
    "audit.accesslog":      ("ve",    "",      "",        "",       "",     "",       "",       "",      "",     "v"),
    "work.work":            ("vc",    "",      "vc",      "v",      "v",    "vc",     "vc",     "",      "",     "v"),
    "files.attachment":     ("v",     "v",     "vacr",    "vacr",   "vacr", "vacr",   "vacr",   "",      "",     "v"),
    "files.document":       ("vacd",  "v",     "vacd",    "vacd",   "vac",  "vacd",   "vacd",   "v",     "",     "v"),
    "imports.importbatch":  ("va",    "",      "va",      "v",      "v",    "va",     "va",     "",      "",     "v"),
    "imports.importrow":    ("v",     "",      "v",       "v",      "v",    "v",      "v",      "",      "",     "v"),
    "imports.savedmapping": ("vacd",  "",      "vacd",    "v",      "v",    "vacd",   "vacd",   "",      "",     "v"),
    "imports.undoentry":    ("v",     "",      "",        "",       "",     "",       "",       "",      "",     ""),
    "imports.returnsheet":  ("va",    "",      "va",      "v",      "v",    "va",     "va",     "",      "",     "v"),
    "households.village":   ("vacdie", "v",    "vacdie",  "v",      "v",    "v",      "v",      "v",     "v",    "v"),
    "households.household": ("ve",    "v",     "vacdier", "vr",     "vr",   "vacier", "vacier", "v",     "v",    "v"),
    "households.member":    ("ve",    "v",     "vacdier", "vr",     "vr",   "vacder", "vacder", "v",     "v",    "v"),
    "households.incomeyear": ("v",    "v",     "vacd",    "v",      "v",    "vacd",   "vacd",   "v",     "v",    "v"),
    "households.assignment": ("v",    "v",     "vacd",    "v",      "v",    "vac",    "vac",    "",      "",     "v"),
    "students.student":     ("ve",    "v",     "vcier",   "vr",     "vr",   "vacier", "vacier", "vc",    "v",    "v"),
    "students.enrolment":   ("ve",    "v",     "vace",    "v",      "v",    "vace",   "vace",   "v",     "v",    "v"),
    "students.recognition": ("ve",    "v",     "vcie",    "v",      "v",    "vacdie", "vacdie", "v",     "v",    "v"),
    "students.specialgroup": ("vac",  "v",     "vac",     "v",      "v",    "v",      "v",      "v",     "v",    "v"),
    "pairings.pairing":     ("ve",    "v",     "vacdie",  "vace",   "vace", "vacdie", "vacdie", "v",     "v",    "v"),
    "pairings.contact":     ("ve",    "v",     "vacdie",  "vac",    "vac",  "vacdie", "vacdie", "vac",   "vac",  "v"),
    "pairings.privatenote": ("",      "",      "",        "",       "",     "",       "",       "vac",   "vac",  ""),
    "aid.programme":        ("vacd",  "v",     "vacdie",  "v",      "v",    "v",      "v",      "v",     "",     "v"),
    "aid.standard":         ("vacd",  "v",     "vacd",    "v",      "v",    "v",      "v",      "v",     "",     "v"),
    "aid.disbursement":     ("ve",    "v",     "vacde",   "v",      "v",    "vacde",  "vacde",  "",      "",     "v"),
    "aid.payment":          ("ve",    "v",     "vacdier", "vr",     "vr",   "vacdier", "vacdier", "v",   "v",    "v"),
    "reports.summary":      ("ve",    "vacse", "vace",    "vacse",  "vace", "vace",   "vace",   "",      "",     "ve"),
}  # fmt: skip

TABLE: dict[Role, dict[str, frozenset[str]]] = {
    role: {model: frozenset(ACTIONS[letter] for letter in cells[column]) for model, cells in _TABLE.items()}
    for column, role in enumerate(_ORDER)
}


def permissions_of(role: Role) -> set[str]:
    """Return the permission strings ("students.view_student") of a role, straight from the table."""
    found = set()
    for label, actions in TABLE[role].items():
        app, model = label.split(".")
        found |= {f"{app}.{action}_{model}" for action in actions}
    return found
