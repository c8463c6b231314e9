{{/* A pod of `helm test` that runs one check of files/check.py. Give (list $ NAME SERVICE PORT). */}}
{{- define "stylize.testPod" -}}
{{- $check := index . 1 -}}
{{- $service := index . 2 -}}
{{- $port := index . 3 -}}
{{- with index . 0 -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "stylize.fullname" . }}-test-{{ $check }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "stylize.testLabels" . | nindent 4 }}
    {{- include "stylize.commonLabels" . | nindent 4 }}
    {{- with .Values.tests.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- with .Values.tests.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "stylize.serviceAccountName" . }}
  automountServiceAccountToken: false
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "stylize.tolerations" . }}
  tolerations:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: check
      image: {{ include "stylize.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command:
        - python
        - -I
        - -c
        - |
          {{- .Files.Get "files/check.py" | nindent 10 }}
      args: [{{ $check }}, {{ $service }}, {{ $port | quote }}, {{ include "stylize.routeSeconds" . | quote }}]
      {{- if and (eq $check "stylize") (include "stylize.secretName" .) }}
      env:
        - name: KEYS_FILE
          value: /run/secrets/stylize/{{ .Values.apiKeys.secretKey }}
      {{- end }}
      resources:
        {{- toYaml .Values.tests.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.containerSecurityContext | nindent 8 }}
      {{- if and (eq $check "stylize") (include "stylize.secretName" .) }}
      volumeMounts:
        - name: keys
          mountPath: /run/secrets/stylize
          readOnly: true
  volumes:
    - name: keys
      secret:
        secretName: {{ include "stylize.secretName" . }}
      {{- end }}
{{- end -}}
{{- end -}}
