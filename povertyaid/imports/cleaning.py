"""The rows of a table, cleaned cell by cell with every problem, repair and warning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from povertyaid.imports.resources import Column, Note, Row
from povertyaid.lib.cells import CellError, Context, is_blank
from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from povertyaid.imports.context import ImportContext, TableInfo
    from povertyaid.imports.returning import Returned
    from povertyaid.lib.sheets.layout import Row as FoundRow
    from povertyaid.lib.sheets.layout import Table

HIDDEN = Message("hidden", _("This row is hidden in the file; it was read all the same."))
MISSING = _("“%(column)s” is missing. Type it in this cell.")
LONGEST_PHONE = 60
# Texts of a column whose meaning is remembered: classes, sexes, groups come again in every row.
_REMEMBERED = 1_000
_UNKNOWN = object()


@dataclass(slots=True)
class _Column:
    """A column on its way through the rows: what its texts mean is found out once, as long as nothing is to be told."""

    column: Column
    label: str
    erases: bool
    contexts: dict[str, Context] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def remember(self, text: str, value: Any) -> None:
        """Keep what a text means; a list may be changed by whoever gets it, so that it is not shared."""
        if len(self.known) < _REMEMBERED and not isinstance(value, list | dict | set):
            self.known[text] = value


class TableCleaner:
    """Cleans the rows of one table."""

    def __init__(
        self,
        table: Table,
        info: TableInfo,
        context: ImportContext,
        constants: Mapping[str, str],
        returned: Mapping[int, Returned],
    ) -> None:
        """Remember what holds for the whole table; `returned` are the rows of a list that came back, by number."""
        self._returned = returned
        self._table = table
        self._info = info
        self._today = context.today
        self._constants = constants
        erase = context.options.erase_empty
        self._columns = [
            _Column(column, info.label(column.key), erase and column.erases)
            for column in info.resource.columns
            if column.key in constants or column.key in info.labels
        ]

    def rows(self) -> Iterator[Row]:
        """Every row of the table, cleaned. What was found is given up on the way: nobody needs both."""
        found = self._table.rows
        found.reverse()
        while found:
            yield self._row(found.pop())

    def _row(self, found: FoundRow) -> Row:
        raw = found.values
        row = Row(self._info, found.number, {}, raw, found.hidden)
        if found.hidden:
            row.warn(None, HIDDEN)
        returned = self._returned.get(found.number)
        if returned is not None:
            row.returned = returned.pk
            if returned.problem is not None:
                # Whatever stands in its cells, masks too, is not looked at: the row is of no use.
                row.refuse(None, returned.problem)
                return row
        for item in self._columns:
            key = item.column.key
            present = key in raw
            value = raw[key] if present else None
            if key in self._constants and is_blank(value):
                value = raw[key] = self._constants[key]
            elif not present or (
                returned is not None and item.column.sensitive and returned.unchanged(key, value)
            ):
                continue
            elif item.erases and is_blank(value):
                row.values[key] = ""
                continue
            known = item.known.get(value, _UNKNOWN) if type(value) is str else _UNKNOWN
            if known is _UNKNOWN:
                self._clean(row, item, value, found.places.headers.get(key, ""))
            elif known is not None:
                row.values[key] = known
        return row

    def _clean(self, row: Row, item: _Column, value: Any, header: str) -> None:
        column = item.column
        ctx = item.contexts.get(header)
        if ctx is None:
            ctx = item.contexts[header] = Context(self._today, self._table.money_unit(header), header)
        try:
            cleaned = column.cleaner(value, ctx=ctx)
        except CellError as error:
            row.refuse(column.key, error.message)
            return
        if cleaned.sensitive == "phone" and len(cleaned.value or "") > LONGEST_PHONE:
            row.refuse(
                column.key,
                _("There are too many telephone numbers in the cell. Keep the two or three in use."),
            )
            return
        if cleaned.repairs:
            row.notes += [
                Note("repair", item.label, before=repair.before, after=repair.after, rule=repair.rule)
                for repair in cleaned.masked_repairs
            ]
        for warning in cleaned.warnings:
            row.warn(column.key, warning)
        if cleaned.value is not None:
            row.values[column.key] = cleaned.value
        elif column.required:
            row.refuse(column.key, Message("missing", MISSING, {"column": item.label}))
            return
        if type(value) is str and not cleaned.repairs and not cleaned.warnings:
            item.remember(value, cleaned.value)
