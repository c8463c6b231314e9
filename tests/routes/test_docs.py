from flask.testing import FlaskClient

from service import __version__
from service.app import create_app
from tests.serving import FakeModel, settings


def test_the_root_points_to_what_there_is(client: FlaskClient) -> None:
    pointers = client.get("/").get_json()
    for name in ("openapi", "version", "ready"):
        assert client.get(pointers[name]).status_code == 200


def test_the_version_says_what_paints_and_how_to_get_something_else(
    client: FlaskClient, model: FakeModel
) -> None:
    about = client.get("/version").get_json()
    assert about["version"] == __version__
    assert about["state"] == "ready"
    assert about["backbone"] == {"name": "fake", "weights_sha256": model.weights, "note": model.note}
    assert about["device"] == "cpu"


def test_before_the_network_is_loaded_it_says_what_is_known() -> None:
    client = create_app(settings(), FakeModel).test_client()
    assert client.get("/version").get_json() == {"version": __version__, "state": "loading"}
