"""Whatever waits for the service says the same, and it follows from the deadline."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools.running import environment
from service.api.paint.deadline import LATE_SECONDS
from service.server import times
from service.server.worker import LINGER_SECONDS
from service.settings import Settings
from tests.helm.rendering import ROOT, render

DEFAULT = Settings.model_fields["deadline"].default
PAGES = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "compose.yaml", ROOT / "CHANGELOG.md"]
# After the deadline, in seconds, wherever one speaks of it.
KNOWN = {times.ANSWERED, times.DRAINED, times.ROUTED, times.STOPPED}


def _graceful_timeout(deadline: float) -> int:
    program = "import service.server.gunicorn_conf as c; print(c.graceful_timeout)"
    variables = environment(STYLIZE_DEADLINE=deadline, STYLIZE_QUEUE_SIZE=1000, STYLIZE_MAX_BUDGET=3600)
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    return int(run.stdout)


# What each place says. The chart's grace period has its preStopSeconds, 10, besides.
TABLE = {
    6: {"notes": 11, "gunicorn": 13, "ingress": 16, "route": 16, "grace": 31},
    30: {"notes": 35, "gunicorn": 37, "ingress": 40, "route": 40, "grace": 55},
    120: {"notes": 125, "gunicorn": 127, "ingress": 130, "route": 130, "grace": 145},
    600: {"notes": 605, "gunicorn": 607, "ingress": 610, "route": 610, "grace": 625},
}


@pytest.mark.parametrize("deadline", TABLE)
def test_every_place_says_what_follows_from_the_deadline(deadline: int, complete_chart: Path) -> None:
    values = {
        "settings": {"deadline": deadline},
        "ingress": {"enabled": True, "nginx": True},
        "httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]},
    }
    release = render(values, chart=complete_chart)
    said = re.search(r"A request can take up to (\d+) s .* wait (\d+) s\.", release.notes)
    assert said is not None
    nginx = release.one("Ingress")["metadata"]["annotations"]
    (rule,) = release.one("HTTPRoute")["spec"]["rules"]
    assert {
        "notes": int(said[1]),
        "gunicorn": _graceful_timeout(deadline),
        "ingress": int(nginx["nginx.ingress.kubernetes.io/proxy-read-timeout"]),
        "route": int(rule["timeouts"]["request"].removesuffix("s")),
        "grace": release.pod["terminationGracePeriodSeconds"],
    } == TABLE[deadline]
    assert int(said[2]) == TABLE[deadline]["route"]
    assert release.environment["STYLIZE_DEADLINE"] == str(deadline)


def test_they_leave_what_the_service_takes_after_a_deadline() -> None:
    assert LATE_SECONDS < times.ANSWERED
    assert times.ANSWERED + LINGER_SECONDS <= times.DRAINED
    assert times.DRAINED < times.STOPPED
    assert times.ANSWERED < times.ROUTED
    assert times.after(29.2, times.ROUTED) == 40


def test_compose_waits_as_long() -> None:
    service: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["stylize"]
    deadline = float(service["environment"]["STYLIZE_DEADLINE"])
    assert service["stop_grace_period"] == f"{times.after(deadline, times.STOPPED)}s"
    proxy = (ROOT / "compose/haproxy.cfg").read_text()
    waits = re.findall(r"timeout (?:client|server) (\w+)", proxy)
    assert waits == [f"{times.after(deadline, times.ROUTED)}s"] * 2


@pytest.mark.parametrize("name", ["stylize.py", "stylize.ts", "stylize.sh", "Stylize.kt", "Stylize.swift"])
def test_the_example_clients_wait_until_the_service_has_given_up(name: str) -> None:
    source = (ROOT / "examples/clients" / name).read_text()
    forms = (
        r"timeout: float = |timeout = |--max-time |timeout: Duration = Duration\.ofSeconds\(|TimeInterval = "
    )
    (said,) = re.findall(rf"(?:{forms})([\d_]+)", source)
    in_milliseconds = 1000 if name.endswith(".ts") else 1
    assert int(said) == times.after(DEFAULT, times.ROUTED) * in_milliseconds


def test_the_documents_know_no_other_rule() -> None:
    for page in PAGES:
        text = page.read_text()
        for name, seconds in re.findall(r"(STYLIZE_DEADLINE|deadline)`? \+ (\d+)", text):
            assert int(seconds) in KNOWN, f"{page.name}: {name} + {seconds}"
        for old in ("STYLIZE_QUEUE_SIZE`) × ", "queueSize) × "):  # places times budget: not how long it takes
            assert old not in text, page.name


def test_the_times_in_the_documents_are_those_of_the_default_deadline() -> None:
    operations = (ROOT / "docs/run/operations.md").read_text()
    rows = re.findall(r"^\|.*\| `STYLIZE_DEADLINE` \+ (\d+) \| (\d+) \|$", operations, re.MULTILINE)
    assert {int(more) for more, _ in rows} == KNOWN
    assert all(int(seconds) == times.after(DEFAULT, int(more)) for more, seconds in rows)
    proxies = re.findall(r"(?:timeout (?:client|server)|proxy_read_timeout) (\d+)s", operations)
    assert proxies == [str(times.after(DEFAULT, times.ROUTED))] * 3
    kubernetes = (ROOT / "docs/run/kubernetes.md").read_text()
    snippet = re.search(r"deadline: (\d+) ", kubernetes)
    assert snippet is not None
    for deadline, column in ((DEFAULT, 1), (float(snippet[1]), 2)):
        release = render({"settings": {"deadline": deadline}})
        expected = [
            times.after(deadline, times.ROUTED),
            release.pod["terminationGracePeriodSeconds"],
            release.one("Deployment")["spec"]["progressDeadlineSeconds"],
        ]
        cells = [
            row.strip("| ").split(" | ")[1 + column]
            for row in re.findall(
                r"^\| (?:the Ingress's|`terminationG|`progressD).*", kubernetes, re.MULTILINE
            )
        ]
        assert cells == [str(number) for number in expected]
    image = (ROOT / "docs/run/image.md").read_text()
    assert f"`STYLIZE_DEADLINE` + 15 seconds, {times.after(DEFAULT, times.STOPPED)} by default" in image
