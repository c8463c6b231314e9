"""A real Prometheus scrapes a real server: the rules yield data, and so does every query of the dashboard."""

import math
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from devtools.running import Server, free_ports, stop
from devtools.serving import wait_until
from tests.monitoring.dashboard import queries
from tests.monitoring.script import KEY
from tests.monitoring.test_rules import NAMES, RECORDS, RULES

# There is none on the machines of tests, and the part of nothing that is taken is no number.
WITHOUT_GPU = "stylize:gpu_memory:ratio"


class Prometheus:
    """Scrapes one server every half a second; use it as a context manager."""

    def __init__(self, program: str, folder: Path, server: Server) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": "stylize", "static_configs": [{"targets": [f"127.0.0.1:{server.admin_port}"]}]}
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process)
        self._log.close()

    def api(self, path: str, **parameters: str) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def values(self, query: str) -> list[float]:
        """One for each series that the query finds now."""
        return [float(series["value"][1]) for series in self.api("query", query=query)["result"]]

    def has_data(self, query: str) -> bool:
        """Whether a number is among the answers: the quantile of a series without events is none (a mask, say)."""
        return any(not math.isnan(value) for value in self.values(query))

    def scrapes(self) -> bool:
        """Whether it has reached the server at least once."""
        assert self.process.poll() is None, "Prometheus has ended"
        try:
            ready = requests.get(f"{self.url}/-/ready", timeout=10).status_code == 200
            return ready and self.values("up") == [1.0]
        except (requests.ConnectionError, requests.Timeout):
            return False


@pytest.fixture(scope="module")
def watched(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Prometheus, None, None]:
    """One that has seen pictures being painted for somebody with a key, and a request that was wrong."""
    folder = tmp_path_factory.mktemp("prometheus")
    keys = folder / "keys"
    keys.write_text(f"tests:{KEY}\n")
    with (
        Server(STYLIZE_API_KEYS_FILE=keys) as server,
        Prometheus(prometheus, folder, server) as watched,
    ):
        wait_until(watched.scrapes, 60)
        authorization = {"Authorization": f"Bearer {KEY}"}
        for _ in range(3):
            assert server.post(authorization).status_code == 200
        assert server.post(authorization, strength="7").status_code == 422
        wait_until(lambda: sum(watched.values("increase(stylize_requests_total[5m])")) > 0, 30)
        wait_until(lambda: watched.has_data("stylize:request_duration_seconds:p95_5m"), 30)
        yield watched


def test_the_target_is_up(watched: Prometheus) -> None:
    (target,) = watched.api("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")


def test_it_has_taken_every_rule_and_can_evaluate_it(watched: Prometheus) -> None:
    def evaluated() -> bool:
        return all(rule["health"] != "unknown" for rule in rules())

    def rules() -> list[dict[str, Any]]:
        return [rule for group in watched.api("rules")["groups"] for rule in group["rules"]]

    wait_until(evaluated, 30)
    assert [rule["name"] for rule in rules() if rule["health"] != "ok"] == []
    assert sorted(rule["name"] for rule in rules()) == sorted(NAMES + [rule["record"] for rule in RECORDS])


@pytest.mark.parametrize("name", [rule["record"] for rule in RECORDS if rule["record"] != WITHOUT_GPU])
def test_a_recording_rule_yields_data(watched: Prometheus, name: str) -> None:
    wait_until(lambda: watched.has_data(name), 30)


@pytest.mark.parametrize(("title", "query"), queries())
def test_a_query_of_the_dashboard_returns_data(watched: Prometheus, title: str, query: str) -> None:
    wait_until(lambda: watched.has_data(query), 30)


def test_a_service_that_is_well_fires_no_alert(watched: Prometheus) -> None:
    assert [alert for alert in watched.api("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_what_it_scrapes_is_what_prometheus_calls_well_formed(watched: Prometheus, promtool: str) -> None:
    (target,) = watched.api("targets")["activeTargets"]
    page = requests.get(target["scrapeUrl"], timeout=10).content
    done = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
