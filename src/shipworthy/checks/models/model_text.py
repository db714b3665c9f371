"""Models that are written as text, such as JSON of Keras and XGBoost, LightGBM's text, PMML and OpenVINO's XML."""

from __future__ import annotations

from pathlib import Path

from shipworthy.check import Canary, Context, Yielded, check
from shipworthy.checks.models import _beside, _prototext
from shipworthy.checks.models._unjudged import NO_MODEL
from shipworthy.checks.models.model_config import code_beside, judges
from shipworthy.checks.models.model_file import _RULES, findings_of, skipped_of
from shipworthy.model import Artifact, Severity, Skipped
from shipworthy.modelfile import Code, namedcalls, pointers, scan, sniff
from shipworthy.modelfile.report import Issue
from shipworthy.patterns import regex
from shipworthy.records import replace

RULES = tuple(_RULES.values())
_HEAD, _MOST = 4096, 64 << 20
_MODEL_XML = regex(rb"<\0?(?:!DOCTYPE\s+)?(?:[\w.-]{1,99}:)?(?:PMML|net|ie|P\0M\0M\0L|n\0e\0t)\0?[\s>/\[]")
_NAMES_A_MODEL = regex(rb'"(?:gradient_booster|oblivious_trees|features_info|keras_version)"')
_FORMATS = frozenset({"json", "lightgbm", "xml", "keras-yaml"})
_CANARY = (
    '{"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "os.system", "config": {}}]},'
    ' "keras_version": "2.15.0", "backend": "tensorflow"}'
)


_GRAPH = regex(rb"(?m)^ {0,99}(?:node|node_def) ?\{\s{1,99}name: ?\"[^\"\n]{0,999}\"\s{1,99}op: ?\"\w")
_ONNX = regex(rb"(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n)*<\s*(?:ir_version|opset_import|producer_\w{1,9})\s*:")
_LOCATION = regex(rb"[\"']?location[\"']?\s{0,99}[:=]\s{0,99}\"([^\"\n]{0,4096})\"")
_PROGRAM = regex(rb"(?:\s|//[^\n]*\n)*+program\s*+\(\s*+\d[\w.]*+\s*+\)")
_BLOB_FILE = regex(rb"BLOBFILE([^;]{0,9999})")
_QUOTED = regex(rb"\"([^\"\n]*+)\"")
_TEXTS = frozenset({"text", "lightgbm", "keras-yaml"})
_R_VALUE = regex(rb"[\s\w.`\"#]{0,200}(?:<-|=|\(|#)")
_SETTINGS = (".toml", ".jsonnet", ".libsonnet", ".json5", ".jsonc", ".hjson", ".gin", ".conf", ".hocon", ".cfg", ".ini")
_MODELS = (".json", ".xml", ".mlir", ".jinja")  # in which models are; of pictures and papers nobody asks
_ACTING = (Code.TEMPLATE_ESCAPE, Code.REMOTE_CODE)
_LOADED = regex(r"(?m)^[ \t]*(?:load_models|model_store)[ \t]*[=: \t][ \t]*(.{1,2000})$")
_ADDRESS = regex(r"(?i)(?:https?|s3|ftp|gs)://|file:")
_JOINED = regex(r"\\\r?\n[ \t]*")
_ESCAPED = regex(r"\\(?:u([0-9a-fA-F]{4})|([:=\\/#! ]))")
_GIN = regex(r"(?m)^(?:import|from)[ \t]+([\w.]{1,200})(?:[ \t]+import[ \t]+(\w{1,200}))?")
# MLIR as text: a module or function of a dialect in which models are written
_MLIR = regex(rb"(?m)^\s*(?:module\b[^\n{]{0,999}\{|(?:func\.)?func\s)")
_DIALECT = regex(rb"\b(?:stablehlo|mhlo|chlo|vhlo|tf|tfl|tosa|torch|onnx|linalg|arith|tensor|llvm)\.\w")


def _onnx(artifact: Artifact, raw: bytes) -> Yielded:
    """ONNX has a form for people (.onnxtxt); here only the files are looked for that its tensors are read from."""
    from shipworthy.modelfile.paths import escapes

    for match in _LOCATION.finditer(raw):
        location = match[1].decode("utf-8", "replace")
        if escapes(location.replace("\\\\", "\\")):
            message = f"a tensor is read from {ascii(location)[:120]}, outside of the model's folder"
            yield _RULES[Code.PATH_TRAVERSAL].at(artifact, message, key=location[:100], severity=Severity.HIGH)
    yield Skipped(artifact, "an ONNX model in the text form, which this version does not read in full")


def _program(artifact: Artifact, raw: bytes) -> Yielded:
    """What Core ML compiles (`model.mil` in an .mlmodelc); here only the files are looked for that weights lie in."""
    from shipworthy.modelfile.paths import escapes

    for quoted in {text for match in _BLOB_FILE.finditer(raw) for text in _QUOTED.findall(match[1])}:
        place = quoted.decode("utf-8", "replace").removeprefix("@model_path/")
        if escapes(place):
            message = f"weights are read from {ascii(place)[:120]}, outside of the model's folder"
            yield _RULES[Code.PATH_TRAVERSAL].at(artifact, message, key=place[:100], severity=Severity.HIGH)
    yield Skipped(artifact, "a compiled program of Core ML, which this version does not read in full")


def _r_source(artifact: Artifact, raw: bytes) -> Yielded:
    """What `dput` and `dump` of R wrote is a program that makes the value."""
    from shipworthy.modelfile.rdata import source

    text = raw.decode("utf-8", "replace")
    if not source.is_data(text):
        return
    told = source.judge(text)
    for what, line in told.acts:
        message = f"whoever reads this value with dget or source runs it as R code, which {what}: do not read it"
        yield _RULES[Code.CODE_EXECUTION].at(artifact, message, key=what, line=line, severity=Severity.HIGH)
    if told.unsure:
        yield Skipped(artifact, f"a value as R source, which is run to be read: {told.unsure}")


