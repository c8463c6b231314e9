{{/* What of files/rules.yaml is for this release, as YAML. Give (list $ TEXT). */}}
{{- define "stylize.rules" -}}
{{- $text := index . 1 -}}
{{- $values := (index . 0).Values -}}
{{- $rules := fromYaml $text -}}
{{- range $group := $rules.groups -}}
{{- range $rule := $group.rules -}}
{{- if and $rule.alert $values.monitoring.runbookUrl -}}
{{- $_ := set $rule.annotations "runbook_url" (replace "docs/runbooks" (trimSuffix "/" $values.monitoring.runbookUrl) $rule.annotations.runbook_url) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toYaml $rules }}
{{- end -}}
