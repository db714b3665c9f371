"""TensorStore's specs: JSON that says where an array lies. Whoever opens one reads that place, or asks that address.

Source: google.github.io/tensorstore, `kvstore` and `driver` schemas of version 0.1.
"""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex

_AROUND = frozenset(("cast", "downsample", "stack", "virtual_chunked", "auto"))  # drivers of other specs
_FAR = {
    "http": "base_url",
    "gcs": "bucket",
    "gcs_grpc": "bucket",
    "s3": "bucket",
    "tsgrpc_kvstore": "address",
    "gfile": "path",
}
_URL = regex(r"([a-z][a-z0-9_+.-]*)://(.*)")


def is_spec(value: dict[str, Any]) -> bool:
    """Whether this is the spec of an array or of a store of keys and values."""
    store = value.get("kvstore")
    if isinstance(store, str):
        return "driver" in value or _URL.match(store) is not None
    if isinstance(store, dict):
        return isinstance(store.get("driver"), str)
    driver, inner = value.get("driver"), value.get("base") or value.get("layers")
    if isinstance(driver, str) and driver in _FAR and isinstance(value.get(_FAR[driver]), str):
        return value.keys() <= {"driver", "path", "context", "headers", "endpoint", "aws_region", _FAR[driver]}
    first = inner[0] if isinstance(inner, list) and inner else inner
    return driver in _AROUND and (isinstance(first, str) or (isinstance(first, dict) and is_spec(first)))


def judge(scope: Scope, value: dict[str, Any]) -> None:
    """Report every place that opening the spec would reach."""
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        key, item = pending.pop()
        if isinstance(item, list):
            pending += ((key, inner) for inner in item)
        elif isinstance(item, str) and key in ("kvstore", "base", "layers"):
            _url(scope, item)
        elif isinstance(item, dict):
            driver = item.get("driver")
            if isinstance(driver, str) and driver in _FAR:
                _far(scope, f"{driver} {item.get(_FAR[driver], '')}")
            elif driver == "file" and isinstance(item.get("path"), str):
                _file(scope, item["path"])
            pending += item.items()


def _url(scope: Scope, text: str) -> None:
    for part in text.split("|"):
        match = _URL.match(part)
        if match and match[1] in ("file", "local"):
            _file(scope, match[2])
        elif match and match[1] != "memory":
            _far(scope, part)


def _far(scope: Scope, what: str) -> None:
    text = f"opening the spec reaches out to {shown(what, 120)}: what the array holds is decided there"
    scope.issue(Code.EXTERNAL_DATA, "high", text, None, shown(what, 120))


def _file(scope: Scope, path: str) -> None:
    if escapes(path):
        text = f"the array lies in {shown(path, 120)}, outside of the model's folder: opening it reads or writes there"
        scope.issue(Code.PATH_TRAVERSAL, "high", text, None, shown(path, 120))
