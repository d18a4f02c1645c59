"""Text files: their encoding, and what stands between their cells."""

from __future__ import annotations

import codecs
import csv
import io
import re

from povertyaid.lib.sheets.grid import Builder
from povertyaid.lib.sheets.model import Limits, UnreadableFileError, Value, Workbook
from povertyaid.lib.sheets.refusals import bad_encoding, damaged, too_large, unknown

_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f]")
_SEPARATOR_LINE = re.compile(r"sep=([,;:|\t^~#])(?:\r\n|\r|\n)", re.IGNORECASE)
_DELIMITERS = ",\t;|"
_SNIFFED_LINES = 60
_SNIFFED_BYTES = 64 * 1024
# Stray control characters come from terminals and old programs; a file with more than one in fifty is no text.
_MOST_CONTROLS = 0.02
_HANZI = re.compile(r"[\u4e00-\u9fff]")
_FEWEST_HANZI = 20
# The share of characters of the first level (GB 2312: the 3755 of daily use, lead bytes B0 to D7) in a Chinese
# text is above nine in ten. In Big5 read as gb18030 it is about a third.
_OWN_SHARE = 0.6
_RIVAL_SHARE = 0.9
# What lists are written with: letters and digits, Chinese characters and punctuation, full-width forms. Read with the
# bytes of each character exchanged, hardly anything of it is.
_USUAL = re.compile(r"[\t\r\n\x20-\x7e\u2010-\u2027\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_USUAL_SHARE = 0.9
_BOM_CHARACTERS = "\ufeff"


def decode(data: bytes) -> tuple[str, str]:
    """Text and encoding: by the mark, else UTF-8, else UTF-16, else gb18030 (gbk lacks characters of real names).

    UnreadableFileError: encoding when none of them fits, or Big5 fits clearly better; unknown for what is no text.
    """
    if data.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif b"\x00" in data:
        candidates = [_wide_encoding(data)]
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text or len(_CONTROL.findall(text)) > len(text) * _MOST_CONTROLS:
            raise unknown()
        if encoding == "gb18030" and _is_rather_big5(data):
            break
        # Programs for DOS end a text so.
        return text.rstrip("\x1a"), encoding
    raise bad_encoding()


def _wide_encoding(data: bytes) -> str:
    """The order of bytes in a text of two bytes a character without a mark: the one in which it makes sense."""
    start = data[: min(len(data), _SNIFFED_BYTES) & ~1]
    for encoding in ("utf-16-le", "utf-16-be"):
        text = start.decode(encoding, "replace")
        if len(data) % 2 == 0 and len(_USUAL.findall(text)) > len(text) * _USUAL_SHARE:
            return encoding
    raise unknown()


def _is_rather_big5(data: bytes) -> bool:
    """Whether these bytes, which gb18030 takes, are clearly Big5 (Taiwan, Hong Kong)."""
    start = data[:_SNIFFED_BYTES]
    try:
        rival = start.decode("big5", "ignore")
        text = start.decode("gb18030", "ignore")
    except UnicodeDecodeError:
        return False
    hanzi, rivals = _HANZI.findall(text), _HANZI.findall(rival)
    if len(hanzi) < _FEWEST_HANZI or len(rivals) < _FEWEST_HANZI:
        return False
    common = sum(map(_is_common, hanzi))
    rival_common = sum(0xA4 <= character.encode("big5")[0] <= 0xC6 for character in rivals)
    return bool(common < len(hanzi) * _OWN_SHARE and rival_common > len(rivals) * _RIVAL_SHARE)


def _is_common(character: str) -> bool:
    lead, trail = character.encode("gb18030")[:2]
    return 0xB0 <= lead <= 0xD7 and trail >= 0xA1


def read_text(text: str, encoding: str, name: str, limits: Limits) -> Workbook:
    """The workbook in a text with commas, tabs, semicolons or bars; all its values are texts."""
    text = text.lstrip(_BOM_CHARACTERS)
    separator = _SEPARATOR_LINE.match(text)
    if separator is not None:
        # Excel obeys this line and does not count it as a row.
        text = text[separator.end() :]
    delimiter = separator[1] if separator is not None else _delimiter(text)
    builder = Builder(name, limits)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            values: list[Value] = [value or None for value in row]
            if max(map(len, row), default=0) > limits.cell_characters:
                raise _too_long(max(row, key=len), limits)
            builder.add(number, values)
    except csv.Error as error:
        raise damaged(error) from error
    return Workbook("csv", encoding, [builder.build()])


def _too_long(cell: str, limits: Limits) -> UnreadableFileError:
    if "\n" in cell or "\r" in cell:
        return damaged("a quote that does not end")
    return too_large("cell_characters", limits.cell_characters)


def _delimiter(text: str) -> str:
    """The character that splits most of the first lines into the same number of cells."""
    lines = []
    for line in io.StringIO(text[:_SNIFFED_BYTES], newline=""):
        lines.append(line)
        if len(lines) == _SNIFFED_LINES:
            break
    best, best_score = ",", 0
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        score = max((wide.count(width) * width for width in set(wide)), default=0)
        if score > best_score:
            best, best_score = delimiter, score
    return best
