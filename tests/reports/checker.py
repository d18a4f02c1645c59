"""The mistakes of SUMMARIES §4 that a program can see in a passage."""

from __future__ import annotations

import re

_HAN = r"[\u3400-\u9fff\U00020000-\U0003ffff]"
MISTAKES = {
    "half-width sign beside Chinese": re.compile(rf"{_HAN}\s*[,:;()!?\"']|[,:;()!?\"']\s*{_HAN}"),
    "full stop of a sentence in half width": re.compile(rf"{_HAN}\.|(?<!\d)\.{_HAN}"),
    "blank beside Chinese": re.compile(rf"{_HAN}[ \t]+|[ \t]+{_HAN}"),
    "date with dashes or leading zeros": re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\D0\d月|\D0\d日"),
    "range of years or days with a hyphen": re.compile(r"\d-\d"),
    "a nil figure": re.compile(r"(?<![\d.])0(?:人次|[人名户笔份件项个次对元%])"),
    "nothing said": re.compile(r"None|True|False|\{\{|\{%|¦"),
    "signs that follow each other": re.compile(r"[，；、。]{2,}|^[，；、。]|（）|，）|：。"),
    "separators of thousands": re.compile(r"\d,\d"),
    "an estimate before an exact figure": re.compile(r"[约近]\d"),
    "yuan in ten thousands without rounding to two places": re.compile(r"\d{5,}(?:\.\d+)?元|\d\.(?:\d|\d{3,})万元"),
    "words of other years": re.compile(r"贫困生|贫困学生"),
    "mixed speakers": re.compile(r"本校|该校"),
}


def mistakes(text: str) -> list[str]:
    """Return each mistake with the words around it."""
    found = []
    for line in text.splitlines():
        for name, pattern in MISTAKES.items():
            found += [
                f"{name}: …{line[max(0, hit.start() - 8) : hit.end() + 8]}…" for hit in pattern.finditer(line)
            ]
    return found
