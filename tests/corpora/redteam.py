"""Attacks on the name policy, generated: every allowed name used as an attacker would, and callables that are on no
list. Only bytes are made here; nothing is loaded, and the modules that are searched for names are parsed, not imported.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

from corpora import redteam_loads as loads
from shipworthy.modelfile.pickles.names import Kind, standing_of, table_names
from shipworthy.modelfile.pickles.vetted import VETTED

CALLED = (Kind.VETTED, Kind.VALUED, Kind.DATA, Kind.REBUILD)
_FEW = ("a path", "a huge number", "an allowed function")


def attacks(
    module: str, qualname: str, kind: Kind, attributes: tuple[str, ...] = ("path",)
) -> Iterator[tuple[str, bytes]]:
    """Every use of an allowed name that a loader could be given, with what to call it. Names that are called with
    arguments get all of these; what else is only created, or only referred to, a few.
    """
    called = kind in CALLED
    yield from loads.calls(module, qualname, list(loads.ARGUMENTS) if called else _FEW)
    if kind is Kind.REFERENCE:
        return
    yield from loads.keywords(module, qualname, attributes)
    yield from loads.states(module, qualname, attributes, few=not called)
    yield from loads.attributes_of(module, qualname, attributes)


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
