"""The chart as a whole: helm takes it, and what is written about it is true."""

import base64
import json
import re
import tarfile
from pathlib import Path

import pytest
import yaml

from service import __version__
from tests.helm.rendering import ANCIENT, CHART, CI_FILES, ROOT, helm, leaves, render

VALUES = (CHART / "values.yaml").read_text()


def test_there_are_value_files_for_what_people_install() -> None:
    names = {path.name.removesuffix("-values.yaml") for path in CI_FILES}
    assert names == {"default-cpu", "gpu", "mig", "all-features", "keda", "keys-and-styles"}


@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_helm_lints_it_strictly(values: Path) -> None:
    run = helm("lint", "--strict", CHART, "-f", values)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "[WARNING]" not in run.stdout


def test_helm_3_lints_it_strictly() -> None:
    run = helm("lint", "--strict", CHART, "-f", CHART / "ci" / "all-features-values.yaml", major="3")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_helm_3_and_helm_4_make_the_same_of_it(values: Path) -> None:
    assert render(values, major="3") == render(values, major="4")


@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_a_kubernetes_of_years_ago_gets_only_what_it_knows(values: Path) -> None:
    for manifest in render(values, kube=ANCIENT):
        assert manifest["apiVersion"] not in ("autoscaling/v2", "policy/v1")


def test_it_is_packaged_with_everything_that_it_needs_and_nothing_else(tmp_path: Path) -> None:
    run = helm("package", CHART, "-d", tmp_path)
    assert run.returncode == 0, run.stderr
    (package,) = tmp_path.glob("stylize-*.tgz")
    with tarfile.open(package) as members:
        names = {name.removeprefix("stylize/") for name in members.getnames()}
    wanted = {
        str(path.relative_to(CHART))
        for path in CHART.rglob("*")
        if path.is_file() and "ci" not in path.relative_to(CHART).parts and "__pycache__" not in path.parts
    }
    assert names == wanted - {".helmignore"} | ({".helmignore"} & names)


def test_a_kubernetes_that_is_too_old_is_refused() -> None:
    run = helm("template", "r", CHART, "--kube-version", "1.19.0")
    assert run.returncode != 0
    assert "incompatible with Kubernetes v1.19.0" in run.stderr


def test_the_version_of_the_application_is_the_package_s() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_its_icon_is_the_playground_s() -> None:
    icon = (ROOT / "service/api/static/playground/icon.svg").read_bytes()
    kind, _, data = yaml.safe_load((CHART / "Chart.yaml").read_text())["icon"].partition(",")
    assert (kind, base64.b64decode(data)) == ("data:image/svg+xml;base64", icon)


def test_a_version_below_1_is_marked_as_one_that_may_still_change() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    early = chart["version"].startswith("0.")
    assert chart["annotations"]["artifacthub.io/prerelease"] == str(early).lower()


def test_every_value_has_a_comment() -> None:
    """In the line above it, or for what belongs to Kubernetes above the value that holds it."""
    lines = VALUES.splitlines()
    theirs = (
        "gpu.tolerations",
        "resources",
        "Context.",
        "probes.",
        "topology",
        "behavior.",
        "fallback.",
        "From.",
    )
    bare = []
    for number, line in enumerate(lines):
        name = re.match(r"( *)([A-Za-z]+): *(\S?)", line)
        commented = number > 0 and lines[number - 1].strip().startswith("#")
        if name and name[3] and not commented:
            bare.append(_path(lines, number))
    assert [path for path in bare if not any(part in path for part in (*theirs, "dnsTo.", "Labels."))] == []


def _path(lines: list[str], number: int) -> str:
    depth = len(lines[number]) - len(lines[number].lstrip())
    path = lines[number].strip().partition(":")[0]
    for line in reversed(lines[:number]):
        indent = len(line) - len(line.lstrip())
        if re.match(r" *[A-Za-z]+:", line) and indent < depth:
            path, depth = f"{line.strip().partition(':')[0]}.{path}", indent
    return path


def test_every_value_is_in_the_chart_s_readme_with_its_default() -> None:
    readme = (CHART / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Za-z.0-9]+)` \| (.*?) \|", readme, re.MULTILINE))
    missing = []
    for path, value in leaves(yaml.safe_load(VALUES)):
        parents = [path.rsplit(".", cut)[0] for cut in range(path.count(".") + 1)]
        row = next((rows[parent] for parent in parents if parent in rows), None)
        if row not in (f"`{json.dumps(value)}`", "see values.yaml"):
            missing.append(f"| `{path}` | `{json.dumps(value)}` |")
    assert missing == []


def test_every_value_in_the_chart_s_readme_exists() -> None:
    readme = (CHART / "README.md").read_text()
    values = yaml.safe_load(VALUES)
    for path in re.findall(r"^\| `([A-Za-z.0-9]+)` \|", readme, re.MULTILINE):
        node = values
        for part in path.split("."):
            assert part in node, path
            node = node[part]


def test_values_that_the_documentation_sets_are_taken() -> None:
    pages = (ROOT / "docs/run/kubernetes.md").read_text() + (CHART / "README.md").read_text()
    known = yaml.safe_load(VALUES)
    for path in re.findall(r"--set(?:-string|-file)? '?([A-Za-z.]+)(?:\[\d\])?=", pages):
        first, _, rest = path.partition(".")
        assert first in known, path
        assert first == "settings" or rest.split(".")[0] in known[first] or not rest, path
    snippets = [
        text
        for text in re.findall(r"```yaml\n(.*?)```", pages, re.DOTALL)
        if not text.startswith("apiVersion")
    ]
    assert len(snippets) >= 5
    for snippet in snippets:
        render(yaml.safe_load(snippet))
