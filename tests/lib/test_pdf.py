"""The page of a paper, measured on the PDF itself: GB/T 9704—2012 in the numbers of docs/paper.md."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
from django.conf import settings
from django.template import engines
from fontTools.pens.recordingPen import DecomposingRecordingPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from pypdf import PdfReader

from povertyaid.lib import pdf_lines
from povertyaid.lib.pdf import (
    MissingGlyphs,
    render_pdf,
    signature_layout,
    text_width,
)

MM = 72 / 25.4
SIZE, PITCH = 15.75, 28.95
TOP, BOTTOM, INNER, OUTER = 37 * MM, 35 * MM, 28 * MM, 26 * MM
WIDTH = 156 * MM
RARE = "𬭚𫖯䶮"
CREATED = datetime(2026, 7, 5, 1, 30, tzinfo=UTC)
UNIT, DATE = "青石坳中心完小", "2026年7月5日"
# Nineteen characters, so that they start at another place in each line of 28.
PLAIN = "春风化雨润物无声大山深处书声朗朗师生同"

Line = list[dict[str, Any]]

SAMPLE = """
{% extends "paper/base.html" %}
{% block basis %}<p><span class="nb">2026年</span>上半年，我校按照《教育部等六部门关于做好家庭经济困难学生认定工作的
指导意见》（教财〔2018〕16号）开展工作，学生王𬭚、李𫖯、䶮小明的名字都要印出来。</p>{% endblock %}
{% block body %}
<h2>一、摸底建档</h2>
<p>名单涉及我校<a class="figure nb" href="/reports/1/">612人</a>，核实在校<a class="figure nb"
href="/reports/2/">598人</a>；另<span class="nb">14人</span>不在我校就读，去向已报县学生资助管理中心。</p>
<h3>（一）名单复核</h3>
<p>{{ plain }}</p>
<p><span class="run-in">一是摸清底数。</span>{{ plain }}𬭚，{{ plain }}</p>
<h4>1. 材料</h4>
<p>“四有”好教师——“一对一”帮扶……{{ plain }}</p>
<p>{{ plain }}{{ plain }}</p>
{% endblock %}
{% block attachments %}<section class="sheet attachment">
<p class="attachment-mark">附件1</p>
<h1 class="title">2026年春季学期学生资助情况统计表</h1>
<p class="table-unit">单位：万元</p>
<div class="table-wrap"><table>
<thead><tr><th>序号</th><th>项目</th><th class="num">人次</th><th class="num">金额</th></tr></thead>
<tbody>{% for row in rows %}<tr><td class="mid">{{ row }}</td><td>生活补助𬭚</td>
<td class="num">1,234</td><td class="num">{{ row }}.3456</td></tr>{% endfor %}</tbody>
<tfoot><tr class="total"><td class="mid" colspan="2">合计</td><td class="num">9</td>
<td class="num">345.6789</td></tr></tfoot>
</table></div></section>{% endblock %}
"""


def page(template: str = '{% extends "paper/base.html" %}', **context: object) -> str:
    """The HTML of a paper as the PDF gets it."""
    known: dict[str, object] = {"title": "总结", "printing": True}
    return str(engines["django"].from_string(template).render(known | context))


def body(text: str, **context: object) -> str:
    """A paper with this text only."""
    return page('{% extends "paper/base.html" %}{% block body %}' + text + "{% endblock %}", **context)


def rendered(html: str) -> bytes:
    """The PDF of the HTML with fixed metadata."""
    return render_pdf(html, title="总结", author=UNIT, created=CREATED)


def sample_html(*, printing: bool = True) -> str:
    """Three pages of text and a table of 40 rows."""
    return page(
        SAMPLE,
        title_lines=[UNIT, "2026年上半年扶贫帮困工作总结"],
        attachment_titles=["学生资助情况统计表"],
        signature_unit=UNIT,
        signature_date=DATE,
        signature_layout=signature_layout(UNIT, DATE),
        plain=PLAIN * 12,
        rows=range(1, 41),
        printing=printing,
    )


def lines(content: bytes) -> list[list[Line]]:
    """The characters of each page by line, from top to bottom and left to right."""
    found = []
    with pdfplumber.open(BytesIO(content)) as document:
        for sheet in document.pages:
            by_baseline: dict[float, Line] = defaultdict(list)
            for character in sheet.chars:
                if character["text"].strip():
                    by_baseline[round(character["matrix"][5], 1)].append(character)
            rows = [by_baseline[key] for key in sorted(by_baseline, reverse=True)]
            found.append([sorted(row, key=lambda character: float(character["x0"])) for row in rows])
    return found


def text(line: Line) -> str:
    """What a line says."""
    return "".join(character["text"] for character in line)


def size(line: Line) -> float:
    """The size of a line's first character in points, two places."""
    return round(float(line[0]["size"]), 2)


