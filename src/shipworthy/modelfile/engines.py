"""Files that are compiled code under another name: TensorRT's engines."""

from __future__ import annotations

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope


def read(scope: Scope, _: str) -> int:
    """A finding by itself: what the code does can't be told."""
    size = len(scope.view)
    if scope.role is Role.FILE:
        message = "a TensorRT engine is code compiled for one GPU, with plugins: nobody can tell what it does; build it"
        message += " yourself from an ONNX model that was scanned"
        scope.issue(Code.FOREIGN_CONTENT, "high", message, 0)
        scope.unknown("the code of the engine was not read")
    return size
