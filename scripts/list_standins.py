"""Makes `standins.txt`: which objects may not lie where code calls a method of theirs while a pickle is loaded.

    python scripts/list_standins.py FILE SITE-PACKAGES...

A class of the table that runs on its own while loading may call `self.part.method(...)`, and a state says what `part`
is. Another class of the table may have a method of that name that takes as many arguments and reaches files, programs,
the network or imports: `nltk`'s downloader has an `update`. Each line is such a class, and the parts it may not be.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from allow_sources import ON_LOAD, Module, Sources, decorated, text_of
from honest_corpus import PACKAGES
from list_called import Called, Methods, letters


class Parts(Called):
    """Notes which methods are called on what lies in `self`: method -> count of arguments -> (caller, part)."""

    def __init__(self, sources: Sources) -> None:
        super().__init__(sources)
        self.caller = ""
        self.parts: dict[str, dict[int, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))

    def _read(self, home: Module, node: Any) -> tuple[set[str], list[str], list[str], list[tuple[Module, Any]]]:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                first, _, rest = text_of(call.func.value).partition(".")
                part = rest.rpartition(".")[2]
                if first == "self" and part and part != "__dict__":
                    count = len(call.args) + len(call.keywords)
                    self.parts[call.func.attr][count].add((self.caller, part))
        return super()._read(home, node)


def takes(function: Any, count: int) -> bool:
    """Whether a method can be called with that many arguments."""
    arguments = function.args
    own = 0 if decorated(function, "staticmethod") else 1
    positional = len(arguments.posonlyargs) + len(arguments.args) - own
    needed = positional - len(arguments.defaults) + sum(default is None for default in arguments.kw_defaults)
    most = positional + len(arguments.kwonlyargs)
    return needed <= count and (count <= most or bool(arguments.vararg or arguments.kwarg))


def standins(packages: Path, known: dict[str, str]) -> dict[str, set[str]]:
    """The classes of one environment, and the parts that they may not be."""
    sources = Sources()
    classes: list[tuple[str, Methods]] = []
    called = Parts(sources)
    for name in sources.read(packages, set(PACKAGES)):
        spelled = name.replace("numpy.core", "numpy._core", 1) if name.startswith("numpy.core") else name
        for qualname in sources.modules[name].classes:
            letter = known.get(f"{name}:{qualname}") or known.get(f"{spelled}:{qualname}")
            if letter and letter != "r":
                called.caller = f"{name}:{qualname}"
                called.of_class(called.caller, letter)
                methods: Methods = {}
                for module, node, _ in sources.mro(called.caller)[0]:
                    for item in node.body:
                        if isinstance(item, ast.FunctionDef):
                            methods.setdefault(item.name, (module, item))
                classes += [(called.caller, methods)] if letter in "cCnNvV" else []
    found: dict[str, set[str]] = defaultdict(set)
    for key, methods in classes:
        for method in (called.parts.keys() & methods.keys()) - set(ON_LOAD):  # what runs anyway is judged anyway
            module, function = methods[method]
            counts = called.parts[method].items()
            parts = {part for count, at in counts if takes(function, count) for caller, part in at if caller != key}
            if parts and sources.runs_code(module, function, methods):
                found[key] |= parts
    return found


def main() -> None:
    """Command line."""
    gc.disable()
    file, *paths = map(Path, sys.argv[1:])
    known = letters()
    found: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        for key, parts in standins(path, known).items():
            found[key] |= parts
    lines = ["# Made by scripts/list_standins.py; see there for what it means. Not edited by hand."]
    lines += [f"{key}\t{' '.join(sorted(parts))}" for key, parts in sorted(found.items())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
