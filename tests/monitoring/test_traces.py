"""Spans leave a real gunicorn, from the process that serves, as OTLP."""

import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from devtools.running import Server
from devtools.serving import wait_until
from service.monitoring.metrics import STAGES


class Collector(ThreadingHTTPServer):
    """Takes what is exported."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[ExportTraceServiceRequest] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def spans(self) -> list[str]:
        return [
            span.name
            for request in self.received
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of the base class)
        pass


@pytest.fixture
def collector() -> Generator[Collector, None, None]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_a_request_arrives_at_the_collector_and_the_last_one_before_the_process_ends(
    collector: Collector,
) -> None:
    with Server(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}", OTEL_BSP_SCHEDULE_DELAY=100
    ) as server:
        assert server.post().status_code == 200
        wait_until(lambda: "POST /stylize" in collector.spans)
        assert sorted(collector.spans) == sorted(["POST /stylize", *STAGES])
        resource = collector.received[0].resource_spans[0].resource
        named = {attribute.key: attribute.value.string_value for attribute in resource.attributes}
        assert named["service.name"] == "stylize"
        (line,) = server.requests_logged()
        assert len(line["trace_id"]) == 32
        page = requests.get(
            f"http://127.0.0.1:{server.admin_port}/metrics",
            headers={"Accept": "application/openmetrics-text;version=1.0.0"},
            timeout=10,
        ).text
        assert f'# {{trace_id="{line["trace_id"]}"}}' in page
        assert server.get("/version").status_code == 200
        server.terminate()
        server.process.wait(20)
    assert "GET /version" in collector.spans


def test_a_collector_that_is_not_there_costs_no_request() -> None:
    with Server(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_TIMEOUT=1,
        OTEL_BSP_SCHEDULE_DELAY=100,
    ) as server:
        assert [server.post().status_code for _ in range(3)] == [200, 200, 200]
        assert server.metric('stylize_requests_total{outcome="ok"}') == 3
