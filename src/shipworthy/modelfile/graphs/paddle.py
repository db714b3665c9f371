"""Paddle: a program (.pdmodel) against the table of operators, parameters (.pdiparams) to the last byte.

Messages: paddle/fluid/framework/framework.proto; tensors: SerializeToStream in paddle/fluid/framework/lod_tensor.cc.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from shipworthy.modelfile.graphs.paddleloops import PaddleLoops
from shipworthy.modelfile.graphs.paddlepir import PirLoops
from shipworthy.modelfile.graphs.tables import messages, operators
from shipworthy.modelfile.graphs.walk import TruncatedError, Walker, inner, parts, text
from shipworthy.modelfile.protobuf import BYTES, VARINT, signed, varint
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

_ACTS = {
    **dict.fromkeys(("py_func", "py_layer", "pylayer", "run_program", "run_program_ad_func"), "calls back into Python"),
    **dict.fromkeys(("load", "load_combine", "sparse_tensor_load", "read_file", "lookup_table_dequant", "read",
                     "create_py_reader", "create_custom_reader", "create_double_buffer_reader"), "reads files"),
    **dict.fromkeys(("save", "save_combine", "print", "assert", "checkpoint_notify"), "writes files or output"),
    **dict.fromkeys(("listen_and_serv", "heter_listen_and_serv", "send", "recv", "send_and_recv", "fetch_barrier",
                     "send_barrier", "prefetch", "c_gen_nccl_id", "gen_nccl_id", "c_gen_bkcl_id", "gen_bkcl_id",
                     "distributed_lookup_table", "distributed_push_sparse", "pull_sparse", "push_sparse",
                     "pull_sparse_v2", "push_sparse_v2", "pull_box_sparse", "push_box_sparse", "push_dense"),
                    "opens network connections"),
    **dict.fromkeys(("tensorrt_engine", "lite_engine", "dlnne_engine", "custom_engine", "cinn_launch",
                     "cinn_instruction_run"), "runs code that was compiled for one machine"),
}  # fmt: skip
_HARMLESS = frozenset(("print", "assert"))
_BITS = {0: 8, 1: 16, 2: 32, 3: 64, 4: 16, 5: 32, 6: 64, 20: 8, 21: 8, 22: 16, 23: 64, 24: 128, 32: 8, 33: 8}
_FLOAT_TEXT = 200
_TENSOR = 7
_DIALECTS = frozenset(("0", "1", "2"))  # builtin, pd_op, cf; the others are of custom operators and engines
# of paddle/pir's builtin_op.h and control_flow_op.h, which the table of kernels lacks
_CORE = {
    "0": frozenset("combine split slice module group parameter set_parameter shadow_output constant".split()),
    "2": frozenset("yield stack_create tuple_push tuple_pop".split()),
}
_KEPT = 10_000


def _operator(scope: Scope, name: str, at: int | None, known: bool, arguments: str = "") -> None:
    label = f"paddle:{shown(name)}"
    if name in _ACTS and name not in _HARMLESS:
        message = f"the operator {shown(name)} {_ACTS[name]} when the model runs"
        scope.issue(Code.DANGEROUS_OPERATOR, "high", message, at, label, arguments)
    elif not known and not any(fnmatchcase(f"paddle:{name}", pattern) for pattern in scope.trust):
        message = f"the operator {shown(name)} does not come with Paddle: it needs native code that is not in the model"
        scope.issue(Code.CUSTOM_OPERATOR, "high", message, at, label)


class _Program:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.blocks = 0
        self.seen: dict[str, int] = {}
        self.loops = PaddleLoops(scope)

    def enter(self, kind: str, low: int, high: int) -> bool:
        self.blocks += kind.endswith(".BlockDesc")
        if kind.endswith(".BlockDesc"):
            self.loops.blocks.append([])
        elif kind.endswith(".OpDesc"):
            self.operator(low, high)
            self.loops.operator(low, high)
        return True

    def operator(self, low: int, high: int) -> None:
        name = ""
        paths: list[str] = []
        for number, wire, begin, end, _ in parts(self.scope.view, low, high):
            if number == 3 and wire == BYTES:
                name = text(self.scope.view, begin, end, 200)
            elif number == 4 and wire == BYTES and len(paths) < 8:
                paths += self.attribute(begin, end)
        if name not in self.seen and len(self.seen) < _KEPT:
            self.seen[name] = low
            _operator(self.scope, name, low, name in operators("paddle"), ", ".join(paths))

    def attribute(self, low: int, high: int) -> list[str]:
        """An attribute that holds a path, as text."""
        view = self.scope.view
        key, value = "", ""
        for number, wire, begin, end, _ in parts(view, low, high):
            if number == 1 and wire == BYTES:
                key = text(view, begin, end, 100)
            elif number == 5 and wire == BYTES:
                value = text(view, begin, end, _FLOAT_TEXT)
        return [f"{shown(key)}={shown(value)}"] if value and re.search(r"path|file|dir|endpoint", key) else []


def judge_json(scope: Scope, program: dict[str, Any]) -> None:
    """A program of Paddle 3 in JSON: `#` names an operator as `dialect.name`."""
    pending: list[Any] = [program]
    seen: set[str] = set()
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
            name = value.get("#")
            if isinstance(name, str) and ("I" in value or "O" in value):
                seen.add(name)
    PirLoops(scope).judge(program.get("program"))
    table = operators("paddle")
    strange = []
    for name in sorted(seen):
        dialect, _, plain = name.rpartition(".")
        plain = plain.removesuffix("_")
        known = (
            name == "p"
            or (dialect in _CORE and plain in _CORE[dialect])
            or (dialect in _DIALECTS and (f"pir {plain}" in table or plain in table))
        )
        if plain in _ACTS or dialect in _DIALECTS or known:
            _operator(scope, plain, None, known)
        else:
            strange.append(shown(name, 60))
    if strange:
        scope.unknown(f"the program uses operators that are not known to this version: {', '.join(strange[:8])}")
    if not seen:
        scope.unknown("the program has no operators")


def _parameters(scope: Scope) -> int:
    """How many parameters the program beside has; 0 if there is none, or it can't be read."""
    model = scope.neighbour(".pdmodel")
    if model is None or model.stat().st_size > scope.limits.json:
        return 0
    view, count = View.of(model.read_bytes()), 0
    try:
        for number, wire, begin, end, _ in parts(view, 0, len(view)):
            if number == 1 and wire == BYTES:
                count += sum(_persists(view, low, high) for low, high in _variables(view, begin, end))
    except TruncatedError:
        return 0
    return count


