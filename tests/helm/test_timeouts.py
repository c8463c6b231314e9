"""The chart's times and limits follow from the service's deadline, by the service's own rule."""

from typing import Any

import pytest

from service.engine.engine import STUCK_SECONDS
from service.server import times
from service.settings import Settings
from tests.helm.rendering import Manifests, refusal, render

DEADLINES = (0.5, 6, 29.5, 30, 120, 600, 3600)


def _release(**settings: Any) -> Manifests:
    return render(
        {
            "settings": settings,
            "ingress": {"enabled": True, "nginx": True},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]},
            "preStopSeconds": 7,
        }
    )


@pytest.mark.parametrize("deadline", DEADLINES)
def test_a_pod_is_not_killed_before_it_has_answered_everything(deadline: float) -> None:
    release = _release(deadline=deadline)
    assert release.container["lifecycle"]["preStop"]["sleep"]["seconds"] == 7
    assert release.pod["terminationGracePeriodSeconds"] == 7 + times.after(deadline, times.STOPPED)


@pytest.mark.parametrize("deadline", DEADLINES)
def test_routers_wait_longer_than_a_request_can_take(deadline: float) -> None:
    release = _release(deadline=deadline)
    nginx = release.one("Ingress")["metadata"]["annotations"]
    (rule,) = release.one("HTTPRoute")["spec"]["rules"]
    waits = [
        *(nginx[f"nginx.ingress.kubernetes.io/proxy-{way}-timeout"] for way in ("read", "send")),
        *(text.removesuffix("s") for text in rule["timeouts"].values()),
        *(pod["spec"]["containers"][0]["args"][-1] for pod in release.all("Pod")),
    ]
    assert waits == [str(times.after(deadline, times.ROUTED))] * 7


@pytest.mark.parametrize("settings", [{"queueSize": 1000}, {"maxBudget": 3600}, {"uploadTimeout": 600}])
def test_nothing_but_the_deadline_changes_them(settings: dict[str, Any]) -> None:
    grace = _release(**settings).pod["terminationGracePeriodSeconds"]
    assert grace == _release().pod["terminationGracePeriodSeconds"] == 7 + 120 + 15


def test_the_ingress_and_the_service_have_the_same_limit_of_a_body() -> None:
    for release in (_release(), _release(maxUploadBytes=41943040)):
        name = "STYLIZE_MAX_UPLOAD_BYTES"
        limit = release.environment.get(name, str(Settings.model_fields["max_upload_bytes"].default))
        annotations = release.one("Ingress")["metadata"]["annotations"]
        assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == limit


@pytest.mark.parametrize("deadline", DEADLINES)
def test_a_rollout_is_given_the_time_that_a_pod_takes_to_end_and_another_to_start(deadline: float) -> None:
    release = _release(deadline=deadline)
    probe = release.container["startupProbe"]
    start = probe["periodSeconds"] * probe["failureThreshold"]
    wait = release.one("Deployment")["spec"]["progressDeadlineSeconds"]
    assert wait > release.pod["terminationGracePeriodSeconds"] + start


def test_a_pod_is_out_of_the_service_before_it_stops_listening() -> None:
    assert render().container["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5


def test_a_longer_time_to_end_can_be_given_and_a_shorter_one_cannot() -> None:
    values = {"settings": {"deadline": 30}, "terminationGracePeriodSeconds": 60}
    assert render(values).pod["terminationGracePeriodSeconds"] == 60
    values["terminationGracePeriodSeconds"] = 54
    message = (
        "terminationGracePeriodSeconds is 54: give at least 55, or requests that were accepted are cut off"
    )
    assert message in refusal(values)


def test_the_engine_has_called_itself_stuck_before_kubernetes_asks_for_the_last_time() -> None:
    probe = render().container["livenessProbe"]
    assert probe["timeoutSeconds"] >= 5  # a busy machine is no dead one
    assert probe["periodSeconds"] * probe["failureThreshold"] <= STUCK_SECONDS
