"""ExecuTorch programs (.pte): the flatbuffer to the last byte, operators, indexes, segments; delegates are not read.

Schema: executorch's schema/program.fbs; the extended header: its runtime/executor (extended_header.h).
"""

from __future__ import annotations

import struct
from fnmatch import fnmatchcase

from shipworthy.modelfile.graphs import executorchloops as loops
from shipworthy.modelfile.graphs.flatbuffer import BadFlatbufferError, Table
from shipworthy.modelfile.graphs.schemas import Walked
from shipworthy.modelfile.graphs.sizes import Values
from shipworthy.modelfile.graphs.tables import operators
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown

_HEADER = 24
_BACKENDS = frozenset(("XnnpackBackend", "CoreMLBackend", "MPSBackend", "QnnBackend", "VulkanBackend", "EthosUBackend",
                       "ArmBackend", "VgfBackend", "NeuropilotBackend", "EnnBackend", "OpenvinoBackend", "CudaBackend",
                       "MetalBackend", "MLXBackend", "NXPBackend", "NeutronBackend", "CadenceBackend"))  # fmt: skip
_BUFFER = 1 << 37  # bytes; no device has as much
_PRIMITIVES = "executorch_prim::"
# primitives by other names (kernels/prim_ops/register_prim_ops.cpp)
_SIZES = frozenset(("aten::sym_size.int", "aten::_local_scalar_dense", "aten::sym_numel"))
_SHOWN, _ARGUMENTS = 8, 100


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.program = len(scope.view)
        self.base = 0
        self.tables: dict[int, Table] = {}
        self.names: dict[int, str] = {}  # of operators

    def header(self) -> int:
        """The size of the extended header, and with it where program and segments lie."""
        view = self.view
        if view.read(8, 4) != b"eh00":
            return 0
        size = view.u32(12)
        self.program, self.base = view.u64(16), view.u64(24)
        if size < _HEADER or size > 256 or self.program > len(view) or self.base > len(view):
            raise BadFlatbufferError("the extended header leads beyond the end of the file", 8)
        return size

    def run(self) -> None:
        extended = self.header()
        flat = Walked(self.view.sub(0, self.program), "executorch")
        flat.used[0] = 8 + extended
        program: Table | None = None
        for table in flat.run("Program"):
            program = program or table
            self.tables[table.at] = table
            self.judge(flat, table)
        for thing in sorted(flat.unknown)[:_SHOWN]:
            self.scope.unknown(f"{shown(thing)} is not known to this version")
        for low, high in flat.gaps(self.program):
            self.gap(low, high)
        for table in list(self.tables.values()):
            if table.kind == "ExecutionPlan":
                self.plan(table)
        if program is not None:
            self.segments(program)
        if not any(table.kind == "ExecutionPlan" for table in self.tables.values()):
            self.scope.unknown("the program has no methods")

    def judge(self, flat: Walked, table: Table) -> None:
        if table.kind == "Operator":
            name, overload = flat.text(table, "name"), flat.text(table, "overload")
            self.names[table.at] = name
            full = f"{name}.{overload}" if overload else name
            known = full in operators("executorch") or name.startswith(_PRIMITIVES) or full in _SIZES
            if not known and not any(fnmatchcase(f"executorch:{full}", pattern) for pattern in self.scope.trust):
                label = f"executorch:{shown(full)}"
                message = f"the operator {shown(full)} is no kernel of ExecuTorch: it needs native code of its own"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, table.at, label)
        elif table.kind == "BackendDelegate":
            name = flat.text(table, "id")
            if name in _BACKENDS:
                self.scope.unknown(f"a part of the program is compiled for {name}, which this version does not read")
            else:
                message = f"the backend {shown(name)} is none of ExecuTorch: native code of its own runs a part of it"
                self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, table.at, f"executorch:{shown(name)}")
        elif table.kind == "ExtraTensorInfo" and table.numbers.get("location") == 1:
            self.scope.unknown("weights lie in another file (.ptd), which was not read")
        elif table.kind in ("Buffer", "BackendDelegateInlineData"):
            low, size = table.spans.get("storage") or table.spans.get("data") or (0, 0)
            if size >= 10:
                self.scope.child(f"bytes at {low}", self.view.sub(low, size), Role.BLOB)

    def plan(self, plan: Table) -> None:
        """Instructions must name operators, delegates and values that are there."""
        counts = {name: len(plan.links.get(name, [])) for name in ("values", "operators", "delegates")}
        wrong = self.beyond(plan, ("inputs", "outputs"), counts["values"])
        values = [self.value(place) for place in plan.links.get("values", [])]
        known = {index: value for index, value in enumerate(values) if value is not None}
        names = [self.names.get(place, "") for place in plan.links.get("operators", [])]
        for place in plan.links.get("chains", []):
            chain = self.tables[place]
            made = list[loops.Step]()
            steps = chain.links.get("instructions", [])
            wrong = wrong or self.beyond(chain, ("inputs", "outputs"), counts["values"])
            for step in steps:
                inner = None
                for at in self.tables[step].links.get("instr_args", []):
                    inner = self.tables.get(at)
                    wrong = wrong or (inner is not None and self.astray(inner, counts, len(steps)))
                made.append(loops.step_of(inner, self.arguments(inner), names))
            loops.judge(self.scope, made, known)
        low, number = plan.spans.get("non_const_buffer_sizes", (0, 0))
        raw = self.view.read(low, 8 * min(number, 1000))
        largest = max((size for (size,) in struct.iter_unpack("<q", raw[: len(raw) // 8 * 8])), default=0)
        if largest > _BUFFER:
            text = f"it has memory of {largest} bytes made for it: running it takes all memory"
            self.scope.issue(Code.BOMB, "high", text, plan.at)
        if wrong:
            message = "an instruction names a value, an operator or a step that is not there: a runtime may leave its"
            self.scope.issue(Code.BROKEN_STREAM, "high", f"{message} memory", plan.at)

    def value(self, place: int) -> Values | None:
        for at in self.tables[place].links.get("val", []):
            if at in self.tables:
                return loops.constant(self.tables[at])
        return None

    def arguments(self, table: Table | None) -> tuple[int, ...]:
        low, number = table.spans.get("args", (0, 0)) if table is not None else (0, 0)
        raw = self.view.read(low, 4 * min(number, _ARGUMENTS))
        return struct.unpack(f"<{len(raw) // 4}i", raw[: len(raw) // 4 * 4]) if number <= _ARGUMENTS else ()

    def astray(self, step: Table, counts: dict[str, int], steps: int) -> bool:
        limits = {"op_index": counts["operators"], "delegate_index": counts["delegates"], "move_from": counts["values"],
                  "move_to": counts["values"], "cond_value_index": counts["values"], "value_index": counts["values"],
                  "destination_instruction": steps + 1}  # fmt: skip
        outside = any(step.numbers.get(name, 0) >= limit for name, limit in limits.items() if name in step.numbers)
        return outside or self.beyond(step, ("args",), counts["values"])

    def beyond(self, table: Table, names: tuple[str, ...], count: int) -> bool:
        for name in names:
            low, number = table.spans.get(name, (0, 0))
            raw = self.view.read(low, 4 * number)
            if any(not -1 <= value < count for (value,) in struct.iter_unpack("<i", raw[: len(raw) // 4 * 4])):
                return True
        return False

    def segments(self, program: Table) -> None:
        """What lies behind the program."""
        at, size = self.program, len(self.view)
        spans = []
        for place in program.links.get("segments", []):
            numbers = self.tables[place].numbers
            low = self.base + numbers.get("offset", 0)
            if numbers.get("size", 0):
                spans.append((low, low + numbers["size"]))
        for low, high in sorted(spans):
            if low < self.program or high > size:
                message = "a segment lies outside of the file: a runtime that trusts it leaves its memory"
                self.scope.issue(Code.BROKEN_STREAM, "high", message, min(low, size))
                return
            self.gap(at, low)
            at = max(at, high)
            if high - low >= 10:
                self.scope.child(f"segment at {low}", self.view.sub(low, high - low), Role.BLOB)
        self.gap(at, size)

    def gap(self, low: int, high: int) -> None:
        if low >= high or (high - low <= 4096 and not self.view.read(low, high - low).strip(b"\0")):
            return
        self.scope.issue(Code.HIDDEN_PAYLOAD, "medium", f"{high - low} bytes belong to no part of the program", low)
        self.scope.child(f"bytes at {low}", self.view.sub(low, high - low), Role.TRAILER)


def read(scope: Scope, _: str) -> int:
    """Walk the program; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    if view.read(4, 4) != b"ET12":
        scope.unknown(f"version {shown(view.read(4, 4).decode('latin-1'))} of ExecuTorch's format is not known")
        return size
    try:
        _Reader(scope).run()
    except BadFlatbufferError as error:
        message = f"the program is damaged: {error}; a runtime that trusts it leaves its memory"
        scope.issue(Code.BROKEN_STREAM, "high", message, error.at)
    return size
