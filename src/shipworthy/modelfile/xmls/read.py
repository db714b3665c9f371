"""Which model an XML document is, by its root element."""

from __future__ import annotations

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.xmls.openvino import OpenVino
from shipworthy.modelfile.xmls.pmml import Pmml
from shipworthy.modelfile.xmls.scan import Attributes, scan


class _Root:
    """Chooses the handler when the first element comes."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.inner: Pmml | OpenVino | None = None
        self.seen = False

    def start(self, space: str, name: str, attributes: Attributes, at: int) -> None:
        if not self.seen:
            self.seen = True
            if name == "PMML":
                self.inner = Pmml(self.scope, space)
            elif name == "net" and not space:
                self.inner = OpenVino(self.scope)
            else:
                self.scope.unknown(f"this version does not judge XML whose root is {shown(name)}")
        if self.inner is not None:
            self.inner.start(space, name, attributes, at)

    def end(self) -> None:
        if self.inner is not None:
            self.inner.end()


def read(scope: Scope, _: str) -> int:
    """Judge the document; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    root = _Root(scope)
    complete = scan(scope.view, root, scope)
    if root.inner is not None:
        root.inner.judge()
    elif complete and not root.seen:
        scope.issue(Code.BROKEN_STREAM, "medium", "the XML holds no element")
    return size
