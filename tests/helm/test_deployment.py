"""The pods: what they are given, what they are kept from, how they come and go."""

from typing import Any

import pytest

from service.settings.settings import Settings
from tests.helm.rendering import ANCIENT, NEW, OLD, SERVER, Manifest, Manifests, render
from tests.test_dockerfile import ENV, FINAL

DIGEST = "sha256:" + "0123456789abcdef" * 4
CPU = {"gpu": {"resource": ""}}
FETCH: dict[str, Any] = {
    "weights": {"source": "initContainer"},
    "settings": {"backbone": "vgg19"},
    "networkPolicy": {"extraEgress": [{}]},
}


def _volumes(release: Manifests) -> dict[str, Manifest]:
    return {each["name"]: {k: v for k, v in each.items() if k != "name"} for each in release.pod["volumes"]}


def _mounts(container: Manifest) -> dict[str, Manifest]:
    return {each["mountPath"]: each for each in container["volumeMounts"]}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ({}, "localhost/stylize:0.1.0"),
        ({"repository": "r.example.org:5000/a/stylize", "tag": "1"}, "r.example.org:5000/a/stylize:1"),
        ({"tag": "1", "digest": DIGEST}, f"localhost/stylize@{DIGEST}"),
    ],
)
def test_an_image_is_named_by_its_digest_or_its_tag_or_the_version(image: Manifest, name: str) -> None:
    assert render({"image": image}).container["image"] == name


def test_secrets_of_the_registry_are_for_pods_and_tests() -> None:
    secrets = [{"name": "regcred"}]
    release = render({"image": {"pullSecrets": secrets}})
    assert [pod["imagePullSecrets"] for pod in _pods(release)] == [secrets] * 4
    assert not any("imagePullSecrets" in pod for pod in _pods(render()))


def _pods(release: Manifests) -> list[Manifest]:
    return [release.pod, *(pod["spec"] for pod in release.all("Pod"))]


def test_every_pod_keeps_to_the_restricted_standard() -> None:
    release = render(FETCH)
    for pod in _pods(release):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} <= container["resources"].keys()


