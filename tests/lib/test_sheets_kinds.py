"""Every kind of file by its bytes: what is hidden, merged, a formula, a date, and in which encoding."""

from __future__ import annotations

import codecs
import csv
import io
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib.sheets.model import UnreadableFileError
from povertyaid.lib.sheets.reader import read_workbook
from tests.lib.sheets_made import (
    ODF,
    STRICT_MAIN,
    STRICT_RELATIONS,
    biff,
    biff_number,
    biff_text,
    ods,
    ods_cell,
    ods_table,
    record,
    replaced,
    text_cell,
    xlsx,
    xml_2003,
)

if TYPE_CHECKING:
    from povertyaid.lib.sheets.model import Sheet

NUMBER_18 = "431202201808214614"


def first(data: bytes | str) -> Sheet:
    """The first sheet of a file."""
    return read_workbook(data.encode() if isinstance(data, str) else data, "册").sheets[0]


# --- xlsx -----------------------------------------------------------------------------------------------------


def test_a_formula_without_a_result_is_told_as_a_formula() -> None:
    cells = (
        '<c r="A2"><f>B2&amp;"x"</f></c><c r="B2"><f>1+1</f><v/></c><c r="C2"><f>1+1</f><v></v></c>'
        '<c r="D2" t="str"><f>A1</f><v></v></c><c r="E2"><f>1+2</f><v>3</v></c>'
        '<c r="F2" t="str"><f>"6217"</f><v>6217</v></c><c r="G2"><f t="shared" si="0"/></c><c r="H2"><f>0</f><v>0</v></c>'
    )
    sheet = first(xlsx(f'<row r="2">{cells}</row>'))
    assert (sheet.first_row, sheet.rows) == (2, [['=B2&"x"', "=1+1", "=1+1", None, 3.0, "6217", "=…", 0.0]])


def test_nought_in_a_workbook_that_was_never_calculated_is_no_result() -> None:
    cells = '<row r="1"><c r="A1"><f>B1*2</f><v>0</v></c><c r="B1"><v>0</v></c><c r="C1"><f>1</f><v>1</v></c></row>'
    assert first(xlsx(cells, calculation='<calcPr fullCalcOnLoad="1"/>')).rows == [["=B1*2", 0.0, 1.0]]
    assert first(xlsx(cells)).rows == [[0.0, 0.0, 1.0]]


def test_formulas_and_errors_around_the_values() -> None:
    rows = (
        '<row r="2"><c r="C2"><f>1</f></c></row><row r="3"><c r="B3"><v>5</v></c></row>'
        '<row r="5"><c r="D5" t="e"><v>#REF!</v></c></row>'
    )
    sheet = first(xlsx(rows))
    assert (sheet.first_row, sheet.rows) == (
        2,
        [[None, None, "=1", None], [None, 5.0, None, None], [None] * 4, [None, None, None, "#REF!"]],
    )


def test_pronunciation_is_no_part_of_a_text_and_runs_are_joined() -> None:
    shared = (
        '<si><t>汉</t><rPh sb="0" eb="1"><t>han</t></rPh></si>'
        '<si><r><t>王</t></r><r><rPr><b/></rPr><t xml:space="preserve"> 平</t></r></si>'
        "<si><t>甲_x000D_\n乙_x005F_x000D__x0041_</t></si><si><t><![CDATA[<丙>&]]></t></si>"
    )
    cells = "".join(f'<c r="{"ABCD"[n]}1" t="s"><v>{n}</v></c>' for n in range(4))
    inline = '<c r="E1" t="inlineStr"><is><t>汉</t><rPh sb="0" eb="1"><t>han</t></rPh></is></c>'
    assert first(xlsx(f'<row r="1">{cells}{inline}</row>', shared=shared)).rows == [
        ["汉", "王 平", "甲\r\n乙_x000D_A", "<丙>&", "汉"]
    ]


