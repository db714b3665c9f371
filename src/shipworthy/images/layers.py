"""What is in an image's layers, and the final tree that they make (image-spec, layer.md).

Whiteouts act on lower layers only, in whatever order a layer has them. Parents that are links are followed inside of
the image, as unpacking with `chroot` does. Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shipworthy.images.errors import HostileError, ImageError, LimitError, Limits
from shipworthy.images.layout import Image, Layer
from shipworthy.images.tar import Entry, Reader

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_HOPS = 40
Wanted = Callable[[str, int], bool]


class Node:
    """A file of the tree. `kind` is file, dir, symlink, char, block or fifo; `size` in bytes; `layer` is the number of
    the layer that it comes from, `source` of the one that has its data, and `entry` of the entry there; `link` is
    where a symbolic link leads; `head` has the first four bytes, `content` all, if they were asked for; `implicit`: a
    folder that no layer has an entry for; `clean` is the last layer of which is known that it leaves nothing of lower
    ones below a folder. Hard links are the same node under several names."""

    __slots__ = (
        "children", "clean", "content", "entry", "gid", "head", "implicit", "kind", "layer", "link", "mode", "mtime",
        "size", "source", "uid", "xattrs",
    )  # fmt: skip

    def __init__(self, kind: str, layer: int, entry: int = -1, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        self.kind, self.layer, self.source, self.entry = kind, layer, layer, entry
        self.mode, self.uid, self.gid = mode, uid, gid
        self.size = self.mtime = 0
        self.link = ""
        self.xattrs: tuple[str, ...] = ()
        self.implicit = entry < 0
        self.clean = layer
        self.head = b""
        self.content: bytes | None = None
        self.children: dict[str, Node] | None = {} if kind == "dir" else None

    @property
    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.children is not None


@dataclass(frozen=True)
class Hidden:
    """A file of a layer that the final tree does not have: layer `by` deletes or overwrites it. Whoever has the image
    has its bytes all the same."""

    path: str
    layer: int
    entry: int
    by: int
    size: int


@dataclass
class Tree:
    """The final tree. Paths are relative, without `/` at either end; undecodable bytes are surrogates."""

    root: Node
    hidden: list[Hidden] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entries: int = 0
    size: int = 0
    steps: int = field(default=0, repr=False)

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every path with its node, parents first, names sorted; the root is not among them."""
        pending = [("", self.root)]
        while pending:
            prefix, node = pending.pop()
            if prefix:
                yield prefix[:-1], node
            if node.children is not None:
                pending += [(f"{prefix}{name}/", node.children[name]) for name in sorted(node.children, reverse=True)]

    def get(self, path: str, *, follow: bool = True) -> Node | None:
        """The node at a path, links followed inside of the image; None when there is none."""
        found = self.resolve(path, follow=follow)
        return found[1] if found else None

    def resolve(self, path: str, *, follow: bool = True) -> tuple[str, Node] | None:
        """The path without links, and its node. None when it is not there or links lead in circles."""
        pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        trail: list[tuple[str, Node]] = []
        hops = 0
        while pending:
            self.steps += 1
            part = pending.pop()
            if part == "..":
                trail = trail[:-1]
                continue
            here = trail[-1][1] if trail else self.root
            child = here.children.get(part) if here.children is not None else None
            if child is None:
                return None
            if child.kind == "symlink" and (pending or follow):
                hops += 1
                if hops > _HOPS or len(pending) > 4096:
                    return None
                if child.link.startswith("/"):
                    trail = []
                pending += [step for step in reversed(child.link.split("/")) if step not in ("", ".")]
                continue
            trail.append((part, child))
        return "/".join(name for name, _ in trail), trail[-1][1] if trail else self.root


def walk_layer(image: Image, layer: Layer) -> Iterator[Entry]:
    """The entries of one layer's archive in their order. Raises ImageError; what was given out before counts only when
    the walk ends."""
    with image.open_layer(layer) as stream:
        reader = Reader(stream, image.limits, where=layer.digest or layer.diff_id)
        yield from reader
        reader.drain()


