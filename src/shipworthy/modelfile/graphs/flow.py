"""Where the path of a checkpoint or table operator comes from: the caller, as in an honest saver, or the model itself.

Paths are followed backwards through the operators that may pass one on, and through calls of functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.modelfile.graphs import loops, turns
from shipworthy.modelfile.graphs.dangers import CALLS, PASSING, SINKS
from shipworthy.modelfile.graphs.nodes import STRING, Node
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.sourcenames import PRIVATE
from shipworthy.records import dataclass, field

_STEPS = 200_000
_NEVER = 1 << 20
_MERGES = 500
_VARIABLES = frozenset(("ReadVariableOp", "AssignVariableOp"))
_FREE = frozenset(("Placeholder", "PlaceholderV2"))
_DOES = {
    "write": "writes a checkpoint",
    "read": "reads a checkpoint",
    "table": "reads a vocabulary",
    "cache": "writes a cache",
}


@dataclass
class Body:
    """The main graph (no name) or a function, with those nodes that may matter for paths or sizes. `edges` are the
    inputs of all nodes, of the main graph only.
    """

    name: str
    args: list[str] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)
    returns: list[str] = field(default_factory=list)
    loops: list[Node] = field(default_factory=list)
    edges: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Origins:
    """What can be at the end of a path input."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    args: list[int] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)


def wanted(node: Node, known: bool) -> bool:
    """Whether a node must be kept for following paths."""
    operator = node.operator
    return (
        not known or bool(node.calls) or node.constant is not None or operator in PASSING or operator in SINKS
        or operator in _FREE or (operator in _VARIABLES and node.dtype == STRING)
    )  # fmt: skip


@dataclass
class Budget:
    """Steps left for following paths, for a whole file."""

    left: int = _STEPS


def origins(body: Body, start: str, budget: Budget) -> Origins:
    """Follow an input backwards inside its body; it counts as computed when the steps are used up."""
    found = Origins()
    pending, seen = [start], {start}
    while pending:
        budget.left -= 1
        if budget.left < 0:
            found.computed.append("a chain too long to follow")
            break
        name = pending.pop().removeprefix("^").split(":")[0]
        if name in body.args:
            found.args.append(body.args.index(name))
            continue
        node = body.nodes.get(name)
        if node is None:
            found.computed.append("")
            continue
        if node.constant is not None:
            found.texts += [(value, name) for value in node.constant]
        elif node.operator in _FREE:
            found.free.append(name)
        elif node.operator in PASSING:
            numbers = PASSING[node.operator]
            inputs = [item for item in node.inputs if not item.startswith("^")]
            chosen = [inputs[n] for n in numbers if n < len(inputs)] if numbers else inputs
            pending += [item for item in chosen if item not in seen]
            seen.update(chosen)
            if node.operator == "PlaceholderWithDefault":
                found.free.append(name)
        elif node.operator == "ReadVariableOp" and (values := _assigned(body, node, budget)):
            pending += [item for item in values if item not in seen]
            seen.update(values)
        else:
            found.computed.append(node.operator)
    return found


def _assigned(body: Body, read: Node, budget: Budget) -> list[str]:
    """What the same body puts into the variable that is read: how TensorFlow keeps the path of an asset."""
    budget.left -= len(body.nodes) // 8
    if budget.left < 0:
        return []
    return [
        node.inputs[1]
        for node in body.nodes.values()
        if node.operator == "AssignVariableOp" and len(node.inputs) > 1 and node.inputs[:1] == read.inputs[:1]
    ]


