"""An image's files on disk: the final tree for running it, or every layer's files for looking at them.

Nothing that an image says decides where something is written: folders are made first and are folders, files are new
files in them, links come last and are never followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.images.errors import ImageError, LimitError
from shipworthy.images.layers import WHITEOUT, Merger, Node, Tree, clean, merged
from shipworthy.images.layout import Image
from shipworthy.images.names import other_names
from shipworthy.images.tar import Entry, Reader
from shipworthy.paths import display_name
from shipworthy.patterns import regex

SETUID = 0o6000
_NOBODY = (1 << 32) - 1  # for chown, this one means: leave it
_PART = 200  # bytes of a name on disk
_UNSAFE = regex(r"[^A-Za-z0-9 _.@+=,()\[\]{}~^!#$&'%-]", re.ASCII)


@dataclass(frozen=True)
class Unpacked:
    """A final tree on disk. `left_out` names what was not written, with the reason."""

    folder: Path
    tree: Tree
    files: int
    size: int
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LayerFile:
    """A plain file of a layer. `layer` is the digest of its blob (of what is in it for archives without); `path` is its
    name in the image, printable; `place` where it lies on disk; `hidden`: a layer above deletes or overwrites it.
    `also` are the names that links give to it, printable."""

    layer: str
    path: str
    place: Path
    hidden: bool
    index: int
    size: int
    also: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[object]:
        return iter((self.layer, self.path, self.place, self.hidden))


@dataclass
class _Budget:
    files: int
    size: int
    names: int = 512 << 20  # characters of paths, which are held in memory

    def take(self, size: int, where: str) -> None:
        self.files -= 1
        self.size -= size
        self.names -= len(where)
        self.check(where)

    def check(self, where: str) -> None:
        if self.files < 0 or self.size < 0 or self.names < 0:
            raise LimitError(
                "unpacks to more than was allowed for it", where=where[:200], remedy="raise the limit if it is honest"
            )


def unpack(
    image: Image,
    folder: Path,
    *,
    setuid: bool = False,
    owners: bool | None = None,
    max_files: int = 500_000,
    max_bytes: int = 8 << 30,
) -> Unpacked:
    """Write the final tree into a folder, which is made and must not be there.

    `setuid` keeps setuid and setgid bits; `owners` gives files to the users of the image (by default when we are root).
    Devices, pipes and extended attributes are left out. Whoever reads there must not follow links: they mean places
    inside of the image. Raises ImageError (LimitError over a budget), EnvironmentFailure when it cannot be written; the
    folder is then not to be used.
    """
    tree = merged(image)
    budget = _Budget(max_files, max_bytes)
    left_out: list[tuple[str, str]] = []
    with _writing(folder):
        _fresh(folder)
        names = _lay_out(tree, folder, budget, left_out)
        written = _contents(image, names, folder, budget)
        _dress(tree, folder, setuid, os.geteuid() == 0 if owners is None else owners)
    return Unpacked(folder, tree, *written, tuple(left_out))


def _lay_out(
    tree: Tree, folder: Path, budget: _Budget, left_out: list[tuple[str, str]]
) -> dict[tuple[int, int], list[str]]:
    """Make the folders; the names of the files by the entry that holds their bytes."""
    names: dict[tuple[int, int], list[str]] = {}
    for path, node in tree.walk():
        budget.take(0, path)
        if node.kind == "dir":
            os.mkdir(folder / path, 0o700)
        elif node.kind == "file":
            names.setdefault((node.source, node.entry), []).append(path)
        elif node.kind != "symlink":
            left_out.append((display_name(path), f"a {_SPOKEN[node.kind]}"))
    return names


_SPOKEN = {"char": "device", "block": "device", "fifo": "pipe"}


def _contents(image: Image, names: dict[tuple[int, int], list[str]], folder: Path, budget: _Budget) -> tuple[int, int]:
    """Write the files, each layer's in the order of its archive; further names of one become hard links."""
    files = size = 0
    for layer in image.layers:
        for entry in _entries(image, layer.index):
            first, *others = names.pop((layer.index, entry.number), [""])
            if not first:
                continue
            budget.size -= entry.size
            budget.check(first)
            _write(folder / first, entry)
            files, size = files + 1, size + entry.size
            for other in others:
                os.link(folder / first, folder / other, follow_symlinks=False)
    if names:
        raise ImageError("a layer changed while it was read")
    return files, size


def _dress(tree: Tree, folder: Path, setuid: bool, owners: bool) -> None:
    """Links, owners, modes and times; a folder after what is in it."""
    for path, node in reversed([("", tree.root), *tree.walk()]):
        place = folder / path
        if node.kind == "symlink":
            os.symlink(node.link, place)
        elif node.kind not in ("file", "dir"):
            continue
        if owners and max(node.uid, node.gid) < _NOBODY:
            os.chown(place, node.uid, node.gid, follow_symlinks=False)
        if node.kind != "symlink":
            os.chmod(place, _mode(node, setuid, owners))
        if abs(node.mtime) < 1 << 40:
            os.utime(place, (node.mtime, node.mtime), follow_symlinks=False)


