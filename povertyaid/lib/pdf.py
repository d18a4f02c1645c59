"""Rendering of papers: HTML in, PDF out.

The template and `static/paper/paper.css` say how a paper looks; this module sees to what holds for all:

- nothing is fetched but `data:` URLs and files of the project's own static folders;
- the same input gives the same bytes (a signed paper must open unchanged), so that title, author, language
  and time come as arguments and never from the clock;
- all fonts are embedded, no character prints as a box, and a rare character does not push its line down;
- the PDF is tagged, in the language that is given, and carries no address of the office's server.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from povertyaid.lib import pdf_lines
from povertyaid.lib.messages import MessageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from xml.etree.ElementTree import Element

# Where `{% static %}` addresses such as /static/paper/paper.css are looked up. RFC 2606 keeps `.invalid` free
# of any real host, and the fetcher below never opens a connection.
BASE_URL = "https://paper.invalid/"

# A character from another font than its line's has another ascent; with its own line height it would push the
# line off the grid of 22 lines (Pango reports the union of both fonts).
_RARE_CLASS = "rare"
_RARE_CSS = f".{_RARE_CLASS} {{ line-height: 0 }}"
# Below: Latin letters, digits and general punctuation, which every Chinese font has although GB 2312 as
# Python knows it maps a few of them (— ·) to other code points.
_FIRST_CHECKED = 0x2100
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_VERBATIM = frozenset({"script", "style", "title", "textarea"})

pdf_lines.install()


class PdfError(MessageError):
    """A paper that could not be rendered; codes: forbidden, missing, glyphs, unreadable."""


class ForbiddenResource(PdfError):
    """The paper asks for something that is neither a data URL nor a file of the static folders."""


class MissingResource(PdfError):
    """A file of the static folders that the paper asks for does not exist."""


class MissingGlyphs(PdfError):
    """No font of this machine has these characters: they would print as boxes."""


def render_pdf(html: str, *, title: str, author: str, created: datetime, language: str = "zh-CN") -> bytes:
    """The paper as PDF; the same arguments give the same bytes on the same machine.

    `created` is aware: the time that the paper states, such as its data time. Raises ForbiddenResource,
    MissingResource and MissingGlyphs; ValueError when `created` has no time zone.
    """
    if created.tzinfo is None:
        raise ValueError("The time of a paper needs a time zone, or its bytes depend on the machine.")
    fetcher = StaticFetcher()
    # One configuration for each rendering: Pango's font maps must not be shared between threads.
    fonts = FontConfiguration()
    target = BytesIO()
    try:
        document = HTML(string=html, base_url=BASE_URL, url_fetcher=fetcher)
        root = document.etree_element
        root.set("lang", language)
        _drop_addresses(root)
        _isolate_rare(root)
        rendered = document.render(
            font_config=fonts, stylesheets=[CSS(string=_RARE_CSS, font_config=fonts)], pdf_tags=True
        )
        metadata = rendered.metadata
        metadata.title, metadata.authors, metadata.lang = title, [author], language
        metadata.created = metadata.modified = created.isoformat(timespec="seconds")
        metadata.description, metadata.generator, metadata.keywords = None, None, []
        rendered.write_pdf(target, pdf_tags=True, pdf_identifier=True)
    except FatalURLFetchingError as error:
        text = _("A file that the paper needs cannot be read: %(error)s.")
        raise fetcher.refusal or PdfError("unreadable", text, {"error": str(error)}) from error
    # WeasyPrint passes over what fails inside a drawing.
    if fetcher.refusal:
        raise fetcher.refusal
    missing = sorted({point for font in rendered.fonts.values() for point in font.missing})
    if missing:
        raise _without_glyphs(missing)
    return target.getvalue()


def signature_layout(unit: str, date: str) -> str:
    """The CSS class of an unsealed signature: which of its two lines stands two characters from the right.

    GB/T 9704—2012, 7.3.5.2: the unit's name, and the date two characters in from the name's start; a date
    that is longer than the name takes the place at the right, and the name moves left.
    """
    return "date-longer" if text_width(date) > text_width(unit) else "unit-longer"


def text_width(text: str) -> float:
    """The width in characters of the body: full width 1, half width ½ (letters, digits, half-width signs)."""
    # “ ” ‘ ’ — … are "ambiguous": full width in a Chinese paper.
    return sum(1.0 if east_asian_width(character) in "WFA" else 0.5 for character in text)


class StaticFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
    """Opens data URLs and files below STATIC_ROOT and STATICFILES_DIRS; all else is ForbiddenResource."""

    def __init__(self) -> None:
        """Every failure stops the rendering: a paper without its stylesheet must not go out."""
        super().__init__(allowed_protocols=("data",), allow_redirects=False, fail_on_errors=True)
        self.refusal: PdfError | None = None

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
        """The file or data behind an absolute address; `refusal` keeps the first error."""
        if urlsplit(url).scheme == "data":
            return super().fetch(url, headers)
        try:
            return _open(url)
        except PdfError as error:
            self.refusal = self.refusal or error
            raise


def _open(url: str) -> URLFetcherResponse:
    """A file of the static folders, by its address on the site or by its path."""
    parts = urlsplit(url)
    folders = _static_folders()
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return _open_below([Path(unquote(parts.path))], folders, url)
    static_url = urljoin(BASE_URL, settings.STATIC_URL or "/static/")
    address = parts._replace(query="", fragment="").geturl()
    if not address.startswith(static_url):
        raise _forbidden(url)
    relative = unquote(address.removeprefix(static_url))
    return _open_below([folder / relative for folder in folders], folders, url)


def _static_folders() -> list[Path]:
    """The source folders first (what the developer edits), then what collectstatic gathered."""
    configured: list[Any] = [*settings.STATICFILES_DIRS, settings.STATIC_ROOT]
    # Folders with a prefix (tuples) are not used here: their addresses differ from their paths.
    return [Path(folder).resolve() for folder in configured if folder and not isinstance(folder, tuple)]


def _open_below(candidates: list[Path], folders: list[Path], url: str) -> URLFetcherResponse:
    """The first candidate that exists; ForbiddenResource as soon as one leads out of the folders."""
    for candidate in candidates:
        try:
            path = candidate.resolve()
        except (OSError, ValueError):  # a loop of links, a null byte
            raise _forbidden(url) from None
        if not any(path.is_relative_to(folder) for folder in folders):
            raise _forbidden(url)
        if path.is_file():
            # The stylesheets of the project are UTF-8; the type of an image is found from its content.
            headers = {"Content-Type": "text/css; charset=utf-8"} if path.suffix == ".css" else {}
            return URLFetcherResponse(url, path.read_bytes(), headers)
    text = _("A file that the paper needs is missing: %(url)s. Run collectstatic, or mend the template.")
    raise MissingResource("missing", text, {"url": url})


def _forbidden(url: str) -> ForbiddenResource:
    text = _("A paper may only use files of the static folder; refused: %(url)s.")
    return ForbiddenResource("forbidden", text, {"url": url})


def _without_glyphs(points: list[int]) -> MissingGlyphs:
    text = _(
        "No font on the server has the characters %(characters)s: they would print as boxes. "
        "Install a font that has them (package fonts-noto-cjk, or fonts-hanazono for the rarest ones)."
    )
    named = "、".join(f"{chr(point)}（U+{point:04X}）" for point in points)
    return MissingGlyphs("glyphs", text, {"characters": named})


def _drop_addresses(root: Element) -> None:
    """Take the targets off links: on paper they lead nowhere, and they would tell the server's addresses."""
    for link in root.iter("a"):
        if not link.get("href", "").startswith("#"):
            link.attrib.pop("href", None)