def middle(line: Line) -> float:
    """The middle between a line's ends."""
    return float(line[0]["x0"] + line[-1]["x1"]) / 2


def find(pages: list[list[Line]], words: str) -> Line:
    """The first line that says exactly this."""
    return next(line for sheet in pages for line in sheet if text(line) == words)


@pytest.fixture(scope="module")
def sample() -> bytes:
    """The PDF of the sample."""
    return rendered(sample_html())


@pytest.fixture(scope="module")
def pages(sample: bytes) -> list[list[Line]]:
    """The lines of the sample."""
    return lines(sample)


def left_edge(number: int) -> float:
    """Where the text area begins: odd pages are bound at the left, even ones at the right."""
    return INNER if number % 2 else OUTER


def test_page_is_a4(sample: bytes) -> None:
    """210 × 297 mm."""
    with pdfplumber.open(BytesIO(sample)) as document:
        assert len(document.pages) >= 5
        for sheet in document.pages:
            assert sheet.width == pytest.approx(210 * MM, abs=0.1)
            assert sheet.height == pytest.approx(297 * MM, abs=0.1)


def test_text_area_has_22_lines_of_28_characters(pages: list[list[Line]]) -> None:
    """A full page: 22 lines at 28.95 pt, plain lines of 28 characters from edge to edge."""
    full = [(number, sheet[:-1]) for number, sheet in enumerate(pages[:3], 1) if len(sheet) == 23]
    assert [number for number, _ in full] == [2]
    for number, sheet in full:
        baselines = [line[0]["matrix"][5] for line in sheet]
        steps = [above - below for above, below in pairwise(baselines)]
        assert steps == [pytest.approx(PITCH, abs=0.3)] * 21  # another font's own baseline stays within 0.3
        assert baselines[0] - baselines[-1] == pytest.approx(21 * PITCH, abs=0.3)
        plain = [line for line in sheet if set(text(line)) <= set(PLAIN) and len(line) == 28]
        assert len(plain) > 10
        for line in plain:
            assert {round(character["size"], 2) for character in line} == {SIZE}
            assert line[0]["x0"] == pytest.approx(left_edge(number), abs=0.1)
            assert line[-1]["x1"] == pytest.approx(left_edge(number) + WIDTH, abs=1.2)
        top, bottom = 297 * MM - TOP, BOTTOM
        assert all(bottom < baseline < top for baseline in baselines)
    first = [line[0]["matrix"][5] for line in pages[0] if size(line) == SIZE]
    assert (first[0] - first[-1]) / PITCH == pytest.approx(
        18, abs=0.02
    )  # title of two lines, a blank one, 19 more


def test_pitch_of_plain_lines_is_exact(pages: list[list[Line]]) -> None:
    """Lines of the body's font only: 28.95 ± 0.05 pt, with rare characters and other fonts in between."""
    plain = [line for line in pages[1] if set(text(line)) <= set(PLAIN)]
    baselines = [line[0]["matrix"][5] for line in plain]
    for above, below in pairwise(baselines):
        count = round((above - below) / PITCH)
        assert (above - below) / count == pytest.approx(PITCH, abs=0.05)


def test_paragraphs_are_indented_two_characters(pages: list[list[Line]]) -> None:
    """Headings and paragraphs begin 2 × 15.75 pt in; the title is centred in 22 pt."""
    heading = find(pages, "一、摸底建档")
    assert heading[0]["x0"] == pytest.approx(INNER + 2 * SIZE, abs=0.1)
    title = find(pages, UNIT)
    assert size(title) == 22
    assert middle(title) == pytest.approx(INNER + WIDTH / 2, abs=0.2)