def test_what_stands_in_a_comment_is_not_there() -> None:
    comment = '<!-- <row r="9" hidden="1"><c r="A9"><v>1</v></c></row> -->'
    sheet = first(xlsx(f'{comment}<row r="1">{text_cell("A1", "<![CDATA[<c r=]]>")}</row>'))
    assert (sheet.rows, sheet.hidden_rows) == ([["<c r="]], set())


DATES = (
    '<numFmts count="5"><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/>'
    '<numFmt numFmtId="177" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/>'
    '<numFmt numFmtId="178" formatCode="0&quot;年d&quot;"/><numFmt numFmtId="179" formatCode="[Red]0.00"/>'
    '<numFmt numFmtId="180" formatCode="[DBNum1][$-804]yyyy&quot;年&quot;m&quot;月&quot;;@"/></numFmts><cellXfs>'
    + "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 31, 57, 176, 177, 180, 178, 179))
    + "</cellXfs>"
)


@pytest.mark.parametrize(("epoch", "day"), [("", 15), ('<workbookPr date1904="1"/>', 16)])
def test_dates_by_their_formats_in_both_epochs(epoch: str, day: int) -> None:
    cells = "".join(f'<c r="{"ABCDEFGHI"[n]}1" s="{n}"><v>41988</v></c>' for n in range(9))
    found = first(xlsx(f'<row r="1">{cells}</row>', styles=DATES, settings=epoch)).rows[0]
    moment = date(2018 if epoch else 2014, 12, day)
    assert found == [41988.0, *[moment] * 6, 41988.0, 41988.0]


def test_days_that_are_none_stay_numbers() -> None:
    cells = "".join(
        f'<c r="{column}1" s="1"><v>{value}</v></c>'
        for column, value in zip("ABC", ("1e308", "2958466", "41988.5"), strict=True)
    )
    assert first(xlsx(f'<row r="1">{cells}</row>', styles=DATES)).rows == [
        [1e308, 2958466.0, datetime(2014, 12, 15, 12)]  # noqa: DTZ001 - cells have no time zone
    ]


def test_other_ways_to_write_an_xlsx() -> None:
    plain = f'<row r="1">{text_cell("A1", "姓名")}</row>'
    assert first(xlsx(plain, root="/")).rows == [["姓名"]]
    strict = plain.replace("</row>", '<c r="B1" t="d"><v>2020-01-02</v></c></row>')
    assert first(xlsx(strict, main=STRICT_MAIN, relations=STRICT_RELATIONS)).rows == [
        ["姓名", date(2020, 1, 2)]
    ]
    prefixed = xlsx(
        '<x:row r="1"><x:c r="A1" t="str"><x:v>a</x:v></x:c><x:c r="B1" t="e"><x:v>#N/A</x:v></x:c></x:row>'
        '<x:row r="2" hidden="1"><x:c r="A2"><x:f>1</x:f></x:c></x:row>',
        prefix="x:",
        main='xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"',
        tail='<x:mergeCells><x:mergeCell ref="A1:A2"/></x:mergeCells>',
    )
    sheet = first(prefixed)
    assert (sheet.rows, sheet.merges, sheet.hidden_rows) == (
        [["a", "#N/A"], ["=1", None]],
        [(1, 1, 2, 1)],
        {2},
    )
    single = xlsx(
        "<row r='1' hidden='1'><c r='A1' t='str'><v>甲</v></c></row><row r='2'><c r='A2'><v>1</v></c></row>",
        tail="<mergeCells><mergeCell ref='A1:A2'/></mergeCells>",
    )
    assert (first(single).rows, first(single).hidden_rows, first(single).merges) == (
        [["甲"], [1.0]],
        {1},
        [(1, 1, 2, 1)],
    )
    bare = '<row><c t="str"><v>甲</v></c><c/><c><v>1</v></c></row><row r="5" ht="0"><c><v>2</v></c></row>'
    assert (first(xlsx(bare)).rows[0], len(first(xlsx(bare)).rows), first(xlsx(bare)).hidden_rows) == (
        ["甲", None, 1.0],
        5,
        {5},
    )
    assert first(xlsx('<row r="1"><c r="a1"><v>1</v></c></row>')).rows == [[1.0]]
    hidden = read_workbook(xlsx(plain, state=' state="veryHidden"'))
    assert not hidden.sheets[0].visible


