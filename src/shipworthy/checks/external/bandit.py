"""Python code as bandit sees it, when it is installed: a second witness beside `python-ml` and `python-security`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.code._ml_rules import RULES as ML
from shipworthy.checks.code._ruff_rules import RULES as RUFF
from shipworthy.checks.code._source import looks_python
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
from shipworthy.model import Artifact, Confidence, Finding, Severity
from shipworthy.tools import Completed

__all__ = ["RULES", "scan"]

BANDIT = optional("bandit", ">=1.7.5,<2")
_LEVEL = {"LOW": "low", "MEDIUM": "medium", "HIGH": "high", "UNDEFINED": "low"}
_ALIKE = {
    "B104": "binds-all-interfaces", "B201": "debug-server", "B202": "tar-extract-unfiltered", "B301": "pickle-load",
    "B302": "pickle-load", "B501": "tls-verification-disabled", "B506": "yaml-load-unsafe", "B614": "torch-load-unsafe",
    "B615": "unpinned-model-download", **{f"B{code[1:]}": rule.id for code, rule in RUFF.items()},
}  # fmt: skip
RULES = MappingProxyType(
    renamed("bandit", (*ML.values(), *RUFF.values()), _ALIKE)
    | {"other": other("bandit", "code", "at https://bandit.readthedocs.io", "secure-coding-python")}
)
# What is rarely a weakness (asserts, silent excepts, random numbers, imports, subprocesses without a shell), and
# passwords, which the checks of secrets look for without naming the value.
_DROPPED = frozenset(
    "B101 B105 B106 B107 B110 B112 B303 B311 B404 B405 B406 B407 B408 B409 B410 B411 B412 B413 B401 B402 B403 B415 "
    "B603 B607".split()
)
_KNOWN = Known("known.py", b"import pickle\n\npickle.load(open('a', 'rb'))\n", "B301")


def _command(_folder: Path, names: Sequence[str]) -> list[str]:
    return ["--format", "json", "--quiet", "--ignore-nosec", "--exit-zero", "--", *names]


def _read(done: Completed) -> Report:
    value = whole(done.json(), dict)
    unread = {_file(row["filename"]): squeezed(row["reason"], 80) for row in whole(value["errors"], list)}
    looked = frozenset(_file(name) for name in whole(value["metrics"], dict) if name != "_totals")
    said = []
    for row in whole(value["results"], list):
        lines = [whole(line, int) for line in whole(row["line_range"], list)]
        weakness = whole(row.get("issue_cwe") or {}, dict).get("id", "")
        said.append(
            Said(
                _file(row["filename"]),
                whole(row["test_id"], str),
                row["issue_text"],
                line=whole(row["line_number"], int),
                end_line=max(lines, default=0),
                severity=Severity(_LEVEL[row["issue_severity"]]),
                confidence=Confidence(_LEVEL[row["issue_confidence"]]),
                cwe=f"CWE-{weakness}",
            )
        )
    return Report(tuple(said), unread, looked)


def _file(name: object) -> str:
    return str(whole(name, str)).removeprefix("./")


WRAPPED = Wrapped(BANDIT, _command, _read, RULES, _KNOWN, dropped=_DROPPED)


@check(
    "bandit",
    kinds={"code"},
    scope="batch",
    needs=(BANDIT,),
    accepts=looks_python,
    options={"required": False},
    canary=Canary(files={"train.py": _KNOWN.content}, rule="bandit-pickle-load"),
    timeout=900.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch; `# nosec` and settings of the workspace are not followed."""
    yield from ask(artifacts, context, WRAPPED)