def test_lines_with_half_width_figures_are_justified(pages: list[list[Line]]) -> None:
    """Lines reach the right edge and not beyond, and none begins with a closing mark."""
    for number, sheet in enumerate(pages[:3], 1):
        body_lines = [line for line in sheet if size(line) == SIZE]
        for line in body_lines:
            assert text(line)[0] not in "，。、；：？！）》〕”…"
            assert text(line)[-1] not in "（《〔“"
            assert line[-1]["x1"] < left_edge(number) + WIDTH + 0.1
    figures = next(line for line in pages[0] if "612人" in text(line))
    assert figures[-1]["x1"] == pytest.approx(INNER + WIDTH, abs=0.5)


def test_a_figure_and_its_unit_stay_together() -> None:
    """Wherever the figure falls in the line, it is not parted from its unit."""
    html = body(
        "".join(f'<p>{"校" * length}<span class="nb">1104人次</span></p>' for length in range(18, 27))
    )
    found = [line for sheet in lines(rendered(html)) for line in sheet if "1" in text(line) and len(line) > 3]
    assert len(found) == 9
    assert all("1104人次" in text(line) for line in found)


def test_only_gaps_beside_full_width_characters_widen() -> None:
    """A number stays one piece, a dash of two characters too."""
    assert pdf_lines.opportunities("共12人") == [0, 2]
    assert pdf_lines.opportunities("师——生") == [0, 2]
    assert pdf_lines.opportunities("ab") == []


def test_page_numbers_stand_outside(sample: bytes, pages: list[list[Line]]) -> None:
    """— 1 — in 14 pt, one character in, right on odd pages, left on even ones, 7 mm below the text area."""
    for number, sheet in enumerate(pages, 1):
        line = sheet[-1]
        assert text(line) == f"—{number}—"
        assert {round(character["size"], 2) for character in line} == {14}
        edge = left_edge(number)
        if number % 2:
            assert line[-1]["x1"] == pytest.approx(edge + WIDTH - 14, abs=0.2)
        else:
            assert line[0]["x0"] == pytest.approx(edge + 14, abs=0.2)
    with pdfplumber.open(BytesIO(sample)) as document:
        resolution = 300
        area = (INNER + WIDTH - 40, TOP + 225 * MM, INNER + WIDTH, 297 * MM)
        image = document.pages[0].crop(area).to_image(resolution=resolution).original.convert("L")
    # The ink of the dash at the right, not of the figure, which is taller.
    column = round((40 - 14 - 5) / 72 * resolution)
    pixels = image.tobytes()
    ink = [y for y in range(image.height) if pixels[y * image.width + column] < 128]
    assert ink[0] / resolution * 25.4 == pytest.approx(7, abs=0.5)


def test_all_fonts_are_embedded(sample: bytes) -> None:
    """Each font brings its file."""
    count = 0
    for sheet in PdfReader(BytesIO(sample)).pages:
        for font in fonts_of(sheet):
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor, font["/BaseFont"]
            count += 1
    assert count


def fonts_of(sheet: Any) -> list[Any]:
    """The fonts that a page names."""
    return [font.get_object() for font in sheet["/Resources"]["/Font"].values()]


@pytest.mark.parametrize("character", RARE)
def test_rare_characters_have_an_outline(sample: bytes, character: str) -> None:
    """The character can be copied from the PDF, and its glyph is neither empty nor the box."""
    reader = PdfReader(BytesIO(sample))
    assert character in reader.pages[0].extract_text()
    wanted = character.encode("utf-16-be").hex()
    for font in fonts_of(reader.pages[0]):
        mapping = font["/ToUnicode"].get_data().decode("ascii").lower()
        match = re.search(rf"<([0-9a-f]+)>\s*<{wanted}>", mapping)
        if match:
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            file = descriptor.get("/FontFile3") or descriptor["/FontFile2"]
            with TTFont(BytesIO(file.get_object().get_data())) as embedded:
                name = embedded.getGlyphName(int(match[1], 16))
                outline = outline_of(embedded, name)
                assert outline
                assert outline != outline_of(embedded, ".notdef")
            return
    pytest.fail(f"no font of the page has {character}")


