{{/* The service's environment, and the times that follow from it. */}}

{{/* A value as the environment has it. Helm reads every number as a float, and would write 20000000 as 2e+07. */}}
{{- define "stylize.scalar" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Paths and device follow from other values, unless they are set. What is null is left to the image. */}}
{{- define "stylize.environment" -}}
{{- $settings := dict "device" (ternary "cuda" "cpu" (ne .Values.gpu.resource "")) -}}
{{- if ne .Values.weights.source "baked" -}}
{{- $_ := set $settings "weightsDir" "/weights" -}}
{{- end -}}
{{- if include "stylize.stylesVolume" . -}}
{{- $_ := set $settings "stylesDir" "/styles" -}}
{{- end -}}
{{- if include "stylize.secretName" . -}}
{{- $_ := set $settings "apiKeysFile" (printf "/run/secrets/stylize/%s" .Values.apiKeys.secretKey) -}}
{{- end -}}
{{- range $name, $value := merge (deepCopy .Values.settings) $settings -}}
{{- if not (kindIs "invalid" $value) }}
STYLIZE_{{ snakecase $name | upper }}: {{ include "stylize.scalar" $value | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Seconds that a request can take: its deadline, and a little to be late, to be encoded and to be sent (service/server/times.py). */}}
{{- define "stylize.requestSeconds" -}}
{{- add (ceil .Values.settings.deadline | int64) 5 -}}
{{- end -}}

{{/* What routers wait for an answer: a little longer, so that it is the service that gives up, with a reason. */}}
{{- define "stylize.routeSeconds" -}}
{{- add (include "stylize.requestSeconds" . | int64) 5 -}}
{{- end -}}

{{/* Seconds from the order to end a pod to its end: preStop, every request inside, 2 for kept connections and 8 to end. */}}
{{- define "stylize.gracePeriodSeconds" -}}
{{- $needed := add .Values.preStopSeconds (include "stylize.requestSeconds" . | int64) 10 -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- $needed -}}
{{- else if lt (int64 .Values.terminationGracePeriodSeconds) $needed -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: give at least %d, or requests that were accepted are cut off; or leave it null, or lower settings.deadline." (int64 .Values.terminationGracePeriodSeconds) $needed) -}}
{{- else -}}
{{- int64 .Values.terminationGracePeriodSeconds -}}
{{- end -}}
{{- end -}}

{{/* Seconds for a rollout to make progress: an old pod ends, an image of gigabytes is pulled, a pod starts. */}}
{{- define "stylize.progressDeadlineSeconds" -}}
{{- $start := mul .Values.probes.startup.periodSeconds .Values.probes.startup.failureThreshold -}}
{{- add (include "stylize.gracePeriodSeconds" . | int64) $start 600 -}}
{{- end -}}
