"""What is rendered is what Kubernetes and the operators understand: no unknown field, no wrong type."""

from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from tests.helm.custom_resources import SCHEMAS
from tests.helm.rendering import CI_FILES, NEW, OLD, Manifest, render


def _check(manifest: Manifest, kube: str) -> None:
    schema = SCHEMAS.get((manifest["apiVersion"], manifest["kind"]))
    if schema is None:
        kubernetes_validate.validate(manifest, ".".join(kube.split(".")[:2]), strict=True)
    else:
        jsonschema.validate(manifest, schema)


@pytest.mark.parametrize("kube", [NEW, OLD])
@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_every_object_is_valid(values: Path, kube: str, complete_chart: Path) -> None:
    for manifest in render(values, kube=kube, chart=complete_chart):
        if manifest["kind"] != "Notes":
            _check(manifest, kube)


def test_all_custom_resources_are_among_those_that_were_checked(complete_chart: Path) -> None:
    made = {
        (manifest.get("apiVersion"), manifest["kind"])
        for values in CI_FILES
        for manifest in render(values, chart=complete_chart)
    }
    assert made >= SCHEMAS.keys()


def test_a_misspelt_field_would_be_found() -> None:
    deployment = render().one("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        _check(deployment, NEW)
    route = render(CI_FILES[0]).one("HTTPRoute")
    route["spec"]["rules"][0]["timeout"] = "1s"
    with pytest.raises(jsonschema.ValidationError):
        _check(route, NEW)


@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_names_are_unique_and_labels_say_whose_they_are(values: Path) -> None:
    manifests = render(values)
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(set(names)) == len(names)
    for each in manifests:
        assert each["metadata"]["namespace"] == "pictures"
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "r"
        assert labels["app.kubernetes.io/name"] == "stylize"
        others = {"Pod": "test", "Job": "weights"}
        assert labels["app.kubernetes.io/component"] == others.get(each["kind"], "server")


def test_the_longest_name_of_a_release_still_makes_valid_names() -> None:
    for each in render({"autoscaling": {"kind": "hpa"}}, release="a" * 53):
        assert len(each["metadata"]["name"]) <= 63
        assert not each["metadata"]["name"].endswith("-")
