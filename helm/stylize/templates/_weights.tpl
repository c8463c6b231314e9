{{/* The container that puts the weights of settings.backbone onto their volume. */}}
{{- define "stylize.weightsContainer" -}}
- name: weights
  image: {{ include "stylize.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - weights
    - {{ .Values.settings.backbone }}
    - --dir
    - /weights
    {{- with .Values.weights.url }}
    - --url
    - {{ . | quote }}
    {{- end }}
    {{- with .Values.weights.sha256 }}
    - --sha256
    - {{ . | quote }}
    {{- end }}
  resources:
    {{- toYaml .Values.weights.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.containerSecurityContext | nindent 4 }}
  {{- with .Values.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: weights
      mountPath: /weights
      {{- with .Values.weights.subPath }}
      subPath: {{ . }}
      {{- end }}
    - name: tmp
      mountPath: /tmp
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
