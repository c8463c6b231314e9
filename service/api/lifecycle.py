"""What happens to every request: it gets an id, errors become problems, and it is logged and counted."""

import json
import re
import time
import uuid
from collections.abc import Mapping
from functools import partial

from flask import Flask, Response, g, request
from werkzeug.routing import RequestRedirect

from service.api.context import Service, current_service
from service.api.paint.upload import ClientGoneError
from service.api.problems import problem_of
from service.api.record import record
from service.api.security import HEADERS
from service.monitoring import CLIENT_CLOSED_REQUEST, UNMATCHED, RequestRecord, caller_of
from service.problems import MEDIA_TYPE, NOT_FOUND, Problem

# Probes and scrapes come every few seconds and would drown what people ask for.
_UNCOUNTED = frozenset({"/readyz", "/livez", "/metrics"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def register(app: Flask) -> None:
    """Put this around every request of the application."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(ClientGoneError, _client_gone)
    app.register_error_handler(Exception, lambda error: _problem(problem_of(error)))


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.record = RequestRecord(request_id, started=time.monotonic())
    if isinstance(request.routing_exception, RequestRedirect) or not _written_plainly():
        raise Problem(NOT_FOUND)


def _written_plainly() -> bool:
    """Whether the path is written as its route is: the rules of a proxy would not see //stylize or /%73tylize."""
    rule = request.url_rule
    if rule is None or rule.arguments:
        return True
    target = request.environ.get("RAW_URI", rule.rule).partition("?")[0]
    if "://" in target:  # RFC 9112, section 3.2.2: the whole address, as to a proxy
        target = "/" + target.partition("://")[2].partition("/")[2]
    return bool(target == rule.rule)


def _end(response: Response) -> Response:
    current = record()
    response.headers["X-Request-ID"] = current.request_id
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    route = UNMATCHED if request.url_rule is None else request.url_rule.rule
    if route in _UNCOUNTED:
        return response
    account = partial(_account, current_service(), current, request.method, route, caller_of(request.headers))
    if response.is_streamed:  # it has only begun
        response.call_on_close(lambda: account(response.status_code))
    else:
        account(response.status_code)
    return response


def _account(
    service: Service, current: RequestRecord, method: str, route: str, caller: Mapping[str, str], status: int
) -> None:
    """Count the request, trace it, and write its line. Its context may be gone by now."""
    metrics = service.metrics
    seconds = time.monotonic() - current.started
    if current.outcome == "client_gone":
        status = CLIENT_CLOSED_REQUEST
    trace_id = service.tracing.ended(current, method=method, route=route, status=status, caller=caller)
    if trace_id is not None:
        current.facts["trace_id"] = trace_id
    metrics.answered(route, method, status, seconds, trace_id)
    if current.outcome is not None:
        metrics.requests.labels(current.outcome).inc()
        if "key_name" in current.facts:
            metrics.key_requests.labels(current.facts["key_name"]).inc()
    if "problem" in current.facts:
        metrics.problems.labels(current.facts["problem"]).inc()
    for stage, took in current.stages.items():
        metrics.stage_seconds.labels(stage).observe(took)
    if "queue" in current.stages:
        metrics.wait_seconds.labels(current.facts.get("priority", "usual")).observe(current.stages["queue"])
    current.log(method=method, route=route, status=status, seconds=seconds)


def problem_body(problem: Problem) -> str:
    """The problem as JSON; the current request has come to it."""
    current = record()
    if current.outcome is not None:
        current.outcome = problem.kind.outcome
    current.facts["problem"] = problem.kind.slug
    return json.dumps(problem.body(current.request_id))


def _problem(problem: Problem) -> Response:
    response = Response(
        problem_body(problem),
        status=problem.kind.status,
        content_type=MEDIA_TYPE,
    )
    response.headers.update(problem.headers)
    return response


def _client_gone(_: ClientGoneError) -> Response:
    record().outcome = "client_gone"
    return Response(status=f"{CLIENT_CLOSED_REQUEST} Client Closed Request")
