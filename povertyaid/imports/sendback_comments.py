"""Tens of thousands of comments in a workbook: openpyxl makes a tree of each, here they are written as text.

openpyxl writes the first comment of a sheet and with it all parts and references that a sheet with comments has; the
content of these parts is then put in its place.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# The frame of a drawing with notes as Excel itself writes it (ECMA-376 part 4, 14.2.2).
_DRAWING = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/>'
    '</o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
    'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" '
    'o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = (
    '<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;width:{width}px;height:{height}px;'
    'visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow color="black" '
    'obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div '
    'style="text-align:left"/></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
    "<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
_FIRST_SHAPE = 1025
WIDTH = 320


@dataclass(frozen=True, slots=True)
class Placed:
    """A comment: row and column of its cell from 1, the text, the height of its box in pixels."""

    row: int
    column: int
    text: str
    height: int


@dataclass
class SheetComments:
    """The comments of one sheet, in the order in which they were added."""

    author: str
    placed: list[Placed] = field(default_factory=list)

    def texts(self) -> Iterator[bytes]:
        """The part with the texts, in pieces."""
        yield f'<comments xmlns="{_MAIN}"><authors><author>{escape(self.author)}</author></authors><commentList>'.encode()
        for item in self.placed:
            place = f"{get_column_letter(item.column)}{item.row}"
            text = escape(item.text)
            yield (
                f'<comment ref="{place}" authorId="0" shapeId="0"><text><t xml:space="preserve">{text}</t></text></comment>'
            ).encode()
        yield b"</commentList></comments>"

    def shapes(self) -> Iterator[bytes]:
        """The part with the boxes in which they are shown, in pieces."""
        yield _DRAWING.encode()
        for number, item in enumerate(self.placed, start=_FIRST_SHAPE):
            yield _SHAPE.format(
                number=number, width=WIDTH, height=item.height, row=item.row - 1, column=item.column - 1
            ).encode()
        yield b"</xml>"


def with_comments(data: bytes, sheets: list[SheetComments]) -> bytes:
    """An .xlsx file whose sheets have one comment each, with all of theirs; `sheets` in the order of the workbook."""
    parts = {}
    for number, sheet in enumerate((sheet for sheet in sheets if sheet.placed), start=1):
        parts[f"xl/comments/comment{number}.xml"] = sheet.texts
        parts[f"xl/drawings/commentsDrawing{number}.vml"] = sheet.shapes
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            with target.open(name, "w", force_zip64=True) as part:
                if name in parts:
                    for piece in parts[name]():
                        part.write(piece)
                else:
                    with source.open(name) as stored:
                        while piece := stored.read(1 << 20):
                            part.write(piece)
    return out.getvalue()
