"""What a release writes into the chart's metadata."""

import shutil
from pathlib import Path

import pytest
import yaml

from scripts.chart import published
from tests.helm.rendering import CHART, helm

SOURCE = "https://git.example.org/team/stylize"
TEXT = (CHART / "Chart.yaml").read_text()


def test_a_release_says_where_it_comes_from() -> None:
    chart = yaml.safe_load(published(TEXT, SOURCE))
    assert (chart["home"], chart["sources"]) == (SOURCE, [SOURCE])
    assert chart["maintainers"] == [{"name": "team", "url": "https://git.example.org/team"}]
    assert chart.items() >= yaml.safe_load(TEXT).items()


@pytest.mark.parametrize(
    "source", ["", "stylize", "http://git.example.org/team/stylize", "https://git.example.org"]
)
def test_what_is_no_address_of_sources_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="https://HOST/OWNER/NAME"):
        published(TEXT, source)


def test_helm_lints_it_strictly(tmp_path: Path) -> None:
    shutil.copytree(CHART, tmp_path / "stylize")
    (tmp_path / "stylize/Chart.yaml").write_text(published(TEXT, SOURCE))
    run = helm("lint", "--strict", tmp_path / "stylize", "--set", "gpu.resource=")
    assert run.returncode == 0, run.stdout
    assert "[INFO]" not in run.stdout
