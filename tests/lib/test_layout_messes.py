"""Invented workbooks as messy as real ones: whatever is drawn, every row is accounted for once and no value moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from povertyaid.lib.sheets.layout import NoTableError, find_table, find_tables
from povertyaid.lib.sheets.model import Sheet, Workbook
from tests.lib.test_sheets_layout import Field

if TYPE_CHECKING:
    from random import Random

    from povertyaid.lib.sheets.model import Merge, Rows, Value

COLUMNS = [
    Field("name", ("姓名", "学生姓名")),
    Field("identity", ("身份证号码", "身份证号")),
    Field("sex", ("性别",)),
    Field("school_class", ("年级班级", "班级", "所在班级")),
    Field("phone", ("联系电话", "家长联系电话", "监护人电话")),
    Field("helper", ("帮扶责任人", "帮扶教师")),
    Field("amount", ("金额", "实发金额")),
    Field("guardian", ("监护人姓名", "家长姓名")),
    Field("note", ("备注",)),
]
BY_KEY = {column.key: column for column in COLUMNS}
DRESSES = ("{}", "{}", "{}", " {} ", "{}*", "{}（必填）", "{}\n", "1.{}")
UNKNOWN = ("曾用名", "政治面貌", "序列", "户籍地", "评议意见")
# Under this group a name and a telephone are the guardian's.
GUARDIAN = {"姓名": "guardian", "电话": "phone"}
TITLES = (
    "青石坳中心完小2026年春季学期资助花名册",
    "附件2",
    "填报单位：青石坳中心完小",
    "单位：元",
    "（公章）",
    "填报日期：2026年3月10日",
)
FEET: tuple[list[Value], ...] = (
    ["合计", None, "12人"],
    ["总计"],
    ["小计", "6人"],
    ["本页小计"],
    ["三年级小计"],
    ["制表人：何某", None, "审核人：金某"],
    ["校长（签字）："],
    [None, None, "校长："],
    ["二〇二六年三月十日"],
    ["备注：本表一式三份"],
    ["1.本表由班主任填报，学校审核盖章。"],
    ["青石坳中心完小（盖章）"],
    ["第1页，共3页"],
    ["以下空白"],
    [99],
    [98, "/", "—"],
    ["1", "2", "3", "4", "5"],
    ["'", None, "\u200b"],
)
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", "伟芳娜敏静丽强磊军洋"


@dataclass
class Drawn:
    """A sheet and what must come out of it: the cells of each record by row number."""

    sheet: Sheet
    records: dict[int, dict[str, Value]] = field(default_factory=dict)


@dataclass
class Place:
    """A column of the drawn table: its texts from top to bottom and the key of its values."""

    texts: tuple[str, ...]
    key: str | None


class Painter:
    """Draws one messy sheet."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.rows: Rows = []
        self.merges: list[Merge] = []
        self.records: dict[int, dict[str, Value]] = {}
        self.first_row = random.choice((1, 1, 1, 4))

    def add(self, row: list[Value]) -> int:
        """Append a row; give its number as Excel shows it."""
        self.rows.append(row)
        return self.first_row + len(self.rows) - 1

    def draw(self) -> Drawn:
        """Titles, header, records with everything between them, sometimes a second table of the same kind."""
        for title in self.random.sample(TITLES, self.random.randint(0, 4)):
            self.add([title])
        self.table(group=self.random.random() < 0.4)
        if self.random.random() < 0.3:
            for _ in range(self.random.randint(0, 2)):
                self.add([None])
            self.table(group=False)
        hidden = {self.random.randint(1, len(self.rows)) for _ in range(self.random.randint(0, 4))}
        sheet = Sheet("表", self.rows, self.first_row, hidden, {2}, self.merges)
        return Drawn(sheet, self.records)

    def table(self, *, group: bool) -> None:
        """One table: header, then chunks."""
        places = self.places(group=group)
        header = self.header(places)
        for _ in range(self.random.randint(1, 6)):
            self.random.choice((self.people, self.people, self.family, self.foot, self.blank, self.section))(
                places
            )
            if self.random.random() < 0.1:
                self.repeat(header)
        self.people(places)
        for _ in range(self.random.randint(0, 3)):
            self.foot(places)

    def places(self, *, group: bool) -> list[Place]:
        """Columns in any order, under any of their names, with columns of other sorts between."""
        keys = [
            "name",
            *self.random.sample([key for key in BY_KEY if key not in {"name", "guardian", "phone"}], 4),
        ]
        if not group:
            keys += self.random.sample(["guardian", "phone"], self.random.randint(0, 2))
        self.random.shuffle(keys)
        places = [Place((self.dressed(self.random.choice(BY_KEY[key].headers)),), key) for key in keys]
        for text in self.random.sample(UNKNOWN, self.random.randint(0, 2)):
            places.insert(self.random.randint(0, len(places)), Place((text,), None))
        if group:
            middle = "第一监护人" if self.random.random() < 0.3 else None
            for text, key in GUARDIAN.items():
                # With a row between the two names the group is no synonym any more.
                texts = ("监护人", text) if middle is None else ("监护人", middle, text)
                places.append(Place(texts, key if middle is None else None))
        return [Place(("序号",), None), *places]

    def dressed(self, header: str) -> str:
        """A header as some office writes it."""
        return self.random.choice(DRESSES).format(header)

    def header(self, places: list[Place]) -> Rows:
        """The rows of the header, with the merged cells of a spreadsheet; give them for repeating."""
        height = max(len(place.texts) for place in places)
        rows: Rows = [[None] * len(places) for _ in range(height)]
        top = self.first_row + len(self.rows)
        for index, place in enumerate(places):
            for depth, text in enumerate(place.texts):
                before = places[index - 1].texts if index else ()
                again = depth < len(place.texts) - 1 and len(before) > depth + 1 and before[depth] == text
                rows[depth][index] = None if again else text
            if len(place.texts) == 1 and height > 1:
                self.merges.append((top, index + 1, top + height - 1, index + 1))
        if height > 1:
            for depth in range(height - 1):
                self.merges.append((top + depth, len(places) - 1, top + depth, len(places)))
        for row in rows:
            self.add(list(row))
        return rows

    def repeat(self, header: Rows) -> None:
        """The header again, as on the next page of a printed list."""
        for row in header:
            self.add(list(row))

    def person(self, places: list[Place], number: int | None, helper: Value = None) -> dict[str, Value]:
        """One record's row."""
        random = self.random
        made: dict[str, Value] = {
            "name": random.choice(SURNAMES)
            + random.choice(GIVEN)
            + random.choice(("", random.choice(GIVEN))),
            "identity": random.choice(("431202201808214614", 4.31e17, None, "无")),
            "sex": random.choice(("男", "女", 1, None)),
            "school_class": random.choice(("三(1)班", "301", 3.2, None)),
            "phone": random.choice(("13800000000", "138 0000 0000、0745-2261234", None)),
            "helper": helper or random.choice(("何某", None)),
            "amount": random.choice((625, "1,250元", 312.5, None)),
            "guardian": random.choice(("张大", None, "/")),
            # Without a number a row that begins with 校长： is a signature.
            "note": random.choice((None, "合计", "小计", "转学", *(["校长："] if number else []))),
        }
        row = [
            number,
            *(made[place.key] if place.key else random.choice((None, "x")) for place in places[1:]),
        ]
        cells = {place.key: made[place.key] for place in places if place.key}
        self.records[self.add(row)] = cells
        return cells

    def people(self, places: list[Place]) -> None:
        """Records, numbered from one again or not at all."""
        numbered = self.random.random() < 0.8
        for number in range(1, self.random.randint(2, 5)):
            self.person(places, number if numbered else None)

    def family(self, places: list[Place]) -> None:
        """Records of one helper, whose cell is merged down."""
        column = next((index for index, place in enumerate(places) if place.key == "helper"), None)
        if column is None:
            self.people(places)
            return
        size = self.random.randint(2, 4)
        top = self.first_row + len(self.rows)
        for number in range(size):
            self.person(places, number + 1, "金某")
            if number:
                self.rows[-1][column] = None
        self.merges.append((top, column + 1, top + size - 1, column + 1))

    def foot(self, _places: list[Place]) -> None:
        """A row that is no record."""
        self.add(list(self.random.choice(FEET)))

    def blank(self, _places: list[Place]) -> None:
        """Rows with nothing."""
        nothing: list[list[Value]] = [[], [None], ["  ", None, "\u3000"]]
        self.add(self.random.choice(nothing))

    def section(self, places: list[Place]) -> None:
        """A heading over all columns."""
        number = self.add(["三年级（1）班"])
        self.merges.append((number, 1, number, len(places)))


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_whatever_is_drawn_is_read_as_it_was_meant(random: Random) -> None:
    drawn = Painter(random).draw()
    tables, skipped = find_tables(Workbook("xlsx", "", [drawn.sheet]), COLUMNS, {"name"})
    assert skipped == []
    found = {
        row.number: {key: cell.value for key, cell in row.cells.items()}
        for table in tables
        for row in table.rows
    }
    assert found == drawn.records
    counted = Counter([*found, *(item.row for table in tables for item in table.ignored)])
    filled = {
        drawn.sheet.first_row + offset
        for offset, row in enumerate(drawn.sheet.rows)
        if any(value is not None and str(value).strip() for value in row)
    }
    assert counted == Counter(filled)
    hidden = {row.number for table in tables for row in table.rows if row.hidden}
    assert hidden == drawn.sheet.hidden_rows & set(found)


