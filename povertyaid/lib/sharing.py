"""Equal texts of many records as one object: a database gives a copy with every row."""

from __future__ import annotations

from functools import lru_cache

from django.db import models

# Columns of words (states, sexes, groups) and not of names, and how many words of them are remembered.
_LONGEST_WORD = 20
_REMEMBERED = 1_000


@lru_cache(maxsize=64)
def _columns_of_words(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(
        field.attname
        for field in model._meta.concrete_fields
        if type(field) is models.CharField and (field.max_length or 0) <= _LONGEST_WORD
    )


def share_texts(record: models.Model, known: dict[str, str]) -> None:
    """Put the known object in the place of each word of a record; new ones become known, as long as they are few."""
    values = record.__dict__
    for name in _columns_of_words(type(record)):
        text = values.get(name)
        if text:
            same = known.get(text)
            if same is not None:
                values[name] = same
            elif len(known) < _REMEMBERED:
                known[text] = text
