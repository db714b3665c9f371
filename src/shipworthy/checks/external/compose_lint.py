"""Compose files as compose-lint sees them, when it is installed: a second witness beside `compose`."""

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
from shipworthy.checks.infrastructure.compose import RULES as OURS
from shipworthy.checks.infrastructure.compose import is_compose
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.tools import Completed, ToolFailed

__all__ = ["RULES", "scan"]

COMPOSE_LINT = optional("compose-lint", ">=0.30,<1")
_MORE = dict.fromkeys(("CL-0011", "CL-0024", "CL-0027", "CL-0028", "CL-0029", "CL-0030"), "container-capability-added")
_ALIKE = {
    "CL-0001": "container-runtime-socket", "CL-0002": "container-privileged",
    "CL-0003": "container-privilege-escalation", "CL-0004": "container-image-latest", "CL-0005": "compose-port-open",
    "CL-0006": "container-capabilities-kept",
    "CL-0007": "container-writable-root", "CL-0008": "container-host-namespace", "CL-0009": "container-unconfined",
    "CL-0010": "container-host-namespace", "CL-0013": "container-host-path", "CL-0016": "compose-device",
    "CL-0018": "container-runs-as-root", "CL-0019": "container-image-unpinned", "CL-0020": "container-secret-literal",
    "CL-0021": "container-secret-literal", "CL-0025": "container-host-path", "CL-0026": "container-no-limits", **_MORE,
}  # fmt: skip
RULES = MappingProxyType(
    renamed("compose-lint", OURS.values(), _ALIKE)
    | {"other": other("compose-lint", "service", "with `compose-lint check --explain`", "container-isolation")}
)
_KNOWN = Known("compose.yml", b"services:\n  a:\n    image: nginx\n    privileged: true\n", "CL-0002")
_SECRETS = {"CL-0020", "CL-0021"}


def _command(_folder: Path, names: Sequence[str]) -> list[str]:
    return [
        "check", "--format", "json", "--no-merge-overrides", "--no-env", "--allow-partial-coverage", "--", *names,
    ]  # fmt: skip


def _read(done: Completed) -> Report:
    value = whole(done.json(), dict)
    unread = {whole(row["file"], str): squeezed(row["message"], 120) for row in whole(value["errors"], list)}
    if "" in unread:
        raise ToolFailed(done.tool, unread[""])
    said = []
    for row in whole(value["findings"], list):
        ident = whole(row["rule_id"], str)
        service = whole(row.get("service") or "", str)
        # its message can quote what stands in the file, which is the secret
        message = "a credential is written into the file" if ident in _SECRETS else row["message"]
        severity = Severity(row["severity"])
        line = whole(row["line"] or 0, int)
        said.append(Said(row["file"], ident, f"service {service}: {message}", line, severity=severity, key=service))
    return Report(tuple(said), unread)


WRAPPED = Wrapped(COMPOSE_LINT, _command, _read, RULES, _KNOWN, ok=(0, 1, 2))


@check(
    "compose-lint",
    kinds={"iac"},
    scope="batch",
    needs=(COMPOSE_LINT,),
    accepts=is_compose,
    options={"required": False},
    canary=Canary(files={"compose.yml": _KNOWN.content}, rule="compose-lint-container-privileged"),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch, each file by itself; suppressions and settings of the workspace are not followed."""
    yield from ask(artifacts, context, WRAPPED)