def outline_of(font: TTFont, name: str) -> list[Any]:
    """The strokes of a glyph."""
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    return list(pen.value)


def test_characters_without_a_font_are_refused() -> None:
    """A private-use character that no font has: an error that names it, never a box."""
    with pytest.raises(MissingGlyphs, match=r"U\+10FFFD"):
        rendered(body("<p>王\U0010fffd</p>"))


def test_variation_selector_stays_with_its_character() -> None:
    """A character with a selector prints without a box."""
    assert "葛" in PdfReader(BytesIO(rendered(body("<p>葛\U000e0101城</p>")))).pages[0].extract_text()


def test_table_breaks_between_rows(pages: list[list[Line]]) -> None:
    """The head is repeated, each row is whole, figures end at one edge, the total stands once."""
    table = pages[-2:]
    assert [text(line) for line in table[0][:3]] == [
        "附件1",
        "2026年春季学期学生资助情况统计表",
        "单位：万元",
    ]
    assert all(any(text(line) == "序号项目人次金额" for line in sheet) for sheet in table)
    rows = [line for sheet in table for line in sheet if text(line).endswith(".3456")]
    assert [text(line) for line in rows] == [f"{row}生活补助𬭚1,234{row}.3456" for row in range(1, 41)]
    for sheet in table:
        ends = {round(line[-1]["x1"], 1) for line in sheet if text(line).endswith(".3456")}
        assert len(ends) == 1
    assert sum("合计" in text(line) for sheet in table for line in sheet) == 1
    steps = [a[0]["matrix"][5] - b[0]["matrix"][5] for a, b in pairwise(rows[:20])]
    assert steps == [pytest.approx(PITCH * 2 / 3, abs=0.1)] * 19


def test_attachment_begins_a_page_with_its_title_on_line_three(pages: list[list[Line]]) -> None:
    """附件1 at the left edge of line 1, the title centred on line 3."""
    mark, title = pages[-2][:2]
    assert mark[0]["x0"] == pytest.approx(left_edge(len(pages) - 1), abs=0.1)
    assert mark[0]["matrix"][5] - title[0]["matrix"][5] == pytest.approx(2 * PITCH, abs=4)


def test_attachment_list() -> None:
    """附件： two characters in, one blank line below the text, a second name under the first."""
    found = lines(rendered(body("<p>正文。</p>", attachment_titles=["甲表", "乙表"])))
    plain, first, second = found[0][1], found[0][2], found[0][3]
    assert (text(first), text(second)) == ("附件：1.甲表", "2.乙表")
    assert plain[0]["matrix"][5] - first[0]["matrix"][5] == pytest.approx(2 * PITCH, abs=0.1)
    assert first[0]["x0"] == pytest.approx(INNER + 2 * SIZE, abs=0.1)
    assert first[-2]["x0"] == pytest.approx(second[-2]["x0"], abs=0.1)
    single = lines(rendered(body("<p>正文。</p>", attachment_titles=["甲表"])))
    assert text(single[0][2]) == "附件：甲表"


@pytest.mark.parametrize(
    ("unit", "date"), [(UNIT, DATE), ("青石坳完小", "2026年12月25日"), ("青石坳县第一初级中学", DATE)]
)
def test_signature_without_a_seal(unit: str, date: str) -> None:
    """The longer of name and date two characters from the right, the date two in from the name."""
    layout = signature_layout(unit, date)
    found = lines(
        rendered(
            body("<p>正文。</p>", signature_unit=unit, signature_date=date, signature_layout=layout),
        )
    )
    name, day = find(found, unit), find(found, date)
    longer = day if text_width(date) > text_width(unit) else name
    assert longer[-1]["x1"] == pytest.approx(INNER + WIDTH - 2 * SIZE, abs=0.2)
    assert day[0]["x0"] - name[0]["x0"] == pytest.approx(2 * SIZE, abs=0.2)
    plain = find(found, "正文。")
    assert plain[0]["matrix"][5] - name[0]["matrix"][5] == pytest.approx(2 * PITCH, abs=0.1)


