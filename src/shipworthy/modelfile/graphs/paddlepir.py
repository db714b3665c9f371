"""What a program of Paddle 3 in JSON makes, and how often its loops run (`loops`). Every value has a number of its own.

A loop hands on its inputs behind the condition; its block ends in a `yield` of the next condition and values.
"""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.graphs import loops, sizes
from shipworthy.modelfile.graphs.paddleloops import NAMES
from shipworthy.modelfile.graphs.sizes import Sizes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope

_NAMES = {
    **NAMES, "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "maximum": "Maximum",
    "minimum": "Minimum", "elementwise_pow": "Pow", "combine": "Pack", "concat": "Identity", "sum": "Sum",
    "mean": "Mean", "max": "Max", "min": "Min", "all": "All", "any": "Any",
}  # fmt: skip
_OPERATORS, _NESTED = 500_000, 50


class PirLoops:
    """Looks through the regions of a program."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.budget = loops.Budget()
        self.left = _OPERATORS

    def judge(self, program: Any) -> None:
        """Report what makes too much and what runs too often."""
        for block in _blocks(program):
            self.block(block, None, 1, 0)
        if self.left < 0 or self.budget.left < 0:
            self.scope.unknown("it has more operators or loops than are looked at for what they make")

    def block(self, block: dict[str, Any], parent: Sizes | None, often: int, depth: int) -> Sizes:
        """One that runs so often."""
        graph = Sizes(parent)
        for operator in _list(block.get("ops")):
            self.left -= 1
            if not isinstance(operator, dict) or self.left < 0 or depth > _NESTED:
                continue
            name = str(operator.get("#", "")).rpartition(".")[2]
            given, made = _numbers(operator.get("I")), _numbers(operator.get("O"))
            self._large(name, operator.get("O"))
            if name == "while":
                self._loop(graph, operator, given, often, depth)
                continue
            for inside in _blocks(operator):
                self.block(inside, graph, often, depth + 1)
            if len(made) == 1:
                _add(graph, name.removesuffix("_"), given, made[0], _attributes(operator))
        graph.judge(self.scope)
        return graph

    def _loop(self, graph: Sizes, operator: dict[str, Any], given: list[str], often: int, depth: int) -> None:
        for inside in _blocks(operator):
            within = self.block(inside, graph, 1, depth + 1)
            last = next((item for item in reversed(_list(inside.get("ops"))) if isinstance(item, dict)), {})
            results, arguments = _numbers(last.get("I")), _arguments(inside)
            first = graph.value(given[0]) if given else None
            if not results or not given or (first is not None and not all(first)):
                continue
            loop = loops.Loop(graph, given[1:], within, arguments, results[1:], within, arguments, results[0])
            turns = loops.turns(loop, self.budget)
            total = min(max(turns, 1) * often, loops.ENDLESS - (turns < loops.ENDLESS))
            if turns:
                loops.report(self.scope, total, loops.growth(loop, turns, self.budget), None)
            if total > 1:
                for deeper in _list(inside.get("ops")):  # loops inside run as often together
                    if isinstance(deeper, dict) and str(deeper.get("#", "")).endswith(".while"):
                        self._loop(within, deeper, _numbers(deeper.get("I")), total, depth + 1)

    def _large(self, name: str, made: Any) -> None:
        """Every value is declared with its shape."""
        for value in _list(made):
            kind = value.get("TT") if isinstance(value, dict) else None
            parts = _list(kind.get("D")) if isinstance(kind, dict) else []
            shape = [size for size in _list(parts[1]) if isinstance(size, int)] if len(parts) > 1 else []
            if (count := sizes.product(shape)) > sizes.MOST:
                message = f"the operator {ascii(name)[1:-1][:80]} makes {count} numbers: running it takes all memory"
                self.scope.issue(Code.BOMB, "high", message)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _blocks(owner: Any) -> list[dict[str, Any]]:
    regions = (
        [item for item in _list(owner.get("regions")) if isinstance(item, dict)] if isinstance(owner, dict) else []
    )
    return [block for region in regions for block in _list(region.get("blocks")) if isinstance(block, dict)]


def _numbers(values: Any) -> list[str]:
    return [str(item.get("%", "")) for item in _list(values) if isinstance(item, dict)][: sizes.VALUES]


def _arguments(block: dict[str, Any]) -> list[str]:
    return [str(item.get("#", "")) for item in _list(block.get("args")) if isinstance(item, dict)][: sizes.VALUES]


def _attributes(operator: dict[str, Any]) -> dict[str, Any]:
    found = [item for item in _list(operator.get("A")) if isinstance(item, dict) and isinstance(item.get("AT"), dict)]
    return {str(item.get("N", "")): item["AT"].get("D") for item in found}


def _add(graph: Sizes, name: str, given: list[str], made: str, attributes: dict[str, Any]) -> None:
    if name in ("full", "full_int_array"):
        shape = [size for size in _list(attributes.get("shape")) if isinstance(size, int)]
        value = attributes.get("value")
        count = sizes.product(shape)
        if name == "full_int_array" and isinstance(value, list):
            numbers = [item.get("D") if isinstance(item, dict) else item for item in value[: sizes.VALUES + 1]]
            graph.constants[made] = tuple(item for item in numbers if isinstance(item, int))[: sizes.VALUES]
            return
        graph.dims[made] = tuple(shape)
        if isinstance(value, (int, float)) and count <= sizes.VALUES and abs(value) < 1 << 90:
            graph.constants[made] = (int(value) if value == int(value) else value,) * count
    elif name == "scale" and len(given) == 2:
        bias = attributes.get("bias", 0)
        graph.constants[f"{made} bias"] = (bias if isinstance(bias, (int, float)) else 0,)
        graph.add(f"{made} scaled", "Mul", given, 0)
        graph.add(made, "Add", [f"{made} scaled", f"{made} bias"], 0)
    elif name == "increment" and given:
        by = attributes.get("value", 1)
        graph.constants[f"{made} by"] = (by if isinstance(by, (int, float)) else 1,)
        graph.add(made, "Add", [given[0], f"{made} by"], 0)
    elif name in _NAMES:
        graph.add(made, _NAMES[name], given[:1] if name == "concat" else given, 0)
