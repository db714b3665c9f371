"""Pointers of Git LFS: who cloned without `git lfs` has them in the place of the files.

Source: git-lfs docs/spec.md.
"""

from __future__ import annotations

from pathlib import Path

from shipworthy.patterns import regex

REASON = "it is a Git LFS pointer, not the file itself: run `git lfs pull`"
_MOST = 1024  # of a pointer, by the specification
_POINTER = regex(
    rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\r?\n(?:ext-[^\n]*\n)*+oid sha256:[0-9a-f]{64}\r?\n"
)


def is_pointer(raw: bytes) -> bool:
    """Whether a file that begins so is a pointer."""
    return _POINTER.match(raw) is not None


def is_pointer_file(path: Path) -> bool:
    """The same of a file beside a model."""
    try:
        with path.open("rb") as stream:
            return path.stat().st_size <= _MOST and is_pointer(stream.read(_MOST))
    except OSError:
        return False
