"""A base image from this machine's Python, for where no registry can be reached.

It holds the interpreter that runs this (its standard library without tests, pip, the shared libraries it needs), a
shell, certificates, and an unprivileged user. It is what this machine has, and says so in a label: it is not
`python:3.x-slim`, has no distribution's package database, and nobody maintains it. On one machine, the same
interpreter gives the same image.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import ssl
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.building import elf
from shipworthy.building.layout import Entry, write_image, write_layer
from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.files import new_folder, remove_folder

LABEL = "dev.shipworthy.base"
USER = 10001
_LEFT_OUT = frozenset(
    "__pycache__ test tests idlelib idle_test tkinter turtledemo lib2to3 ensurepip site-packages dist-packages".split()
)
_LEFT_OUT_FILES = re.compile(r"turtle\.py|_tkinter\..{0,80}|_test.{0,80}|_ctypes_test.{0,80}|xxlimited.{0,80}")
_SHELLS = ("/bin/dash", "/bin/busybox", "/bin/sh")
_ZONES = ("UTC",)
_PIP = b"#!/usr/local/bin/python3\nimport sys\n\nfrom pip._internal.cli.main import main\n\nsys.exit(main())\n"
# What a wheel may expect of the system (PEP 600 and the manylinux policies), and what glibc opens by name.
_EXPECTED = (
    "libgcc_s.so.1 libstdc++.so.6 libatomic.so.1 libz.so.1 libexpat.so.1 libdl.so.2 librt.so.1 libpthread.so.0 "
    "libutil.so.1 libresolv.so.2 libnss_files.so.2 libnss_dns.so.2"
).split()


def python_base(folder: Path, *, epoch: int = 0) -> Path:
    """Write the base image into `folder`, new or empty, as an OCI layout; returns the folder.

    Raises UsageError when the folder is not empty, EnvironmentFailure when this Python cannot be taken apart (not on
    Linux, a library that is not found, no pip to include).
    """
    if sys.platform != "linux":
        raise EnvironmentFailure(
            "a base image of this Python needs Linux", remedy="give the OCI layout of a base image"
        )
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("the folder is not empty", where=str(folder), remedy="name a new one")
    folder.mkdir(parents=True, exist_ok=True)
    work = new_folder(None, "shipworthy-base-")
    try:
        entries = {entry.name: entry for entry in _entries(work)}
        for name in list(entries):  # the folders that lead to files
            while "/" in name:
                name = name.rpartition("/")[0]
                entries.setdefault(name, Entry(name, tarfile.DIRTYPE, 0o755))
        layer = write_layer(folder, entries.values(), epoch)
    finally:
        remove_folder(work)
    version = platform.python_version()
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    machine = platform.machine()
    config = {
        "created": created,
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"PYTHON_VERSION={version}", "LANG=C.UTF-8"],
            "Cmd": ["python3"],
            "Labels": {LABEL: "this machine's Python"},
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        "history": [{"created": created, "created_by": f"this machine's Python {version}"}],
    }
    write_image(folder, config, [layer], "base")
    return folder


def _entries(work: Path) -> Iterator[Entry]:
    tag = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    home = f"usr/local/lib/{tag}"
    yield Entry(f"usr/local/bin/{tag}", tarfile.REGTYPE, 0o755, source=program)
    for name in ("python3", "python"):
        yield Entry(f"usr/local/bin/{name}", tarfile.SYMTYPE, 0o777, target=tag)
    binaries = [program]
    pure = work / "pure"
    for name, source in _standard_library():
        if source.suffix == ".so":
            binaries.append(source)
            yield Entry(f"{home}/{name}", tarfile.REGTYPE, 0o755, source=source)
        elif source.suffix == ".py":
            target = pure / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        else:
            yield Entry(f"{home}/{name}", tarfile.REGTYPE, 0o644, source=source)
    _unpack_pip(pure / "site-packages")
    for name in ("pip3", "pip"):  # as the images that it stands in for have it
        yield Entry(f"usr/local/bin/{name}", tarfile.REGTYPE, 0o755, data=_PIP)
    _compile(pure, f"/{home}")
    for place in sorted(pure.rglob("*")):
        if place.is_file():
            yield Entry(f"{home}/{place.relative_to(pure).as_posix()}", tarfile.REGTYPE, 0o644, source=place)
    yield from _system(binaries)
    yield from _settings()


def _standard_library() -> Iterator[tuple[str, Path]]:
    """Relative name and file; the platform's own part may be in another folder."""
    seen = set()
    for folder in dict.fromkeys((sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))):
        base = Path(folder).resolve()
        # a virtual environment's own folder is not the standard library
        base = base if (base / "os.py").is_file() else Path(os.__file__).resolve().parent
        for place, folders, files in os.walk(base):
            config = [one for one in folders if one.startswith("config-")]
            folders[:] = sorted(one for one in folders if one not in _LEFT_OUT and one not in config)
            for file in sorted(files):
                path = Path(place, file)
                name = path.relative_to(base).as_posix()
                if name in seen or _LEFT_OUT_FILES.fullmatch(file) or file.endswith((".a", ".o", ".pyc", ".exe")):
                    continue
                if path.is_file():
                    seen.add(name)
                    yield name, path


