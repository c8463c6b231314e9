"""The page at /docs in a browser: what is described there can be tried there."""

from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from devtools.running import Server
from devtools.serving import picture
from tests.browser.visitor import payload

KEY = "0123456789abcdef0123456789abcdef"

OpenDocs = Callable[..., Page]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    """A service that asks for a key."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"phone:{KEY}")
    with Server(STYLIZE_API_KEYS_FILE=keys) as server:
        yield server


@pytest.fixture
def open_docs(browser: Browser) -> Generator[OpenDocs, None, None]:
    """Opens /docs; afterwards nothing was wrong with it, and nothing came from elsewhere."""
    complaints: list[str] = []
    contexts = []

    def open_docs(server: Server, **options: object) -> Page:
        address = f"http://127.0.0.1:{server.port}"
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((f"{address}/", "blob:", "data:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(f"{address}/docs")
        expect(operation(page, "stylize")).to_be_visible()
        return page

    yield open_docs
    assert complaints == []
    for context in contexts:
        context.close()


def operation(page: Page, name: str, tag: str = "pictures") -> Locator:
    return page.locator(f"#operations-{tag}-{name}")


def try_out(page: Page, name: str) -> Locator:
    """Unfold an operation and its form."""
    found = operation(page, name)
    found.locator(".opblock-summary-control").click()
    found.get_by_role("button", name="Try it out").click()
    return found


def field(form: Locator, name: str) -> Locator:
    return form.locator(f"tr[data-property-name={name}]")


def execute(page: Page, form: Locator, path: str) -> Response:
    with page.expect_response(f"**{path}") as answer:
        form.get_by_role("button", name="Execute").click()
    return answer.value


def test_a_photo_is_painted_with_two_files_chosen_in_the_form(open_docs: OpenDocs, server: Server) -> None:
    page = open_docs(server)
    form = try_out(page, "stylize")
    field(form, "content").locator("input").set_input_files(payload("photo.png", picture(80, 60)))
    field(form, "style").get_by_role("button", name="Add").click()
    field(form, "style").locator("input").set_input_files(payload("art.png", picture(color="gold")))
    field(form, "size").locator("input").fill("64")
    assert execute(page, form, "/stylize").status == 200
    painted = form.locator(".live-responses-table img")
    expect(painted).to_be_visible()
    assert painted.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [64, 48]


def test_several_artworks_are_blended_by_name_and_by_file(open_docs: OpenDocs, server: Server) -> None:
    page = open_docs(server)
    form = try_out(page, "stylize")
    field(form, "content").locator("input").set_input_files(payload("photo.png", picture()))
    for number, color in enumerate(("gold", "navy")):
        field(form, "style").get_by_role("button", name="Add").click()
        art = payload(f"{color}.png", picture(color=color))
        field(form, "style").locator("input").nth(number).set_input_files(art)
    field(form, "style_name").get_by_role("button", name="Add").click()
    field(form, "style_name").locator("input").fill("rose")
    assert execute(page, form, "/stylize").status == 200
    assert server.requests_logged()[-1]["style_names"] == ["rose"]


def test_reconstructions_can_be_tried_too(open_docs: OpenDocs, server: Server) -> None:
    page = open_docs(server)
    for name, path, pictures in (
        ("reconstructContent", "/reconstruct/content", "content"),
        ("reconstructStyle", "/reconstruct/style", "style"),
    ):
        form = try_out(page, name)
        if pictures == "style":
            field(form, pictures).get_by_role("button", name="Add").click()
        field(form, pictures).locator("input").set_input_files(payload("picture.png", picture()))
        assert execute(page, form, path).status == 200, name


def test_a_key_that_is_set_there_is_sent_and_stays_in_the_page(open_docs: OpenDocs, guarded: Server) -> None:
    page = open_docs(guarded)
    expect(page.get_by_text('curl -H "Authorization: Bearer $KEY"').first).to_be_visible()
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.locator(".auth-container input").fill(KEY)
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    form = try_out(page, "stylize")
    field(form, "content").locator("input").set_input_files(payload("photo.png", picture()))
    field(form, "style").get_by_role("button", name="Add").click()
    field(form, "style").locator("input").set_input_files(payload("art.png", picture()))
    assert execute(page, form, "/stylize").status == 200
    assert guarded.requests_logged()[-1]["key_name"] == "phone"
    assert KEY not in page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")


def test_it_is_as_dark_as_the_system(open_docs: OpenDocs, server: Server) -> None:
    page = open_docs(server, color_scheme="light")

    def brightness() -> float:
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")) / 3

    assert brightness() >= 60
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert brightness() < 60


def test_it_leads_back_to_the_page_to_paint_with(open_docs: OpenDocs, server: Server) -> None:
    page = open_docs(server)
    page.get_by_role("link", name="Back to Stylize").click()
    expect(page.get_by_role("button", name="Paint", exact=True)).to_be_visible()


def test_it_fits_on_a_phone(open_docs: OpenDocs, server: Server) -> None:
    page = open_docs(server, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    try_out(page, "stylize")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
