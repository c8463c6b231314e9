import threading

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from devtools.serving import FakeModel, Gate
from service.api.app import create_admin_app
from service.api.context import Service
from service.engine.engine import State
from tests.api.paint.test_stylize import form, post, value


@pytest.fixture
def admin(service: Service) -> FlaskClient:
    return create_admin_app(service).test_client()


def test_it_is_ready_once_the_model_has_warmed_up(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"state": "ready"})


@pytest.mark.parametrize("state", [state for state in State if state is not State.READY])
def test_in_every_other_state_it_is_not(
    client: FlaskClient, service: Service, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service.engine), "state", property(lambda _: state))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (503, {"state": state.value})


def test_the_admin_port_has_the_same_readiness(admin: FlaskClient, service: Service) -> None:
    assert admin.get("/readyz").status_code == 200
    service.engine.drain()
    assert admin.get("/readyz").status_code == 503


def test_being_busy_is_being_alive_and_ready(
    client: FlaskClient, admin: FlaskClient, model: FakeModel
) -> None:
    gate = Gate()
    model.step = gate
    thread = threading.Thread(target=lambda: post(client))
    thread.start()
    assert gate.reached.wait(10)
    assert admin.get("/livez").status_code == 200
    assert admin.get("/readyz").status_code == 200
    gate.opened.set()
    thread.join(10)


def test_a_stuck_engine_is_not_alive(
    admin: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service.engine), "alive", property(lambda _: False))
    answer = admin.get("/livez")
    assert answer.status_code == 503
    assert answer.get_json()["state"] == "ready"


OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def test_metrics_are_in_the_format_that_is_asked_for(admin: FlaskClient) -> None:
    answer = admin.get("/metrics", headers={"Accept": OPENMETRICS})
    assert answer.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert answer.get_data(as_text=True).endswith("# EOF\n")
    parsed = openmetrics_families(answer.get_data(as_text=True))  # type: ignore[no-untyped-call]
    families = {family.name for family in parsed}
    plain = admin.get("/metrics")
    assert plain.content_type.startswith("text/plain")
    assert families == {
        family.name for family in text_string_to_metric_families(plain.get_data(as_text=True))
    }


def test_metrics_can_be_parsed(admin: FlaskClient) -> None:
    answer = admin.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    families = list(text_string_to_metric_families(answer.get_data(as_text=True)))
    assert {family.name for family in families} >= {
        "stylize_requests",
        "stylize_engine_state",
        "stylize_build_info",
    }
    assert all(family.documentation for family in families)


def test_other_paths_of_the_admin_port_are_problems_as_well(admin: FlaskClient) -> None:
    answer = admin.get("/stylize")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_probes_and_scrapes_are_neither_counted_nor_logged(
    client: FlaskClient, admin: FlaskClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for path in ("/readyz", "/livez", "/metrics"):
        admin.get(path)
    client.get("/readyz")
    assert "readyz" not in admin.get("/metrics").get_data(as_text=True)
    assert [record for record in caplog.records if record.name == "stylize.request"] == []


def test_every_number_after_a_scripted_session_is_right(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(client).status_code == 200
    assert post(client, form(size=64), accept="application/json").status_code == 200
    assert post(client, form(strength=7)).status_code == 422
    assert post(client, accept="text/html").status_code == 406
    assert client.get("/stylize").status_code == 405
    assert client.get("/wp-login.php").status_code == 404
    assert client.get("/version").status_code == 200
    tickets = [service.admission.admit() for _ in range(service.settings.places)]
    assert value(service, "stylize_in_flight") == service.settings.places
    assert post(client).status_code == 429
    for ticket in tickets:
        ticket.__exit__(None, None, None)
    monkeypatch.setattr(service.engine, "_state", State.WARMING)
    assert post(client).status_code == 503
    service.engine.drain()

    def requests(code: str, route: str = "/stylize", method: str = "POST") -> float:
        return value(service, "stylize_http_requests_total", route=route, method=method, code=code)

    assert requests("200") == 2
    assert requests("422") == requests("406") == requests("429") == requests("503") == 1
    assert requests("500") == 0
    assert requests("404", "unmatched", "GET") == requests("405", "unmatched", "GET") == 1
    assert requests("200", "/version", "GET") == 1

    outcomes = {
        "ok": 2,
        "unauthorized": 0,
        "invalid_input": 2,
        "shed_queue_full": 1,
        "shed_not_ready": 1,
        "client_gone": 0,
        "error": 0,
    }
    for outcome, count in outcomes.items():
        assert value(service, "stylize_requests_total", outcome=outcome) == count
    answers = sum(requests(code) for code in ("200", "422", "406", "429", "503"))
    assert sum(outcomes.values()) == answers

    stages = {"read_body": 3, "decode": 2, "queue": 2, "optimise": 2, "encode": 2}
    for stage, count in stages.items():
        assert value(service, "stylize_stage_duration_seconds_count", stage=stage) == count
    assert value(service, "stylize_evaluations_total") == 6
    assert value(service, "stylize_input_pixels_count", image="content") == 2
    assert value(service, "stylize_input_pixels_sum", image="style") == 2 * 40 * 30
    assert value(service, "stylize_input_images_total", format="png") == 4
    assert value(service, "stylize_input_profiles_total", conversion="none") == 4
    assert value(service, "stylize_http_request_body_bytes_count") == 3
    assert value(service, "stylize_http_response_body_bytes_count") == 2
    assert (
        value(service, "stylize_http_request_duration_seconds_count", route="/stylize", code_class="2xx") == 2
    )
    assert value(service, "stylize_queue_capacity") == service.settings.queue_size
    assert value(service, "stylize_queue_depth") == value(service, "stylize_in_flight") == 0
    assert value(service, "stylize_engine_state", state="draining") == 1
    assert value(service, "stylize_engine_state", state="ready") == 0
    assert value(service, "stylize_model_load_seconds") >= 0
    assert value(service, "stylize_warmup_seconds") >= 0
    build = {"backbone": "fake", "weights": "0123456789ab", "device": "cpu"}
    (info,) = [m for m in service.metrics.registry.collect() if m.name == "stylize_build_info"]
    assert info.samples[0].labels | build == info.samples[0].labels


def test_a_scanner_makes_no_time_series(client: FlaskClient, service: Service) -> None:
    def series() -> int:
        return sum(len(family.samples) for family in service.metrics.registry.collect())

    client.get("/first")
    client.open("/", method="BREW")
    before = series()
    for number in range(50):
        client.get(f"/{number}/x.php")
        client.open("/", method=f"BREW{number}")
    assert series() == before
