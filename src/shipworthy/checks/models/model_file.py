"""Model files that would run code, hide something or differ between readers when they are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shipworthy.check import Canary, Context, Yielded, check
from shipworthy.checks.models import _beside, _pins
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity, Skipped
from shipworthy.modelfile import Code, Issue, Report, scan, scan_stream

_UNSAFE = ("CWE-502", "AML.T0010.003", "AML.T0011.000", "LLM03:2025", "ML06:2023")
_FORGED = ("CWE-345", "AML.T0010.003", "LLM03:2025")
_USE_SAFE = "Ask for the model as safetensors or ONNX, or load it in a sandbox that has no network, secrets or disk."

CODE_EXECUTION = Rule(
    "model-code-execution",
    title="Loading the model runs code",
    severity=Severity.CRITICAL,
    description="Unpickling imports and calls whatever the file names. This file names something that starts "
    "programs, runs code, or hides what it calls. It happens on load, before the model predicts anything.",
    remedy="Do not load the file. Find out who made it and how it got here. If you made it, and it needs a name that "
    'can be put to harmless use, allow this one: under `[scan]`, for instance `trust = ["operator:attrgetter"]`. '
    f"{_USE_SAFE}",
    taxonomy=(*_UNSAFE, "CWE-506", "AML.T0018.002"),
    help="unsafe-model-deserialization",
)
UNKNOWN_CALLABLE = Rule(
    "model-unknown-callable",
    title="Loading the model calls something that is not known to be harmless",
    severity=Severity.HIGH,
    description="A list of dangerous names is never complete, so every call of a name that honest model files are not "
    "known to need counts as a risk until somebody has looked at it.",
    remedy="Look at what is called and with which arguments. If it is your own code, or that of a library which you "
    "chose and pin, vouch for it: under `[scan]`, "
    f'`trust = ["mypackage.models:*", "skorch.*:*"]`. Otherwise: {_USE_SAFE[0].lower()}{_USE_SAFE[1:]}',
    taxonomy=(*_UNSAFE, "CWE-829"),
    help="unsafe-model-deserialization",
)
UNKNOWN_NAME = Rule(
    "model-unknown-name",
    title="Loading the model imports something that is not known to be harmless",
    severity=Severity.HIGH,
    description="Importing a module already runs its code, and the imported object becomes part of the model.",
    remedy="If it is your own code, or that of a library which you chose and pin, vouch for it: under "
    '`[scan]`, `trust = ["mypackage.models:*", "skorch.*:*"]`. Otherwise find out which library it belongs to.',
    taxonomy=(*_UNSAFE, "CWE-829"),
    help="unsafe-model-deserialization",
)
STATE_TAMPERING = Rule(
    "model-state-tampering",
    title="Loading the model changes functions, classes or an object's methods",
    severity=Severity.HIGH,
    description="The file sets state where picklers never do: on an imported name, or twice on one object. That is "
    "how a harmless-looking object is turned into one that runs code.",
    remedy=f"Do not load the file. {_USE_SAFE}",
    taxonomy=(*_UNSAFE, "CWE-913"),
    help="unsafe-model-deserialization",
)
BROKEN_STREAM = Rule(
    "model-broken-stream",
    title="The model file is broken or was assembled by hand",
    severity=Severity.HIGH,
    description="A loader stops with an error at a broken place, after it has run everything before it. Attackers "
    "break files on purpose, because scanners give up where loaders have already acted.",
    remedy="Fetch the file again and compare its digest with the publisher's. If it is the same, do not load it.",
    taxonomy=(*_UNSAFE, "CWE-754"),
    help="tampered-model-file",
)
CONTAINER_TAMPERED = Rule(
    "model-container-tampered",
    title="Two readers see two different models in this file",
    severity=Severity.HIGH,
    description="The archive or header contradicts itself: what a scanner checks need not be what the loader loads.",
    remedy="Do not use the file. Write the model again with the library's own save function.",
    taxonomy=(*_FORGED, "CWE-354"),
    help="tampered-model-file",
)
HIDDEN_PAYLOAD = Rule(
    "model-hidden-payload",
    title="Something is hidden in the model file",
    severity=Severity.HIGH,
    description="There is content where the format has room for none: a second model, an unlisted member, bytes "
    "between tensors. Another loader, or a later stage of an attack, may use it.",
    remedy="Do not use the file. Write the model again with the library's own save function.",
    taxonomy=(*_FORGED, "CWE-506", "AML.T0018.002"),
    help="tampered-model-file",
)
UNEXPLAINED_BYTES = Rule(
    "model-unexplained-bytes",
    title="Bytes of the model file belong to nothing",
    severity=Severity.MEDIUM,
    description="Bytes that no part of the format explains are read by no honest loader, but they can carry data or "
    "code.",
    remedy="Write the model again with the library's own save function, or find out which tool added the bytes.",
    taxonomy=_FORGED,
    help="tampered-model-file",
)
BOMB = Rule(
    "model-decompression-bomb",
    title="Loading the model costs far more than its size",
    severity=Severity.HIGH,
    description="Compressed data, declared sizes or nested containers grow beyond what any model needs: the loader "
    "runs out of memory, disk or time.",
    remedy="Do not load the file. If the model really is that large, store it without compression.",
    taxonomy=("CWE-409", "CWE-770", "AML.T0029", "LLM10:2025"),
    help="tampered-model-file",
)
PATH_TRAVERSAL = Rule(
    "model-path-traversal",
    title="The model reaches files outside of its own folder",
    severity=Severity.HIGH,
    description="A member, link or reference leads elsewhere: loading or unpacking reads or overwrites other files of "
    "this machine.",
    remedy="Do not unpack or load the file. Write the model again so that everything it needs lies beside it.",
    taxonomy=("CWE-22", "CWE-59", "AML.T0010.003", "LLM03:2025"),
    help="model-path-traversal",
)
EXTERNAL_DATA = Rule(
    "model-external-data",
    title="The model needs data from outside of the file",
    severity=Severity.MEDIUM,
    description="What the model is depends on another file or address, which this file's digest and signature do not "
    "cover.",
    remedy="Store the data inside the model, or ship and sign the other file together with it.",
    taxonomy=("CWE-829", "AML.T0010.003", "LLM03:2025"),
    help="model-path-traversal",
)
CUSTOM_OPERATOR = Rule(
    "model-custom-operator",
    title="The model uses an operator of no standard domain",
    severity=Severity.HIGH,
    description="Such an operator runs only when a native library of its own is loaded: the model is no longer just "
    "data.",
    remedy="Export the model with standard operators, or review, pin and sign the library that provides the operator "
    'and vouch for it: under `[scan]`, `trust = ["my.domain:*"]`.',
    taxonomy=("CWE-829", "AML.T0010.001", "LLM03:2025"),
    help="model-custom-operator",
)
DANGEROUS_OPERATOR = Rule(
    "model-dangerous-operator",
    title="The model's graph reads or writes files, or reaches out",
    severity=Severity.HIGH,
    description="The framework itself provides operators that read and write files, open connections or call back "
    "into Python. They run with all rights of the process as soon as the graph does, some already while it is loaded.",
    remedy="Do not load the model. Export it again without these operators: what a model needs from files belongs in "
    "its assets.",
    taxonomy=("CWE-73", "CWE-506", "AML.T0010.003", "AML.T0018.002", "LLM03:2025"),
    help="model-custom-operator",
)
KERAS_LAMBDA = Rule(
    "model-keras-lambda",
    title="The Keras model contains a Lambda layer",
    severity=Severity.CRITICAL,
    description="A Lambda layer stores Python bytecode, which runs with all rights of the process that uses the model.",
    remedy="Replace the layer by a registered Keras layer class, and load with `safe_mode=True`.",
    taxonomy=("CWE-94", *_UNSAFE),
    help="keras-lambda",
)
KERAS_FOREIGN_CLASS = Rule(
    "model-keras-foreign-class",
    title="The Keras model is built from code outside of Keras",
    severity=Severity.HIGH,
    description="Keras imports the module (high) or asks the program for a class that it must have registered "
    "(medium), and builds what the configuration names, with arguments from the "
    "file.",
    remedy='If it is your own code, vouch for it: under `[scan]`, `trust = ["mypackage.layers:*"]`. Otherwise do '
    "not load the model.",
    taxonomy=("CWE-470", *_UNSAFE),
    help="keras-lambda",
)
FOREIGN_CONTENT = Rule(
    "model-foreign-content",
    title="The model file is or contains a program or a foreign archive",
    severity=Severity.HIGH,
    description="No model format holds programs or archives that no loader reads: they are there to be run, or to "
    "hide.",
    remedy="Do not use the file. Find out how it got here.",
    taxonomy=("CWE-506", "CWE-434", "AML.T0018.002", "AML.T0074", "LLM03:2025"),
    help="tampered-model-file",
)
YAML_OBJECT = Rule(
    "model-config-yaml-object",
    title="A YAML file builds Python objects when it is loaded",
    severity=Severity.HIGH,
    description="Loaders other than `yaml.safe_load` call what such a tag names, with arguments from the file.",
    remedy="Remove the tag, and read the file with `yaml.safe_load` only.",
    taxonomy=("CWE-502", "AML.T0010.003", "AML.T0011.000", "LLM03:2025"),
    help="unsafe-model-deserialization",
)
TEMPLATE_ESCAPE = Rule(
    "model-config-template-escape",
    title="A template reaches for Python's internals",
    severity=Severity.HIGH,
    description="Chat templates are Jinja programs that run when a prompt is made. Honest ones never ask for classes, "
    "globals or builtins: that is how a template leaves its sandbox and runs commands.",
    remedy="Do not use the model. Find out who made the template.",
    taxonomy=("CWE-1336", "CWE-94", "AML.T0010.003", "LLM03:2025"),
    help="unsafe-model-deserialization",
)
REMOTE_CODE = Rule(
    "model-config-remote-code",
    title="The model needs code that comes with it or from another repository",
    severity=Severity.HIGH,
    description="`auto_map` and custom pipelines, handlers and loader modules make the library run code that somebody "
    "put beside the model. With `owner/repository--module.Class`, `trust_remote_code=True` downloads and runs code "
    "that is not even there, in whatever state it is then (high; medium where the code is not looked for or only the "
    "library's question stands before it).",
    remedy="Copy the reviewed code beside the model and sign it with the model, or use a model that the library "
    "supports by itself.",
    taxonomy=("CWE-829", "CWE-494", "AML.T0010.001", "LLM03:2025"),
    help="unsafe-model-deserialization",
)

_RULES: dict[Code, Rule] = {
    Code.CODE_EXECUTION: CODE_EXECUTION,
    Code.UNKNOWN_CALLABLE: UNKNOWN_CALLABLE,
    Code.UNKNOWN_NAME: UNKNOWN_NAME,
    Code.STATE_TAMPERING: STATE_TAMPERING,
    Code.BROKEN_STREAM: BROKEN_STREAM,
    Code.CONTAINER_TAMPERED: CONTAINER_TAMPERED,
    Code.HIDDEN_PAYLOAD: HIDDEN_PAYLOAD,
    Code.UNEXPLAINED_BYTES: UNEXPLAINED_BYTES,
    Code.BOMB: BOMB,
    Code.PATH_TRAVERSAL: PATH_TRAVERSAL,
    Code.EXTERNAL_DATA: EXTERNAL_DATA,
    Code.CUSTOM_OPERATOR: CUSTOM_OPERATOR,
    Code.DANGEROUS_OPERATOR: DANGEROUS_OPERATOR,
    Code.KERAS_LAMBDA: KERAS_LAMBDA,
    Code.KERAS_FOREIGN_CLASS: KERAS_FOREIGN_CLASS,
    Code.FOREIGN_CONTENT: FOREIGN_CONTENT,
    Code.REMOTE_CODE: REMOTE_CODE,
    Code.TEMPLATE_ESCAPE: TEMPLATE_ESCAPE,
    Code.YAML_OBJECT: YAML_OBJECT,
}

_UNKNOWN = (Code.UNKNOWN_CALLABLE, Code.UNKNOWN_NAME)

# Protocol 0 by hand: GLOBAL os.system, MARK, a text, TUPLE, REDUCE, STOP. It is only ever read, never loaded.
_CANARY = b"cos\nsystem\n(S'echo shipworthy canary'\ntR."


CHECK_NAME = "model-file"


@check(
    CHECK_NAME,
    kinds={"model"},
    version=24,
    timeout=300.0,
    cache_on=_pins.state,
    cache_beside=_beside.state,
    canary=Canary(files={"canary.pkl": _CANARY}, rule="model-code-execution"),
)
def run(artifact: Artifact, context: Context) -> Yielded:
    """Read one model file with the reader of its format. What could not be read to the end is skipped, by name."""
    if artifact.path is not None:
        report = scan(artifact.path, trust=context.trust)
    else:
        with artifact.open() as stream:
            report = scan_stream(stream, trust=context.trust)
    yield from findings_of(artifact, report, context.root)
    yield from skipped_of(artifact, report)


def findings_of(artifact: Artifact, report: Report, root: Path | None = None) -> Iterator[Finding]:
    """The issues of a scan as findings. With `root`, unknown names are explained by what that workspace pins."""
    unknown = any(issue.code in _UNKNOWN and issue.callable for issue in report.issues)
    known = _pins.pins(root) if root and unknown else None
    for issue in report.issues:
        yield _finding(artifact, issue, known)


def skipped_of(artifact: Artifact, report: Report) -> Iterator[Skipped]:
    """What of the artifact the scan could not read."""
    if report.unknowns:
        more = f" (and {len(report.unknowns) - 1} more)" if len(report.unknowns) > 1 else ""
        yield Skipped(artifact, f"{report.unknowns[0]}{more}")


def _finding(artifact: Artifact, issue: Issue, known: dict[str, _pins.Pin] | None = None) -> Finding:
    rule = _RULES[issue.code]
    severity = Severity(issue.severity)
    times = f" ({issue.count} times)" if issue.count > 1 else ""
    pinned = _pins.explain(issue.callable, known) if known and issue.code in _UNKNOWN else ""
    # the same import at another offset is the same finding
    key = "|".join((issue.callable or issue.message, issue.where.member))
    return rule.at(
        artifact,
        f"{issue.message}{pinned}{times}",
        evidence=f"{issue.callable}{issue.arguments}",
        key=key,
        severity=severity,
        confidence=Confidence.MEDIUM if severity < Severity.HIGH else None,
        member=issue.where.member or None,
        offset=issue.where.offset,
    )
