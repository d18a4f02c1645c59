"""Lists that are given out with their present values, corrected, and sent back (回填表).

Every row carries a key: the list's number, the record, and a check of what the list said about it. A key that is not
ours, of another kind or out of scope is foreign; a record that says something else by now is stale. Both are refused row
by row. Cells of sensitive columns that come back as they were given out (masked) change nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.context import ImportContext
from povertyaid.imports.models import ReturnSheet
from povertyaid.imports.options import Options
from povertyaid.imports.resources import Column, SheetResource, by_key, variants_of
from povertyaid.lib.cells import as_text, clean_text
from povertyaid.lib.messages import Message
from povertyaid.lib.sheets.headers import header_signature

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from povertyaid.lib.sheets.layout import Table
    from povertyaid.lib.sheets.model import Workbook
    from povertyaid.schools.base import Record
    from povertyaid.schools.models import School, User

COLUMN = Column("_return", ("行标识（请勿改动）", "行标识"), clean_text)
# What no person decides about: the column of keys is the column of keys, whatever else the columns are said to be.
SIGNATURES = frozenset(header_signature("", text) for text in COLUMN.headers)
_TOKEN_LENGTH = 12
_CHECK_LENGTH = 16
# Titles that were put above the headers of a list, and keys that are looked at to tell of which kind it is.
_HEADERS_WITHIN = 20
_KEYS_READ = 50

FOREIGN = Message(
    "foreign_return",
    _(
        "The key of this row belongs to no list that was given out to you. "
        "Download the list again, or delete the key to send the row as a new record."
    ),
)
STALE = Message(
    "stale_return",
    _(
        "The record was changed since the list was given out. "
        "Download the list again, so that nobody's newer entry is overwritten."
    ),
)
REPEATED = Message(
    "repeated_return",
    _(
        "The key of this row stands in another row too, so that nobody can tell which of them is the record. "
        "Keep one of them, and delete the key of a row that is a new record."
    ),
)


def shape_for_return(kind: str) -> SheetResource | None:
    """The shape in which lists of a kind are given out for return; None when there are none."""
    shapes = variants_of(kind)
    return next((shape for shape in shapes if type(shape).listed is not SheetResource.listed), None)


def new_token() -> str:
    """The number of a list: not to be guessed, since it opens nothing but must not be met by chance."""
    return secrets.token_hex(_TOKEN_LENGTH // 2)


def row_key(token: str, record: Record, told: dict[str, str]) -> str:
    """The key of a row: list, record, and a check of what was told of the record."""
    return f"{token}-{record.pk}-{_check(token, record, told)}"


def _check(token: str, record: Record, told: dict[str, str]) -> str:
    text = json.dumps(
        [token, record._meta.label, record.pk, record.version, told], ensure_ascii=False, sort_keys=True
    )
    digest = hmac.new(settings.LOOKUP_KEY.encode(), f"return:{text}".encode(), hashlib.sha256)
    return digest.hexdigest()[:_CHECK_LENGTH]


@dataclass(frozen=True)
class Returned:
    """A row that came back: the record that it is about and what was told of it, or why it cannot be taken."""

    pk: int | None = None
    told: dict[str, str] = field(default_factory=dict)
    problem: Message | None = None

    def unchanged(self, key: str, value: Any) -> bool:
        """Whether a cell came back as it was given out."""
        return key in self.told and as_text(value).strip() == self.told[key]


class ReturnBook:
    """The keys of all rows of a file, looked up at once."""

    def __init__(self, resource: SheetResource, context: ImportContext, keys: Collection[str]) -> None:
        """Find the lists and the records within the scope of the account: a constant number of queries."""
        self._times = Counter(keys)
        split = {key: _split(key) for key in keys}
        sheets = by_key(
            ReturnSheet.objects.visible_to(context.user).filter(kind=resource.kind),
            "token",
            (found[0] for found in split.values() if found is not None),
        )
        wanted = {key: found for key, found in split.items() if found is not None and found[0] in sheets}
        records = by_key(
            context.records(resource.model),
            "pk",
            {pk for _token, pk in wanted.values()},
        )
        self._returned: dict[str, Returned] = {}
        periods = {token: found[0].period for token, found in sheets.items()}
        for period in set(periods.values()):
            keys_then = {key: pk for key, (token, pk) in wanted.items() if periods[token] == period}
            present = [records[pk][0] for pk in sorted(set(keys_then.values())) if pk in records]
            asked = ImportContext(context.user, Options(period=period), resource.model._meta.label_lower)
            told = dict(zip((record.pk for record in present), resource.present(present, asked), strict=True))
            for key, pk in keys_then.items():
                if pk in told:
                    same = hmac.compare_digest(key, row_key(wanted[key][0], records[pk][0], told[pk]))
                    self._returned[key] = Returned(pk, told[pk]) if same else Returned(problem=STALE)

    def of(self, key: str) -> Returned:
        """What a row's key means. Rows that share a key are all refused: a copied row may be another person's now."""
        if self._times[key] > 1:
            return Returned(problem=REPEATED)
        return self._returned.get(key, Returned(problem=FOREIGN))


def _split(key: str) -> tuple[str, int] | None:
    parts = key.split("-")
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdecimal()) or len(parts[1]) > 18:
        return None
    return parts[0], int(parts[1])


def kind_given_out(workbook: Workbook, user: User) -> str:
    """The kind of which a list was given out, told by its keys; "" when the file is no such list, or is several."""
    tokens: set[str] = set()
    for sheet in workbook.sheets:
        at = next(
            (
                (number, index)
                for number, row in enumerate(sheet.rows[:_HEADERS_WITHIN])
                for index, value in enumerate(row)
                if isinstance(value, str) and header_signature("", value) in SIGNATURES
            ),
            None,
        )
        if at is not None:
            rows = sheet.rows[at[0] + 1 : at[0] + 1 + _KEYS_READ]
            found = (_split(as_text(row[at[1]]).strip()) for row in rows if len(row) > at[1])
            tokens |= {key[0] for key in found if key is not None}
    kinds = set(
        ReturnSheet.objects.visible_to(user).filter(token__in=tokens).values_list("kind", flat=True)
        if tokens
        else ()
    )
    return kinds.pop() if len(kinds) == 1 else ""


def take_keys(tables: Iterable[Table]) -> dict[tuple[str, int], str]:
    """Take the column of keys out of the tables: by sheet and row number, where a row has one."""
    found: dict[tuple[str, int], str] = {}
    for table in tables:
        for row in table.rows:
            text = as_text(row.values.get(COLUMN.key)).strip()
            if text:
                found[table.sheet, row.number] = text
        for row in table.rows[:1]:
            row.places.drop(COLUMN.key)
        table.headers = [header for header in table.headers if header.key != COLUMN.key]
    return found


def give_out(
    *, resource: SheetResource, user: User, school: School | None, period: str, records: Sequence[Record]
) -> tuple[ReturnSheet, list[tuple[str, dict[str, str]]]]:
    """Register a list that is given out; its rows with their keys, in the order of `records`."""
    context = ImportContext(
        user, Options(school.code if school else "", period), resource.model._meta.label_lower
    )
    sheet = ReturnSheet(
        county=school.county if school is not None else context.county,
        school=school,
        kind=resource.kind,
        period=period,
        token=new_token(),
        owner=user,
        rows_count=len(records),
    )
    told = resource.present(records, context)
    sheet.save()
    return sheet, [
        (row_key(sheet.token, record, values), values) for record, values in zip(records, told, strict=True)
    ]
