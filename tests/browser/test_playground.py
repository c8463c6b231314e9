"""The playground in a browser, as visitors use it."""

import io
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Route, expect

from devtools.running import Server
from devtools.serving import picture, wait_until
from tests.browser.visitor import Visitor, payload

OpenPage = Callable[..., Visitor]
PIXELS = 'stylize_input_pixels_sum{image="content"}'
GONE = 'stylize_requests_total{outcome="client_gone"}'


def test_a_photo_is_painted_while_one_watches(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.choose_photo()
    server.hold()
    visitor.paint()
    said, preview = page.locator("#said"), page.locator("#preview")
    expect(said).to_have_text("Starting…")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()

    server.hold(after=1)  # of which nobody knows yet how long it took
    expect(said).to_have_text("1 step · 256 × 192")
    expect(preview).to_have_attribute("src", re.compile("^data:image/jpeg;base64,"))
    seen = {preview.get_attribute("src")}
    for evaluations in range(50, 1000, 50):  # a preview is made at the next one, about twice a second
        server.hold(after=evaluations)
        expect(said).to_have_text(f"about 2 s left · {evaluations} steps · 256 × 192")
        seen.add(preview.get_attribute("src"))
        if len(seen) >= 3:
            break
    assert len(seen) >= 3
    assert float(page.locator("#progress").get_attribute("value") or 0) > 0.04

    server.release()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    expect(preview).to_be_hidden()
    expect(page.locator("#status")).to_have_text("Your picture is done.")
    expect(page.get_by_role("heading", name="Your picture", exact=True)).to_be_focused()
    expect(page.locator("#facts")).to_contain_text("256 × 192, 1000 steps in ")
    expect(page.locator("#backbone")).to_contain_text("network fake on the CPU")


def test_the_picture_is_downloaded_as_it_was_asked_for(visitor: Visitor) -> None:
    visitor.choose_photo()
    visitor.choose_size(128)
    visitor.page.locator("summary", has_text="Advanced").click()
    visitor.page.get_by_label("File format").select_option("webp")
    visitor.paint_to_the_end()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "photo-dusk.webp"
    with Image.open(download.value.path()) as image:
        assert (image.format, image.size) == ("WEBP", (128, 96))


def test_before_and_after_are_compared_with_the_keys(visitor: Visitor) -> None:
    visitor.choose_photo()
    visitor.paint_to_the_end()
    handle, keyboard = visitor.handle, visitor.page.keyboard
    handle.focus()
    expect(handle).to_have_attribute("aria-valuenow", "0")  # the painting, all of it
    for key, shown in [
        ("ArrowRight", 2),
        ("ArrowUp", 4),
        ("ArrowLeft", 2),
        ("ArrowDown", 0),
        ("PageUp", 10),
        ("PageDown", 0),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 100),
    ]:
        keyboard.press(key)
        expect(handle).to_have_attribute("aria-valuenow", str(shown))
        expect(handle).to_have_attribute("aria-valuetext", f"{shown} % photo")
    expect(visitor.page.locator("#before")).to_have_css("clip-path", "inset(0px 0% 0px 0px)")


def test_before_and_after_are_compared_with_the_mouse(visitor: Visitor) -> None:
    visitor.choose_photo()
    visitor.paint_to_the_end()
    box = visitor.page.locator("#compare").bounding_box()
    assert box
    mouse, middle = visitor.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 0.25, middle)
    mouse.down()
    expect(visitor.handle).to_have_attribute("aria-valuenow", "25")
    mouse.move(box["x"] + box["width"] * 0.8, middle, steps=4)
    expect(visitor.handle).to_have_attribute("aria-valuenow", "80")
    mouse.up()
    mouse.move(box["x"] + box["width"] * 0.1, middle)
    expect(visitor.handle).to_have_attribute("aria-valuenow", "80")


