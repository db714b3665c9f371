"""Which reader reads which format. To add or replace one, change this table (and `support.FORMATS`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

from shipworthy.modelfile import pointers
from shipworthy.modelfile.far import FarView
from shipworthy.modelfile.pickles import reader as pickles
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.sniff import (
    ARCHIVES_NOT_READ,
    EXECUTABLES,
    FIRST,
    HDF5,
    HEAD,
    HIDDEN,
    TABLE_MAGIC,
    sniff,
)
from shipworthy.modelfile.view import View
from shipworthy.modelfile.zipdirectory import end_of_archive
from shipworthy.patterns import regex
from shipworthy.records import replace

Reader = Callable[[Scope], int]

# Readers are imported when the first file of their format is read: the start of the program stays cheap.
_RARE: dict[str, str] = {
    **dict.fromkeys(("savedmodel", "graphdef", "metagraph", "tf-fingerprint", "keras-metadata"), "graphs.tensorflow"),
    "tf-checkpoint": "graphs.checkpoint",
    "tflite": "graphs.tflite",
    "coreml": "graphs.coreml",
    "mil-weights": "graphs.milweights",
    "sentencepiece": "graphs.sentencepiece",
    "tiktoken": "graphs.sentencepiece",
    "sentencepiece-list": "graphs.sentencepiece",
    "r": "rdata.judge",
    "r-database": "rdata.database",
    "xml": "xmls.read",
    "xgboost": "boosters.xgbinary",
    "ubjson": "boosters.xgboost",
    "lightgbm": "boosters.lightgbm",
    "catboost": "boosters.catboost",
    "arrow": "columnar.arrow",
    "parquet": "columnar.parquet",
    "msgpack": "msgpack",
    "ocdbt": "ocdbt",
    "paddle": "graphs.paddle",
    "paddle-weights": "graphs.paddle",
    "executorch": "graphs.executorch",
    "openvino-weights": "xmls.openvino",
    "onnx-data": "onnxdata",
    "hdf5": "hdf5.reader",
    "keras-yaml": "keras.yaml",
    "gguf": "gguf",
    "ggml": "ggml",
    "jinja": "templates",
    "mlflow": "yamlfiles",
    "hydra": "yamlfiles",
    "yaml": "yamlfiles",
}
# Read, but never called clean; and what only a part of a file is.
_PARTLY: dict[str, str] = {
    "ape": "llamafile",
    "r-object": "rdata.judge",
    **dict.fromkeys(("java", "torch7", "bson"), "foreign"),
}


# Formats whose first bytes are valid pickle opcodes too: a file can be written so that it is both.
_TWO_FACED = frozenset(
    ("r", "catboost", "msgpack", "arrow", "parquet", "paddle-weights", "openvino-weights", "onnx-data")
)


def _rare(scope: Scope, format_: str) -> int:
    read: Callable[[Scope, str], int] = _rarely(_RARE.get(format_) or _PARTLY[format_]).read
    explained = read(scope, format_)
    if format_ in _TWO_FACED:
        _pickle_too(scope)
    if scope.role is Role.FILE and format_ not in ("tflite", "ape") and end_of_archive(scope.view) is not None:
        _zip(scope)  # zip loaders go by the end; a .tflite may have an archive behind it, and reads it itself
    return explained


def _pickle_too(scope: Scope) -> None:
    if isinstance(scope.view, FarView):
        if pickles.imports(View.of(scope.view.head(HEAD))) is False:
            return
        scope = replace(scope, view=scope.view.near())
    if scope.role is Role.FILE and pickles.imports(scope.view):
        message = "the file is a pickle as well: what a loader of pickles would run is not what it seems to hold"
        scope.issue(Code.CONTAINER_TAMPERED, "high", message, 0)
        pickles.read(scope)


def _raw(scope: Scope, name: str) -> int:
    """Formats that leave room for any bytes: what they hold may be another file to another loader."""
    explained = _common(scope, name)
    if scope.role is not Role.FILE:
        return explained
    _pickle_too(scope)
    end = end_of_archive(scope.view)
    inside = name == "tars" and end is not None and end.stop < len(scope.view)  # the last member is an archive
    if end is not None and end.entries and not inside:
        message = "the file ends with a zip archive: loaders that open archives, torch's among them, see another model"
        scope.issue(Code.HIDDEN_PAYLOAD, "high", message, end.at)
        zips = _rarely("zips")
        zips.read(scope.nested("archive at the end", scope.view), front=zips.front(scope.view))
    return explained


def _rarely(name: str) -> Any:
    return import_module(f"shipworthy.modelfile.{name}")


def _zip(scope: Scope) -> int:
    return _common(scope, "zips")


def _common(scope: Scope, name: str, function: str = "read", **options: str) -> int:
    return int(getattr(_rarely(name), function)(scope, **options))


_READERS: dict[str, Reader] = {
    "pickle": pickles.read,
    "zip": _zip,
    **{
        format_: partial(_raw, name=name)
        for format_, name in (("tar", "tars"), ("npy", "npy"), ("safetensors", "safetensors"))
    },
    **{format_: partial(_common, name=name) for format_, name in (("onnx", "onnx"), ("json", "jsons"))},
    **{
        format_: partial(_common, name="compressed", format_=format_)
        for format_ in ("gzip", "bz2", "xz", "lzma", "zlib", "lz4", "zstd")
    },
    "joblib-zfile": partial(_common, name="compressed", function="read_zfile"),
    **{name: partial(_rare, format_=name) for name in _RARE},
}

# The first entry of a checkpoint's table: an empty key, then the number of shards, the byte order and the version.
_TABLE_HEAD = regex(rb"\0\0[\x02-\x20]\x08.(?:\x10[\0\1])?\x1a[\x02-\x10]\x08", re.DOTALL)

# The first bytes of all in `sniff` that lead to a format of HIDDEN or to zlib; that of a tar archive may be any,
# and tensors are full of zeros.
_HIDING: frozenset[int] = (pickles.FIRST | FIRST | frozenset((*range(0x50, 0x60), *b"Mx\xca"))) - {0}
_TEXTS = frozenset(("text", "json", "keras-yaml", "lightgbm", "xml", "tiktoken", "sentencepiece-list"))
# What raw numbers may look like: where the file beside them names their bytes, that decides.
_UNSURE = frozenset(("", "text", "protobuf", "msgpack", "paddle-weights", "java", "torch7", "bson"))
_MESSAGES = frozenset(("onnx", "coreml", "savedmodel", "graphdef", "metagraph", "keras-metadata", "tf-fingerprint"))
_FIELDS = 1 << 12  # that are looked at; in numbers, fields that are none come earlier


def reader_of(format_: str) -> Reader:
    """The reader of a format; one that says why not for formats that this version does not read."""
    if format_ in _PARTLY:
        return partial(_rare, format_=format_)
    return _READERS.get(format_) or partial(_not_read, format_=format_)


def settle(scope: Scope) -> str:
    """The format of a view, looking further than `sniff` where the first bytes do not decide."""
    view = scope.view
    size = len(view)
    if scope.role is Role.BLOB and (size < 10 or not may_hide(view)):
        return ""
    found = sniff(view.head(HEAD), size) or ""
    source = found in _TEXTS and _is_source(scope)
    if scope.role is Role.BLOB:
        return found if found in HIDDEN or (found == "zlib" and _unpacks(scope)) else ""
    table = scope.role is Role.FILE and (not found or view.head(1) == b"\0")
    if table and (_TABLE_HEAD.match(view.head(64)) or view.tail(8) == TABLE_MAGIC):
        return "tf-checkpoint"
    if found in ("", "text") and scope.role is Role.FILE:
        if size > HEAD and pickles.weak_trial(view):
            return "pickle"
        if size > 22 and end_of_archive(view) is not None:
            return "zip"
        if view.find(HDF5, 0, 1 << 20) >= 512 and _rarely("hdf5.reader").find(view) is not None:
            return "hdf5"
        if found == "text" and not source:
            found = _text(scope)
    if found == "zlib" and not _unpacks(scope):
        found = ""
    if source and found in _TEXTS:
        return "text"  # a list is JSON, and Python
    unsure = found in _UNSURE or (scope.folder is not None and found in _MESSAGES and _breaks(view))
    if unsure and scope.neighbour(".xml") is not None:
        from shipworthy.modelfile.xmls import openvino

        return "openvino-weights" if openvino.weights(scope) else found
    if unsure and scope.role is Role.FILE and scope.folder is not None and _rarely("onnxdata").beside(scope):
        return "onnx-data"
    return found


def _breaks(view: View) -> bool:
    """Whether what begins as a protobuf message is none, so that no loader takes it: a field without a number, of a
    type that there is not, or longer than the file. Loaders pass over groups, and some over numbers that are too large.
    """
    protobuf = _rarely("protobuf")
    at = 0
    for field in islice(protobuf.fields(view, 0, len(view)), _FIELDS):
        if field is None:
            tag, behind = protobuf.varint(view, at, len(view))
            return behind >= 0 and (not tag or tag & 7 in (6, 7) or (tag & 7 not in (3, 4) and 8 <= tag < 1 << 32))
        at = field[3]
    return False


def _is_source(scope: Scope) -> bool:
    """Whether a text in an archive is Python code by its name, which may have been cut; a path file counts as such."""
    return scope.role is Role.FILE and scope.name.lower().endswith((".py", ".pyw", ".pth", "..."))


def may_hide(view: View) -> bool:
    """Whether raw bytes begin as anything that they could hide begins."""
    head = view.head(4)
    return head[0] in _HIDING or head == b"\0asm" or view.read(257, 5) == b"ustar"


def _text(scope: Scope) -> str:
    """Texts that loaders act on: templates, and YAML that names what is to be built."""
    from shipworthy.modelfile import templates, yamlfiles

    view = scope.view
    kind = yamlfiles.kind(view, scope.limits.json)
    tagged = not kind and (view.find(b"{%") >= 0 or view.find(b"{{") >= 0)
    if tagged and templates.is_template(view.read(0, scope.limits.json).decode("utf-8", "replace")):
        return "jinja"
    return kind or "text"


def _unpacks(scope: Scope) -> bool:
    """Whether the first bytes unpack: zlib's two bytes of magic are too common to be believed."""
    import zlib

    decoder = zlib.decompressobj()
    try:
        return bool(decoder.decompress(scope.view.head(HEAD), 1)) or decoder.eof
    except zlib.error:
        return False


