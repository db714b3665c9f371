"""Loops of an ExecuTorch program: jumps back, which are taken while a value is false.

Its numbers are written again and again: each time they get another name here. Of the kernels only the primitives write
numbers, besides those that ask for a size; their result is the last argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipworthy.modelfile.graphs import loops
from shipworthy.modelfile.graphs.flatbuffer import Table
from shipworthy.modelfile.graphs.sizes import Sizes, Values
from shipworthy.modelfile.protobuf import signed
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass

_NAMES = {"add": "Add", "sub": "Sub", "mul": "Mul", "eq": "Equal", "gt": "Greater", "lt": "Less", "ge": "GreaterEqual",
          "le": "LessEqual", "ne": "NotEqual", "truediv": "Div", "neg": "Neg"}  # fmt: skip
_PRIMITIVES = "executorch_prim::"
_TENSORS = frozenset(("et_copy_index", "et_view"))  # primitives that write no number
_LOOPS, _LONGEST = 1000, 1_000_000


@dataclass(frozen=True)
class Step:
    """An instruction: the primitive that it calls or nothing, its arguments; of a jump the value and the target."""

    name: str
    arguments: tuple[int, ...] = ()
    tested: int = -1
    target: int = -1
    at: int = 0


def constant(value: Table) -> Values | None:
    """What an EValue holds at first, if it is a number."""
    if value.kind == "Int":
        return (signed(value.numbers.get("int_val", 0)),)
    return (bool(value.numbers.get("bool_val", 0)),) if value.kind == "Bool" else None


def judge(scope: Scope, steps: Sequence[Step], values: Mapping[int, Values]) -> None:
    """Report loops that never end or run too often; `values` are those that the file gives."""
    budget, total = loops.Budget(), 0
    backward = [(n, step) for n, step in enumerate(steps) if 0 <= step.target <= n and step.tested >= 0]
    often = dict.fromkeys((n for n, _ in backward), 1)
    for end, jump in reversed(backward[:_LOOPS]):  # outer loops end behind those inside
        total += end - jump.target
        if total > _LONGEST:
            scope.unknown("it has more loops than are looked at for how often they run")
            return
        body, names = _passed(steps[jump.target : end])
        before, given = _passed(steps[: jump.target])
        before.constants.update({str(number): value for number, value in values.items()})
        arguments = [str(number) for number in values]
        results = [names.get(int(name), name) for name in arguments]
        body.nodes["again"] = ("LogicalNot", [names.get(jump.tested, str(jump.tested))], 0)
        if jump.tested in values and jump.tested not in names and values[jump.tested] == (True,):
            continue
        first = [given.get(int(name), name) for name in arguments]
        loop = loops.Loop(before, first, body, arguments, results, body, arguments, "again", at=jump.at)
        turns = loops.turns(loop, budget)
        for inner, other in backward:
            if jump.target <= other.target and inner < end and turns:
                often[inner] = min(often[inner] * turns, loops.ENDLESS)
        if turns:
            loops.report(scope, min(turns * often[end], loops.ENDLESS - (turns < loops.ENDLESS)), 0, jump.at)


def _passed(steps: Sequence[Step]) -> tuple[Sizes, dict[int, str]]:
    """Follow the numbers through instructions; the names that they have at the end."""
    graph, names = Sizes(), dict[int, str]()
    for number, step in enumerate(steps):
        if not step.arguments or step.name in _TENSORS:
            continue
        given = [names.get(index, str(index)) for index in step.arguments[:-1]]
        made = f"{step.arguments[-1]} at {number}"
        names[step.arguments[-1]] = made
        if step.name in _NAMES:
            graph.add(made, _NAMES[step.name], given, step.at)
        elif step.name == "move":
            graph.add(made, "Identity", given, step.at)
    return graph, names


def step_of(table: Table | None, arguments: tuple[int, ...], operators: Sequence[str]) -> Step:
    """An instruction's argument table."""
    if table is None:
        return Step("")
    numbers = table.numbers
    if table.kind == "JumpFalseCall":
        tested, target = numbers.get("cond_value_index", 0), numbers.get("destination_instruction", 0)
        return Step("", (), tested, target, table.at)
    if table.kind == "MoveCall":
        return Step("move", (numbers.get("move_from", 0), numbers.get("move_to", 0)), at=table.at)
    index = numbers.get("op_index", 0)
    name = operators[index] if table.kind == "KernelCall" and index < len(operators) else ""
    return Step(name.removeprefix(_PRIMITIVES) if name.startswith(_PRIMITIVES) else "", arguments, at=table.at)
