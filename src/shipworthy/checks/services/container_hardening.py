"""How the service's container is configured and run: user, root file system, privileges, limits, secrets, health."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.services._service import ServiceInfo, Unreadable
from shipworthy.checks.services._standing import standing
from shipworthy.model import Artifact, Finding, Rule, Severity
from shipworthy.patterns import regex

ROOT = Rule(
    "running-root",
    "The service runs as root",
    Severity.HIGH,
    "Whoever takes over the service is root in its container, and close to being root on the host.",
    "End the Dockerfile with `USER 10001`, and run with `runAsNonRoot: true`. (CIS Docker Benchmark 4.1)",
    taxonomy=("CWE-250", "iso-27001-2022/A.8.2"),
    help="container-hardening",
)
WRITABLE = Rule(
    "running-writable-root",
    "The service can change its own files",
    Severity.MEDIUM,
    "Whoever takes over the service can change its program and stay.",
    "Run with `--read-only` and `--tmpfs /tmp` (`readOnlyRootFilesystem: true`). (CIS Docker Benchmark 5.13)",
    taxonomy=("CWE-732",),
    help="container-hardening",
)
CAPABILITIES = Rule(
    "running-capabilities",
    "The service has capabilities that it does not need",
    Severity.MEDIUM,
    "Each is a part of root's power: over the network, files, or other processes.",
    "Run with `--cap-drop ALL`, and add back what is needed by name. (CIS Docker Benchmark 5.4)",
    taxonomy=("CWE-250",),
    help="container-hardening",
)
PRIVILEGES = Rule(
    "running-new-privileges",
    "The service can gain privileges",
    Severity.MEDIUM,
    "Setuid programs in the image give root to whoever takes over the service.",
    "Run with `--security-opt no-new-privileges` (`allowPrivilegeEscalation: false`).",
    taxonomy=("CWE-250", "CWE-269"),
    help="container-hardening",
)
SECCOMP = Rule(
    "running-no-seccomp",
    "System calls of the service are not filtered",
    Severity.LOW,
    "The whole kernel can be attacked from the container, with calls that no service needs.",
    "Run with the engine's default seccomp profile (`seccompProfile: RuntimeDefault`).",
    taxonomy=("CWE-693",),
    help="container-hardening",
)
LIMITS = Rule(
    "running-no-limits",
    "Nothing limits the memory or the processes of the service",
    Severity.LOW,
    "One request that eats memory takes down the host, and all that runs there.",
    "Run with `--memory` and `--pids-limit` (`resources.limits`). (CIS Docker Benchmark 5.11)",
    taxonomy=("CWE-770", "A.8.6"),
    help="container-hardening",
)
NETWORK = Rule(
    "running-host-network",
    "The service shares the network of its host",
    Severity.MEDIUM,
    "It reaches what listens on the host's own addresses, and can listen there itself.",
    "Give it a network of its own and publish the one port that it needs. (CIS Docker Benchmark 5.10)",
    taxonomy=("CWE-668", "A.8.22"),
    help="container-hardening",
)
HEALTH = Rule(
    "running-no-health-check",
    "Nobody asks whether the service is well",
    Severity.LOW,
    "A service that hangs is not restarted, and is sent requests as before.",
    "Add HEALTHCHECK to the Dockerfile, or probes to the deployment. (CIS Docker Benchmark 4.6)",
    taxonomy=("CWE-754",),
    help="container-hardening",
)
SECRET = Rule(
    "running-secret-in-environment",
    "The image's environment holds a secret",
    Severity.HIGH,
    "It can be read by everybody who has the image, and is in every child process and many error reports.",
    "Take it out of the image, change it, and hand it over as a file when the service is started. "
    "(CIS Docker Benchmark 4.10)",
    taxonomy=("CWE-798", "CWE-522", "A.5.17"),
    help="container-hardening",
)

_SECRET_NAME = regex(r"(?i)(?:passw(?:or)?d|secret|token|api_?key|private_?key|credential|access_?key)s?$")
_ROOTS = ("", "0", "root", "0:0", "root:root")
_DANGEROUS = frozenset(
    {"ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "NET_ADMIN", "DAC_READ_SEARCH", "SYS_RAWIO", "BPF", "SYS_BOOT"}
)
_BAD = {"config": {"User": "root", "Env": ["API_TOKEN=" + "canary-canary"]}}


def _sample(*_: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"ok"


@check(
    "container-hardening",
    kinds={"service"},
    canary=Canary(files={}, rule=ROOT.id, standing=standing(_sample, image_config=_BAD)),
    live=True,
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """What the configuration of the image and the way in which it is run leave open."""
    try:
        if artifact.path is None:
            raise Unreadable("the description of the service is not on this machine")
        info = ServiceInfo.read(artifact.path)
    except Unreadable as error:
        yield Skipped(artifact, str(error))
        return
    yield from _configured(artifact, info)
    yield from _run(artifact, info)


def _at(rule: Rule, artifact: Artifact, message: str, place: str, severity: Severity | None = None) -> Finding:
    return rule.at(artifact, message, field=place, key=place, severity=severity)


def _configured(artifact: Artifact, info: ServiceInfo) -> Iterator[Finding | Skipped]:
    config = info.image_config.get("config")
    if not isinstance(config, dict):
        yield Skipped(None, "the image's configuration is not known", code="limited")
        config = {}
    user = str(config.get("User", ""))
    known = info.runtime.get("user")
    if known == 0 if isinstance(known, int) else bool(config) and user.lower() in _ROOTS:
        yield _at(ROOT, artifact, f"the user of the service is {user or 'not set, which is root'}", "User")
    if config and not info.health and not _asked(config.get("Healthcheck")):
        yield _at(HEALTH, artifact, "the image has no health check, and no health path is known", "Healthcheck")
    env = config.get("Env")
    for entry in env if isinstance(env, list) else []:
        name, _, value = str(entry).partition("=")
        if _SECRET_NAME.search(name) and len(value) >= 6 and not value.startswith(("/", "$", "file:")):
            shown = f"{value[:2]}... ({len(value)} characters)"
            yield _at(SECRET, artifact, f"the variable {name[:60]} is set to {shown}", f"Env {name[:60]}")


def _asked(health: Any) -> bool:
    test = health.get("Test") if isinstance(health, dict) else None
    return isinstance(test, list) and bool(test) and test[0] != "NONE"


def _run(artifact: Artifact, info: ServiceInfo) -> Iterator[Finding | Skipped]:
    run: Mapping[str, Any] = info.runtime
    wanted = ("root", "capabilities", "no-new-privileges", "seccomp", "network")
    if unknown := [name for name in wanted if name not in run]:
        yield Skipped(None, f"how it is run is not known: {', '.join(unknown)}", code="limited")
    if run.get("root", "read-only") != "read-only":
        yield _at(WRITABLE, artifact, "the root file system is writable", "root")
    capabilities = [str(one).upper().removeprefix("CAP_") for one in run.get("capabilities") or ()]
    if capabilities:
        worst = Severity.HIGH if _DANGEROUS & set(capabilities) else None
        yield _at(CAPABILITIES, artifact, f"it has {', '.join(sorted(capabilities)[:10])}", "capabilities", worst)
    if not run.get("no-new-privileges", True):
        yield _at(PRIVILEGES, artifact, "no-new-privileges is not set", "no-new-privileges")
    if not run.get("seccomp", True):
        yield _at(SECCOMP, artifact, "no filter of system calls is set", "seccomp")
    if run.get("network") == "host":
        yield _at(NETWORK, artifact, "it runs in the host's network", "network")
    groups, limits = run.get("limits-by-control-groups"), run.get("limits-by-rlimits")
    if groups is None and limits is None:
        yield Skipped(None, "its limits are not known", code="limited")
    else:
        have = {str(one) for one in (*(groups or ()), *(limits or ()))}
        if missing := [name for name in ("memory", "pids") if not have & {name, {"pids": "processes"}.get(name, name)}]:
            yield _at(LIMITS, artifact, f"no limit of {', '.join(missing)}", "limits")
