"""Infrastructure as code as checkov sees it, when it is installed: a second witness beside our own checks of it."""

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
from shipworthy.model import Artifact, Finding
from shipworthy.tools import Completed, ToolFailed

__all__ = ["RULES", "scan"]

CHECKOV = optional("checkov", ">=3.2,<4")
FRAMEWORKS = ("cloudformation", "dockerfile", "kubernetes", "terraform")
# Without an account it gives no severities: those of our rules that mean the same count.
_MEANS = {
    "cloud-storage-public": "CKV_AWS_20 CKV_AWS_57 CKV_GCP_28 CKV_GCP_5",
    "cloud-storage-public-not-blocked": "CKV_AWS_53 CKV_AWS_54 CKV_AWS_55 CKV_AWS_56 CKV2_AWS_6 CKV_GCP_114",
    "cloud-network-open": "CKV_AWS_24 CKV_AWS_25 CKV_AWS_260 CKV_GCP_2 CKV_GCP_3 CKV_AZURE_9 CKV_AZURE_10",
    "cloud-unencrypted": "CKV_AWS_29 CKV_AWS_3 CKV_AWS_8 CKV_AWS_16 CKV_AWS_19 CKV_AWS_27 CKV_AWS_145 CKV_AZURE_2",
    "cloud-unencrypted-transit": "CKV_AWS_2 CKV_AZURE_3 CKV_AZURE_14 CKV_AWS_30",
    "cloud-old-tls": "CKV_AWS_103 CKV_AWS_174 CKV_AZURE_44 CKV_GCP_4",
    "cloud-database-public": "CKV_AWS_17 CKV_GCP_11 CKV_AZURE_53",
    "cloud-iam-wildcard": "CKV_AWS_1 CKV_AWS_62 CKV_AWS_63 CKV_AWS_49",
    "cloud-no-logging": "CKV_AWS_18 CKV_AWS_37 CKV_AWS_67 CKV_AWS_71",
    "cloud-no-way-back": "CKV_AWS_21 CKV_AWS_133 CKV_GCP_78",
    "cloud-metadata-v1": "CKV_AWS_79",
    "cloud-key-not-rotated": "CKV_AWS_7 CKV_GCP_43",
    "cloud-machine-public": "CKV_AWS_88 CKV_GCP_40",
    "cloud-registry-mutable": "CKV_AWS_51",
    "cloud-cluster-public": "CKV_AWS_38 CKV_AWS_39",
    "cloud-secret-literal": "CKV_AWS_41 CKV_AWS_45 CKV_AWS_46",
    "dockerfile-base-latest": "CKV_DOCKER_7",
    "dockerfile-no-healthcheck": "CKV_DOCKER_2",
    "dockerfile-root-user": "CKV_DOCKER_3 CKV_DOCKER_8",
    "dockerfile-add-local": "CKV_DOCKER_4",
    "dockerfile-sudo": "CKV2_DOCKER_1",
    "container-privileged": "CKV_K8S_16",
    "container-privilege-escalation": "CKV_K8S_20",
    "container-host-namespace": "CKV_K8S_17 CKV_K8S_18 CKV_K8S_19",
    "container-writable-root": "CKV_K8S_22",
    "container-runs-as-root": "CKV_K8S_23 CKV_K8S_40",
    "container-capabilities-kept": "CKV_K8S_28 CKV_K8S_37",
    "container-capability-added": "CKV_K8S_25 CKV_K8S_39",
    "container-runtime-socket": "CKV_K8S_27",
    "container-host-port": "CKV_K8S_26",
    "container-image-latest": "CKV_K8S_14",
    "container-image-unpinned": "CKV_K8S_43",
    "container-no-limits": "CKV_K8S_10 CKV_K8S_11 CKV_K8S_12 CKV_K8S_13",
    "container-no-probe": "CKV_K8S_8 CKV_K8S_9",
    "container-no-seccomp": "CKV_K8S_31",
    "kubernetes-token-mounted": "CKV_K8S_38",
    "kubernetes-rbac-wildcard": "CKV_K8S_49",
}
_ALIKE = {ident: name for name, idents in _MEANS.items() for ident in idents.split()}
_OURS = (*CLOUD.values(), *CONTAINER_RULES, *DOCKERFILE.values(), *KUBERNETES.values())
RULES = MappingProxyType(
    renamed("checkov", _OURS, _ALIKE)
    | {"other": other("checkov", "resource", "at https://www.checkov.io", "infrastructure-as-code")}
)
_KNOWN = Known(
    "known.tf",
    b'resource "aws_security_group" "a" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = "tcp"\n'
    b'    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n',
    "CKV_AWS_24",
)


def _command(_folder: Path, _names: Sequence[str]) -> list[str]:
    return [
        "--directory", ".", "--output", "json", "--compact", "--skip-download", "--soft-fail",
        "--download-external-modules", "false", "--framework", *FRAMEWORKS,
    ]  # fmt: skip


def _read(done: Completed) -> Report:
    """What failed, and what a comment in the file told it to skip: whoever wrote the file must not decide that."""
    value = done.json()
    said: list[Said] = []
    unread: dict[str, str] = {}
    for part in value if isinstance(value, list) else [value]:
        results, summary = whole(part["results"], dict), whole(part["summary"], dict)
        failed, skipped = whole(results["failed_checks"], list), whole(results["skipped_checks"], list)
        if len(failed) != whole(summary["failed"], int) or len(skipped) != whole(summary["skipped"], int):
            raise ToolFailed(done.tool, "counts other findings than it lists")
        unread |= {_inside(path): "it cannot be parsed" for path in whole(results["parsing_errors"], list)}
        for row in (*failed, *skipped):
            first, last = (whole(line, int) for line in row["file_line_range"])
            path = whole(row["file_path"], str)
            resource = squeezed(row["resource"], 120).removeprefix(path).lstrip(".") or "the file"
            name = path.lstrip("/")
            message = f"{resource}: {squeezed(row['check_name'])}"
            said.append(Said(name, whole(row["check_id"], str), message, max(first, 0), last, key=resource))
    return Report(tuple(said), unread)


def _inside(path: object) -> str:
    """A path of ours as it was given: it prints whole ones. Ours are a folder and a name."""
    return "/".join(Path(whole(path, str)).parts[-2:])


WRAPPED = Wrapped(CHECKOV, _command, _read, RULES, _KNOWN)


def _accepts(artifact: Artifact) -> bool:
    return artifact.kind.value == "dockerfile" or artifact.uri.endswith((".tf", ".yaml", ".yml", ".json", ".template"))


@check(
    "checkov",
    kinds={"dockerfile", "iac"},
    scope="batch",
    needs=(CHECKOV,),
    accepts=_accepts,
    options={"required": False},
    canary=Canary(files={"main.tf": _KNOWN.content}, rule="checkov-cloud-network-open"),
    timeout=900.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch: Terraform, CloudFormation, Kubernetes and Dockerfiles. It asks nothing of a network, and
    skip comments and settings of the workspace are not followed."""
    yield from ask(artifacts, context, WRAPPED)
