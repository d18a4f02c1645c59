"""Which column is which field: what is certain from the headers, what a person decided before, what must be asked.

A column is certain when its header is known, or when a person said for the same layout what it is (SavedMapping). What
only the values below suggest is asked; on the command line, where nobody can be asked, such a guess is taken when
nothing competes with it, and told as a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.examining import Examination, LaidOut, Use, Wishes
from povertyaid.imports.options import Part
from povertyaid.imports.resources import resource_for
from povertyaid.imports.returning import kind_given_out
from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.imports.models import ImportBatch, SavedMapping
    from povertyaid.imports.plans import FilePlan, Source

_SHOWN = 8


@dataclass(frozen=True)
class Inspection:
    """What was found in a file: `source` with the parts that are settled, and whether a person must be asked."""

    source: Source
    certain: bool = True
    message: Message | None = None
    # Saved columns that were applied.
    mapping: SavedMapping | None = None
    examined: Examination | None = None

    def as_json(self) -> dict[str, Any]:
        """For the mapping page; samples are masked."""
        return told(self.examined or Examination(self.source))

    def settled(self) -> Source:
        """The source with the guesses with which nothing competes: for the command line, where nobody can be asked."""
        if self.certain or self.examined is None:
            return self.source
        parts = tuple(
            part
            for item in self.examined.layouts
            for use in item.uses
            if use.complete or _completed(use)
            for part in _parts(item, use, guessed=True)
        )
        several = len({part.kind for part in parts}) > 1
        if not parts or not (several or any(part.columns for part in parts)):
            # What is missing is told as for any file.
            return self.source
        return _with_parts(self.source, parts)

    def tell(self, plan: FilePlan) -> FilePlan:
        """Add a warning for each column of a plan that was read by its values alone."""
        for item in self.examined.layouts if self.examined is not None and not self.certain else ():
            by_index = {column.index: column for column in item.layout.columns}
            for use in item.uses:
                for index, key in use.strong.items():
                    params = {"header": by_index[index].shown, "column": use.resource.by(key).header}
                    text = _(
                        "The column “%(header)s” was read as “%(column)s” by its values. Check that it is so."
                    )
                    for of_kind in plan.plans:
                        sheets = {table.sheet for table in of_kind.tables}
                        if of_kind.resource is use.resource:
                            of_kind.warnings += [
                                (sheet.name, sheet.place[0], Message("guessed", text, params))
                                for sheet in item.read()
                                if sheet.name in sheets
                            ]
        return plan


def inspect(source: Source, *, office: str = "", wishes: Wishes | None = None) -> Inspection:
    """Match the headers of all sheets; `office` is the sender whose saved columns come first.

    What a person decided (`Options.parts`) is not doubted. Raises ImportRefusedError when `wishes` name a sheet, header
    or column that does not exist.
    """
    if source.options.parts and not wishes:
        return Inspection(source)
    if not source.kinds and not wishes and (kind := kind_given_out(source.workbook, source.user)):
        # A list that was given out says itself what it is.
        source = replace(source, kinds=(kind,))
    known = [kind for kind in source.kinds if resource_for(kind) is not None]
    if len(known) < len(source.kinds) or (source.kinds and not _all_allowed(source)):
        # A kind that does not exist or is not allowed is refused where the file is planned.
        return Inspection(source)
    found = Examination(source, office=office, wishes=wishes)
    read = [item for item in found.layouts if item.read()]
    mapping = next((item.applied for item in found.layouts if item.applied is not None), None)
    certain = (
        bool(read)
        and all(item.certain for item in read)
        and not any(item.disputed for item in found.layouts)
        and (bool(found.chosen) or all(item.applied for item in read))
    )
    if not certain:
        return Inspection(source, False, _asked(found, read), mapping, found)
    if mapping is None and len(found.chosen) == 1 and not wishes:
        # The headers say all there is to say.
        return Inspection(source, examined=found)
    parts = tuple(part for item in read for use in item.uses for part in _parts(item, use))
    return Inspection(_with_parts(source, parts), True, None, mapping, found)


def _all_allowed(source: Source) -> bool:
    resources = [resource_for(kind) for kind in source.kinds]
    return source.user.is_system or all(
        source.user.has_perm(resource.permission) for resource in resources if resource is not None
    )


def undecided(source: Source) -> Source:
    """A source as if nobody had said yet what its sheets are."""
    return replace(_with_parts(source, ()), kinds=())


def _with_parts(source: Source, parts: tuple[Part, ...]) -> Source:
    return replace(source, options=replace(source.options, parts=parts))


def _completed(use: Use) -> bool:
    """Whether the guesses with which nothing competes bring all columns that the kind must have."""
    strong = set(use.strong.values())
    return set(use.missing) <= strong and all(strong & set(group) for group in use.one_of)


def _parts(item: LaidOut, use: Use, *, guessed: bool = False) -> list[Part]:
    """A layout read as one kind, for each of its sheets; headers that say it themselves are left to say it."""
    signatures = {column.index: column.signature for column in item.layout.columns}
    columns = {signatures[index]: key for index, key in use.keys.items() if use.how[index] == "decided"}
    columns |= {signatures[index]: "" for index in use.unused}
    if guessed:
        columns |= {signatures[index]: key for index, key in use.strong.items()}
    return [Part(use.resource.kind, sheet.name, columns, sheet.place) for sheet in item.read()]


def _asked(found: Examination, read: Sequence[LaidOut]) -> Message:
    """What must be told, the first thing of all."""
    for item in found.layouts:
        if item.disputed:
            senders = "、".join(mapping.sender for mapping in item.saved[:_SHOWN])
            text = _(
                "This layout is known from several offices: %(senders)s. Choose whose columns these are."
            )
            return Message("senders", text, {"senders": senders})
    for item in read:
        for use in item.uses:
            if not use.completed_by_guesses:
                params = {"headers": "、".join(use.missing_headers[:_SHOWN]), "kind": use.resource.label}
                text = _("For “%(kind)s” the columns %(headers)s were not found. Say which columns they are.")
                return Message("columns", text, params)
            if use.duplicates:
                header = use.resource.by(use.duplicates[0][1]).header
                text = _("Two columns may be “%(header)s”. Choose one of them.")
                return Message("duplicate_column", text, {"header": header})
    if not found.chosen:
        return Message("kind", _("Check what the list is, and which column is which, before it is compared."))
    return Message(
        "guessed", _("Some columns are told by their values alone. Check them before the list is compared.")
    )


def note_use(batch: ImportBatch, found: Inspection) -> None:
    """Keep with a batch which saved columns were applied, and with them that they were used."""
    mapping = found.mapping
    if mapping is None or batch.mapping_id == mapping.pk:
        return
    batch.mapping = mapping
    mapping.used_at = timezone.now()
    mapping.save(update_fields=["used_at"])


def told(found: Examination) -> dict[str, Any]:
    """An examination as JSON for the mapping page: what each layout may be as each kind that the account may import."""
    return {
        "chosen": [resource.kind for resource in found.chosen],
        "layouts": [_layout(found, item) for item in found.layouts],
    }


def _layout(found: Examination, item: LaidOut) -> dict[str, Any]:
    samples = found.samples(item.layout)
    uses = {use.resource.kind: use for use in item.uses}
    fits = {
        resource.kind: uses.get(resource.kind)
        or found.use(item.layout, resource, beside=[use.resource for use in item.uses])
        for resource in found.allowed
    }
    parts = [part.sheet for part in found.options.parts]
    read = {sheet.name for sheet in item.layout.sheets if sheet.name in parts} | {
        sheet.name for sheet in item.read() if not parts or "" in parts
    }
    return {
        "digest": item.layout.digest,
        "sheets": [
            {
                "name": sheet.name,
                "visible": sheet.visible,
                "on": sheet.name in read,
                "first": sheet.place[0],
                "height": sheet.place[1],
                "rows": sheet.rows,
            }
            for sheet in item.layout.sheets
        ],
        "columns": [
            {
                "index": column.index,
                "letter": column.letter,
                "text": column.text,
                "group": column.group,
                "signature": column.signature,
                "hidden": column.hidden,
                "samples": samples.get(column.index, []),
            }
            for column in item.layout.columns
        ],
        "kinds": list(uses),
        "fits": {kind: _fit(use) for kind, use in fits.items()},
        "saved": [
            {
                "pk": mapping.pk,
                "sender": mapping.sender,
                "used": f"{timezone.localtime(mapping.used_at or mapping.updated_at):%Y-%m-%d}",
                "applied": mapping is item.applied,
            }
            for mapping in item.saved
        ],
    }


def _fit(use: Use) -> dict[str, Any]:
    return {
        "shape": use.resource.variant or use.resource.kind,
        "keys": {str(index): key for index, key in use.keys.items()},
        "how": {str(index): how for index, how in use.how.items()},
        "maybe": {str(index): list(guess.keys) for index, guess in use.guesses.items()},
        "strong": {str(index): key for index, key in use.strong.items()},
        "duplicates": {str(index): key for index, key in use.duplicates},
        "complete": use.complete,
    }
