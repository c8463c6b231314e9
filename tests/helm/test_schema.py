"""values.schema.json refuses what cannot be, and says which value it is."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from service.settings.keys import SHORTEST
from service.settings.settings import Settings
from tests.helm.rendering import CHART, leaves, refusal, render

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
KEY = "0123456789abcdef0123456789abcdef"


DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def _with(defaults: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """As helm lays values over the chart's; null takes away."""
    both = dict(defaults)
    for name, value in values.items():
        both[name] = _with(both[name], value) if isinstance(value, dict) and both.get(name) else value
    return {name: value for name, value in both.items() if name not in values or values[name] is not None}


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"replicaCount": "two"}, "$.replicaCount"),
        ({"replicas": 2}, "$"),
        ({"image": {"tga": "1"}}, "$.image"),
        ({"image": {"repository": "stylize:0.1"}}, "$.image.repository"),
        ({"image": {"digest": "0123"}}, "$.image.digest"),
        ({"settings": {"queueSize": -1}}, "$.settings.queueSize"),
        ({"settings": {"deadline": None}}, "$.settings"),
        ({"settings": {"deadline": 0}}, "$.settings.deadline"),
        ({"settings": {"deadline": "30"}}, "$.settings.deadline"),
        ({"settings": {"maxPerKey": 0}}, "$.settings.maxPerKey"),
        ({"settings": {"memory": "8 pounds"}}, "$.settings.memory"),
        ({"settings": {"playground": "no"}}, "$.settings.playground"),
        ({"settings": {"maxBudget": 0}}, "$.settings.maxBudget"),
        ({"settings": {"maxBudget": 3601}}, "$.settings.maxBudget"),
        ({"settings": {"device": "tpu"}}, "$.settings.device"),
        ({"settings": {"queue_size": 4}}, "$.settings"),
        ({"settings": {"someday": {"a": 1}}}, "$.settings.someday"),
        ({"gpu": {"resource": "nvidia"}}, "$.gpu.resource"),
        ({"weights": {"source": "download"}}, "$.weights.source"),
        ({"apiKeys": {"keys": {"phone": "short"}}}, "$.apiKeys.keys.phone"),
        ({"apiKeys": {"keys": {"phone": [KEY, "short"]}}}, "$.apiKeys.keys.phone[1]"),
        ({"apiKeys": {"keys": {"phone": KEY[6:] + " batch"}}}, "$.apiKeys.keys.phone"),
        ({"apiKeys": {"keys": {"phone": KEY + " later"}}}, "$.apiKeys.keys.phone"),
        ({"apiKeys": {"keys": {"a phone": KEY}}}, "$.apiKeys.keys"),
        ({"autoscaling": {"minReplicas": 0}}, "$.autoscaling.minReplicas"),
        ({"monitoring": {"monitor": "both"}}, "$.monitoring.monitor"),
        ({"service": {"port": 70000}}, "$.service.port"),
        ({"preStopSeconds": 0}, "$.preStopSeconds"),
        ({"tmp": {"sizeLimit": "1 GB"}}, "$.tmp.sizeLimit"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(values: dict[str, Any], path: str) -> None:
    validator = jsonschema.Draft7Validator(SCHEMA)
    assert validator.is_valid(DEFAULTS)
    (error,) = validator.iter_errors(_with(DEFAULTS, values))
    assert error.json_path == path


def test_helm_says_which_values_are_bad_and_why_all_at_once() -> None:
    message = refusal(
        {
            "replicaCount": "two",
            "image": {"tga": "1"},
            "settings": {"queueSize": -1, "deadline": None, "device": "tpu"},
            "apiKeys": {"keys": {"phone": "short"}},
        }
    )
    for words in (
        "/replicaCount': got string, want integer",
        "/image': additional properties 'tga' not allowed",
        "/settings/queueSize': minimum: got -1, want 0",
        "/settings': missing property 'deadline'",
        "/settings/device': value must be one of 'auto', 'cpu', 'cuda'",
        "/apiKeys/keys/phone': minLength: got 5, want 32",
    ):
        assert words in message, message


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        (
            {
                "styles": {"configMaps": ["a"], "existingClaim": "b"},
                "apiKeys": {"existingSecret": "a", "keys": {"b": KEY}},
                "settings": {"stylesDir": "/s", "apiKeysFile": "/k", "port": 9090},
                "weights": {"source": "volume"},
                "autoscaling": {"kind": "keda", "minReplicas": 5},
                "httpRoute": {"enabled": True},
            },
            [
                "styles has configMaps and existingClaim: give one of them.",
                "settings.stylesDir is set, and so is styles.configMaps: give one of them.",
                "settings.apiKeysFile is set, and so is apiKeys: give one of them.",
                "apiKeys has existingSecret and keys: give one of them.",
                "settings.port and settings.adminPort are both 9090: give the admin port another number.",
                "weights.source is volume: say which volume, with weights.existingClaim or weights.volume.",
                "autoscaling.minReplicas is 5: give at most autoscaling.maxReplicas, which is 4.",
                "autoscaling.kind is keda: give the address of Prometheus, autoscaling.keda.serverAddress.",
                "httpRoute.enabled is true: name a Gateway in httpRoute.parentRefs.",
            ],
        ),
        (
            {
                "weights": {"source": "initContainer", "existingClaim": "a", "volume": {"emptyDir": {}}},
                "settings": {"weightsDir": "/w"},
                "autoscaling": {"kind": "hpa", "hpa": {"inFlightMetric": ""}},
                "extraEnv": [
                    {"name": "STYLIZE_DEADLINE", "value": "30"},
                    {"name": "STYLIZE_THREADS", "value": "2"},
                ],
            },
            [
                "extraEnv sets STYLIZE_DEADLINE, which the chart computes with: set settings.deadline instead.",
                "weights has existingClaim and volume: give one of them.",
                "settings.weightsDir is set, and weights.source is initContainer, which mounts /weights",
                "weights.source is initContainer: set settings.backbone to the weights to fetch, vgg16, vgg19 or",
                "the network policy lets nothing out: give networkPolicy.extraEgress.",
                "autoscaling.kind is hpa without a metric",
            ],
        ),
        (
            {"weights": {"existingClaim": "a"}},
            ["weights.source is baked, so the volume would not be used"],
        ),
        (
            {"weights": {"source": "job", "existingClaim": "w"}, "settings": {"backbone": "custom"}},
            [
                "settings.backbone is custom: say where the file is and what it is, with weights.url and weights."
            ],
        ),
        (
            {"weights": {"url": "https://a.example/b", "sha256": "0" * 64}},
            [
                "weights.url is set, but weights.source is baked, which fetches nothing",
                "weights.sha256 is for settings.backbone=custom; that of the image's is known: leave it out.",
            ],
        ),
        (
            {"autoscaling": {"kind": "keda", "keda": {"serverAddress": "http://p", "idleReplicaCount": 0}}},
            [
                "autoscaling.keda.idleReplicaCount is 0, and a service without pods has no metric that would wake it"
            ],
        ),
        (
            {"settings": {"maxPerKey": 2}},
            ["settings.maxPerKey is 2, but there are no keys: give apiKeys as well, or neither."],
        ),
        (
            {"image": {"repository": "stylize"}},
            [
                "image.repository is stylize, which means docker.io/library/stylize: give it with its registry."
            ],
        ),
        ({"terminationGracePeriodSeconds": 30}, ["terminationGracePeriodSeconds is 30: give at least 145"]),
    ],
)
def test_values_that_do_not_fit_together_are_refused_with_a_sentence_each(
    values: dict[str, Any], sentences: list[str]
) -> None:
    message = refusal(values)
    assert [sentence for sentence in sentences if sentence not in message] == []


