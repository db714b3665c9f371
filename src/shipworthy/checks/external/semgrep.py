"""Code as semgrep sees it with rules of ours, when it is installed: what flows from requests to dangerous places."""

# ruff: noqa: E501  (a table: one rule, one row)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.code._source import looks_python
from shipworthy.checks.code.javascript import looks_javascript
from shipworthy.checks.external._wrapped import Known, Report, Said, Wrapped, ask, optional, other, squeezed, whole
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.tools import Completed, ToolFailed

__all__ = ["RULES", "scan"]

SEMGREP = optional("semgrep", ">=1.100,<2")
RULES_FILE = Path(__file__).with_name("semgrep_rules.yaml")
_TABLE = (
    ("request-to-sql", "high", "CWE-89", "A request becomes part of an SQL statement", "Whoever sends it can read and change what is in the database.", "Pass values as parameters: cursor.execute('select * from t where id = ?', (value,))."),
    ("request-to-command", "critical", "CWE-78", "A request becomes part of a command line", "Whoever sends it can run programs on the machine.", "Pass a list without a shell, and choose the program from a fixed table."),
    ("request-to-code", "critical", "CWE-95", "A request is run as code", "Whoever sends it can do all that this program can.", "Parse data as data: json.loads or ast.literal_eval."),
    ("request-to-template", "high", "CWE-1336", "A request is rendered as a template", "Template languages reach the program's objects, and with them everything.", "Render a fixed template, and pass the value as one of its variables."),
    ("request-to-object", "critical", "CWE-502", "A request is deserialised into any object", "A pickle runs what its author wants while it is read.", "Take JSON, or safetensors for weights; verify a signature before anything else is read."),
    ("request-to-path", "medium", "CWE-22", "A request chooses a file", "With `..` in the name other files are read, replaced or removed.", "Look the name up in a fixed table, or resolve it and require that it stays in its folder."),
    ("request-to-address", "medium", "CWE-918", "A request chooses the address that is fetched", "The service reaches addresses that others do not: metadata of the cloud, databases.", "Allow a fixed list of hosts, and refuse private addresses after the name is resolved."),
    ("model-output-to-code", "critical", "CWE-95", "What a language model answers is run", "Whoever can write into the prompt decides what the model answers, and with it what runs.", "Take the answer as data: match it to a fixed list of actions, in a sandbox if code is needed."),
    ("torch-load-anything", "medium", "CWE-502", "torch.load may run code from the file", "Loading a pickle runs whatever its author put in.", "Write torch.load(path, weights_only=True), or ship safetensors."),
    ("remote-code-trusted", "high", "CWE-94", "Code that comes with a model is run", "Whoever can change the model's repository runs code here.", "Use a model that needs no code of its own, or pin the revision and read the code."),
)  # fmt: skip
_LLM = {"model-output-to-code": ("LLM05:2025",), "remote-code-trusted": ("AML.T0010.003",)}


def _rule(ident: str, severity: str, cwe: str, title: str, why: str, remedy: str) -> Rule:
    return Rule(
        f"semgrep-{ident}", title, Severity(severity), why, remedy, Confidence.MEDIUM, (cwe, *_LLM.get(ident, ())),
        "secure-coding-python",
    )  # fmt: skip


_RULES = {row[0]: _rule(*row) for row in _TABLE}
RULES = MappingProxyType(
    _RULES
    | {f"js-{name}": _RULES[name] for name in ("request-to-command", "request-to-code", "request-to-sql")}
    | {"other": other("semgrep", "code", "in the rules that were used", "secure-coding-python")}
)
_KNOWN = Known(
    "known.py", b"import os\nimport flask\n\n\ndef f():\n    os.system(flask.request.args['a'])\n", "request-to-command"
)
_LEVEL = {"CRITICAL", "HIGH", "MEDIUM", "LOW", "ERROR", "WARNING", "INFO"}


def _command(folder: Path, names: Sequence[str]) -> list[str]:
    (folder / "rules.yaml").write_bytes(RULES_FILE.read_bytes())  # beside the files, or their ids have its path
    return [
        "scan", "--config", "rules.yaml", "--metrics=off", "--disable-version-check", "--disable-nosem",
        "--timeout", "30", "-j", "1", "--no-git-ignore", "--scan-unknown-extensions", "--json", "--quiet", "--", *names,
    ]  # fmt: skip


def _read(done: Completed) -> Report:
    value = whole(done.json(), dict)
    unread = {}
    for row in whole(value["errors"], list):
        said_of, path = squeezed(row.get("message", ""), 100), row.get("path")
        if not isinstance(path, str):
            raise ToolFailed(done.tool, f"tells of an error: {said_of}")
        unread[path] = squeezed(row.get("type") if isinstance(row.get("type"), str) else said_of, 60)
    said = []
    for row in whole(value["results"], list):
        extra = row["extra"]
        if extra["severity"] not in _LEVEL:
            raise ToolFailed(done.tool, "reported a severity that is not known")
        first, last = whole(row["start"]["line"], int), whole(row["end"]["line"], int)
        said.append(Said(row["path"], whole(row["check_id"], str), extra["message"], first, last))
    return Report(tuple(said), unread, frozenset(whole(value["paths"]["scanned"], list)))


WRAPPED = Wrapped(SEMGREP, _command, _read, RULES, _KNOWN)


@check(
    "semgrep",
    kinds={"code"},
    scope="batch",
    needs=(SEMGREP,),
    accepts=lambda artifact: looks_python(artifact) or looks_javascript(artifact),
    options={"required": False},
    canary=Canary(files={"app.py": _KNOWN.content}, rule="semgrep-request-to-command"),
    timeout=900.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch; nothing is fetched or sent, and `nosem` comments are not followed."""
    yield from ask(artifacts, context, WRAPPED)
