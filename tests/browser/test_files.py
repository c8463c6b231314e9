"""Files on the playground: dropped, pasted, tried, and looked at before anything is sent."""

import pytest
from playwright.sync_api import Page, expect

from devtools.running import Server
from devtools.serving import picture
from tests.browser.visitor import PHOTO, Visitor, payload

GIVE = """([how, where, bytes, names]) => {
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
    const target = document.querySelector(where);
    if (how === "paste") {
        target.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        return;
    }
    const event = (type) => new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true});
    target.dispatchEvent(event("dragover"));
    window.lit = [...document.querySelectorAll(".over")].length;
    target.dispatchEvent(event("drop"));
}"""


def give(page: Page, how: str, *names: str, where: str = "body") -> None:
    """Drop files on what a selector finds, or paste them there."""
    page.evaluate(GIVE, [how, where, list(picture()), list(names)])


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_the_first_picture_is_the_photo_and_about_the_next_one_the_page_asks(
    visitor: Visitor, how: str
) -> None:
    page = visitor.page
    give(page, how, PHOTO)
    expect(page.locator("#photo-chosen")).to_contain_text(PHOTO)
    dialog = page.get_by_role("dialog", name="What is art.png?")
    give(page, how, "art.png")
    dialog.get_by_role("button", name="A painting").click()
    expect(page.get_by_role("radio", name="art.png")).to_be_checked()
    expect(page.locator("#photo-chosen")).to_contain_text(PHOTO)
    give(page, how, "other.png")
    dialog = page.get_by_role("dialog", name="What is other.png?")
    assert visitor.violations() == []
    dialog.get_by_role("button", name="The photo").click()
    expect(page.locator("#photo-chosen")).to_contain_text("other.png")
    give(page, how, "nothing.png")
    page.keyboard.press("Escape")
    expect(page.locator("#photo-chosen")).to_contain_text("other.png")
    expect(page.get_by_role("radio", name="nothing.png")).to_have_count(0)
    page.get_by_role("button", name="Remove other.png").click()
    expect(page.locator("#photo-chosen")).to_be_hidden()
    expect(page.get_by_label("Choose a photo")).to_be_focused()


@pytest.mark.parametrize(("where", "field"), [("#photo-title", "content"), ("#painting-title", "style")])
def test_what_is_dropped_on_a_card_belongs_there_and_nothing_stays_highlighted(
    visitor: Visitor, where: str, field: str
) -> None:
    page = visitor.page
    give(page, "drop", "dropped.png", where=where)
    expect(page.locator(f"[data-field={field}]").get_by_text("dropped.png").first).to_be_visible()
    assert page.evaluate("window.lit") == 1
    expect(page.locator(".over")).to_have_count(0)


def test_two_files_on_the_photo_are_a_photo_and_a_painting(visitor: Visitor) -> None:
    give(visitor.page, "drop", PHOTO, "art.png", where="#photo-title")
    expect(visitor.page.locator("#photo-chosen")).to_contain_text(PHOTO)
    expect(visitor.page.get_by_role("radio", name="art.png")).to_be_checked()


@pytest.mark.parametrize(
    ("name", "data", "media_type", "said"),
    [
        ("letter.txt", b"This is a text.", "text/plain", "letter.txt is not a picture, or it is damaged."),
        ("broken.png", picture()[:20], "image/png", "broken.png is not a picture, or it is damaged."),
        ("nothing.jpg", b"", "image/jpeg", "nothing.jpg is empty."),
    ],
    ids=["another format", "broken", "empty"],
)
def test_what_is_no_picture_is_noticed_when_it_is_chosen(
    visitor: Visitor, server: Server, name: str, data: bytes, media_type: str, said: str
) -> None:
    page = visitor.page
    visitor.choose_photo()
    page.locator("#advanced summary").click()
    for label, error in [
        ("Choose a photo", "#error-content"),
        ("Add your own", "#error-style"),
        ("Choose another", "#error-init_image"),
    ]:
        page.get_by_label(label, exact=True).set_input_files(payload(name, data, media_type))
        expect(page.locator(error)).to_contain_text(said)
        expect(page.get_by_label(label, exact=True)).to_be_focused()
    expect(page.locator("#photo-chosen")).to_contain_text(PHOTO)  # what was chosen before stays
    expect(page.locator("#start-about")).to_have_text("The photo.")
    visitor.paint_to_the_end()


def test_what_only_the_service_may_be_able_to_read_is_left_to_it(visitor: Visitor) -> None:
    visitor.expected = ("415",)
    visitor.choose_photo(b"....ftypheic, and no more", "phone.heic", "image/heic")
    expect(visitor.page.locator("#photo-chosen")).to_contain_text("the service may be able to read it")
    visitor.paint()
    expect(visitor.page.locator("#error-content")).not_to_be_empty()


def test_there_are_photos_to_try(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("button", name="A cup of coffee").click()
    expect(page.locator("#photo-chosen")).to_contain_text("coffee.jpg")
    expect(page.get_by_role("button", name="A cup of coffee")).to_be_hidden()
    visitor.paint_to_the_end()
    expect(page.get_by_role("link", name="Download")).to_have_attribute("download", "coffee-dusk.png")
