"""How much goes into one statement."""

from __future__ import annotations

import sqlite3

from django.db import connection

# A scope and other conditions need parameters of their own.
_OTHER_PARAMETERS = 199


def keys_at_once(most: int) -> int:
    """How many values one statement may look up: `most`, or fewer where SQLite was built for 999 parameters."""
    if connection.vendor != "sqlite":
        return most
    connection.ensure_connection()
    allowed: int = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return min(most, allowed - _OTHER_PARAMETERS)
