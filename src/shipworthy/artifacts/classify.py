"""What kind of thing a file is: by its content first, by its name only where the content says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from shipworthy.artifacts.shards import is_shard
from shipworthy.config import Load
from shipworthy.model import Kind
from shipworthy.paths import matches
from shipworthy.patterns import regex

HEAD_SIZE = 65536


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODE = _words(
    """py pyi pyx pyw js mjs cjs jsx ts tsx sh bash zsh r jl go rs java kt scala c cc cpp h hpp cs rb php pl lua sql
    ps1"""
)
_DATASET = _words("csv tsv tab jsonl ndjson parquet pq arrow feather avro orc")
_PACKED_TABLES = (".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz")
_MODEL = _words(
    """pkl pickle joblib dill cloudpickle pt pth ckpt bin safetensors onnx ort keras h5 hdf5 pb tflite gguf ggml npy npz
    model mar nemo pmml mlmodel mlpackage engine plan trt llamafile skops cbm ubj bst rds rda pdmodel pdiparams pdparams
    msgpack pte pt2 ptl torchscript ser t7"""
)
_NO_DOCKERFILE = _CODE | _words("md markdown rst adoc html htm")  # `dockerfile.py` is a program, `Dockerfile.md` text
_ARCHIVES = _words("zip gz tgz bz2 xz zst 7z rar tar whl jar egg lz4 lzma z")
# Formats that only models are in, whatever the name says; containers are models unless they are named as archives.
_LOADABLE = _words(
    "pickle npy joblib-zfile safetensors onnx hdf5 gguf ggml tflite savedmodel graphdef catboost r r-database "
    "executorch tensorrt stablehlo paddle java torch7 bson"
)
_CONTAINERS = _words("zip gzip bz2 xz lzma zlib tar zstd lz4 7z rar")
_REQUIREMENTS = regex(
    r"(?:.*requirements.*\.(?:txt|in)|.*constraints.*\.txt|pyproject\.toml|poetry\.lock|uv\.lock|pdm\.lock|"
    r"pylock(?:\..*)?\.toml|Pipfile|Pipfile\.lock|setup\.cfg|package(?:-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|(?:conda.*|environment.*)\.ya?ml)\Z",
    re.IGNORECASE,
)
_DOCKERFILE = regex(r"(?:(?:Dockerfile|Containerfile)(?:\..*)?|.*\.(?:dockerfile|containerfile))\Z", re.IGNORECASE)
_WORKFLOW = regex(
    r"(?:.*/)?(?:\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml|[^/]*\.gitlab-ci\.ya?ml|\.gitlab/ci/(?:[^/]+/){0,5}[^/]+\.ya?ml|"
    r"Jenkinsfile(?:\.[\w-]+)?|[^/]+\.jenkinsfile|azure-pipelines\.ya?ml|\.circleci/config\.ya?ml)\Z"
)
_ACTION = regex(r"(?:.*/)?action\.ya?ml\Z")
_RUNS = regex(rb"(?m)^[\"']?runs[\"']?\s*:")
_IAC = regex(
    r"(?:.*\.(?:tf|tofu|tfvars|hcl|bicep|tf\.json|tofu\.json|tfvars\.json)|"
    r"(?i:(?:.{1,80}[.\-_])?(?:docker-)?compose(?:[.\-_].*)?\.ya?ml)|Chart\.ya?ml|values(?:[.\-_].*)?\.ya?ml|"
    r"kustomization\.ya?ml)\Z"
)
_MANIFEST = regex(rb"(?m)^apiVersion:[ \t]*\S[^\n]*$")
_MANIFEST_JSON = regex(rb'"apiVersion"\s*:\s*"[^"\n]{1,200}"')
_CHART_TEMPLATE = regex(r"(?:.*/)?templates/.*\.(?:ya?ml|tpl)\Z")
# CloudFormation: its version, its transform for serverless applications, or resources of its types.
_CLOUDFORMATION = regex(
    rb"AWSTemplateFormatVersion|Transform[\"']?\s*:\s*[\"']?AWS::|"
    rb"(?m:^[ \t]{1,40}[\"']?Type[\"']?\s*:\s*[\"']?AWS::\w+::\w+)"
)
_IMAGES = (".oci.tar", ".docker.tar")

MEDIA_TYPES = {
    Kind.CODE: "text/plain",
    Kind.TEXT: "text/plain",
    Kind.NOTEBOOK: "application/x-ipynb+json",
    Kind.REQUIREMENTS: "text/plain",
    Kind.DOCKERFILE: "text/x-dockerfile",
    Kind.WORKFLOW: "application/yaml",
    Kind.IAC: "text/plain",
    Kind.PROMPT: "text/plain",
}


def classify(uri: str, head: bytes, sniff: Callable[[bytes], str | None], load: Load) -> tuple[Kind, str]:
    """The kind and media type of the file named `uri` whose first bytes are `head` (up to `HEAD_SIZE`).

    `sniff` says what the model readers take the head for, or None; it is not asked where that makes no difference. The
    settings' globs win.
    """
    for kind, globs in (
        (Kind.MODEL, load.models),
        (Kind.DATASET, load.datasets),
        (Kind.NOTEBOOK, load.notebooks),
        (Kind.REQUIREMENTS, load.requirements),
    ):
        if globs and matches(uri, globs):
            return kind, MEDIA_TYPES.get(kind, _media(kind, uri))
    kind = _kind(uri, head, sniff)
    if kind is Kind.CODE and _is_python(uri, head):
        return kind, "text/x-python"
    if kind is Kind.IAC:
        return kind, _infrastructure(uri.rpartition("/")[2], head) or MEDIA_TYPES[kind]
    return kind, MEDIA_TYPES.get(kind, _media(kind, uri))


def _kind(uri: str, head: bytes, sniff: Callable[[bytes], str | None]) -> Kind:
    name = uri.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if suffix in _MODEL or name.lower().endswith((".safetensors.index.json", ".bin.index.json")):
        return Kind.MODEL
    if name.lower().endswith(_PACKED_TABLES):
        return Kind.DATASET
    model_format = sniff(head)
    if model_format in _LOADABLE or (model_format in _CONTAINERS and suffix not in _ARCHIVES):
        return Kind.MODEL
    if suffix == "tar" and model_format == "tar" and is_shard(head):
        return Kind.DATASET
    if name.lower().endswith(_IMAGES) and model_format == "tar" and _is_image(head):
        return Kind.IMAGE
    if suffix == "ipynb":
        return Kind.NOTEBOOK
    if suffix in _DATASET or (head.startswith((b"ORC", b"Obj\1")) and b"\0" in head):  # ORC, Avro
        return Kind.DATASET
    if _WORKFLOW.match(uri) or (_ACTION.match(uri) and _RUNS.search(head)):
        return Kind.WORKFLOW
    if _REQUIREMENTS.match(name):
        return Kind.REQUIREMENTS
    if _DOCKERFILE.match(name) and suffix not in _NO_DOCKERFILE:
        return Kind.DOCKERFILE
    if not _is_text(head):
        return Kind.OTHER
    if suffix in _CODE or head.startswith(b"#!"):
        return Kind.CODE
    if _IAC.match(name) or _is_template(uri, head) or _infrastructure(name, head):
        return Kind.IAC
    if suffix == "prompt" or "/prompts/" in f"/{uri}":
        return Kind.PROMPT
    return Kind.TEXT


def _is_image(head: bytes) -> bool:
    from shipworthy.images import looks_like_archive  # here: few scans meet one

    return looks_like_archive(head)


def _infrastructure(name: str, head: bytes) -> str:
    """The media type of a manifest of Kubernetes or a template of CloudFormation, by its content; empty for neither."""
    suffix = name.rpartition(".")[2].lower()
    if suffix not in ("yaml", "yml", "json", "template") or _IAC.match(name):
        return ""
    head = head.removeprefix(b"\xef\xbb\xbf")
    if suffix != "json" and _MANIFEST.search(head) and b"\nkind:" in b"\n" + head:
        return "application/x-kubernetes"
    if suffix == "json" and b'"kind"' in head and _MANIFEST_JSON.search(head):
        return "application/x-kubernetes"
    return "application/x-cloudformation" if _CLOUDFORMATION.search(head) else ""


def _is_template(uri: str, head: bytes) -> bool:
    """Whether a file is a template of a Helm chart."""
    return b"{{" in head and _CHART_TEMPLATE.match(uri) is not None


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 by its mark, unless more follows than text
        return "\0" not in head.decode("utf-16", "replace")
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 or _latin(head)
    return True


def _latin(head: bytes) -> bool:
    """Text of an 8-bit encoding: next to no control characters."""
    control = sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head)
    return control == 0 and sum(byte >= 128 for byte in head) < 0.3 * len(head)


def _is_python(uri: str, head: bytes) -> bool:
    suffix = uri.rpartition("/")[2].rpartition(".")
    if suffix[1]:
        return suffix[2].lower() in ("py", "pyi", "pyw")
    first = head.partition(b"\n")[0]
    return first.startswith(b"#!") and b"python" in first


def _media(kind: Kind, uri: str) -> str:
    suffix = uri.rpartition(".")[2].lower()
    if kind is Kind.DATASET:
        return {
            "csv": "text/csv",
            "tsv": "text/tab-separated-values",
            "jsonl": "application/jsonl",
            "ndjson": "application/jsonl",
            "parquet": "application/vnd.apache.parquet",
        }.get(suffix, "application/octet-stream")
    return "application/octet-stream"
