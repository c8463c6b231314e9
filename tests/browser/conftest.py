"""A real browser, headless, before a real server with a model that paints nothing."""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from devtools.running import Server
from devtools.serving import picture
from tests.browser.visitor import Visitor

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EVALUATIONS = 1000

expect.set_options(
    timeout=20_000
)  # milliseconds; a machine that does other things too is no error of the page


@pytest.fixture(scope="module")
def browser() -> Generator[Browser, None, None]:
    """Chromium of this machine. Playwright's own would be a download of a kind that not every place can reach.

    Of the module and not of the session: as long as playwright runs, no other test could run a loop of asyncio.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        why = "there is no browser: apt-get install chromium"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("styles")
    (folder / "rose.png").write_bytes(picture(300, 200, "red"))
    (folder / "dusk.png").write_bytes(picture(60, 40, "blue"))
    (folder / "styles.toml").write_text('[rose]\ntitle = "A rose"\nartist = "Somebody"\nyear = 1889')
    return folder


@pytest.fixture(scope="module")
def shared_server(catalogue: Path) -> Generator[Server, None, None]:
    with Server(STYLIZE_STYLES_DIR=catalogue, STYLIZE_QUEUE_SIZE=1, EVALUATIONS=EVALUATIONS) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Generator[Server, None, None]:
    """The shared one; afterwards nobody is inside any more."""
    yield shared_server
    shared_server.settle()


@pytest.fixture
def open_page(browser: Browser) -> Generator[Callable[..., Visitor], None, None]:
    """Opens a page as a visitor does; afterwards nothing was wrong with it, and nothing came from elsewhere."""
    visitors: list[Visitor] = []
    contexts: list[BrowserContext] = []

    def open_page(server: Server, *, path: str = "/", **options: object) -> Visitor:
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        page: Page = context.new_page()
        page.set_default_timeout(20_000)
        visitor = Visitor(page, f"http://127.0.0.1:{server.port}")
        visitors.append(visitor)
        visitor.visit(path)
        return visitor

    yield open_page
    for visitor in visitors:
        assert visitor.complaints == []
        assert visitor.elsewhere == []
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(open_page: Callable[..., Visitor], server: Server) -> Visitor:
    """Somebody at the playground, at a desk."""
    return open_page(server)
