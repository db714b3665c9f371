"""Kubernetes objects that give rights or open ways: roles, bindings, services, ingresses, policies, secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shipworthy.checks._yaml import Map, as_map, line_of, sequence
from shipworthy.checks.infrastructure import _kubernetes_rules as rules
from shipworthy.checks.infrastructure._container_rules import SECRET_LITERAL
from shipworthy.checks.infrastructure._report import Hit, literal_secret, refers, shown
from shipworthy.model import Confidence, Severity

_LEADS = {
    "secrets": {"get", "list", "watch"}, "pods/exec": {"create", "get"}, "pods/attach": {"create"}, "pods": {"create"},
    "nodes/proxy": {"get", "create"}, "serviceaccounts/token": {"create"}, "daemonsets": {"create"},
    "certificatesigningrequests/approval": {"update", "patch"}, "mutatingwebhookconfigurations": {"create", "update"},
    "validatingwebhookconfigurations": {"create", "update"}, "persistentvolumes": {"create"},
}  # fmt: skip
_EVERYBODY = frozenset({"system:anonymous", "system:unauthenticated", "system:authenticated"})
_ANYWHERE = ("0.0.0.0/0", "::/0")


def _role(thing: Map, name: str) -> Iterator[Hit]:
    severity = Severity.MEDIUM if thing.get("kind") == "Role" else None
    for item in sequence(thing.get("rules")):
        if not isinstance(item, Map):
            continue
        verbs = {str(verb) for verb in sequence(item.get("verbs"))}
        resources = [str(one) for one in sequence(item.get("resources"))]
        if "*" in resources and verbs - {"get", "list", "watch"}:
            message = f"{name}: all resources, verbs {shown(', '.join(sorted(verbs)))}"
            yield Hit(rules.RBAC_WILDCARD, message, item.line, f"{name} resources", severity=severity)
        elif "*" in verbs and not item.get("nonResourceURLs"):
            message = f"{name}: all verbs on {shown(', '.join(resources))}"
            low = Severity.MEDIUM
            yield Hit(rules.RBAC_WILDCARD, message, item.line, f"{name} verbs {' '.join(resources)}", severity=low)
        told = sorted(verbs & {"bind", "escalate", "impersonate"})
        if not item.get("resourceNames"):
            told += [one for one in resources if _leads(one, verbs)]
        if told:
            message = f"{name}: {shown(', '.join(told))} ({shown(', '.join(sorted(verbs)))})"
            yield Hit(rules.RBAC_ESCALATION, message, item.line, f"{name} {' '.join(told)}", severity=severity)


def _leads(resource: str, verbs: set[str]) -> bool:
    """Whether these rights to a resource lead to others."""
    leading = _LEADS.get(resource, set())
    return bool(leading) and ("*" in verbs or bool(verbs & leading))


def _binding(thing: Map, name: str) -> Iterator[Hit]:
    role = as_map(thing.get("roleRef")).get("name")
    if role in ("cluster-admin", "admin") and thing.get("kind") == "ClusterRoleBinding":
        yield Hit(rules.CLUSTER_ADMIN, f"{name} gives {role}", thing.at("roleRef"), name)
    for subject in sequence(thing.get("subjects")):
        who = str(as_map(subject).get("name"))
        if who in _EVERYBODY and role not in ("system:basic-user", "system:discovery", "system:public-info-viewer"):
            yield Hit(rules.ANONYMOUS, f"{name} gives {shown(role)} to {who}", as_map(subject).line, f"{name} {who}")


def _service(thing: Map, name: str) -> Iterator[Hit]:
    spec = as_map(thing.get("spec"))
    notes = as_map(as_map(thing.get("metadata")).get("annotations"))
    internal = any("internal" in str(key) and str(value).lower() not in ("false", "") for key, value in notes.items())
    kind = spec.get("type")
    if kind == "NodePort" or (kind == "LoadBalancer" and not internal and not spec.get("loadBalancerSourceRanges")):
        yield Hit(rules.EXPOSED, f"{name} is of type {kind}", spec.at("type"), name)
    if spec.get("externalIPs"):
        yield Hit(rules.EXTERNAL_IPS, f"{name} has externalIPs", spec.at("externalIPs"), name)


def _ingress(thing: Map, name: str) -> Iterator[Hit]:
    spec = as_map(thing.get("spec"))
    if spec and not spec.get("tls"):
        yield Hit(rules.NO_TLS, f"{name} has no tls", spec.line, name)
    notes = as_map(as_map(thing.get("metadata")).get("annotations"))
    for key in notes:
        if key.endswith("-snippet"):
            yield Hit(rules.SNIPPET, f"{name}: {shown(key)}", notes.at(key), f"{name} {key}")


def _policy(thing: Map, name: str) -> Iterator[Hit]:
    spec = as_map(thing.get("spec"))
    for key, peer in (("ingress", "from"), ("egress", "to")):
        for rule in sequence(spec.get(key)):
            if not isinstance(rule, Map):
                continue
            blocks = [as_map(as_map(one).get("ipBlock")).get("cidr") for one in sequence(rule.get(peer))]
            anywhere = next((block for block in blocks if block in _ANYWHERE), None)
            if not rule.get(peer) and not rule.get("ports"):
                yield Hit(
                    rules.OPEN_POLICY, f"{name}: {key} allows everything", rule.line or spec.at(key), f"{name} {key}"
                )
            elif anywhere and not rule.get("ports"):
                yield Hit(rules.OPEN_POLICY, f"{name}: {key} allows {anywhere}", rule.line, f"{name} {key}")


def _secret(thing: Map, name: str) -> Iterator[Hit]:
    for key in ("data", "stringData"):
        given = as_map(thing.get(key))
        for item, value in given.items():
            if isinstance(value, str) and value and not refers(value):
                message = f"{name}: {shown(item)} holds a value ({len(value)} characters)"
                yield Hit(SECRET_LITERAL, message, given.at(item), f"{name} {item}", confidence=Confidence.MEDIUM)


def _config_map(thing: Map, name: str) -> Iterator[Hit]:
    given = as_map(thing.get("data"))
    for item, value in given.items():
        sure = literal_secret(item, value)
        if sure:
            message = f"{name}: {shown(item)} holds a value ({len(value)} characters)"
            yield Hit(SECRET_LITERAL, message, line_of(value, given.at(item)), f"{name} {item}", confidence=sure)


def _namespace(thing: Map, name: str) -> Iterator[Hit]:
    labels = as_map(as_map(thing.get("metadata")).get("labels"))
    key = "pod-security.kubernetes.io/enforce"
    if labels.get(key) == "privileged":
        yield Hit(rules.NAMESPACE_PRIVILEGED, f"{name}: {key}: privileged", labels.at(key), name)


def _persistent_volume(thing: Map, name: str) -> Iterator[Hit]:
    from shipworthy.checks.infrastructure._container import host_path

    spec = as_map(thing.get("spec"))
    path = as_map(spec.get("hostPath")).get("path")
    if path is not None:
        yield from host_path(path, name, spec.at("hostPath"))


JUDGES: Mapping[str, Callable[[Map, str], Iterator[Hit]]] = {
    "Role": _role, "ClusterRole": _role, "RoleBinding": _binding, "ClusterRoleBinding": _binding, "Service": _service,
    "Ingress": _ingress, "NetworkPolicy": _policy, "Secret": _secret, "ConfigMap": _config_map, "Namespace": _namespace,
    "PersistentVolume": _persistent_volume,
}  # fmt: skip
