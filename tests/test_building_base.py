"""The base image of this machine's Python, ELF files, and wheels that are fetched before a build."""

import os
import struct
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_images
from shipworthy.building import elf
from shipworthy.building.local_base import LABEL, python_base
from shipworthy.building.wheels import fetch
from shipworthy.errors import EnvironmentFailure, UsageError

PROGRAM = Path(os.path.realpath(sys.executable))


def test_the_libraries_of_a_program_are_those_that_it_has_loaded() -> None:
    found = elf.libraries([PROGRAM], [Path("/lib"), Path("/usr/lib"), *Path("/usr/lib").glob("*-linux-gnu")])
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
    loaded = {Path(one).name for one in mapped}
    assert found
    assert all(path.resolve().name in loaded for path in found.values())
    assert Path(elf.read(PROGRAM).interpreter).is_file()


def test_a_library_that_is_missing_is_told() -> None:
    with pytest.raises(UsageError, match="is not found"):
        elf.libraries([Path("/bin/sh").resolve()], [])


@given(st.binary(max_size=300), st.integers(0, 190), st.integers(0, 2**64 - 1))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int, n: int) -> None:
    path = tmp_path_factory.getbasetemp() / f"some-{os.getpid()}.elf"
    whole = bytearray(b"\x7fELF\x02\x01" + data + bytes(200))
    struct.pack_into("<Q", whole, at, n)
    for one in (data, bytes(whole)):
        path.write_bytes(one)
        try:
            elf.read(path)
        except UsageError:
            continue


@pytest.mark.slow
def test_the_same_python_gives_the_same_base(tmp_path: Path) -> None:
    first, second = (python_base(tmp_path / name) for name in ("one", "two"))
    assert small_images.digest_of(first) == small_images.digest_of(second)
    found = small_images.members(first)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert found[f"usr/local/bin/{version}"].mode == 0o755
    assert found["usr/local/bin/python"].issym()
    assert f"usr/local/lib/{version}/json/__init__.py" in found
    assert f"usr/local/lib/{version}/site-packages/pip/__init__.py" in found
    assert found["usr/local/bin/pip"].mode == 0o755
    assert not [name for name in found if "/test/" in name or name.endswith(".a") or "/tkinter/" in name]
    assert not [name for name, one in found.items() if one.mode & 0o6000]
    assert {one.mtime for one in found.values()} == {0}
    assert all(one.type in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE) for one in found.values())
    _, config = small_images.unpacked(first, tmp_path / "root")
    assert config["config"]["Labels"] == {LABEL: "this machine's Python"}
    with pytest.raises(UsageError, match="not empty"):
        python_base(first)


def test_requirements_without_hashes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==2.4.6\n")
    with pytest.raises(UsageError, match="hashes"):
        fetch(tmp_path / "requirements.txt", tmp_path / "wheels")


def test_an_index_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"numpy==2.4.6 --hash=sha256:{'0' * 64}\n")
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    with pytest.raises(EnvironmentFailure, match="cannot be fetched"):
        fetch(tmp_path / "requirements.txt", tmp_path / "wheels", env=env)
