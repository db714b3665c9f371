"""What of a TensorFlow graph goes on without a node While: For, datasets that are read to their end, and functions that
call themselves or each other many times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shipworthy.modelfile.graphs.loops import MANY
from shipworthy.modelfile.graphs.makers import PASSING, READING
from shipworthy.modelfile.graphs.onnxfunctions import Functions
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope

_LONG = 1000


def reads(kind: str) -> bool:
    """Whether an operator reads a dataset to its end."""
    return kind in READING


def last(graph: Sizes, kind: str, inputs: Sequence[str]) -> int:
    """How many elements at least a dataset has that an operator reads; a big number for those that never end."""
    name = inputs[kind == "InitializeTableFromDataset" :][:1]
    least = 1
    for _ in range(_LONG):
        if not name or name[0] not in graph.nodes:
            return least
        kind, inputs, _ = graph.nodes[name[0]]
        if kind == "RangeDataset" and len(inputs) > 2:
            begin, end, step = (graph.value(item) for item in inputs[:3])
            if begin and end and step and step[0]:
                least *= max(int((end[0] - begin[0]) / step[0]), 1)
            return least
        if kind == "RepeatDataset" and len(inputs) > 1:
            times = graph.value(inputs[1])
            if times and times[0] < 0:
                return MANY << 40
            least *= max(int(times[0]), 1) if times else 1
        elif kind not in PASSING:
            return least
        name = inputs[:1]
    return least


def counted(graph: Sizes, inputs: Sequence[str]) -> int:
    """Of a node For: how often it runs."""
    begin, end, step = (graph.value(item) for item in (*inputs[:3], "", "", "")[:3])
    return max(int((end[0] - begin[0]) / step[0]), 0) if begin and end and step and step[0] else 0


def calls(scope: Scope, bodies: Mapping[str, Iterable[tuple[str, int]]]) -> None:
    """Functions by their name, and what each calls where: none may reach itself, or grow without measure."""
    found = Functions(scope)
    for name, inside in bodies.items():
        if name:
            found.begin(("", name), 0, 1)
            for called, _ in inside:
                found.use(("", called), 0)
    found.judge()


def report(scope: Scope, kind: str, turns: int, at: int) -> None:
    """Tell of what runs too often."""
    if turns >= MANY:
        much = "without an end" if turns >= MANY << 40 else f"at least {turns} times"
        scope.issue(Code.BOMB, "high", f"the operator {kind} goes on {much}, as constants of the model say", at)
