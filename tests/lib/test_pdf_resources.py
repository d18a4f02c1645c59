"""What a paper may fetch: files of the static folders and data URLs, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from povertyaid.lib.pdf import ForbiddenResource, MissingResource, PdfError, render_pdf


def rendered(html: str) -> bytes:
    """The PDF of the HTML with fixed metadata."""
    return render_pdf(html, title="总结", author="青石坳中心完小", created=datetime(2026, 7, 5, tzinfo=UTC))


FORBIDDEN = [
    "http://127.0.0.1:1/a.css",
    "https://example.invalid/a.css",
    "//example.invalid/static/a.css",
    "ftp://example.invalid/a.css",
    "file:///etc/passwd",
    "file://example.invalid/etc/passwd",
    "/static/../manage.py",
    "/static/%2e%2e/manage.py",
    "/static/paper/..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
    "/static/%00",
    "/media/scan.png",
    "manage.py",
]


@pytest.mark.parametrize("url", FORBIDDEN)
@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="{url}">',
        '<img src="{url}">',
        '<link rel="attachment" href="{url}">',
        "<style>@import url({url})</style>",
        "<style>p {{ background: url({url}) }}</style><p>文</p>",
        '<style>@font-face {{ font-family: "x"; src: url({url}) }}</style><p>文</p>',
    ],
)
def test_fetches_outside_the_static_folder_are_refused(html: str, url: str) -> None:
    """By a stylesheet, an image, an attachment, an import, a background or a font."""
    with pytest.raises(ForbiddenResource) as caught:
        rendered(html.format(url=url))
    assert caught.value.code == "forbidden"


def test_data_are_no_way_out() -> None:
    """A stylesheet or a drawing that comes as data gets no further than the page does."""
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        '<image href="file:///etc/passwd" width="9" height="9"/></svg>'
    )
    for html in (
        '<link rel="stylesheet" href="data:text/css,@import url(file:///etc/passwd)">',
        f"<img alt='图' src='data:image/svg+xml,{drawing}'>",
    ):
        with pytest.raises(ForbiddenResource):
            rendered(html)


def test_symbolic_link_out_of_the_folder_is_refused(tmp_path: Path, settings: Any) -> None:
    """Neither a link to a file elsewhere nor one that turns in circles."""
    folder = tmp_path / "static"
    folder.mkdir()
    (tmp_path / "secret.css").write_text("p { color: red }")
    (folder / "link.css").symlink_to(tmp_path / "secret.css")
    (folder / "loop.css").symlink_to(folder / "loop.css")
    settings.STATICFILES_DIRS = [folder]
    settings.STATIC_ROOT = None
    with pytest.raises(ForbiddenResource):
        rendered('<link rel="stylesheet" href="/static/link.css">')
    with pytest.raises(PdfError):
        rendered('<link rel="stylesheet" href="/static/loop.css">')


def test_missing_file_is_an_error() -> None:
    """A paper without its stylesheet must not go out."""
    with pytest.raises(MissingResource, match=r"paper/none\.css"):
        rendered('<link rel="stylesheet" href="/static/paper/none.css">')


def test_gathered_files_and_data_are_read(tmp_path: Path, settings: Any) -> None:
    """STATIC_ROOT counts too (names with a digest stand only there), with a query; file: below it; data."""
    (tmp_path / "a.0123.css").write_text("@page { size: 100mm 50mm }")
    settings.STATIC_ROOT = tmp_path
    for url in ("/static/a.0123.css?v=1", (tmp_path / "a.0123.css").as_uri()):
        made = rendered(f'<link rel="stylesheet" href="{url}"><p>文</p>')
        assert float(PdfReader(BytesIO(made)).pages[0].mediabox.width) == pytest.approx(
            100 * 72 / 25.4, abs=0.1
        )
    assert rendered('<link rel="stylesheet" href="data:text/css,p{color:red}"><p>文</p>')
