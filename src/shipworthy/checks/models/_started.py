"""Files beside models that programs run for their names or places: servers, libraries for datasets, R, MLflow.

Told by what lies beside them, as these programs tell them.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from shipworthy.model import Artifact
from shipworthy.patterns import regex

HUB = "hubconf.py"  # torch.hub runs it from any folder
PROFILES, PROJECT = frozenset((".Rprofile", "Rprofile.site", "plumber.R", "entrypoint.R")), "MLproject"
ENVIRONMENT = ".Renviron"
# What these servers give to the code that they run
SERVERS = (
    "spacy*:*",
    "ts.*:*",
    "triton_python_backend_utils*:*",
    "sagemaker_inference*:*",
    "datasets*:*",
    "evaluate*:*",
)
_INFOS = "dataset_infos.json"  # beside a script that `datasets` runs
_VERSION = regex(r"[0-9]{1,19}")
_SERVING = regex(rb"(?m)^(?:async )?def (?:model|input|predict|output|transform|init)_fn\b")
_BUILDER = regex(rb"(?m)^class[ \t]{1,9}\w{1,99}\([^)\n]{0,200}(?:Builder|Metric|Comparison|Measurement)\b")
_CARD = regex(rb"(?m)^(?:dataset_info|task_categories|size_categories|annotations_creators):")
_WEIGHTS = frozenset((".pt", ".pth", ".bin", ".safetensors", ".joblib", ".pkl", ".onnx", ".h5", ".keras", ".model"))
_FILENAME = regex(rb"default_model_filename\s{0,9}:\s{0,9}[\"']([^\"'\n]{1,200})")
_TRITON = regex(rb"(?m)^class[ \t]{1,9}TritonPythonModel\b")
_ENDPOINT = regex(rb"(?m)^class[ \t]{1,9}EndpointHandler\b")
# Imported by whoever loads a model with that folder among the places of modules, as the current one is
_LIBRARIES = frozenset(
    "torch numpy pickle json transformers tokenizers sklearn joblib pandas scipy tensorflow keras safetensors onnx "
    "onnxruntime xgboost lightgbm catboost diffusers peft sentence_transformers huggingface_hub h5py skops".split()
)
_AT_START = frozenset(("sitecustomize.py", "usercustomize.py"))
_SERVED = (
    ("cog.yaml", rb"(?m)^(?:predict|train|run):\s{0,9}[\"']?%s\.py:", "cog runs"),
    ("bentofile.yaml", rb"(?m)^service:\s{0,9}[\"']?%s(?:\.py)?:", "BentoML runs"),
    ("bentofile.yml", rb"(?m)^service:\s{0,9}[\"']?%s(?:\.py)?:", "BentoML runs"),
    ("pyproject.toml", rb"(?m)^service\s{0,9}=\s{0,9}[\"']%s(?:\.py)?:", "BentoML runs"),
    ("bento.yaml", rb"(?m)^service:\s{0,9}[\"']?(?:[\w.]{1,99}\.)?%s(?:\.py)?:", "BentoML runs"),
    ("model.yaml", rb"(?m)^module:\s{0,9}[\"']?%s[\"']?\s*$", "BentoML imports"),
    ("model-settings.json", rb"\"implementation\"\s{0,9}:\s{0,9}\"%s\.", "MLServer runs"),
    ("hyperparams.yaml", rb"!(?:new|name|apply|applyref|module):%s\b", "speechbrain imports"),
    (".s2i/environment", rb"(?m)^[ \t]*MODEL_NAME[ \t]*=[ \t]*[\"']?%s\b", "Seldon imports"),
    ("Dockerfile", rb"(?m)^ENV[ \t]+(?:\w+=\S+[ \t]+){0,20}MODEL_NAME[ \t=]+[\"']?%s\b", "Seldon imports"),
    ("serve_config.yaml", rb"(?m)^[ -]{0,20}import_path:\s{0,9}[\"']?%s[:.]", "Ray Serve runs"),
)
_SNIFFED = 64 * 1024
_CONFIGURATION = regex(
    rb"(?m)^(?:_base_[ \t]*=[ \t]*[\[\"']|custom_imports[ \t]*=[ \t]*(?:dict\(|\{)|with read_base\(\):|"
    rb"\w{1,60}[ \t]*=[ \t]*dict\(\s{0,99}type[ \t]*=[ \t]*[\"'])"
)  # of mmengine


def started(artifact: Artifact) -> str:
    """What runs a file of Python code, in words, or nothing."""
    path = artifact.path
    if path is not None and _by_triton(path):
        return "Triton runs"
    if path is None or not path.name.endswith(".py"):
        return ""
    if path.name == HUB:
        return "torch.hub runs"
    folder = path.parent
    if (
        path.name == "model.py"
        and _VERSION.fullmatch(folder.name)
        and ((folder.parent / "config.pbtxt").is_file() or _TRITON.search(_head(path)))
    ):
        return "Triton runs"
    if path.name == "generate.py" and folder.name == "custom_generate":
        return "generate(custom_generate=...) runs"
    if path.name == "handler.py" and _ENDPOINT.search(_head(path)):
        return "inference endpoints run"
    manifest = _head(folder / "MAR-INF" / "MANIFEST.json")
    if manifest and (path.name == "handler.py" or f'"{path.stem}'.encode() in manifest):
        return "TorchServe runs"
    if (
        path.name == "inference.py"
        and folder.name == "code"
        and (_SERVING.search(_head(path)) or _beside_weights(path))
    ):
        return "SageMaker runs"
    script = (folder / _INFOS).is_file() or (path.stem == folder.name and _is_script(path))
    return "`datasets` runs" if script else ""


def unusual(artifact: Artifact) -> str:
    """What runs a file of Python code that may use any library, in words, or nothing."""
    path = artifact.path
    if path is None or not path.name.endswith(".py"):
        return ""
    if path.name in _AT_START and _holds_weights(path.parent):
        return "Python runs at each start"
    package = path.name == "__init__.py"
    if (path.parent.name if package else path.stem) in _LIBRARIES and _holds_weights(path.parents[package]):
        return "who loads the model beside it may import, instead of the library,"
    if package and path.parts[-4:-3] == ("build",) and path.parts[-3].startswith("torch"):
        return "`kernels` runs"
    if package and b'"spacy_version"' in _head(path.with_name("meta.json")):
        return "spaCy imports"
    if _CONFIGURATION.search(_head(path)):
        return "mmengine runs"
    for name, pattern, runs in _SERVED:
        for place, named in ((path.parent, path.stem), (path.parent.parent, f"{path.parent.name}/{path.stem}")):
            text = _head(place / name)
            spelled = re.escape(named).replace("/", "[./]").encode()
            if text and re.search(pattern % (b"(?:src/)?" + spelled), text):
                return runs
            if text and named.startswith("src/") and re.search(pattern % re.escape(path.stem).encode(), text):
                return runs
    return ""


def _by_triton(path: Path) -> bool:
    settings = path.parent.parent / "config.pbtxt"
    named = _FILENAME.search(_head(settings)) if _VERSION.fullmatch(path.parent.name) else None
    return named is not None and named[1] == path.name.encode()


def _beside_weights(path: Path) -> bool:
    return _holds_weights(path.parent.parent)


def _holds_weights(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(file.suffix in _WEIGHTS for file in folder.iterdir())
    return False


def _is_script(path: Path) -> bool:
    """Whether code that is named as its folder makes a dataset, or lies beside the card of one."""
    card = _head(path.with_name("README.md"))
    return bool(_BUILDER.search(_head(path))) or (card.startswith(b"---") and _CARD.search(card) is not None)


def is_dumped(artifact: Artifact) -> bool:
    """Whether this is R source that `dump` wrote, or that makes one object."""
    if artifact.path is None or artifact.path.suffix.lower() != ".r":
        return False
    from shipworthy.modelfile.rdata import source

    text = _head(artifact.path).decode("utf-8-sig", "replace")
    return source.is_dump(text) or source.makes_one(text)


def decides(name: str, folder: str) -> bool:
    """Whether a file of this name, in a folder of that path, may decide which code is run."""
    deciding = (HUB, "config.pbtxt", "MANIFEST.json", "inference.py", "handler.py", _INFOS, "meta.json", *_AT_START)
    if name in deciding or Path(name).suffix in _WEIGHTS or any(name == Path(served).name for served, _, _ in _SERVED):
        return True
    return name == f"{Path(folder).name}.py"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_SNIFFED)
    except (OSError, ValueError):  # it is not there, or can't be read: other checks say so
        return b""
