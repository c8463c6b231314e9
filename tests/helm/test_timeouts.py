"""The chart's times and limits follow from the service's, computed with its settings and its gunicorn_conf."""

import json
import math
import subprocess
import sys
from functools import cache
from typing import Any, NamedTuple

import pytest

from devtools.running import environment
from service.engine.engine import STUCK_SECONDS
from tests.helm.rendering import ROOT, Manifests, render

MARGIN = 5  # seconds for Python and CUDA to end, after gunicorn has
SETTINGS: list[dict[str, Any]] = [
    {},
    {"queueSize": 0, "maxBudget": 2.5, "uploadTimeout": 0.7},
    {"queueSize": 20, "maxBudget": 7.7, "maxUploadBytes": 41943040},
    {"queueSize": 1000, "maxBudget": 3600, "uploadTimeout": 600},
]


class Service(NamedTuple):
    """What the service makes of an environment: times in seconds."""

    graceful: int
    places: int
    max_budget: float
    upload_timeout: float
    max_upload_bytes: int


@cache
def _service(variables: tuple[tuple[str, str], ...]) -> Service:
    program = (
        "import json, service.server.gunicorn_conf as c; s = c._settings; "
        "print(json.dumps([c.graceful_timeout, s.places, "
        "s.max_budget, s.upload_timeout, s.max_upload_bytes]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(**dict(variables)),
        capture_output=True,
        text=True,
        check=True,
    )
    return Service(*json.loads(run.stdout))


@pytest.fixture(params=SETTINGS, ids=["defaults", "no queue", "a long queue", "everything at its most"])
def release(request: pytest.FixtureRequest) -> Manifests:
    return render(
        {
            "settings": request.param,
            "ingress": {"enabled": True},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]},
            "preStopSeconds": 7,
        }
    )


@pytest.fixture
def service(release: Manifests) -> Service:
    return _service(tuple(sorted(release.environment.items())))


def _longest_request(service: Service) -> float:
    """Seconds: the upload, everything that may be waiting before it, and itself."""
    return service.upload_timeout + service.places * service.max_budget


def test_a_pod_is_not_killed_before_it_has_answered_everything(release: Manifests, service: Service) -> None:
    grace = release.pod["terminationGracePeriodSeconds"]
    pre_stop = release.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pre_stop == 7
    assert grace >= pre_stop + service.graceful + MARGIN
    assert grace >= pre_stop + _longest_request(service) + MARGIN
    assert grace <= pre_stop + math.ceil(_longest_request(service)) + 30  # and no longer than it has to be


def test_routers_wait_longer_than_a_request_can_take(release: Manifests, service: Service) -> None:
    nginx = release.one("Ingress")["metadata"]["annotations"]
    (rule,) = release.one("HTTPRoute")["spec"]["rules"]
    waits = [
        *(nginx[f"nginx.ingress.kubernetes.io/proxy-{way}-timeout"] for way in ("read", "send")),
        *(text.removesuffix("s") for text in rule["timeouts"].values()),
    ]
    assert len(waits) == 4
    assert all(int(wait) >= _longest_request(service) for wait in waits)


def test_the_ingress_and_the_service_have_the_same_limit_of_a_body(
    release: Manifests, service: Service
) -> None:
    annotations = release.one("Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == str(service.max_upload_bytes)


def test_a_rollout_is_given_the_time_that_a_pod_takes_to_end_and_another_to_start(release: Manifests) -> None:
    probe = release.container["startupProbe"]
    start = probe["periodSeconds"] * probe["failureThreshold"]
    deadline = release.one("Deployment")["spec"]["progressDeadlineSeconds"]
    assert deadline > release.pod["terminationGracePeriodSeconds"] + start


def test_a_pod_is_out_of_the_service_before_it_stops_listening(release: Manifests) -> None:
    assert release.container["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5


def test_a_longer_time_to_end_can_be_given_and_a_shorter_one_cannot() -> None:
    assert render({"terminationGracePeriodSeconds": 4000}).pod["terminationGracePeriodSeconds"] == 4000


def test_the_engine_has_called_itself_stuck_before_kubernetes_asks_for_the_last_time() -> None:
    probe = render().container["livenessProbe"]
    assert probe["timeoutSeconds"] >= 5  # a busy machine is no dead one
    assert probe["periodSeconds"] * probe["failureThreshold"] <= STUCK_SECONDS
