import logging
from collections.abc import Generator
from importlib.metadata import PackageNotFoundError
from itertools import pairwise

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from devtools.serving import FakeModel, started
from service.api.app import create_admin_app
from service.api.context import service_of
from service.machine import extras
from service.monitoring.metrics import STAGES
from service.monitoring.tracing import Tracing
from tests.api.paint.test_stylize import form, post

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def client(model: FakeModel) -> Generator[FlaskClient, None, None]:
    app = started(model)
    yield app.test_client()
    service_of(app).stop()


@pytest.fixture
def exporter(client: FlaskClient) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    service_of(client.application).tracing.send_to(SimpleSpanProcessor(exporter))
    return exporter


def the_request(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER]
    return span


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_request_is_a_span_with_one_for_each_of_its_stages(
    client: FlaskClient, exporter: InMemorySpanExporter
) -> None:
    answer = post(client, form(seed=3))
    request = the_request(exporter)
    assert request.name == "POST /stylize"
    assert request.parent is None
    assert request.status.status_code is StatusCode.UNSET
    assert attributes(request) | {
        "http.request.method": "POST",
        "http.route": "/stylize",
        "http.response.status_code": 200,
        "stylize.request_id": answer.headers["X-Request-ID"],
        "stylize.outcome": "ok",
        "stylize.evaluations": 3,
        "stylize.seed": 3,
    } == attributes(request)
    inside = [span for span in exporter.get_finished_spans() if span is not request]
    assert [span.name for span in inside] == list(STAGES)
    for span in inside:
        assert span.parent == request.context


def test_stages_lie_inside_the_request_and_follow_one_another(
    client: FlaskClient, exporter: InMemorySpanExporter
) -> None:
    post(client)
    request = the_request(exporter)
    moments = [request.start_time or 0]
    for span in exporter.get_finished_spans():
        if span is not request:
            moments += [span.start_time or 0, span.end_time or 0]
    moments.append(request.end_time or 0)
    rounding = 1000  # nanoseconds: clocks are floating-point seconds here
    assert all(later >= earlier - rounding for earlier, later in pairwise(moments))


def test_the_callers_trace_goes_on_and_the_log_names_it(
    client: FlaskClient, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stylize.request")
    client.get("/version", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    request = the_request(exporter)
    assert request.context is not None
    assert request.parent is not None
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == PARENT
    assert vars(caplog.records[-1])["trace_id"] == TRACE


def test_a_caller_that_does_not_sample_is_obeyed(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    client.get("/version", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert exporter.get_finished_spans() == ()


def test_a_method_that_does_not_exist_makes_no_name(
    client: FlaskClient, exporter: InMemorySpanExporter
) -> None:
    client.open("/nowhere", method="BREW")
    assert the_request(exporter).name == "HTTP unmatched"


@pytest.mark.parametrize("header", ["", "00", "zz-1-2-3", f"00-{'0' * 32}-{PARENT}-01"])
def test_a_broken_traceparent_begins_a_new_trace(
    client: FlaskClient, exporter: InMemorySpanExporter, header: str
) -> None:
    assert client.get("/version", headers={"traceparent": header}).status_code == 200
    assert the_request(exporter).parent is None


def test_a_failure_is_an_error_and_a_refusal_is_none(
    client: FlaskClient, exporter: InMemorySpanExporter, model: FakeModel
) -> None:
    assert post(client, form(strength=7)).status_code == 422
    assert the_request(exporter).status.status_code is StatusCode.UNSET
    exporter.clear()

    def fail(_: int) -> None:
        raise RuntimeError("a fault, on purpose")

    model.step = fail
    assert post(client).status_code == 500
    assert the_request(exporter).status.status_code is StatusCode.ERROR
    assert attributes(the_request(exporter))["stylize.problem"] == "internal-error"


def test_a_stream_of_events_is_traced_to_its_end(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    answer = post(client, accept="text/event-stream")
    assert b"event: result" in answer.get_data()
    answer.close()
    assert attributes(the_request(exporter))["stylize.outcome"] == "ok"
    assert len(exporter.get_finished_spans()) == 1 + len(STAGES)


def test_probes_and_scrapes_have_no_spans(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    admin = create_admin_app(service_of(client.application)).test_client()
    for path in ("/readyz", "/livez", "/metrics"):
        assert admin.get(path).status_code == 200
    assert exporter.get_finished_spans() == ()


def test_without_an_endpoint_nothing_is_traced(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    service_of(client.application).tracing.start({})
    service_of(client.application).tracing.start(ENDPOINT | {"OTEL_SDK_DISABLED": "true"})
    client.get("/version")
    assert "trace_id" not in vars(caplog.records[-1])
    assert "trace" not in " ".join(record.getMessage() for record in caplog.records)


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def not_there(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(extras, "version", not_there)
    tracing = Tracing()
    tracing.start(ENDPOINT)
    assert tracing._provider is None
    assert [record.getMessage() for record in caplog.records] == [
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing is traced: opentelemetry-sdk is not installed: "
        "run pip install 'stylize[otel]'"
    ]