def test_hidden_columns_of_an_xlsx() -> None:
    data = replaced(
        xlsx(f'<row r="1">{text_cell("A1", "a")}{text_cell("E1", "e")}</row>'),
        "xl/worksheets/sheet1.xml",
        b"<sheetData>",
        b'<cols><col min="2" max="3" hidden="1"/><col min="5" max="16384" width="0"/></cols><sheetData>',
    )
    assert first(data).hidden_columns == {2, 3, 5}


# --- xls ------------------------------------------------------------------------------------------------------


def test_xls_without_its_container() -> None:
    sheet = first(
        biff(
            record(0x0208, b"\x01\x00" + b"\x00\x00\x02\x00\xff\x00" + bytes(4) + b"\x20\x00\x0f\x00"),
            biff_text(0, 0, "姓名"),
            biff_number(0, 1, 312.5),
            biff_text(1, 0, "张三"),
            biff_number(1, 1, float("inf")),
            record(0x0205, b"\x01\x00\x02\x00\x00\x00\x2a\x01"),
            record(0x00E5, b"\x01\x00" + b"\x00\x00\x01\x00\x00\x00\x00\x00"),
        )
    )
    assert sheet.rows == [["姓名", 312.5, None], ["张三", "inf", "#N/A"]]
    assert (sheet.hidden_rows, sheet.merges) == ({2}, [(1, 1, 2, 1)])


# --- ods ------------------------------------------------------------------------------------------------------


def test_values_of_an_ods() -> None:
    cells = (
        '<table:table-cell office:value-type="float" office:value="312.5"><text:p>313</text:p></table:table-cell>'
        '<table:table-cell office:value-type="percentage" office:value="0.5"/>'
        '<table:table-cell office:value-type="date" office:date-value="2020-01-02"><text:p>1月</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2020-01-02T03:04:05"/>'
        '<table:table-cell office:value-type="date" office:date-value="9999-99-99"><text:p>坏</text:p></table:table-cell>'
        '<table:table-cell office:value-type="time" office:time-value="PT3H"><text:p>3:00</text:p></table:table-cell>'
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>'
        '<table:table-cell office:value-type="float" office:value="1e999"/>'
        '<table:table-cell table:formula="of:=1+1"/>'
        '<table:table-cell office:value-type="float" office:value="0" calcext:value-type="error"'
        ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        "<text:p>#REF!</text:p></table:table-cell>"
    )
    moment = datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001 - cells have no time zone
    assert first(ods(ods_table(cells))).rows == [
        [312.5, 0.5, date(2020, 1, 2), moment, "坏", "3:00", True, "1e999", "=1+1", "#REF!"]
    ]


def test_texts_of_an_ods() -> None:
    texts = (
        '张<text:s text:c="2"/>三<text:span>（<text:a>大</text:a>）</text:span><text:tab/>尾',
        "甲</text:p><text:p>乙<text:line-break/>丙",
        "字<text:note><text:p>脚注</text:p></text:note>后\n   文",
    )
    comment = "<office:annotation><text:p>批注</text:p></office:annotation>"
    cells = "".join(map(ods_cell, texts)) + ods_cell("值").replace("<text:p>", f"{comment}<text:p>")
    assert first(ods(ods_table(cells))).rows == [["张  三（大）\t尾", "甲\n乙\n丙", "字后 文", "值"]]


def test_a_table_of_another_file_and_a_table_in_a_cell_are_no_sheets() -> None:
    linked = ods_table(ods_cell("x")).replace("<table:table-row>", "<table:table-source/><table:table-row>")
    nested = f"<table:table-cell><text:p>外</text:p>{ods_table(ods_cell('内'))}</table:table-cell>"
    book = read_workbook(ods(ods_table(nested + ods_cell("b")) + linked))
    assert [(sheet.name, sheet.rows) for sheet in book.sheets] == [("表", [["外", "b"]])]


