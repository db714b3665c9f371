"""Terraform as tflint sees it, when it is on PATH: a second witness beside our own check of it."""

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
from shipworthy.checks.infrastructure._cloud_rules import MODULE
from shipworthy.model import Artifact, Finding, Severity
from shipworthy.tools import Completed, ToolFailed

__all__ = ["RULES", "scan"]

TFLINT = optional("tflint", ">=0.47,<1")
_SEVERITY = {"error": Severity.MEDIUM, "warning": Severity.LOW, "info": Severity.INFO, "notice": Severity.INFO}
_ALIKE = {"terraform_module_pinned_source": MODULE.id, "terraform_module_version": MODULE.id}
RULES = MappingProxyType(
    renamed("tflint", (MODULE,), _ALIKE)
    | {
        "other": other(
            "tflint", "Terraform code", "at https://github.com/terraform-linters/tflint", "infrastructure-as-code"
        )
    }
)
_KNOWN = Known("known.tf", b'variable "known" {}\n', "terraform_typed_variables")


def _command(_folder: Path, _names: Sequence[str]) -> list[str]:
    return ["--recursive", "--format", "json", "--no-color"]


def _read(done: Completed) -> Report:
    """Issues, and what could not be read. An error without a place is the run's. Source: formatter/json.go of 0.47 to
    0.60."""
    value = whole(done.json(), dict)
    unread: dict[str, str] = {}
    for row in whole(value["errors"], list):
        why = squeezed(row.get("summary") or row["message"], 80)
        place = row.get("range")
        if not isinstance(place, dict):
            raise ToolFailed(done.tool, f"tells of an error: {why}")
        unread[whole(place["filename"], str)] = why
    said = []
    for row in whole(value["issues"], list):
        place, rule = whole(row["range"], dict), whole(row["rule"], dict)
        first, last = (whole(place[key]["line"], int) for key in ("start", "end"))
        severity = _SEVERITY[whole(rule["severity"], str).lower()]
        name, ident = whole(place["filename"], str), whole(rule["name"], str)
        said.append(Said(name, ident, row["message"], first, last, severity=severity))
    return Report(tuple(said), unread)


WRAPPED = Wrapped(TFLINT, _command, _read, RULES, _KNOWN, ok=(0, 1, 2), marks=(b"tflint-ignore",))


@check(
    "tflint",
    kinds={"iac"},
    scope="batch",
    needs=(TFLINT,),
    accepts=lambda artifact: artifact.uri.endswith((".tf", ".tf.json")),
    options={"required": False},
    canary=Canary(
        files={"main.tf": b'module "m" {\n  source = "git::https://example.com/m.git"\n}\n'},
        rule="tflint-terraform-module-unpinned",
    ),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch by the rules that come with it. It fetches nothing; ignore comments and settings of the
    workspace, and its plugins, are not followed."""
    yield from ask(artifacts, context, WRAPPED)