def _variables(view: View, low: int, high: int) -> list[tuple[int, int]]:
    return [(begin, end) for number, wire, begin, end, _ in parts(view, low, high) if (number, wire) == (3, BYTES)]


def _persists(view: View, low: int, high: int) -> bool:
    """Whether a VarDesc is a tensor (its type 7) that is kept in the file of parameters."""
    kept = any((number, value) == (3, 1) for number, _, _, _, value in parts(view, low, high))
    span = inner(view, low, high, 2)
    return kept and span is not None and any(part[0] == 1 and part[4] == _TENSOR for part in parts(view, *span))


def _tensors(scope: Scope) -> int:
    """One tensor behind the other; how many. Raises TruncatedError."""
    view = scope.view
    at, size, count = 0, len(view), 0
    while at < size:
        start = at
        count += 1
        levels = view.u64(at + 4)
        if at + 20 > size or view.u32(at) or levels > 16:
            raise TruncatedError(at)
        at += 12
        for _ in range(levels):
            at += 8 + view.u64(at)
            if at > size:
                raise TruncatedError(start)
        length = view.u32(at + 4)
        if view.u32(at) or at + 8 + length > size or length > 4096:
            raise TruncatedError(at)
        at += 8
        total, kind = 1, -1
        for number, wire, begin, end, value in parts(view, at, at + length):
            if number == 1 and wire == VARINT:
                kind = value
            elif number == 2:
                place = begin
                while place < end or wire == VARINT:
                    dim, place = (value, end) if wire == VARINT else varint(view, place, end)
                    if place < 0 or signed(dim) < 0 or total * dim >> 62:
                        raise TruncatedError(begin)
                    total *= dim
                    if wire == VARINT:
                        break
        if kind not in _BITS:
            scope.unknown(f"a tensor is of the type {kind}, which is not known to this version")
            return count
        at += length + (total * _BITS[kind] + 7) // 8
        if at > size:
            raise TruncatedError(start)
    return count


def read(scope: Scope, format_: str) -> int:
    """Walk the program or the parameters; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    program = _Program(scope)
    try:
        if format_ == "paddle-weights":
            found, wanted = _tensors(scope), _parameters(scope)
            if found < wanted:
                message = f"the program beside it has {wanted} parameters, here are {found}: it was cut"
                scope.issue(Code.BROKEN_STREAM, "high", message, size)
            return size
        Walker(scope, messages("paddle"), program.enter).run("paddle.framework.proto.ProgramDesc")
        program.loops.judge()
    except TruncatedError as error:
        at = error.args[0] if error.args else None
        scope.issue(Code.BROKEN_STREAM, "high", "the Paddle model is cut short or damaged", at)
    if format_ == "paddle" and not program.blocks:
        scope.unknown("the program has no blocks")
    return size
