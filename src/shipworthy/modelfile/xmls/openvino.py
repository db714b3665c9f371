"""OpenVINO IR: layers against the operator sets, weights against the .bin beside the .xml, libraries to be loaded.

Layout: OpenVINO's `src/core/xml_util` and `src/frontends/ir`; the operator sets come from `operators.txt`.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from shipworthy.modelfile import pointers
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View
from shipworthy.modelfile.weights import cover, silent
from shipworthy.modelfile.xmls.openvinosizes import IrSizes
from shipworthy.modelfile.xmls.scan import Attributes, scan
from shipworthy.records import dataclass

_ELEMENTS = frozenset(
    "net layers layer data input output port dim edges edge rt_info attribute port_map back_edges body then_body "
    "else_body then_port_map else_port_map".split()
)
_LAYER = frozenset(("id", "name", "type", "version", "output_names"))
_RENAMED = {"const": "constant"}
_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|dll|dylib|exe|sh|bat|py|cl)$", re.IGNORECASE)
_BITS = {"f64": 64, "f32": 32, "f16": 16, "bf16": 16, "i64": 64, "i32": 32, "i16": 16, "i8": 8, "i4": 4, "u64": 64,
         "u32": 32, "u16": 16, "u8": 8, "u6": 6, "u4": 4, "u3": 3, "u2": 2, "u1": 1, "boolean": 8, "nf4": 4,
         "f8e4m3": 8, "f8e5m2": 8, "f4e2m1": 4, "f8e8m0": 8}  # fmt: skip
_ALIGNMENT = 4096
_STRANGE = 1000
_SHOWN = 8


@cache
def operators() -> dict[str, int]:
    """Operator in lower case -> the first operator set that has it."""
    text = files("shipworthy.modelfile.xmls").joinpath("operators.txt").read_text("utf-8")
    rows = [line.split(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name.lower(): int(first) for name, first in rows}


@dataclass(frozen=True)
class _Constant:
    low: int
    size: int
    name: str
    at: int


class OpenVino:
    """Told of the elements of a document."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.layer: Attributes = {}
        self.path: list[str] = []
        self.constants: list[_Constant] = []
        self.strange: set[str] = set()
        self.free = 0
        self.layers = 0
        self.sizes = IrSizes(scope)

    def start(self, space: str, name: str, attributes: Attributes, at: int) -> None:
        """Judge one element."""
        for key, value in attributes.items():
            if key in ("library", "lib", "plugin", "path") or _LIBRARY.search(value):
                if name == "layer" and key == "name":
                    continue
                message = (
                    f"the element {shown(name)} names the program or library {shown(value)}: a runtime may load it"
                )
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, at, f"openvino:{shown(value)}")
        if not self.free and (name not in _ELEMENTS or space) and len(self.strange) < _STRANGE:
            self.strange.add(f"<{shown(name)}>")
        if name != "rt_info" and not self.free:
            self.sizes.start(name, attributes, self.path, at)
        if name == "rt_info" or self.free:
            self.free += 1
        elif not self.path and not re.fullmatch(r"1[01]", attributes.get("version", "")):
            self.scope.unknown(f"version {shown(attributes.get('version', '(none)'))} of the IR is not known")
        elif name == "layer":
            self._judge_layer(attributes, at)
        elif name == "data" and self.path[-1:] == ["layer"]:
            self._data(attributes, at)
        self.path.append(name)

    def _judge_layer(self, attributes: Attributes, at: int) -> None:
        self.layers += 1
        self.layer = attributes
        kind, version = attributes.get("type", ""), attributes.get("version", "")
        first = operators().get(_RENAMED.get(kind.lower(), kind.lower()))
        opset = re.fullmatch(r"opset(\d{1,3})", version)
        if first is None or opset is None or not 1 <= int(opset[1]) <= max(operators().values()):
            label = f"{shown(version)}:{shown(kind)}"
            if not any(fnmatchcase(f"openvino:{version}:{kind}", pattern) for pattern in self.scope.trust):
                message = f"the layer {label} is of no operator set of OpenVINO: an extension library must be loaded"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, at, f"openvino:{label}")
        for key in attributes.keys() - _LAYER:
            if len(self.strange) < _STRANGE:
                self.strange.add(f"layer/@{shown(key)}")

    def _data(self, attributes: Attributes, at: int) -> None:
        if "offset" not in attributes and "size" not in attributes:
            return
        name = shown(self.layer.get("name", ""))
        low, size = (_number(attributes.get(key, "")) for key in ("offset", "size"))
        if low is None or size is None or low + size >= 1 << 62:
            self.scope.issue(Code.BROKEN_STREAM, "high", f"the place of the constant {name} is no number", at)
            return
        needed = _needed(attributes)
        if needed is not None and needed != size:
            message = f"the constant {name} has {size} bytes, its shape and type need {needed}"
            self.scope.issue(Code.BROKEN_STREAM, "medium", message, at)
        if len(self.constants) < self.scope.limits.entries:
            self.constants.append(_Constant(low, size, name, at))
        else:
            self.scope.unknown("it has more constants than are looked at")

    def end(self) -> None:
        """An element ends."""
        name = self.path.pop()
        if self.free:
            self.free -= 1
        else:
            self.sizes.end(name)

    def judge(self) -> None:
        """At the end of the document."""
        if not self.layers:
            self.scope.unknown("the model has no layers")
        if self.strange:
            names = ", ".join(sorted(self.strange)[:_SHOWN])
            self.scope.unknown(f"it holds what is not known of OpenVINO's IR: {names}")
        if not self.constants:
            return
        weights = self.scope.neighbour(".bin")
        if weights is None:
            if self.scope.folder is not None:
                self.scope.missing("its weights lie in a .bin that is not beside it")
            else:
                self.scope.unknown("its weights lie in another file (.bin), which was not at hand")
            return
        if pointers.is_pointer_file(weights):
            self.scope.missing(f"its weights lie in the .bin beside it: {pointers.REASON}")
            return
        self.sizes.judge(weights)
        size = weights.stat().st_size
        for item in self.constants:
            if item.low + item.size > size:
                message = f"the constant {item.name} ends at {item.low + item.size}; the .bin has {size} bytes"
                self.scope.issue(Code.BROKEN_STREAM, "high", message, item.at)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,19}", text) else None


def _needed(attributes: Attributes) -> int | None:
    """Bytes of a constant by its shape and type; None when that can't be told."""
    bits = _BITS.get(attributes.get("element_type", ""))
    shape = attributes.get("shape")
    if bits is None or shape is None:
        return None
    total = bits
    for part in shape.split(",") if shape.strip() else []:
        size = _number(part.strip())
        if size is None or total >> 62:
            return None
        total *= size
    return (total + 7) // 8


def weights(scope: Scope) -> bool:
    """Whether the view is the .bin of the .xml beside it: then whether the constants cover it to the last byte was
    checked.
    """
    model = scope.neighbour(".xml") if scope.role is Role.FILE else None
    if model is None or model.stat().st_size > scope.limits.json:
        return False
    view = View.of(model.read_bytes())
    quiet = OpenVino(Scope(silent(scope), view))
    if b"<net" not in view.head() or not scan(view, quiet, None) or not quiet.constants:
        return False
    cover(scope, ((item.low, item.low + item.size) for item in quiet.constants), "constant", _ALIGNMENT, "high")
    return True


def read(scope: Scope, _: str) -> int:
    """The .bin: `weights` has checked it while the format was settled."""
    return len(scope.view)
