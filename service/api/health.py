"""Probes and metrics. Being busy is healthy, and ready: what is too much is refused with 429."""

from flask import Blueprint, Response, request
from prometheus_client.exposition import choose_encoder

from service.api.context import current_service
from service.engine import State

public = Blueprint("health", __name__)
admin = Blueprint("admin", __name__)


@public.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Whether requests are served now."""
    state = current_service().engine.state
    return {"state": state}, 200 if state is State.READY else 503


@admin.get("/livez")
def livez() -> tuple[dict[str, str | float], int]:
    """Whether the engine makes progress; where it does not, the process has to be started again."""
    engine = current_service().engine
    alive = engine.alive
    return {"state": engine.state, "silent_seconds": round(engine.silence, 3)}, 200 if alive else 503


@admin.get("/metrics")
def metrics() -> Response:
    """For Prometheus, in the format that it asks for: its own text, or OpenMetrics."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(current_service().metrics.registry), content_type=content_type)
