"""Secrets in files as gitleaks sees them, when it is on PATH: a second witness beside `secrets-files`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.external._wrapped import Known, Report, Said, Wrapped, ask, optional, whole
from shipworthy.checks.secrets._rules import RULES as OURS
from shipworthy.checks.secrets._rules import rule_for
from shipworthy.checks.secrets.files import sample_token
from shipworthy.model import Artifact, Finding, Rule
from shipworthy.tools import Completed

__all__ = ["RULES", "scan"]

GITLEAKS = optional("gitleaks", ">=8.24,<9")
_MADE = {
    rule.id: Rule(
        f"gitleaks-{rule.id.removeprefix('secret-')}", rule.title, rule.severity, rule.description, rule.remedy,
        rule.confidence, rule.taxonomy, rule.help,
    )
    for rule in OURS
}  # fmt: skip
# By the kinds of secret that we tell apart: it has far more names of its own, and `cwe` below names one of these.
RULES = MappingProxyType(_MADE | {"other": _MADE["secret-token"]})
_KNOWN = Known("known.py", sample_token(), "slack-bot-token")


def _command(_folder: Path, _names: Sequence[str]) -> list[str]:
    return [
        "dir", ".", "--report-format", "json", "--report-path", "-", "--no-banner", "--redact=100", "--exit-code", "0",
        "--ignore-gitleaks-allow", "--log-level", "error",
    ]  # fmt: skip


def _read(done: Completed) -> Report:
    """Nothing of the report's texts about a match is taken over: neither what it matched nor where in the line."""
    said: list[Said] = []
    for row in whole(done.json(), list):
        ident = whole(row["RuleID"], str)
        name = whole(row["File"], str).removeprefix("./")
        first, last = whole(row["StartLine"], int), whole(row["EndLine"], int)
        kind = rule_for(ident).id
        said.append(Said(name, ident, row["Description"], first, last, cwe=kind, key=f"{ident} {len(said)}"))
    return Report(tuple(said))


WRAPPED = Wrapped(GITLEAKS, _command, _read, RULES, _KNOWN, ok=(0,))


@check(
    "gitleaks",
    kinds={"code", "text", "requirements", "dockerfile", "iac", "workflow", "prompt"},
    scope="batch",
    needs=(GITLEAKS,),
    options={"required": False},
    canary=Canary(files={"settings.py": sample_token}, rule="gitleaks-token"),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch; `gitleaks:allow` and settings of the workspace are not followed."""
    yield from ask(artifacts, context, WRAPPED)