def _handed_on(bodies: dict[str, Body], counted: dict[int, int], budget: loops.Budget) -> dict[str, int]:
    """Constants that a call hands to a function are constants inside, in a loop those that it does not change. Counts
    the turns of loops by the offset of their node, and returns how often functions run at least.
    """
    pending, seen, often = [bodies[""]], {""}, {"": 1}
    while pending:
        body = pending.pop(0)
        for node in body.nodes.values():
            times = often[body.name]
            handed: set[int] | None = None
            if (loop := _loop(bodies, body, node)) is not None:
                counted[node.at] = loops.turns(loop, budget)
                times = min(times * max(counted[node.at], 1), loops.ENDLESS)
                handed = loop.handed
            elif node.operator == "For":
                inputs = [item.split(":")[0] for item in node.inputs]
                times = min(times * max(turns.counted(body.sizes, inputs), 1), loops.ENDLESS)
            for called in {*node.calls, node.operator} & bodies.keys() - seen:
                target = bodies[called]
                first = 0 if node.operator == called else CALLS.get(node.operator, _NEVER)
                inputs = [item for item in node.inputs if not item.startswith("^")][first:]
                for index, (name, given) in enumerate(zip(target.args, inputs, strict=False)):
                    changes = "While" in node.operator if handed is None else index not in handed
                    value = None if changes else body.sizes.value(given.split(":")[0])
                    if value is not None:
                        target.sizes.constants.setdefault(name, value)
                often[called] = times if called != node.condition else often[body.name]
                seen.add(called)
                pending.append(target)
    return often


def _loop(bodies: dict[str, Body], body: Body, node: Node) -> loops.Loop | None:
    test, inside = bodies.get(node.condition), bodies.get(node.body)
    if test is None or inside is None or len(test.returns) != 1:
        return None
    given = [item.split(":")[0] for item in node.inputs if not item.startswith("^")]
    return loops.Loop(
        body.sizes, given, inside.sizes, inside.args, inside.returns, test.sizes, test.args, test.returns[0], at=node.at
    )


def _old_loop(scope: Scope, body: Body, node: Node, budget: loops.Budget) -> None:
    """Of TensorFlow 1: what a loop hands on goes through nodes Merge, of a first value and the next."""
    handed = {
        name: inputs for name, (kind, inputs, _) in body.sizes.nodes.items() if kind == "Merge" and len(inputs) == 2
    }
    if not handed or len(handed) > _MERGES:
        return
    names, graph = list(handed), body.sizes
    firsts, results = ([handed[name][which] for name in names] for which in (0, 1))
    loop = loops.Loop(graph, firsts, graph, names, results, graph, names, node.name, at=node.at)
    if times := loops.turns(loop, budget):
        loops.report(scope, times, loops.growth(loop, times, budget), node.at, node.name)


def _called(bodies: dict[str, Body], body: Body) -> list[tuple[str, int]]:
    """Which functions a body calls, once for each time."""
    found = ((called, node) for node in body.nodes.values() for called in {*node.calls, node.operator})
    return [(called, node.at) for called, node in found if called in bodies]


def endless(scope: Scope, bodies: dict[str, Body]) -> None:
    """Report what asks for too much, and loops that never end, run too often or grow too large."""
    counted: dict[int, int] = {}
    budget = loops.Budget()
    often = _handed_on(bodies, counted, budget)
    turns.calls(scope, {name: _called(bodies, body) for name, body in bodies.items()})
    for body in bodies.values():
        for kind, inputs, at in body.sizes.nodes.values():
            if kind == "For":
                turns.report(scope, kind, turns.counted(body.sizes, inputs) * often.get(body.name, 1), at)
            elif turns.reads(kind):
                turns.report(scope, kind, turns.last(body.sizes, kind, inputs) * often.get(body.name, 1), at)
        body.sizes.turned()
        body.sizes.judge(scope)
        for node in body.loops:
            condition = bodies.get(node.condition)
            if condition is not None and len(condition.returns) == 1:
                value = condition.sizes.value(condition.returns[0])
            elif node.operator == "LoopCond":
                value = body.sizes.value(node.name)
            else:
                continue
            times = counted.get(node.at, 0)
            if node.operator == "LoopCond" and value != (True,):
                _old_loop(scope, body, node, budget)
            if value == (True,):
                text = f"the condition of the loop {ascii(node.name)[:80]} is always true: the graph never ends"
                scope.issue(Code.BOMB, "high", text, node.at)
            elif times and (loop := _loop(bodies, body, node)) is not None:
                total = min(times * often.get(body.name, 1), loops.ENDLESS - (times < loops.ENDLESS))
                loops.report(scope, total, loops.growth(loop, times, budget), node.at, node.name)
    if budget.left < 0:
        scope.unknown("it has more loops than are looked at for how often they run")


def _behind(body: Body, answers: set[str]) -> set[str]:
    """The nodes that run whenever these do, also only before them."""
    seen, pending = set(answers), list(answers)
    while pending:
        for item in body.edges.get(pending.pop(), ()):
            name = item.removeprefix("^").split(":")[0]
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return seen


