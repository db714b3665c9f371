"""Attacks on the name policy, generated: every allowed name called with hostile arguments, and callables that are on no
list. Only bytes are made here; nothing is loaded, and the modules that are searched for names are parsed, not imported.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

from shipworthy.modelfile.pickles.names import Kind, standing_of, table_names
from shipworthy.modelfile.pickles.vetted import VETTED

WAYS = ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST")


def text(value: str) -> bytes:
    """A text as SHORT_BINUNICODE."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def name(module: str, qualname: str) -> bytes:
    """An imported name."""
    return text(module) + text(qualname) + b"\x93"


# What an attacker would hand over. The words say what it is; the bytes push it.
ARGUMENTS: dict[str, bytes] = {
    "a path": text("/tmp/shipworthy-redteam"),
    "a path and a mode": text("/tmp/shipworthy-redteam") + text("w+"),
    "an address": text("https://example.com/x"),
    "source text": text("__import__('os').system('id')"),
    "a shell": name("os", "system") + text("id"),
    "an unknown function": name("evil.module", "run"),
    "an allowed function": name("numpy", "mean"),
    "a function with its arguments": name("functools", "partial") + name("numpy", "mean") + b"\x85R",
    "a shell with its arguments": name("functools", "partial") + name("os", "system") + text("id") + b"\x86R",
    "a bound method": name("builtins", "getattr")
    + name("collections", "OrderedDict")
    + b")\x81"
    + text("update")
    + b"\x86R",
}
# Arguments that name no function: a callable that only stores or converts plain values may take them.
TEXTS = ("a path", "a path and a mode", "an address", "source text")


def called(module: str, qualname: str, way: str, arguments: bytes) -> bytes:
    """A pickle that calls a name in one of the five ways that a loader knows."""
    target = name(module, qualname)
    if way == "REDUCE":
        body = target + b"(" + arguments + b"tR"
    elif way == "NEWOBJ":
        body = target + b"(" + arguments + b"t\x81"
    elif way == "NEWOBJ_EX":
        body = target + b"(" + arguments + b"t}\x92"
    elif way == "OBJ":
        body = b"(" + target + arguments + b"o"
    else:
        body = b"(" + arguments + b"i" + f"{module}\n{qualname}\n".encode()
    return b"\x80\x04" + body + b"."


def allowed() -> Iterator[tuple[str, str, Kind]]:
    """Every name of the table and every vetted call, with how it may be used."""
    for key in VETTED:
        module, _, qualname = key.partition(":")
        yield module, qualname, Kind.VETTED
    for module, qualname in table_names():
        kind = standing_of(module, qualname).kind
        if kind is not Kind.VETTED:
            yield module, qualname, kind


def callables(roots: list[Path], count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Functions and classes of installed packages, at random, that the policy does not allow."""
    chance = random.Random(seed)
    found: set[tuple[str, str]] = set()
    paths = [(root, path) for root in roots for path in root.rglob("*.py")]
    chance.shuffle(paths)
    for root, path in paths:
        if len(found) >= count * 3:
            break
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        if not all(part.isidentifier() for part in module.split(".")):
            continue
        try:
            tree = ast.parse(path.read_text("utf-8", "replace"))
        except (SyntaxError, ValueError, RecursionError, OSError):
            continue
        for item in tree.body:
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add((module, item.name))
            if isinstance(item, ast.ClassDef):
                found.update(
                    (module, f"{item.name}.{part.name}") for part in item.body if isinstance(part, ast.FunctionDef)
                )
    outside = sorted(key for key in found if not standing_of(*key).allowed)
    chance.shuffle(outside)
    return outside[:count]
