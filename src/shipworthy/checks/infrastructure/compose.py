"""Compose files: services with rights of the machine, secrets in their environment, ports open to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks._yaml import Map, Seq, Text, Unread, as_map, documents, line_of, sequence
from shipworthy.checks.infrastructure import _container
from shipworthy.checks.infrastructure import _container_rules as rules
from shipworthy.checks.infrastructure._container_rules import CONTAINER_RULES
from shipworthy.checks.infrastructure._report import Hit, TooLarge, findings, literal_secret, shown, text_of, unread
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.patterns import regex

__all__ = ["RULES", "scan"]

PORT_OPEN = Rule(
    "compose-port-open",
    "An internal service is published on every address",
    Severity.MEDIUM,
    "Databases, caches and debuggers often trust whoever reaches them; ports that Docker publishes pass by the "
    "machine's firewall.",
    'Remove `ports` (services of one network reach each other), or publish locally: `"127.0.0.1:5432:5432"`.',
    taxonomy=("CWE-668", "CWE-306", "SC-7"),
    help="service-exposure",
)
DEVICE = Rule(
    "compose-device",
    "A service is given a device of the machine",
    Severity.MEDIUM,
    "Disks, memory and input devices let it read or change what belongs to others.",
    "Remove it, or name the one device that is needed; for GPUs write `deploy.resources.reservations.devices`.",
    taxonomy=("CWE-250", "CWE-668", "AC-6"),
    help="container-isolation",
)
RULES = {rule.id: rule for rule in (*CONTAINER_RULES, PORT_OPEN, DEVICE)}

_NAME = regex(r"(?i)(?:[^/]{1,80}[.\-_])?(?:docker-)?compose(?:[.\-_][^/]{0,80})?\.ya?ml\Z")
_INTERNAL = {
    5432: "PostgreSQL", 3306: "MySQL", 27017: "MongoDB", 6379: "Redis", 9200: "Elasticsearch", 9300: "Elasticsearch",
    11211: "memcached", 2375: "the Docker daemon", 5984: "CouchDB", 1433: "SQL Server", 1521: "Oracle",
    7000: "Cassandra",
    9042: "Cassandra", 2181: "ZooKeeper", 9092: "Kafka", 8500: "Consul", 2379: "etcd", 5678: "debugpy", 9229: "Node.js",
    5005: "a Java debugger", 22: "ssh", 23: "telnet", 15672: "RabbitMQ", 8888: "Jupyter", 5900: "VNC", 389: "LDAP",
}  # fmt: skip
# A variable with what stands for it where it is not set (or empty, with the colon).
_DEFAULT = regex(r"\$\{[A-Za-z_][A-Za-z0-9_]{0,100}:?-([^${}]{0,300})\}")
_YES = frozenset({"true", "yes", "y", "on", "1"})  # what Compose reads as true once variables are filled in
_CANARY = b"services:\n  app:\n    image: app:1\n    privileged: true\n"


def is_compose(artifact: Artifact) -> bool:
    """Whether a file is named as Compose files are."""
    return _NAME.match(artifact.uri.rpartition("/")[2]) is not None


@check(
    "compose",
    kinds={"iac"},
    accepts=is_compose,
    canary=Canary(files={"compose.yaml": _CANARY}, rule=rules.PRIVILEGED.id),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one Compose file."""
    try:
        text = text_of(artifact)
    except TooLarge as error:
        yield Skipped(artifact, str(error))
        return
    for document in documents(text):
        if isinstance(document, Unread):
            yield from unread(artifact, [(document.line, f"it could not be read: {document.reason}")])
        elif not isinstance(document.value, Map):
            yield from unread(artifact, [(document.line, "it is no mapping, as Compose files are")])
        else:
            yield from findings(artifact, judge(document.value))
            yield from unread(artifact, elsewhere(document.value))


def judge(value: Map) -> Iterator[Hit]:
    """What breaks a rule in a Compose file; the first format had its services at the top."""
    services = as_map(value.get("services"))
    if not services and "services" not in value:
        services = value
    for name, service in services.items():
        if isinstance(service, Map) and not name.startswith("x-"):
            yield from _service(shown(name, 60), service, services.at(name))


def elsewhere(value: Map) -> Iterator[tuple[int, str]]:
    """What a Compose file takes from files that are not known as Compose files by their names, and so are not read."""
    for item in sequence(value.get("include")):
        paths = item.get("path") if isinstance(item, Map) else item
        for path in sequence(paths) if isinstance(paths, list) else (paths,):
            if not _read_too(path):
                yield line_of(path, value.at("include")), f"what it includes is not read: {shown(path)}"
    for service in as_map(value.get("services")).values():
        given = service.get("extends") if isinstance(service, Map) else None
        if isinstance(given, Map) and "file" in given and not _read_too(given["file"]):
            yield given.at("file"), f"what it extends is not read: {shown(given['file'])}"


def _read_too(path: object) -> bool:
    return isinstance(path, str) and "://" not in path and _NAME.match(path.rpartition("/")[2]) is not None


def _filled(value: Any) -> Any:
    """A value with the defaults of its variables, which hold where nobody sets them."""
    if isinstance(value, Map):
        made = Map({key: _filled(item) for key, item in value.items()})
        made.line, made.tag, made.lines = value.line, value.tag, value.lines
        return made
    if isinstance(value, Seq):
        items = Seq(_filled(item) for item in value)
        items.line, items.tag = value.line, value.tag
        return items
    if isinstance(value, Text) and "${" in value:
        return Text(_DEFAULT.sub(lambda found: found[1], value), value.line, plain=value.plain, tag=value.tag)
    return value


def _yes(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in _YES)


