"""The refused rows of a batch as a workbook in the sender's own layout, ready to be mended and sent again."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook as Book
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from povertyaid.audit.models import AccessLog
from povertyaid.audit.services import log_access
from povertyaid.imports.engine import BLOCKED
from povertyaid.imports.models import ImportBatch, ImportRow
from povertyaid.imports.resources import resource_for
from povertyaid.imports.sendback_comments import Placed, SheetComments, with_comments
from povertyaid.imports.sendback_layout import NUMBER, REASON
from povertyaid.imports.services import source_of
from povertyaid.imports.undo import may_undo
from povertyaid.lib.messages import MessageError
from povertyaid.lib.progress import NO_PROGRESS
from povertyaid.lib.sheets.headerrows import Merges

if TYPE_CHECKING:
    from openpyxl.cell import Cell

    from povertyaid.lib.progress import Progress
    from povertyaid.lib.sheets.model import Sheet, Value
    from povertyaid.schools.models import User

TEXT = "@"
AUTHOR = "povertyaid"
_BAD = PatternFill("solid", fgColor="FFC7CE")
_HEAD = PatternFill("solid", fgColor="E2EFDA")
_SENSITIVE = {"identity", "pupil_number", "account", "disability"}
_BAD_TITLE = re.compile(r"[\\/*?:\[\]\x00-\x1f]")
_LONGEST_TITLE, _LONGEST_CELL, _LONGEST_COMMENT = 31, 32_767, 2000
# Widths of columns in characters; a Chinese character takes two.
_NARROWEST, _WIDEST, _REASON_WIDTH = 8, 40, 60
_MEASURED = 200
_TELL_EVERY = 2000


class SendbackError(MessageError):
    """There is no workbook to give back. Codes: none, unknown."""


@dataclass
class _Refused:
    """What is wrong with one row: messages by column index, and those of the whole row."""

    cells: dict[int, list[str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


Problems = dict[int, _Refused]


def may_take_back(batch: ImportBatch, user: User) -> bool:
    """Whether the account may have the refused rows as they were sent, in the clear.

    Who sent them may, and who may import the same and may see whole values of the kind anyway.
    """
    if not may_undo(batch, user):
        return False
    if user.is_system or batch.sender_id == user.pk:
        return True
    for kind in batch.kinds:
        resource = resource_for(kind)
        if resource is None:
            return False
        meta = resource.model._meta
        sensitive = any(column.sensitive in _SENSITIVE for column in resource.columns)
        if sensitive and not user.has_perm(f"{meta.app_label}.reveal_{meta.model_name}"):
            return False
    return True


def refused_workbook(batch: ImportBatch, user: User, progress: Progress = NO_PROGRESS) -> bytes:
    """The refused rows as an .xlsx file, each bad cell coloured with a comment; logged as an export.

    PermissionDenied for who may not have them; SendbackError when no row is refused; ErasedFileError when the file was
    erased; UnreadableFileError when it cannot be read any more.
    """
    if not may_take_back(batch, user):
        raise PermissionDenied
    tables = batch.report.get("tables", [])
    problems = _problems(batch, tables)
    if not problems:
        raise SendbackError("none", _("No row of this import is refused."))
    workbook = source_of(batch, user, progress).workbook
    book = Book(write_only=True)
    count = 0
    comments: list[SheetComments] = []
    for sheet in workbook.sheets:
        of_sheet = [table for table in tables if table["sheet"] == sheet.name]
        refused = problems.get(sheet.name[:60], {})
        if of_sheet and refused:
            returned = _Returned(book, sheet, of_sheet, refused, progress)
            count += returned.write()
            comments.append(returned.comments)
    if not count:
        raise SendbackError(
            "unknown", _("The refused rows are not in the file. Look at the file again first.")
        )
    book.properties.creator = AUTHOR
    out = io.BytesIO()
    book.save(out)
    log_access(
        AccessLog.Action.EXPORT,
        user=user,
        record=batch,
        detail={"batch": batch.pk, "kind": batch.kind, "rows": count, "refused": True},
    )
    return with_comments(out.getvalue(), comments)


def _problems(batch: ImportBatch, tables: Sequence[Mapping[str, Any]]) -> dict[str, Problems]:
    """What is wrong, by sheet and row."""
    places: dict[tuple[str, str, str], list[int]] = {}
    for table in tables:
        for kind, text, index in table["columns"]:
            places.setdefault((table["sheet"][:60], kind, text), []).append(index)
    found: dict[str, Problems] = {}
    rows = ImportRow.objects.filter(batch=batch, outcome=ImportRow.Outcome.REJECTED).order_by("pk")
    blocked = str(BLOCKED)
    for sheet, number, kind, messages in rows.values_list("sheet", "row", "kind", "messages").iterator():
        refused = found.setdefault(sheet, {}).setdefault(number, _Refused())
        for note in messages:
            if note["level"] != "error":
                continue
            column, text = note.get("column"), str(note.get("message", ""))
            if column is None and text == blocked and len(batch.kinds) > 1:
                # Why stands with the other kind.
                continue
            told = f"{column}：{text}" if column else text
            if told not in refused.told:
                refused.told.append(told)
            for index in places.get((sheet, kind, column or ""), [0]):
                refused.cells.setdefault(index, []).append(text)
    return found


def _width(value: object) -> int:
    return sum(2 if ord(sign) > 0x2E80 else 1 for sign in str(value)) if value is not None else 0


def _clean(value: Value) -> Value:
    """A value as a cell takes it: text without signs that XML cannot hold."""
    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("", value)[:_LONGEST_CELL]
    return value


class _Returned:
    """One sheet of the returned workbook."""

    def __init__(
        self,
        book: Book,
        sheet: Sheet,
        tables: Sequence[Mapping[str, Any]],
        refused: Problems,
        progress: Progress,
    ) -> None:
        self.sheet = sheet
        self.tables = tables
        self.refused = refused
        self.progress = progress
        self.merges = Merges(sheet)
        self.covered = self.merges.cover(across=False)
        self.out: Any = book.create_sheet(self._title(book))
        self.width = max(table["width"] for table in tables)
        self.written = 0
        self.comments = SheetComments(AUTHOR)
        self._text = self._cell(number_format=TEXT)
        self._plain = self._cell()

    def _title(self, book: Book) -> str:
        """The name of the sheet; names of text files may hold what Excel forbids."""
        title = _BAD_TITLE.sub(" ", self.sheet.name).strip("' ")[:_LONGEST_TITLE] or "Sheet"
        return title if title.casefold() not in {name.casefold() for name in book.sheetnames} else ""

    def _cell(self, **look: Any) -> Cell:
        cell: Cell = WriteOnlyCell(self.out)
        for name, value in look.items():
            setattr(cell, name, value)
        return cell

    def write(self) -> int:
        """Write titles, header and refused rows of each table; return how many rows are given back."""
        self._measure()
        self._top_merges()
        count = 0
        starts = [table["header"][0] for table in self.tables]
        numbers = sorted(self.refused)
        for place, table in enumerate(self.tables):
            end = starts[place + 1] if place + 1 < len(starts) else 10**9
            mine = [number for number in numbers if table["header"][1] < number < end]
            if not mine:
                continue
            if self.written:
                self._append(iter(()))
            for number in table["top"]:
                self._append(self._head(number, table))
            text = frozenset(table["text"])
            for number in mine:
                self._append(self._row(number, text))
                count += 1
                if not count % _TELL_EVERY:
                    self.progress.tell(_("writing the workbook"), count, len(numbers))
        return count

    def _append(self, cells: Iterator[Any]) -> None:
        self.out.append(cells)
        self.written += 1

    def _of(self, number: int) -> Sequence[Value]:
        offset = number - self.sheet.first_row
        return self.sheet.rows[offset] if 0 <= offset < len(self.sheet.rows) else ()

    def _measure(self) -> None:
        """Widths by what the first rows hold, and text format for what is typed into empty cells."""
        widths: dict[int, int] = {}
        shown = [
            number for table in self.tables for number in range(table["header"][0], table["header"][1] + 1)
        ]
        for number in [*shown, *sorted(self.refused)[:_MEASURED]]:
            for index, value in enumerate(self._of(number)):
                widths[index] = max(widths.get(index, 0), _width(value))
        for index in range(self.width):
            dimension = self.out.column_dimensions[get_column_letter(index + 1)]
            dimension.width = min(max(widths.get(index, 0) + 2, _NARROWEST), _WIDEST)
            if any(index in table["text"] for table in self.tables):
                dimension.number_format = TEXT
        self.out.column_dimensions[get_column_letter(self.width + 1)].width = _REASON_WIDTH
        self.out.column_dimensions[get_column_letter(self.width + 2)].width = 2 * len(NUMBER)

    def _top_merges(self) -> None:
        """The merged cells of titles and header, where they come to stand."""
        place = 1
        numbers = sorted(self.refused)
        starts = [table["header"][0] for table in self.tables]
        for position, table in enumerate(self.tables):
            end = starts[position + 1] if position + 1 < len(starts) else 10**9
            mine = sum(table["header"][1] < number < end for number in numbers)
            if not mine:
                continue
            if place > 1:
                place += 1
            lines = {number: place + offset for offset, number in enumerate(table["top"])}
            for top, left, bottom, right in self.sheet.merges:
                if top in lines and bottom in lines and (bottom > top or right > left):
                    span = f"{get_column_letter(left)}{lines[top]}:{get_column_letter(right)}{lines[bottom]}"
                    self.out.merged_cells.add(span)
            first, last = (lines[number] for number in table["header"])
            for index in (self.width + 1, self.width + 2) if last > first else ():
                letter = get_column_letter(index)
                self.out.merged_cells.add(f"{letter}{first}:{letter}{last}")
            place += len(table["top"]) + mine

    def _head(self, number: int, table: Mapping[str, Any]) -> Iterator[Any]:
        row = self._of(number)
        bold, centred = Font(bold=True), Alignment(horizontal="center", vertical="center", wrap_text=True)
        for index in range(max(self.width, len(row))):
            value = _clean(row[index]) if index < len(row) else None
            yield self._filled(self._cell(font=bold, alignment=centred), value) if value is not None else None
        if number == table["header"][0] and len(row) <= self.width:
            for text in (REASON, NUMBER):
                yield self._filled(self._cell(font=bold, alignment=centred, fill=_HEAD), text)

    def _row(self, number: int, text: frozenset[int]) -> Iterator[Any]:
        row = self._of(number)
        covered = self.covered.get(number - self.sheet.first_row, {})
        problem = self.refused[number]
        for index in range(self.width):
            value = row[index] if index < len(row) else None
            if value is None or (isinstance(value, str) and not value.strip()):
                value = covered.get(index, value)
            told = problem.cells.get(index)
            if told is not None:
                look = {"number_format": TEXT} if index in text else {}
                cell = self._filled(self._cell(fill=_BAD, **look), _clean(value))
                if not self.comments.placed:
                    # With the first, openpyxl writes the parts that hold them all.
                    cell.comment = Comment("", AUTHOR)
                self.comments.placed.append(_comment(told, self.written + 1, index + 1))
                yield cell
            elif value is None:
                yield None
            elif isinstance(value, str):
                yield self._filled(self._text, _clean(value))
            elif isinstance(value, dt.date):
                yield self._filled(self._cell(), value)
            else:
                yield self._filled(self._plain, value)
        yield self._filled(self._text, _clean("；".join(problem.told)))
        yield self._filled(self._plain, number)

    @staticmethod
    def _filled(cell: Cell, value: Value) -> Cell:
        """A cell with a value; text that begins like a formula stays text."""
        looks = cell.number_format
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
        if looks == TEXT:
            cell.number_format = TEXT
        return cell


def _comment(told: Sequence[str], row: int, column: int) -> Placed:
    text = ILLEGAL_CHARACTERS_RE.sub("", "\n".join(dict.fromkeys(told)))[:_LONGEST_COMMENT]
    lines = sum(1 + _width(line) // 40 for line in text.splitlines())
    return Placed(row, column, text, 24 + 18 * lines)
