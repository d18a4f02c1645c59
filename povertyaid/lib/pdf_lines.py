"""Justified Chinese lines in WeasyPrint.

WeasyPrint widens only the spaces of a justified line. Chinese has none, so that the right edge of a paper
would be ragged by a character or two wherever a punctuation mark, a half-width digit or a figure with its
unit cannot stand at the line's end. `install()` replaces the one function that justifies a line (in 70.0:
`weasyprint.layout.inline.justify_line`): a line with Chinese in it gets the same small addition between all
its characters, as CSS Text 3 §6.4 (`text-justify: inter-character` around ideographs) and word processors do
it. Lines without Chinese go to WeasyPrint's own function.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from unicodedata import east_asian_width

from weasyprint.formatting_structure import boxes
from weasyprint.layout import inline
from weasyprint.text.ffi import TO_UNITS, ffi
from weasyprint.text.line_break import Layout

# A line that needs more than this between two characters (in ems of the line) is one that could not be
# filled: pulled apart it reads worse than ragged.
_MOST = 0.5
# Signs that are drawn as one: a dash or dots of two characters must not be torn.
_JOINED = frozenset({"——", "……"})

_justify_by_spaces = inline.justify_line


def install() -> None:
    """Make WeasyPrint justify Chinese lines; calling it again changes nothing."""
    inline.justify_line = _justify


def opportunities(text: str) -> list[int]:
    """The positions in a line's text after which space may be added: beside full width or a space."""
    return [
        index
        for index, (left, right) in enumerate(pairwise(text))
        if (_widens(left) or _widens(right)) and left + right not in _JOINED
    ]


def _widens(character: str) -> bool:
    # “ ” — … are "ambiguous": full width in a Chinese paper.
    return character == " " or east_asian_width(character) in "WFA"


class _SpacedLayout(Layout):  # type: ignore[misc]  # WeasyPrint ships no types
    """The layout of one text box with additions after some of its characters."""

    def __init__(self, style: Any, text: str, gaps: frozenset[int], addition: float) -> None:
        """`gaps` are positions in the text, `addition` is in CSS pixels."""
        starts, offset = {}, 0
        for index, character in enumerate(text):
            if index in gaps:
                starts[offset] = index
            offset += len(character.encode())
        self._gaps = frozenset(starts)
        self._addition = round(addition * TO_UNITS)
        super().__init__(style)
        self.set_text(text)

    def setup(self, style: Any) -> None:
        """Start afresh: a layout is set up again each time that it is drawn."""
        self._spaced = False
        super().setup(style)

    def get_first_line(self) -> tuple[Any, Any]:
        """The line with its glyphs moved apart (once: Pango hands out the same line again)."""
        line, index = super().get_first_line()
        if not self._spaced:
            self._spaced = True
            run = line.runs[0]
            while run != ffi.NULL:
                self._space(run.data)
                run = run.next
        return line, index

    def _space(self, run: Any) -> None:
        """Widen the last glyph of each character that has a gap after it."""
        count, clusters, start = run.glyphs.num_glyphs, run.glyphs.log_clusters, run.item.offset
        for position in range(count):
            last = position + 1 == count or clusters[position + 1] != clusters[position]
            if last and start + clusters[position] in self._gaps:
                run.glyphs.glyphs[position].geometry.width += self._addition


def _justify(context: Any, line: Any, extra_width: float) -> None:
    """Spread `extra_width` (CSS pixels) over the line."""
    found: list[tuple[Any, str]] = []
    _collect(line, found)
    text = "".join(part for _box, part in found)
    gaps = opportunities(text)
    if not gaps or not any(east_asian_width(character) in "WF" for character in text):
        _justify_by_spaces(context, line, extra_width)
        return
    addition = extra_width / len(gaps)
    if addition > _MOST * line.style["font_size"]:
        return
    _spread(line, frozenset(gaps), addition, start=0, moved=0.0)


def _collect(box: Any, found: list[tuple[Any, str]]) -> None:
    """The text boxes of a line in order; whatever else stands in the line counts as one letter."""
    if isinstance(box, boxes.TextBox):
        found.append((box, box.text))
    elif isinstance(box, boxes.LineBox | boxes.InlineBox):
        for child in box.children:
            if child.is_in_normal_flow():
                _collect(child, found)
    else:
        found.append((box, "x"))


def _spread(
    box: Any, gaps: frozenset[int], addition: float, *, start: int, moved: float
) -> tuple[int, float]:
    """Move and widen the box, whose text starts at `start` of the line; both values for its successor."""
    if isinstance(box, boxes.TextBox):
        length = len(box.text)
        own = frozenset(position - start for position in gaps if start <= position < start + length)
        box.position_x += moved
        if own:
            layout = _SpacedLayout(box.style, box.text, own, addition)
            layout.deactivate()
            box.pango_layout = layout
            box.width += addition * len(own)
        return start + length, moved + addition * len(own)
    if isinstance(box, boxes.LineBox | boxes.InlineBox):
        box.position_x += moved
        before = moved
        for child in box.children:
            if child.is_in_normal_flow():
                start, moved = _spread(child, gaps, addition, start=start, moved=moved)
        box.width += moved - before
        return start, moved
    box.translate(moved, 0)
    step = addition if start in gaps else 0.0
    return start + 1, moved + step
