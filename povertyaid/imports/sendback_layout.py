"""Where the tables of a file stand, kept with the batch, and the columns that a returned workbook carries for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from povertyaid.imports.blank_workbook import keeps_text
from povertyaid.lib.sheets.headerrows import HEADER_SEARCH
from povertyaid.lib.sheets.model import Workbook

if TYPE_CHECKING:
    from povertyaid.imports.plans import FilePlan
    from povertyaid.imports.resources import SheetResource
    from povertyaid.lib.sheets.layout import Table
    from povertyaid.lib.sheets.model import Rows, Sheet

# Chinese throughout, as the lists are; no list of an office has headers with this remark.
REASON, NUMBER = "退回原因（系统填写）", "原行号（系统填写）"
_MARKS = {REASON, NUMBER}


def without_marks(workbook: Workbook) -> Workbook:
    """The workbook without the columns that we added when we gave it back: it is matched as the sender's own layout."""
    return Workbook(workbook.kind, workbook.encoding, [_without(sheet) for sheet in workbook.sheets])


def _without(sheet: Sheet) -> Sheet:
    marked = {
        index: offset
        for offset, row in reversed(list(enumerate(sheet.rows[:HEADER_SEARCH])))
        for index, value in enumerate(row)
        if value in _MARKS
    }
    if not marked:
        return sheet
    rows: Rows = []
    for offset, row in enumerate(sheet.rows):
        kept = [None if offset >= marked.get(index, offset + 1) else value for index, value in enumerate(row)]
        while kept and kept[-1] is None:
            kept.pop()
        rows.append(kept)
    merges = [merge for merge in sheet.merges if merge[1] - 1 not in marked]
    return replace(sheet, rows=rows, merges=merges)


def tables_of(plan: FilePlan) -> list[dict[str, Any]]:
    """The tables of a file for its report, those of several kinds as one.

    `top` are the rows of titles and header, `header` its first and last row, `columns` the matched ones as kind, header
    and index from 0, `text` the indexes of those whose cells must stay text.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for item in plan.plans:
        for table in item.tables:
            header = sorted(row.row for row in table.ignored if row.why == "header")
            if not header:
                continue
            top = [row.row for row in table.ignored if row.why == "title" and row.row < header[0]]
            entry = found.setdefault(
                (table.sheet, header[0]),
                {
                    "sheet": table.sheet,
                    "top": sorted(top + header),
                    "header": [header[0], header[-1]],
                    "width": max((column.index + 1 for column in table.headers), default=1),
                    "columns": [],
                    "text": [],
                },
            )
            entry["columns"] += [
                [item.resource.kind, column.text, column.index]
                for column in table.headers
                if column.key is not None
            ]
            entry["text"] = sorted({*entry["text"], *_text_columns(item.resource, table)})
    return [found[key] for key in sorted(found, key=lambda key: (_place(plan, key[0]), key[1]))]


def _place(plan: FilePlan, sheet: str) -> int:
    """The place of a sheet in the file."""
    names = [found.name for found in plan.source.workbook.sheets]
    return names.index(sheet) if sheet in names else len(names)


def _text_columns(resource: SheetResource, table: Table) -> set[int]:
    keys = {column.key: column for column in resource.columns}
    return {header.index for header in table.headers if header.key in keys and keeps_text(keys[header.key])}