def _mode(node: Node, setuid: bool, owners: bool) -> int:
    mode = node.mode if setuid else node.mode & ~SETUID
    if not owners and node.is_dir:
        mode |= 0o700  # ours now: it must be possible to go in, and to remove it
    return mode


def layer_files(
    image: Image,
    folder: Path,
    *,
    wanted: Callable[[str, int], bool] | None = None,
    max_files: int = 500_000,
    max_bytes: int = 8 << 30,
) -> Iterable[LayerFile]:
    """Every plain file of every layer, hidden ones too, in a folder (made, must not be there) with one subfolder for
    each layer; names on disk are printable, and alike to those in the image, by which files are told apart.

    `wanted(path, size)` chooses. Raises ImageError (LimitError over a budget), EnvironmentFailure; nothing is given out
    then.
    """
    merger = Merger(image)
    budget = _Budget(max_files, max_bytes)
    made: list[tuple[int, int, LayerFile]] = []
    with _writing(folder):
        _fresh(folder)
        for layer in image.layers:
            digest = layer.digest or layer.diff_id
            names = _Names(folder / f"{layer.index + 1:02d}-{digest.partition(':')[2][:12]}")
            merger.begin(layer)
            for entry in _entries(image, layer.index):
                path = clean(entry.name, image.limits)
                if _is_data(entry, path) and (wanted is None or wanted(path, entry.size)):
                    budget.take(entry.size, path)
                    place = names.place(path)
                    _write(place, entry)
                    item = LayerFile(digest, display_name(path), place, False, layer.index, entry.size)
                    made.append((layer.index, entry.number, item))
                merger.apply(entry)
    there = {(node.source, node.entry) for _, node in merger.tree.walk() if node.kind == "file"}
    also = other_names(merger.tree, {(index, number): item.path for index, number, item in made})
    return [
        LayerFile(
            item.layer, item.path, item.place, (index, number) not in there, index, item.size,
            tuple(map(display_name, also.get((index, number), ()))),
        )
        for index, number, item in made
    ]  # fmt: skip


def _is_data(entry: Entry, path: str) -> bool:
    """Whether there is something to look at. A whiteout is an empty file; one that is not keeps its bytes hidden."""
    return entry.kind == "file" and path != "" and (entry.size > 0 or WHITEOUT not in path)


def unpack_layer(
    image: Image, index: int, folder: Path, *, max_files: int = 500_000, max_bytes: int = 8 << 30
) -> dict[Path, str]:
    """The plain files of one layer (counted from 0), as `layer_files` lays them out: where each lies, and its name in
    the image. Raises what `layer_files` raises."""
    if not 0 <= index < len(image.layers):
        raise UsageError(f"the image has {len(image.layers)} layers")
    budget, names, found = _Budget(max_files, max_bytes), _Names(folder), {}
    with _writing(folder):
        _fresh(folder)
        for entry in _entries(image, index):
            path = clean(entry.name, image.limits)
            if _is_data(entry, path):
                budget.take(entry.size, path)
                place = names.place(path)
                _write(place, entry)
                found[place] = display_name(path)
    return found


class _Names:
    """Names on disk for names in a layer: a folder for a folder, printable, short enough, none twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[Path] = set()

    def place(self, path: str) -> Path:
        """A place for a file, where there is nothing yet; its folders are made."""
        parts = [_safe(part) for part in path.split("/")]
        if sum(len(part) + 1 for part in parts) > 2000:
            parts = [_cut("/".join(parts), 100), parts[-1]]
        here = self._folder
        for part in parts[:-1]:
            here = self._free(here / part, folder=True)
            here.mkdir(mode=0o700, parents=True, exist_ok=True)
        here.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._free(here / parts[-1], folder=False)

    def _free(self, place: Path, *, folder: bool) -> Path:
        """A layer may have one name twice, or a file where it has a folder."""
        number, wanted = 1, place
        while place in self._taken or (not folder and place.exists()):
            number += 1
            place = wanted.with_name(f"{number}~{wanted.name}")
        if not folder:
            self._taken.add(place)
        return place


def _safe(part: str) -> str:
    shown = _UNSAFE.sub(lambda found: _percent(found[0]), part)
    return _cut(shown, _PART) if len(shown) > _PART else shown


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def _cut(text: str, length: int) -> str:
    """The end of a name stays: it says what a file is."""
    import hashlib

    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{digest}~{text[-(length - 17) :].replace('/', '_')}"


def _entries(image: Image, index: int) -> Iterator[Entry]:
    layer = image.layers[index]
    with image.open_layer(layer) as stream:
        reader = Reader(stream, image.limits, where=layer.digest or layer.diff_id)
        yield from reader
        reader.drain()


def _write(place: Path, entry: Entry) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(place, flags, 0o600), "wb") as out:
        for chunk in entry.chunks():
            out.write(chunk)


def _fresh(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise UsageError("there is something already", where=str(folder), remedy="name a new folder") from None
    except (OSError, ValueError) as error:
        told = (error.strerror if isinstance(error, OSError) else "") or "a name cannot be written"
        raise EnvironmentFailure(f"cannot unpack the image: {told}", where=str(folder)) from None