def _isolate_rare(root: Element) -> None:
    """Put characters that the body's font may lack into spans of their own (see `_RARE_CSS`)."""
    for element in list(root.iter()):
        tag: object = element.tag
        # A comment's tag is no string; "{" opens the namespace of SVG, whose text holds no spans.
        if not isinstance(tag, str) or tag in _VERBATIM or tag.startswith("{"):
            continue
        tails = [(position, child.tail) for position, child in enumerate(element) if child.tail]
        for position, tail in reversed(tails):
            element[position].tail = None
            _insert(element, position + 1, tail)
        if element.text:
            text, element.text = element.text, None
            _insert(element, 0, text)


def _insert(parent: Element, position: int, text: str) -> None:
    """Put the text before the child at `position`, its rare parts as spans."""
    previous = parent[position - 1] if position else None
    for part, rare in _parts(text):
        if rare:
            previous = parent.makeelement("span", {"class": _RARE_CLASS})
            previous.text = part
            parent.insert(position, previous)
            position += 1
        elif previous is None:
            parent.text = part
        else:
            previous.tail = part


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in runs, with whether they are rare."""
    run, rare = "", False
    for character in text:
        selector = any(ord(character) in selectors for selectors in _VARIATION_SELECTORS)
        if selector and run and not rare:
            # A variant is drawn by the font that has it: the selector stays with its character.
            if run[:-1]:
                yield run[:-1], False
            run, rare = run[-1] + character, True
            continue
        now = selector or _is_rare(character)
        if run and now != rare:
            yield run, rare
            run = ""
        run, rare = run + character, now
    if run:
        yield run, rare


def _is_rare(character: str) -> bool:
    """Whether a font of the 6,763 characters of GB 2312, as those for official papers are, may lack it."""
    if ord(character) < _FIRST_CHECKED:
        return False
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False