def judge(
    scope: Scope,
    bodies: dict[str, Body],
    assets: Mapping[str, str],
    served: set[str],
    answers: set[str],
    budget: Budget,
) -> None:
    """Report sinks whose path the model fixes, computes, or takes from whoever sends requests."""
    answering = _behind(bodies[""], answers) if assets and answers else set()
    callers: dict[str, list[tuple[Body, Node]]] = {}
    pending: list[tuple[Body, Node, str, str, str]] = []
    for body in bodies.values():
        for node in body.nodes.values():
            for called in {*node.calls, node.operator} & bodies.keys():
                callers.setdefault(called, []).append((body, node))
            if node.operator in SINKS:
                position, kind = SINKS[node.operator]
                inputs = [item for item in node.inputs if not item.startswith("^")]
                if position < len(inputs):
                    pending.append((body, node, inputs[position], kind, node.operator))
    seen: set[tuple[str, str, str]] = set()
    while pending and len(seen) < _STEPS:
        body, node, start, kind, sink = pending.pop()
        if (body.name, start, sink) in seen:
            continue
        seen.add((body.name, start, sink))
        found = origins(body, start, budget)
        placed = not body.name and node.name not in answering  # for requests, nobody puts the places of assets in
        _report(scope, node, kind, sink, found, assets if placed else {}, set() if body.name else served)
        for number in found.args:
            for outer, call in callers.get(body.name, ()):
                inputs = [item for item in call.inputs if not item.startswith("^")]
                first = 0 if call.operator == body.name else CALLS.get(call.operator)
                if first is None:
                    text = f"a path for {sink} goes through {ascii(call.operator)[:80]}, where it can't be followed"
                    scope.issue(Code.DANGEROUS_OPERATOR, "high", text, call.at, f"tensorflow:{sink}")
                elif first + number < len(inputs):
                    pending.append((outer, call, inputs[first + number], kind, sink))


def _stands_in(value: str, asset: str | None) -> bool:
    """Whether a fixed path is only where an asset lay when the model was saved: a loader puts its own in its place, but
    only for what it runs to initialize. The asset has the name of that file, with a number if others had it, too
    (`get_asset_filename_to_add` in TensorFlow's saved_model/builder_impl.py).
    """
    if asset is None or PRIVATE.fullmatch(value):
        return False
    name = value.replace("\\", "/").rpartition("/")[2]
    return not name or asset == name or (asset.startswith(f"{name}_") and asset[len(name) + 1 :].isdigit())


def _report(
    scope: Scope, node: Node, kind: str, sink: str, found: Origins, assets: Mapping[str, str], served: set[str]
) -> None:
    name, does = f"tensorflow:{sink}", _DOES[kind]
    fixed = not (found.args or found.free or found.computed)
    for value, where in found.texts:
        shown = ascii(value)[:160]
        if kind == "cache" and value:
            text = f"{sink} {does} at a place that the model names, {shown}, when it runs"
            scope.issue(Code.DANGEROUS_OPERATOR, "high", text, node.at, name, f"({shown})")
        elif kind == "table" and _stands_in(value, assets.get(where)):
            continue
        elif escapes(value):
            severity = "critical" if kind == "write" else "high"
            text = f"{sink} {does} at a fixed place outside of the model's folder, {shown}"
            scope.issue(Code.DANGEROUS_OPERATOR, severity, text, node.at, name, f"({shown})")
        elif fixed and kind != "cache":
            severity = "high" if kind == "write" else "medium"
            text = f"{sink} {does} at a place that the model names, {shown}; a saver takes it from its caller"
            scope.issue(Code.DANGEROUS_OPERATOR, severity, text, node.at, name, f"({shown})")
    if found.computed:
        how = ", ".join(sorted({ascii(item)[1:-1] for item in found.computed if item}))[:120] or "other operators"
        text = f"{sink} {does} at a place that the model computes ({how}), so nobody can tell where"
        scope.issue(Code.DANGEROUS_OPERATOR, "high", text, node.at, name)
    for place in found.free:
        if place in served:
            text = f"{sink} {does} at a place that whoever sends a request chooses (the input {ascii(place)[:80]})"
            scope.issue(Code.DANGEROUS_OPERATOR, "high", text, node.at, name)