SCRAPS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "姓名",
            "序号",
            "班级",
            "金额",
            "合计",
            "监护人",
            "校长：",
            "张三",
            "431202201808214614",
            "x" * 3000,
            "\u202e",
            "'",
            "/",
            "=1",
            "",
        ]
    ),
    st.text(max_size=5),
    st.integers(-5, 50_000),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
)


@given(
    rows=st.lists(st.lists(SCRAPS, max_size=6), max_size=14),
    merges=st.lists(st.tuples(*[st.integers(-2, 16)] * 4), max_size=5),
    first_row=st.integers(1, 30),
)
@settings(deadline=None)
def test_whatever_a_sheet_holds_no_row_is_lost(rows: Rows, merges: list[Merge], first_row: int) -> None:
    sheet = Sheet("表", rows, first_row, {3}, {1}, merges)
    tables, skipped = find_tables(Workbook("xlsx", "", [sheet]), COLUMNS[:4], {"name"})
    if not tables:
        assert skipped or sheet.is_empty
        return
    counted = Counter(row.number for table in tables for row in table.rows)
    counted.update(item.row for table in tables for item in table.ignored)
    filled = [
        first_row + offset
        for offset, row in enumerate(rows)
        if any(value is not None and str(value).strip() for value in row)
    ]
    assert counted == Counter(filled)
    try:
        alone = find_table(sheet, COLUMNS[:4], {"name"})
    except NoTableError:
        return
    accounted = Counter([*(row.number for row in alone.rows), *(item.row for item in alone.ignored)])
    assert accounted == Counter(filled)
