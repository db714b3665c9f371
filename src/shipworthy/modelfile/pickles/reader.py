"""A file of pickle streams, torch's legacy layout, what follows the last STOP, what hides in byte strings."""

from __future__ import annotations

import re

from shipworthy.modelfile.pickles import torchtar
from shipworthy.modelfile.pickles.calls import Policy
from shipworthy.modelfile.pickles.machine import Machine
from shipworthy.modelfile.pickles.values import COUNTED, TEXT_COUNTED, Storage
from shipworthy.modelfile.report import Code, Issue
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

TORCH_MAGIC = b"\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
_TORCH_STREAMS = 5
_MODULE = regex(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_NAMED = rb"c[a-z_][\w.]{0,120}+\n[A-Za-z_][\w.]{0,120}+\n"  # bounded: a run of `c` is not read again from each
_HIDDEN = regex(rb"\x80[\x02-\x05][\x95c\x8c\]})(XBCK\x8a]|PK\x03\x04|" + _NAMED)
# In what no reader could read, a protocol that no loader knows is looked behind as well.
_UNREAD = regex(rb"\x80[\x02-\x09][\x95c\x8c\]})(XBCK\x8a]|" + _NAMED)
_UNREAD_LIMIT = 16 << 20
_CANDIDATES = 64
_STREAMS = 100_000
_PREFIX_MEMO = 16
_CUT = 1024  # bytes before the end: a value that lies across it is cut, not wrong
_FRAMED = 64
_BLANK = 16
_LIGHTGBM, _XGBOOST = b"tree\n", b"CONFIG-offset:"
_XGBOOST_HEAD, _SHORT = len(_XGBOOST) + 8, 64
# The opcodes that do something on an empty stack. Any other byte ends a stream where it begins, which is how most text
# is told from a pickle without starting a machine.
FIRST: frozenset[int] = frozenset(b"()BCFGIJKLMNPSTUVX]ci}\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97")
_SIZES = {
    "DoubleStorage": 8, "LongStorage": 8, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "FloatStorage": 4,
    "IntStorage": 4, "QInt32Storage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "ShortStorage": 2, "UInt16Storage": 2,
}  # fmt: skip
_ONE_BYTE = frozenset(
    [
        "CharStorage",
        "ByteStorage",
        "BoolStorage",
        "UntypedStorage",
        "QInt8Storage",
        "QUInt8Storage",
        "QUInt4x2Storage",
        "QUInt2x4Storage",
        "Float8_e4m3fnStorage",
        "Float8_e5m2Storage",
        "Float8_e4m3fnuzStorage",
        "Float8_e5m2fnuzStorage",
        "Float8_e8m0fnuStorage",
    ]
)


def storage_bytes(storage: Storage) -> int | None:
    """How many bytes a torch storage takes, or None when its type is not known."""
    size = 1 if storage.type in _ONE_BYTE else _SIZES.get(storage.type)
    return None if size is None or storage.elements < 0 else size * storage.elements


def strong_start(head: bytes) -> bool:
    """The first two bytes are PROTO and a version from 2 to 5: nothing else starts like that."""
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def weak_trial(view: View) -> bool:
    """Whether bytes without PROTO are a pickle: they walk to a STOP, or a loader would import something plausible."""
    if not len(view) or strong_start(view.head(2)):
        return bool(len(view))
    if view.head(1)[0] not in FIRST:
        return False
    machine = Machine(view.buffer, view.start, view.end, Policy(lambda _: None))
    machine.run()
    if not machine.broken:
        return True
    return any(_MODULE.fullmatch(module) and _MODULE.fullmatch(name) for module, name in machine.globals)


def imports(view: View) -> bool | None:
    """Whether a loader of pickles would import something plausible from bytes that are meant as something else: the
    length of a safetensors header may well be PROTO 2. None when the end of the view cuts the pickle.
    """
    if not len(view) or view.head(1)[0] not in FIRST:
        return False
    machine = Machine(view.buffer, view.start, view.end, Policy(lambda _: None))
    machine.run()
    if any(_MODULE.fullmatch(module) and _MODULE.fullmatch(name) for module, name in machine.globals):
        return True
    return None if machine.broken and view.end - machine.position < _CUT else False


def read(scope: Scope) -> int:
    """Walk every stream of the view; returns how many bytes are explained."""
    if scope.role is Role.BLOB:
        return _read_blob(scope)
    framed: set[int] = set()
    used = _read_streams(scope, framed)
    for at in sorted(framed)[:_FRAMED]:
        _read_framed(scope, at)
    if len(framed) > _FRAMED:
        scope.unknown(f"only the first {_FRAMED} places where a frame ends behind its pickle were read")
    return used


def _read_framed(scope: Scope, at: int) -> None:
    """What a loader reads that has taken a whole frame, and goes on behind it."""
    view = scope.view
    for _ in range(_STREAMS):
        if at >= len(view):
            return
        machine = _walk(scope, view, at)
        at = max(machine.position, machine.frame_end) - view.start
        if machine.broken:
            return


def _read_streams(scope: Scope, framed: set[int]) -> int:
    view = scope.view
    at = 0
    storages: dict[str, Storage] = {}
    legacy = TORCH_MAGIC in view.head(32)
    taken = 0  # how many pickles of a member of torch's oldest archives have raw numbers behind them
    for number in range(_STREAMS):
        if at >= len(view):
            return at
        if number and not _continues(view, at):
            break
        machine = _walk(scope, view, at)
        at = machine.position - view.start
        storages.update({item.key: item for item in machine.storages})
        if machine.position < machine.frame_end < view.end:
            framed.add(machine.frame_end - view.start)
        if machine.broken:
            _report_broken(scope, machine)
            _look_behind(scope, at, report=False)
            return at
        if scope.name in torchtar.MEMBERS and not number:
            taken = torchtar.count(view, at) or 0
        elif 0 < number <= taken:
            end = torchtar.behind(view, at, scope.name, machine, storage_bytes)
            if end is None:
                break
            if scope.name == "storages" and end > at + 8:
                scope.child(f"numbers at {at + 8}", view.sub(at + 8, end - at - 8), Role.BLOB)
            at = end
        if legacy and number + 1 == _TORCH_STREAMS:
            at = _raw_storages(scope, at, storages)
            break
    if at < len(view):
        _look_behind(scope, at, report=True)
    return at


def walk_stream(scope: Scope, view: View) -> Machine:
    """One stream that must fill the view (torch's data.pkl): issues as in `read`."""
    machine = _walk(scope, view, 0)
    if machine.broken:
        _report_broken(scope, machine)
    elif machine.position < view.end:
        _look_behind(scope, machine.position - view.start, report=True)
    return machine


def _walk(scope: Scope, view: View, at: int) -> Machine:
    machine = Machine(view.buffer, view.start + at, view.end, _policy(scope, view))
    machine.run()
    _note(scope, machine, view)
    return machine


def _policy(scope: Scope, view: View) -> Policy:
    return Policy(scope.emit, scope.limits, scope.trust, scope.trace, view.start)


def _note(scope: Scope, machine: Machine, view: View) -> None:
    scope.names(item.key for item in machine.globals.values())
    if machine.policy.trace is not None:
        scope.trace_line(f"-- stream ends: {machine.broken}" if machine.broken else "-- stream ends with STOP")
    if len(machine.blobs) >= scope.limits.nested:
        scope.unknown(f"only the first {scope.limits.nested} byte strings were looked into")
    for slot in machine.models:
        model = _model(view, slot, scope.limits.json)
        if model is not None:
            scope.child(f"model at {slot - 1 - view.start}", model)
    kinds = ((machine.blobs, Role.BLOB, ""), (machine.inner, Role.FILE, ""), (machine.frames, Role.FILE, "arrow"))
    for slots, role, format_ in kinds:
        for slot in slots:
            content = _content(view, slot)
            if content is not None and len(content):
                scope.child(f"bytes at {slot - 1 - view.start}", content, role, format_)
            elif role is Role.FILE:
                scope.issue(Code.HIDDEN_PAYLOAD, "high", "a model inside the file can't be read", slot - 1 - view.start)


def _model(view: View, slot: int, most: int) -> View | None:
    """The model in a booster's state: text, bytes, or bytes that stand in a text; None when it is too short for one, or
    longer than what is read of one at once.
    """
    width = COUNTED[view.buffer[slot - 1]]
    size = int.from_bytes(view.buffer[slot : slot + width], "little")
    found = View(view.buffer, slot + width, min(slot + width + size, view.end))
    if view.buffer[slot - 1] in TEXT_COUNTED and found.head(5) != _LIGHTGBM:
        try:
            found = View.of(found.all().decode("utf-8").encode("latin-1"))
        except ValueError:
            return None
    if found.head(len(_XGBOOST)) == _XGBOOST:  # and where its configuration begins
        found = found.sub(_XGBOOST_HEAD, int.from_bytes(found.read(len(_XGBOOST), 8), "little") - _XGBOOST_HEAD)
    return found if _SHORT < len(found) <= most else None


def _content(view: View, slot: int) -> View | None:
    """The bytes of a literal; a text stands for bytes in latin-1, as protocols 0 to 2 write them."""
    buffer = view.buffer
    op = buffer[slot - 1]
    if op in COUNTED:
        width = COUNTED[op]
        size = int.from_bytes(buffer[slot : slot + width], "little")
        low = slot + width
        high = min(low + size, view.end)
    elif op in b"VS":
        low, high = slot, buffer.find(b"\n", slot, view.end)
    else:
        return None
    if op not in TEXT_COUNTED and op != 0x56:
        return View(buffer, low, high)
    raw = buffer[low : min(low + 2, high)]
    if raw[:2] not in (
        b"\xc2\x80",
        b"PK",
        b"\xc2\x93",
        b"BZ",
        b"\x1f\xc2",
        b"\xc3\xbd",
        b"\\u",
        b"\\x",
        b"\x80\x02",
        b"\xc3\xbf",
        b"\xff\xff",
    ):
        return View.of(b"")
    try:
        return View.of(buffer[low:high].decode("raw-unicode-escape" if op == 0x56 else "utf-8").encode("latin-1"))
    except ValueError:
        return None


def _read_blob(scope: Scope) -> int:
    """Bytes found inside something else: they count only when they are pickles to the last byte."""
    view = scope.view
    kept: list[Issue] = []
    at = 0
    machines: list[Machine] = []
    while at < len(view):
        policy = Policy(kept.append, scope.limits, scope.trust, None, view.start)
        machine = Machine(view.buffer, view.start + at, view.end, policy)
        machine.run()
        at = machine.position - view.start
        if machine.broken or len(machines) >= scope.limits.nested:
            break
        machines.append(machine)
    else:
        for issue in kept:
            scope.emit(issue)
        for machine in machines:
            _note(scope, machine, view)
        return len(view)
    # cut or damaged: what it would call still tells what it is
    for issue in kept:
        if issue.code is Code.CODE_EXECUTION and issue.callable:
            scope.emit(issue)
    return len(view)


def _continues(view: View, at: int) -> bool:
    head = view.read(at, 2)
    return strong_start(head) or (head[:1] != b"\0" and weak_trial(view.sub(at, len(view))))


def _report_broken(scope: Scope, machine: Machine) -> None:
    loads = machine.executed or machine.globals
    tail = "; everything before that place runs when it is loaded" if loads else ""
    offset = machine.position - machine.policy.base
    scope.issue(
        Code.BROKEN_STREAM, "high" if loads else "medium", f"the pickle is broken: {machine.broken}{tail}", offset
    )


def _raw_storages(scope: Scope, at: int, storages: dict[str, Storage]) -> int:
    """Torch's legacy format: behind the fifth pickle, an int64 count and the raw elements of each storage."""
    expected = 0
    for storage in storages.values():
        size = storage_bytes(storage)
        if size is None:
            scope.unknown(f"the size of a tensor storage of type {ascii(storage.type)[:60]} is not known")
            return len(scope.view)
        expected += 8 + size
    left = len(scope.view) - at
    if expected > left:
        scope.issue(Code.BROKEN_STREAM, "high", f"its storages take {expected} bytes, {left} are there: it was cut", at)
    return at + min(expected, left)


def _look_behind(scope: Scope, at: int, *, report: bool) -> None:
    """What follows the last STOP is never loaded by the same call, so nothing honest is there."""
    view = scope.view
    left = len(view) - at
    if report:
        blank = left <= _BLANK and not view.read(at, left).strip()  # an editor or a shell put it there
        severity = "low" if blank else "medium"
        scope.issue(Code.UNEXPLAINED_BYTES, severity, f"{left} bytes follow the end of the pickle", at)
    told = _hidden(scope, _HIDDEN, at, len(view), "another pickle is hidden behind the end of the first")
    if report and left > _BLANK and not told:
        scope.child(f"bytes at {at}", view.sub(at, left), Role.TRAILER)


def search(scope: Scope, text: str = "the file can't be read as a model, and holds a pickle", more: str = "") -> None:
    """Look for pickles that import what a model does not need in a file that no reader could read: its first and last
    16 MiB, and of the places where one may begin the first 64; with `more`, which says so, the first 4,096.
    """
    size = len(scope.view)
    _hidden(scope, _UNREAD, 0, min(size, _UNREAD_LIMIT), text, more)
    if size > _UNREAD_LIMIT:
        _hidden(scope, _UNREAD, max(size - _UNREAD_LIMIT, _UNREAD_LIMIT), size, text, more)


def _hidden(scope: Scope, pattern: re.Pattern[bytes], low: int, high: int, text: str, more: str = "") -> bool:
    view = scope.view
    walked = 0
    matches = pattern.finditer(view.buffer, view.start + low, view.start + high)
    for number, match in enumerate(matches):
        if number >= _CANDIDATES * (_CANDIDATES if more else 1):
            if more:
                scope.unknown(more)
            break
        offset = match.start() - view.start
        if match.start() < walked:
            continue
        if match.group().startswith(b"PK"):
            scope.child(f"bytes at {offset}", view.sub(offset, len(view)), Role.TRAILER)
            return True
        kept: list[Issue] = []
        start = match.start() + (2 if view.buffer[match.start()] == 0x80 else 0)
        machine = Machine(
            view.buffer, start, view.end, Policy(kept.append, scope.limits, scope.trust, None, view.start)
        )
        machine.run()
        walked = machine.position
        plausible = any(_MODULE.fullmatch(m) and _MODULE.fullmatch(n) for m, n in machine.globals)
        if plausible and (machine.executed or not machine.broken) and kept:
            scope.issue(Code.HIDDEN_PAYLOAD, "high", text, offset)
            for issue in kept:
                scope.emit(issue)
            return True
    return False


def weak_prefix(view: View) -> bool:
    """Whether the beginning of a longer file walks like a pickle without PROTO until it is cut."""
    if not len(view) or view.head(1)[0] not in FIRST:
        return False
    machine = Machine(view.buffer, view.start, view.end, Policy(lambda _: None))
    machine.run()
    if any(_MODULE.fullmatch(module) and _MODULE.fullmatch(name) for module, name in machine.globals):
        return True
    if not machine.broken:
        return True
    return view.end - machine.position < _CUT and len(machine.memo) >= _PREFIX_MEMO
