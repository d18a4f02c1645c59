"""Names of persons: one spelling for comparison, and a key that sorts alike in every database.

Names are mostly two to four characters; minority names have a middle dot and up to thirty; some characters
lie outside the basic plane. Compatibility characters and Kangxi radicals look right and compare wrong, so
they are replaced.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from operator import add

from django.utils.translation import gettext_lazy as _
from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT, RE_HANS

from povertyaid.lib.messages import MessageError

LONGEST = 30

# The first two characters of every word that has a reading of its own.
_BEGINNINGS = frozenset(word[:2] for word in PHRASES_DICT)

DOT = "·"
_DOTS = re.compile(r"[•・･．‧∙⋅●˙᛫•]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_HAN = (
    r"\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
    # Han characters without a compatibility mapping stand among the compatibility ideographs.
    r"\uf900-\ufaff\U0002f800-\U0002fa1f"
)
_BLANK_IN_HAN = re.compile(rf"(?<=[{_HAN}{DOT}])\s+(?=[{_HAN}{DOT}])")
# Characters that have one form only.
_PLAIN = re.compile(r"[\u4e00-\u9fff]+")
_VALID = re.compile(rf"(?=.*[{_HAN}A-Za-z])[{_HAN}A-Za-z\u00c0-\u024f{DOT} .'’-]+")


class PersonNameError(MessageError):
    """A text that is not the name of a person; codes: empty, length, characters."""


def normalise_name(text: str) -> tuple[str, tuple[str, ...]]:
    """The name in its one spelling, and the codes of what was changed.

    Codes: trimmed (blanks at the ends), nfkc (compatibility and radical forms, full-width letters),
    inner_blanks, dot. Raises PersonNameError when the result is no name.
    """
    if len(text) <= LONGEST and _PLAIN.fullmatch(text):
        return text, ()
    repairs: list[str] = []
    name = text.strip()
    if name != text:
        repairs.append("trimmed")
    dotted = _DOTS.sub(DOT, name)
    if dotted != name:
        repairs.append("dot")
    # Wide and unbroken blanks are blanks, not compatibility characters.
    spaced = re.sub(r"\s", " ", dotted)
    visible = unicodedata.normalize("NFKC", _INVISIBLE.sub("", spaced)).strip()
    if visible != spaced:
        repairs.append("nfkc")
    joined = re.sub(rf"\s*{DOT}\s*", DOT, _BLANK_IN_HAN.sub("", visible))
    joined = re.sub(r"\s+", " ", joined)
    if joined != visible or spaced != dotted:
        repairs.append("inner_blanks")
    _check(joined)
    return joined, tuple(repairs)


def _check(name: str) -> None:
    if not name:
        raise PersonNameError("empty", _("The name is missing."))
    if len(name) > LONGEST:
        raise PersonNameError("length", _("A name has at most %(longest)d characters."), {"longest": LONGEST})
    if _VALID.fullmatch(name) is None:
        raise PersonNameError(
            "characters", _("A name consists of Chinese characters, letters and the middle dot only.")
        )


@lru_cache(maxsize=8192)
def _of_character(character: str) -> str | None:
    """The pinyin of a Han character that stands by itself, None for every other sign."""
    return lazy_pinyin(character, style=Style.NORMAL)[0] if RE_HANS.match(character) else None


@lru_cache(maxsize=8192)
def _syllables(name: str) -> tuple[str, ...]:
    """Pinyin without tones; signs without a pinyin as they are.

    Words with a reading of their own (重庆) are looked up whole. A name in which no two neighbours begin a word is put
    together from its characters, which takes a tenth of the time: most names are such.
    """
    parts = [_of_character(character) for character in name]
    found = [part for part in parts if part is not None]
    if len(found) == len(parts) and not any(map(_BEGINNINGS.__contains__, map(add, name, name[1:]))):
        return tuple(found)
    return tuple(lazy_pinyin(name, style=Style.NORMAL))


@lru_cache(maxsize=8192)
def sort_key(name: str) -> str:
    """Pinyin without tones, lower case, syllables apart, then the name itself, so that namesakes' keys are stable.

    Characters without a pinyin stay as they are.
    """
    syllables = [part for part in _syllables(name) if part.strip()]
    return f"{' '.join(syllables).lower()} {name}".strip()


@lru_cache(maxsize=8192)
def initials(name: str) -> str:
    """The first letters of the syllables, as people type them into a search box: zp for 朱平."""
    return "".join(part[0] for part in _syllables(name) if part.strip() and part != DOT).lower()
