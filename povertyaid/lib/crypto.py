"""Encryption and keyed hashes of values that must never be stored in the clear.

Keys come from the settings: FIELD_KEYS (Fernet keys, the first encrypts, all decrypt) and LOOKUP_KEY (HMAC-SHA-256).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# Hash by value, by domain; only inside `hashes_remembered`.
_remembered: ContextVar[dict[str, dict[str, str]] | None] = ContextVar("hashes_remembered", default=None)


class WrongKeyError(RuntimeError):
    """A stored value cannot be decrypted with any configured key."""


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current() -> MultiFernet:
    return _ring(tuple(settings.FIELD_KEYS))


def encrypt(text: str) -> str:
    """Return the Fernet token of `text`."""
    return encrypt_bytes(text.encode()).decode("ascii")


def decrypt(token: str) -> str:
    """Return the text of a token; raise WrongKeyError when no configured key fits (never the ciphertext)."""
    return decrypt_bytes(token.encode()).decode()


def encrypt_bytes(data: bytes) -> bytes:
    """Return the Fernet token of `data` (for files)."""
    return _current().encrypt(data)


def decrypt_bytes(token: bytes) -> bytes:
    """Return the bytes of a token; raise WrongKeyError when no configured key fits."""
    try:
        return _current().decrypt(token)
    except InvalidToken:
        msg = "A stored value cannot be read with the configured POVERTYAID_FIELD_KEYS."
        raise WrongKeyError(msg) from None


def rotate(token: str) -> str:
    """Return the same value encrypted with the first key; raise WrongKeyError when no key fits."""
    try:
        return _current().rotate(token.encode()).decode("ascii")
    except InvalidToken:
        msg = "A stored value cannot be read with the configured POVERTYAID_FIELD_KEYS."
        raise WrongKeyError(msg) from None


def lookup_hash(domain: str, value: str) -> str:
    """Return the keyed hash (64 hex digits) by which equal values of one domain find each other; "" for "".

    Domains in use: identity (pupils and household members share it, so that they can be linked),
    pupil_number, account.
    """
    if not value:
        return ""
    remembered = _remembered.get()
    if remembered is None:
        return _hash(domain, value)
    known = remembered.setdefault(domain, {})
    found = known.get(value)
    if found is None:
        found = known[value] = _hash(domain, value)
    return found


def _hash(domain: str, value: str) -> str:
    return hmac.digest(settings.LOOKUP_KEY.encode(), f"{domain}:{value}".encode(), "sha256").hex()


@contextmanager
def hashes_remembered() -> Iterator[None]:
    """Compute each hash once inside: an import asks a dozen times for that of every number. Forgotten at the end."""
    if _remembered.get() is not None:
        yield
        return
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)
