"""What a person does at a browser window, in the words of the work: log in, look for, fill in, save, read."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from django.urls import reverse
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.factories import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from povertyaid.schools.models import User

DESKTOP = (1280, 900)
PHONE = (390, 844)
WAIT_MS = 10_000
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
LARGEST_PICTURE = 150_000  # bytes
COLOURS = (128, 64, 32)


class Desk:
    """A browser window with a session of its own."""

    def __init__(self, browser: Browser, address: str, *, phone: bool = False) -> None:
        width, height = PHONE if phone else DESKTOP
        self.address, self.width = address, width
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            is_mobile=phone,
            has_touch=phone,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            accept_downloads=True,
        )
        self.context.set_default_timeout(WAIT_MS)
        self.page: Page = self.context.new_page()
        # What the console said, bar answers that a test expects (`expected`).
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    @contextlib.contextmanager
    def answers(self, status: int) -> Iterator[None]:
        """Expect an answer with an error status, about which the console complains."""
        with self.page.expect_response(lambda response: response.status == status):
            yield
        self.page.wait_for_load_state()
        told = [complaint for complaint in self.complaints if f"status of {status}" in complaint]
        for complaint in told:
            self.complaints.remove(complaint)

    def close(self) -> None:
        """Close the window; its session ends with it."""
        self.context.close()

    # Going about

    def open(self, path: str) -> None:
        """Open an address of the server."""
        self.page.goto(f"{self.address}{path}")

    def log_in(self, user: User | str, password: str = PASSWORD) -> None:
        """Log in and see the home page, or whatever the first log-in asks."""
        self.open("/login/")
        self.page.fill("#id_username", user if isinstance(user, str) else user.username)
        self.page.fill("#id_password", password)
        self.page.locator("#login-form input[type=submit], #login-form button[type=submit]").first.click()

    # Reading

    @property
    def text(self) -> str:
        """What the page says."""
        return self.page.locator("body").inner_text()

    def sees(self, *texts: str | re.Pattern[str]) -> None:
        """Wait until the page shows each of the texts."""
        for text in texts:
            expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def is_chinese(self) -> bool:
        """Say whether what the page says is Chinese: more Chinese characters than words of letters."""
        text = self.page.locator("main, #container").first.inner_text()
        return len(re.findall(r"[\u4e00-\u9fff]", text)) > len(re.findall(r"[A-Za-z]{3,}", text))

    def has_no(self, text: str) -> None:
        """Wait until the page does not show a text."""
        expect(self.page.locator("body")).not_to_contain_text(text)

    def fits(self) -> None:
        """Check that nobody has to push the page sideways to read it."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.width, (
            f"the page is {width} points wide, the window {self.width}: {self.page.url}"
        )

    # Forms of records

    def fill(self, field: str, value: str) -> None:
        """Type into a field of a record; open the part of the form in which it is folded away."""
        box = self.page.locator(f"#id_{field}")
        box.wait_for(state="attached")
        if not box.is_visible():
            self.page.locator("details:not([open])", has=box).locator("summary").click()
        box.fill(value)

    def choose(self, field: str, typed: str, wanted: str = "") -> None:
        """Choose in an autocomplete field: type a part, take the line that shows `wanted`."""
        self.page.locator(f"#id_{field} + .select2 .select2-selection").click()
        self.page.locator(".select2-container--open input.select2-search__field").fill(typed)
        line = self.page.locator(
            ".select2-results__option--selectable, .select2-results__option[role=option]"
        )
        line.filter(has_text=wanted or typed).first.click()

    def save(self) -> None:
        """Press the main button of a record's form."""
        self.page.locator("input[name=_save]").first.click()

    def submit(self) -> None:
        """Press the main button of a form that asks for something."""
        self.page.locator("main .submit-row input[type=submit], main .submit-row button").first.click()

    @property
    def errors(self) -> Locator:
        """What a form refuses."""
        return self.page.locator(".errorlist:visible, .errornote:visible")

    @property
    def messages(self) -> Locator:
        """What the page says about what was just done."""
        return self.page.locator(".messagelist li")

    # Lists

    def send_list(self, kind: str, path: Path, *, school: str = "", period: str = "") -> None:
        """Send a file: of no kind in particular when `kind` is empty, for a school and a semester that it does not name."""
        self.open(reverse("imports:index"))
        self.page.select_option("#id_kind", kind)
        self.page.set_input_files("#id_file", path)
        if school:
            self.page.select_option("#id_school", label=school)
        if period:
            self.page.select_option("#id_period", period)
        self.submit()

    def asks_for_columns(self) -> None:
        """Wait for the page on which columns are matched."""
        expect(self.page.locator("input[name=save]")).to_be_visible()

    def column(self, header: str) -> Locator:
        """The line of a column on that page."""
        return self.page.locator(
            "table.columns tbody tr", has=self.page.locator("th").get_by_text(header, exact=True)
        )

    def save_columns(self) -> None:
        """Go on from that page to the preview."""
        self.page.locator("input[name=save]").click()

    def counts(self) -> list[int]:
        """The figures above a preview: records, new, changed, unchanged, refused, to decide, to look at, ignored."""
        return [int(text) for text in self.page.locator("table.counts tbody td").all_inner_texts()]

    def rows_shown(self, outcome: str) -> list[int]:
        """The numbers of the rows with an outcome, as the preview shows them under that filter."""
        self.page.locator(f".filters a[href='?show={outcome}']").click()
        expect(self.page.locator(".filters strong")).to_be_visible()
        return sorted(int(text) for text in self.page.locator("table.preview td.number").all_inner_texts())

    def confirm_list(self) -> None:
        """Import the good rows."""
        self.page.locator(".decide form").first.locator("input[type=submit]").click()
        expect(self.messages.first).to_be_visible()

    # Pictures for the documents

    def picture(self, name: str, *, of: Locator | None = None, whole: bool = False) -> None:
        """Keep a picture of the page in docs/pictures, only when POVERTYAID_PICTURES=1 asks for it."""
        if os.environ.get("POVERTYAID_PICTURES") != "1":
            return
        data = of.screenshot() if of else self.page.screenshot(full_page=whole)
        PICTURES.mkdir(parents=True, exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(_small(data, name))


def _small(data: bytes, name: str) -> bytes:
    """Return a PNG with as many colours as keep it small."""
    with Image.open(io.BytesIO(data)) as image:
        plain = image.convert("RGB")
    for colours in COLOURS:
        target = io.BytesIO()
        plain.quantize(colours, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)
        if target.tell() < LARGEST_PICTURE:
            return target.getvalue()
    msg = f"The picture {name} is too large: show a smaller part."
    raise AssertionError(msg)