def clean(name: str, limits: Limits) -> str:
    """An entry's name as a path below the root, which is the empty one. Raises HostileError for a name with `..`."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise HostileError("an entry's name leads out of its folder", where=name[:200])
    if any(len(part.encode("utf-8", "surrogateescape")) > limits.part for part in parts):
        raise HostileError("an entry's name is longer than any system allows", where=name[:200])
    return "/".join(parts)


class Merger:
    """Applies entries to a tree, layer after layer."""

    def __init__(self, image: Image, wanted: Wanted | None = None) -> None:
        self.tree = Tree(Node("dir", 0))
        self._image, self._limits, self._wanted = image, image.limits, wanted
        self._kept = 0
        self._names = 0
        self._layer = 0

    def begin(self, layer: Layer) -> None:
        """The following entries are of this layer."""
        self._layer = layer.index

    def apply(self, entry: Entry) -> None:
        """One entry. Raises HostileError, LimitError."""
        tree = self.tree
        tree.size += entry.size
        self._count(len(entry.name) + len(entry.link) + sum(map(len, entry.xattrs)))
        if tree.size > self._limits.total_bytes or tree.steps > self._limits.steps:
            raise LimitError("the layers hold more than the limits allow")
        path = clean(entry.name, self._limits)
        folder, _, name = path.rpartition("/")
        if name.startswith(WHITEOUT):
            self._whiteout(folder, name)
            return
        if not path:
            if entry.kind == "dir":
                self._describe(tree.root, entry)
            return
        folder, parent = self._folder(folder)
        node = self._target(entry) if entry.kind == "hardlink" else self._made(entry, path)
        self._put(parent, folder, name, node)

    def _count(self, names: int) -> None:
        self.tree.entries += 1
        self._names += names
        if self.tree.entries > self._limits.entries or self._names > self._limits.names:
            raise LimitError("the layers have more files, or longer names, than the limits allow")

    def _made(self, entry: Entry, path: str) -> Node:
        node = Node(entry.kind, self._layer, entry.number)
        self._describe(node, entry)
        if entry.kind == "file" and self._wanted is not None and self._wanted(path, entry.size):
            self._kept += entry.size
            if entry.size > self._limits.kept_file or self._kept > self._limits.kept:
                raise LimitError("the files to be read take more memory than the limits allow", where=path)
            node.content = entry.read(self._limits.kept_file)
            node.head = node.content[:4]
        elif entry.kind == "file":
            node.head = next(entry.chunks(), b"")[:4]
        return node

    def _describe(self, node: Node, entry: Entry) -> None:
        node.layer = node.source = self._layer
        node.entry, node.implicit = entry.number, False
        node.mode, node.uid, node.gid, node.mtime = entry.mode, entry.uid, entry.gid, entry.mtime
        node.size, node.link, node.xattrs = entry.size, entry.link if entry.kind == "symlink" else "", (*entry.xattrs,)

    def _folder(self, path: str) -> tuple[str, Node]:
        """The folder at a path, made where there is none; links are followed, what is no folder is replaced."""
        here, done, hops = self.tree.root, "", 0
        for part in path.split("/") if path else ():
            assert here.children is not None  # noqa: S101  _folder gives folders only
            child = here.children.get(part)
            if child is not None and child.kind == "symlink":
                found = self.tree.resolve(f"{done}/{part}")
                hops += 1
                if found is None or not found[1].is_dir or hops > _HOPS:
                    raise HostileError("an entry lies below a link that leads to no folder", where=path[:200])
                done, here = found
                continue
            if child is None or not child.is_dir:
                self._count(len(part))
                folder = Node("dir", self._layer)
                self._put(here, done, part, folder)
                child = folder
            here, done = child, f"{done}/{part}" if done else part
        return done, here

    def _target(self, entry: Entry) -> Node:
        path = clean(entry.link, self._limits)
        found = self.tree.resolve(path, follow=False)
        if found is None or found[1].is_dir:
            raise HostileError("a hard link leads to no file", where=entry.name[:200])
        node = found[1]
        return node if node.layer == self._layer else self._copied(node)

    def _copied(self, node: Node) -> Node:
        """A file of a lower layer as one of this layer."""
        twin = Node(node.kind, self._layer, node.entry, node.mode, node.uid, node.gid)
        twin.source, twin.size, twin.mtime, twin.link = node.source, node.size, node.mtime, node.link
        twin.xattrs, twin.head, twin.content, twin.implicit = node.xattrs, node.head, node.content, False
        return twin

    def _put(self, parent: Node, folder: str, name: str, node: Node) -> None:
        assert parent.children is not None  # noqa: S101
        old = parent.children.get(name)
        if old is node:
            return
        path = f"{folder}/{name}" if folder else name
        if old is not None and old.is_dir and node.is_dir:
            node.children, node.clean = old.children, old.clean  # described again, it keeps what is in it
        elif old is not None:
            self._hide(path, old)
        parent.children[name] = node

    def _whiteout(self, folder: str, name: str) -> None:
        one = name.removeprefix(WHITEOUT)
        if one in ("", ".", ".."):
            raise HostileError("a whiteout deletes no file", where=folder[:200])
        found = self.tree.resolve(folder)
        if found is None:
            return
        path, parent = found
        children = parent.children or {}
        if name == OPAQUE:
            for each in list(children) if parent.clean < self._layer else ():
                self._delete(children, each, f"{path}/{each}" if path else each)
            parent.clean = self._layer
        elif one in children and not name.startswith(WHITEOUT * 2):  # AUFS keeps names that begin with it twice
            self._delete(children, one, f"{path}/{one}" if path else one)

    def _delete(self, siblings: dict[str, Node], name: str, path: str) -> None:
        """Delete what lower layers have of it; what this layer has stays, with the folders above it."""
        pending = [(siblings, name, path, False)]
        while pending:
            where, one, place, emptied = pending.pop()
            node = where[one]
            if node.children and not emptied and node.clean < self._layer:
                pending.append((where, one, place, True))
                pending += [(node.children, child, f"{place}/{child}", False) for child in node.children]
            elif node.children:
                node.clean = self._layer
                if node.layer != self._layer:  # deleted, and made again for what this layer has in it
                    again = Node("dir", self._layer)
                    again.children = node.children
                    where[one] = again
            elif node.layer != self._layer:
                self._hide(place, node)
                del where[one]

    def _hide(self, path: str, node: Node) -> None:
        pending = [(path, node)]
        while pending:
            place, one = pending.pop()
            if one.kind == "file":
                self._names += len(place)
                self.tree.hidden.append(Hidden(place, one.source, one.entry, self._layer, one.size))
            pending += [(f"{place}/{name}", child) for name, child in (one.children or {}).items()]


def merged(image: Image, wanted: Wanted | None = None) -> Tree:
    """The final tree of an image. The content of files for which `wanted(path, size)` says so is kept in memory, within
    the image's limits. Raises ImageError, and then there is no tree at all."""
    merger = Merger(image, wanted)
    for layer in image.layers:
        merger.begin(layer)
        with image.open_layer(layer) as stream:
            reader = Reader(stream, image.limits, where=layer.digest or layer.diff_id)
            for entry in reader:
                merger.apply(entry)
            reader.drain()
        if reader.trailing:
            merger.tree.notes.append(f"layer {layer.index + 1} has {reader.trailing:,} bytes behind its end")
    drop_linked(merger.tree)
    return merger.tree


def drop_linked(tree: Tree) -> None:
    """Take from the hidden what is still there by another name of the same file (a hard link)."""
    there = {(node.source, node.entry) for _, node in tree.walk() if node.kind == "file"}
    tree.hidden = [one for one in tree.hidden if (one.layer, one.entry) not in there]


__all__ = ["Hidden", "ImageError", "Merger", "Node", "Tree", "clean", "drop_linked", "merged", "walk_layer"]
