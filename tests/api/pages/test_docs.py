import hashlib
import re
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from devtools.serving import FakeModel, settings, started
from service import __version__
from service.api.app import create_app
from service.api.context import service_of
from service.api.pages.docs import PAGE


def test_the_root_points_to_what_there_is(client: FlaskClient) -> None:
    pointers = client.get("/").get_json()
    for name in ("styles", "docs", "openapi", "version", "ready"):
        assert client.get(pointers[name]).status_code == 200


def test_the_version_says_what_paints_and_how_to_get_something_else(
    client: FlaskClient, model: FakeModel
) -> None:
    about = client.get("/version").get_json()
    assert about["version"] == __version__
    assert about["state"] == "ready"
    assert about["backbone"] == {"name": "fake", "weights_sha256": model.weights, "note": model.note}
    assert about["device"] == "cpu"
    assert about["largest_size"] == model.largest_size


def test_the_version_says_how_much_may_be_asked_for() -> None:
    app = started(FakeModel(), max_size=640, default_budget=5, max_budget=30, max_pixels=10_000)
    limits = app.test_client().get("/version").get_json()["limits"]
    service_of(app).stop()
    assert limits == {
        "default_size": 256,
        "max_size": 640,
        "default_budget": 5,
        "max_budget": 30,
        "max_styles": 8,
        "max_upload_bytes": 20_000_000,
        "max_pixels": 10_000,
    }


def test_the_version_says_what_sizes_cost() -> None:
    model = FakeModel(largest_size=500)
    app = started(model, max_size=700)
    sizes = app.test_client().get("/version").get_json()["sizes"]
    service_of(app).stop()
    assert sizes == [
        {"size": size, "seconds": round(model.expected_seconds(size), 1)} for size in (128, 256, 384)
    ]


def test_before_the_network_is_loaded_it_says_what_is_known() -> None:
    client = create_app(settings(), FakeModel).test_client()
    assert client.get("/version").get_json() == {"version": __version__, "state": "loading"}


def test_the_page_shows_the_description_with_files_of_this_service_alone(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.content_type == "text/html; charset=utf-8"
    assert not re.search(r"https?:|//", page.text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith("data:") or client.get(urljoin("/docs", address)).status_code == 200, (
            address
        )
    assert re.findall(r"<script[^>]*>(?!</script>)", page.text) == []  # none inside the page


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(
        policy
    )
    assert "http" not in " ".join(policy)


@pytest.mark.parametrize(
    ("file", "media_type"), [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")]
)
def test_the_viewer_is_the_one_that_was_published(client: FlaskClient, file: str, media_type: str) -> None:
    answer = client.get(f"/docs/{file}")
    assert answer.content_type == f"{media_type}; charset=utf-8"
    published = re.escape(hashlib.sha256(answer.data).hexdigest())
    assert re.search(rf"`{re.escape(file)}` \| `{published}`", (PAGE / "README.md").read_text())


@pytest.mark.parametrize("file", ["README.md", "index.html", "..%2Fdocs.py", "nothing"])
def test_the_page_has_no_other_files(client: FlaskClient, file: str) -> None:
    assert client.get(f"/docs/{file}").status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui-bundle.js", "/openapi.yaml"])
def test_what_a_client_has_kept_is_not_sent_again(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
