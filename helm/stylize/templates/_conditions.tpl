{{/* What the cluster can do, and what is on. A helper that is no text is "" for no. */}}

{{/* Which autoscaler is really on; one that the cluster does not know is off. `external` is somebody else's. */}}
{{- define "stylize.autoscaler" -}}
{{- if ne .Values.autoscaling.kind "hpa" -}}
{{- .Values.autoscaling.kind | replace "none" "" -}}
{{- else if include "stylize.hasAutoscalingV2" . -}}
hpa
{{- end -}}
{{- end -}}

{{/* `helm template` claims every API that helm knows, whatever --kube-version says: so both are asked. */}}
{{- define "stylize.hasAutoscalingV2" -}}
{{- if and (.Capabilities.APIVersions.Has "autoscaling/v2") (semverCompare ">=1.23-0" .Capabilities.KubeVersion.Version) -}}
yes
{{- end -}}
{{- end -}}

{{- define "stylize.policyApiVersion" -}}
{{- $v1 := and (.Capabilities.APIVersions.Has "policy/v1") (semverCompare ">=1.21-0" .Capabilities.KubeVersion.Version) -}}
{{- ternary "policy/v1" "policy/v1beta1" $v1 -}}
{{- end -}}

{{/* The volume with the catalogue of artworks, as YAML; "" where there is none. */}}
{{- define "stylize.stylesVolume" -}}
{{- with .Values.styles -}}
{{- if .configMaps -}}
projected:
  sources:
    {{- range .configMaps }}
    - configMap:
        name: {{ . }}
    {{- end }}
{{- else if .existingClaim -}}
persistentVolumeClaim:
  claimName: {{ .existingClaim }}
  readOnly: true
{{- else if .volume -}}
{{ toYaml .volume }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The volume with the weights, as YAML; "" where the image has them. */}}
{{- define "stylize.weightsVolume" -}}
{{- with .Values.weights -}}
{{- if eq .source "baked" -}}
{{- else if .existingClaim -}}
persistentVolumeClaim:
  claimName: {{ .existingClaim }}
{{- else if .volume -}}
{{ toYaml .volume }}
{{- else -}}
emptyDir:
  sizeLimit: 1Gi
{{- end -}}
{{- end -}}
{{- end -}}

