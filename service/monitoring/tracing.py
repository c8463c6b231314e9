"""Requests as spans of OpenTelemetry, with one for each of their stages; nothing where that is not asked for.

A request is written down while it lasts (`RequestRecord`) and becomes spans at its end: its stages happen on two
threads, and this way neither has to carry a context to the other.
"""

import logging
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from service import __version__
from service.machine import why_no_traces
from service.monitoring.metrics import METHODS
from service.monitoring.record import RequestRecord

if TYPE_CHECKING:  # an extra: imported where it is used
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from werkzeug.datastructures import Headers

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
# What a request's line has of numbers and short texts; the rest stays in the log.
_FACTS = ("size", "seed", "evaluations", "stopped", "backbone", "body_bytes", "answer_bytes", "problem")


def caller_of(headers: "Headers") -> dict[str, str]:
    """The headers that name the caller's span, if there are any (W3C Trace Context)."""
    return {name: value for name in ("traceparent", "tracestate") if (value := headers.get(name))}


class Tracing:
    """Off until it is started, which has to happen in the process that serves: its thread does not survive a fork."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None

    def start(self, environment: Mapping[str, str] = os.environ) -> None:
        """Export to where the environment says; stay off where it says nothing.

        Args:
            environment: the variables of OpenTelemetry's SDK. The exporter itself reads the process's.
        """
        endpoint = next((name for name in ENDPOINTS if environment.get(name)), None)
        if endpoint is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return
        if why := why_no_traces():
            log.warning("%s is set, but nothing is traced: %s", endpoint, why)
            return
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self.send_to(BatchSpanProcessor(OTLPSpanExporter()))
        log.info("traces go where %s says", endpoint)  # not the address: there may be a password in it

    def send_to(self, processor: "SpanProcessor") -> None:
        """Hand every span to this processor from now on."""
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider

        ours = Resource({"service.name": "stylize", "service.version": __version__})
        self._provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
        self._provider.add_span_processor(processor)

    def stop(self) -> None:
        """Send what is left, and end the thread."""
        if self._provider is not None:
            self._provider.shutdown()
            self._provider = None

    def ended(
        self, request: RequestRecord, *, method: str, route: str, status: int, caller: Mapping[str, str]
    ) -> str | None:
        """Make the spans of a request that has just ended.

        Args:
            request: which has been measured.
            method: of it.
            route: the rule that it fits.
            status: of its answer.
            caller: what `caller_of` found in its headers.

        Returns:
            The id of the trace that they belong to, in hexadecimal; None where nothing is traced.
        """
        provider = self._provider  # it may be stopped meanwhile
        if provider is None:
            return None
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        now, now_ns = time.monotonic(), time.time_ns()

        def at(moment: float) -> int:
            """Unix time in nanoseconds of what time.monotonic() said."""
            return now_ns - round((now - moment) * 1e9)

        tracer = provider.get_tracer("stylize", __version__)
        span = tracer.start_span(
            f"{method if method in METHODS else 'HTTP'} {route}",
            context=TraceContextTextMapPropagator().extract(caller),
            kind=SpanKind.SERVER,
            start_time=at(request.started),
            attributes={
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "stylize.request_id": request.request_id,
                **({"stylize.outcome": request.outcome} if request.outcome else {}),
                **{f"stylize.{name}": request.facts[name] for name in _FACTS if name in request.facts},
            },
        )
        if status >= 500 or request.outcome == "error":
            span.set_status(Status(StatusCode.ERROR))
        for stage, begun in request.begun.items():
            child = tracer.start_span(stage, set_span_in_context(span), start_time=at(begun))
            child.end(at(begun + request.stages[stage]))
        span.end(now_ns)
        return f"{span.get_span_context().trace_id:032x}"
