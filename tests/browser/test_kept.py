"""What the playground keeps: the last picture until there is a new one, and everything over a reload."""

import io
import re
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import Page, expect

from devtools.running import Server
from devtools.serving import picture
from tests.browser.visitor import PHOTO, Visitor, payload

OpenPage = Callable[..., Visitor]


def download(page: Page) -> bytes:
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download").click()
    return downloaded.value.path().read_bytes()


def test_there_is_an_example_until_there_is_a_picture(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.get_by_role("heading", name="An example")).to_be_visible()
    expect(visitor.handle).to_be_in_viewport()
    for image in page.locator("#compare img").all():
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(page.get_by_role("link", name="Download")).to_be_hidden()
    visitor.choose_photo()
    visitor.paint_to_the_end()
    expect(page.get_by_role("heading", name="Your picture", exact=True)).to_be_visible()


def test_the_last_picture_stays_when_the_next_one_is_cancelled(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.choose_photo()
    visitor.paint_to_the_end()
    before = download(page)
    server.hold(after=3)
    visitor.paint()
    expect(page.locator("#said")).to_contain_text("3 steps")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#notice")).to_have_text("Cancelled.")
    server.release()
    assert download(page) == before
    expect(page.locator("#preview")).to_be_hidden()
    expect(visitor.handle).to_be_visible()


def test_the_last_picture_stays_when_the_service_refuses_or_is_lost(visitor: Visitor) -> None:
    visitor.expected = ("422", "ERR_CONNECTION_REFUSED", "Failed to fetch")
    page = visitor.page
    visitor.choose_photo()
    visitor.paint_to_the_end()
    before = download(page)
    visitor.choose_photo(picture(400, 10), "strip.png")
    visitor.paint()
    expect(page.locator("#trouble")).to_be_visible()
    assert download(page) == before
    page.route("**/stylize", lambda route: route.abort("connectionrefused"))
    visitor.paint()
    expect(page.locator("#trouble-title")).to_have_text("The service cannot be reached")
    assert download(page) == before


def test_a_reload_loses_nothing(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo()
    page.get_by_label("Add your own").set_input_files(payload("mine.png", picture(color="gold")))
    visitor.choose_size(128)
    visitor.move("Strength", "0.7")
    page.get_by_label("Colours").select_option("content-match")
    visitor.paint_to_the_end()
    painted, command, facts = download(page), visitor.command(), page.locator("#facts").text_content()
    page.reload()
    expect(page.locator("#photo-chosen")).to_contain_text(PHOTO)
    expect(page.get_by_role("radio", name="mine.png")).to_be_checked()
    expect(page.locator("#command")).to_have_text(command)
    expect(page.locator("#facts")).to_have_text(facts or "")
    assert download(page) == painted
    visitor.paint_to_the_end()
    page.get_by_role("radio", name="A rose").check(force=True)
    page.goto(f"{visitor.address}/docs")
    page.go_back()
    expect(page.get_by_role("radio", name="A rose")).to_be_checked()
    expect(page.locator("#strip li")).to_have_count(2)


def test_the_pictures_of_the_session_are_shown_again_one_by_one_and_cleared(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo(picture(400, 300, "teal"), "first.png")
    visitor.choose_size(128)
    visitor.paint_to_the_end()
    visitor.choose_photo(picture(300, 400, "navy"), "second.png")
    visitor.choose_size(256)
    visitor.move("Strength", "0.8")
    visitor.paint_to_the_end()
    page.get_by_role("button", name="Picture 1: first-dusk.png").click()
    expect(page.locator("#facts")).to_contain_text(re.compile("^128 × 96, .* strength 0.75"))
    with Image.open(io.BytesIO(download(page))) as image:
        assert image.size == (128, 96)
    page.get_by_role("button", name="Use its settings").click()
    assert {"-F size=128", "-F strength=0.75"} <= set(visitor.command().split(" \\\n  "))
    page.get_by_role("button", name="Use as starting picture").click()
    expect(page.locator("#start-about")).to_have_text("first-dusk.png")
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_role("heading", name="An example")).to_be_focused()
    expect(page.get_by_role("link", name="Download")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="An example")).to_be_visible()
    expect(page.locator("#strip li")).to_have_count(0)


def test_another_tab_has_none_of_it(visitor: Visitor) -> None:
    visitor.choose_photo()
    visitor.paint_to_the_end()
    other = visitor.page.context.new_page()
    other.goto(visitor.address)
    expect(other.locator("#backbone")).to_contain_text("It runs here")
    expect(other.get_by_role("heading", name="An example")).to_be_visible()
    expect(other.locator("#photo-chosen")).to_be_hidden()


def test_once_more_with_another_seed_or_more_or_less_strength(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.choose_photo()
    visitor.paint_to_the_end()
    facts = page.locator("#facts")
    for button, said in [
        ("Stronger", re.compile(r"strength 0\.9, seed 0\.")),
        ("Gentler", re.compile(r"strength 0\.75, seed 0\.")),
        ("Another version", re.compile(r"strength 0\.75, seed [1-9]\d*\.")),
    ]:
        page.get_by_role("button", name=button).click()
        expect(facts).to_contain_text(said)
    expect(page.locator("#strip li")).to_have_count(4)


def test_a_picture_is_never_shown_larger_than_twice_its_size_unless_somebody_zooms(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo()
    visitor.choose_size(128)
    visitor.paint_to_the_end()
    box = page.locator("#frame").bounding_box()
    assert box
    assert box["width"] == 2 * 128
    page.get_by_role("button", name="Enlarge").click()
    dialog = page.get_by_role("dialog", name="Your picture, enlarged")
    image, view = dialog.locator("img"), dialog.locator(".view")
    assert visitor.violations() == []
    fitting = image.evaluate("image => image.width")
    assert fitting == 2 * 128 <= view.evaluate("view => view.clientWidth")
    dialog.get_by_role("button", name="Larger").click()
    assert image.evaluate("image => image.width") > fitting
    dialog.get_by_role("button", name="Fit").click()
    assert image.evaluate("image => image.width") == fitting
    dialog.get_by_role("button", name="Smaller").click()
    assert image.evaluate("image => image.width") < fitting
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Enlarge")).to_be_focused()


def test_where_the_browser_shares_files_the_page_does(open_page: OpenPage, server: Server) -> None:
    visitor = open_page(server, service_workers="block")
    page = visitor.page
    page.add_init_script(
        "navigator.canShare = () => true;"
        "navigator.share = async ({ files }) => { window.shared = files.map((file) => file.name); };"
    )
    page.reload()
    visitor.choose_photo()
    visitor.paint_to_the_end()
    page.get_by_role("button", name="Share").click()
    assert page.evaluate("window.shared") == ["photo-dusk.png"]
