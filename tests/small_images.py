"""Small images for tests: a base with a shell of this machine, and what is in an image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from shipworthy.building import elf
from shipworthy.building.layout import Entry, open_layer, read_base, write_image, write_layer
from shipworthy.building.tree import Tree
from shipworthy.errors import EnvironmentFailure
from shipworthy.tools.containers import Container, start

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
PROGRAMS = ("sh", "cat", "chmod", "chown", "id", "ln", "ls", "mkdir", "rm", "sleep", "touch")


def shell_base(folder: Path, programs: Iterable[str] = PROGRAMS) -> Path:
    """An OCI layout with some programs of this machine and the libraries that they need."""
    paths = [Path(found).resolve() for one in programs if (found := shutil.which(one, path="/usr/bin:/bin"))]
    names = {one: Path(found).resolve() for one in programs if (found := shutil.which(one, path="/usr/bin:/bin"))}
    loader = elf.read(paths[0]).interpreter
    standard = [Path(loader).resolve().parent, Path("/lib"), Path("/usr/lib"), Path("/lib64"), Path("/usr/lib64")]
    libraries = elf.libraries(paths, standard)
    entries = {
        "bin": Entry("bin", tarfile.DIRTYPE, 0o755),
        "tmp": Entry("tmp", tarfile.DIRTYPE, 0o1777),
        "etc": Entry("etc", tarfile.DIRTYPE, 0o755),
        "etc/passwd": Entry("etc/passwd", tarfile.REGTYPE, data=b"root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n"),
        "etc/group": Entry("etc/group", tarfile.REGTYPE, data=b"root:x:0:\napp:x:1000:\n"),
    }
    for name, path in names.items():
        entries[f"bin/{name}"] = Entry(f"bin/{name}", tarfile.REGTYPE, 0o755, source=path)
    for path, source in [(str(one), one.resolve()) for one in libraries.values()] + [(loader, Path(loader).resolve())]:
        entries[path.lstrip("/")] = Entry(path.lstrip("/"), tarfile.REGTYPE, 0o755, source=source)
    for name in list(entries):
        while "/" in name:
            name = name.rpartition("/")[0]
            entries.setdefault(name, Entry(name, tarfile.DIRTYPE, 0o755))
    return image(folder, [list(entries.values())], {"Env": ["PATH=/bin"]})


def image(folder: Path, layers: Iterable[Iterable[Entry]], config: Mapping[str, Any]) -> Path:
    """An OCI layout with these layers."""
    folder.mkdir(parents=True)
    written = [write_layer(folder, entries, 0) for entries in layers]
    root = {"type": "layers", "diff_ids": [one.diff_id for one in written]}
    whole = {"architecture": ARCHITECTURE, "os": "linux", "config": dict(config), "rootfs": root, "history": []}
    write_image(folder, whole, written, "test")
    return folder


def unpacked(layout: Path, folder: Path) -> tuple[Path, Mapping[str, Any]]:
    """The root file system of an image, and its configuration."""
    base = read_base(layout, ARCHITECTURE)
    Tree(folder).unpack(base)
    return folder, base.config


def members(layout: Path, layer: int = -1) -> dict[str, tarfile.TarInfo]:
    """What one layer holds."""
    base = read_base(layout, ARCHITECTURE)
    with open_layer(layout, base.layers[layer]) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        return {one.name: one for one in archive}


def listing(root: Path, without: Iterable[str] = ()) -> dict[str, tuple[Any, ...]]:
    """Names, kinds, modes, owners and content of a tree, to compare two."""
    found: dict[str, tuple[Any, ...]] = {}
    for place, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(place, name)
            relative = path.relative_to(root).as_posix()
            if relative.split("/")[0] in without:
                continue
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
            found[relative] = (oct(status.st_mode), status.st_uid, status.st_gid, content)
    return found


def needs_containers() -> None:
    """Skip where the kernel does not allow containers."""
    root = Path("/")
    if sys.platform != "linux":
        pytest.skip("containers need Linux")
    try:
        started = start(Container(root / "usr", ["/nothing"]))
    except EnvironmentFailure as failure:
        if "cannot start /nothing" not in str(failure) and "namespace" in str(failure):
            pytest.skip(f"no namespaces here: {failure}")
        return
    started.close()
    started.release()


def needs(program: str) -> None:
    """Skip without a program."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: apt install {program}")


def processes_with(text: str) -> list[str]:
    """Command lines of processes that hold a text in it or in their environment."""
    found = []
    for one in Path("/proc").iterdir():
        if not one.name.isdigit() or int(one.name) == os.getpid():
            continue
        try:
            said = (one / "cmdline").read_bytes() + b"\0" + (one / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in said:
            found.append(f"{one.name}: {said[:200]!r}")
    return found


def wait_until(check: Any, seconds: float = 20.0) -> bool:
    """Whether a condition holds within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.05)
    return bool(check())


def python(code: str, *args: str) -> subprocess.Popen[bytes]:
    """Another Python that has this package and these tests."""
    source = str(Path(__file__).parent.parent / "src")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((source, str(Path(__file__).parent)))}
    return subprocess.Popen([sys.executable, "-c", code, *args], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def digest_of(layout: Path) -> str:
    """The digest of the manifest, from the index."""
    return str(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"])