def test_a_flat_ods() -> None:
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {ODF} office:mimetype="x"><office:body>'
        f"<office:spreadsheet>{ods_table(ods_cell('姓名'))}</office:spreadsheet></office:body></office:document>"
    )
    book = read_workbook(document.encode())
    assert (book.kind, book.sheets[0].rows) == ("ods", [["姓名"]])


# --- SpreadsheetML 2003 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "encoding"), [("UTF-8", "utf-8"), ("gb2312", "gb18030"), ("UTF-16", "utf-16")]
)
def test_spreadsheetml(declared: str, encoding: str) -> None:
    rows = (
        '<Column/><Column ss:Hidden="1" ss:Span="1"/>'
        '<Row ss:Index="3"><Cell ss:MergeAcross="2"><Data ss:Type="String">花名册</Data></Cell></Row>'
        '<Row><Cell ss:MergeDown="1"><Data ss:Type="String">李䶮</Data><Comment><ss:Data>批注</ss:Data></Comment></Cell>'
        f'<Cell ss:Index="3"><Data ss:Type="String">{NUMBER_18}</Data></Cell>'
        '<Cell><Data ss:Type="Number">312.5</Data></Cell>'
        '<Cell><Data ss:Type="DateTime">2020-01-02T00:00:00.000</Data></Cell>'
        '<Cell><Data ss:Type="DateTime">2020-01-02T03:04:00.000</Data></Cell>'
        '<Cell><Data ss:Type="DateTime">1899-12-31T08:30:00.000</Data></Cell>'
        '<Cell><Data ss:Type="Boolean">1</Data></Cell><Cell><Data ss:Type="Error">#N/A</Data></Cell>'
        '<Cell ss:Formula="=RC[-1]*2"/><Cell ss:Formula="=A1"><Data ss:Type="String"></Data></Cell>'
        '<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>粗</B>体</ss:Data></Cell></Row>'
        '<Row ss:Hidden="1"><Cell ss:Index="2"><Data ss:Type="Number">NaN</Data></Cell></Row>'
    )
    text = xml_2003(rows, head=f'<?xml version="1.0" encoding="{declared}"?>')
    book = read_workbook(text.encode(encoding))
    sheet = book.sheets[0]
    assert (book.kind, sheet.name, sheet.first_row) == ("xml", "表", 3)
    moment = datetime(2020, 1, 2, 3, 4)  # noqa: DTZ001 - cells have no time zone
    assert sheet.rows[1] == [
        "李䶮",
        None,
        NUMBER_18,
        312.5,
        date(2020, 1, 2),
        moment,
        "08:30:00",
        True,
        "#N/A",
        "=RC[-1]*2",
        None,
        "粗体",
    ]
    assert sheet.rows[2][1] == "NaN"
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({5}, {2, 3})
    assert sheet.merges == [(3, 1, 3, 3), (4, 1, 5, 1)]


def test_a_hidden_sheet_and_rows_out_of_order_in_spreadsheetml() -> None:
    row = '<Row ss:Index="2"><Cell><Data ss:Type="String">a</Data></Cell></Row>'
    text = xml_2003(row).replace(
        "</Worksheet>",
        '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible>'
        "</WorksheetOptions></Worksheet>",
    )
    assert not first(text).visible
    with pytest.raises(UnreadableFileError):
        first(xml_2003(row + row))


# --- pages ----------------------------------------------------------------------------------------------------

