"""xlsx, xlsm and xltx: values by calamine; hidden rows, columns and sheets, errors and formulas by scanning the XML."""

from __future__ import annotations

import io
import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from povertyaid.lib.sheets.calamine import read_values
from povertyaid.lib.sheets.grid import Builder
from povertyaid.lib.sheets.model import Limits, Rows, Sheet, Workbook
from povertyaid.lib.sheets.refusals import damaged, too_large
from povertyaid.lib.sheets.sheetxml import SheetScan, plain_xml, scan_sheet
from povertyaid.lib.sheets.xmlevents import local, parse

if TYPE_CHECKING:
    from povertyaid.lib.sheets.zips import Container

_SHARED_REFERENCE = re.compile(rb'\bt="s"[^>]*>\s*<(?:\w+:)?v>(\d{1,9})<')
_SHARED_END = re.compile(rb"</(?:\w+:)?si>")


class _Parts:
    """The XML parts of a workbook as calamine can read them, and which of them had to be changed for that."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.changed: dict[str, bytes] = {}

    def text(self, name: str) -> bytes:
        """A part without comments and CDATA."""
        if name in self.changed:
            return self.changed[name]
        xml = self._container.text(name)
        plain = plain_xml(xml)
        if plain is not xml:
            self.changed[name] = plain
        return plain


def workbook_part(container: Container) -> str:
    """The part that is the workbook, as the container itself names it; empty when it names none.

    The parser behind us follows the same name, so that no sheet can hide from the scan.
    """
    for relation in parse(container.text("_rels/.rels")):
        if relation.get("Type", "").endswith("/officeDocument"):
            return posixpath.normpath(relation.get("Target", "").lstrip("/"))
    return ""


def _workbook(container: Container) -> tuple[list[tuple[str, str, bool]], bool]:
    """Name, part and visibility of each sheet, in order; and whether the formulas still wait for their results."""
    workbook = workbook_part(container)
    folder, name = posixpath.split(workbook)
    relations = {
        element.get("Id", ""): element.get("Target", "")
        for element in parse(container.text(posixpath.join(folder, "_rels", f"{name}.rels")))
    }
    found = []
    stale = False
    for element in parse(container.text(workbook)).iter():
        if local(element.tag) == "calcPr":
            stale = element.get("fullCalcOnLoad") in {"1", "true"}
        if local(element.tag) != "sheet":
            continue
        identifier = next(
            (value for key, value in element.attrib.items() if local(key) == "id" and "}" in key), ""
        )
        target = relations.get(identifier, "")
        path = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join(folder, target))
        )
        found.append((element.get("name", ""), path, element.get("state", "visible") == "visible"))
    return found, stale


def _check_shared_strings(
    container: Container, parts: _Parts, scans: dict[str, SheetScan], limits: Limits
) -> None:
    """Refuse a long text that many cells repeat: every cell becomes a copy of its own in memory."""
    name = next((name for name in container.names if name.lower().endswith("sharedstrings.xml")), "")
    lengths = []
    last = 0
    for match in _SHARED_END.finditer(parts.text(name)):
        lengths.append(match.end() - last)
        last = match.end()
    longest = max(lengths, default=0)
    for path, scan in scans.items():
        if longest * scan.cells <= limits.sheet_characters:
            continue
        uses = Counter(int(match[1]) for match in _SHARED_REFERENCE.finditer(parts.text(path)))
        length = sum(lengths[index] * count for index, count in uses.items() if index < len(lengths))
        if length > limits.sheet_characters:
            raise too_large("characters", limits.sheet_characters)


def read_ooxml(data: bytes, container: Container, limits: Limits) -> Workbook:
    """The workbook in an xlsx, xlsm or xltx file; macros are neither read nor run."""
    sheets, stale = _workbook(container)
    paths = [entry for entry in sheets if entry[1] in container and "/worksheets/" in f"/{entry[1]}"]
    if not paths:
        raise damaged("no sheets")
    if len(paths) > limits.sheets:
        raise too_large("sheets", limits.sheets)
    parts = _Parts(container)
    scans = {
        path: scan_sheet(parts.text(path), limits, stale=stale) for path in {path for _n, path, _v in paths}
    }
    _check_shared_strings(container, parts, scans, limits)
    container.check()
    last_rows = {name: scans[path].rows for name, path, _visible in paths}
    if parts.changed:
        data = container.rewritten(parts.changed)
    values = read_values(io.BytesIO(data), last_rows, limits)
    found = []
    for name, path, visible in paths:
        if name not in values:
            raise damaged(name)
        found.append(_sheet(Builder(name, limits, visible), scans[path], *values[name]))
    return Workbook("xlsx", "", found)


def _sheet(builder: Builder, scan: SheetScan, first_row: int, rows: Rows) -> Sheet:
    if scan.texts:
        # A cell that calamine leaves empty may stand before and behind what it reads.
        top = min(row for row, _column in scan.texts)
        if not rows:
            first_row = top
        elif top < first_row:
            rows[:0] = [[] for _row in range(first_row - top)]
            first_row = top
        for (row, column), text in scan.texts.items():
            while len(rows) <= row - first_row:
                rows.append([])
            values = rows[row - first_row]
            values.extend([None] * (column - len(values)))
            values[column - 1] = text
    for number, values in enumerate(rows, first_row):
        builder.add(number, values)
    builder.hidden_rows = scan.hidden_rows
    builder.hidden_columns = scan.hidden_columns
    builder.merges = scan.merges
    return builder.build()
