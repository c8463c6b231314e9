"""Regions, the picture to start from and colours, as a visitor of the playground chooses them."""

import io
import json
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from devtools.serving import picture
from tests.browser.visitor import Visitor, payload

NOT_PAINTED, ROSE, DUSK, REST = (0, 0, 0), (50, 120, 255), (230, 60, 60), (255, 255, 255)


def brush(page: Page, *points: tuple[float, float]) -> None:
    """Along these points of the photo, each of which has 0..1 to the right and down."""
    box = page.locator("#board-canvas").bounding_box()
    assert box
    (x, y), *others = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


def take(page: Page, name: str) -> None:
    """Another brush."""
    page.get_by_role("radio", name=name, exact=True).check()


def open_board(visitor: Visitor) -> None:
    if not visitor.page.locator("#advanced").evaluate("details => details.open"):
        visitor.page.locator("summary", has_text="Advanced").click()
    visitor.page.get_by_role("button", name="Brush on the photo").click()
    expect(visitor.page.get_by_role("dialog", name="Regions")).to_be_visible()


def close_board(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Done").click()


def choose_both(visitor: Visitor) -> None:
    """Both paintings of the catalogue: Dusk, then A rose."""
    visitor.page.get_by_label("Blend several paintings").check()
    visitor.page.get_by_role("checkbox", name="A rose").check(force=True)


def saved(page: Page, name: str) -> Image.Image:
    """A file of the regions, as the visitor can have it."""
    if not page.locator("#curl").evaluate("details => details.open"):
        page.locator("summary", has_text="terminal").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    assert download.value.suggested_filename == name
    return Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")


def colours(image: Image.Image) -> set[Any]:
    return {colour for _, colour in image.getcolors() or []}


LISTEN = """() => {
    const ask = window.fetch;
    window.answered = new Promise((resolve) => {
        window.fetch = async (...request) => {
            window.fetch = ask;
            const answer = await ask(...request);
            resolve(answer.clone().text());
            return answer;
        };
    });
}"""  # the browser's tools keep no body of an answer that was read as a stream


def result(visitor: Visitor) -> dict[str, Any]:
    """The report of what the visitor paints now."""
    visitor.page.evaluate(LISTEN)
    visitor.paint()
    event = visitor.page.evaluate("window.answered").rpartition("event: result\n")[2]
    expect(visitor.page.get_by_role("button", name="Paint", exact=True)).to_be_enabled()
    report: dict[str, Any] = json.loads(event.removeprefix("data: ").partition("\n")[0])
    return report


def test_what_is_brushed_stays_the_photo(visitor: Visitor) -> None:
    visitor.choose_photo()
    open_board(visitor)
    page = visitor.page
    expect(page.get_by_role("radio", name="Not painted")).to_be_focused()
    expect(page.get_by_role("dialog").get_by_role("radio", name="A rose")).to_have_count(
        0
    )  # there is one painting only
    page.get_by_role("slider", name="Brush size").fill("20")
    brush(page, (0.0, 0.5), (1.0, 0.5))
    expect(page.locator("#regions-said")).to_have_text("27 % stays the photo.")
    close_board(visitor)
    expect(page.locator("#regions-about")).to_have_text("27 % stays the photo.")
    mask = saved(page, "regions.png")
    assert mask.size == (400, 300)
    assert colours(mask) == {NOT_PAINTED, REST}
    assert mask.getpixel((200, 150)) == NOT_PAINTED
    assert mask.getpixel((200, 20)) == REST
    (region,) = result(visitor)["regions"]
    assert (region["label"], region["styles"]) == ("#ffffff", [1])
    assert region["share"] == pytest.approx(0.73, abs=0.01)


def test_each_painting_gets_the_place_that_is_brushed_for_it(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo()
    choose_both(visitor)
    open_board(visitor)
    take(page, "A rose")
    brush(page, (0.0, 0.2), (1.0, 0.2))
    expect(page.locator("#regions-said")).to_contain_text("% like A rose, the rest like Dusk.")
    take(page, "Not painted")
    brush(page, (0.5, 0.8), (0.6, 0.8))
    close_board(visitor)
    assert "content_mask=@regions.png \\\n  -F style_mask=@regions-1.png" in visitor.command()
    assert colours(saved(page, "regions.png")) == {NOT_PAINTED, ROSE, REST}
    assert colours(saved(page, "regions-1.png")) == {REST}  # of Dusk, which has no place of its own
    assert colours(saved(page, "regions-2.png")) == {ROSE}
    regions = result(visitor)["regions"]
    assert [(region["label"], region["styles"]) for region in regions] == [
        ("#3278ff", [2]),
        ("#ffffff", [1]),
    ]

    open_board(visitor)  # what was brushed is still there
    take(page, "Dusk")
    brush(page, (0.0, 0.5), (1.0, 0.5))
    expect(page.locator("#regions-said")).to_contain_text("% like Dusk")
    close_board(visitor)  # now the rest is the first painting's
    assert colours(saved(page, "regions.png")) == {NOT_PAINTED, DUSK, ROSE}
    assert [region["styles"] for region in result(visitor)["regions"]] == [[2], [1]]

    page.get_by_role("checkbox", name="A rose").uncheck(force=True)  # what was hers is the rest
    assert colours(saved(page, "regions.png")) == {NOT_PAINTED, DUSK}
    assert result(visitor)["regions"][0]["styles"] == [1]


def test_strokes_are_undone_erased_and_cleared(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo()
    open_board(visitor)
    said, all_of_it = page.locator("#regions-said"), "All of the photo is painted."
    brush(page, (0.5, 0.5))
    expect(said).to_contain_text("stays the photo")
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_text(all_of_it)
    page.get_by_role("button", name="Undo").click()  # there is nothing more, and nothing happens
    brush(page, (0.5, 0.5))
    take(page, "Eraser")
    brush(page, (0.5, 0.5))
    expect(said).to_have_text(all_of_it)
    take(page, "Not painted")
    brush(page, (0.3, 0.3))
    page.get_by_role("button", name="Clear").click()
    expect(said).to_have_text(all_of_it)
    close_board(visitor)
    assert "content_mask" not in visitor.command()


def test_regions_are_brushed_with_the_keyboard_alone(visitor: Visitor) -> None:
    page, keyboard = visitor.page, visitor.page.keyboard
    visitor.choose_photo()
    choose_both(visitor)
    open_board(visitor)
    keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Dusk", exact=True)).to_be_checked()
    keyboard.press("Tab")
    keyboard.press("Tab")
    expect(page.locator("#board-canvas")).to_be_focused()
    keyboard.press("Space")
    first = page.locator("#regions-said").text_content() or ""
    assert "like Dusk" in first
    keyboard.press("ArrowLeft")
    expect(page.locator("#regions-said")).to_have_text(first)  # moved, and not brushed
    for _ in range(8):
        keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#regions-said")).not_to_have_text(first)
    keyboard.press("Escape")
    expect(page.get_by_role("button", name="Brush on the photo")).to_be_focused()
    mask = saved(page, "regions.png")
    assert mask.getpixel((200, 150)) == mask.getpixel((150, 150)) == DUSK
    assert mask.getpixel((250, 150)) == REST


def test_a_mask_file_is_sent_as_it_is(visitor: Visitor) -> None:
    page = visitor.page
    visitor.choose_photo()
    page.locator("summary", has_text="Advanced").click()
    image = Image.new("RGB", (40, 30), "red")
    image.paste("black", (0, 0, 20, 30))
    buffer = io.BytesIO()
    image.save(buffer, "png")
    page.get_by_label("Use a mask file").set_input_files(payload("mine.png", buffer.getvalue()))
    expect(page.locator("#regions-about")).to_have_text("mine.png")
    expect(page.locator("#mask-files")).to_be_hidden()
    assert "content_mask=@mine.png" in visitor.command()
    assert result(visitor)["regions"] == [{"label": "#ff0000", "share": 0.5, "styles": [1]}]
    open_board(visitor)  # to look at it changes nothing
    close_board(visitor)
    assert "content_mask=@mine.png" in visitor.command()
    open_board(visitor)
    brush(page, (0.5, 0.5))
    close_board(visitor)
    assert "content_mask=@regions.png" in visitor.command()
    page.get_by_role("button", name="No regions").click()
    expect(page.get_by_role("button", name="Brush on the photo")).to_be_focused()
    assert result(visitor)["regions"] == []


def test_what_is_wrong_with_a_mask_is_said_with_the_regions(visitor: Visitor) -> None:
    visitor.expected = ("422",)
    page = visitor.page
    visitor.choose_photo()
    page.locator("summary", has_text="Advanced").click()
    page.get_by_label("Use a mask file").set_input_files(payload("wide.png", picture(200, 20)))
    page.locator("summary", has_text="Advanced").click()
    visitor.paint()
    expect(page.locator("#error-content_mask")).to_contain_text("same aspect ratio")  # unfolded for it
    expect(page.get_by_label("Use a mask file")).to_be_focused()
    assert visitor.violations() == []

    open_board(visitor)
    page.get_by_role("slider", name="Brush size").fill("30")
    for height in (0.05, 0.3, 0.5, 0.7, 0.95):
        brush(page, (0.0, height), (1.0, height))
    expect(page.locator("#regions-said")).to_have_text("100 % stays the photo.")
    close_board(visitor)
    visitor.paint()
    expect(page.locator("#error-content_mask")).to_contain_text("entirely black")


def test_without_a_photo_there_is_nothing_to_brush_on(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("summary", has_text="Advanced").click()
    page.get_by_role("button", name="Brush on the photo").click()
    expect(page.locator("#error-content")).to_have_text("Choose a photo first.")
    visitor.choose_photo(b"....ftypheic, and no more", "phone.heic", "image/heic")
    page.get_by_role("button", name="Brush on the photo").click()
    expect(page.locator("#error-content_mask")).to_contain_text("use a mask file")


def test_another_photo_has_no_regions_yet(visitor: Visitor) -> None:
    visitor.choose_photo()
    open_board(visitor)
    brush(visitor.page, (0.5, 0.5))
    close_board(visitor)
    assert "content_mask" in visitor.command()
    visitor.choose_photo(picture(200, 300, "green"), "other.png")
    expect(visitor.page.locator("#regions-about")).to_have_text("All of the photo is painted.")
    assert "content_mask" not in visitor.command()


def test_it_is_painted_on_from_the_last_picture_or_from_another_one(visitor: Visitor) -> None:
    visitor.expected = ("422",)
    page = visitor.page
    visitor.choose_photo()
    visitor.paint_to_the_end()
    page.get_by_role("button", name="Use as starting picture").click()
    expect(page.locator("#start-about")).to_have_text("photo-dusk.png")
    expect(page.get_by_label("Choose another")).to_be_focused()
    assert "-F init_image=@photo-dusk.png" in visitor.command()
    assert result(visitor)["settings"]["init"] == "image"
    page.get_by_label("Choose another").set_input_files(payload("wide.png", picture(300, 40)))
    visitor.paint()
    expect(page.locator("#error-init_image")).to_contain_text("same aspect ratio")
    expect(page.get_by_label("Choose another")).to_be_focused()
    page.get_by_role("button", name="Start from the photo").click()
    assert result(visitor)["settings"]["init"] == "content"


def test_the_colours_are_those_that_were_asked_for(visitor: Visitor) -> None:
    visitor.choose_photo()
    assert "color" not in visitor.command()
    for color in ("content-match", "content-luminance", "style"):
        visitor.page.get_by_label("Colours").select_option(color)
        assert result(visitor)["settings"]["color"] == color


PNG = """async ([width, height, palette, indices]) => {
    const { png } = await import(new URL("/playground/labels.js", document.baseURI));
    return [...new Uint8Array(await (await png(width, height, palette, new Uint8Array(indices))).arrayBuffer())];
}"""


def test_a_label_image_is_written_to_the_pixel(visitor: Visitor) -> None:
    palette = [[0, 0, 0], [255, 255, 255], [1, 128, 254]]
    indices = [0, 1, 2, 2, 1, 0, 1, 1, 2, 0, 0, 2]
    data = bytes(visitor.page.evaluate(PNG, [4, 3, palette, indices]))
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (4, 3)
        assert [image.convert("RGB").getpixel((at % 4, at // 4)) for at in range(12)] == [
            tuple(palette[index]) for index in indices
        ]
