"""The file system of a stage while it is built: unpacked on disk, with owners that the disk may not be able to keep."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipworthy.building.layout import Base, Entry, Layer, open_layer
from shipworthy.errors import UsageError
from shipworthy.tools.rootfs import inside

_ENTRIES, _BYTES = 1_000_000, 64 << 30


@dataclass(frozen=True)
class Seen:
    """What tells a file from what it was: everything that `lstat` says but the time of its last reading."""

    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int


class Tree:
    """A root file system in a folder. As root, files get their owners; else `owners` remembers them."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self.owners: dict[str, tuple[int, int]] = {}
        self.modes: dict[str, int] = {}
        self.real = os.geteuid() == 0

    def inside(self, path: str, *, follow_last: bool = True) -> Path:
        """The place on disk of an absolute path of the image: symbolic links mean what they mean inside.
        Raises UsageError for loops."""
        return inside(self.root, path, follow_last=follow_last)

    def name(self, place: Path) -> str:
        """The name in layers of a place on disk."""
        return place.relative_to(self.root).as_posix()

    def own(self, place: Path, uid: int, gid: int, mode: int | None = None) -> None:
        """Give a file an owner, and a mode. Without being root both are remembered."""
        if self.real:
            os.lchown(place, uid, gid)
        self.owners[self.name(place)] = (uid, gid)
        if mode is not None and not place.is_symlink():
            self.modes[self.name(place)] = mode
            os.chmod(place, mode if self.real else mode | (0o700 if place.is_dir() else 0o600))

    def make_folders(self, path: str, uid: int = 0, gid: int = 0, mode: int = 0o755) -> list[Path]:
        """Make a folder with those that lead to it; returns what was made."""
        made: list[Path] = []
        place = self.root
        for part in self.inside(path).relative_to(self.root).parts:
            place = place / part
            if not os.path.lexists(place):
                place.mkdir()
                self.own(place, uid, gid, mode)
                made.append(place)
            elif not place.is_dir():
                raise UsageError("is no folder", where=f"/{self.name(place)}")
        return made

    def entry(self, place: Path) -> Entry:
        """What a layer says of a place on disk."""
        name, status = self.name(place), os.lstat(place)
        owner = (status.st_uid, status.st_gid) if self.real else self.owners.get(name, (0, 0))
        mode = stat.S_IMODE(status.st_mode) if self.real else self.modes.get(name, stat.S_IMODE(status.st_mode))
        if stat.S_ISLNK(status.st_mode):
            return Entry(name, tarfile.SYMTYPE, 0o777, *owner, target=os.readlink(place))
        if stat.S_ISDIR(status.st_mode):
            return Entry(name, tarfile.DIRTYPE, mode, *owner)
        if stat.S_ISREG(status.st_mode):
            return Entry(name, tarfile.REGTYPE, mode, *owner, source=place)
        if stat.S_ISFIFO(status.st_mode):
            return Entry(name, tarfile.FIFOTYPE, mode, *owner)
        raise UsageError("a socket or device cannot be part of an image", where=f"/{name}")

    def look(self) -> dict[str, tuple[Seen, tuple[int, int]]]:
        """All that is there, by name in layers."""
        found: dict[str, tuple[Seen, tuple[int, int]]] = {}
        waiting = [self.root]
        while waiting:
            with os.scandir(waiting.pop()) as listing:
                for one in listing:
                    status = one.stat(follow_symlinks=False)
                    seen = Seen(status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
                    found[self.name(Path(one.path))] = (seen, (status.st_uid, status.st_gid))
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(Path(one.path))
        return found

    def changes(self, before: dict[str, tuple[Seen, tuple[int, int]]]) -> list[Entry]:
        """What a layer must hold so that what was `before` becomes what is now."""
        now = self.look()
        entries: list[Entry] = []
        first: dict[int, str] = {}
        for name in sorted(now):
            seen, owner = now[name]
            was = before.get(name)
            if was and stat.S_ISDIR(seen.mode) and was[0].mode == seen.mode and was[1] == owner:
                continue
            if was == (seen, owner):
                continue
            if not self.real and was and was[0].mode != seen.mode:
                self.modes.pop(name, None)
            place = self.root / name
            if stat.S_ISSOCK(seen.mode):
                continue
            if stat.S_ISREG(seen.mode) and seen.inode in first:
                entry = self.entry(place)
                entries.append(Entry(name, tarfile.LNKTYPE, entry.mode, entry.uid, entry.gid, target=first[seen.inode]))
                continue
            first[seen.inode] = name
            entries.append(self.entry(place))
        gone = sorted(before.keys() - now.keys())
        covered = ""
        for name in gone:  # a folder's whiteout covers what was in it
            if covered and name.startswith(f"{covered}/"):
                continue
            covered = name
            folder, _, last = name.rpartition("/")
            if folder and not (folder in now and stat.S_ISDIR(now[folder][0].mode)):
                continue
            entries.append(Entry(f"{folder}/.wh.{last}".lstrip("/"), tarfile.REGTYPE))
        return entries

    def unpack(self, base: Base) -> None:
        """Apply the layers of a base image. Raises UsageError for what cannot be in one."""
        budget = _Budget()
        for layer in base.layers:
            self._apply(base.folder, layer, budget)

    def _apply(self, folder: Path, layer: Layer, budget: _Budget) -> None:
        added: set[Path] = set()
        with open_layer(folder, layer) as raw:
            try:
                with tarfile.open(fileobj=raw, mode="r|") as archive:
                    for member in archive:
                        budget.take(member.size)
                        self._one(archive, member, added)
            except (tarfile.TarError, EOFError, OSError) as error:
                raise UsageError(
                    f"a layer cannot be unpacked: {error}", where=str(layer.descriptor.get("digest"))
                ) from None

    def _one(self, archive: tarfile.TarFile, member: tarfile.TarInfo, added: set[Path]) -> None:
        path = PurePosixPath(member.name)
        parts = [part for part in path.parts if part not in ("/", ".")]
        if ".." in parts:
            raise UsageError("a layer names a file outside of it", where=member.name[:200])
        if not parts:
            return
        folder = "/".join(parts[:-1])
        if parts[-1].startswith(".wh."):
            self._white_out(self.inside(folder), parts[-1], added)
            return
        self.make_folders(folder)
        place = self.inside(folder) / parts[-1]
        if os.path.lexists(place) and not (member.isdir() and place.is_dir() and not place.is_symlink()):
            _remove(place)
        if member.isdir():
            place.mkdir(exist_ok=True)
        elif member.issym():
            os.symlink(member.linkname, place)
        elif member.islnk():
            target = self.inside(f"/{member.linkname}", follow_last=False)
            if not target.is_file() or target.is_symlink():
                raise UsageError("a hard link to what is no file", where=member.name[:200])
            os.link(target, place, follow_symlinks=False)
            added.add(place)
            return
        elif member.isreg():
            source = archive.extractfile(member)
            with open(place, "xb") as stream:
                while source is not None and (data := source.read(1 << 20)):
                    stream.write(data)
        elif member.isfifo():
            os.mkfifo(place)
        else:
            return  # devices: the container's /dev is its own
        self.own(place, member.uid, member.gid, None if member.issym() else member.mode & 0o7777)
        added.add(place)

    def _white_out(self, folder: Path, name: str, added: set[Path]) -> None:
        if not folder.is_dir():
            return
        if name == ".wh..wh..opq":
            for one in folder.iterdir():
                if one not in added:
                    _remove(one)
        elif os.path.lexists(place := folder / name[4:]) and name[4:] not in ("", ".", ".."):
            _remove(place)


class _Budget:
    def __init__(self) -> None:
        self.entries, self.bytes = _ENTRIES, _BYTES

    def take(self, size: int) -> None:
        self.entries -= 1
        self.bytes -= size
        if self.entries < 0 or self.bytes < 0:
            raise UsageError("the base image is too large: more than 1,000,000 files or 64 GiB")


def _remove(place: Path) -> None:
    import shutil

    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()


def walk(folder: Path) -> Iterator[Path]:
    """A folder's content, parents first, in order of names; symbolic links are not followed."""
    for name in sorted(os.listdir(folder)):
        place = folder / name
        yield place
        if place.is_dir() and not place.is_symlink():
            yield from walk(place)
