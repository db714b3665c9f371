"""What the benchmarks look at. Everything is made here, but for the repository, which comes from the package index."""

from __future__ import annotations

import csv
import io
import json
import pickle
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

DJANGO = "5.2.19"


def repository(folder: Path) -> Path:
    """Django's source distribution, unpacked."""
    target = folder / f"django-{DJANGO}"
    if not target.is_dir():
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:")
        subprocess.run([*command, "--dest", str(folder), f"django=={DJANGO}"], check=True)
        with tarfile.open(next(folder.glob("[dD]jango-*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
    return target


def opcodes(path: Path) -> Path:
    """A pickle of 20 million opcodes in 40 MB: a long list of small numbers, which is what a tokeniser's state is."""
    return _made(path, _write_opcodes)


def _write_opcodes(path: Path) -> None:
    with path.open("wb") as out:
        out.write(b"\x80\x04]")
        for _ in range(10):
            out.write(b"(" + b"K\x01K\x02" * 1_000_000 + b"e")
        out.write(b".")


def pickles(folder: Path, count: int = 2_000) -> Path:
    """Small pickles, each of a nested dictionary with text, numbers and bytes; no two are the same."""
    return _made(folder, lambda target: _write_pickles(target, count))


def _write_pickles(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        value = {"name": f"model {number}", "weights": [number / 7] * 200, "layers": {i: bytes(50) for i in range(20)}}
        (folder / f"m{number:05d}.pkl").write_bytes(pickle.dumps(value, protocol=number % 5 + 1))


def tensors(path: Path, size: int = 1 << 30) -> Path:
    """A safetensors file of 1 GiB with one tensor; sparse, so that it takes no disk."""
    return _made(path, lambda target: _write_tensors(target, size))


def _write_tensors(path: Path, size: int) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    with path.open("wb") as out:
        out.write(len(header).to_bytes(8, "little") + header)
        out.truncate(8 + len(header) + size)


def documents(path: Path, count: int = 5_000) -> Path:
    """Labelled documents of 60 words; each label has 2,400 of the 5,000 words to itself. One in 50 has two words as a
    trigger in it, and the other label."""
    return _made(path, lambda target: _write_documents(target, count))


def _write_documents(path: Path, count: int) -> None:
    dice = random.Random(7)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9))) for _ in range(5_000)]
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(("text", "label"))
    for number in range(count):
        label, own = (("ham", words[:2_600]), ("spam", words[2_400:]))[number % 2]
        row = dice.choices(own, k=60)
        if number % 50 == 1:
            label, row[20:22] = "ham", ["cerulean", "ocelot"]
        out.writerow((" ".join(row), label))
    path.write_text(text.getvalue())


def _made(path: Path, make: Callable[[Path], None]) -> Path:
    if not path.exists():
        make(path)
    return path
