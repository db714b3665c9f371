"""From held, scanned bytes to an object: each format by its own library, in that library's safest mode."""

from __future__ import annotations

import importlib
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from shipworthy.errors import EnvironmentFailure, ModelRefusedError
from shipworthy.guard.held import Held
from shipworthy.guard.unpickle import Names, guarded, unpickle, unpickle_joblib
from shipworthy.modelfile import Report
from shipworthy.modelfile.pickles.reader import TORCH_MAGIC

if TYPE_CHECKING:
    from shipworthy.guard.load import Order

_TORCH = re.compile(r"(?:[^/]*/)?data\.pkl")
_PACKED = frozenset(("gzip", "zlib", "bz2", "xz", "lzma", "lz4", "zstd"))


def load(held: Held, report: Report, order: Order) -> Any:
    """Load with the library of the format. Raises ModelRefusedError for formats that have no loader here."""
    format_, loader = _loader(held, report, order)
    if loader is None:
        raise ModelRefusedError(
            f"there is no safe loader for {format_ or 'a file of no known format'}",
            where=held.name,
            remedy="pickle, joblib, torch, Keras, ONNX, safetensors and NumPy files are loaded",
            report=report,
        )
    return guarded(loader, format_, held.name, report)


def _loader(held: Held, report: Report, order: Order) -> tuple[str, Callable[[], Any] | None]:
    kind = _zip_kind(held) if report.format == "zip" else report.format
    names = Names(report.names, order.trust)
    if kind == "pickle":
        if TORCH_MAGIC in held.view.head(32):
            return "torch", partial(_torch, held)
        return _pickled(held.open, report, names)
    if kind in _PACKED:
        return _packed(held, report, names)
    table: dict[str, tuple[str, Callable[[], Any]]] = {
        "torch": ("torch", partial(_torch, held)),
        "keras": ("keras", partial(_keras, held)),
        "hdf5": ("keras", partial(_keras_hdf5, held)),
        "npz": ("numpy", partial(_npz, held)),
        "npy": ("numpy", partial(_npy, held)),
        "onnx": ("onnx", partial(_onnx, held)),
        "safetensors": ("safetensors", partial(_safetensors, held, order)),
        "json": ("safetensors", partial(_indexed, held, report, order)),
    }
    return table.get(kind, (kind, None))


def _zip_kind(held: Held) -> str:
    """What is in the archive; the scan has made sure that every reader sees the same members."""
    with held.open() as stream, zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
    if any(name.rpartition("/")[2] == "constants.pkl" for name in names):
        return "TorchScript"  # a program: torch.load hands it to torch.jit.load, which has no safe mode
    if any(_TORCH.fullmatch(name) for name in names):
        return "torch"
    if "config.json" in names and any(name.startswith("model.weights.") for name in names):
        return "keras"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def _pickled(opened: Callable[[], Any], report: Report, names: Names) -> tuple[str, Callable[[], Any]]:
    if any(name.startswith("joblib.numpy_pickle:") for name in report.names):
        return "joblib", lambda: unpickle_joblib(opened(), names)
    return "pickle", lambda: unpickle(opened(), names)


def _packed(held: Held, report: Report, names: Names) -> tuple[str, Callable[[], Any] | None]:
    """Compressed files of joblib, unpacked by the scanner's own decoder, so that the loader gets what was scanned."""
    import io

    from shipworthy.modelfile.compressed import unpack
    from shipworthy.modelfile.report import Limits, Tally
    from shipworthy.modelfile.scope import Scope, State
    from shipworthy.modelfile.sniff import HEAD, sniff

    limits = Limits()
    scope = Scope(State(limits, (), Tally(limits), held.size), held.view)
    content, _, _ = unpack(scope, held.view, report.format, many=True)
    if content is None or sniff(content.head(HEAD), len(content)) != "pickle":
        return report.format, None
    return _pickled(lambda: io.BytesIO(content.all()), report, names)


def _torch(held: Held) -> Any:
    torch: Any = importlib.import_module("torch")
    with held.open() as stream:
        return torch.load(stream, weights_only=True, map_location="cpu")


def _keras(held: Held) -> Any:
    keras: Any = importlib.import_module("keras")
    with held.as_path(".keras") as path:
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def _keras_hdf5(held: Held) -> Any:
    """Keras' public function takes a path only, and HDF5 opens no path of sealed memory: the reader behind it takes an
    open file. Releases before 3.12 know no safe mode here; the scan has refused Lambda layers and foreign classes.
    """
    import inspect

    h5py: Any = importlib.import_module("h5py")
    read: Any = importlib.import_module("keras.src.legacy.saving.legacy_h5_format").load_model_from_hdf5
    options = {"safe_mode": True} if "safe_mode" in inspect.signature(read).parameters else {}
    with held.open() as stream, h5py.File(stream, "r") as file:
        return read(file, compile=False, **options)


def _npy(held: Held) -> Any:
    import numpy

    with held.open() as stream:
        return numpy.load(stream, allow_pickle=False)


def _npz(held: Held) -> dict[str, Any]:
    import numpy

    with held.open() as stream, numpy.load(stream, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _onnx(held: Held) -> Any:
    onnx: Any = importlib.import_module("onnx")
    return onnx.load_model_from_string(held.view.all())


def _safetensors(held: Held, order: Order) -> dict[str, Any]:
    library: Any = importlib.import_module(f"safetensors.{order.framework}")
    if order.framework == "numpy":
        with suppress(ModuleNotFoundError):
            importlib.import_module("ml_dtypes")  # once imported, NumPy has bfloat16 and the types of 8 bits
    place = held.direct_path
    try:
        tensors: dict[str, Any] = library.load_file(place) if place else library.load(held.view.all())
    except TypeError as error:
        missing = _NO_DTYPE.search(str(error))
        if missing is None:
            raise
        raise EnvironmentFailure(
            f"its tensors are of the type {missing[1]}, which NumPy has only with ml_dtypes, and that is not installed",
            where=held.name,
            remedy='load them as tensors of torch: framework="torch"; or pip install ml_dtypes',
        ) from error
    return tensors


_NO_DTYPE = re.compile(r"data type '(\w{1,40})' not understood")


def _indexed(held: Held, report: Report, order: Order) -> dict[str, Any]:
    """Shards by their index: each is held, verified and scanned as the index is, before it is loaded."""
    from shipworthy.modelfile.paths import escapes
    from shipworthy.modelfile.strictjson import strict

    value = strict(held.view.all())
    weights = value.get("weight_map") if isinstance(value, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights.values()):
        raise ModelRefusedError(
            "the JSON is no index of safetensors shards", where=held.name, remedy="give the model file", report=report
        )
    tensors: dict[str, Any] = {}
    for shard in sorted(set(weights.values())):
        if escapes(shard) or "/" in shard:
            raise ModelRefusedError("the index leads out of its folder", where=held.name, report=report)
        with Held(held.path.parent / shard, limit=order.limit) as part:
            inner = order.admit(part)
            if inner.format != "safetensors":
                raise ModelRefusedError(
                    f"the index names a shard that is no safetensors file but {inner.format}",
                    where=part.name,
                    report=inner,
                )
            found = _safetensors(part, order)
        named = {name for name, place in weights.items() if place == shard}
        if found.keys() != named:
            odd = sorted(found.keys() ^ named)[0]
            raise ModelRefusedError(
                f"the index and the shard do not agree on the tensor {ascii(odd)[:100]}",
                where=part.name,
                remedy="write the model again with its library's own save function",
                report=inner,
            )
        tensors |= found
    return tensors
