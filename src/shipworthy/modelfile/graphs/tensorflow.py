"""TensorFlow: SavedModel, GraphDef, MetaGraphDef, Keras metadata and fingerprint, walked along their schema.

What is looked at: every operator of every graph and function, paths of checkpoint operators, assets, Keras' own
configuration. Sources: tensorflow/core/protobuf/{saved_model,meta_graph,saved_object_graph}.proto.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from shipworthy.modelfile import keras
from shipworthy.modelfile.graphs import flow, frames, makers, sizes
from shipworthy.modelfile.graphs.dangers import ATTRIBUTES, DANGERS, OPAQUE, fixed
from shipworthy.modelfile.graphs.nodes import Node, node
from shipworthy.modelfile.graphs.tables import messages, operators
from shipworthy.modelfile.graphs.walk import TruncatedError, Walker, inner, parts, text
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.protobuf import BYTES
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.strictjson import strict

ROOTS = {
    "savedmodel": "SavedModel",
    "graphdef": "GraphDef",
    "metagraph": "MetaGraphDef",
    "tf-fingerprint": "FingerprintDef",
    "keras-metadata": "SavedMetadata",
}
_KEPT = 200_000
_BLOB = 64
_INITIAL = "__saved_model_init_op"  # the signature that a loader runs once, with the places of assets
_FED = frozenset(("PlaceholderWithDefault", "Placeholder"))  # a caller gives these other values


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.known = operators("tensorflow")
        self.budget = flow.Budget()
        self.graphs = self.kept = self.blobs = 0
        self.graph = self.within = (0, 0, 0)
        self.round: set[tuple[int, int, int]] = set()
        self.begin()

    def begin(self) -> None:
        """Names of nodes and functions are those of one MetaGraphDef."""
        self.used: dict[str, int] = {}
        self.main = flow.Body("")
        self.bodies: dict[str, flow.Body] = {"": self.main}
        self.body, self.until = self.main, 0
        self.dangerous: list[tuple[flow.Body, Node, str, str, str]] = []
        self.assets: dict[str, str] = {}
        self.served: set[str] = set()
        self.answers: set[str] = set()  # what signatures give back, but for that which initializes
        self.initial = False

    def enter(self, kind: str, low: int, high: int) -> bool:
        """Look at a message before what lies inside."""
        if kind == "NodeDef":
            self.node(low, high)
        elif kind == "GraphDef":
            self.graphs += 1
            self.graph = low, high, 1
            if low == 0 and not {3, 4} & {number for number, *_ in parts(self.view, low, high)}:
                self.scope.issue(Code.BROKEN_STREAM, "medium", "a graph without its version: it may be cut short", low)
        elif kind == "MetaGraphDef":
            self.judge()
            self.begin()
        elif kind == "FunctionDef":
            self.function(low, high)
        elif kind == "AssetFileDef":
            self.asset(low, high)
        elif kind in ("SavedUserObject", "SavedObject"):
            self.metadata(kind, low, high)
        elif kind == "SignatureDef.InputsEntry":
            place = inner(self.view, low, high, 2, 1)
            if place:
                self.served.add(text(self.view, *place, 500).split(":")[0])
        elif kind == "MetaGraphDef.SignatureDefEntry":
            keys = {
                text(self.view, begin, end, 100)
                for number, _, begin, end, _ in parts(self.view, low, high)
                if number == 1
            }
            self.initial = keys == {_INITIAL}
        elif kind == "SignatureDef.OutputsEntry" and not self.initial:
            place = inner(self.view, low, high, 2, 1)
            if place:
                self.answers.add(text(self.view, *place, 500).split(":")[0])
        elif kind == "TensorProto":
            self.tensor(low, high)
        elif kind == "FingerprintDef":
            self.fingerprint(low, high)
        return True

    def fingerprint(self, low: int, high: int) -> None:
        """Versions from 2 on end in an identifier: a file without it may have been cut."""
        producer = inner(self.view, low, high, 6)
        if producer is None:
            self.scope.unknown("the fingerprint lacks its version: it may be cut short")
            return
        versions = {number: value for number, _, _, _, value in parts(self.view, *producer)}
        if versions.get(1, 0) >= 2 and not any(number == 7 for number, *_ in parts(self.view, low, high)):
            self.scope.unknown("the fingerprint lacks its identifier: it may be cut short")

    def function(self, low: int, high: int) -> None:
        signature = inner(self.view, low, high, 1)
        name, args, outputs = "", list[str](), list[str]()
        if signature:
            for number, wire, begin, end, _ in parts(self.view, *signature):
                if number == 1 and wire == BYTES:
                    name = text(self.view, begin, end, 200)
                elif number in (2, 3) and wire == BYTES:
                    place = inner(self.view, begin, end, 1)
                    (args if number == 2 else outputs).append(text(self.view, *place, 200) if place else "")
        if name in self.known:
            issue = f"a function takes the name of the operator {ascii(name)[:80]}: the graph is not what it shows"
            self.scope.issue(Code.CONTAINER_TAMPERED, "medium", issue, low)
        if name in self.bodies:
            issue = f"two functions are named {ascii(name)[:80]}: loaders differ in which one they take"
            self.scope.issue(Code.CONTAINER_TAMPERED, "medium", issue, low)
        self.body = self.bodies[name] if name and name in self.bodies else flow.Body(name, args)
        self.bodies.setdefault(name or f"?{low}", self.body)
        self.until = high
        self.within = low, high, 3
        results: dict[str, str] = {}
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if number == 4 and wire == BYTES:
                pair = {
                    key: text(self.view, first, last, 500) for key, _, first, last, _ in parts(self.view, begin, end)
                }
                results[pair.get(1, "")] = pair.get(2, "").split(":")[0]
        self.body.returns += [results.get(name, "") for name in outputs] or list(results.values())

    def node(self, low: int, high: int) -> None:
        found = node(self.view, low, high)
        body = self.body if low < self.until else self.main
        operator = found.operator
        self.used.setdefault(operator, low)
        if operator in OPAQUE:
            self.scope.unknown(f"the operator {operator} holds {OPAQUE[operator]}, which this version does not read")
        if operator in frames.ROUND:
            self.round.add(self.within if low < self.until else self.graph)
        if body is self.main and len(body.edges) < _KEPT:
            body.edges[found.name] = tuple(found.inputs)
        self.danger(body, found)
        self.sized(body, found)
        if flow.wanted(found, operator in self.known):
            self.kept += 1
            if found.name in body.nodes:
                issue = f"two nodes are named {ascii(found.name)[:80]}: paths can't be followed"
                self.scope.issue(Code.CONTAINER_TAMPERED, "medium", issue, low)
            if self.kept <= _KEPT:
                body.nodes[found.name if found.name not in body.nodes else f"{found.name}?{low}"] = found
            else:
                self.scope.unknown(f"the paths of more than {_KEPT} nodes were not followed")

    def sized(self, body: flow.Body, found: Node) -> None:
        """Keep what sizes follow from. Of a node with one output, `name`, `name:0` and `name:output:0` are the same."""
        if found.dims is not None and len(body.sizes.dims) < _KEPT:
            body.sizes.dims[found.name] = found.dims
        if found.constant and len(body.sizes.texts) < _KEPT:
            body.sizes.texts[found.name] = max(map(len, found.constant))
        if found.numbers is not None and len(body.sizes.constants) < _KEPT:
            body.sizes.constants[found.name] = found.numbers
        inputs = [item.split(":")[0] for item in found.inputs if not item.startswith("^")]
        if found.dims is not None and sizes.product(found.dims) > max(sizes.MOST, 4 * len(self.view)):
            many = sizes.product(found.dims)
            message = f"the constant {ascii(found.name)[:80]} stands for {many} numbers, which fill the memory"
            self.scope.issue(Code.BOMB, "high", message, found.at)
        if found.numbers is not None:
            pass
        elif sizes.matters(found.operator):
            inputs += makers.said(found.operator, found.said, found.texts, len(inputs))
            for name, value in makers.labelled(inputs):
                body.sizes.constants[name] = value
            if not body.sizes.add(found.name, found.operator, inputs, found.at):
                self.scope.unknown("it has more nodes than are looked at for what they make")
        elif found.operator not in _FED:
            body.sizes.other([found.name], inputs)
        if (found.condition or found.operator == "LoopCond") and len(body.loops) < _KEPT:
            body.loops.append(found)

    def danger(self, body: flow.Body, found: Node) -> None:
        operator = found.operator
        if operator in DANGERS:
            severity, does = DANGERS[operator]
            self.dangerous.append((body, found, severity, does, ""))
        elif operator in ATTRIBUTES and (bad := fixed(operator, found.texts)):
            _, _, severity, does = ATTRIBUTES[operator]
            self.dangerous.append((body, found, severity, does, ", ".join(bad)))
        if len(self.dangerous) > 10_000:
            self.dangerous.pop()

    def asset(self, low: int, high: int) -> None:
        tensor = file = ""
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if number == 1 and wire == BYTES:
                place = inner(self.view, begin, end, 1)
                if place:
                    tensor = text(self.view, *place, 500).split(":")[0]
            elif number == 2 and wire == BYTES:
                file = name = text(self.view, begin, end, 1000)
                if escapes(name):
                    shown = ascii(name)[:160]
                    self.scope.issue(
                        Code.PATH_TRAVERSAL, "high", f"the asset {shown} lies outside of the model's folder", low
                    )
                elif self.scope.folder is not None and not os.path.exists(self.scope.folder / "assets" / name):
                    shown = ascii(name)[:160]
                    self.scope.issue(Code.EXTERNAL_DATA, "low", f"the asset {shown} is not in the folder assets", low)
        if tensor:
            self.assets[tensor] = file

    def metadata(self, kind: str, low: int, high: int) -> None:
        """Keras' configuration, as JSON: in the SavedModel itself before 2.5, then in keras_metadata.pb."""
        if kind == "SavedObject" and self.known_keras is False:
            return
        identifier = place = None
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if wire == BYTES and number == (4 if kind == "SavedObject" else 1):
                identifier = text(self.view, begin, end, 100)
            elif wire == BYTES and number == (5 if kind == "SavedObject" else 3):
                place = begin, end
        if place is None or place[1] == place[0] or not (identifier or "").startswith("_tf_keras"):
            return
        if place[1] - place[0] > self.scope.limits.json:
            self.scope.unknown("Keras metadata is larger than the limit for JSON")
            return
        try:
            value = strict(self.view.read(place[0], place[1] - place[0]))
        except ValueError as error:
            reason = ascii(str(error))[1:100]
            self.scope.unknown(f"the Keras metadata at {place[0]} is not valid JSON ({reason})")
            return
        keras.judge(self.scope, value)

    known_keras = False

    def tensor(self, low: int, high: int) -> None:
        """Constants are only numbers and texts, unless they are a file."""
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if number in (4, 8) and wire == BYTES and end - begin >= _BLOB and self.blobs < self.scope.limits.nested:
                self.blobs += 1
                self.scope.child(f"constant at {begin}", self.view.sub(begin, end - begin), Role.BLOB)

    def judge(self) -> None:
        for low, high, number in sorted(self.round):
            frames.judge(self.scope, low, high, number)
        self.round.clear()
        shown_only = flow.Budget(20_000)
        for body, found, severity, does, attribute in self.dangerous:
            if f"tensorflow:{found.operator}" in self.scope.trust:
                continue
            values = attribute
            if not values:
                texts = [value for item in found.inputs[:4] for value, _ in flow.origins(body, item, shown_only).texts]
                values = ", ".join(texts or [value for item in found.texts.values() for value in item])
            shown = f"({ascii(values)[1:-1][:160]})" if values else ""
            where = f" in the function {ascii(body.name)[1:-1][:80]}" if body.name else ""
            message = f"the operator {found.operator}{shown}{where} {does} when the graph runs"
            self.scope.issue(
                Code.DANGEROUS_OPERATOR, severity, message, found.at, f"tensorflow:{found.operator}", shown
            )
        for operator, at in self.used.items():
            if operator in self.known or operator in self.bodies or operator in DANGERS:
                continue
            shown = f"tensorflow:{ascii(operator)[1:-1]}"[:160]
            if not any(fnmatchcase(f"tensorflow:{operator}", pattern) for pattern in self.scope.trust):
                message = f"the operator {shown[11:]} is not TensorFlow's own: a native library must be loaded for it"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, at, shown)
        if self.assets and len(self.main.edges) >= _KEPT:
            self.scope.unknown(f"what needs assets was not followed through more than {_KEPT} nodes")
        flow.endless(self.scope, self.bodies)
        flow.judge(self.scope, self.bodies, self.assets, self.served, self.answers, self.budget)


def read(scope: Scope, format_: str) -> int:
    """Walk the message; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is Role.BLOB:
        return size
    reader = _Reader(scope)
    reader.known_keras = format_ == "keras-metadata"
    schema = messages("keras" if reader.known_keras else "tensorflow")
    try:
        Walker(scope, schema, reader.enter).run(ROOTS[format_])
    except TruncatedError as error:
        at = error.args[0]
        scope.issue(Code.BROKEN_STREAM, "medium", "the message is cut short or no valid protobuf message", at)
    if format_ in ("savedmodel", "graphdef", "metagraph") and not reader.graphs:
        scope.unknown("it holds no graph")
    reader.judge()
    return size
