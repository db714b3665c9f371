"""Under which other names a program finds a file of an image: hard links, and symbolic links to it or to a folder."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from shipworthy.images.errors import LimitError
from shipworthy.images.layers import Tree

MOST = 500_000
"""Names that links give to files."""


def other_names(tree: Tree, paths: Mapping[tuple[int, int], str]) -> dict[tuple[int, int], list[str]]:
    """The other names of files, by layer and entry; `paths` are their own names by the same. Of links in a folder that
    a link leads to, the names below the folder itself are given. Raises LimitError."""
    found: dict[tuple[int, int], list[str]] = {}
    folders: list[tuple[str, str]] = []
    names: list[tuple[str, tuple[int, int]]] = []
    for path, node in tree.walk():
        if node.kind == "symlink":
            to = tree.resolve(path)
            if to is None:
                continue
            if to[1].is_dir:
                folders.append((f"{path}/", f"{to[0]}/" if to[0] else ""))
                continue
            node = to[1]
        if node.kind == "file" and (key := (node.source, node.entry)) in paths:
            names.append((path, key))
            if path != paths[key]:
                found.setdefault(key, []).append(path)
    names.sort()
    count = 0
    for link, folder in folders:
        at = bisect_left(names, (folder, (-1, -1)))
        while at < len(names) and names[at][0].startswith(folder):
            name, key = names[at]
            found.setdefault(key, []).append(link + name[len(folder) :])
            at, count = at + 1, count + 1
            if count > MOST:
                raise LimitError(f"links give more than {MOST:,} names to the files of the image")
    return found
