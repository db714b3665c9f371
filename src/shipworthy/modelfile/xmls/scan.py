"""XML by Expat, with everything refused that reaches beyond the document: DTDs, entities, XInclude, style sheets."""

from __future__ import annotations

import re
from typing import Protocol
from xml.parsers import expat

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

_PIECE = 1 << 18
_TOKEN = 4 << 20  # one tag or text without an end: Expat would look through it again and again
_DEPTH = 2000
_DECLARED = 1 << 16
_XINCLUDE = "http://www.w3.org/2001/XInclude"
_IDENTIFIER = re.compile(rb"SYSTEM|PUBLIC")

Attributes = dict[str, str]


class Handler(Protocol):
    """What is told of elements: `space` is the namespace's address, `at` the offset in the file."""

    def start(self, space: str, name: str, attributes: Attributes, at: int) -> None:
        """An element begins."""

    def end(self) -> None:
        """An element ends."""


class _RefusedError(Exception):
    pass


class _Parser:
    def __init__(self, view: View, handler: Handler, scope: Scope | None) -> None:
        self.view = view
        self.handler = handler
        self.scope = scope
        self.depth = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = False
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.StartDoctypeDeclHandler = self.doctype
        parser.EntityDeclHandler = self.entity
        parser.ExternalEntityRefHandler = self.external
        parser.ProcessingInstructionHandler = self.instruction
        self.parser = parser

    def report(self, code: Code, severity: str, message: str) -> None:
        if self.scope is not None:
            self.scope.issue(code, severity, message, max(self.parser.CurrentByteIndex, 0))

    def start(self, name: str, attributes: Attributes) -> None:
        self.depth += 1
        if self.depth > _DEPTH:
            self.report(Code.BOMB, "high", f"elements are nested more than {_DEPTH} deep")
            raise _RefusedError
        space, _, local = name.rpartition(" ")
        if space == _XINCLUDE:
            target = shown(attributes.get("href", ""))
            self.report(Code.EXTERNAL_DATA, "high", f"it includes another document by XInclude: {target}")
        self.handler.start(space, local, attributes, max(self.parser.CurrentByteIndex, 0))

    def end(self, _: str) -> None:
        self.depth -= 1
        self.handler.end()

    def doctype(self, _: str, system: str | None, public: str | None, subset: int) -> None:
        code, severity = Code.CONTAINER_TAMPERED, "high" if system or public or subset else "medium"
        # UTF-16 and UTF-32 without their zeros are enough to look for words in
        text = self.view.read(max(self.parser.CurrentByteIndex, 0), _DECLARED).replace(b"\0", b"") if subset else b""
        if system or public or _IDENTIFIER.search(text):
            code, what = Code.EXTERNAL_DATA, "names files or addresses that a parser would read (XXE)"
        elif b"<!ENTITY" in text:
            code, what = Code.BOMB, "defines entities, which a parser would multiply (a billion laughs)"
        else:
            what = "declares what no model needs" if subset else "is no part of a model"
        self.report(code, severity, f"its document type declaration {what}; remove it")
        if severity == "high":  # a name alone changes nothing of what follows
            raise _RefusedError

    def entity(self, *_: object) -> None:
        raise _RefusedError

    def external(self, *_: object) -> int:
        raise _RefusedError

    def instruction(self, target: str, data: str) -> None:
        if target.lower().startswith("xml-stylesheet"):
            self.report(Code.EXTERNAL_DATA, "medium", f"it names a style sheet: {shown(data)}")
        elif self.scope is not None:
            self.scope.unknown(f"it holds instructions for the program {shown(target)}")

    def run(self) -> None:
        view, parser = self.view, self.parser
        for at in range(0, len(view), _PIECE):
            parser.Parse(view.read(at, _PIECE), False)
            if at - parser.CurrentByteIndex > _TOKEN:
                self.report(Code.BOMB, "high", "one tag or text is longer than any model's")
                raise _RefusedError
        parser.Parse(b"", True)


def scan(view: View, handler: Handler, scope: Scope | None) -> bool:
    """Tell `handler` of every element; whether the document was read to its end. What is wrong is reported."""
    parser = _Parser(view, handler, scope)
    try:
        parser.run()
    except _RefusedError:
        if scope is not None:
            scope.unknown("the XML was read only up to what is wrong with it")
        return False
    except (expat.ExpatError, LookupError, ValueError) as error:
        if scope is not None:
            at = min(max(parser.parser.ErrorByteIndex, 0), len(view))
            code = getattr(error, "code", 0)
            if code == 18:  # an encoding that Expat does not know
                scope.unknown("the XML is in an encoding that is not known to this version")
            elif code == 9:  # junk after document element
                message = f"{len(view) - at} bytes follow the document's end"
                scope.issue(Code.UNEXPLAINED_BYTES, "medium", message, at)
                scope.child(f"bytes at {at}", view.sub(at, len(view)), Role.TRAILER)
            else:
                message = f"the XML is cut short or not well-formed ({shown(str(error))})"
                scope.issue(Code.BROKEN_STREAM, "medium", message, at)
        return False
    return True
