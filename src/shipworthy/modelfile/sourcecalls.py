"""Calls in code beside a model that could do harm, and do none with the arguments that they have."""

from __future__ import annotations

import ast
from typing import Protocol

from shipworthy.modelfile.sourcenames import FLAG, LIBRARIES


class Reading(Protocol):
    """What is known of a file: what it imports, by the names that it gives them; what else it gives names to; which
    values names are given; which lines load pickles.
    """

    names: dict[str, set[str]]
    bound: set[str]
    given: list[tuple[str, ast.AST]]
    loads: list[tuple[int, str]]

    def full(self, node: ast.AST) -> list[str]:
        """The full names that an expression may have."""


_OF_FILES = frozenset(("pickle.load", "cloudpickle.load", "dill.load"))


def harmless(reading: Reading, name: str, node: ast.Call, saving: bool) -> bool:
    """Whether a function that can do harm does none with these arguments."""
    options = {keyword.arg: keyword.value for keyword in node.keywords}
    first = node.args[0] if node.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    if name in ("torch.load", "torch.jit.load") and len(node.args) < 3:
        safely = options.get("weights_only")
        if not (name == "torch.load" and safely is not None and is_true(safely)):
            if _in_memory(reading):
                return False
            reading.loads.append((node.lineno, name))
        return True
    if (name == "joblib.load" and _computed(first)) or (name in _OF_FILES and _opened(reading, first)):
        if _in_memory(reading) or options.keys() - {"mmap_mode", "encoding", "fix_imports"}:
            return False
        reading.loads.append((node.lineno, name))  # of a file, which is judged for what it is
        return True
    if name == "numpy.load":
        allowed = options.get("allow_pickle")
        never = allowed is None or (isinstance(allowed, ast.Constant) and allowed.value is False)
        return never and None not in options and len(node.args) < 3
    if name == "numpy.save":
        return saving
    if name == "pickle.loads":
        held: list[ast.AST | None] = [
            value for given, value in reading.given if isinstance(first, ast.Name) and given == first.id
        ]
        return bool(held or first) and all(_copied(reading, value) for value in held or [first])
    if name == "kernels.get_kernel":
        return text.startswith("kernels-community/")
    if name == "importlib.import_module":
        package = node.args[1] if len(node.args) == 2 else None
        start = first.values[0] if isinstance(first, ast.JoinedStr) and first.values else first
        if isinstance(start, ast.Constant) and isinstance(package, ast.Constant):
            return str(start.value).startswith(".") and str(package.value).partition(".")[0] == "transformers"
        return text.partition(".")[0] in LIBRARIES and not options and package is None
    return False


def _in_memory(reading: Reading) -> bool:
    """Whether what looks like a file may be bytes that the code made."""
    return bool(reading.names.get("io")) or any("io.BytesIO" in known for known in reading.names.values())


def _opened(reading: Reading, first: ast.AST | None) -> bool:
    """Whether this is a file that the built-in `open` gives, or a name that is given nothing else; its path is made
    of what the code is handed, as the folder of the model is.
    """
    found = [first]
    if isinstance(first, ast.Name):
        found = [value for given, value in reading.given if given == first.id]
    return bool(found) and all(
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == "open"
        and "open" not in reading.names
        and "open" not in reading.bound
        and _computed(value.args[0] if value.args else None)
        for value in found
    )


def _copied(reading: Reading, value: ast.AST | None) -> bool:
    """The pickle of an object of this process, or one in which a flag of a tokenizer was changed."""
    if not isinstance(value, ast.Call):
        return False
    texts = [item.value for item in value.args if isinstance(item, ast.Constant)]
    flags = all(isinstance(text, bytes) and FLAG.fullmatch(text) for text in texts)
    changed = isinstance(value.func, ast.Attribute) and value.func.attr == "replace" and len(texts) == 2 and flags
    return changed or reading.full(value.func) == ["pickle.dumps"]


def _computed(path: ast.AST | None) -> bool:
    return path is not None and any(isinstance(item, ast.Name) for item in ast.walk(path))


def is_true(node: ast.AST) -> bool:
    """Whether it is spelled `True`."""
    return isinstance(node, ast.Constant) and node.value is True
