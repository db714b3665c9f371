"""What the metadata of columns asks a reader to do: extension types that are pickles, schemas inside of texts."""

from __future__ import annotations

import base64
import binascii

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

# what Arrow itself and widely used libraries register; their metadata is JSON or empty
_EXTENSIONS = frozenset(
    "arrow.uuid arrow.json arrow.bool8 arrow.opaque arrow.fixed_shape_tensor arrow.variable_shape_tensor "
    "arrow.parquet.variant arrow.timestamp_with_offset pandas.period pandas.interval ray.data.arrow_tensor "
    "ray.data.arrow_variable_shaped_tensor datasets.features.features.Array2DExtensionType "
    "datasets.features.features.Array3DExtensionType datasets.features.features.Array4DExtensionType "
    "datasets.features.features.Array5DExtensionType".split()
)
_RESERVED = ("arrow.", "pandas.")
_PICKLED = frozenset(("arrow.py_extension_type", "ray.data.arrow_pickled_object"))
_NAME, _DATA = "ARROW:extension:name", "ARROW:extension:metadata"


def judge(scope: Scope, pairs: list[tuple[str, View]], at: int) -> None:
    """Judge the metadata of one field or schema: keys and the places of their values."""
    names = [value.head(200).decode("utf-8", "replace") for key, value in pairs if key == _NAME]
    for name in names:
        label = f"arrow:{shown(name)}"
        if name in _PICKLED:
            message = f"the extension type {shown(name)} is restored by unpickling what the file holds: readers that"
            message += " allow it run its code; store the column as a plain type"
            scope.issue(Code.CODE_EXECUTION, "high", message, at, label)
        elif name.startswith(_RESERVED) and name not in _EXTENSIONS:
            message = f"the extension type {shown(name)} has a name that is kept for Arrow's or pandas' own, which have"
            scope.issue(Code.UNKNOWN_NAME, "medium", f"{message} no such type: find out what registers it", at, label)
        elif name not in _EXTENSIONS:
            scope.names([label])
            scope.unknown(
                f"the extension type {shown(name)} is none of Arrow's own: what its library does is not known"
            )
    for key, value in pairs:
        pickled = key == _DATA and any(name in _PICKLED for name in names)
        if pickled:
            scope.child(f"metadata {shown(key, 60)}", value, Role.FILE)
        elif key == "ARROW:schema":
            _schema(scope, value, at)
        elif len(value) >= 10:
            scope.child(f"metadata {shown(key, 60)}", value, Role.BLOB)


def _schema(scope: Scope, value: View, at: int) -> None:
    """Parquet keeps Arrow's schema, with its extension types, in base64."""
    if len(value) > scope.limits.json:
        scope.unknown("the Arrow schema inside is too large")
        return
    try:
        data = base64.b64decode(value.all(), validate=True)
    except (binascii.Error, ValueError):
        scope.issue(Code.BROKEN_STREAM, "medium", "the Arrow schema inside is not base64", at)
        return
    scope.child("ARROW:schema", View.of(data), Role.FILE, "arrow")
