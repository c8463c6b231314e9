"""A release that an earlier chart made can be upgraded to this one, as the documentation says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.cluster import upgrade
from tests.helm.rendering import ROOT, Manifest

EARLIER: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "earlier" / "values.yaml").read_text())
"""Of the chart that was released last; at a release, a copy of helm/stylize/values.yaml takes its place."""

PAGE = (ROOT / "docs/run/kubernetes.md").read_text()
(DOCUMENTED,) = re.findall(r"helm upgrade -n pictures stylize helm/stylize (.*)", PAGE)
GIVEN = {"replicaCount": 3, "settings": {"queueSize": 2, "maxBudget": 10}, "gpu": {"resource": ""}}


def _deployment(output: str) -> Manifest:
    """The Deployment in what helm prints: a release with its manifest among other things."""
    documents = re.split(r"^---$", output, flags=re.MULTILINE)
    (text,) = [text for text in documents if re.search("^kind: Deployment$", text, re.MULTILINE)]
    deployment = yaml.safe_load(text)
    assert isinstance(deployment, dict)
    return deployment


@pytest.mark.parametrize("major", ["3", "4"])
def test_what_was_set_stays_and_what_was_not_is_as_the_new_chart_has_it(major: str, tmp_path: Path) -> None:
    done = upgrade(EARLIER, GIVEN, *DOCUMENTED.split(), folder=tmp_path, major=major)
    assert done.returncode == 0, done.stderr
    spec = _deployment(done.stdout)["spec"]
    assert spec["replicas"] == 3
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"].endswith(":0.2.0")  # of the documented command
    assert EARLIER["resources"]["limits"]["memory"] == "4Gi"
    assert container["resources"]["limits"]["memory"] == "8Gi"
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 145
    assert 'STYLIZE_QUEUE_SIZE: "2"' in done.stdout


def test_values_of_the_earlier_chart_that_are_kept_are_in_the_way(tmp_path: Path) -> None:
    done = upgrade(EARLIER, GIVEN, "--reuse-values", folder=tmp_path)
    assert done.returncode != 0
    assert "shedRate" in done.stderr
    assert "--reuse-values" not in PAGE.replace("Not `--reuse-values`", "")
