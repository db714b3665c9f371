"""Model files that run code inside of archives, of files of no known kind, and behind the beginning of long texts."""

from __future__ import annotations

from shipworthy.check import Canary, Context, Yielded, check
from shipworthy.checks.models import _beside
from shipworthy.checks.models._unjudged import NO_MODEL
from shipworthy.checks.models.model_file import _CANARY, _RULES, _finding
from shipworthy.model import Artifact, Kind, Severity, Skipped
from shipworthy.modelfile import Code, scan
from shipworthy.modelfile.packedcode import AT_IMPORT
from shipworthy.modelfile.report import Issue, Report
from shipworthy.modelfile.sniff import TABLE_MAGIC
from shipworthy.patterns import regex

# What an archive that is no model must not hold either. That it holds programs or texts is not against it.
_TELLING = frozenset(
    {
        Code.CODE_EXECUTION,
        Code.UNKNOWN_CALLABLE,
        Code.UNKNOWN_NAME,
        Code.STATE_TAMPERING,
        Code.KERAS_LAMBDA,
        Code.KERAS_FOREIGN_CLASS,
        Code.CUSTOM_OPERATOR,
        Code.DANGEROUS_OPERATOR,
        Code.BOMB,
        Code.PATH_TRAVERSAL,
    }
)
# In these, which only models have and no name tells, everything is told.
_OF_MODELS = frozenset({"tf-checkpoint"})
# With these a part of it was not read, or not as every reader would read it.
_UNREAD = frozenset({Code.BROKEN_STREAM, Code.CONTAINER_TAMPERED})
RULES = tuple(_RULES.values())
# Programs build their own classes by such files, and render web pages: alone they say nothing of a model.
_SETTINGS = frozenset(("hydra", "jinja", "mlflow", "yaml"))

# What makes an archive a package of Python's: its code is a library's, and does what libraries do.
_PACKAGE = regex(r"(?:\.(?:dist|egg)-info|EGG-INFO)/|(?:^|/)(?:PKG-INFO|pyproject\.toml|setup\.py)$")
_SERVED = regex(r"(?:^|/)(?:code/inference\.py|MAR-INF/MANIFEST\.json|MLmodel|handler\.py)$")
_IMPORTED = regex(r"(?:^|/)(?:__init__|sitecustomize|usercustomize)\.py$|\.pth$")
_MODELS = frozenset("pickle safetensors onnx hdf5 gguf ggml savedmodel graphdef tflite catboost joblib-zfile".split())

# Files are sorted by their first 64 KiB; a pickle can be plain text for longer than that.
_SORTED_BY = 64 * 1024


# Sorted by their names; the others are text from end to end.
_BY_NAME = frozenset({Kind.OTHER, Kind.DATASET, Kind.NOTEBOOK, Kind.REQUIREMENTS, Kind.WORKFLOW, Kind.DOCKERFILE})


def _unsorted(artifact: Artifact) -> bool:
    return artifact.kind in _BY_NAME or artifact.size > _SORTED_BY


def _runs(issue: Issue, report: Report) -> bool:
    """Whether it is code that is run with the model that the archive holds, or as soon as it is imported."""
    if issue.code is not Code.REMOTE_CODE or issue.severity != Severity.HIGH.value:
        return False
    names = [member.name.rpartition("!")[2] for member in report.members]
    package = any(_PACKAGE.search(name) for name in names)
    needed = any(other.code is Code.REMOTE_CODE and not other.callable.endswith(".py") for other in report.issues)
    model = needed or any(member.format in _MODELS for member in report.members) or any(map(_SERVED.search, names))
    if model and not package:
        return True
    return issue.arguments == AT_IMPORT and (package or _IMPORTED.search(issue.callable) is not None)


def _data_beside(artifact: Artifact) -> str:
    """What is kept of an index depends on the files that it describes."""
    if artifact.path is None or artifact.size < len(TABLE_MAGIC):
        return ""
    with artifact.path.open("rb") as stream:
        stream.seek(-len(TABLE_MAGIC), 2)
        return _beside.state(artifact) if stream.read() == TABLE_MAGIC else ""


def _packed_canary() -> bytes:
    import gzip

    return gzip.compress(_CANARY, mtime=0)


@check(
    "model-archive",
    version=14,
    kinds={kind.value for kind in Kind} - {"model"},
    accepts=_unsorted,
    timeout=300.0,
    cache_beside=_data_beside,
    canary=Canary(files={"canary.gz": _packed_canary}, rule="model-code-execution"),
)
def run(artifact: Artifact, context: Context) -> Yielded:
    """Look for models inside by content. An archive that could not be read is skipped, by name."""
    if artifact.path is None or not artifact.size:
        return
    report = scan(artifact.path, trust=context.trust)
    settings = {member.name for member in report.members if member.format in _SETTINGS}
    for issue in report.issues:
        own = issue.where.member in settings or (not issue.where.member and report.format in _SETTINGS)
        if (report.format in _OF_MODELS and issue.severity != "low") or (
            (issue.code in _TELLING or _runs(issue, report)) and (not own or issue.severity == Severity.CRITICAL.value)
        ):
            yield _finding(artifact, issue)
    unread = [reason for reason in report.unknowns if not NO_MODEL.search(reason)]
    unread += [issue.message for issue in report.issues if issue.code in _UNREAD or report.format in ("7z", "rar")]
    if unread and artifact.kind is Kind.OTHER:
        yield Skipped(artifact, unread[0])
