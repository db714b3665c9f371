"""Which model an XML document is, by its root element. Pages are told from it: who fetches a model may get one that
asks to sign in, or says that there is nothing.
"""

from __future__ import annotations

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.weights import silent
from shipworthy.modelfile.xmls.openvino import OpenVino
from shipworthy.modelfile.xmls.pmml import Pmml
from shipworthy.modelfile.xmls.scan import Attributes, scan
from shipworthy.patterns import regex

_BEFORE = rb"(?:\s|<!--(?:[^-]|-(?!->))*+-->|<\?xml[^>]*+>)*+"
_PAGE = regex(
    rb"(?i)(?:\xef\xbb\xbf)?" + _BEFORE + rb"(?:<!doctype\s++html\s*+>|(?:<!doctype\s++html[^>\[]*+>)?" + _BEFORE
    + rb"<(?:html|head|body|title|meta|script|style|link|div|center|table|p|h[1-6]|pre|a)[\s>])"
)  # fmt: skip
_ERROR = frozenset(("Error", "ErrorResponse"))  # of stores that speak S3, Azure's among them


class _Root:
    """Chooses the handler when the first element comes."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.inner: Pmml | OpenVino | None = None
        self.name = ""

    def start(self, space: str, name: str, attributes: Attributes, at: int) -> None:
        if not self.name:
            self.name = name
            if name == "PMML":
                self.inner = Pmml(self.scope, space)
            elif name == "net" and not space:
                self.inner = OpenVino(self.scope)
            elif name in _ERROR:
                self.scope.unknown("it is the error of a store, not a model: fetch the model again")
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
    if _is_page(scope):
        scope.unknown("it is an HTML page, not a model: who fetched it may have to sign in, or to ask for another file")
        return size
    root = _Root(scope)
    complete = scan(scope.view, root, scope)
    if root.inner is not None:
        root.inner.judge()
    elif complete and not root.name:
        scope.issue(Code.BROKEN_STREAM, "medium", "the XML holds no element")
    return size


def _is_page(scope: Scope) -> bool:
    """Whether it begins as a page, and no parser of XML takes it for a model."""
    if not _PAGE.match(scope.view.head()):
        return False
    root = _Root(Scope(silent(scope), scope.view))
    scan(scope.view, root, None)
    return root.inner is None
