"""Reduced schemas of the custom resources that the chart makes, written after their projects' API references.

They hold the fields that the chart uses and no others, so that a misspelt one is found.
"""

from typing import Any

_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_DURATION = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"}


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items}


_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_SELECTOR = _object("matchLabels", matchLabels=_TEXTS)
_METADATA = _object("name namespace labels", name=_TEXT, namespace=_TEXT, labels=_TEXTS, annotations=_TEXTS)
_RELABELING = _object(
    action={"enum": ["replace", "keep", "drop", "labeldrop", "labelkeep", "labelmap"]},
    sourceLabels=_list(_TEXT),
    targetLabel=_TEXT,
    regex=_TEXT,
    replacement={"type": "string"},
)
_ENDPOINTS = _list(
    _object(
        "port",
        port=_TEXT,
        path=_TEXT,
        interval=_DURATION,
        scrapeTimeout=_DURATION,
        relabelings=_list(_RELABELING),
        metricRelabelings=_list(_RELABELING),
    ),
)
_RULING = _object(
    "stabilizationWindowSeconds policies",
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    policies=_list(
        _object(
            "type value periodSeconds",
            type={"enum": ["Pods", "Percent"]},
            value={"type": "integer", "minimum": 1},
            periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
        )
    ),
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
)
_TRIGGER = _object(
    "type metadata",
    type={"const": "prometheus"},
    name=_TEXT,
    # KEDA reads every one of them as a text.
    metadata=_object(
        "serverAddress query threshold",
        serverAddress=_TEXT,
        query=_TEXT,
        threshold=_TEXT,
        ignoreNullValues={"enum": ["true", "false"]},
    ),
    authenticationRef=_object("name", name=_TEXT),
)
_SPECS = {
    ("monitoring.coreos.com/v1", "PodMonitor"): _object(
        "selector podMetricsEndpoints", selector=_SELECTOR, podMetricsEndpoints=_ENDPOINTS
    ),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): _object(
        "selector endpoints", selector=_SELECTOR, endpoints=_ENDPOINTS
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): _object(
        "groups",
        groups=_list(
            _object(
                "name rules",
                name=_TEXT,
                interval=_DURATION,
                limit=_COUNT,
                rules=_list(
                    {
                        **_object(
                            "expr",
                            alert=_TEXT,
                            record=_TEXT,
                            expr=_TEXT,
                            labels=_TEXTS,
                            annotations=_TEXTS,
                            **{"for": _DURATION, "keep_firing_for": _DURATION},
                        ),
                        "oneOf": [{"required": ["alert"]}, {"required": ["record"]}],
                    }
                ),
            )
        ),
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): _object(
        "scaleTargetRef triggers",
        scaleTargetRef=_object("name", name=_TEXT),
        minReplicaCount=_COUNT,
        maxReplicaCount=_COUNT,
        pollingInterval=_COUNT,
        fallback=_object("failureThreshold replicas", failureThreshold=_COUNT, replicas=_COUNT),
        advanced=_object(
            horizontalPodAutoscalerConfig=_object(
                name=_TEXT, behavior=_object(scaleUp=_RULING, scaleDown=_RULING)
            )
        ),
        triggers=_list(_TRIGGER),
    ),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): _object(
        "parentRefs rules",
        parentRefs=_list(_object("name", name=_TEXT, namespace=_TEXT, sectionName=_TEXT)),
        hostnames=_list(_TEXT),
        rules=_list(
            _object(
                "backendRefs",
                matches=_list(
                    _object(
                        path=_object(
                            "type value", type={"enum": ["Exact", "PathPrefix"]}, value={"pattern": "^/"}
                        )
                    )
                ),
                # GEP-2257: no more than four units, of at most five digits each.
                timeouts=_object(
                    request={"pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"},
                    backendRequest={"pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"},
                ),
                filters=_list({"type": "object", "required": ["type"]}),
                backendRefs=_list(
                    _object("name port", name=_TEXT, port={"type": "integer", "minimum": 1}, weight=_COUNT)
                ),
            )
        ),
    ),
}
SCHEMAS = {
    (version, kind): _object(
        "apiVersion kind metadata spec",
        apiVersion={"const": version},
        kind={"const": kind},
        metadata=_METADATA,
        spec=spec,
    )
    for (version, kind), spec in _SPECS.items()
}
