"""Shapes that follow from constants: what operators make of the shapes of their inputs.

A size that is not known counts as one, so that all of these are lower bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Shape = tuple[Any, ...]

# The result is as large as its inputs are together, each stretched to the others.
STRETCHING = frozenset(
    "Add AddV2 Sub Mul Div RealDiv FloorDiv TruncateDiv DivNoNan Mod FloorMod Pow And Or Xor LogicalAnd LogicalOr Less "
    "LessEqual LessOrEqual Greater GreaterEqual GreaterOrEqual Equal NotEqual SelectV2 Maximum Minimum "
    "SquaredDifference PRelu BitShift LeftShift BitwiseAnd BitwiseOr BitwiseXor Atan2".split()
)
SAME = frozenset(
    "Identity Cast StopGradient Snapshot EnsureShape Neg Abs Sqrt Rsqrt Exp Log Relu Relu6 Elu Sigmoid Tanh Sin Cos "
    "Erf Sign Ceil Floor Round Not LogicalNot Reciprocal Softmax Clip Square Softplus LeakyRelu OnesLike ZerosLike "
    "Dropout".split()
)
MULTIPLYING = frozenset(("MatMul", "BatchMatMul", "BatchMatMulV2", "Gemm"))
PICKING = frozenset(("Gather", "GatherV2", "Einsum", "Diag", "MatrixDiag", "MatrixDiagV2", "MatrixDiagV3"))
CHANGING = frozenset(("Unsqueeze", "ExpandDims", "Squeeze", "Transpose", "Reshape", "Tile"))
KINDS = STRETCHING | SAME | MULTIPLYING | CHANGING | PICKING
# What gives the same result for the same inputs.
PURE = KINDS | frozenset(
    "Sum Mean Max Min Prod All Any ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceAll ReduceAny Shape Size "
    "Rank StridedSlice Slice Gather GatherV2 ArgMax ArgMin IsNan IsInf Fill Range Pack Concat ConcatV2 Select "
    "ConstantOfShape Expand BroadcastTo Enter Exit Switch LoopCond".split()
)


def stretched(shapes: Sequence[Shape | None]) -> Shape | None:
    """Of what operators stretch to one another."""
    known = [shape for shape in shapes if shape is not None]
    if not known:
        return None
    length = max(map(len, known))
    padded = [(1,) * (length - len(shape)) + shape for shape in known]
    return tuple(0 if 0 in column else max(column) for column in zip(*padded, strict=True))


def multiplied(one: Shape | None, other: Shape | None, turned: Sequence[str] = ()) -> Shape | None:
    """Of a product of matrices; `turned` has `=a` and `=b` for those that are turned before."""
    if one is not None and "=a" in turned:
        one = one[:-2] + one[-2:][::-1]
    if other is not None and "=b" in turned:
        other = other[:-2] + other[-2:][::-1]
    if one is None or other is None or len(one) < 2 or len(other) < 2:
        return None
    return (*(stretched([one[:-2], other[:-2]]) or ()), one[-2], other[-1])


def picked(kind: str, given: Sequence[Shape | None], axis: Sequence[Any] | None, equation: str) -> Shape | None:
    """Of rows that are gathered, of diagonals, and of sums by an equation such as `i,j->ij`."""
    first = given[0]
    if kind == "Einsum":
        terms, _, result = equation.replace(" ", "").partition("->")
        sizes: dict[str, Any] = {}
        for term, shape in zip(terms.split(","), given, strict=False):
            if shape is not None and len(term) == len(shape):
                sizes.update(
                    {letter: max(size, sizes.get(letter, 1)) for letter, size in zip(term, shape, strict=True)}
                )
        return tuple(sizes.get(letter, 1) for letter in result)
    if first is None:
        return None
    if "Diag" in kind:
        return (*first, *first) if kind == "Diag" else (*first, *first[-1:])
    if len(given) < 2 or given[1] is None or not first:
        return None
    at = int(axis[0]) if axis else 0
    at = at + len(first) if at < 0 else at
    return (*first[:at], *given[1], *first[at + 1 :])


def changed(kind: str, shape: Shape | None, values: Sequence[Any] | None) -> Shape | None:
    """Of an input that is given another shape, by numbers that an operator takes beside it."""
    if kind == "Reshape":
        if values is None:
            return None
        rest = _product(size for size in values if size > 0)
        left = max(_product(shape or ()) // max(rest, 1), 1)
        return tuple(left if size == -1 else max(size, 1) for size in values)
    if shape is None:
        return None
    if kind == "Transpose":
        order = list(values) if values is not None else list(range(len(shape)))[::-1]
        fits = sorted(order) == list(range(len(shape)))
        return tuple(shape[int(at)] for at in order) if fits else None
    if kind == "Squeeze":
        return tuple(size for size in shape if size != 1)
    if values is None:
        return None
    if kind == "Tile":
        short = len(values) != len(shape)
        return None if short else tuple(size * max(times, 0) for size, times in zip(shape, values, strict=True))
    length = len(shape) + len(values)
    places = {int(at) + (length if at < 0 else 0) for at in values}
    sizes = iter(shape)
    return tuple(1 if at in places else next(sizes, 1) for at in range(length))


def _product(sizes: Any) -> int:
    total = 1
    for size in sizes:
        total = min(total * max(int(size), 0), 1 << 100)
    return total
