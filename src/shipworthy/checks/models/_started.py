"""Files beside models that programs run for their names or places: servers, libraries for datasets, R, MLflow.

Told by what lies beside them, as these programs tell them.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from shipworthy.model import Artifact
from shipworthy.patterns import regex

HUB = "hubconf.py"  # torch.hub runs it from any folder
PROFILE, PROJECT = ".Rprofile", "MLproject"
# What these servers give to the code that they run
SERVERS = ("ts.*:*", "triton_python_backend_utils*:*", "sagemaker_inference*:*", "datasets*:*", "evaluate*:*")
_INFOS = "dataset_infos.json"  # beside a script that `datasets` runs
_VERSION = regex(r"[0-9]{1,19}")
_SERVING = regex(rb"(?m)^(?:async )?def (?:model|input|predict|output|transform|init)_fn\b")
_BUILDER = regex(rb"(?m)^class[ \t]{1,9}\w{1,99}\([^)\n]{0,200}Builder\b")
_CARD = regex(rb"(?m)^(?:dataset_info|task_categories|size_categories|annotations_creators):")
_WEIGHTS = frozenset((".pt", ".pth", ".bin", ".safetensors", ".joblib", ".pkl", ".onnx", ".h5", ".keras", ".model"))
_SNIFFED = 64 * 1024


def started(artifact: Artifact) -> str:
    """What runs a file of Python code, in words, or nothing."""
    path = artifact.path
    if path is None or not path.name.endswith(".py"):
        return ""
    if path.name == HUB:
        return "torch.hub runs"
    folder = path.parent
    if path.name == "model.py" and _VERSION.fullmatch(folder.name) and (folder.parent / "config.pbtxt").is_file():
        return "Triton runs"
    if path.name == "handler.py" and (folder / "MAR-INF" / "MANIFEST.json").is_file():
        return "TorchServe runs"
    if (
        path.name == "inference.py"
        and folder.name == "code"
        and (_SERVING.search(_head(path)) or _beside_weights(path))
    ):
        return "SageMaker runs"
    script = (folder / _INFOS).is_file() or (path.stem == folder.name and _is_script(path))
    return "`datasets` runs" if script else ""


def _beside_weights(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(file.suffix in _WEIGHTS for file in path.parent.parent.iterdir())
    return False


def _is_script(path: Path) -> bool:
    """Whether code that is named as its folder makes a dataset, or lies beside the card of one."""
    card = _head(path.with_name("README.md"))
    return bool(_BUILDER.search(_head(path))) or (card.startswith(b"---") and _CARD.search(card) is not None)


def is_dumped(artifact: Artifact) -> bool:
    """Whether this is R source that `dump` wrote."""
    if artifact.path is None or artifact.path.suffix.lower() != ".r":
        return False
    from shipworthy.modelfile.rdata import source

    return source.is_dump(_head(artifact.path).decode("utf-8", "replace"))


def decides(name: str, folder: str) -> bool:
    """Whether a file of this name, in a folder of that path, may decide which code is run."""
    return name in (HUB, "config.pbtxt", "MANIFEST.json", "inference.py", _INFOS) or name == f"{Path(folder).name}.py"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_SNIFFED)
    except (OSError, ValueError):  # it is not there, or can't be read: other checks say so
        return b""
