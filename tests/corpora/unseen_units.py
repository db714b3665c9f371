"""What the held-out set of attacks is made of: units, a tiny pickle assembler, files written by real libraries."""

from __future__ import annotations

import functools
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# What a payload leaves behind, and what lies outside of the model's folder while it is loaded (see unseen_prove.py).
MARK = "/tmp/MARK"
TOUCH = f"touch {MARK}"
WRITE = f"open({MARK!r}, 'w')"
OUTSIDE = "/tmp/outside"
CANARY = "CANARY-7f3a"
PORT = 8765
URL = f"http://127.0.0.1:{PORT}/model"

# Rule ids, from the page of the check model-file.
CALL = frozenset({"model-code-execution", "model-unknown-callable"})
NAME = CALL | {"model-unknown-name"}
STATE = NAME | {"model-state-tampering"}
BROKEN = frozenset({"model-broken-stream", "model-container-tampered"})
HIDDEN = frozenset({"model-hidden-payload", "model-unexplained-bytes", "model-container-tampered"})
FOREIGN = frozenset({"model-foreign-content", "model-hidden-payload"})
BOMB = frozenset({"model-decompression-bomb"})
PATH = frozenset({"model-path-traversal", "model-external-data"})
SLIP = frozenset({"model-path-traversal"})
OPERATOR = frozenset({"model-dangerous-operator"})
CUSTOM = frozenset({"model-custom-operator", "model-dangerous-operator"})
KERAS = frozenset({"model-keras-foreign-class", "model-keras-lambda", "model-code-execution"})
YAML = frozenset({"model-config-yaml-object"})
TEMPLATE = frozenset({"model-config-template-escape"})
REMOTE = frozenset({"model-config-remote-code"})

PICKLE = "import pickle; pickle.load(open(F, 'rb'))"


@dataclass(frozen=True)
class Attack:
    """One attack. `call` is Python (R for env "r") with D = the folder, F = the first file; `env` names where it runs.
    `proof` is "mark" (leaves a mark, changes or reads a file outside, connects), "bomb", or "kept: why" for loaders
    that are not at hand.
    """

    id: str
    family: str
    files: dict[str, bytes]
    loader: str
    call: str
    does: str
    rules: frozenset[str]
    env: str = "main"
    proof: str = "mark"
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Harmless:
    """An honest file that looks odd."""

    id: str
    family: str
    files: dict[str, bytes]
    why: str


def slug(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text).strip("-").lower()


# --- pickles -------------------------------------------------------------------------------------------------


class Raw(bytes):
    """Opcodes, as opposed to a bytes literal."""


def op(value: object) -> Raw:
    """Opcodes that push a value: literals, lists, tuples, dicts, or opcodes as they are."""
    if isinstance(value, Raw):
        return value
    if value is None or isinstance(value, bool):
        return Raw({None: b"N", True: b"\x88", False: b"\x89"}[value])
    if isinstance(value, int):
        size = value.bit_length() // 8 + 1
        return Raw(b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True))
    if isinstance(value, float):
        return Raw(b"G" + struct.pack(">d", value))
    if isinstance(value, str):
        data = value.encode()
        return Raw((b"\x8c" + bytes([len(data)]) if len(data) < 256 else b"X" + struct.pack("<I", len(data))) + data)
    if isinstance(value, bytes):
        return Raw((b"C" + bytes([len(value)]) if len(value) < 256 else b"B" + struct.pack("<I", len(value))) + value)
    if isinstance(value, tuple):
        return Raw(b"(" + b"".join(map(op, value)) + b"t")
    if isinstance(value, list):
        return Raw(b"](" + b"".join(map(op, value)) + b"e")
    if isinstance(value, dict):
        return Raw(b"}(" + b"".join(op(k) + op(v) for k, v in value.items()) + b"u")
    raise TypeError(type(value))


def name(path: str) -> Raw:
    """`module:qualname` with STACK_GLOBAL."""
    module, _, qualname = path.partition(":")
    return Raw(op(module) + op(qualname) + b"\x93")


def call(function: str | Raw, *args: object) -> Raw:
    """REDUCE."""
    return Raw((name(function) if isinstance(function, str) else function) + op(args) + b"R")


def new(cls: str | Raw, *args: object) -> Raw:
    """NEWOBJ."""
    return Raw((name(cls) if isinstance(cls, str) else cls) + op(args) + b"\x81")


def build(target: Raw, state: object) -> Raw:
    return Raw(target + op(state) + b"b")


def stream(*parts: bytes, proto: int | None = 4) -> bytes:
    """A whole pickle; the values of all parts but the last one are dropped."""
    start = b"" if proto is None else bytes([0x80, proto])
    return start + b"0".join(parts) + b"."


SYSTEM = call("os:system", TOUCH)
EVIL = stream(SYSTEM)  # for files in which the place of the payload is the idea, not the payload


# --- protobuf ------------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def pb(*fields: tuple[int, int | bytes | str]) -> bytes:
    """A protobuf message of varints and length-delimited fields."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


# --- files that real libraries wrote (unseen_write_*.py) -----------------------------------------------------

WRITTEN = [Path(__file__).parents[1] / "data" / file for file in ("unseen.zip", "unseen2.zip")]


@functools.cache
def _written() -> dict[str, bytes]:
    found = {}
    for path in WRITTEN:
        with zipfile.ZipFile(path) as archive:
            found |= {item.filename: archive.read(item) for item in archive.infolist() if not item.is_dir()}
    return found


def written(folder: str) -> dict[str, bytes]:
    """The files below a folder of the archive, in their order there."""
    start = folder.rstrip("/") + "/"
    found = {key[len(start) :]: data for key, data in _written().items() if key.startswith(start)}
    if not found:
        raise FileNotFoundError(f"{folder} is in none of {WRITTEN}")
    return found


def unique(items: Iterable[Attack]) -> list[Attack]:
    seen: dict[str, Attack] = {}
    for item in items:
        if item.id in seen:
            raise ValueError(f"two attacks are called {item.id}")
        seen[item.id] = item
    return list(seen.values())


def pickled(
    family: str,
    what: str,
    does: str,
    *parts: bytes,
    rules: frozenset[str] = CALL,
    beside: dict[str, bytes] | None = None,
    loader: str = "pickle.load (CPython 3.11)",
    call: str = PICKLE,
    env: str = "main",
    proof: str = "mark",
    data: bytes | None = None,
) -> Attack:
    """An attack that is one pickle; `data` if it is not made of parts."""
    body = stream(*parts) if data is None else data
    files = {"model.pkl": body, **(beside or {})}
    return Attack(f"{family}/{what}", family, files, loader, call, does, rules, env, proof)
