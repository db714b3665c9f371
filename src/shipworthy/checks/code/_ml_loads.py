"""Detectors of what loads or downloads models and data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipworthy.checks.code import _ml_rules as rules
from shipworthy.checks.code._flow import REMOTE, USER, Flow, Scope
from shipworthy.checks.code._names import UNKNOWN, Call, Names
from shipworthy.model import Confidence, Rule, Severity

COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?(:[\w./-]{1,60})?")
_PICKLES_TEXT = (
    "pickle.load pickle.loads pickle.Unpickler pickle.Unpickler().load _pickle.load _pickle.loads _pickle.Unpickler "
    "cPickle.load cPickle.loads cPickle.Unpickler pickle5.load pickle5.loads cloudpickle.load cloudpickle.loads "
    "dill.load dill.loads dill.load_session dill.load_module joblib.load sklearn.externals.joblib.load "
    "pandas.read_pickle shelve.open marshal.load marshal.loads jsonpickle.decode torch.package.PackageImporter "
    "numpy.loads compress_pickle.load compress_pickle.loads "
    "pickle._loads pickle._load hickle.load klepto.archives.file_archive"
)
_PICKLES = frozenset(_PICKLES_TEXT.split())
_TORCH_LOADS = frozenset(
    {"torch.load", "torch.serialization.load", "torch.serialization._load", "torch.serialization._legacy_load"}
)
_LOADS = _PICKLES | _TORCH_LOADS
_HUBS = ("transformers.", "diffusers.", "peft.", "optimum.", "sentence_transformers.", "setfit.", "adapters.", "trl.",
         "huggingface_hub.", "datasets.", "timm.", "open_clip.", "tokenizers.", "unsloth.", "auto_gptq.", "evaluate.",
         "llama_cpp.",         "ctransformers.",
         "span_marker.", "gliner.", "flair.", "keras_hub.", "keras_nlp.")  # fmt: skip
_DOWNLOADS = frozenset(
    {"from_pretrained", "hf_hub_download", "snapshot_download", "load_dataset", "load_dataset_builder"}
)
_CONSTRUCTORS = frozenset(
    {
        "sentence_transformers.SentenceTransformer",
        "sentence_transformers.CrossEncoder",
        "transformers.pipeline",
        "evaluate.load",
    }
)
_LOCAL_BUILDERS = frozenset(
    {"csv", "json", "text", "parquet", "arrow", "pandas", "imagefolder", "audiofolder", "xml", "sql"}
)


@dataclass(frozen=True)
class Hit:
    """What a detector saw at a node."""

    rule: Rule
    node: ast.AST
    message: str
    severity: Severity | None = None
    confidence: Confidence | None = None
    shown: frozenset[str] = frozenset()


def detect(call: Call, names: Names, flow: Flow, scope: Scope) -> Iterator[Hit]:
    """All that this module knows, on one call."""
    for name in names.candidates(call.name):
        if name in _TORCH_LOADS:
            yield from _torch_load(call, names, flow, scope)
        elif name in _PICKLES:
            yield _from(call, flow, scope, rules.PICKLE_LOAD, f"{name} runs code that the data names")
        elif name in ("numpy.load", "numpy.lib.npyio.load") and names.value(call.keywords.get("allow_pickle")) is True:
            yield _from(
                call, flow, scope, rules.PICKLE_LOAD, "numpy.load with allow_pickle=True runs code that the file names"
            )
        elif name.startswith("yaml."):
            yield from _yaml(call, name, names)
        elif name == "torch.hub.load":
            yield from _torch_hub(call, names)
        elif name.endswith("enable_unsafe_deserialization"):
            yield Hit(
                rules.KERAS_UNSAFE, call.node, "unsafe deserialization is enabled for every model that is loaded after"
            )
    if names.value(call.keywords.get("safe_mode")) is False and (
        call.method.startswith(("load", "from_config", "deserialize"))
    ):
        yield Hit(rules.KERAS_UNSAFE, call.node, f"{call.method} with safe_mode=False runs code stored in the model")
    for argument in (*call.args, *call.keywords.values()):
        if isinstance(argument, ast.Name | ast.Attribute) and names.dotted(argument) in _LOADS:
            message = f"{names.dotted(argument)} is handed to {call.method or 'a function'}, which calls it on data"
            yield Hit(rules.PICKLE_LOAD, argument, message, confidence=Confidence.LOW)
    yield from _remote_code(call, names)
    yield from _download(call, names)


def _from(call: Call, flow: Flow, scope: Scope, rule: Rule, message: str, severity: Severity | None = None) -> Hit:
    """A load; worse if the data, or the name of its file, come from the network or a user."""
    labels: set[str] = set()
    for argument in (*call.args, *call.keywords.values()):
        labels |= flow.of(argument, scope)
    if REMOTE in labels:
        return Hit(rule, call.node, f"{message}; the data comes from the network", Severity.HIGH, Confidence.HIGH)
    if USER in labels:
        return Hit(rule, call.node, f"{message}; a user's input says which", Severity.HIGH, Confidence.HIGH)
    return Hit(rule, call.node, message, severity)


def _torch_load(call: Call, names: Names, flow: Flow, scope: Scope) -> Iterator[Hit]:
    given = call.keywords.get("weights_only")
    if given is None:
        if call.open:
            return
        message = "torch.load without weights_only=True runs code from the file with PyTorch before 2.6"
        yield _from(call, flow, scope, rules.TORCH_LOAD, message)
        return
    value = names.value(given)
    if value is UNKNOWN:
        yield Hit(
            rules.TORCH_LOAD,
            call.node,
            "torch.load with a weights_only that is decided elsewhere",
            Severity.LOW,
            Confidence.LOW,
        )
    elif not value:
        message = "torch.load with weights_only switched off runs code from the file with every version of PyTorch"
        yield _from(call, flow, scope, rules.TORCH_LOAD, message, Severity.HIGH)


def _yaml(call: Call, name: str, names: Names) -> Iterator[Hit]:
    if name in ("yaml.unsafe_load", "yaml.unsafe_load_all"):
        yield Hit(rules.YAML_LOAD, call.node, f"{name} makes any object that the document names", Severity.HIGH)
    elif name in ("yaml.full_load", "yaml.full_load_all"):
        yield Hit(
            rules.YAML_LOAD,
            call.node,
            f"{name}: the full loader has been bypassed before (CVE-2020-14343)",
            Severity.LOW,
        )
    elif name in ("yaml.load", "yaml.load_all") and not call.open:
        loader = call.argument(1, "Loader")
        kind = names.dotted(loader).rpartition(".")[2] if loader is not None else ""
        if kind in ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"):
            return
        if kind in ("FullLoader", "CFullLoader"):
            yield Hit(
                rules.YAML_LOAD,
                call.node,
                "yaml.load with the full loader, which has been bypassed before",
                Severity.LOW,
            )
        elif kind in ("Loader", "CLoader", "UnsafeLoader", "CUnsafeLoader"):
            yield Hit(
                rules.YAML_LOAD,
                call.node,
                f"yaml.load with {kind} makes any object that the document names",
                Severity.HIGH,
            )
        elif loader is None:
            yield Hit(rules.YAML_LOAD, call.node, "yaml.load without a safe loader")
        else:
            yield Hit(rules.YAML_LOAD, call.node, "yaml.load with a loader of its own", Severity.LOW, Confidence.LOW)


def _torch_hub(call: Call, names: Names) -> Iterator[Hit]:
    if names.value(call.keywords.get("source")) == "local":
        return
    repository = names.value(call.argument(0, "repo_or_dir"))
    if not isinstance(repository, str):
        yield Hit(
            rules.TORCH_HUB,
            call.node,
            "torch.hub.load of a repository that is decided elsewhere",
            Severity.MEDIUM,
            Confidence.LOW,
        )
    elif not COMMIT.fullmatch(repository.partition(":")[2]):
        yield Hit(
            rules.TORCH_HUB, call.node, "torch.hub.load runs code of an unpinned repository", shown=_shown(repository)
        )


def _shown(text: object) -> frozenset[str]:
    """The names of repositories may be shown; other strings may be secrets."""
    return frozenset({text}) if isinstance(text, str) and _REPOSITORY.fullmatch(text) else frozenset()


def _remote_code(call: Call, names: Names) -> Iterator[Hit]:
    value = names.value(call.keywords.get("trust_remote_code"))
    if value is UNKNOWN or not value:
        return
    pinned = _pinned(call, names, "code_revision") or _pinned(call, names, "revision")
    note = "of a pinned commit" if pinned else "that nobody has pinned"
    shown = _shown(names.value(call.args[0])) if call.args else frozenset[str]()
    severity = Severity.MEDIUM if pinned else None
    yield Hit(rules.REMOTE_CODE, call.node, f"{call.method} runs code of the repository {note}", severity, shown=shown)


def _pinned(call: Call, names: Names, keyword: str) -> bool:
    value = names.value(call.keywords.get(keyword))
    return isinstance(value, str) and COMMIT.fullmatch(value) is not None


def _download(call: Call, names: Names) -> Iterator[Hit]:
    known = call.name.startswith(_HUBS)
    if call.name not in _CONSTRUCTORS and call.method not in _DOWNLOADS:
        return
    if call.method == "pipeline" and "model" not in call.keywords and len(call.args) < 2:
        return
    revision = call.keywords.get("revision")
    given = names.value(revision)
    if call.open or _pinned(call, names, "revision") or names.value(call.keywords.get("local_files_only")) is True:
        return
    if revision is not None and given is UNKNOWN:
        return  # decided elsewhere: nothing to say
    position = 1 if call.method == "pipeline" else 0
    source = names.value(
        call.argument(position, "model", "repo_id", "path", "pretrained_model_name_or_path", "model_name_or_path")
    )
    if isinstance(source, str):
        if source.startswith((".", "/", "~", "file:")) or "\\" in source or source in _LOCAL_BUILDERS:
            return
        what = (
            f"revision {given!r} can be moved" if isinstance(given, str) and _shown(given) else "no revision is given"
        )
        confidence = None if known else Confidence.MEDIUM
        yield Hit(
            rules.UNPINNED_DOWNLOAD, call.node, f"{call.method}: {what}", confidence=confidence, shown=_shown(source)
        )
    elif known or call.method != "from_pretrained":
        message = f"{call.method} of a name that is decided elsewhere, without a revision"
        yield Hit(rules.UNPINNED_DOWNLOAD, call.node, message, Severity.LOW, Confidence.LOW)
