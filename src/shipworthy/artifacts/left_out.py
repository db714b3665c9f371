"""Folders that tools make and nobody reviews: left out, except for what such a folder has no business to hold.

A name proves nothing: whoever plants a model can call its folder `node_modules`. So folders that are left out are
looked through for models, by name and by their first bytes, and an environment is only what is laid out like one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from shipworthy.modelfile import sniff
from shipworthy.paths import matches
from shipworthy.patterns import regex
from shipworthy.records import dataclass

# Ours, version control's own data (its history has a check), and caches of tools.
NAMES = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".shipworthy",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".tox",
    }
    | {".nox", "node_modules", ".ipynb_checkpoints"}
)
MOST = 200_000  # entries looked through in one folder that is left out

_INSTALLED = ("lib/*/site-packages/", "Lib/site-packages/")
# What is not looked through either: stored contents of version control, our own runs, and installed packages, which do
# hold models (the tests of numpy, joblib and scikit-learn).
_CLOSED: dict[str, tuple[str, ...]] = {
    ".git": ("objects/", "lfs/", "annex/", "modules/"),
    ".hg": ("store/", "largefiles/"),
    ".svn": ("pristine/",),
    ".shipworthy": ("runs/", "store/"),
    ".tox": tuple(f"*/{glob}" for glob in _INSTALLED),
    ".nox": tuple(f"*/{glob}" for glob in _INSTALLED),
}
_ENVIRONMENT_PARTS = frozenset("bin lib lib64 include share etc man Scripts Lib Include".split())
_ENVIRONMENT_FILES = frozenset("pyvenv.cfg .gitignore .lock CACHEDIR.TAG".split())
_HOME = regex(r"(?mi)^home[ \t]*=[ \t]*\S")
_MODELS = frozenset(
    """pkl pickle joblib dill cloudpickle pt pth ckpt pt2 ptl torchscript safetensors onnx keras h5 hdf5 gguf ggml npy
    npz skops nemo mar llamafile""".split()
)
# What these folders are full of, and what is not opened to see whether its name lies.
_ORDINARY = frozenset(
    """js mjs cjs jsx ts mts cts tsx map json json5 jsonc md markdown mdx txt css scss sass less styl html htm xml svg
    yml yaml toml lock flow py pyi pyc c cc cpp h hpp rs go java sh bat cmd ps1 png jpg jpeg gif ico webp woff woff2 ttf
    otf eot""".split()
)
_FORMATS = frozenset({"npy", "safetensors", "hdf5", "gguf", "ggml"})
_BYTECODE = regex(r".*\.py[co](?:\.\d+)?\Z", re.DOTALL)
_COMPILED = (".nbi", ".nbc")  # Numba's cache


@dataclass(frozen=True)
class Peek:
    """How a folder that is left out is looked through: `base` is its uri with a `/`, `closed` the globs below it that
    stay shut."""

    base: str
    closed: tuple[str, ...] = ()
    bytecode: bool = False

    def opens(self, uri: str) -> bool:
        """Is this folder below it looked through?"""
        return not matches(uri.removeprefix(self.base) + "/", self.closed)

    def wants(self, path: Path) -> bool:
        """Is this file one that such a folder has no business to hold?"""
        return not _is_bytecode(path) if self.bytecode else _is_model(path)


def peek_at(uri: str, folder: Path) -> Peek | None:
    """How this folder is looked through if it is one that is left out by its name."""
    if folder.name not in NAMES:
        return None
    return Peek(uri + "/", _CLOSED.get(folder.name, ()), folder.name == "__pycache__")


def is_environment(folder: Path) -> bool:
    """Is it a Python environment (PEP 405), by its settings and by its layout? An empty `pyvenv.cfg` makes none."""
    if not _HOME.search(_head(folder / "pyvenv.cfg").decode("utf-8", "replace")):
        return False
    return any(_is_folder(place) for place in [folder / "Lib/site-packages", *folder.glob("lib/*/site-packages")])


def environment_part(uri: str, environment: str) -> Peek | None:
    """How this entry at the top of an environment is looked through; None if environments have none of this name."""
    name = uri.removeprefix(environment)
    return Peek(environment, _INSTALLED) if name in _ENVIRONMENT_PARTS | _ENVIRONMENT_FILES else None


def is_left_out(folder: Path) -> bool:
    """Is the folder left out, if git does not track what is in it?"""
    return folder.name in NAMES or is_environment(folder)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_bytecode(path: Path) -> bool:
    """By name and by the third and fourth byte of the magic number, which every CPython has had."""
    if path.name.endswith(_COMPILED):
        return True
    return bool(_BYTECODE.match(path.name)) and _head(path, 4)[2:] in (b"\r\n", b"")


def _is_model(path: Path) -> bool:
    suffix = path.suffix.lower().removeprefix(".")
    if suffix in _MODELS or suffix in _ORDINARY:
        return suffix in _MODELS
    head = _head(path)
    found = sniff(head)
    if found == "pickle":
        return head[:1] == b"\x80"  # protocols 0 and 1 are plain text, and texts are many
    return found in _FORMATS or (found == "zip" and (b".pkl" in head or b".npy" in head))


def _head(path: Path, size: int = 4096) -> bytes:
    """The first bytes; none of what cannot be read, or is no plain file."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            return stream.read(size)
    except OSError:
        return b""
