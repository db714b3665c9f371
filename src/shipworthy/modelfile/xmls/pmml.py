"""PMML: elements and attributes of the standard, functions that an evaluator would load as code, scripts.

https://dmg.org/pmml/v4-4-1/; the elements come from `elements.txt`, which a script reads out of a library.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.xmls.scan import Attributes

_SPACE = re.compile(r"(?:http://www\.dmg\.org/PMML-\d(?:[_.]\d){0,2})?")
# https://dmg.org/pmml/v4-4-1/BuiltinFunctions.html
_BUILT_IN = frozenset(
    "+ - * / min max sum avg median product log10 ln sqrt abs exp pow threshold floor ceil round modulo isMissing "
    "isNotMissing isValid isNotValid equal notEqual lessThan lessOrEqual greaterThan greaterOrEqual and or not isIn "
    "isNotIn if uppercase lowercase stringLength substring trimBlanks concat replace matches formatNumber "
    "formatDatetime dateDaysSinceYear dateSecondsSinceYear dateSecondsSinceMidnight normalCDF normalPDF stdNormalCDF "
    "stdNormalPDF erf normalIDF stdNormalIDF expm1 hypot ln1p rint sin asin sinh cos acos cosh tan atan tanh".split()
)
_SCRIPT = re.compile(r"(?i)script|^(?:python|groovy|jexl|code|r)$")
_KEPT = 10_000
_SHOWN = 8
_FREE = frozenset(("row", "MiningBuildTask"))  # the standard leaves to the writer what lies in these


@cache
def elements() -> dict[str, frozenset[str]]:
    """Element -> its attributes."""
    text = files("shipworthy.modelfile.xmls").joinpath("elements.txt").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: frozenset(row[1].split(" ") if len(row) > 1 else ()) for row in rows}


class Pmml:
    """Told of the elements of a document."""

    def __init__(self, scope: Scope, space: str) -> None:
        self.scope = scope
        self.space = space
        self.called: dict[str, int] = {}
        self.defined: set[str] = set()
        self.strange: set[str] = set()
        self.free = 0
        self.models = 0
        self.level = 0

    def start(self, space: str, name: str, attributes: Attributes, at: int) -> None:
        """Judge one element."""
        self.level += 1
        if name.lower() in ("script", "python", "javascript"):
            message = f"the element {shown(name)} holds a script, which is no part of PMML: some evaluators run it"
            self.scope.issue(Code.CODE_EXECUTION, "high", message, at)
        elif name == "Extension" and _SCRIPT.search(attributes.get("name", "")):
            message = f"the extension {shown(attributes['name'])} holds a script: the program that it is for runs it"
            self.scope.issue(Code.CODE_EXECUTION, "high", message, at)
        elif not self.free:
            self._element(space, name, attributes)
        if self.level == 2 and name not in ("Header", "DataDictionary", "TransformationDictionary", "MiningBuildTask"):
            self.models += name in elements() and name != "Extension"
        if name == "Apply" and len(self.called) < _KEPT:
            self.called.setdefault(attributes.get("function", ""), at)
        elif name == "DefineFunction" and len(self.defined) < _KEPT:
            self.defined.add(attributes.get("name", ""))
        if name in _FREE or self.free:
            self.free += 1

    def _element(self, space: str, name: str, attributes: Attributes) -> None:
        known = elements().get(name)
        if space != self.space or known is None:
            if len(self.strange) < _KEPT:
                self.strange.add(f"<{shown(name)}>")
            return
        if name + "Type" in elements():  # the schema declares such an element to be of that type
            known |= elements()[name + "Type"]
        for key in attributes.keys() - known:
            plain = key.startswith("x-") or " " in key  # extensions; names of other namespaces, as xsi:schemaLocation
            if not plain and len(self.strange) < _KEPT:
                self.strange.add(f"{shown(name)}/@{shown(key)}")

    def end(self) -> None:
        """An element ends."""
        self.level -= 1
        if self.free:
            self.free -= 1

    def judge(self) -> None:
        """At the end of the document."""
        if not _SPACE.fullmatch(self.space):
            self.scope.unknown(f"PMML of the unknown namespace {shown(self.space)}")
        if not self.models:
            self.scope.unknown("the PMML holds no model")
        for name, at in self.called.items():
            if name in _BUILT_IN or name in self.defined:
                continue
            if not any(fnmatchcase(f"pmml:{name}", pattern) for pattern in self.scope.trust):
                message = f"it applies the function {shown(name)}, which neither PMML nor the file defines: evaluators"
                message += " load code by that name; define it with DefineFunction"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, at, f"pmml:{shown(name)}")
        if self.strange:
            names = ", ".join(sorted(self.strange)[:_SHOWN])
            self.scope.unknown(f"it holds what PMML 4.4 does not have: {names}")
