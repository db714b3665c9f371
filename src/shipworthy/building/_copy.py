"""COPY and ADD: files of the context, of another stage or image, or written in the Dockerfile itself."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.building._errors import Unsupported
from shipworthy.building.dockerfile import Instruction, expand
from shipworthy.building.layout import Entry
from shipworthy.building.tree import Tree
from shipworthy.errors import UsageError
from shipworthy.tools.rootfs import account, inside

if TYPE_CHECKING:
    from shipworthy.building._stage import Stage

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


def copy(stage: Stage, one: Instruction) -> list[Entry]:
    """Carry out the instruction; returns what the layer is to hold. Raises UsageError, Unsupported."""
    flags = dict(one.flags)
    if unknown := [name for name in flags if name not in ("from", "chown", "chmod", "link")]:
        raise Unsupported(f"--{unknown[0]}")
    owner = _owner(stage, flags.get("chown", ""))
    mode = _mode(flags.get("chmod", ""))
    *sources, target = stage.argument_list(one) or [""]
    if not sources:
        raise UsageError("needs a source and a target", remedy="COPY app.py /srv/app/")
    job = _Job(stage, owner, mode)
    documents = {f"<<{'-' if f'<<-{each.name}' in one.text else ''}{each.name}": each for each in one.heredocs}
    into = target.endswith("/") or target in (".", "..") or len(sources) > 1
    path = stage.absolute(target)
    root, ignoring = _root(stage, flags.get("from", ""))
    for source in sources:
        document = documents.get(source.replace('"', "").replace("'", ""))
        if document is not None:
            text = expand(document.text, stage.variables, unquote=False) if document.expand else document.text
            job.write(text.encode(), path, document.name, into)
            continue
        if one.name == "ADD" and ("://" in source or source.startswith("git@")):
            raise Unsupported("from an address: fetch and verify it before, and COPY it")
        found = list(_match(root, source, ignoring and stage.builder.ignored))
        if not found:
            raise UsageError(
                f'"{source[:200]}" matches nothing in the context', remedy="see the name and .dockerignore"
            )
        many = into or len(found) > 1
        for name in found:
            place = inside(root, name)
            if one.name == "ADD" and place.name.endswith(_ARCHIVES) and place.is_file():
                raise Unsupported("of an archive: unpack it before, and COPY the folder")
            ignored = stage.builder.ignored if ignoring else None
            job.take(place, name, path, many, ignored)
    return job.entries()


def _root(stage: Stage, given: str) -> tuple[Path, bool]:
    """Where sources are looked for, and whether .dockerignore holds there."""
    if not given:
        return stage.recipe.context.resolve(), True
    if (other := stage.builder.stages.get(given.lower())) is not None:
        return other.tree.root, False
    tree = Tree(stage.tree.root.parent / f"image-{len(os.listdir(stage.tree.root.parent))}")
    tree.unpack(stage.builder.image(given))
    return tree.root, False


def _owner(stage: Stage, text: str) -> tuple[int, int]:
    if not text:
        return 0, 0
    filled = stage.fill(text)
    found = account(stage.tree.root, filled)
    gid = found.gid if ":" in filled or not filled.isdecimal() else int(filled)
    return found.uid, gid


def _mode(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 4 or any(one in "89" for one in text):
        raise Unsupported(f"--chmod={text[:20]}: write it as an octal number")
    return int(text, 8)


def _match(root: Path, source: str, ignored: object) -> Iterator[str]:
    """Names below `root` that a source means, in order."""
    parts: list[str] = []
    for part in source.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    names = [""]
    for part in parts:
        following = []
        for name in names:
            if not any(one in part for one in "*?["):
                following.append(f"{name}/{part}".lstrip("/"))
                continue
            folder = inside(root, name)
            if folder.is_dir():
                listed = sorted(one for one in os.listdir(folder) if fnmatchcase(one, part))
                following += [f"{name}/{one}".lstrip("/") for one in listed]
        names = following
    wild = any(one in source for one in "*?[")
    for name in names:
        if not os.path.lexists(inside(root, name)):
            continue
        if callable(ignored) and name and ignored(name) and (wild or not getattr(ignored, "has_exceptions", False)):
            continue
        yield name


def visible(stage: Stage, source: Path, name: str) -> Path:
    """A file or folder of the context as .dockerignore shows it: itself if nothing is left out, else a copy."""
    ignored = stage.builder.ignored
    if not ignored:
        return source
    if source.is_file():
        if ignored(name):
            raise UsageError(f'"{name}" is left out by .dockerignore')
        return source
    folder = stage.tree.root.parent
    target = folder / f"context-{len(os.listdir(folder))}"

    def left_out(place: str, names: list[str]) -> set[str]:
        found = set()
        for one in names:
            path = Path(place, one)
            relative = path.relative_to(stage.recipe.context.resolve()).as_posix()
            may_hold = ignored.has_exceptions and path.is_dir() and not path.is_symlink()
            if ignored(relative) and not may_hold:
                found.add(one)
        return found

    shutil.copytree(source, target, symlinks=True, ignore=left_out)
    return target


class _Job:
    """What one COPY puts where."""

    def __init__(self, stage: Stage, owner: tuple[int, int], mode: int | None) -> None:
        self.stage, self.tree, self.owner, self.mode = stage, stage.tree, owner, mode
        self.places: dict[Path, None] = {}

    def entries(self) -> list[Entry]:
        """What was written, for the layer."""
        return [self.tree.entry(place) for place in self.places]

    def write(self, data: bytes, path: str, name: str, into: bool) -> None:
        """A file with this content."""
        place = self._target(path, name, into)
        place.write_bytes(data)
        self._own(place, 0o644)

    def take(self, source: Path, name: str, path: str, into: bool, ignored: object) -> None:
        """A file, or what is in a folder."""
        if source.is_dir():
            self._folder(path)
            self._content(source, name, self.tree.inside(path), ignored)
        else:
            self._one(source, self._target(path, name.rpartition("/")[2], into))

    def _target(self, path: str, name: str, into: bool) -> Path:
        place = self.tree.inside(path)
        if into or place.is_dir():
            self._folder(path)
            place = self.tree.inside(f"{path}/{name}")
        else:
            self._folder(self.tree.name(place.parent))
        if place.is_dir():
            raise UsageError("a file would replace a folder", where=f"/{self.tree.name(place)}")
        if os.path.lexists(place):
            place.unlink()
        return place

    def _folder(self, path: str) -> None:
        for made in self.tree.make_folders(path, *self.owner):
            self.places[made] = None

    def _content(self, source: Path, name: str, target: Path, ignored: object) -> None:
        for one in sorted(os.listdir(source)):
            inner, place, path = source / one, target / one, f"{name}/{one}".lstrip("/")
            left_out = callable(ignored) and ignored(path)
            if inner.is_dir() and not inner.is_symlink():
                if left_out and not getattr(ignored, "has_exceptions", False):
                    continue
                if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                    raise UsageError("a folder would replace a file", where=f"/{self.tree.name(place)}")
                if not left_out:
                    place.mkdir(exist_ok=True)
                    self._own(place, stat.S_IMODE(inner.stat().st_mode))
                self._content(inner, path, place, ignored)
            elif not left_out:
                self._folder(self.tree.name(target))
                if place.is_dir() and not place.is_symlink():
                    raise UsageError("a file would replace a folder", where=f"/{self.tree.name(place)}")
                if os.path.lexists(place):
                    place.unlink()
                self._one(inner, place)

    def _one(self, source: Path, place: Path) -> None:
        status = os.lstat(source)
        if stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(source), place)
        elif stat.S_ISREG(status.st_mode):
            shutil.copyfile(source, place, follow_symlinks=False)
        else:
            raise UsageError("is no file, folder or link", where=str(source))
        self._own(place, stat.S_IMODE(status.st_mode) & 0o777)

    def _own(self, place: Path, mode: int) -> None:
        self.tree.own(place, *self.owner, mode if self.mode is None else self.mode)
        self.places[place] = None
