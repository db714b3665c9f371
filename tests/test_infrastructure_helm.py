# ruff: noqa: E501  files are samples of one line each
"""Helm charts: a chart as `helm create` lays it out, values followed into templates, what cannot be known, hostile texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.checks.infrastructure import helm
from shipworthy.checks.infrastructure._helm import render
from shipworthy.model import Finding, Kind, Skipped

CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: '1.16.0'\n"
VALUES = """replicaCount: 1
image:
  repository: nginx
  tag: ""
serviceAccount:
  create: true
podSecurityContext: {}
securityContext:
  capabilities:
    drop:
    - ALL
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
service:
  type: ClusterIP
  port: 80
resources:
  limits:
    memory: 128Mi
nodeSelector: {}
volumes: []
"""
DEPLOYMENT = """{{- /* a comment
  over two lines */}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.fullname" . }}
  labels:
    {{- include "shop.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  template:
    metadata:
      {{- with .Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      automountServiceAccountToken: {{ .Values.automount | default false }}
      {{- with .Values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          ports:
            - containerPort: {{ .Values.service.port }}
          livenessProbe:
            httpGet:
              path: /
          resources: {{- toYaml .Values.resources | nindent 12 }}
      {{- with .Values.volumes }}
      volumes:
        {{- toYaml . | nindent 8 }}
      {{- end }}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {{ include "shop.fullname" . }}
spec:
  type: {{ .Values.service.type | quote }}
"""


def chart(
    folder: Path, values: str = VALUES, templates: dict[str, str] | None = None, meta: str = CHART
) -> list[Finding | Skipped]:
    inside = folder / "charts" / "shop"
    (inside / "templates").mkdir(parents=True, exist_ok=True)
    (inside / "Chart.yaml").write_text(meta)
    (inside / "values.yaml").write_text(values)
    (inside / "templates" / "_helpers.tpl").write_text(
        '{{- define "shop.fullname" -}}\n{{ .Release.Name }}\n{{- end }}\n'
    )
    for name, text in (templates or {"deployment.yaml": DEPLOYMENT, "service.yaml": SERVICE}).items():
        (inside / "templates" / name).write_text(text)
    found = discover(folder).artifacts
    assert {artifact.kind for artifact in found} == {Kind.IAC}
    return list(helm.scan(tuple(artifact for artifact in found if helm.scan.check.looks_at(artifact))))


def places(found: list[Finding | Skipped]) -> set[tuple[str, int | None]]:
    return {(one.rule.id, one.location.line) for one in found if isinstance(one, Finding)}


def test_a_chart_that_is_well_made(tmp_path: Path) -> None:
    found = chart(tmp_path)
    assert places(found) == {("container-image-unpinned", 29)}
    assert "nginx:1.16.0" in repr(found)
    assert not [one for one in found if isinstance(one, Skipped)]


def test_values_decide(tmp_path: Path) -> None:
    values = VALUES.replace("runAsNonRoot: true", "runAsUser: 0").replace("ClusterIP", "LoadBalancer")
    values = values.replace(
        "podSecurityContext: {}", "podSecurityContext:\n  sysctls: [{name: kernel.msgmax, value: '1'}]"
    )
    values = values.replace("volumes: []", "volumes:\n- name: v\n  hostPath:\n    path: /var/run/docker.sock")
    seen = {rule for rule, _ in places(chart(tmp_path, values))}
    assert {
        "container-runs-as-root",
        "kubernetes-service-exposed",
        "kubernetes-unsafe-sysctl",
        "container-runtime-socket",
    } <= seen


def test_what_is_missing_is_not_called_missing(tmp_path: Path) -> None:
    """A part that only Helm can make: no finding says that something is not there, and it is told."""
    text = DEPLOYMENT.replace(
        "{{- toYaml .Values.securityContext | nindent 12 }}", '{{- include "shop.context" . | nindent 12 }}'
    )
    found = chart(tmp_path, templates={"deployment.yaml": text})
    assert {rule for rule, _ in places(found)} == {"container-image-unpinned"}
    (skipped,) = [one for one in found if isinstance(one, Skipped)]
    assert "shop.context" in skipped.reason
    assert skipped.code == "computed"


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (
            "helm-dependency-unpinned",
            "version: ^1.2.0\n    repository: https://e.org",
            "version: 1.2.3\n    repository: https://e.org",
        ),
        (
            "helm-repository-plain-http",
            "version: 1.2.3\n    repository: http://e.org",
            "version: 1.2.3\n    repository: oci://e.org",
        ),
    ],
)
def test_dependencies(rule: str, bad: str, good: str, tmp_path: Path) -> None:
    for text, seen in ((bad, True), (good, False)):
        found = chart(tmp_path, meta=CHART + f"dependencies:\n  - name: db\n    {text}\n")
        assert (rule in {one for one, _ in places(found)}) is seen


def test_secrets_in_values(tmp_path: Path) -> None:
    found = chart(tmp_path, VALUES + "postgresql:\n  auth:\n    password: kT7qLm29xWz\n    existingSecret: other\n")
    assert ("container-secret-literal", 27) in places(found)
    assert "kT7q" not in repr(found)


def test_a_template_without_a_chart_is_read(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  type: NodePort\n"
    )
    found = list(helm.scan(discover(tmp_path).artifacts))
    assert places(found) == {("kubernetes-service-exposed", 5)}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a: {{ .Values.a }}", "a: 1"),
        ("a: {{ .Values.b.c | quote }}", 'a: "x"'),
        ('a: {{ default "y" .Values.no }}', "a: y"),
        ("a: {{ .Values.no.deeper }}", "a: "),
        ("a: {{ tpl .Values.a . }}", "a: $unknown"),
        ('a: x-{{ template "n" . }}', "a: x-$unknown"),
        ("{{ if .Values.a }}\nb: 1\n{{ else }}\nb: 2\n{{ end }}", "b: 1"),
        ("{{ if .Values.no }}\nb: 1\n{{ else if .Values.a }}\nb: 2\n{{ else }}\nb: 3\n{{ end }}", "b: 2"),
        ("{{ if eq .Values.a 2 }}\nb: 1\n{{ else }}\nb: 2\n{{ end }}", "b: 1\nb: 2"),
        ("{{ range .Values.l }}\n- {{ .x }}\n{{ end }}", "- 5"),
        ("{{ with .Values.b }}\n{{ if true }}\nc: {{ .c }}\nd: {{ $.Values.a }}\n{{ end }}\n{{ end }}", "c: x\nd: 1"),
        ("{{- define \"x\" }}\nno: 1\n{{- end }}\ny: 1", "y: 1"),
        ("b:\n{{ toYaml .Values.b | indent 2 }}", 'b:\n  "c": "x"'),
    ],
)  # fmt: skip
def test_templates(template: str, text: str) -> None:
    world = {"Values": {"a": 1, "b": {"c": "x"}, "l": [{"x": 5}]}}
    assert render(template, world).text == text


PIECES = st.sampled_from(["{{", "}}", "{{-", "if ", "end", "else", "range ", "with ", ".Values.a", " | ", "default ", "(", ")", '"', "`", "\n",
                          "toYaml ", "nindent 4", "include ", "$x := ", "/*", "a: ", "- ", "kind: Pod\n", "apiVersion: v1\n"])  # fmt: skip


@given(st.lists(PIECES, max_size=50).map("".join))
def test_any_template_is_taken(text: str) -> None:
    made = render(text, {"Values": {"a": {"b": [1]}}})
    assert len(made.lines) == len(made.origins)
    assert all(1 <= line <= text.count("\n") + 1 for line in made.origins)


@pytest.mark.parametrize("text", ["{{" * 100_000, "{{ if a }}" * 5_000, "{{ (" * 20_000 + "}}", '{{ "' * 50_000, "{{ a | " * 50_000 + "}}",
                                  "{{ end }}" * 20_000, "{{\n" * 20_000, "{{ toYaml . }}\n" * 3_000])  # fmt: skip
def test_long_templates_end(text: str) -> None:
    render(text, {"Values": {}})