def _not_read(scope: Scope, format_: str) -> int:
    size = len(scope.view)
    if scope.role is Role.FILE and size > 22 and end_of_archive(scope.view) is not None:
        _zip(scope)  # zip loaders go by the end: to them, a picture with an archive behind it is the archive
    if format_ in EXECUTABLES:
        scope.issue(Code.FOREIGN_CONTENT, "high", f"{EXECUTABLES[format_]}; no model format holds one", 0)
    elif format_ == "tensorrt" and scope.role is Role.FILE:
        message = "a TensorRT engine is code compiled for one GPU: nobody can tell what it does; build it yourself from"
        scope.issue(Code.FOREIGN_CONTENT, "high", f"{message} an ONNX model that was scanned", 0)
    elif format_ in ARCHIVES_NOT_READ:
        scope.issue(
            Code.FOREIGN_CONTENT, "medium", f"{ARCHIVES_NOT_READ[format_]}; no model loader reads it, so it hides", 0
        )
        scope.unknown(f"what is in {ARCHIVES_NOT_READ[format_]} was not looked at: unpack it, and scan that")
    elif scope.role is Role.FILE:
        if not size:
            scope.unknown("the file is empty")
        elif format_ == "text" and pointers.is_pointer(scope.view.head()):
            scope.unknown(pointers.REASON)
        elif format_:
            if format_ == "text" and _is_source(scope):
                _rarely("packedcode").judge(scope)
            scope.unknown(f"this version does not read the format {format_}")
        else:
            scope.unknown("the format is not recognised")
    return size
