{{/* What of files/rules.yaml is for this release, as YAML. Give (list $ TEXT). */}}
{{- define "stylize.rules" -}}
{{- $text := index . 1 -}}
{{- $release := index . 0 -}}
{{- $values := $release.Values -}}
{{- $rules := fromYaml $text -}}
{{- range $group := $rules.groups -}}
{{- range $rule := $group.rules -}}
{{- if and $rule.alert $values.monitoring.runbookUrl -}}
{{- $_ := set $rule.annotations "runbook_url" (replace "docs/runbooks" (trimSuffix "/" $values.monitoring.runbookUrl) $rule.annotations.runbook_url) -}}
{{- end -}}
{{- /* Which pods there should be, only the release knows. */ -}}
{{- if eq (default "" $rule.alert) "StylizeNoneReady" -}}
{{- $series := tpl $values.autoscaling.keda.selector $release -}}
{{- $_ := set $rule "expr" (replace "absent(stylize_engine_state)" (printf "absent(stylize_engine_state{%s})" $series) $rule.expr) -}}
{{- $name := include "stylize.fullname" $release -}}
{{- $_ := set $rule.annotations "summary" (printf "No instance of {{ or $labels.job %q }} is ready." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toYaml $rules }}
{{- end -}}