def _unpack_pip(target: Path) -> None:
    """pip, from the wheel that Python itself brings."""
    places = [Path(os.__file__).resolve().parent / "ensurepip" / "_bundled"]
    if given := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        places.insert(0, Path(given))
    wheels = sorted(wheel for place in places if place.is_dir() for wheel in place.glob("pip-*.whl"))
    if not wheels:
        raise EnvironmentFailure(
            "this Python brings no pip (ensurepip is not there)", remedy="install python3-venv, or give another base"
        )
    with zipfile.ZipFile(wheels[-1]) as archive:
        archive.extractall(target)  # noqa: S202


def _compile(folder: Path, prefix: str) -> None:
    """Bytecode that is valid by itself, so that the service starts fast from a file system that it cannot write."""
    line = ["-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder)]
    done = subprocess.run(
        [sys.executable, *line, "-p", prefix, str(folder)], capture_output=True, timeout=600, check=False, text=True
    )
    if done.returncode not in (0, 1):  # 1: a file that is an example of bad syntax
        raise EnvironmentFailure(f"the standard library cannot be compiled: {done.stderr[-300:]}")


def _system(binaries: list[Path]) -> Iterator[Entry]:
    """A shell, and the shared libraries of all programs, where this machine's loader looks for them."""
    shell = next((Path(one).resolve() for one in _SHELLS if Path(one).exists()), None)
    if shell is None:
        raise EnvironmentFailure("this machine has no shell", remedy="give the OCI layout of a base image")
    yield Entry("usr/bin/sh", tarfile.REGTYPE, 0o755, source=shell)
    interpreter = elf.read(binaries[0]).interpreter
    loader = Path(interpreter).resolve()
    folders = [
        loader.parent,
        Path("/lib"),
        Path("/usr/lib"),
        Path("/lib64"),
        Path("/usr/lib64"),
        Path("/usr/local/lib"),
    ]
    triplet = str(sysconfig.get_config_var("MULTIARCH") or "")
    folders += [Path(f"/{part}/{triplet}") for part in ("lib", "usr/lib", "usr/local/lib") if triplet]
    places = [next((one / name for one in folders if (one / name).is_file()), None) for name in _EXPECTED]
    expected = [place for place in places if place is not None]
    found = elf.libraries([*binaries, shell, *expected], folders) | {path.name: path for path in expected}
    standard = _merged(found["libc.so.6"].resolve().parent) if "libc.so.6" in found else "usr/lib"
    for name, path in sorted(found.items()):
        yield Entry(f"{standard}/{name}", tarfile.REGTYPE, 0o755, source=path.resolve())
    place = f"{_merged(loader.parent)}/{loader.name}"
    yield Entry(place, tarfile.REGTYPE, 0o755, source=loader)
    asked = _merged(Path(interpreter).parent) + "/" + Path(interpreter).name
    if asked != place:
        yield Entry(asked, tarfile.SYMTYPE, 0o777, target=f"/{place}")
    for name in ("bin", "lib", "lib64", "sbin"):
        yield Entry(f"usr/{name}", tarfile.DIRTYPE, 0o755)
        yield Entry(name, tarfile.SYMTYPE, 0o777, target=f"usr/{name}")


def _merged(folder: Path) -> str:
    """A folder's name in the image, where /lib and its like are links to those below /usr."""
    parts = [part for part in folder.parts if part != "/"]
    return "/".join(parts if parts[:1] == ["usr"] else ["usr", *parts])


def _settings() -> Iterator[Entry]:
    texts = {
        "etc/passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\napp:x:{USER}:{USER}::/nonexistent:/usr/sbin/nologin\n",
        "etc/group": f"root:x:0:\napp:x:{USER}:\n",
        "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }
    for name, text in texts.items():
        yield Entry(name, tarfile.REGTYPE, 0o644, data=text.encode())
    paths = ssl.get_default_verify_paths()
    choices = (paths.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
    if certificates := next((Path(one).resolve() for one in choices if one and Path(one).is_file()), None):
        yield Entry("etc/ssl/certs/ca-certificates.crt", tarfile.REGTYPE, 0o644, source=certificates)
        yield Entry("usr/local/ssl/cert.pem", tarfile.SYMTYPE, 0o777, target="/etc/ssl/certs/ca-certificates.crt")
    for zone in _ZONES:
        if (path := Path("/usr/share/zoneinfo", zone)).is_file():
            yield Entry(f"usr/share/zoneinfo/{zone}", tarfile.REGTYPE, 0o644, source=path.resolve())
    for name, mode in (
        ("tmp", 0o1777),
        ("proc", 0o555),
        ("dev", 0o755),
        ("sys", 0o555),
        ("root", 0o700),
        ("run", 0o755),
    ):
        yield Entry(name, tarfile.DIRTYPE, mode)


def identity() -> str:
    """What the base depends on, as a digest: to know whether one that was made before is still that of this Python."""
    program = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    parts = [sys.version, str(program), str(program.stat().st_mtime_ns), str(Path(os.__file__).stat().st_mtime_ns)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
