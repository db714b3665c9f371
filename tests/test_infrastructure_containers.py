"""Compose files and Kubernetes manifests: each rule with what breaks it and what does not; the YAML reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.checks._yaml import Document, Map, Tagged, Unread, documents
from shipworthy.checks.infrastructure import compose, kubernetes
from shipworthy.checks.infrastructure._kubernetes import judge, objects
from shipworthy.model import Finding, Skipped

PIN = "@sha256:" + "a" * 64


def seen(text: str) -> set[str]:
    found = set()
    for document in documents(text):
        assert isinstance(document, Document), document
        found |= {hit.rule.id for thing in objects(document.value) for hit in judge(thing)}
    return found


def pod(container: str = "", spec: str = "") -> str:
    """A Deployment that breaks no rule, but for what is added to its container and to its pod."""
    base = {
        "name": "a",
        "image": f"r.example/a:1{PIN}",
        "livenessProbe": {"tcpSocket": {"port": 80}},
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    merge(base, yaml.safe_load(container or "{}"))
    inside: dict[str, Any] = {"automountServiceAccountToken": False, "containers": [base]}
    merge(inside, yaml.safe_load(spec or "{}"))
    thing = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": {"spec": inside}},
    }
    return str(yaml.safe_dump(thing))


def merge(base: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        elif value == "gone":
            base.pop(key, None)
        else:
            base[key] = value


def thing(kind: str, rest: str, api: str = "v1") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: x\n{rest}"


GOOD = pod()
KUBERNETES: dict[str, tuple[str, str]] = {
    "container-privileged": (pod("securityContext: {privileged: true}"), pod("securityContext: {privileged: false}")),
    "container-capability-added": (
        pod("securityContext: {capabilities: {add: [CAP_SYS_ADMIN]}}"),
        pod("securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}"),
    ),
    "container-capabilities-kept": (pod("securityContext: {capabilities: {drop: [NET_RAW]}}"), GOOD),
    "container-host-namespace": (pod(spec="hostPID: true"), pod(spec="hostPID: false")),
    "container-host-path": (
        pod(spec="volumes: [{name: v, hostPath: {path: /etc}}]"),
        pod(spec="volumes: [{name: v, emptyDir: {}}]"),
    ),
    "container-runtime-socket": (
        pod(spec="volumes: [{name: v, hostPath: {path: /var/run/docker.sock}}]"),
        pod(spec="volumes: [{name: v, hostPath: {path: /data/sock}}]"),
    ),
    "container-host-port": (pod("ports: [{hostPort: 80}]"), pod("ports: [{containerPort: 80}]")),
    "container-runs-as-root": (
        pod("securityContext: {runAsUser: 0}"),
        pod("securityContext: {runAsNonRoot: gone, runAsUser: 10001}"),
    ),
    "container-privilege-escalation": (pod("securityContext: {allowPrivilegeEscalation: gone}"), GOOD),
    "container-writable-root": (pod("securityContext: {readOnlyRootFilesystem: gone}"), GOOD),
    "container-unconfined": (pod("securityContext: {seccompProfile: {type: Unconfined}}"), GOOD),
    "container-no-seccomp": (
        pod("securityContext: {seccompProfile: gone}"),
        pod("securityContext: {seccompProfile: gone}", "securityContext: {seccompProfile: {type: RuntimeDefault}}"),
    ),
    "container-image-latest": (pod("image: 'host:5000/app'"), pod("image: 'host:5000/app:1'")),
    "container-image-unpinned": (pod("image: 'app:1'"), GOOD),
    "container-no-limits": (pod("resources: {limits: gone}"), GOOD),
    "container-secret-literal": (
        pod("env: [{name: DB_PASSWORD, value: kT7qLm29xWz}]"),
        pod(
            "env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}, {name: TOKEN_URL, value: abc.de}]"
        ),
    ),
    "container-no-probe": (pod("livenessProbe: gone"), GOOD),
    "kubernetes-token-mounted": (pod(spec="automountServiceAccountToken: gone"), GOOD),
    "kubernetes-shared-processes": (pod(spec="shareProcessNamespace: true"), GOOD),
    "kubernetes-proc-unmasked": (pod("securityContext: {procMount: Unmasked}"), GOOD),
    "kubernetes-unsafe-sysctl": (
        pod(spec="securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}"),
        pod(spec="securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}"),
    ),
    "kubernetes-rbac-wildcard": (
        thing("ClusterRole", "rules:\n- apiGroups: ['*']\n  resources: ['*']\n  verbs: ['*']\n"),
        thing("ClusterRole", "rules:\n- apiGroups: ['']\n  resources: [configmaps]\n  verbs: [get]\n"),
    ),
    "kubernetes-rbac-escalation": (
        thing("Role", "rules:\n- apiGroups: ['']\n  resources: [secrets]\n  verbs: [list]\n"),
        thing("Role", "rules:\n- apiGroups: ['']\n  resources: [secrets]\n  verbs: [get]\n  resourceNames: [mine]\n"),
    ),
    "kubernetes-cluster-admin": (
        thing("ClusterRoleBinding", "roleRef:\n  name: cluster-admin\nsubjects: [{kind: User, name: a}]\n"),
        thing("ClusterRoleBinding", "roleRef:\n  name: view\nsubjects: [{kind: User, name: a}]\n"),
    ),
    "kubernetes-anonymous-rights": (
        thing("RoleBinding", "roleRef:\n  name: view\nsubjects:\n- kind: Group\n  name: system:unauthenticated\n"),
        thing("RoleBinding", "roleRef:\n  name: view\nsubjects:\n- kind: Group\n  name: team\n"),
    ),
    "kubernetes-service-exposed": (
        thing("Service", "spec:\n  type: LoadBalancer\n"),
        thing("Service", "spec:\n  type: LoadBalancer\n  loadBalancerSourceRanges: [10.0.0.0/8]\n"),
    ),
    "kubernetes-external-ips": (thing("Service", "spec:\n  externalIPs: [10.1.1.1]\n"), thing("Service", "spec: {}\n")),
    "kubernetes-ingress-without-tls": (
        thing("Ingress", "spec:\n  rules: []\n"),
        thing("Ingress", "spec:\n  tls: [{hosts: [a.example]}]\n"),
    ),
    "kubernetes-ingress-snippet": (
        thing("Ingress", "spec: {}\n").replace(
            "name: x", "annotations:\n    nginx.ingress.kubernetes.io/server-snippet: x"
        ),
        thing("Ingress", "spec: {}\n").replace("name: x", "annotations:\n    nginx.ingress.kubernetes.io/ssl: x"),
    ),
    "kubernetes-network-open": (
        thing("NetworkPolicy", "spec:\n  podSelector: {}\n  ingress:\n  - {}\n"),
        thing("NetworkPolicy", "spec:\n  podSelector: {}\n  ingress: []\n"),
    ),
    "kubernetes-component-flags": (
        pod("command: [kube-apiserver, --anonymous-auth=true]"),
        pod("command: [kube-apiserver]"),
    ),
    "kubernetes-namespace-privileged": (
        thing("Namespace", "").replace("name: x", "labels:\n    pod-security.kubernetes.io/enforce: privileged"),
        thing("Namespace", "").replace("name: x", "labels:\n    pod-security.kubernetes.io/enforce: baseline"),
    ),
}


def service(text: str) -> str:
    return "services:\n  a:\n    image: a:1\n" + "".join(f"    {line}\n" for line in text.splitlines())


STRICT = """read_only: true
user: "10001:10001"
cap_drop: [ALL]
security_opt: ["no-new-privileges:true"]
mem_limit: 512m"""
COMPOSE: dict[str, tuple[str, str]] = {
    "container-privileged": (service("privileged: true"), service("privileged: false")),
    "container-capability-added": (service("cap_add: [SYS_PTRACE]"), service("cap_add: [NET_BIND_SERVICE]")),
    "container-capabilities-kept": (service(""), service(STRICT)),
    "container-host-namespace": (service("network_mode: host"), service("network_mode: bridge")),
    "container-host-path": (service("volumes: ['/etc:/host/etc:ro']"), service("volumes: ['data:/var/lib/a']")),
    "container-runtime-socket": (
        service("volumes:\n- type: bind\n  source: /var/run/docker.sock\n  target: /s\n  read_only: true"),
        service("volumes: ['/srv/a:/a']"),
    ),
    "container-runs-as-root": (service("user: root"), service("user: '10001'")),
    "container-privilege-escalation": (service(""), service(STRICT)),
    "container-writable-root": (service(""), service(STRICT)),
    "container-unconfined": (service("security_opt: ['seccomp=unconfined']"), service(STRICT)),
    "container-image-latest": (service("").replace("a:1", "a:latest"), service("build: .").replace("a:1", "a")),
    "container-image-unpinned": (service(""), service("").replace("a:1", "a:1" + PIN)),
    "container-no-limits": (service(""), service("deploy:\n  resources:\n    limits:\n      memory: 1G")),
    "container-secret-literal": (
        service("environment:\n- POSTGRES_PASSWORD=kT7qLm29xWz"),
        service("environment:\n  POSTGRES_PASSWORD: ${PASSWORD:?}\n  POSTGRES_PASSWORD_FILE: /run/secrets/p"),
    ),
    "container-no-probe": (service("healthcheck:\n  disable: true"), service("healthcheck:\n  test: [CMD, true]")),
    "compose-port-open": (service("ports: ['5432:5432']"), service("ports: ['127.0.0.1:5432:5432', '80:8080']")),
    "compose-device": (service("devices: ['/dev/sda:/dev/sda']"), service("devices: ['/dev/dri:/dev/dri']")),
}


def composed(text: str) -> set[str]:
    (document,) = documents(text)
    assert isinstance(document, Document)
    return {hit.rule.id for hit in compose.judge(document.value)}


def test_every_rule_has_its_samples() -> None:
    assert KUBERNETES.keys() == kubernetes.RULES.keys()
    assert COMPOSE.keys() == compose.RULES.keys()


def test_the_sample_that_is_good_is_good() -> None:
    assert seen(GOOD) == set()
    assert composed(service(STRICT).replace("a:1", "a:1" + PIN)) == set()


@pytest.mark.parametrize("rule", KUBERNETES)
def test_a_rule_of_kubernetes(rule: str) -> None:
    bad, good = KUBERNETES[rule]
    assert rule in seen(bad)
    assert rule not in seen(good)


@pytest.mark.parametrize("rule", COMPOSE)
def test_a_rule_of_compose(rule: str) -> None:
    bad, good = COMPOSE[rule]
    assert rule in composed(bad)
    assert rule not in composed(good)


@pytest.mark.parametrize("kind", ["Pod", "Job", "CronJob", "DaemonSet", "StatefulSet", "List"])
def test_pods_are_found_wherever_they_are(kind: str) -> None:
    spec = {"hostNetwork": True, "containers": [{"name": "a", "image": "a:1"}]}
    template = {"template": {"spec": spec}}
    inside: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "spec": template}
    if kind == "Pod":
        inside["spec"] = spec
    if kind == "CronJob":
        inside["spec"] = {"jobTemplate": {"spec": template}}
    if kind == "List":
        inside = {"apiVersion": "v1", "kind": "List", "items": [{**inside, "kind": "Pod", "spec": spec}]}
    assert "container-host-namespace" in seen(yaml.safe_dump(inside))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("privileged: ${P:-true}", "container-privileged"),
        ('privileged: "${P-yes}"', "container-privileged"),
        ("network_mode: ${N:-host}", "container-host-namespace"),
        ("cap_add: ['${C:-SYS_ADMIN}']", "container-capability-added"),
        ("privileged: ${P:-false}", ""),
        ("privileged: ${P}", ""),
        ("environment: {TOKEN: '${TOKEN:-none}'}", ""),
    ],
)
def test_a_variable_stands_for_its_default(line: str, rule: str) -> None:
    (document,) = documents(service(line))
    assert isinstance(document, Document)
    told = {hit.rule.id for hit in compose.judge(document.value)}
    (plain,) = documents(service(""))
    assert isinstance(plain, Document)
    assert told - {hit.rule.id for hit in compose.judge(plain.value)} == ({rule} if rule else set())


def test_what_lies_in_files_of_other_names_is_told_as_unread(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "include:\n  - parts/db.yaml\n  - path: [compose.web.yml, oci://example.org/x]\n"
        "services:\n  a:\n    extends:\n      file: base.yml\n      service: b\n"
        "  c:\n    extends: {file: compose.base.yaml, service: b}\n"
    )
    (artifact,) = discover(tmp_path).artifacts
    told = [one.reason for one in compose.scan.check.call(artifact, None) if isinstance(one, Skipped)]
    assert told == [
        "line 2: what it includes is not read: parts/db.yaml",
        "line 3: what it includes is not read: oci://example.org/x",
        "line 7: what it extends is not read: base.yml",
    ]


def test_files_are_classified_and_found_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "app.yaml").write_text("# first\n---\n" + thing("Service", "spec:\n  type: NodePort\n"))
    (tmp_path / "k8s" / "role.json").write_text(
        '{\n\t"apiVersion": "v1",\n\t"kind": "ClusterRole",\n\t"rules": [\n'
        '\t\t{"resources": ["*"],\n\t\t "verbs": ["*"]}\n\t]\n}\n'
    )
    (tmp_path / "docker-compose.prod.yml").write_text(service("privileged: true"))
    found = {}
    for artifact in discover(tmp_path).artifacts:
        assert artifact.kind.value == "iac", artifact
        for check in (kubernetes.scan.check, compose.scan.check):
            if check.looks_at(artifact):
                for one in check.call(artifact, None):
                    assert isinstance(one, Finding), one
                    found[artifact.uri, one.rule.id] = one.location.line
    assert found["k8s/app.yaml", "kubernetes-service-exposed"] == 8
    assert found["k8s/role.json", "kubernetes-rbac-wildcard"] == 5
    assert found["docker-compose.prod.yml", "container-privileged"] == 4


@pytest.mark.parametrize(
    "text", ["apiVersion: v1\nkind: Pod\nspec: [\n", "apiVersion: v1\nkind: Pod\nspec: a\nspec: b\n"]
)
def test_what_cannot_be_read_is_not_clean(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    (artifact,) = discover(tmp_path).artifacts
    (one,) = kubernetes.scan(artifact)
    assert isinstance(one, Skipped)


# --- the reader -------------------------------------------------------------------------------------------------------


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text("ab: #-\n'\"{}[]&*!|>%@,é", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc-1", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from([None, True, False]))
def test_it_reads_what_others_write(values: list[Any], flow: bool | None) -> None:
    text = yaml.safe_dump_all(values, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    read = list(documents(text))
    expected = list(yaml.safe_load_all(text))
    if all(isinstance(one, Document) for one in read) and len(read) == len(expected):
        assert [one.value for one in read if isinstance(one, Document)] == [strings(one) for one in expected]
    else:  # empty documents are left out; keys like `1` and `-` may collide with texts
        assert any(isinstance(one, Unread) for one in read) or None in expected


def strings(value: Any) -> Any:
    """With keys as texts, as the reader has them."""
    if isinstance(value, dict):
        return {str(key): strings(one) for key, one in value.items()}
    return [strings(one) for one in value] if isinstance(value, list) else value


PIECES = [
    "a: ", "- ", "{", "}", "[", "]", ", ", "\n", "  ", "!Ref ", "&x ", "*x", "<<: ", "---\n", "'", '"', "|\n",
    "# c", "{{ .a }}",
    "\t", "kind: Pod\n", "apiVersion: v1\n", "spec:\n", "\0", "é",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_it_takes_anything(parts: list[str]) -> None:
    text = "".join(parts)
    for lenient in (False, True):
        for document in documents(text, lenient):
            if isinstance(document, Document):
                for one in objects(document.value):
                    list(judge(one))
                if isinstance(document.value, Map):
                    list(compose.judge(document.value))


def test_lines_and_tags() -> None:
    text = "a:\n  b: !Ref X\n  c:\n  - d: 1\n    e: 2\n  - f\nbase: &base\n  g: 1\nover:\n  <<: *base\n  h: 2\n"
    (document,) = documents(text)
    assert isinstance(document, Document)
    value = document.value
    assert value["a"]["b"] == Tagged("Ref", "X")
    assert value["a"]["c"][0].lines == {"d": 4, "e": 5}
    assert value["a"]["c"][1].line == 6
    assert value["over"].lines == {"g": 8, "h": 11}


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize("text", [BOMB, "[" * 5000, "a: " * 3000, "- " * 5000, "{a: " * 5000, "---\n" * 5000])
def test_bombs_are_refused(text: str) -> None:
    assert any(isinstance(one, Unread) for one in documents(text))


ODD = (
    None,
    0,
    -1,
    True,
    "",
    "x",
    [],
    [[]],
    {},
    [{"name": ["x"]}],
    {"name": {"a": 1}},
    1.5,
    "0.0.0.0/0",
    Tagged("Ref", "x"),
)


def odd_ones(value: Any) -> Iterator[None]:
    """The value with each of its parts in turn replaced by something that does not belong there."""
    pending = [value]
    while pending:
        inside = pending.pop()
        for key, own in list(inside.items() if isinstance(inside, dict) else enumerate(inside)):
            if isinstance(own, (dict, list)):
                pending.append(own)
            for odd in ODD:
                inside[key] = lined(odd)
                yield None
            inside[key] = own


def lined(value: Any) -> Any:
    """As the reader would give it."""
    if isinstance(value, dict):
        made = Map({key: lined(one) for key, one in value.items()})
        made.lines = {}
        return made
    return [lined(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("rule", KUBERNETES)
def test_what_does_not_belong_there_is_no_crash(rule: str) -> None:
    (document,) = documents(KUBERNETES[rule][0])
    assert isinstance(document, Document)
    for _ in odd_ones(document.value):
        for one in objects(document.value):
            list(judge(one))


@pytest.mark.parametrize("rule", COMPOSE)
def test_what_does_not_belong_in_compose_is_no_crash(rule: str) -> None:
    (document,) = documents(COMPOSE[rule][0])
    assert isinstance(document, Document)
    for _ in odd_ones(document.value):
        list(compose.judge(document.value))
