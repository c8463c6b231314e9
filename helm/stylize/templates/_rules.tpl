{{/* What of files/rules.yaml is for this release, as YAML. Give (list $ TEXT). */}}
{{- define "stylize.rules" -}}
{{- $text := index . 1 -}}
{{- $release := index . 0 -}}
{{- $values := $release.Values -}}
{{- $rules := fromYaml $text -}}
{{- $unknown := deepCopy $values.monitoring.alerts -}}
{{- range $group := $rules.groups -}}
{{- $kept := list -}}
{{- range $rule := $group.rules -}}
{{- $change := dict -}}
{{- if $rule.alert -}}
{{- $change = index $values.monitoring.alerts $rule.alert | default dict -}}
{{- $_ := unset $unknown $rule.alert -}}
{{- end -}}
{{- if ne (get $change "enabled" | toString) "false" -}}
{{- $kept = append $kept $rule -}}
{{- end -}}
{{- if and $rule.alert $values.monitoring.runbookUrl -}}
{{- $_ := set $rule.annotations "runbook_url" (replace "docs/run/runbooks" (trimSuffix "/" $values.monitoring.runbookUrl) $rule.annotations.runbook_url) -}}
{{- end -}}
{{- /* Which pods there should be, only the release knows. */ -}}
{{- if eq (default "" $rule.alert) "StylizeNoneReady" -}}
{{- $series := tpl $values.autoscaling.keda.selector $release -}}
{{- $_ := set $rule "expr" (replace "absent(stylize_engine_state)" (printf "absent(stylize_engine_state{%s})" $series) $rule.expr) -}}
{{- $name := include "stylize.fullname" $release -}}
{{- if or (and (eq $values.autoscaling.kind "keda") (not (kindIs "invalid" $values.autoscaling.keda.idleReplicaCount))) (eq $values.autoscaling.kind "external") -}}
{{- $_ := set $rule "expr" (printf "(%s)\nunless on (namespace) kube_deployment_spec_replicas{namespace=%q,deployment=%q} == 0" $rule.expr $release.Release.Namespace $name) -}}
{{- end -}}
{{- $_ := set $rule.annotations "summary" (printf "No instance of {{ or $labels.job %q }} is ready." $name) -}}
{{- end -}}
{{- if eq (default "" $rule.alert) "StylizeAutoscalerAtMaximum" -}}
{{- $matchers := printf "namespace=%q,horizontalpodautoscaler=%q" $release.Release.Namespace (include "stylize.fullname" $release) -}}
{{- $_ := set $rule "expr" (replace "horizontalpodautoscaler=~\".*stylize.*\"" $matchers $rule.expr) -}}
{{- end -}}
{{- /* What the values say goes last. */ -}}
{{- with $change.severity -}}
{{- $_ := set $rule.labels "severity" . -}}
{{- end -}}
{{- range $name := list "for" "expr" -}}
{{- with get $change $name -}}
{{- $_ := set $rule $name . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $group "rules" $kept -}}
{{- end -}}
{{- if $unknown -}}
{{- fail (printf "monitoring.alerts names %s: there is no such alert in files/rules.yaml." (keys $unknown | sortAlpha | join ", ")) -}}
{{- end -}}
{{ toYaml $rules }}
{{- end -}}
