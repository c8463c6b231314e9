"""Somebody who uses the playground, in the words of what people do."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import ConsoleMessage, FilePayload, Page, Request, expect

from devtools.serving import picture

PHOTO = "photo.png"


def payload(name: str, data: bytes, media_type: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": media_type, "buffer": data}


class Visitor:
    """A page, and what was wrong with it.

    Attributes:
        page: of the browser.
        complaints: errors and warnings of the console, and exceptions, but those that `expected` allows.
        elsewhere: addresses of other hosts that something was asked of.
        expected: texts of complaints that belong to a test.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.expected: tuple[str, ...] = ()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in self.expected):
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address + "/", "blob:", "data:")):
            self.elsewhere.append(request.url)

    def visit(self, path: str = "/") -> None:
        """Come, and wait until the page knows what runs here."""
        self.page.goto(self.address + path)
        expect(self.page.locator("#backbone")).to_contain_text("It runs here")

    def choose_photo(
        self, data: bytes | None = None, name: str = PHOTO, media_type: str = "image/png"
    ) -> None:
        data = picture(400, 300, "teal") if data is None else data
        self.page.get_by_label("Choose a photo").set_input_files(payload(name, data, media_type))
        expect(self.page.locator("#photo-chosen")).to_contain_text(name)

    def paint(self) -> None:
        self.page.get_by_role("button", name="Paint", exact=True).click()

    def paint_to_the_end(self) -> None:
        self.paint()
        expect(self.page.locator("#status")).to_have_text("Your picture is done.")
        expect(self.page.get_by_role("link", name="Download")).to_be_visible()
        expect(self.page.get_by_role("button", name="Paint", exact=True)).to_be_enabled()

    @property
    def handle(self) -> Any:
        """Of the slider between the photo and the picture."""
        return self.page.get_by_role("slider", name="Compare")

    def move(self, name: str, value: str) -> None:
        """One of the sliders of the form."""
        self.page.get_by_role("slider", name=name).fill(value)

    def choose_size(self, pixels: int) -> None:
        self.page.get_by_label("Size", exact=True).select_option(str(pixels))

    def command(self) -> str:
        """What "the same from a terminal" says."""
        return self.page.locator("#command").text_content() or ""

    def violations(self) -> list[str]:
        """What axe-core finds, in the state that the page is in.

        Nothing else is asked of it: to say where everything is that is right takes it ten times as long.
        """
        axe = (files("axe_playwright_python") / "axe.min.js").read_text()
        self.page.evaluate(axe)
        found = self.page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
        return [
            f"{each['id']}: {node['html']} {node['failureSummary']}"
            for each in found
            for node in each["nodes"]
        ]
