{{/* Names and labels. */}}

{{- define "stylize.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 45 characters: what is added to it, and by Kubernetes to the names of pods, still fits into a label. */}}
{{- define "stylize.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "stylize.name" . -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What the Service and the Deployment find their pods by. A Deployment's can never be changed. */}}
{{- define "stylize.selectorLabels" -}}
app.kubernetes.io/name: {{ include "stylize.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{/* Without the component: for all objects, and the pods of `helm test`, which must not be served to. */}}
{{- define "stylize.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "stylize.labels" -}}
{{ include "stylize.selectorLabels" . }}
{{ include "stylize.commonLabels" . }}
{{- end -}}

{{- define "stylize.testLabels" -}}
app.kubernetes.io/name: {{ include "stylize.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end -}}

{{- define "stylize.weightsLabels" -}}
app.kubernetes.io/name: {{ include "stylize.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: weights
{{- end -}}

{{- define "stylize.serviceAccountName" -}}
{{- default (ternary (include "stylize.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* As YAML; "" where there are none. For the pods of `helm test` too, which run where the image is. */}}
{{- define "stylize.tolerations" -}}
{{- with concat (ternary .Values.gpu.tolerations list (ne .Values.gpu.resource "")) .Values.tolerations -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "stylize.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "stylize.secretName" -}}
{{- if .Values.apiKeys.existingSecret -}}
{{ .Values.apiKeys.existingSecret }}
{{- else if .Values.apiKeys.keys -}}
{{ include "stylize.fullname" . }}-keys
{{- end -}}
{{- end -}}
