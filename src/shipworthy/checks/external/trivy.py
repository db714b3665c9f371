"""Infrastructure as code as trivy sees it, when it is on PATH: a second witness beside our own checks of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.external._wrapped import (
    Known,
    Report,
    Said,
    Wrapped,
    ask,
    optional,
    other,
    renamed,
    squeezed,
    whole,
)
from shipworthy.checks.infrastructure._cloud_rules import RULES as CLOUD
from shipworthy.checks.infrastructure._container_rules import CONTAINER_RULES
from shipworthy.checks.infrastructure._dockerfile_rules import RULES as DOCKERFILE
from shipworthy.checks.infrastructure._kubernetes_rules import RULES as KUBERNETES
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.tools import Completed

__all__ = ["RULES", "scan"]

TRIVY = optional("trivy", ">=0.56,<1")
_SEVERITY = {
    "CRITICAL": Severity.CRITICAL, "HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW,
    "UNKNOWN": Severity.LOW,
}  # fmt: skip
_MEANS = {
    "cloud-storage-public": "AWS-0092",
    "cloud-storage-public-not-blocked": "AWS-0086 AWS-0087 AWS-0091 AWS-0093 AWS-0094",
    "cloud-unencrypted": "AWS-0088 AWS-0132 AWS-0131 AWS-0080", "cloud-no-logging": "AWS-0089",
    "cloud-no-way-back": "AWS-0090", "cloud-network-open": "AWS-0107 AWS-0105 AZU-0047 AZU-0050 GCP-0027",
    "cloud-metadata-v1": "AWS-0028 AWS-0130", "cloud-iam-wildcard": "AWS-0057", "cloud-database-public": "AWS-0180",
    "dockerfile-base-latest": "DS-0001", "dockerfile-root-user": "DS-0002", "dockerfile-remote-login": "DS-0004",
    "dockerfile-add-local": "DS-0005", "dockerfile-sudo": "DS-0010", "dockerfile-no-healthcheck": "DS-0026",
    "dockerfile-secret-value": "DS-0031", "container-privileged": "KSV-0017",
    "container-privilege-escalation": "KSV-0001",
    "container-capabilities-kept": "KSV-0003 KSV-0106", "container-runs-as-root": "KSV-0012 KSV-0105",
    "container-writable-root": "KSV-0014", "container-host-namespace": "KSV-0008 KSV-0009 KSV-0010",
    "container-image-latest": "KSV-0013", "container-no-limits": "KSV-0011 KSV-0015 KSV-0016 KSV-0018",
    "container-host-path": "KSV-0023", "container-host-port": "KSV-0024", "container-no-seccomp": "KSV-0030 KSV-0104",
    "container-runtime-socket": "KSV-0006",
}  # fmt: skip
_ALIKE = {f"AVD-{ident}": name for name, idents in _MEANS.items() for ident in idents.split()}
RULES = MappingProxyType(
    renamed("trivy", (*CLOUD.values(), *CONTAINER_RULES, *DOCKERFILE.values(), *KUBERNETES.values()), _ALIKE)
    | {"other": other("trivy", "resource", "at https://avd.aquasec.com", "infrastructure-as-code")}
)
_KNOWN = Known("Dockerfile", b"FROM debian:12\nRUN sudo id\nUSER 1000\n", "AVD-DS-0010")


def _command(_folder: Path, _names: Sequence[str]) -> list[str]:
    return ["config", "--format", "json", "--quiet", "--skip-check-update", "."]


def _read(done: Completed) -> Report:
    value = whole(done.json(), dict)
    said = []
    for part in whole(value["Results"], list):
        name = whole(part["Target"], str)
        for row in whole(part.get("Misconfigurations") or [], list):
            at = whole(row.get("CauseMetadata") or {}, dict)
            first, last = (whole(at.get(key) or 0, int) for key in ("StartLine", "EndLine"))
            resource = squeezed(at.get("Resource") or "", 120)
            message = f"{resource}: {squeezed(row['Title'])}" if resource else squeezed(row["Title"])
            ident = whole(row.get("AVDID") or row["ID"], str)
            severity = _SEVERITY[whole(row["Severity"], str)]
            said.append(Said(name, ident, message, first, last, severity=severity, key=f"{resource} {ident}"))
    return Report(tuple(said))


# An older name of it, and that of what it grew out of, work as well.
WRAPPED = Wrapped(TRIVY, _command, _read, RULES, _KNOWN, ok=(0,), marks=(b"trivy:ignore", b"tfsec:ignore"))


@check(
    "trivy",
    kinds={"dockerfile", "iac"},
    scope="batch",
    needs=(TRIVY,),
    options={"required": False},
    canary=Canary(files={"Dockerfile": _KNOWN.content}, rule="trivy-dockerfile-sudo"),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch. It fetches nothing, and ignore comments and settings of the workspace are not followed. It
    does not say what it could not parse: our own checks of the same files do."""
    yield from ask(artifacts, context, WRAPPED)
