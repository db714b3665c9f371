"""Dependencies whose name is nearly that of a well-known package."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.check import Canary, Skipped, check
from shipworthy.checks.dependencies import _npm_names
from shipworthy.checks.dependencies._manifest import Unread, is_manifest, parse
from shipworthy.checks.dependencies._names import near
from shipworthy.checks.dependencies._report import unread_parts
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity

_MOST = 3_000
_CONFIDENCE = {1: Confidence.LOW, 2: Confidence.MEDIUM, 3: Confidence.HIGH}

LOOKALIKE = Rule(
    "dependency-lookalike",
    "A dependency's name is nearly that of a well-known package",
    Severity.HIGH,
    "Malicious packages are registered under names that are typed, or made up by a code assistant, in place of the "
    "real one; their code runs at installation.",
    "Check the name. If the package is meant, waive the finding with the reason; if not, remove it, and treat "
    "machines that installed it as compromised until you know what it did.",
    taxonomy=("CWE-1357", "CWE-506", "CICD-SEC-3", "AML.T0011.001", "AML.T0010.001", "LLM03:2025"),
    help="malicious-packages",
)


@check(
    "dependency-typosquat",
    kinds={"requirements", "code"},
    accepts=is_manifest,
    version=4,
    canary=Canary(files={"requirements.txt": b"reqeusts==2.31.0\n"}, rule=LOOKALIKE.id),
)
def scan(artifact: Artifact) -> Iterator[Finding | Skipped]:
    """Findings of one manifest: by the name alone, whatever is behind it."""
    try:
        manifest = parse(artifact)
    except Unread as error:
        yield Skipped(artifact, f"the file {error}")
        return
    yield from unread_parts(artifact, manifest)
    lines: dict[tuple[str, str], int | None] = {}
    for item in manifest.dependencies:
        # Lock files of npm hold hundreds of names that nobody has typed.
        if item.name and item.source == "index" and (item.ecosystem == "PyPI" or manifest.format == "project"):
            lines.setdefault((item.ecosystem, item.name), item.line)
    if len(lines) > _MOST:
        yield Skipped(artifact, f"only the first {_MOST:,} of {len(lines):,} names were looked at", code="findings-cut")
    for (ecosystem, name), line in list(lines.items())[:_MOST]:
        found = near(name) if ecosystem == "PyPI" else _npm_names.near(name)
        if found:
            severity = (
                Severity.HIGH if found.sureness == 3 else Severity.MEDIUM if found.sureness == 2 else Severity.LOW
            )
            yield LOOKALIKE.at(
                artifact,
                f"{name} is not {found.known}: it {found.how}",
                evidence=name,
                line=line,
                severity=severity,
                confidence=_CONFIDENCE[found.sureness],
            )