PAGE = f"""<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="gb2312"><title>题</title>
<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:Name>花名册</x:Name></x:ExcelWorkbook></xml><![endif]-->
<style>td {{mso-number-format:"\\@"}}</style></head><body><h3>某校 花名册</h3>
<table><caption>2026年</caption><col><col style='display:none'><thead>
<tr><th rowspan=2>姓名</th><th colspan="2">家庭</th></tr><tr><th>户主<th>电话</tr></thead>
<tr><td>李䶮&nbsp;</td><td>李<br>大 <td>{NUMBER_18}
<tr style="DISPLAY: none"><td>&nbsp;</td><td x:fmla="=A1"></td><td>4.31202E+17</td></tr>
</table><script>var a = "<td>";</script>制表人：某</body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig", "utf-16"])
def test_a_page_under_the_name_of_a_workbook(encoding: str) -> None:
    book = read_workbook(PAGE.encode(encoding), "x.xls")
    sheet = book.sheets[0]
    assert (book.kind, sheet.name) == ("html", "花名册")
    assert sheet.rows == [
        ["某校 花名册", None, None],
        ["2026年", None, None],
        ["姓名", "家庭", None],
        [None, "户主", "电话"],
        ["李䶮", "李\n大", NUMBER_18],
        [None, "=A1", "4.31202E+17"],
        ["制表人：某", None, None],
    ]
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({6}, {2})
    assert sheet.merges == [(3, 1, 4, 1), (3, 2, 3, 3)]


def test_tables_in_tables_stand_below_each_other() -> None:
    page = "<table><tr><td>外<table><tr><td>姓名<td>班级<tr><td>张三<td>一班</table>后</td></tr></table>"
    assert first(page).rows == [["外", None], ["姓名", "班级"], ["张三", "一班"], ["后", None]]


def test_a_page_in_big5_that_says_so() -> None:
    assert first("<meta charset=big5><table><tr><td>張學齡</table>".encode("big5")).rows == [["張學齡"]]


def test_a_page_with_its_parts_in_one_file() -> None:
    parts = "".join(
        f"--x\r\nContent-Location: file:///C:/{name}\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        f'Content-Type: text/html; charset="us-ascii"\r\n\r\n{content}\r\n'
        for name, content in (
            ("a.htm", '<html><frameset><frame src=3D"sheet001.htm"></frameset></html>'),
            ("sheet001.htm", "<table><tr><td>&#22995;&#21517;</td><td>=E7=8F=AD</td></tr></table>"),
        )
    )
    data = f'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n{parts}--x--\r\n'
    assert first(data).rows == [["姓名", "班"]]


# --- texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "encoding", "told"),
    [
        (b"", "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (b"", "utf-16-le", "utf-16-le"),
        (b"", "utf-16-be", "utf-16-be"),
        (b"", "gb18030", "gb18030"),
    ],
)
def test_encodings_of_text(mark: bytes, encoding: str, told: str) -> None:
    lines = "姓名,班级\r\n" + "李䶮,三年级一班\r\n" * 20
    book = read_workbook(mark + lines.encode(encoding))
    assert (book.encoding, book.sheets[0].rows[20]) == (told, ["李䶮", "三年级一班"])


def test_big5_is_not_taken_for_something_else() -> None:
    text = "姓名,學校,班級,備註\r\n" + "張學齡,中心國民小學,三年級一班,家庭經濟困難需要補助\r\n" * 5
    with pytest.raises(UnreadableFileError) as caught:
        read_workbook(text.encode("big5"))
    assert caught.value.code == "encoding"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sep=;\na;b,c\n", [["a", "b,c"]]),
        ("SEP=\t\r\na\tb\r\n", [["a", "b"]]),
        ('sep="\na,b\n', [['sep="', None], ["a", "b"]]),
        ("a\rb\r", [["a"], ["b"]]),
        ('"甲\n乙",b\nc,d\n', [["甲\n乙", "b"], ["c", "d"]]),
        ('a,"x""y"\n', [["a", 'x"y']]),
        ("姓名|班级\n张三|一班\n", [["姓名", "班级"], ["张三", "一班"]]),
    ],
)
def test_separators_and_quotes_of_text(text: str, rows: list[list[str | None]]) -> None:
    assert first(text).rows == rows


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", min_codepoint=32), max_size=8)


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=6))
def test_text_comes_back_as_it_went(rows: list[list[str]]) -> None:
    rows = [["姓名", "班级", "备注", "尾"], *rows]
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    found = first(f"sep=,\r\n{written.getvalue()}".encode("utf-8-sig")).rows
    expected = [[value or None for value in row] + [None] * (4 - len(row)) for row in rows]
    while all(value is None for value in expected[-1]):
        expected.pop()
    assert found == expected
