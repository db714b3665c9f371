"""Values that operators choose among others or compute from them, for lists of numbers (of one dimension).

Of TensorFlow, TensorFlow Lite and ONNX; `OnnxSlice` is ONNX's Slice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

Values = tuple[Any, ...]
# operator -> how many of its inputs must be known
KINDS = {"Gather": 2, "GatherV2": 2, "OnnxSlice": 3, "Slice": 3, "StridedSlice": 4, "Clip": 1, "Mod": 2, "FloorMod": 2,
         "Div": 2, "FloorDiv": 2, "TruncateDiv": 2, "RealDiv": 2, "Round": 1, "CumSum": 1, "Cumsum": 1, "SelectV2": 3,
         "Select": 3, "MatMul": 2, "BatchMatMul": 2, "BatchMatMulV2": 2, "Transpose": 1}  # fmt: skip
_ENTIRE: dict[str, Callable[[Values], Any]] = {
    "Sum": sum, "Max": max, "Min": min, "All": all, "Any": any, "Mean": lambda values: sum(values) / len(values),
}  # fmt: skip


def computed(kind: str, given: Sequence[Values | None]) -> Values | None:
    """The result, or None where it can't be told. `given` has as many inputs as there are, None where not known."""
    first = given[0] if given else None
    need = KINDS.get(kind, 1)
    if first is None or len(given) < need or any(item is None for item in given[:need]):
        return None
    rest = [item or () for item in given[1:]]
    try:
        return _computed(kind, first, rest)
    except (ArithmeticError, TypeError, ValueError, IndexError):
        return None


def _computed(kind: str, first: Values, rest: list[Values]) -> Values | None:
    if kind in ("Gather", "GatherV2"):
        return tuple(first[int(at)] for at in rest[0])
    if kind == "OnnxSlice":
        if any(len(item) > 1 for item in rest):
            return None
        return first[_whole(rest[0][0]) : _whole(rest[1][0]) : _whole(rest[3][0]) if len(rest) > 3 and rest[3] else 1]
    if kind == "Slice":
        begin, size = (int(item[0]) for item in rest[:2])
        return first[begin:] if size < 0 else first[begin : begin + size]
    if kind == "StridedSlice":
        begin, end, step = (int(item[0]) for item in rest[:3])
        return first[begin:end:step] or None  # empty: where a mask says that the end does not count
    if kind == "Clip":
        low, high = ((rest[n] or (far,))[0] if n < len(rest) else far for n, far in ((0, -math.inf), (1, math.inf)))
        return tuple(min(max(value, low), high) for value in first)
    if kind in ("SelectV2", "Select"):
        size = max(len(first), len(rest[0]), len(rest[1]))
        one, two, three = (item * size if len(item) == 1 else item for item in (first, rest[0], rest[1]))
        return tuple(yes if test else no for test, yes, no in zip(one, two, three, strict=True))
    if kind in ("Mod", "FloorMod", "Div", "FloorDiv", "TruncateDiv", "RealDiv"):
        size = max(len(first), len(rest[0]))
        one, two = (item * size if len(item) == 1 else item for item in (first, rest[0]))
        return tuple(_divided(kind, value, by) for value, by in zip(one, two, strict=True))
    if kind == "Round":
        return tuple(round(value) for value in first)
    if kind in ("CumSum", "Cumsum"):
        return tuple(itertools.accumulate(first))
    if kind == "Transpose":
        return first
    if kind in ("MatMul", "BatchMatMul", "BatchMatMulV2"):
        return (sum(one * other for one, other in zip(first, rest[0], strict=True)),)
    return None


def _whole(number: Any) -> int:
    return max(min(int(number), 1 << 60), -(1 << 60))


def _divided(kind: str, value: Any, by: Any) -> Any:
    if kind in ("Mod", "FloorMod"):
        return value % by
    if kind == "FloorDiv":
        return value // by
    if kind == "RealDiv" or isinstance(value, float) or isinstance(by, float):
        return value / by
    return math.trunc(value / by) if abs(value) < 1 << 50 else value // by


def entire(kind: str, values: Values) -> Values | None:
    """Of an operator that reduces a list to one number."""
    function = _ENTIRE.get(kind.removeprefix("Reduce"))
    return (function(values),) if function and values else None


def pairwise(function: Callable[[Any, Any], Any], one: Values, other: Values) -> Values | None:
    """Of each pair; one number stands for as many as there are on the other side."""
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        return None
    size = max(len(one), len(other)) if one and other else 0
    try:
        return tuple(function(one[n % len(one)], other[n % len(other)]) for n in range(size))
    except (ArithmeticError, TypeError, ValueError):
        return None