def test_helm_3_says_as_much() -> None:
    message = refusal({"settings": {"queueSize": -1}, "image": {"tga": ""}}, major="3")
    assert "settings.queueSize: Must be greater than or equal to 0" in message
    assert "image: Additional property tga is not allowed" in message


def test_a_parent_chart_s_global_values_do_no_harm() -> None:
    assert render({"global": {"anything": 1}}) == render()


def _nodes(schema: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, node in schema.get("properties", {}).items():
        found += [(f"{path}{name}", node), *_nodes(node, f"{path}{name}.")]
    return found


def test_every_value_is_described_in_the_schema_and_no_other_is_allowed() -> None:
    nodes = dict(_nodes(SCHEMA))
    assert all(node.get("description") for node in nodes.values())
    closed = {path for path, node in nodes.items() if node.get("additionalProperties") is False}
    for path, _ in leaves(yaml.safe_load((CHART / "values.yaml").read_text())):
        parents = [path.rsplit(".", cut)[0] for cut in range(path.count(".") + 1)]
        assert any(parent in nodes for parent in parents), path
    assert SCHEMA["additionalProperties"] is False
    assert closed | {"settings", "global"} >= {path for path in nodes if _nodes(nodes[path])}


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda match: match[1].upper(), name)


@pytest.mark.parametrize("name", [n for n in Settings.model_fields if n not in ("cors_origins",)])
def test_the_bounds_of_a_setting_are_the_service_s(name: str) -> None:
    ours = SCHEMA["properties"]["settings"]["properties"][_camel(name)]
    assert ours["description"] == Settings.model_fields[name].description
    if name == "memory":  # an amount with its unit, or a number of bytes
        assert ours["type"] == ["string", "integer"]
        return
    theirs = Settings.model_json_schema()["properties"][name]
    theirs = next(each for each in theirs.get("anyOf", [theirs]) if each.get("type") != "null")
    for bound in ("enum", "minimum", "maximum", "exclusiveMinimum"):
        assert ours.get(bound) == theirs.get(bound), bound
    assert ours.get("type", "string") == theirs["type"]


def test_a_key_is_as_long_as_the_service_wants_it() -> None:
    keys = SCHEMA["properties"]["apiKeys"]["properties"]["keys"]["additionalProperties"]
    assert keys["minLength"] == keys["items"]["minLength"] == SHORTEST