def _service(name: str, given: Map, line: int) -> Iterator[Hit]:
    service = Map({key: value if key == "environment" else _filled(value) for key, value in given.items()})
    service.line, service.tag, service.lines = given.line, given.tag, given.lines
    if "image" in service and "build" not in service:
        yield from _container.image(service["image"], name, service.at("image"))
    if _yes(service.get("privileged")):
        yield Hit(rules.PRIVILEGED, f"{name} is privileged", service.at("privileged"), name)
    for item in sequence(service.get("cap_add")):
        yield from _container.capability(item, name, line_of(item, service.at("cap_add")))
    for key in ("network_mode", "pid", "ipc", "userns_mode", "uts", "cgroup"):
        if service.get(key) == "host":
            severity = Severity.MEDIUM if key in ("uts", "cgroup") else None
            yield Hit(rules.HOST_NAMESPACE, f"{name}: {key}: host", service.at(key), f"{name} {key}", severity=severity)
    yield from _options(name, service, line)
    yield from _volumes(name, service)
    yield from _environment(name, service)
    yield from _ports(name, service)
    for item in sequence(service.get("devices")):
        if isinstance(item, str) and not item.startswith(("/dev/dri", "/dev/nvidia", "nvidia.com")):
            yield Hit(DEVICE, f"{name} is given {shown(item)}", line_of(item, line), f"{name} {item[:100]}")


def _options(name: str, service: Map, line: int) -> Iterator[Hit]:
    options = [str(item).replace("=", ":").replace(" ", "") for item in sequence(service.get("security_opt"))]
    for option in options:
        if option in ("seccomp:unconfined", "apparmor:unconfined", "label:disable", "systempaths:unconfined"):
            yield Hit(rules.UNCONFINED, f"{name}: {option}", service.at("security_opt"), f"{name} {option}")
    if _yes(service.get("use_api_socket")):
        yield Hit(rules.RUNTIME_SOCKET, f"{name}: use_api_socket", service.at("use_api_socket"), f"{name} socket")
    if "extends" in service:
        return  # what is missing here may be there
    user = str(service.get("user", "")).partition(":")[0]
    if user in ("root", "0"):
        yield Hit(rules.RUNS_AS_ROOT, f"{name}: user: {user}", service.at("user"), f"{name} user")
    if not any(option in ("no-new-privileges", "no-new-privileges:true") for option in options):
        yield Hit(rules.ESCALATION, f"{name} has no no-new-privileges", line, name, severity=Severity.LOW)
    if not any(str(item).upper() == "ALL" for item in sequence(service.get("cap_drop"))):
        yield Hit(rules.CAPABILITIES_KEPT, f"{name} drops no capabilities", line, name)
    if not _yes(service.get("read_only")):
        yield Hit(rules.WRITABLE_ROOT, f"{name} has a writable root", line, name, severity=Severity.INFO)
    limits = as_map(as_map(as_map(service.get("deploy")).get("resources")).get("limits"))
    if "mem_limit" not in service and "memory" not in limits:
        yield Hit(rules.NO_LIMITS, f"{name} has no limit of memory", line, name)
    health = service.get("healthcheck")
    if isinstance(health, Map) and (_yes(health.get("disable")) or health.get("test") in (["NONE"], "NONE")):
        yield Hit(rules.NO_PROBE, f"{name} switches its health check off", service.at("healthcheck"), name)


def _volumes(name: str, service: Map) -> Iterator[Hit]:
    for item in sequence(service.get("volumes")):
        if isinstance(item, Map):
            source = item.get("source") if item.get("type") == "bind" else None
            read_only = _yes(item.get("read_only"))
            line = item.line
        elif isinstance(item, str):
            parts = item.split(":")
            source = parts[0] if len(parts) > 1 else None
            read_only = len(parts) > 2 and "ro" in parts[2].split(",")
            line = line_of(item, service.at("volumes"))
        else:
            continue
        if isinstance(source, str) and source.startswith(("/", "~")):
            yield from _container.host_path(source, name, line, read_only)


def _environment(name: str, service: Map) -> Iterator[Hit]:
    places = [("environment", service.get("environment")), ("labels", service.get("labels"))]
    places.append(("build.args", as_map(service.get("build")).get("args")))
    for where, given in places:
        pairs: list[tuple[str, Any, int]] = []
        if isinstance(given, Map):
            pairs = [(key, value, given.at(key)) for key, value in given.items()]
        for item in given if isinstance(given, list) else ():
            key, equals, value = str(item).partition("=")
            if equals:
                pairs.append((key, value, line_of(item, service.line)))
        for key, value, line in pairs:
            sure = literal_secret(key, value)
            if sure:
                message = f"{name}: {where} {shown(key)} holds a value ({len(value)} characters)"
                yield Hit(rules.SECRET_LITERAL, message, line, f"{name} {key}", confidence=sure)


def _ports(name: str, service: Map) -> Iterator[Hit]:
    for item in sequence(service.get("ports")):
        if isinstance(item, Map):
            inner, host, line = str(item.get("target", "")), str(item.get("host_ip", "")), item.line
        else:
            text = str(item).partition("/")[0]
            host, _, inner = text.rpartition(":")
            host = host.rpartition(":")[0] if ":" in host or "." in host else ""
            line = line_of(item, service.at("ports"))
        number = int(inner) if inner.isdigit() and len(inner) < 6 else 0
        if number in _INTERNAL and not host.strip("[]").startswith(("127.", "::1", "localhost")):
            message = f"{name} publishes port {number} ({_INTERNAL[number]}) on every address"
            yield Hit(PORT_OPEN, message, line, f"{name} {number}")