def _torchserve(artifact: Artifact, raw: bytes) -> Yielded:
    """Settings of TorchServe, which loads and runs the archives that they name. Source: docs/configuration.md of 0.12;
    the form is that of java.util.Properties, with its escapes."""
    text = _JOINED.sub("", raw.decode("latin-1"))
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    for value in _LOADED.findall(text):
        if _ADDRESS.search(value):
            message = (
                f"TorchServe fetches and runs {ascii(value)[:160]} when it starts: no digest or signature covers it"
            )
            yield _RULES[Code.EXTERNAL_DATA].at(artifact, message, key=value[:100], severity=Severity.HIGH)


def _gin(artifact: Artifact, raw: bytes, context: Context) -> Yielded:
    """Modules beside a configuration of gin, which imports what it names (gin/config.py, `import_and_register`)."""
    from shipworthy.modelfile import localcode

    if artifact.path is None:
        return
    seen: set[Path] = set()
    for module, name in _GIN.findall(raw.decode("utf-8", "replace")):
        where = module.replace(".", "/")
        for folder in dict.fromkeys((artifact.path.parent, context.root)):
            ends = (f"{where}.py", f"{where}/__init__.py", f"{where}/{name}.py")
            found = [folder / end for end in ends if (folder / end).is_file()]
            for path in (one for one in found if one not in seen):
                seen.add(path)
                report = localcode.run(path, "gin imports", context.trust, foreign=False)
                yield from findings_of(artifact, report, context.root)


def _settings(artifact: Artifact, raw: bytes) -> Yielded:
    """Other forms of configurations: only the names are looked at that are called."""
    for key, name, reason in namedcalls.rough(raw.decode("utf-8", "replace")):
        message = f"{key} names {name}, which {reason}: what builds objects from this file calls it"
        yield _RULES[Code.CODE_EXECUTION].at(artifact, message, key=name, severity=Severity.CRITICAL)


def _inside(issue: Issue) -> bool:
    """Whether it is of a file inside, such as a pickle in base64."""
    return issue.severity == "high" and bool(issue.where.member)


def _others(artifact: Artifact) -> bool:
    return not judges(artifact) or artifact.uri.lower().endswith((".yaml", ".yml"))


@check(
    "model-text",
    version=10,
    kinds={"text"},
    accepts=_others,
    timeout=300.0,
    cache_on=code_beside,
    cache_beside=_beside.state,
    canary=Canary(files={"canary.json": _CANARY.encode()}, rule="model-code-execution"),
)
def run(artifact: Artifact, context: Context) -> Yielded:
    """Read the texts that are models, which their content tells. Every other text is left alone."""
    if artifact.path is None:
        return
    with artifact.open() as stream:
        raw = stream.read(_MOST)
    kind = sniff(raw[:_HEAD], artifact.size)
    if kind in _TEXTS and _prototext.may_be(raw) and (said := _prototext.judge(artifact, raw, context.trust)):
        yield from said
        return
    if artifact.uri.lower().endswith(_MODELS) and pointers.is_pointer(raw):
        yield Skipped(artifact, pointers.REASON)
        return
    if kind == "text" and _GRAPH.search(raw):
        yield Skipped(artifact, "a TensorFlow graph in the text form, which breaks off")
        return
    if (artifact.uri.lower().endswith(".mlir") or b"stablehlo." in raw) and _MLIR.search(raw) and _DIALECT.search(raw):
        calls = ", which calls code from outside of it (custom_call)" if b"custom_call" in raw else ""
        yield Skipped(artifact, f"a program of MLIR{calls}, which this version does not read")
        return
    if _PROGRAM.match(raw):
        yield from _program(artifact, raw)
        return
    if artifact.uri.lower().endswith("config.properties"):
        yield from _torchserve(artifact, raw)
        return
    if artifact.uri.lower().endswith(".gin"):
        yield from _gin(artifact, raw, context)
    if kind == "text" and artifact.uri.lower().endswith(_SETTINGS):
        if namedcalls.telling(raw):
            yield from _settings(artifact, raw)
        return
    if kind == "text" and _R_VALUE.match(raw):
        yield from _r_source(artifact, raw)
        return
    if _ONNX.match(raw):
        yield from _onnx(artifact, raw)
        return
    if kind not in _FORMATS or (kind == "xml" and not _MODEL_XML.search(raw) and len(raw) < _MOST):
        return
    report = scan(artifact.path, trust=context.trust)
    if not report.issues and _NAMES_A_MODEL.search(raw) and any("not valid JSON" in why for why in report.unknowns):
        yield from skipped_of(artifact, report)  # libraries' own readers take what is no JSON
        return
    if any(NO_MODEL.match(reason) for reason in report.unknowns):
        telling = tuple(issue for issue in report.issues if issue.severity == "critical" or _inside(issue))
        telling += tuple(i for i in report.issues if i.severity == "high" and i.code in _ACTING and i not in telling)
        yield from findings_of(artifact, replace(report, issues=telling), context.root)
        return
    if b"keras" not in raw and all(issue.severity == "medium" for issue in report.issues):
        kinds = {issue.code for issue in report.issues}
        if kinds == {Code.KERAS_FOREIGN_CLASS}:
            return  # other programs have a `class_name` and a `config` too
    yield from findings_of(artifact, report, context.root)
    yield from skipped_of(artifact, report)