def test_the_user_is_the_image_s_and_can_be_left_to_the_cluster() -> None:
    assert f"{render().pod['securityContext']['runAsUser']}:65532" == FINAL.only("USER")
    released = render({"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}})
    assert "runAsUser" not in released.pod["securityContext"]
    assert released.pod["securityContext"]["runAsNonRoot"] is True


def test_no_variables_of_other_services_come_in() -> None:
    assert render().pod["enableServiceLinks"] is False


def test_what_has_to_be_written_to_is_a_volume() -> None:
    release = render()
    assert _volumes(release) == {
        "tmp": {"emptyDir": {"sizeLimit": "1Gi"}},
        "shm": {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    }
    assert _mounts(release.container).keys() == {ENV["HOME"], "/dev/shm"}
    in_memory = render({"tmp": {"medium": "Memory", "sizeLimit": "2Gi"}})
    assert _volumes(in_memory)["tmp"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "nvidia.com/mig-1g.10gb", "amd.com/gpu"])
def test_a_pod_asks_for_one_gpu_and_no_more_than_it_asks_for(resource: str) -> None:
    resources = render({"gpu": {"resource": resource}}).container["resources"]
    assert resources["requests"] == {"cpu": "2", "memory": "8Gi", resource: 1}
    assert resources["limits"] == {"memory": "8Gi", resource: 1}


def test_in_cpu_mode_nothing_speaks_of_a_gpu() -> None:
    release = render({"gpu": {"resource": "", "runtimeClassName": "nvidia"}})
    assert release.container["resources"] == {
        "requests": {"cpu": "2", "memory": "8Gi"},
        "limits": {"memory": "8Gi"},
    }
    assert "runtimeClassName" not in release.pod
    assert "tolerations" not in release.pod


def test_with_a_gpu_there_are_its_runtime_and_its_tolerations() -> None:
    spot = {"key": "spot", "operator": "Exists"}
    pod = render({"gpu": {"runtimeClassName": "nvidia"}, "tolerations": [spot]}).pod
    assert pod["runtimeClassName"] == "nvidia"
    assert pod["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        spot,
    ]
    assert "runtimeClassName" not in render().pod
    assert render(CPU | {"tolerations": [spot]}).pod["tolerations"] == [spot]


@pytest.mark.parametrize(
    ("values", "strategy"),
    [
        ({}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        (CPU, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
        ({"strategy": {"type": "Recreate"}}, {"type": "Recreate"}),
    ],
)
def test_a_rollout_waits_for_no_gpu_that_is_not_there(values: Manifest, strategy: Manifest) -> None:
    assert render(values).one("Deployment")["spec"]["strategy"] == strategy


@pytest.mark.parametrize(
    ("kind", "kube", "replicas"),
    [("none", NEW, 3), ("hpa", NEW, None), ("keda", NEW, None), ("external", NEW, None), ("hpa", ANCIENT, 3)],
)
def test_the_number_of_pods_is_the_autoscaler_s_where_one_is_really_on(
    kind: str, kube: str, replicas: int | None
) -> None:
    scaling = {"kind": kind, "keda": {"serverAddress": "http://prometheus:9090"}}
    release = render({"replicaCount": 3, "autoscaling": scaling}, kube=kube)
    assert release.one("Deployment")["spec"].get("replicas") == replicas


def test_probes_ask_the_port_that_is_right_for_each() -> None:
    container = render({"settings": {"port": 8000, "adminPort": 9000}}).container
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert asked == {
        "startup": {"path": "/readyz", "port": "admin"},
        "liveness": {"path": "/livez", "port": "admin"},
        "readiness": {"path": "/readyz", "port": "http"},  # the way that requests take
    }
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"http": 8000, "admin": 9000}


def test_the_paths_of_the_probes_exist() -> None:
    from service.api import health

    rules = {blueprint.name: _rules(blueprint) for blueprint in (health.public, health.admin)}
    assert "/readyz" in rules["health"]
    assert {"/livez", "/metrics"} <= rules["admin"]


def _rules(blueprint: Any) -> set[str]:
    from flask import Flask

    app = Flask("rules", static_folder=None)
    app.register_blueprint(blueprint)
    return {rule.rule for rule in app.url_map.iter_rules()}


def test_a_probe_can_be_given_more_time() -> None:
    probe = render({"probes": {"startup": {"failureThreshold": 240}}}).container["startupProbe"]
    assert probe["failureThreshold"] == 240
    assert probe["periodSeconds"] == 5


@pytest.mark.parametrize(
    ("kube", "action"),
    [
        (NEW, {"sleep": {"seconds": 10}}),
        ("1.30.0", {"sleep": {"seconds": 10}}),
        (OLD, {"exec": {"command": ["sleep", "10"]}}),
    ],
)
def test_before_it_ends_a_pod_sleeps_as_its_kubernetes_can(kube: str, action: Manifest) -> None:
    assert render(kube=kube).container["lifecycle"] == {"preStop": action}


def test_weights_are_in_the_image() -> None:
    release = render()
    assert "initContainers" not in release.pod
    assert "weights" not in _volumes(release)


@pytest.mark.parametrize(
    ("weights", "volume"),
    [
        ({"existingClaim": "w"}, {"persistentVolumeClaim": {"claimName": "w"}}),
        ({"volume": {"nfs": {"server": "s", "path": "/w"}}}, {"nfs": {"server": "s", "path": "/w"}}),
    ],
)
def test_weights_can_be_on_a_volume(weights: Manifest, volume: Manifest) -> None:
    release = render({"weights": {"source": "volume", **weights}})
    assert _volumes(release)["weights"] == volume
    assert _mounts(release.container)["/weights"]["readOnly"] is True
    assert release.environment["STYLIZE_WEIGHTS_DIR"] == "/weights"
    assert "initContainers" not in release.pod


def test_weights_can_be_fetched_when_a_pod_starts() -> None:
    release = render(FETCH | {"extraEnv": [{"name": "PIP_INDEX_URL", "value": "https://mirror.example.org"}]})
    (init,) = release.pod["initContainers"]
    assert init["args"] == ["weights", "vgg19", "--dir", "/weights"]
    assert init["image"] == release.container["image"]
    assert init["env"] == release.container["env"]
    assert _mounts(init)["/weights"].get("readOnly") is None
    assert _mounts(release.container)["/weights"]["readOnly"] is True
    assert _volumes(release)["weights"] == {"emptyDir": {"sizeLimit": "1Gi"}}
    assert release.environment["STYLIZE_WEIGHTS_DIR"] == "/weights"


MIRROR = {"url": "https://mirror.example.org/a.pth", "sha256": "5d41402abc4b2a76" * 4}


def test_weights_can_come_from_a_mirror_and_be_one_s_own() -> None:
    named = FETCH | {"weights": {"source": "initContainer", "url": MIRROR["url"]}}
    (init,) = render(named).pod["initContainers"]
    assert init["args"] == ["weights", "vgg19", "--dir", "/weights", "--url", MIRROR["url"]]
    own = FETCH | {"weights": {"source": "initContainer"} | MIRROR, "settings": {"backbone": "custom"}}
    (init,) = render(own).pod["initContainers"]
    assert init["args"][1] == "custom"
    assert init["args"][-4:] == ["--url", MIRROR["url"], "--sha256", MIRROR["sha256"]]


def test_a_job_fills_the_claim_before_the_pods_read_it() -> None:
    release = render(
        {
            "weights": {"source": "job", "existingClaim": "w", "subPath": "a"},
            "settings": {"backbone": "vgg16"},
        }
    )
    job = release.one("Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == ["weights", "vgg16", "--dir", "/weights"]
    assert container["image"] == release.container["image"]
    assert _mounts(container)["/weights"] == {"name": "weights", "mountPath": "/weights", "subPath": "a"}
    assert _mounts(release.container)["/weights"] == _mounts(container)["/weights"] | {"readOnly": True}
    claim = {"name": "weights", "persistentVolumeClaim": {"claimName": "w"}}
    assert claim in pod["volumes"]
    assert claim in release.pod["volumes"]
    assert "initContainers" not in release.pod
    assert "serviceAccountName" not in pod  # a hook comes before the release's own
    assert pod["securityContext"] == release.pod["securityContext"]
    assert container["securityContext"] == release.container["securityContext"]
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert not labels.items() >= SERVER.items()  # it gets no requests


def test_fetched_weights_can_be_kept_on_a_claim() -> None:
    release = render(FETCH | {"weights": {"source": "initContainer", "existingClaim": "w"}})
    assert _volumes(release)["weights"] == {"persistentVolumeClaim": {"claimName": "w"}}


@pytest.mark.parametrize(
    ("styles", "volume"),
    [
        (
            {"configMaps": ["a", "b"]},
            {"projected": {"sources": [{"configMap": {"name": "a"}}, {"configMap": {"name": "b"}}]}},
        ),
        ({"existingClaim": "s"}, {"persistentVolumeClaim": {"claimName": "s", "readOnly": True}}),
        ({"volume": {"image": {"reference": "styles:1"}}}, {"image": {"reference": "styles:1"}}),
    ],
)
def test_a_catalogue_can_be_mounted(styles: Manifest, volume: Manifest) -> None:
    release = render({"styles": styles})
    assert _volumes(release)["styles"] == volume
    assert _mounts(release.container)["/styles"]["readOnly"] is True
    assert release.environment["STYLIZE_STYLES_DIR"] == "/styles"


@pytest.mark.parametrize(
    ("keys", "secret", "file"),
    [
        ({"existingSecret": "callers", "secretKey": "list"}, "callers", "list"),
        ({"keys": {"phone": "0123456789abcdef" * 2}}, "r-stylize-keys", "keys"),
    ],
)
def test_keys_are_mounted_as_a_folder_so_that_they_can_change(keys: Manifest, secret: str, file: str) -> None:
    release = render({"apiKeys": keys})
    assert _volumes(release)["keys"] == {"secret": {"secretName": secret}}
    mount = _mounts(release.container)["/run/secrets/stylize"]
    assert mount["readOnly"] is True
    assert "subPath" not in mount
    assert release.environment["STYLIZE_API_KEYS_FILE"] == f"/run/secrets/stylize/{file}"


def test_without_keys_and_styles_nothing_of_them_is_there() -> None:
    release = render()
    assert not {"STYLIZE_API_KEYS_FILE", "STYLIZE_STYLES_DIR"} & release.environment.keys()
    assert not {"keys", "styles"} & _volumes(release).keys()


def test_more_volumes_can_be_added() -> None:
    volume = {"name": "more", "emptyDir": {}}
    mount = {"name": "more", "mountPath": "/more"}
    release = render({"extraVolumes": [volume], "extraVolumeMounts": [mount]})
    assert release.pod["volumes"][-1] == volume
    assert release.container["volumeMounts"][-1] == mount


def test_pods_are_spread_over_nodes() -> None:
    (spread,) = render().pod["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"] == render().one("Deployment")["spec"]["selector"]
    own = {"matchLabels": {"a": "b"}}
    zone = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": own}
    assert render({"topologySpreadConstraints": [zone]}).pod["topologySpreadConstraints"] == [zone]
    assert "topologySpreadConstraints" not in render({"topologySpreadConstraints": []}).pod


def test_where_pods_run_can_be_said() -> None:
    placement = {
        "nodeSelector": {"disk": "fast"},
        "affinity": {"podAffinity": {}},
        "priorityClassName": "interactive",
    }
    pod = render(placement).pod
    assert {name: pod[name] for name in placement} == placement
    assert not placement.keys() & render().pod.keys()


def test_labels_that_are_added_do_not_change_what_the_deployment_selects() -> None:
    values = {"podLabels": {"tier": "gpu"}, "commonLabels": {"team": "a"}, "podAnnotations": {"note": "b"}}
    deployment, plain = (render(v).one("Deployment") for v in (values, {}))
    assert deployment["spec"]["selector"] == plain["spec"]["selector"]
    metadata = deployment["spec"]["template"]["metadata"]
    assert metadata["labels"].items() >= {"tier": "gpu", "team": "a"}.items()
    assert metadata["annotations"]["note"] == "b"
    assert metadata["labels"].items() >= deployment["spec"]["selector"]["matchLabels"].items()


def test_the_default_ports_are_those_of_the_image() -> None:
    ports = [str(each["containerPort"]) for each in render().container["ports"]]
    assert ports == FINAL.only("EXPOSE").split()
    assert ports == [str(Settings.model_fields[name].default) for name in ("port", "admin_port")]
