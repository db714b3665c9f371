"""What a stream imports and calls, judged by the policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shipworthy.modelfile.pickles import contents, rules, shadows, states
from shipworthy.modelfile.pickles.called import Call
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode, show
from shipworthy.modelfile.pickles.making import spelled
from shipworthy.modelfile.pickles.names import COMPUTED, Kind, judged
from shipworthy.modelfile.pickles.values import (
    DICT,
    KEPT,
    LIST,
    NAME_LENGTH,
    OPAQUE,
    TUPLE,
    Bound,
    Global,
    Made,
    Storage,
)
from shipworthy.modelfile.report import Code, Issue, Limits, Where
from shipworthy.modelfile.view import Buffer
from shipworthy.records import dataclass

_LIMITS = Limits()
_REPORTED_CALLS = 5
_NEWOBJ = b"\x81\x92"
_OLD = b"io"  # INST and OBJ: without arguments they leave the constructor out, too
_RULE_OF_KIND = {Kind.VALUED: "stored", Kind.DATA: "data", Kind.REBUILD: "rebuild"}
_DICTIONARIES = ("dict", "OrderedDict", "defaultdict", "ChainMap")
_TRACE_LINES = 2_000

Emit = Callable[[Issue], None]


@dataclass
class Policy:
    """What the machine needs from outside: where issues go, the limits, the project's own names, the offset that places
    count from. `trace` collects readable lines for `explain`.
    """

    emit: Emit
    limits: Limits = _LIMITS
    trust: Sequence[str] = ()
    trace: list[str] | None = None
    base: int = 0


class Calls:
    """Names and calls of one stream."""

    def __init__(self, buffer: Buffer, start: int, end: int, policy: Policy) -> None:
        self.buffer = buffer
        self.start = start
        self.end = end
        self.position = start
        self.policy = policy
        self.limits = policy.limits
        self.protocol = 0
        self.globals: dict[tuple[str, str], Global] = {}
        self.storages: list[Storage] = []
        self.blobs: dict[int, None] = {}
        self.inner: dict[int, None] = {}
        self.models: dict[int, None] = {}
        self.frames: dict[int, None] = {}
        self.executed = 0
        self.wrapping = 0
        self.watched = False
        self.functions = False
        self.named = ""  # what calls a torch module in a dictionary of the user's, when code calls that on loading
        self.contents: contents.Contents | None = None
        self.held_back: tuple[str, str, int] | None = None
        self.listed_deep = False
        self.terms = False  # the data speak of formulaic's terms
        self.wrong_term = 0  # where a text is that may be one, and calls what no formula does

    def issue(self, code: Code, severity: str, message: str, callable_: str = "", arguments: str = "") -> None:
        """Report something at the current position."""
        where = Where(self.position - self.policy.base, layer="pickle")
        self.policy.emit(Issue(code, severity, message, where, callable_, arguments))

    def trace(self, text: str) -> None:
        """Add a line for `explain`."""
        lines = self.policy.trace
        if lines is not None and len(lines) <= _TRACE_LINES:
            place = f"{self.position - self.policy.base:>10}: "
            lines.append(place + text if len(lines) < _TRACE_LINES else "... (more lines are not shown)")

    def hold_back(self, what: str, name: str) -> None:
        """A finding about a dictionary that is no object's state so far: made once an object could take it for one."""
        self.held_back = self.held_back or (what, name, self.position)

    def release(self) -> None:
        """An object is given its state, or a call a dictionary."""
        if self.held_back:
            what, name, position = self.held_back
            self.held_back, keep, self.position = None, self.position, position
            self.issue(Code.STATE_TAMPERING, "high", what, name)
            self.position = keep

    def name(self, module: str, name: str, position: int) -> Global:
        """The global that the loader imports for these texts."""
        known = self.globals.get((module, name))
        if known is not None:
            return known
        if len(self.globals) >= self.limits.names:
            self.issue(Code.BOMB, "high", "it imports more different names than any model does")
            return Global("?", "?", position, COMPUTED, "?")
        standing, mapped = judged(module, name, self.protocol < 3, tuple(self.policy.trust))
        made = Global(module, name, position or self.position, standing, mapped)
        self.globals[(module, name)] = made
        if not self.functions and standing.kind not in (Kind.VALUED, Kind.REBUILD):
            self.functions = True
            self.wrapping += 1  # from here on a dictionary may hold a function
        if self.policy.trace is not None:
            self.trace(f"import {_shown(made)}")
        return made

    def computed(self, what: str) -> Global:
        """A name that only the loader will know."""
        self.issue(Code.CODE_EXECUTION, "high", f"the name that it imports is {what}; no scan can know what is run")
        return Global("?", "?", self.position, COMPUTED, "?")

    def stack_global(self, module: Any, name: Any) -> Global:
        """STACK_GLOBAL: both texts must be literals."""
        texts = []
        for slot in (module, name):
            if not isinstance(slot, int) or slot <= 0:
                return self.computed("computed while loading")
            try:
                text = decode(self.buffer, slot, NAME_LENGTH)
            except NotALiteralError:
                return self.computed("not readable text")
            if not isinstance(text, str):
                return self.computed("not a text")
            texts.append(text)
        return self.name(texts[0], texts[1], self.position)

    def call(self, callee: Any, args: tuple[Any, ...] | None, bare: bool = False) -> Any:
        """A call by REDUCE, NEWOBJ, OBJ, INST: what it returns. `args` None: not known; `bare`: without constructor."""
        self.executed += 1
        if not isinstance(callee, Global):
            if isinstance(callee, Made) and isinstance(callee.detail, Bound):
                bound = callee.detail
                known = args is not None and bound.arguments is not None
                return self.call(bound.function, (*bound.arguments, *args) if known else None)  # type: ignore[misc]
            self._call_of_value(callee, args)
            return Made(None)
        callee.called += 1
        if self.held_back and not shadows.is_array(callee) and (args is None or any(map(_holds, args))):
            self.release()
        if self.policy.trace is not None:
            self.trace(f"call   {_shown(callee)}{self.show_args(args)}")
        if args:
            wrong = states.unfinished(args)
            if not wrong and callee.mapped.startswith("torch."):  # its rebuilders set the items as attributes
                wrong = states.another_class(args[-1], self.watched)
            if wrong:
                self._misuse(callee, args, wrong)
        standing = callee.standing
        if standing.kind in (Kind.CLASS, Kind.BARE, Kind.SOURCED):
            newobj = bare or self.buffer[self.position] in _NEWOBJ
            if args != () and not (newobj and spelled(self.buffer, callee, args)):
                self._misuse(
                    callee, args, "its constructor is called with arguments; only an empty instance is harmless"
                )
            elif not newobj and (standing.kind is not Kind.CLASS or self.buffer[self.position] not in _OLD):
                self._misuse(callee, args, "its constructor is run, which does more than to store values")
            if standing.kind is Kind.SOURCED:
                self.wrapping += 1
            return Made(callee)
        if standing.kind is Kind.TRUSTED:
            return Made(callee)
        rule = standing.rule or _RULE_OF_KIND.get(standing.kind)
        if rule:
            return self._vetted(callee, args, rule)
        if standing.kind is Kind.REFERENCE:
            self._misuse(callee, args, "it is called; honest files only refer to it")
        elif standing.kind is Kind.DANGEROUS:
            self._called(
                callee,
                args,
                Code.CODE_EXECUTION,
                "critical",
                f"loading calls {_shown(callee)}, which {standing.reason}",
            )
        elif standing.kind is Kind.COMPUTED:
            self._called(
                callee, args, Code.CODE_EXECUTION, "high", "loading calls a name that is computed while loading"
            )
        else:
            self._called(
                callee,
                args,
                Code.UNKNOWN_CALLABLE,
                "high",
                f"loading calls {_shown(callee)}, which is on no list of harmless names",
            )
        return Made(callee)

    def _vetted(self, callee: Global, args: tuple[Any, ...] | None, rule: str) -> Any:
        if args == () and rule in ("convert", "data"):  # `OrderedDict()`: there is nothing to look at
            return Made(callee)
        call = Call(self.buffer, callee, args, self.name, self.call)
        wrong = rules.RULES[rule](call)
        if not wrong and rule not in rules.TAKES_FUNCTIONS:
            wrong = rules.data(call)
        if not wrong and rule in ("convert", "factory") and args:
            matters = self.listed_deep or (self.functions and callee.name in _DICTIONARIES)
            hidden = any(slot.__class__ is int and slot in (LIST, OPAQUE, TUPLE) for slot in args)
            wrong = "what it is made of can't be seen" if matters and hidden else None
        if wrong:
            if rule == "attribute":
                message = f"loading calls {_shown(callee)}: {wrong}"
                self._called(callee, args, Code.CODE_EXECUTION, "critical", message)
                return Made(callee)
            code = Code.EXTERNAL_DATA if rule == "sidecar" else Code.BOMB if "huge" in wrong else None
            self._misuse(callee, args, wrong, code)
        if call.inner:
            self.inner.update(dict.fromkeys(call.inner))
        if call.resolves is not None:
            return call.resolves
        if call.result is not None:
            return call.result
        if rule == "newobj":
            return call.makes if call.makes is not None else OPAQUE
        if rule == "encode" and isinstance(call.makes, int):
            self.look_into(call.makes)
        if rule == "empty":
            self.wrapping += 1
        return Made(callee, call.makes)

    def built(self, target: Made, state: Any) -> None:
        """BUILD on a made object: the state that some classes run, or call, must be what their libraries write."""
        maker = target.maker
        if (
            maker is None
            or not shadows.is_array(maker)
            or (maker.name == "_reconstruct" and state.__class__ is not tuple)
        ):
            self.release()
        wrong = states.another_class(state, self.watched)
        if wrong:
            self.issue(Code.STATE_TAMPERING, "high", wrong, _shown(maker) if maker else "")
        if maker is None:
            wrong = states.slots(state)
            if wrong:
                self.issue(Code.STATE_TAMPERING, "high", wrong)
            return
        if self.named and self._from_memo(state):
            what = (
                f"a dictionary that was stored before is its state, and in it an object is called {self.named}, which"
            )
            self.issue(Code.STATE_TAMPERING, "high", f"{what} code that runs while loading calls", _shown(maker))
        shared = states.shared(target)
        if shared:
            self.issue(Code.STATE_TAMPERING, "high", f"state is set on {shared}", _shown(maker))
        elif maker.standing.kind is Kind.SOURCED:
            wrong = states.source_in_state(self.buffer, maker, state)
            if wrong:
                message = f"loading runs text from the state of {_shown(maker)}: {wrong}"
                self._called(maker, (), Code.CODE_EXECUTION, "critical", message)
        elif maker.mapped == "functools:partial":
            wrong = states.partial_state(target, state)
            if wrong:
                self._misuse(maker, state if isinstance(state, tuple) else None, wrong)
        elif maker.mapped.startswith("torch.nn.modules.rnn:") and states.many_layers(self.buffer, state):
            message = f"the state of {_shown(maker)} has it name millions of layers while it is loaded"
            self._called(maker, (), Code.BOMB, "high", message)
        elif maker.mapped in states.BOOSTERS:
            self.models.update(dict.fromkeys(states.models(self.buffer, state)))
            wrong = None if isinstance(state, dict) else "its state can't be seen"
            if wrong:
                self._misuse(maker, state if isinstance(state, tuple) else None, wrong)
        elif contents.checked(maker.mapped):
            self.contents = self.contents or contents.Contents(self.buffer)
            wrong = self.contents.wrong(target, state)
            if wrong:
                message = f"compiled code believes the state of {_shown(maker)}, and leaves its memory or never ends"
                self._called(maker, (), Code.BOMB, "high", f"{message}: {wrong}")
        elif maker.mapped == "random:Random":
            wrong = states.generator_state(self.buffer, state)
            if wrong:
                self._misuse(maker, state if isinstance(state, tuple) else None, wrong)
        elif maker.standing.rule == "frame":
            held = state.detail if isinstance(state, Made) else state
            if isinstance(held, int) and held > 0 and len(self.frames) < self.limits.nested:
                self.frames[held] = None
            else:
                self._misuse(maker, None, "its state is not the table that polars writes")
        elif maker.mapped.startswith(("numpy:dtype", "numpy.dtypes:")):
            wrong = states.type_state(self.buffer, target, state)
            self.wrapping += 1  # numpy keeps the dictionary of its fields: nobody may change it later
            if wrong:
                message = f"the state of {_shown(maker)} makes numpy read memory that is not the array's: {wrong}"
                self._called(maker, (), Code.CODE_EXECUTION, "high", message)
        else:
            wrong = states.unfinished(state) or states.slots(state) or shadows.hidden_functions(state, target.detail)
            if maker.name == "_reconstruct" and isinstance(state, tuple):
                target.detail = state  # what the array holds, for who looks at its numbers
            if wrong:
                self.issue(Code.STATE_TAMPERING, "high", wrong, _shown(maker))
            elif maker.standing.rule == "bit_generator":
                wrong = states.random_place(self.buffer, state)
                if wrong:
                    text = f"compiled code believes the state of {_shown(maker)}, and leaves its memory: {wrong}"
                    self._called(maker, (), Code.BOMB, "high", text)

    def _from_memo(self, state: Any) -> bool:
        """Whether a state may be a dictionary out of the memo: no SETITEM stands before BUILD."""
        if isinstance(state, tuple):
            return any(part.__class__ is int and part in (DICT, KEPT) for part in state)
        at = self.position
        before = bytes(self.buffer[max(at - 2, 0) : at]).rjust(2)
        # a LONG_BINGET that ends with such a byte would get what no memo has: there is none of a billion entries
        filled = before[1:] in (b"u", b"s", b"d") and before[:1] != b"h"
        return state.__class__ is int and state in (DICT, KEPT) and not filled

    def _misuse(self, callee: Global, args: tuple[Any, ...] | None, why: str, code: Code | None = None) -> None:
        self._called(callee, args, code or Code.UNKNOWN_CALLABLE, "high", f"loading calls {_shown(callee)}: {why}")

    def _called(self, callee: Global, args: tuple[Any, ...] | None, code: Code, severity: str, message: str) -> None:
        if callee.reported < _REPORTED_CALLS:
            callee.reported += 1
            self.issue(code, severity, message, _shown(callee), self.show_args(args))

    def kept(self, found: Global | None) -> None:
        """A class that is stored where who uses the model may call it."""
        if found is not None:
            what = "who calls it later runs that with what the file chose"
            message = f"{_shown(found)} is stored, and its constructor does more than to store values: {what}"
            self._called(found, (), Code.UNKNOWN_CALLABLE, "high", message)

    def _call_of_value(self, callee: Any, args: tuple[Any, ...] | None) -> None:
        made_by = _shown(callee.maker) if isinstance(callee, Made) and callee.maker else ""
        source = f"what {made_by} returned" if made_by else "a value"
        self.issue(
            Code.CODE_EXECUTION,
            "high",
            f"loading calls {source}, which is computed while loading",
            made_by,
            self.show_args(args),
        )
        self.trace(f"call   {source}{self.show_args(args)}")

    def show_args(self, args: tuple[Any, ...] | None) -> str:
        """Arguments for people."""
        return "(...)" if args is None else show(self.buffer, args)

    def finish(self) -> None:
        """Report the names that were imported, never called, and are not allowed."""
        if self.wrong_term and any(item.module.startswith("formulaic") for item in self.globals.values()):
            self.position, keep = self.wrong_term, self.position
            text = "a term of a formula calls more than the functions of formulas: a prediction runs it as Python"
            self.issue(Code.CODE_EXECUTION, "high", text, "formulaic.parser.types.factor:Factor")
            self.position = keep
        for item in self.globals.values():
            standing = item.standing
            if item.reported or standing.allowed:
                continue
            self.position, keep = item.position, self.position
            if standing.kind is Kind.DANGEROUS:
                message = f"loading imports {_shown(item)}, which {standing.reason}"
                self.issue(Code.CODE_EXECUTION, "high", message, _shown(item))
            else:
                called = item.called > 0
                verb = "uses" if called else "imports"
                message = f"loading {verb} {_shown(item)}, which is on no list of harmless names"
                code = Code.UNKNOWN_CALLABLE if called else Code.UNKNOWN_NAME
                self.issue(code, "high", message, _shown(item))  # an import runs a module's code as a call does
            self.position = keep

    def look_into(self, slot: int) -> None:
        """Note bytes that may hold a file of their own."""
        if len(self.blobs) < self.limits.nested:
            self.blobs.setdefault(slot)


def _shown(item: Global) -> str:
    text = ascii(item.key)[1:-1]
    return text if len(text) <= 200 else text[:197] + "..."


def _holds(slot: Any) -> bool:
    """An argument that may have a dictionary in it."""
    if slot.__class__ is tuple:
        return any(map(_holds, slot))  # no deeper than TUPLE_DEPTH
    return slot.__class__ is Made or (slot.__class__ is int and slot <= 0)
