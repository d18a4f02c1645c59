"""Readers of environment variables that fail loudly.

A value that cannot be understood stops the start with a message that names the variable;
nothing falls back in silence. Every secret can also come from a file (NAME_FILE).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

PREFIX = "POVERTYAID_"
# Keys that stand in documentation or tests and must never protect real records.
KNOWN_KEYS = frozenset({"change-me", "changeme", "secret", "insecure", "test", "demo"})
MINIMUM_SECRET_LENGTH = 32


def text(name: str, default: str | None = None) -> str:
    """Return POVERTYAID_<name>; raise ImproperlyConfigured when it is missing without a default."""
    value = os.environ.get(PREFIX + name)
    if value is None or value == "":
        if default is None:
            msg = f"{PREFIX}{name} is not set."
            raise ImproperlyConfigured(msg)
        return default
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no setting; anything but 1/0, true/false, yes/no, on/off is refused."""
    value = os.environ.get(PREFIX + name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    msg = f"{PREFIX}{name} must be 1 or 0 (true/false, yes/no, on/off), not {value!r}."
    raise ImproperlyConfigured(msg)


def integer(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    value = os.environ.get(PREFIX + name, "").strip()
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        msg = f"{PREFIX}{name} must be a whole number of at least {least}, not {value!r}."
        raise ImproperlyConfigured(msg)
    return int(value)


def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
    """Return one of the allowed words."""
    value = os.environ.get(PREFIX + name, "").strip() or default
    if value not in allowed:
        msg = f"{PREFIX}{name} must be one of {', '.join(allowed)}, not {value!r}."
        raise ImproperlyConfigured(msg)
    return value


def words(name: str, default: list[str]) -> list[str]:
    """Return a comma-separated list without blanks."""
    value = os.environ.get(PREFIX + name, "")
    found = [word.strip() for word in value.split(",") if word.strip()]
    return found or default


def secret(name: str, kept_in: Path | None, *, fernet: bool = False) -> str:
    """Return a secret from POVERTYAID_<name>, from the file that POVERTYAID_<name>_FILE names, or from `kept_in`.

    `kept_in` (embedded mode only) is made with a random secret when it is missing.
    """
    given, given_file = os.environ.get(PREFIX + name), os.environ.get(PREFIX + name + "_FILE")
    if given and given_file:
        msg = f"Set either {PREFIX}{name} or {PREFIX}{name}_FILE, not both."
        raise ImproperlyConfigured(msg)
    if given_file:
        path = Path(given_file)
        if not path.is_file():
            msg = f"{PREFIX}{name}_FILE names {given_file}, which is not a file."
            raise ImproperlyConfigured(msg)
        given = path.read_text(encoding="utf-8").strip()
    if not given and kept_in is not None:
        given = _kept(kept_in, fernet=fernet)
    if not given:
        msg = f"{PREFIX}{name} (or {PREFIX}{name}_FILE) is not set; production needs it."
        raise ImproperlyConfigured(msg)
    if not fernet and (len(given) < MINIMUM_SECRET_LENGTH or given.lower() in KNOWN_KEYS):
        msg = f"{PREFIX}{name} must be a random secret of at least {MINIMUM_SECRET_LENGTH} characters."
        raise ImproperlyConfigured(msg)
    return given


def fernet_keys(value: str) -> list[str]:
    """Split and check comma-separated Fernet keys; the first encrypts, all decrypt."""
    keys = [key.strip() for key in value.split(",") if key.strip()]
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            msg = (
                f"{PREFIX}FIELD_KEYS: key number {position} is not a Fernet key (32 bytes, url-safe base64)."
            )
            raise ImproperlyConfigured(msg) from error
    if not keys:
        msg = f"{PREFIX}FIELD_KEYS holds no key."
        raise ImproperlyConfigured(msg)
    return keys


def _kept(path: Path, *, fernet: bool) -> str:
    if not path.exists():
        if any(path.parent.parent.glob("*.sqlite3")) and not any(path.parent.glob("*")):
            msg = (
                f"{path.parent} holds no keys although a database exists beside it. Restore the keys that belong to"
                " this database: new ones could not read its records."
            )
            raise ImproperlyConfigured(msg)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        value = Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(48)
        # Written aside and linked into place: two processes that start together agree on one key.
        aside = path.with_suffix(f".{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(value, encoding="utf-8")
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text(encoding="utf-8").strip()


def database(url: str, *, base: Path) -> dict[str, Any]:
    """Turn a database URL into Django's setting.

    Allowed: sqlite:///relative/or/absolute/path (four slashes for an absolute one), postgres://user:password@host:port/name
    (with ?host=/socket/folder and other libpq options). Anything else raises ImproperlyConfigured.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = parts.path.removeprefix("/")
        if not path:
            msg = f"{PREFIX}DATABASE_URL: sqlite needs a path, as in sqlite:///var/povertyaid.sqlite3."
            raise ImproperlyConfigured(msg)
        name = path if path == ":memory:" else str(base / unquote(path))
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name,
            "OPTIONS": {
                # Writers wait for each other instead of failing; IMMEDIATE takes the lock at the start of a
                # transaction, so that none fails half-way through (DESIGN: pages never answer 500 while an import runs).
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        name = unquote(parts.path.lstrip("/"))
        if not name:
            msg = f"{PREFIX}DATABASE_URL: the name of the PostgreSQL database is missing."
            raise ImproperlyConfigured(msg)
        try:
            port = parts.port
        except ValueError as error:
            msg = f"{PREFIX}DATABASE_URL: the port is not a number."
            raise ImproperlyConfigured(msg) from error
        options = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", parts.hostname or ""),
            "PORT": str(port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    msg = f"{PREFIX}DATABASE_URL must begin with sqlite:// or postgres://, not {parts.scheme or url[:10]!r}."
    raise ImproperlyConfigured(msg)
