"""Kubernetes objects: which there are in a document, and what in them breaks a rule.

Source: the API reference of Kubernetes 1.31 (core/v1, apps/v1, batch/v1, rbac, networking), and its Pod Security
Standards, baseline and restricted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.checks._yaml import Map, as_map, line_of, sequence
from shipworthy.checks.infrastructure import _container
from shipworthy.checks.infrastructure import _container_rules as common
from shipworthy.checks.infrastructure import _kubernetes_rules as rules
from shipworthy.checks.infrastructure._kubernetes_access import JUDGES
from shipworthy.checks.infrastructure._report import Hit, literal_secret, shown
from shipworthy.model import Severity

_WORKLOADS = frozenset(
    "Deployment StatefulSet DaemonSet ReplicaSet ReplicationController Job Rollout DeploymentConfig".split()
)
_SAFE_SYSCTLS = frozenset(
    """kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start net.ipv4.tcp_syncookies
    net.ipv4.ping_group_range net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout
    net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes""".split()
)
_BAD_FLAGS = {
    "--anonymous-auth": "true", "--authorization-mode": "AlwaysAllow", "--insecure-bind-address": "", "--profiling": "",
    "--client-cert-auth": "false", "--peer-client-cert-auth": "false", "--auto-tls": "true", "--peer-auto-tls": "true",
    "--enable-skip-login": "", "--enable-insecure-login": "", "--kubelet-https": "false",
    "--insecure-allow-any-token": "",
    "--enable-admission-plugins": "AlwaysAdmit", "--disable-auth": "", "--insecure-skip-tls-verify": "",
}  # fmt: skip


def objects(value: Any, depth: int = 0) -> Iterator[Map]:
    """The objects of a document, those of a List one by one."""
    if isinstance(value, Map) and "kind" in value and "apiVersion" in value:
        if str(value["kind"]).endswith("List") and isinstance(value.get("items"), list) and depth < 3:
            for item in value["items"]:
                yield from objects(item, depth + 1)
        else:
            yield value


def judge(thing: Map, open_ended: bool = False) -> Iterator[Hit]:
    """What breaks a rule in an object. `open_ended`: parts of it are not in the text, so nothing is called missing."""
    kind = str(thing.get("kind"))
    name = shown(f"{kind}/{as_map(thing.get('metadata')).get('name', '?')}", 80)
    yield from _pods(thing, kind, name, open_ended)
    yield from JUDGES.get(kind, _nothing)(thing, name)


def _nothing(_thing: Map, _name: str) -> Iterator[Hit]:
    return iter(())


def _pods(thing: Map, kind: str, name: str, open_ended: bool) -> Iterator[Hit]:
    spec = as_map(thing.get("spec"))
    if kind == "CronJob":
        spec = as_map(as_map(spec.get("jobTemplate")).get("spec"))
    if kind == "CronJob" or kind in _WORKLOADS:
        spec = as_map(as_map(spec.get("template")).get("spec"))
    elif kind == "PodTemplate":
        spec = as_map(as_map(thing.get("template")).get("spec"))
    elif kind != "Pod":
        return
    if spec:
        yield from _pod(spec, name, open_ended, once=kind in ("Job", "CronJob"))


def _pod(spec: Map, name: str, open_ended: bool, once: bool) -> Iterator[Hit]:
    context = as_map(spec.get("securityContext"))
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key) is True:
            yield Hit(common.HOST_NAMESPACE, f"{name}: {key}: true", spec.at(key), f"{name} {key}")
    if spec.get("shareProcessNamespace") is True:
        line = spec.at("shareProcessNamespace")
        yield Hit(rules.SHARED_PROCESSES, f"{name}: shareProcessNamespace: true", line, name)
    for item in sequence(context.get("sysctls")):
        if isinstance(item, Map) and str(item.get("name")) not in _SAFE_SYSCTLS:
            yield Hit(rules.SYSCTL, f"{name} sets {shown(item.get('name'))}", item.line, f"{name} {item.get('name')}")
    if not open_ended and spec.get("automountServiceAccountToken") is not False:
        yield Hit(rules.TOKEN, f"{name}: automountServiceAccountToken is not false", spec.line, name)
    for volume in sequence(spec.get("volumes")):
        path = as_map(as_map(volume).get("hostPath")).get("path")
        if path is not None:
            yield from _container.host_path(path, name, as_map(volume).at("hostPath"), _read_only(spec, as_map(volume)))
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for container in sequence(spec.get(key)):
            if isinstance(container, Map):
                place = f"{name} {shown(container.get('name', '?'), 40)}"
                yield from _container_of(container, context, spec, place, open_ended)
                probes = container.keys() & {"livenessProbe", "readinessProbe", "startupProbe"}
                if key == "containers" and not (once or open_ended or probes):
                    yield Hit(common.NO_PROBE, f"{place} has no probe", container.line, place)


def _read_only(spec: Map, volume: Map) -> bool:
    """Whether every container mounts a volume read-only."""
    mounts = [
        mount
        for key in ("initContainers", "containers")
        for container in sequence(spec.get(key))
        for mount in sequence(as_map(container).get("volumeMounts"))
        if as_map(mount).get("name") == volume.get("name")
    ]
    return bool(mounts) and all(as_map(mount).get("readOnly") is True for mount in mounts)


def _container_of(container: Map, pod: Map, spec: Map, place: str, open_ended: bool) -> Iterator[Hit]:
    own = as_map(container.get("securityContext"))
    line = own.line or container.line
    yield from _container.image(container.get("image"), place, container.at("image"))
    if own.get("privileged") is True or as_map(own.get("windowsOptions")).get("hostProcess") is True:
        yield Hit(common.PRIVILEGED, f"{place} is privileged", own.at("privileged"), place)
    if own.get("allowPrivilegeEscalation") is True or (not open_ended and "allowPrivilegeEscalation" not in own):
        what = "is true" if "allowPrivilegeEscalation" in own else "is not false"
        where = own.at("allowPrivilegeEscalation") or line
        yield Hit(common.ESCALATION, f"{place}: allowPrivilegeEscalation {what}", where, place)
    yield from _user(own, pod, place, line, open_ended)
    capabilities = as_map(own.get("capabilities"))
    for item in sequence(capabilities.get("add")):
        yield from _container.capability(item, place, line_of(item, capabilities.at("add")))
    if not open_ended and not any(str(item).upper() == "ALL" for item in sequence(capabilities.get("drop"))):
        yield Hit(common.CAPABILITIES_KEPT, f"{place} does not drop ALL", capabilities.line or line, place)
    if own.get("readOnlyRootFilesystem") is not True and not open_ended:
        yield Hit(common.WRITABLE_ROOT, f"{place}: readOnlyRootFilesystem is not true", line, place)
    if own.get("procMount") == "Unmasked":
        yield Hit(rules.PROC_MOUNT, f"{place}: procMount: Unmasked", own.at("procMount"), place)
    yield from _confined(own, pod, place, line, open_ended)
    limits = as_map(as_map(container.get("resources")).get("limits"))
    if "memory" not in limits and not open_ended:
        yield Hit(common.NO_LIMITS, f"{place} has no limit of memory", container.line, place)
    for port in sequence(container.get("ports")):
        if isinstance(port, Map) and port.get("hostPort") and spec.get("hostNetwork") is not True:
            yield Hit(common.HOST_PORT, f"{place}: hostPort {port['hostPort']}", port.at("hostPort"), place)
    yield from _environment(container, place)
    yield from _flags(container, place)


def _user(own: Map, pod: Map, place: str, line: int, open_ended: bool) -> Iterator[Hit]:
    user = own.get("runAsUser", pod.get("runAsUser"))
    non_root = own.get("runAsNonRoot", pod.get("runAsNonRoot"))
    if user == 0 and not isinstance(user, bool):
        yield Hit(common.RUNS_AS_ROOT, f"{place}: runAsUser: 0", own.at("runAsUser") or line, place)
    elif non_root is not True and user is None and not open_ended:
        yield Hit(common.RUNS_AS_ROOT, f"{place}: runAsNonRoot is not true", line, place)
    elif non_root is False and user is None:
        yield Hit(common.RUNS_AS_ROOT, f"{place}: runAsNonRoot: false", line, place)


def _confined(own: Map, pod: Map, place: str, line: int, open_ended: bool) -> Iterator[Hit]:
    profile = own.get("seccompProfile", pod.get("seccompProfile"))
    if as_map(profile).get("type") == "Unconfined":
        yield Hit(common.UNCONFINED, f"{place}: seccompProfile Unconfined", line_of(profile, line), f"{place} seccomp")
    elif profile is None and not open_ended:
        yield Hit(common.NO_SECCOMP, f"{place} has no seccompProfile", line, place)
    apparmor = own.get("appArmorProfile", pod.get("appArmorProfile"))
    if as_map(apparmor).get("type") == "Unconfined":
        yield Hit(
            common.UNCONFINED, f"{place}: appArmorProfile Unconfined", line_of(apparmor, line), f"{place} apparmor"
        )
    kind = as_map(own.get("seLinuxOptions", pod.get("seLinuxOptions"))).get("type")
    if kind in ("spc_t", "unconfined_t"):
        yield Hit(common.UNCONFINED, f"{place}: SELinux type {kind}", line, f"{place} selinux")


def _environment(container: Map, place: str) -> Iterator[Hit]:
    for item in sequence(container.get("env")):
        if isinstance(item, Map) and isinstance(item.get("name"), str):
            sure = literal_secret(item["name"], item.get("value"))
            if sure:
                message = f"{place}: {shown(item['name'])} holds a value ({len(item['value'])} characters)"
                key = f"{place} {item['name']}"
                yield Hit(common.SECRET_LITERAL, message, item.at("value"), key, confidence=sure)


def _flags(container: Map, place: str) -> Iterator[Hit]:
    for key in ("command", "args"):
        for item in sequence(container.get(key)):
            flag, equals, value = str(item).partition("=")
            wanted = _BAD_FLAGS.get(flag)
            if wanted is None or (flag == "--profiling" and value != "true"):
                continue
            if (wanted and wanted in value.split(",")) or (not wanted and value not in ("false", "127.0.0.1")):
                severity = Severity.LOW if flag == "--profiling" else None
                line = line_of(item, container.at(key))
                yield Hit(rules.FLAGS, f"{place}: {shown(item)}", line, f"{place} {flag}{equals}", severity=severity)
