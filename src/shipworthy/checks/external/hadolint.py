"""Dockerfiles as hadolint sees them, when it is installed: a second witness beside `dockerfile`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.external._wrapped import Known, Report, Said, Wrapped, ask, optional, other, renamed, whole
from shipworthy.checks.infrastructure._dockerfile_rules import RULES as OURS
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.tools import Completed, ToolFailed

__all__ = ["RULES", "scan"]

HADOLINT = optional("hadolint", ">=2.12,<3")
_SEVERITY = {"error": Severity.MEDIUM, "warning": Severity.LOW, "info": Severity.INFO, "style": Severity.INFO}
_PACKAGES = dict.fromkeys(("DL3008", "DL3018", "DL3033", "DL3037", "DL3041"), "dockerfile-packages-unpinned")
_ALIKE = {
    "DL3002": "dockerfile-root-user", "DL3004": "dockerfile-sudo", "DL3006": "dockerfile-base-latest",
    "DL3007": "dockerfile-base-latest", "DL3009": "dockerfile-packages-left", "DL3013": "dockerfile-pip-unhashed",
    "DL3016": "dockerfile-npm-unlocked", "DL3020": "dockerfile-add-local", **_PACKAGES,
}  # fmt: skip
RULES = MappingProxyType(
    renamed("hadolint", OURS.values(), _ALIKE)
    | {"other": other("hadolint", "Dockerfile", "at https://github.com/hadolint/hadolint/wiki", "build-inputs")}
)
_KNOWN = Known("Dockerfile", b"FROM debian:latest\nRUN true\n", "DL3007")


def _command(_folder: Path, names: Sequence[str]) -> list[str]:
    return ["--no-color", "--disable-ignore-pragma", "--format", "json", "--config", "/dev/null", "--", *names]


def _read(done: Completed) -> Report:
    said, unread = [], {}
    for row in whole(done.json(), list):
        name, code = whole(row["file"], str), whole(row["code"], str)
        if code == "DL1000":  # it could not be parsed
            unread[name] = f"line {whole(row['line'], int)}"
            continue
        level = whole(row["level"], str)
        severity = _SEVERITY.get(level)
        if severity is None:
            raise ToolFailed(done.tool, "reported a level that is not known")
        said.append(Said(name, code, row["message"], line=whole(row["line"], int), severity=severity))
    return Report(tuple(said), unread)


WRAPPED = Wrapped(HADOLINT, _command, _read, RULES, _KNOWN)


@check(
    "hadolint",
    kinds={"dockerfile"},
    scope="batch",
    needs=(HADOLINT,),
    options={"required": False},
    canary=Canary(files={"Dockerfile": _KNOWN.content}, rule="hadolint-dockerfile-base-latest"),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch; ignore comments and settings of the workspace are not followed."""
    yield from ask(artifacts, context, WRAPPED)
