"""How sensitive values look on pages, in exports, errors, history and logs.

Identity and pupil numbers keep the first and last four characters, accounts the last four, mobiles three and
four. A value that is too short to keep so much is hidden whole.
"""

from __future__ import annotations

import re

_STAR = "*"
# Runs that can be an identity number (15 or 18), a pupil number, a certificate (20) or an account (up to 20
# digits); blanks and dashes between groups are how people write card numbers.
_LONG_RUN = re.compile(r"(?<![0-9])([GJLgjl]?[0-9](?:[ -]?[0-9]){14,19}(?:[Xx](?:[1-7][1-4])?)?)(?![0-9])")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")
# What is neither a mobile nor anything longer needs no closer look.
_SHORTEST_RUN = 11
_LIKELY = re.compile(rf"\d(?:[ -]?\d){{{_SHORTEST_RUN - 1}}}")
_FULLWIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")


def _ends(text: str, head: int, tail: int) -> str:
    if len(text) <= head + tail:
        return _STAR * len(text)
    return text[:head] + _STAR * (len(text) - head - tail) + text[len(text) - tail :]


def mask_identity(text: str) -> str:
    """4312**********0029: the first four and the last four characters."""
    return _ends(text, 4, 4)


def mask_pupil_number(text: str) -> str:
    """G431***********0029: the first four and the last four characters."""
    return _ends(text, 4, 4)


def mask_account(text: str) -> str:
    """**** 7080: the last four characters only, so that the length is not told either."""
    return f"**** {text[-4:]}" if len(text) > 4 else _STAR * 4


def mask_last_four(last_four: str) -> str:
    """The mask of an account of which only the last four characters are at hand."""
    return f"**** {last_four}" if last_four else ""


def mask_phone(text: str) -> str:
    """138****1234 for a mobile; a landline keeps its last three digits; several numbers are masked one by one."""
    if "、" in text:
        return "、".join(mask_phone(part) for part in text.split("、"))
    if len(text) == 11 and text.startswith("1"):
        return _ends(text, 3, 4)
    return _ends(text, 0, 3)


def mask_name(text: str) -> str:
    """张* for logs: the first character and one star, whatever the length."""
    return text[:1] + _STAR if text else ""


def scrub(text: str) -> str:
    """Free text for logs and errors: every long run of digits and every mobile number masked."""
    plain = text if text.isascii() else text.translate(_FULLWIDTH)
    if len(plain) < _SHORTEST_RUN or _LIKELY.search(plain) is None:
        return plain
    return _MOBILE.sub(_mask_mobile, _LONG_RUN.sub(_mask_run, plain))


def _mask_run(match: re.Match[str]) -> str:
    run = re.sub(r"[ -]", "", match[1])
    if len(run) == 18 or not run[0].isdigit():
        return mask_identity(run)
    return mask_account(run)


def _mask_mobile(match: re.Match[str]) -> str:
    return mask_phone(re.sub(r"[ -]", "", match[0]))
