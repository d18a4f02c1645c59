"""Web pages under the name of a workbook: what many systems give out as “.xls”, and what Excel saves as .htm or .mht.

All tables of a page become one sheet, one below the other with the text between them, as Excel shows it. Every
value is the text that the page shows: a number of eighteen digits keeps them all, which Excel itself would not.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass, field
from email.errors import MessageError as MailError
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from povertyaid.lib.sheets.grid import LAST_COLUMN, LAST_ROW, Builder
from povertyaid.lib.sheets.model import Limits, Value, Workbook
from povertyaid.lib.sheets.refusals import bad_encoding, damaged, no_table_in_page, too_large
from povertyaid.lib.sheets.texts import decode

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Merge, Sheet

_BLANKS = re.compile(r"[ \t\r\n\f]+")
_BREAK = re.compile(r"[ ]*\n[ ]*")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_NAME = re.compile(r"<x:Name>([^<]*)</x:Name>", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# What stands inside them is no text of the page.
_SKIPPED = {"script", "style", "title", "xml", "noscript", "template"}
_BLOCKS = {"p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "caption", "center", "tr", "hr"}
_PARTS = {"tr", "td", "th", "col"}
_BIG5 = {"big5", "big5-hkscs", "x-x-big5", "cp950"}
_HEAD = 4096
# Pages are laid out with tables in tables, a few deep.
_DEEPEST = 50

Attributes = list[tuple[str, str | None]]


def read_page(data: bytes, name: str, limits: Limits) -> Workbook:
    """The workbook in a web page; `name` is the sheet's when the page gives none."""
    text, encoding = decode_page(data)
    return Workbook("html", encoding, [_sheet(text, name, limits)])


def read_archive(data: bytes, name: str, limits: Limits) -> Workbook:
    """The workbook in a web page with its parts in one file (.mht): each part with a table is a sheet."""
    sheets = []
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
        for part in message.walk():
            if part.get_content_type() != "text/html":
                continue
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and b"<table" in content.lower():
                text, _encoding = decode_page(content)
                sheets.append(_sheet(text, name, limits))
                if len(sheets) > limits.sheets:
                    raise too_large("sheets", limits.sheets)
    except (MailError, LookupError) as error:
        raise damaged(error) from error
    if not sheets:
        raise no_table_in_page()
    return Workbook("html", "", sheets)


def decode_page(data: bytes) -> tuple[str, str]:
    """Text and encoding of a page; what it says of itself is believed where the bytes leave a choice."""
    declared = _CHARSET.search(data[:_HEAD])
    if declared is not None and declared[1].decode("ascii", "replace").lower() in _BIG5:
        try:
            return data.decode("big5hkscs"), "big5"
        except UnicodeDecodeError as error:
            raise bad_encoding() from error
    return decode(data)


def _sheet(text: str, name: str, limits: Limits) -> Sheet:
    page = _Page(name, limits)
    try:
        page.feed(text)
        page.close()
    except AssertionError as error:
        # So the standard library's parser says that a declaration is none.
        raise damaged(error) from error
    return page.sheet()


@dataclass(slots=True)
class _Table:
    """One table that is open: its merges, and the rows that cells above still cover, by column."""

    merges: list[Merge] = field(default_factory=list)
    covered: dict[int, int] = field(default_factory=dict)
    column: int = 0
    columns: int = 0


@dataclass(slots=True)
class _Cell:
    column: int
    down: int
    across: int
    formula: str
    parts: list[str] = field(default_factory=list)


def _span(attributes: dict[str, str | None], name: str, most: int) -> int:
    if name not in attributes:
        return 1
    text = (attributes[name] or "1").strip()
    number = int(text[:9]) if text.isdecimal() else 1
    # A rowspan of nought reaches to the end of the table; other spans know no nought.
    return min(number or (most if name == "rowspan" else 1), most)


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    if not attributes:
        return False
    return "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "") is not None


