"""The page at /docs in a browser: what it says about keys, and that a key which is set there is used."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect

from devtools.running import Server

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A service that asks for a key."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"phone:{KEY}")
    with Server(STYLIZE_API_KEYS_FILE=keys) as server:
        yield server


@pytest.fixture
def page(browser: Browser, guarded: Server) -> Generator[Page, None, None]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"http://127.0.0.1:{guarded.port}/docs#?route=auth")
        yield page


def test_it_says_that_keys_may_be_needed_and_how_they_are_sent(page: Page) -> None:
    expect(page.get_by_role("heading", name="Authentication")).to_be_visible()
    expect(page.get_by_text("HTTP Bearer", exact=True).first).to_be_visible()
    expect(page.get_by_text("may have set keys")).to_be_visible()
    expect(page.get_by_role("region", name="curl command")).to_contain_text(
        'curl -H "Authorization: Bearer $KEY"'
    )
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.get_by_text("may have set keys")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_overview_shows_the_same_command(page: Page) -> None:
    page.goto(page.url.partition("#")[0])
    command = page.get_by_text('curl -H "Authorization: Bearer $KEY"').filter(visible=True)
    expect(command).to_contain_text("http://127.0.0.1:8080/stylize")


def test_a_key_that_is_set_there_is_sent_with_what_is_tried_there(page: Page, guarded: Server) -> None:
    page.get_by_placeholder("api-token").fill(KEY)
    page.get_by_role("button", name="SET", exact=True).click()
    expect(page.get_by_text("1 API key applied")).to_be_visible()
    page.get_by_text("Paint a photograph like one artwork or several.").first.click()
    page.locator("select", has_text="multipart/form-data").select_option("application/json")
    with page.expect_response("**/stylize") as answer:
        page.get_by_role("button", name="Execute").click()
    assert answer.value.status == 200
    assert guarded.requests_logged()[-1]["key_name"] == "phone"
    assert KEY not in page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
