"""Whether a table is one of the kind that was chosen, or plainly another kind's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.context import ImportRefusedError
from povertyaid.imports.resources import SheetResource, kinds
from povertyaid.lib.sheets.headers import match_columns
from povertyaid.lib.sheets.layout import Table, find_tables
from povertyaid.lib.sheets.model import Workbook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from povertyaid.imports.engine import Plan

_SHOWN_COLUMNS = 12
_LOOKED_AT = 60
# A table is another kind's when the chosen one understands less than this share of its headers …
_OWN_SHARE = 0.6
# … and the other kind this many times as many.
_RIVAL_FACTOR = 1.5


def top_of(workbook: Workbook) -> Workbook:
    """The first rows of every sheet: the headers stand there, and the records below need not be read to know them."""
    sheets = [replace(sheet, rows=sheet.rows[:_LOOKED_AT]) for sheet in workbook.sheets]
    return Workbook(workbook.kind, workbook.encoding, sheets)


def headers_of(resource: SheetResource) -> str:
    """The published headers for a message: those that must be there first, twelve at most."""
    columns = sorted(resource.columns, key=lambda column: not (column.required or column.header_required))
    return "、".join(column.header for column in columns[:_SHOWN_COLUMNS])


def check_tables(plan: Plan, workbook: Workbook, constants: Mapping[str, str], *, chosen: bool) -> None:
    """ImportRefusedError unless there is a table with one header of each group and none twice.

    What a person chose for a sheet is not doubted.
    """
    resource = plan.resource
    if not plan.tables:
        other = fitting_kind(workbook, but=resource)
        if other is not None:
            raise _wrong_kind(resource, other)
        if len(plan.skipped) == 1:
            raise ImportRefusedError(
                "no_table",
                _("%(why)s Expected for “%(kind)s” are the headers %(headers)s."),
                {"why": plan.skipped[0].message, "kind": resource.label, "headers": headers_of(resource)},
            )
        raise ImportRefusedError(
            "no_table",
            _(
                "No sheet has a table with the headers of “%(kind)s”: %(headers)s. Check that it is the right list."
            ),
            {"kind": resource.label, "headers": headers_of(resource)},
        )
    for table in plan.tables:
        other = None if chosen else rival_kind(table, resource)
        present = {header.key for header in table.headers} | set(constants)
        missing = [group for group in resource.one_of if not present & set(group)]
        if other is not None:
            raise _wrong_kind(resource, other)
        for group in missing:
            raise ImportRefusedError(
                "columns",
                _("The sheet “%(sheet)s” needs one of the columns %(headers)s."),
                {"sheet": table.sheet, "headers": "、".join(resource.by(key).header for key in group)},
            )
        for _index, key in table.duplicates:
            raise ImportRefusedError(
                "duplicate_column",
                _("The sheet “%(sheet)s” has two columns for “%(header)s”. Remove one or change its header."),
                {"sheet": table.sheet, "header": resource.by(key).header},
            )


def _wrong_kind(resource: SheetResource, other: SheetResource) -> ImportRefusedError:
    return ImportRefusedError(
        "wrong_kind",
        _(
            "This is no list of the kind “%(kind)s”: expected are the headers %(headers)s. "
            "It looks like “%(other)s”."
        ),
        {"kind": resource.label, "headers": headers_of(resource), "other": other.label},
    )


def rival_kind(table: Table, resource: SheetResource) -> SheetResource | None:
    """Another kind that a table plainly is: it understands far more of the headers, and the chosen kind only some.

    A list of payments has names and classes too; taken for a list of pupils it would do harm.
    """
    texts, groups = [header.text for header in table.headers], [header.group for header in table.headers]
    own = sum(header.key is not None for header in table.headers)
    if own >= _OWN_SHARE * len(texts):
        return None
    best, most = None, own * _RIVAL_FACTOR
    for other in kinds():
        keys = set(match_columns(texts, other.columns, groups).keys.values())
        fits = keys >= set(other.required) and all(keys & set(group) for group in other.one_of)
        if other is not resource and fits and len(keys) > most:
            best, most = other, len(keys)
    return best


def fitting_kind(workbook: Workbook, *, but: SheetResource) -> SheetResource | None:
    """Another kind whose required headers are all there; of several the one with most columns found."""
    best, most = None, 0
    top = top_of(workbook)
    for resource in kinds():
        if resource is but:
            continue
        tables, _skipped = find_tables(top, resource.columns, resource.required)
        for table in tables:
            keys = {header.key for header in table.headers if header.key is not None}
            if len(keys) > most and all(keys & set(group) for group in resource.one_of):
                best, most = resource, len(keys)
    return best
