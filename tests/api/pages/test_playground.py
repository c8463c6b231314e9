"""The page at / as HTTP has it; tests/browser drives it in a browser."""

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from devtools.running import ROOT
from devtools.serving import FakeModel, settings
from service.api.app import create_app
from service.api.pages.playground import PAGE
from service.intake.contract import STRENGTH, StylizeOptions
from tests.api.paint.test_problems import problem

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
FILES = sorted(path.name for path in PAGE.iterdir() if path.name not in ("index.html", "README.md"))


class Page(HTMLParser):
    """The elements of the page: their names and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed((PAGE / "index.html").read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def by_id(self, name: str) -> dict[str, str | None]:
        return next(attributes for _, attributes in self.elements if attributes.get("id") == name)


def test_browsers_get_the_page_and_programs_the_addresses(client: FlaskClient) -> None:
    page = client.get("/", headers={"Accept": BROWSER})
    assert page.content_type == "text/html; charset=utf-8"
    assert page.data == (PAGE / "index.html").read_bytes()
    for accept in ("", "*/*", "application/json", "application/json, text/html", "image/png"):
        pointers = client.get("/", headers={"Accept": accept})
        assert pointers.get_json()["docs"] == "/docs", accept
        assert pointers.headers["Vary"] == "Accept"
    assert page.headers["Vary"] == "Accept"


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(client: FlaskClient) -> None:
    policy = client.get("/", headers={"Accept": BROWSER}).headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(
        policy
    )
    assert not re.search(r"unsafe|http|\*", " ".join(policy))
    for tag, attributes in Page().elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "script" or attributes["src"]


@pytest.mark.parametrize("file", FILES)
def test_its_files_have_their_types_and_are_not_sent_twice(client: FlaskClient, file: str) -> None:
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "jpg": "image/jpeg"}
    first = client.get(f"/playground/{file}")
    assert first.mimetype == types[file.rpartition(".")[2]]
    assert first.data == (PAGE / file).read_bytes()
    assert first.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in first.headers["Content-Security-Policy"]
    again = client.get(f"/playground/{file}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["astronaut.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg"])
def test_its_photos_are_those_whose_licences_are_known(name: str) -> None:
    assert (PAGE / name).read_bytes() == (ROOT / "examples" / "photos" / name).read_bytes()
    assert f"`{name}`" in (PAGE / "README.md").read_text()


def test_everything_that_the_page_and_its_scripts_name_is_there(client: FlaskClient) -> None:
    named = re.findall(r'(?:src|href)="([^":#]+)"', (PAGE / "index.html").read_text())
    for script in PAGE.glob("*.js"):
        named += [f"playground/{name}" for name in re.findall(r'from "\./([^"]+)"', script.read_text())]
    assert "playground/playground.js" in named
    for address in named:
        assert client.get("/" + address).status_code == 200, address


@pytest.mark.parametrize(
    "file",
    [
        "index.html",
        "nothing.js",
        "..%2Fdocs%2Fswagger-ui-bundle.js",
        "..",
        "%2e%2e%2fdocs",
        "long" * 99 + ".js",
        "%00.js",
    ],
)
def test_there_are_no_other_files(client: FlaskClient, file: str) -> None:
    problem(client.get(f"/playground/{file}"), 404, "not-found")


def test_where_it_is_switched_off_browsers_get_the_addresses_too() -> None:
    client = create_app(settings(playground=False), FakeModel).test_client()
    assert client.get("/", headers={"Accept": BROWSER}).get_json()["service"] == "stylize"
    for file in FILES:
        problem(client.get(f"/playground/{file}"), 404, "not-found")


@pytest.mark.parametrize("name", ["strength", "style_scale", "seed"])
def test_its_controls_have_the_bounds_and_defaults_of_the_code(name: str) -> None:
    control = Page().by_id(name)
    described = StylizeOptions.model_json_schema()["properties"][name]
    schema = next((choice for choice in described.get("anyOf", []) if "minimum" in choice), described)
    found = [float(control[bound] or "nan") for bound in ("min", "max")]
    assert found == [schema["minimum"], schema["maximum"]]
    default = StylizeOptions.model_fields[name].default
    assert float(control["value"] or "nan") == (STRENGTH if name == "strength" else default)


@pytest.mark.parametrize("name", ["color", "pooling", "format"])
def test_its_lists_have_the_choices_of_the_code(name: str) -> None:
    page = (PAGE / "index.html").read_text()
    (inside,) = re.findall(rf'<select id="{name}".*?</select>', page, re.DOTALL)
    described = StylizeOptions.model_json_schema()["properties"][name]
    schema = next((choice for choice in described.get("anyOf", []) if "enum" in choice), described)
    other_names = {"jpg"}  # of choices that are there already
    assert set(re.findall(r'value="([\w-]+)"', inside)) == set(schema["enum"]) - other_names
