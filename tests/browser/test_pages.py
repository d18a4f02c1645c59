"""Every page of the menu opens without a complaint of the browser, fits the window, and the first one is small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from povertyaid.schools.models import User
    from tests.browser.desk import Desk
    from tests.personas import World

FIRST_PAGE_LIMIT = 150_000  # bytes over the wire (DESIGN §2: slow village lines)


def _addresses(desk: Desk, selector: str) -> list[str]:
    links = desk.page.locator(selector).all()
    return [address for link in links if (address := link.get_attribute("href"))]


def _look(desk: Desk, address: str) -> None:
    with desk.page.expect_response(lambda answer: answer.request.is_navigation_request()) as answered:
        desk.page.goto(f"{desk.address}{address}")
    assert answered.value.status == 200, address
    desk.fits()


def _look_at_all(desk: Desk, menu: str) -> int:
    """Open the lists of a menu, the first record of each, and the empty forms; return the number of pages."""
    lists, forms = _addresses(desk, f"{menu} a.list"), _addresses(desk, f"{menu} a.addlink")
    records = []
    for address in lists:
        _look(desk, address)
        records += _addresses(desk, "#result_list tbody th a, #result_list tbody td a")[:1]
    for address in records + forms:
        _look(desk, address)
    return len(lists) + len(records) + len(forms)


def test_every_page_of_the_menu_opens_without_a_complaint_and_fits_the_window(
    desk: Desk, world: World, bureau_clerk: User
) -> None:
    desk.log_in(bureau_clerk)
    assert _look_at_all(desk, ".menu") > 40


def test_the_administrators_pages_open_without_a_complaint_and_fit_the_window(
    desk: Desk, world: World, county_admin: User
) -> None:
    desk.log_in(county_admin)
    assert _look_at_all(desk, "#menu-system") > 15


def test_the_pages_of_a_class_teacher_fit_a_telephone(
    new_desk: Callable[..., Desk], world: World, class_teacher: User
) -> None:
    desk = new_desk(phone=True)
    desk.log_in(class_teacher)
    assert _look_at_all(desk, ".menu") > 10


def test_the_first_page_before_and_after_the_log_in_is_small(desk: Desk, clerk: User) -> None:
    sizes: list[float] = []

    def finished(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    wire = desk.context.new_cdp_session(desk.page)
    wire.on("Network.loadingFinished", finished)
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")

    desk.open(reverse("admin:login"))
    desk.page.wait_for_load_state("networkidle")
    assert 1_000 < sum(sizes) < FIRST_PAGE_LIMIT, sizes

    # The first page after the log-in, with nothing kept from the page before.
    desk.log_in(clerk)
    expect(desk.page.locator(".todo")).to_be_visible()
    desk.page.wait_for_load_state("networkidle")
    wire.send("Network.clearBrowserCache")
    sizes.clear()
    desk.open(reverse("admin:index"))
    desk.page.wait_for_load_state("networkidle")
    assert 1_000 < sum(sizes) < FIRST_PAGE_LIMIT, sizes
