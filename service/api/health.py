"""Probes and metrics. Being busy is healthy, and ready: what is too much is refused with 429."""

from flask import Blueprint, Response, request
from prometheus_client.exposition import choose_encoder

from service.api.context import current_service
from service.engine import State
from service.monitoring import ALIVE_SECONDS, READY_SECONDS

public = Blueprint("health", __name__)
admin = Blueprint("admin", __name__)


@public.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Whether requests are served now: the engine is ready, and the public port answers."""
    service = current_service()
    state = service.engine.state
    ready = state is State.READY and service.door.silence < READY_SECONDS
    return {"state": state}, 200 if ready else 503


@admin.get("/livez")
def livez() -> tuple[dict[str, str | float], int]:
    """Whether the engine makes progress and the public port answers; else the process has to be started again."""
    service = current_service()
    engine = service.engine
    # Whose port is closed because it drains is not dead.
    alive = engine.alive and (engine.state is State.DRAINING or service.door.silence < ALIVE_SECONDS)
    return {"state": engine.state, "silent_seconds": round(engine.silence, 3)}, 200 if alive else 503


@admin.get("/metrics")
def metrics() -> Response:
    """For Prometheus, in the format that it asks for: its own text, or OpenMetrics."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(current_service().metrics.registry), content_type=content_type)
