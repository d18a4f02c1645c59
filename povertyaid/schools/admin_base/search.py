"""Search by name, pinyin, last four characters and exact numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import get_fields_from_path, lookup_spawns_duplicates
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Replace

from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.fields import EncryptedField

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db import models

_LETTERS = re.compile(r"[A-Za-z]+")
_LAST_FOUR = re.compile(r"\d{3}[\dXx]")
_NUMBER = re.compile(r"[GJLgjl]?\d{7,31}[\dXx]")
_FULLWIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")


def joined(prefix: str, name: str) -> str:
    """Return the look-up path of a field of a related model ("" = the model itself)."""
    return f"{prefix}__{name}" if prefix else name


def search(
    queryset: QuerySet[Any],
    term: str,
    *,
    people: Iterable[str] = (),
    numbers: Iterable[tuple[str, str, str]] = (),
    plain: Iterable[str] = (),
) -> tuple[QuerySet[Any], bool]:
    """Return the records that match every word of `term`, and whether some may come twice.

    `people`: paths to models with name, name_key and name_initials; a word of letters matches the beginning of the
    initials or of the whole pinyin. `numbers`: (encrypted field, its hash, its last four); a word of four characters
    matches the last four, a longer one the whole number, by its hash. `plain`: fields that contain the word.
    """
    model = queryset.model
    words = term.translate(_FULLWIDTH).split()
    paths = set(plain)
    for prefix in people:
        paths.add(joined(prefix, "name"))
    for position, prefix in enumerate(people):
        if any(_LETTERS.fullmatch(word) for word in words):
            alias = f"_pinyin_{position}"
            queryset = queryset.alias(**{alias: Replace(F(joined(prefix, "name_key")), Value(" "), Value(""))})
    for word in words:
        queryset = queryset.filter(_match(model, word, list(people), list(numbers), list(plain)))
    paths |= {path for triple in numbers for path in triple[1:]}
    return queryset, any(lookup_spawns_duplicates(model._meta, path) for path in paths)


def _match(
    model: type[models.Model],
    word: str,
    people: Sequence[str],
    numbers: Sequence[tuple[str, str, str]],
    plain: Sequence[str],
) -> Q:
    found = Q(pk__in=())
    for path in plain:
        found |= Q(**{f"{path}__icontains": word})
    for position, prefix in enumerate(people):
        found |= Q(**{joined(prefix, "name") + "__icontains": word})
        if _LETTERS.fullmatch(word):
            letters = word.lower()
            found |= Q(**{joined(prefix, "name_initials") + "__startswith": letters})
            found |= Q(**{f"_pinyin_{position}__startswith": letters})
    for path, hash_path, tail_path in numbers:
        if _LAST_FOUR.fullmatch(word):
            found |= Q(**{tail_path: word.upper()})
        elif _NUMBER.fullmatch(word):
            field = get_fields_from_path(model, path)[-1]
            if isinstance(field, EncryptedField):
                found |= Q(**{hash_path: lookup_hash(field.domain, word.upper())})
    return found