def test_everything_can_be_done_with_the_keyboard_alone(visitor: Visitor) -> None:
    """In the order of Tab: choose, set, paint. Only the dialog for files belongs to the browser."""
    page, keyboard = visitor.page, visitor.page.keyboard
    visitor.choose_photo()

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {selector}")

    tab_to("input[name=painting]")
    keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="A rose")).to_be_checked()
    tab_to("#strength")
    keyboard.press("ArrowRight")
    expect(page.locator("output[for=strength]")).to_have_text("0.80")
    tab_to("#size")
    keyboard.press("Home")
    tab_to("#paint")
    keyboard.press("Enter")
    expect(page.locator("#done")).to_be_visible()
    tab_to("#handle")
    tab_to("#download")
    tab_to("#enlarge")
    keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Your picture, enlarged")).to_be_visible()
    keyboard.press("Escape")
    tab_to("#stronger")
    keyboard.press("Enter")
    expect(page.locator("#strip li")).to_have_count(2)
    tab_to("#strip li:last-child button")
    keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("strength 0.8")
    assert "style_name=rose -F size=128 -F strength=0.95" in " ".join(visitor.command().split(" \\\n  "))


def test_what_goes_wrong_is_said_next_to_its_field(visitor: Visitor) -> None:
    visitor.expected = ("422",)
    page = visitor.page
    visitor.choose_photo(picture(400, 10))
    visitor.paint()
    expect(page.locator("#error-content")).to_contain_text("10")
    expect(page.get_by_label("Choose a photo")).to_be_focused()
    expect(page.get_by_label("Choose a photo")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#trouble-title")).to_have_text("A picture is damaged, too large or too small")
    expect(page.locator("#trouble-detail")).to_contain_text("10")
    visitor.choose_photo()
    expect(page.locator("#error-content")).to_be_empty()
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_wrong_seed_is_noticed_before_anything_is_sent(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo()
    page.locator("summary", has_text="Advanced").click()
    page.get_by_label("Seed").fill("-7")
    page.locator("summary", has_text="Advanced").click()
    visitor.paint()
    expect(page.locator("#error-seed")).to_have_text("Give a whole number from 0 to 4294967295.")
    expect(page.get_by_label("Seed")).to_be_focused()  # unfolded for it
    page.get_by_label("Seed").fill("7")
    visitor.paint_to_the_end()
    expect(page.locator("#facts")).to_contain_text("seed 7")


def test_without_a_photo_nothing_is_sent(visitor: Visitor, server: Server) -> None:
    before = len(server.requests_logged())
    visitor.paint()
    expect(visitor.page.locator("#error-content")).to_have_text("Choose a photo first.")
    expect(visitor.page.get_by_label("Choose a photo")).to_be_focused()
    assert "/stylize" not in {line["route"] for line in server.requests_logged()[before:]}


def test_cancelling_stops_the_service_too(visitor: Visitor, server: Server) -> None:
    gone = server.metric(GONE)
    visitor.choose_photo()
    server.hold(after=3)
    visitor.paint()
    expect(visitor.page.locator("#said")).to_contain_text("3 steps")
    visitor.page.get_by_role("button", name="Cancel").click()
    expect(visitor.page.locator("#notice")).to_have_text("Cancelled.")
    expect(visitor.page.get_by_role("button", name="Paint", exact=True)).to_be_focused()
    wait_until(lambda: server.metric(GONE) == gone + 1)
    server.hold(after=4)  # the one that was going on ends, and none follows
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    server.release()
    visitor.paint_to_the_end()


def test_the_place_in_the_queue_is_shown_and_a_full_one_counted_down(
    visitor: Visitor, open_page: OpenPage, server: Server
) -> None:
    server.hold()
    with server.stream(), server.stream():
        late = open_page(server)
        late.expected = ("429",)
        late.choose_photo()
        late.paint()
        again = late.page.get_by_role("button", name="Try again")
        expect(again).to_have_text(re.compile(r"Try again in \d+ s"))
        expect(again).to_have_attribute("aria-disabled", "true")
        expect(late.page.locator("#trouble-title")).to_have_text("Too many requests at once")
    server.release()
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    server.hold()
    with server.stream():
        visitor.choose_photo()
        visitor.paint()
        expect(visitor.page.locator("#said")).to_have_text(
            re.compile(r"Waiting for 1 other picture(, about \d+ s)?")
        )
        server.release()
        expect(visitor.page.locator("#done")).to_be_visible()


def test_the_seconds_of_those_that_come_first_are_shown(visitor: Visitor) -> None:
    queued = 'event: queued\ndata: {"request_id": "mine", "position": 2, "seconds": 8.4}\n\n'
    stream = {"Content-Type": "text/event-stream"}
    visitor.page.route("**/stylize", lambda route: route.fulfill(headers=stream, body=queued))
    visitor.choose_photo()
    visitor.paint()
    expect(visitor.page.locator("#said")).to_have_text("Waiting for 2 other pictures, about 9 s")


def test_a_refusal_that_passes_is_tried_again_once_it_is_time(visitor: Visitor, server: Server) -> None:
    visitor.expected = ("503",)
    refusals = ["1"]

    def refuse_once(route: Route) -> None:
        if refusals:
            body = '{"title": "The service is not ready", "detail": "The service is loading."}'
            headers = {"Retry-After": refusals.pop(), "Content-Type": "application/problem+json"}
            route.fulfill(status=503, headers=headers, body=body)
        else:
            route.continue_()

    visitor.page.route("**/stylize", refuse_once)
    visitor.choose_photo()
    visitor.paint()
    again = visitor.page.get_by_role("button", name="Try again", exact=True)
    expect(again).to_have_attribute("aria-disabled", "false")
    expect(visitor.page.locator("#status")).to_have_text("You can try again now.")
    again.click()
    expect(visitor.page.locator("#done")).to_be_visible()


def test_a_connection_that_breaks_off_can_be_tried_again(visitor: Visitor) -> None:
    visitor.page.route(
        "**/stylize",
        lambda route: route.fulfill(headers={"Content-Type": "text/event-stream"}, body=": and no more\n\n"),
        times=1,
    )
    visitor.choose_photo()
    visitor.paint()
    expect(visitor.page.locator("#trouble-title")).to_have_text("The connection was lost")
    visitor.page.get_by_role("button", name="Try again").click()
    expect(visitor.page.locator("#done")).to_be_visible()


def test_a_key_is_asked_for_and_kept_in_the_tab(open_page: OpenPage, catalogue: Path, tmp_path: Path) -> None:
    key = "0123456789abcdef0123456789abcdef"
    (tmp_path / "keys").write_text(f"phone:{key}")
    with Server(STYLIZE_API_KEYS_FILE=tmp_path / "keys", STYLIZE_STYLES_DIR=catalogue) as server:
        visitor = open_page(server)
        visitor.expected = ("401",)
        page = visitor.page
        visitor.choose_photo()
        visitor.paint()
        dialog = page.get_by_role("dialog", name="This service needs a key")
        expect(dialog).to_contain_text("only for people who have a key")
        assert visitor.violations() == []
        expect(dialog.get_by_label("Key")).to_be_focused()
        page.keyboard.type("another-key")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("This key is not valid")
        page.keyboard.press("Escape")
        expect(page.locator("#notice")).to_contain_text("only for people who have a key")
        visitor.paint()
        dialog.get_by_label("Key").fill(key)
        dialog.get_by_role("button", name="Use this key").click()
        expect(visitor.page.locator("#done")).to_be_visible()
        assert '-H "Authorization: Bearer $KEY"' in visitor.command()
        assert key not in page.content()
        assert key not in page.url

        visitor.visit()  # the tab remembers
        visitor.choose_photo()
        visitor.paint_to_the_end()
        page.get_by_role("button", name="Forget the key").click()
        visitor.paint()
        expect(dialog).to_be_visible()
        assert key not in server.output()


def test_the_command_does_the_same(visitor: Visitor, tmp_path: Path, server: Server) -> None:
    name = "it's my; photo.png"
    visitor.choose_photo(picture(100, 80, "purple"), name)
    visitor.page.get_by_role("radio", name="A rose").check(force=True)
    visitor.choose_size(128)
    visitor.page.get_by_label("Time", exact=True).select_option("2")
    assert "-F style_name=rose" in visitor.command()
    assert "-F budget=2" in visitor.command()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.page.locator("summary", has_text="terminal").click()
    visitor.page.get_by_role("button", name="Copy as curl").click()
    expect(visitor.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert copied == visitor.command()
    (tmp_path / name).write_bytes(picture(100, 80, "purple"))
    subprocess.run([*shlex.split(copied.replace("\\\n", "")), "--silent", "--fail"], cwd=tmp_path, check=True)
    with Image.open(tmp_path / "painted.png") as image:
        assert image.size == (128, 102)
    assert server.requests_logged()[-1]["style_names"] == ["rose"]


def test_several_paintings_are_blended(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.choose_photo()
    page.get_by_label("Blend several paintings").check()
    page.get_by_role("checkbox", name="A rose").check(force=True)
    page.get_by_label("Add your own").set_input_files(payload("mine.png", picture(color="gold")))
    expect(page.get_by_role("checkbox", name="mine.png")).to_be_checked()
    command = visitor.command()
    assert [part in command for part in ("style=@mine.png", "style_name=dusk", "style_name=rose")] == [
        True
    ] * 3
    visitor.paint_to_the_end()
    assert server.requests_logged()[-1]["style_names"] == ["dusk", "rose"]
    page.get_by_role("button", name="Remove mine.png").click()
    page.get_by_label("Blend several paintings").uncheck()
    expect(page.get_by_role("radio", name="Dusk")).to_be_checked()
    expect(page.get_by_role("radio", name="A rose")).not_to_be_checked()


def test_a_huge_photo_travels_small_and_upright(visitor: Visitor, server: Server) -> None:
    buffer = io.BytesIO()
    image = Image.new("RGB", (3000, 2000), "teal")
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    image.save(buffer, "jpeg", exif=exif)
    visitor.choose_photo(buffer.getvalue(), "huge.jpg", "image/jpeg")
    expect(visitor.page.locator("#photo-chosen")).to_contain_text("2000 × 3000")
    expect(visitor.page.locator("#photo-chosen")).to_contain_text("sent as 341 × 512")
    visitor.choose_size(1024)
    expect(visitor.page.locator("#photo-chosen")).to_contain_text("sent as 1365 × 2048")
    visitor.choose_size(128)
    before = server.metric(PIXELS)
    visitor.paint_to_the_end()
    assert server.metric(PIXELS) - before == 171 * 256
    expect(visitor.page.locator("#facts")).to_contain_text("86 × 128")


def test_a_service_without_a_catalogue_offers_paintings_of_the_page(open_page: OpenPage) -> None:
    with Server() as server:
        visitor = open_page(server)
        page = visitor.page
        expect(page.get_by_role("radio", name="stained-glass.jpg")).to_be_checked()
        visitor.choose_photo()
        visitor.paint_to_the_end()
        for _ in range(3):
            page.get_by_role("button", name=re.compile("^Remove .*-")).first.click()
        visitor.paint()
        expect(page.locator("#error-style")).to_have_text("Choose a painting first.")


def test_of_a_large_catalogue_some_are_shown_and_the_others_when_asked_for(
    open_page: OpenPage, tmp_path: Path
) -> None:
    for number in range(12):
        (tmp_path / f"painting-{number:02}.png").write_bytes(picture())
    with Server(STYLIZE_STYLES_DIR=tmp_path) as server:
        page = open_page(server).page
        tiles = page.locator(".tile")
        expect(tiles.filter(visible=True)).to_have_count(9)
        page.get_by_role("button", name="Show all paintings").click()
        expect(tiles.filter(visible=True)).to_have_count(12)
        expect(page.get_by_role("button", name="Show all paintings")).to_be_hidden()
        expect(page.get_by_role("radio", name="Painting 00")).to_be_focused()


def test_a_page_that_is_opened_during_the_start_shows_the_catalogue_later(visitor: Visitor) -> None:
    visitor.expected = ("503",)
    refusals = [503, 503]

    def refuse_at_first(route: Route) -> None:
        if refusals:
            route.fulfill(status=refusals.pop(), headers={"Retry-After": "2"}, body="{}")
        else:
            route.continue_()

    visitor.page.route("**/styles", refuse_at_first)
    visitor.page.reload()
    expect(visitor.page.locator("#gallery-said")).to_have_text("Loading the paintings…")
    expect(visitor.page.get_by_role("radio", name="A rose")).to_be_attached()
    expect(visitor.page.locator("#gallery-said")).to_be_hidden()
    assert refusals == []


def test_sizes_say_what_they_cost_and_times_that_are_too_short_are_not_offered(open_page: OpenPage) -> None:
    with Server(STYLIZE_MAX_SIZE=800, STYLIZE_MAX_BUDGET=30) as server:
        visitor = open_page(server)
        size, time = (visitor.page.get_by_label(name, exact=True) for name in ("Size", "Time"))
        assert size.locator("option").all_inner_texts() == [
            "Tiny, 128 px, about 2 s",
            "Quick, 256 px, about 6 s",
            "Good, 384 px, about 14 s",
            "Fine, 512 px, about 24 s",
            "Large, 768 px, stops after 30 s",
            "800 px",
        ]
        expect(size).to_have_value("256")  # the largest that takes ten seconds at most
        expect(visitor.page.locator("#estimate")).to_have_text("This takes about 6 s.")
        assert time.locator("option").all_inner_texts()[:2] == ["As long as it needs, up to 30 s", "2 s"]
        time.select_option("5")
        assert "-F budget=5" in visitor.command()
        expect(visitor.page.locator("#estimate")).to_have_text("This takes 5 s at most.")
        visitor.choose_size(512)
        assert time.locator("option").all_inner_texts() == [
            "As long as it needs, up to 30 s",
            "8 s",
            "13 s",
            "20 s",
            "30 s",
        ]
        expect(time).to_have_value("")
        assert "budget" not in visitor.command()


def test_a_page_that_is_opened_while_sizes_are_measured_offers_them_later(visitor: Visitor) -> None:
    answers = [{"state": "warming", "sizes": []}, {"sizes": [{"size": 384, "seconds": 9.0}]}]

    def measured(route: Route) -> None:
        about = route.fetch().json()
        route.fulfill(json=about | (answers.pop(0) if answers else {}))

    visitor.page.route("**/version", measured)
    visitor.page.evaluate("sessionStorage.clear()")
    visitor.page.reload()
    expect(visitor.page.get_by_label("Size", exact=True)).to_have_value("384")
    expect(visitor.page.locator("#estimate")).to_have_text("This takes about 9 s.")
    assert answers == []


def test_the_usual_time_of_the_server_is_named(open_page: OpenPage) -> None:
    with Server(STYLIZE_DEFAULT_BUDGET=5) as server:
        time = open_page(server).page.get_by_label("Time", exact=True)
        expect(time.locator("option").first).to_have_text("The usual 5 s")


def test_the_tab_says_how_far_it_is(visitor: Visitor, server: Server) -> None:
    visitor.choose_photo()
    server.hold(after=250)
    visitor.paint()
    expect(visitor.page).to_have_title("25 % · Stylize")
    server.release()
    expect(visitor.page).to_have_title("Stylize")


def test_a_blend_has_weights(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.choose_photo()
    page.get_by_label("Blend several paintings").check()
    page.get_by_role("checkbox", name="A rose").check(force=True)
    assert "style_weights" not in visitor.command()  # as much of one as of the other
    page.get_by_role("slider", name="Dusk").fill("8")
    page.get_by_role("slider", name="A rose").fill("2")
    assert "-F style_weights=8,2" in visitor.command()
    visitor.paint_to_the_end()
    page.get_by_role("checkbox", name="A rose").uncheck(force=True)
    expect(page.get_by_role("slider", name="Dusk")).to_be_hidden()
    assert "style_weights" not in visitor.command()
