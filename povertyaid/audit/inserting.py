"""Puts many rows into a table at once: keys are taken beforehand, values are prepared column by column.

Django's bulk_create and bulk_update build their SQL anew for every few dozen rows (SQLite allows 999 parameters) and
prepare every value by itself; that took more than half of the time of an import. Here SQLite gets one statement for all
rows and PostgreSQL one COPY. Only `povertyaid.audit.services` calls this, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import connection, models
from django.utils import timezone

from povertyaid.lib.fields import EncryptedField, HashField, PhoneField, TailField

CHUNK = 2_000
Values = Sequence[Any]
Prepare = Callable[[Values], Values]
# Text in these is stored as it is; other values in them, and every other field, go through the field.
_PLAIN_TEXT = frozenset(
    {models.CharField, models.TextField, models.SlugField, HashField, PhoneField, TailField}
)
_AS_THEY_ARE = frozenset(
    {models.BigIntegerField, models.PositiveIntegerField, models.PositiveSmallIntegerField}
)


def insert(model: type[models.Model], instances: Sequence[models.Model]) -> None:
    """Store new records of one model; afterwards they have their keys, as after bulk_create.

    What they point to must be stored already.
    """
    if any(instance.pk is not None for instance in instances):
        # Keys that somebody chose: the sequences of the database know nothing of them.
        model._default_manager.bulk_create(instances)
        return
    columns = [field for field in model._meta.concrete_fields if not field.primary_key]
    now = timezone.now()
    key_name = _key_of(model).attname
    for start in range(0, len(instances), CHUNK):
        part = instances[start : start + CHUNK]
        keys = _take_keys(model, len(part))
        prepared = [keys, *(_prepared(field, _read(field, part, now)) for field in columns)]
        _write(model, [_key_of(model), *columns], zip(*prepared, strict=True))
        for instance, key in zip(part, keys, strict=True):
            setattr(instance, key_name, key)
            instance._state.adding = False
            instance._state.db = connection.alias


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Values]) -> None:
    """Store rows without an instance for each: `names` are columns (attnames), `rows` their values.

    Columns that are not named get their default, dates of entry the present time. The values of a JSON column may all
    be JSON as text.
    """
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    given = {name: position for position, name in enumerate(names)}
    now = timezone.now()
    source = iter(rows)
    while part := list(islice(source, CHUNK)):
        by_name = list(zip(*part, strict=True))
        prepared: list[Values] = [_take_keys(model, len(part))]
        for field in fields:
            if field.attname in given:
                values = by_name[given[field.attname]]
                as_text = isinstance(field, models.JSONField) and all(
                    value is None or type(value) is str for value in values
                )
                prepared.append(values if as_text else _prepared(field, values))
            else:
                value = now if _is_dated(field) else field.get_default()
                prepared.append([field.get_db_prep_save(value, connection)] * len(part))
        _write(model, [_key_of(model), *fields], zip(*prepared, strict=True))


def update(model: type[models.Model], instances: Sequence[models.Model], names: Iterable[str]) -> None:
    """Store some fields of records of one model as the instances hold them."""
    fields = [model._meta.get_field(name) for name in names]
    columns = [field for field in fields if isinstance(field, models.Field)]
    quote = connection.ops.quote_name
    places = ", ".join(f"{quote(_column(field))} = %s" for field in columns)
    statement = (
        f"UPDATE {quote(model._meta.db_table)} SET {places} WHERE {quote(_column(_key_of(model)))} = %s"  # noqa: S608
    )
    now = timezone.now()
    for start in range(0, len(instances), CHUNK):
        part = instances[start : start + CHUNK]
        prepared = [_prepared(field, _read(field, part, now)) for field in columns]
        with connection.cursor() as cursor:
            cursor.executemany(statement, list(zip(*prepared, [item.pk for item in part], strict=True)))


def _key_of(model: type[models.Model]) -> models.Field[Any, Any]:
    key: models.Field[Any, Any] = model._meta.pk
    return key


def _column(field: models.Field[Any, Any]) -> str:
    return str(field.column)


def _is_dated(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.DateTimeField) and (field.auto_now or field.auto_now_add)


def _read(field: models.Field[Any, Any], part: Sequence[models.Model], now: Any) -> Values:
    """The values of one column; keys of related records that were stored since are filled in."""
    name = field.attname
    if _is_dated(field):
        for instance in part:
            instance.__dict__[name] = now
        return [now] * len(part)
    if isinstance(field, models.ForeignKey):
        for instance in part:
            related = instance._state.fields_cache.get(field.name)
            if related is not None and instance.__dict__[name] is None:
                key = getattr(related, field.target_field.attname)
                if key is None:
                    msg = f"{field.name} of {instance!r} is not stored yet."
                    raise ValueError(msg)
                instance.__dict__[name] = key
    elif type(field).pre_save is not models.Field.pre_save:
        return [field.pre_save(instance, True) for instance in part]
    return [instance.__dict__[name] for instance in part]


def _prepared(field: models.Field[Any, Any], values: Values) -> Values:
    """The values as the database takes them."""
    kind = type(field)
    if isinstance(field, models.ForeignKey):
        kind = type(field.target_field)
        if kind is models.BigAutoField:
            kind = models.BigIntegerField
    if kind in _AS_THEY_ARE and all(type(value) is int or value is None for value in values):
        return values
    if kind in _PLAIN_TEXT and all(type(value) is str for value in values):
        return values
    if isinstance(field, EncryptedField):
        return [field.wrap(value).token for value in values]
    if isinstance(field, models.JSONField | models.BinaryField):
        return [field.get_db_prep_save(value, connection) for value in values]
    seen: dict[Any, Any] = {}
    for value in values:
        # True and 1 are equal, and are not the same to a database.
        key = (type(value), value)
        if key not in seen:
            seen[key] = field.get_db_prep_save(value, connection)
    return [seen[type(value), value] for value in values]


def _take_keys(model: type[models.Model], count: int) -> Sequence[int]:
    """The next keys of a table, which nobody else gets.

    On SQLite the transaction holds the only right to write; PostgreSQL's sequence gives each number once.
    """
    table, column = model._meta.db_table, _key_of(model).column
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            # No row stands there as long as nothing was ever stored.
            last = (cursor.fetchone() or (0,))[0]
            return range(last + 1, last + 1 + count)
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [connection.ops.quote_name(table), column, count],
        )
        return [row[0] for row in cursor.fetchall()]


@lru_cache(maxsize=256)
def _statement(vendor: str, table: str, columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    if vendor == "postgresql":
        return f"COPY {quote(table)} ({names}) FROM STDIN"
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(table)} ({names}) VALUES ({places})"  # noqa: S608 - names of our own columns


def _write(
    model: type[models.Model], fields: Sequence[models.Field[Any, Any]], rows: Iterable[Values]
) -> None:
    statement = _statement(connection.vendor, model._meta.db_table, tuple(map(_column, fields)))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(statement, list(rows))
            return
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