{{/* One sentence for each combination of values that cannot work, which the schema cannot say. All of them at once. */}}
{{- define "stylize.problems" -}}
{{- $v := .Values -}}
{{- $styles := compact (list (ternary "configMaps" "" (not (empty $v.styles.configMaps))) (ternary "existingClaim" "" (ne $v.styles.existingClaim "")) (ternary "volume" "" (not (empty $v.styles.volume)))) -}}
{{- if not (contains "/" $v.image.repository) }}
image.repository is {{ $v.image.repository }}, which means docker.io/library/{{ $v.image.repository }}: give it with its registry.
{{- end }}
{{- if gt (len $styles) 1 }}
styles has {{ join " and " $styles }}: give one of them.
{{- end }}
{{- if and $styles $v.settings.stylesDir }}
settings.stylesDir is set, and so is styles.{{ first $styles }}: give one of them.
{{- end }}
{{- if and (include "stylize.secretName" .) $v.settings.apiKeysFile }}
settings.apiKeysFile is set, and so is apiKeys: give one of them.
{{- end }}
{{- if and $v.settings.maxPerKey (not (include "stylize.secretName" .)) (not $v.settings.apiKeysFile) }}
settings.maxPerKey is {{ int64 $v.settings.maxPerKey }}, but there are no keys: give apiKeys as well, or neither.
{{- end }}
{{- range $v.extraEnv }}
{{- $variable := .name }}
{{- range $name := list "port" "adminPort" "deadline" "maxUploadBytes" }}
{{- if eq $variable (printf "STYLIZE_%s" (snakecase $name | upper)) }}
extraEnv sets {{ $variable }}, which the chart computes with: set settings.{{ $name }} instead.
{{- end }}
{{- end }}
{{- end }}
{{- if and $v.apiKeys.existingSecret $v.apiKeys.keys }}
apiKeys has existingSecret and keys: give one of them.
{{- end }}
{{- if eq (int64 $v.settings.port) (int64 $v.settings.adminPort) }}
settings.port and settings.adminPort are both {{ int64 $v.settings.port }}: give the admin port another number.
{{- end }}
{{- if and (has $v.weights.source (list "volume" "job")) (not $v.weights.existingClaim) (not $v.weights.volume) }}
weights.source is {{ $v.weights.source }}: say which volume, with weights.existingClaim or weights.volume.
{{- end }}
{{- if and $v.weights.existingClaim $v.weights.volume }}
weights has existingClaim and volume: give one of them.
{{- end }}
{{- if and (eq $v.weights.source "baked") (or $v.weights.existingClaim $v.weights.volume) }}
weights.source is baked, so the volume would not be used: set weights.source to volume, job or initContainer.
{{- end }}
{{- if and (ne $v.weights.source "baked") $v.settings.weightsDir }}
settings.weightsDir is set, and weights.source is {{ $v.weights.source }}, which mounts /weights: leave settings.weightsDir out.
{{- end }}
{{- $fetches := has $v.weights.source (list "initContainer" "job") }}
{{- if and $fetches (not (has $v.settings.backbone (list "vgg16" "vgg19" "custom"))) }}
weights.source is {{ $v.weights.source }}: set settings.backbone to the weights to fetch, vgg16, vgg19 or custom.
{{- end }}
{{- if and $fetches (eq (toString $v.settings.backbone) "custom") (not (and $v.weights.url $v.weights.sha256)) }}
settings.backbone is custom: say where the file is and what it is, with weights.url and weights.sha256.
{{- end }}
{{- if and $v.weights.sha256 (ne (toString $v.settings.backbone) "custom") }}
weights.sha256 is for settings.backbone=custom; that of {{ $v.settings.backbone | default "the image's" }} is known: leave it out.
{{- end }}
{{- if and $v.weights.url (not $fetches) }}
weights.url is set, but weights.source is {{ $v.weights.source }}, which fetches nothing: set weights.source to job or initContainer.
{{- end }}
{{- if and (eq $v.weights.source "initContainer") $v.networkPolicy.enabled (not $v.networkPolicy.extraEgress) }}
weights.source is initContainer, which downloads, but the network policy lets nothing out: give networkPolicy.extraEgress.
{{- end }}
{{- if and (ne $v.autoscaling.kind "none") (gt (int64 $v.autoscaling.minReplicas) (int64 $v.autoscaling.maxReplicas)) }}
autoscaling.minReplicas is {{ int64 $v.autoscaling.minReplicas }}: give at most autoscaling.maxReplicas, which is {{ int64 $v.autoscaling.maxReplicas }}.
{{- end }}
{{- if and (eq $v.autoscaling.kind "keda") (not $v.autoscaling.keda.serverAddress) }}
autoscaling.kind is keda: give the address of Prometheus, autoscaling.keda.serverAddress.
{{- end }}
{{- if and (eq $v.autoscaling.kind "keda") (not (kindIs "invalid" $v.autoscaling.keda.idleReplicaCount)) (not $v.autoscaling.keda.extraTriggers) }}
autoscaling.keda.idleReplicaCount is 0, and a service without pods has no metric that would wake it: give autoscaling.keda.extraTriggers.
{{- end }}
{{- if and (eq $v.autoscaling.kind "hpa") (not $v.autoscaling.hpa.inFlightMetric) (not $v.autoscaling.hpa.cpuUtilization) }}
autoscaling.kind is hpa without a metric: give autoscaling.hpa.inFlightMetric or autoscaling.hpa.cpuUtilization.
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
httpRoute.enabled is true: name a Gateway in httpRoute.parentRefs.
{{- end }}
{{- end -}}

{{- define "stylize.check" -}}
{{- $problems := include "stylize.problems" . | trim -}}
{{- if $problems -}}
{{- fail (printf "\n%s\n" $problems) -}}
{{- end -}}
{{- end -}}
