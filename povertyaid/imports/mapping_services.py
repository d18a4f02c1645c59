"""Writes of the mapping page: what a person decided about a file, and what is kept of it for the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from povertyaid.imports.models import ImportBatch, SavedMapping, WrongBatchMoveError
from povertyaid.imports.resources import in_order
from povertyaid.imports.schoolbook import SchoolBook
from povertyaid.imports.services import OPEN
from povertyaid.schools.scope import scope_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from povertyaid.imports.options import Options, Part
    from povertyaid.schools.models import School, User


@dataclass(frozen=True)
class Remembered:
    """A layout by the digest of its headers, and the parts of one of its sheets; none: it is not read."""

    digest: str
    parts: Sequence[Part]


@transaction.atomic
def decide_columns(
    *,
    batch: ImportBatch,
    user: User,
    options: Options,
    office: str,
    mapping: int | None = None,
    remember: Sequence[Remembered] = (),
) -> None:
    """Keep what a person decided about a file, and where asked to under the sender's name for the files to come.

    `mapping` is the key of the saved columns that were chosen. WrongBatchMoveError when the file was imported meanwhile.
    """
    locked = ImportBatch.objects.visible_to(user).select_for_update().get(pk=batch.pk)
    if locked.state not in OPEN:
        raise WrongBatchMoveError(f"An import that is {locked.state} cannot be decided about.")
    batch.refresh_from_db(fields=["version", "state"])
    saved = [_remember(batch, user, office, item) for item in remember]
    chosen = SavedMapping.objects.visible_to(user).filter(pk=mapping).first() if mapping else None
    if chosen is not None:
        chosen.used_at = timezone.now()
        chosen.save(update_fields=["used_at"])
    batch.kind = ",".join(in_order({part.kind for part in options.parts}))
    batch.options = options.as_json()
    batch.office = office
    batch.mapping = chosen or next(iter(saved), None)
    batch.save(update_fields=["kind", "options", "office", "mapping"])


def _remember(batch: ImportBatch, user: User, office: str, item: Remembered) -> SavedMapping:
    """Keep the columns of a layout; the same sender's for the same headers are replaced."""
    school = _keeper(batch, user)
    parts = [{"kind": part.kind, "columns": dict(part.columns)} for part in item.parts]
    known = SavedMapping.objects.visible_to(user).filter(
        county=batch.county, school=school, sender=office, digest=item.digest
    )
    found: SavedMapping | None = known.first()
    if found is None:
        found = SavedMapping(county=batch.county, school=school, sender=office, digest=item.digest)
    found.parts = parts
    found.used_at = timezone.now()
    found.save()
    return found


def _keeper(batch: ImportBatch, user: User) -> School | None:
    """Whose saved columns they are: the bureau's (None) where the account works for it, else a school's."""
    if batch.county_id in scope_of(user).county_ids:
        return None
    return batch.school or next(iter(SchoolBook(user).schools), None)