class _Page(HTMLParser):
    """Builds the sheet while the tags of a page go by."""

    def __init__(self, name: str, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self._builder = Builder(name, limits)
        self._limits = limits
        self._tables: list[_Table] = []
        self._number = 1
        self._values: list[Value] | None = None
        self._cell: _Cell | None = None
        self._loose: list[str] = []
        self._skipping = ""
        self._naming = False
        self._found = False

    def sheet(self) -> Sheet:
        """The sheet of the whole page; UnreadableFileError when it holds no table."""
        while self._tables:
            self._end_table()
        self._end_loose()
        if not self._found:
            raise no_table_in_page()
        return self._builder.build()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Open a table, row or cell; note what is hidden."""
        if self._skipping:
            self._naming = tag == "x:name"
            return
        if self._tables and tag in _PARTS:
            # The most frequent first: a page has a million of them.
            attributes = dict(attrs)
            if tag == "tr":
                self._start_row(attributes)
            elif tag == "col":
                self._take_column(attributes)
            else:
                self._start_cell(attributes)
        elif tag in _SKIPPED:
            self._skipping = tag
        elif tag == "table":
            self._start_table()
        elif tag == "br" or (tag in _BLOCKS and self._cell is not None):
            self._break()
        elif tag in _BLOCKS:
            self._end_loose()

    def handle_endtag(self, tag: str) -> None:
        """Close a table, row or cell."""
        if self._skipping:
            if tag == self._skipping:
                self._skipping = ""
            self._naming = False
        elif tag == "table" and self._tables:
            self._end_table()
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag in _BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        """Text of a cell, or between the tables."""
        if self._skipping:
            if self._naming and data.strip():
                self._builder.name = data.strip()
            return
        text = _BLANKS.sub(" ", data)
        (self._loose if self._cell is None else self._cell.parts).append(text)

    def handle_comment(self, data: str) -> None:
        """Excel hides the name of the sheet in a comment."""
        name = _NAME.search(data)
        if name is not None and name[1].strip():
            self._builder.name = name[1].strip()

    def _break(self) -> None:
        if self._cell is None:
            self._end_loose()
        elif self._cell.parts:
            self._cell.parts.append("\n")

    def _start_table(self) -> None:
        # A table inside a cell lays out the page: its rows follow what stands before it.
        self._end_row()
        self._end_loose()
        if len(self._tables) == _DEEPEST:
            raise damaged("tables in tables")
        self._tables.append(_Table())
        self._found = True

    def _end_table(self) -> None:
        self._end_row()
        self._end_loose()
        last = self._number - 1
        table = self._tables.pop()
        self._builder.merges.extend(
            (top, left, min(bottom, last), right) for top, left, bottom, right in table.merges
        )

    def _take_column(self, attributes: dict[str, str | None]) -> None:
        table = self._tables[-1]
        span = _span(attributes, "span", LAST_COLUMN)
        if _is_hidden(attributes):
            self._builder.hidden_columns.append((table.columns + 1, table.columns + span))
        table.columns = min(table.columns + span, LAST_COLUMN)

    def _start_row(self, attributes: dict[str, str | None]) -> None:
        self._end_row()
        self._end_loose()
        self._values = []
        self._tables[-1].column = 1
        if _is_hidden(attributes):
            self._builder.hidden_rows.append((self._number, self._number))

    def _start_cell(self, attributes: dict[str, str | None]) -> None:
        self._end_cell()
        if self._values is None:
            self._start_row({})
        table = self._tables[-1]
        while table.covered.get(table.column, 0) > 0:
            table.column += 1
        across = _span(attributes, "colspan", LAST_COLUMN)
        down = _span(attributes, "rowspan", LAST_ROW)
        self._cell = _Cell(table.column, down, across, attributes.get("x:fmla") or "")
        if _is_hidden(attributes):
            self._builder.hidden_columns.append((table.column, table.column))
        if down > 1 or across > 1:
            table.merges.append(
                (self._number, table.column, self._number + down - 1, table.column + across - 1)
            )
        if down > 1:
            for column in range(table.column, min(table.column + across, self._limits.columns + 1)):
                table.covered[column] = down
        table.column += across

    def _end_cell(self) -> None:
        cell, self._cell = self._cell, None
        if cell is None or self._values is None:
            return
        text = _BREAK.sub("\n", "".join(cell.parts)).strip() or cell.formula
        if not text:
            return
        if cell.column > self._limits.columns:
            raise too_large("columns", self._limits.columns)
        self._values.extend([None] * (cell.column - 1 - len(self._values)))
        self._values.append(text)

    def _end_row(self) -> None:
        self._end_cell()
        values, self._values = self._values, None
        if values is None:
            return
        self._builder.add(self._number, values)
        self._number += 1
        if self._tables:
            table = self._tables[-1]
            table.covered = {column: left - 1 for column, left in table.covered.items() if left > 1}

    def _end_loose(self) -> None:
        text = "".join(self._loose).strip()
        self._loose.clear()
        if text and self._values is None:
            self._builder.add(self._number, [text])
            self._number += 1
