"""Light and dark, desk and phone: everything within reach, and nothing that axe-core complains about."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import expect

from devtools.running import Server
from devtools.serving import picture
from tests.browser.visitor import Visitor, payload

OpenPage = Callable[..., Visitor]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
ENDLESS = "a-name-that-goes-on-and-on-without-an-end-" * 3 + ".png"
TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
SCREEN = {"viewport": {"width": 1920, "height": 1080}}
ZOOMED = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}  # the desk's, at 200 %


def fits(visitor: Visitor) -> bool:
    """Whether there is nothing to scroll to at the side."""
    wide: bool = visitor.page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return wide


@pytest.mark.parametrize(
    ("device", "scheme"),
    [
        pytest.param(DESK, "light", id="desk, light"),
        pytest.param(SCREEN, "dark", id="large screen, dark"),
        pytest.param(TABLET, "light", id="tablet, light"),
        pytest.param(PHONE, "dark", id="phone, dark"),
        pytest.param(ZOOMED, "light", id="at 200 %, light"),
    ],
)
def test_every_state_is_accessible_and_fits(
    open_page: OpenPage, server: Server, device: dict[str, object], scheme: str
) -> None:
    visitor = open_page(server, color_scheme=scheme, **device)
    visitor.expected = ("422",)
    page = visitor.page

    def check() -> None:
        assert visitor.violations() == []
        assert fits(visitor)

    page.locator("summary", has_text="Advanced").click()
    page.locator("summary", has_text="terminal").click()
    check()

    visitor.choose_photo(picture(400, 10), ENDLESS)
    visitor.paint()
    expect(page.locator("#error-content")).not_to_be_empty()
    check()

    visitor.choose_photo()
    page.get_by_label("Blend several paintings").check()
    page.get_by_role("checkbox", name="A rose").check(force=True)
    page.get_by_role("button", name="Brush on the photo").click()
    board = page.locator("#board-canvas")
    board.tap() if "has_touch" in device else board.click()
    expect(page.locator("#regions-said")).to_contain_text("stays the photo")
    expect(page.get_by_role("button", name="Done")).to_be_in_viewport()
    check()
    page.get_by_role("button", name="Done").click()
    check()
    page.get_by_label("Add your own").set_input_files(payload(ENDLESS, picture(color="gold")))
    page.get_by_role("button", name="Brush on the photo").click()
    page.get_by_role("radio", name=ENDLESS, exact=True).check()
    board.tap() if "has_touch" in device else board.click()
    expect(page.locator("#regions-said")).to_contain_text(f"like {ENDLESS}")
    assert page.locator("#regions-dialog").evaluate("box => box.scrollWidth <= box.clientWidth")
    check()
    page.get_by_role("button", name="Done").click()
    check()
    server.hold(after=5)
    visitor.paint()
    expect(page.locator("#said")).to_contain_text("5 steps")
    check()

    server.release()
    expect(page.locator("#done")).to_be_visible()
    check()


def test_dark_is_dark_and_light_is_light(open_page: OpenPage, server: Server) -> None:
    page = open_page(server).page

    def brightness(scheme: Literal["dark", "light"]) -> int:
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness("dark") < 3 * 40
    assert brightness("light") > 3 * 230


def test_a_phone_offers_its_camera_and_a_desk_does_not(open_page: OpenPage, server: Server) -> None:
    expect(open_page(server, **PHONE).page.get_by_text("Take a photo")).to_be_visible()
    expect(open_page(server, **DESK).page.get_by_text("Take a photo")).to_be_hidden()


def test_on_a_phone_it_is_painted_from_the_first_tap_to_the_slider(
    open_page: OpenPage, server: Server
) -> None:
    visitor = open_page(server, **PHONE)
    visitor.choose_photo()
    visitor.page.get_by_text("A rose").tap()
    visitor.page.get_by_role("button", name="Paint", exact=True).tap()
    expect(visitor.page.locator("#done")).to_be_visible()
    expect(visitor.handle).to_be_in_viewport()
    box = visitor.page.locator("#compare").bounding_box()
    assert box
    visitor.page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    expect(visitor.handle).to_have_attribute("aria-valuenow", "75")


def test_whoever_wants_no_motion_gets_none(open_page: OpenPage, server: Server) -> None:
    page = open_page(server, reduced_motion="reduce").page

    def duration() -> str:
        found: str = page.evaluate("getComputedStyle(document.getElementById('preview')).transitionDuration")
        return found

    assert duration() == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert duration() != "0s"
