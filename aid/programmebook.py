"""Which programme a cell means: by its name or by how lists also write it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from aid.models import Programme
from povertyaid.lib.messages import Message

if TYPE_CHECKING:
    from povertyaid.imports.resources import Row
    from povertyaid.schools.models import School, User

_SHOWN = 8


def name_key(text: str) -> str:
    """A programme's name for comparison: compatibility forms unified, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split())


class ProgrammeBook:
    """The programmes that the account may know of, read in one query."""

    def __init__(self, user: User) -> None:
        """Read them by name and synonyms; a name comes before another programme's synonym."""
        self._programmes = list(Programme.objects.visible_to(user))
        self._named: dict[str, list[Programme]] = {}
        self._synonyms: dict[str, list[Programme]] = {}
        for programme in self._programmes:
            self._named.setdefault(name_key(programme.name), []).append(programme)
            for text in filter(None, programme.synonyms.split("、")):
                self._synonyms.setdefault(name_key(text), []).append(programme)

    def find(self, row: Row, school: School | None) -> Programme | None:
        """The programme of a row: the county's own before a national one; None after refusing the row."""
        text = row.get("programme")
        counties = {None, school.county_id} if school is not None else {None}
        for names in (self._named, self._synonyms):
            found = [item for item in names.get(name_key(text), ()) if item.county_id in counties]
            own = [item for item in found if item.county_id is not None] or found
            if len(own) == 1:
                return own[0]
            if own:
                message = _("“%(programme)s” may be %(known)s. Write the full name of the programme.")
                params = {"programme": text, "known": "、".join(item.name for item in own)}
                row.refuse("programme", Message("programme", message, params))
                return None
        message = _(
            "“%(programme)s” is no programme. Known: %(known)s. The county can add it to the list of programmes."
        )
        known = "、".join(item.name for item in self._programmes[:_SHOWN])
        row.refuse("programme", Message("programme", message, {"programme": text, "known": f"{known}…"}))
        return None
