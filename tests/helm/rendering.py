"""What helm makes of the chart."""

import copy
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "stylize"
CI_FILES = sorted((CHART / "ci").glob("*-values.yaml"))
NEW, OLD, ANCIENT = "1.34.0", "1.29.0", "1.20.2"  # the last has neither autoscaling/v2 nor policy/v1
SERVER = {
    "app.kubernetes.io/name": "stylize",
    "app.kubernetes.io/instance": "r",
    "app.kubernetes.io/component": "server",
}
"""Labels of the service's pods, which those of its tests do not have."""

Manifest = dict[str, Any]


class Manifests(list[Manifest]):
    """The objects of a release, the pods of its tests included."""

    def all(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self if manifest["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> Manifest:
        (found,) = [each for each in self.all(kind) if name in (None, each["metadata"]["name"])]
        return found

    @property
    def pod(self) -> Manifest:
        """The specification of the service's pods."""
        spec: Manifest = self.one("Deployment")["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Manifest:
        (container,) = self.pod["containers"]
        assert isinstance(container, dict)
        return container

    @property
    def environment(self) -> dict[str, str]:
        """The service's settings, as the ConfigMap has them."""
        data: dict[str, str] = self.one("ConfigMap", self.one("Deployment")["metadata"]["name"])["data"]
        return data

    @property
    def notes(self) -> str:
        """What the user is told, where the chart is the `complete_chart`."""
        (notes,) = self.all("Notes")
        text: str = notes["text"]
        return text


@functools.cache
def helm_binary(major: str) -> Path:
    """A real helm. Where it cannot be had the test is skipped, or fails where HELM_TESTS=required."""
    command = [sys.executable, str(ROOT / "scripts" / "helm.py"), major]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        reason = f"helm {major} cannot be had: {run.stderr.strip().splitlines()[-1]}"
        if os.environ.get("HELM_TESTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(run.stdout.strip())


def helm(*arguments: str | Path, major: str = "4", stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run helm, with no configuration of the person who runs the tests."""
    environment = {"PATH": os.environ["PATH"], "HELM_NO_PLUGINS": "1", "HOME": "/nonexistent"}
    return subprocess.run(
        [str(helm_binary(major)), *map(str, arguments)],
        capture_output=True,
        text=True,
        input=stdin,
        env=environment,
        check=False,
    )


def render(
    values: Mapping[str, Any] | Path | None = None,
    *,
    kube: str = NEW,
    major: str = "4",
    chart: Path = CHART,
    release: str = "r",
) -> Manifests:
    """The objects of a release with these values, or those of a file; fails where helm does."""
    text = values.read_text() if isinstance(values, Path) else json.dumps(values or {})
    output = _template(text, kube, major, chart, release)
    return Manifests(copy.deepcopy(list(_documents(output))))


def refusal(values: Mapping[str, Any], *, major: str = "4") -> str:
    """What helm says to values that cannot be; fails where it takes them."""
    run = helm("template", "r", CHART, "-f", "-", major=major, stdin=json.dumps(values))
    assert run.returncode != 0, "helm took them"
    return run.stderr


@functools.cache
def _template(values: str, kube: str, major: str, chart: Path, release: str) -> str:
    arguments = ("template", release, chart, "-n", "pictures", "--kube-version", kube, "-f", "-")
    run = helm(*arguments, major=major, stdin=values)
    assert run.returncode == 0, run.stderr
    return run.stdout


@functools.cache
def _documents(output: str) -> tuple[Manifest, ...]:
    return tuple(
        each for each in yaml.load_all(output, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if each
    )


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of the chart, with its dotted path; an empty mapping is a value too."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
