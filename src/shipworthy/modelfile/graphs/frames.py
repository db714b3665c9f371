"""Loops of TensorFlow 1 that nothing can end: values that go round without a node LoopCond that could stop them.

Every loop that TensorFlow writes has one, whose switches send the values out. The executor goes round while any value
is left: tensorflow/core/common_runtime/executor.cc; which node lies in which loop: core/graph/control_flow.cc.
"""

from __future__ import annotations

from collections import deque

from shipworthy.modelfile.graphs.nodes import node
from shipworthy.modelfile.graphs.walk import parts
from shipworthy.modelfile.protobuf import BYTES
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass, field

ROUND = frozenset(("NextIteration", "RefNextIteration"))
_ENTER, _EXIT = frozenset(("Enter", "RefEnter")), frozenset(("Exit", "RefExit"))
_STEPS = 3_000_000


@dataclass
class _Graph:
    operators: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # the loop that an Enter leads into
    after: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)


def judge(scope: Scope, low: int, high: int, number: int) -> None:
    """Look at the nodes (field `number`) of a graph or function that has a NextIteration. Raises TruncatedError."""
    graph = _Graph()
    inputs: dict[str, list[str]] = {}
    for found, wire, begin, end, _ in parts(scope.view, low, high):
        if found == number and wire == BYTES:
            one = node(scope.view, begin, end)
            graph.operators[one.name], graph.places[one.name] = one.operator, begin
            inputs[one.name] = [item.removeprefix("^").split(":")[0] for item in one.inputs]
            if one.operator in _ENTER:
                graph.named[one.name] = next(iter(one.texts.get("frame_name", [])), "")
    for name, given in inputs.items():
        known = [item for item in given if item in graph.operators]
        graph.before[name] = len(known)
        for item in known:
            graph.after.setdefault(item, []).append(name)
    homes = _homes(graph)
    stopped = _stopped(graph, homes)
    if stopped is None:
        scope.unknown("it has more nodes than are looked at for loops that nothing ends")
        return
    goes_on = [graph.places[name] for name in homes if graph.operators[name] in ROUND and name not in stopped]
    if goes_on:
        text = "a loop has no condition that could end it: the graph never ends"
        scope.issue(Code.BOMB, "high", text, min(goes_on))


def _homes(graph: _Graph) -> dict[str, tuple[str, ...]]:
    """Of every node that ever runs, the loops that it lies in, the innermost last."""
    homes: dict[str, tuple[str, ...]] = {}
    pending: deque[tuple[str, tuple[str, ...]]] = deque((name, ()) for name, count in graph.before.items() if not count)
    while pending:
        name, home = pending.popleft()
        if name in homes:
            continue
        if name in graph.named and len(home) < 100:
            home = (*home, graph.named[name])
        homes[name] = home
        outside = home[:-1] if graph.operators[name] in _EXIT else home
        pending.extend((item, outside) for item in graph.after.get(name, ()) if item not in homes)
    return homes


def _stopped(graph: _Graph, homes: dict[str, tuple[str, ...]]) -> set[str] | None:
    """What no longer runs once the condition of its own loop is false; None where that takes too long."""
    pending = [(name, home) for name, home in homes.items() if graph.operators[name] == "LoopCond"]
    seen, steps = set(pending), 0
    while pending:
        name, loop = pending.pop()
        if graph.operators[name] in _EXIT and homes[name] == loop:
            continue
        for item in graph.after.get(name, ()):
            steps += 1
            if (item, loop) not in seen:
                seen.add((item, loop))
                pending.append((item, loop))
        if steps > _STEPS:
            return None
    return {name for name, loop in seen if homes.get(name) == loop}
