"""The reader of event streams, in a browser, against the standard (WHATWG HTML, section 9.2.6)."""

import pytest
from playwright.sync_api import Browser, Page

from devtools.running import Server

READ = """async pieces => {
    const { readEvents } = await import(new URL("/playground/sse.js", document.baseURI));
    const stream = new ReadableStream({
        start(controller) {
            for (const piece of pieces) controller.enqueue(new Uint8Array(piece));
            controller.close();
        }
    });
    const events = [];
    for await (const { name, data } of readEvents(stream)) events.push([name, data]);
    return events;
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, shared_server: Server) -> Page:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{shared_server.port}/docs")  # any page of the same origin
    return page


def read(page: Page, stream: bytes, size: int) -> list[list[str]]:
    pieces = [list(stream[at : at + size]) for at in range(0, len(stream), size)]
    found: list[list[str]] = page.evaluate(READ, pieces)
    return found


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", [["a", "1"], ["b", "2"]]),
        (b"event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n", [["a", "1"], ["b", "2"]]),
        (
            b"event: a\rdata: 1\r\rdata: 2\r\rdata: 3\r\n\r\n",
            [["a", "1"], ["message", "2"], ["message", "3"]],
        ),
        (b": comment\n\n:\ndata:1\ndata:  2\ndata\n\n", [["message", "1\n 2\n"]]),
        (b"event: a\n\ndata: 1\n\n", [["message", "1"]]),
        (b"id: 7\nretry: 10\nwhat: x\ndata: 1\n\n", [["message", "1"]]),
        (b"\xef\xbb\xbfdata: \xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xa8\n\n", [["message", "é€🎨"]]),
        (b"data: 1\n\ndata: never finished\n", [["message", "1"]]),
        (b"", []),
    ],
)
def test_events_are_read_however_they_are_cut(page: Page, stream: bytes, events: list[list[str]]) -> None:
    for size in (1, 2, 3, 5, 1000):
        assert read(page, stream, size) == events, size