@pytest.mark.parametrize("unit", [UNIT, "青石坳县民族中等职业技术学校"])
def test_signature_with_a_seal(unit: str) -> None:
    """The date four characters from the right, the name centred above it."""
    found = lines(rendered(body("<p>正文。</p>", signature_unit=unit, signature_date=DATE, sealed=True)))
    name, day = find(found, unit), find(found, DATE)
    assert day[-1]["x1"] == pytest.approx(INNER + WIDTH - 4 * SIZE, abs=0.2)
    assert middle(name) == pytest.approx(middle(day), abs=0.2)


def test_sealed_name_longer_than_its_place_stays_in_the_text_area() -> None:
    """A name of 22 characters pushes the date left and remains centred above it."""
    unit = "青石坳土家族苗族自治县高山镇民族中心完全小学"
    found = lines(rendered(body("<p>正文。</p>", signature_unit=unit, signature_date=DATE, sealed=True)))
    name, day = find(found, unit), find(found, DATE)
    assert name[-1]["x1"] < INNER + WIDTH + 0.2
    assert middle(name) == pytest.approx(middle(day), abs=0.2)


def test_signature_is_never_alone_on_a_page() -> None:
    """A text that just fills the page gives its last line to the page of the signature."""
    html = body(f"<p>{'校' * (28 * 20 - 3)}</p>", signature_unit=UNIT, signature_date=DATE)
    last = lines(rendered(html))[-1]
    assert text(last[0]).startswith("校")
    assert [text(line) for line in last[1:3]] == [UNIT, DATE]


def test_same_input_gives_the_same_bytes(sample: bytes) -> None:
    """Again in this process, in two threads at once, and in another process with another hash seed."""
    html = sample_html()
    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(rendered, [html, html])) == {sample}
    program = (
        "import sys\n"
        "from datetime import datetime, UTC\n"
        "from hashlib import sha256\n"
        "from django.conf import settings\n"
        f"settings.configure(STATIC_URL='/static/', STATICFILES_DIRS=[{str(static_folder())!r}])\n"
        "from povertyaid.lib.pdf import render_pdf\n"
        "html = sys.stdin.buffer.read().decode()\n"
        f"made = datetime.fromisoformat({CREATED.isoformat()!r})\n"
        f"print(sha256(render_pdf(html, title='总结', author={UNIT!r}, created=made)).hexdigest())\n"
    )
    other = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        input=html.encode(),
        capture_output=True,
        check=True,
        cwd=settings.BASE_DIR,
    )
    assert other.stdout.decode().strip() == sha256(sample).hexdigest()


def static_folder() -> Path:
    """The source folder of the stylesheet."""
    return Path(settings.BASE_DIR) / "static"


def test_metadata_come_from_the_arguments(sample: bytes) -> None:
    """Title, author, language, time; tagged; an identifier; no link of the office's server."""
    reader = PdfReader(BytesIO(sample))
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("总结", UNIT)
    assert reader.metadata.creation_date == CREATED
    assert str(reader.root_object["/Lang"]) == "zh-CN"
    marks: Any = reader.root_object["/MarkInfo"]
    assert marks["/Marked"]
    assert reader.trailer["/ID"]
    assert not any("/Annots" in sheet for sheet in reader.pages)


def test_time_needs_a_zone() -> None:
    """A naive time would make the bytes depend on the machine."""
    naive = CREATED.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        render_pdf("<p>文</p>", title="总结", author=UNIT, created=naive)


def test_screen_and_print_share_one_frame() -> None:
    """No inline style or script (the policy forbids them); the PDF has none of the screen's tools."""
    screen, paper = sample_html(printing=False), sample_html()
    assert "viewport" in screen
    assert "viewport" not in paper
    for html in (screen, paper):
        assert not re.search(r"<style|<script|\sstyle=|\son\w+=", html)


def test_stylesheet_suits_old_browsers() -> None:
    """Nothing that Chromium 86 does not know."""
    css = (static_folder() / "paper" / "paper.css").read_text(encoding="utf-8")
    assert not re.search(r":has\(|:is\(|:where\(|@container|@layer|\binset:|aspect-ratio|\d[dls]v[hw]\b", css)
    assert "@import" not in css
