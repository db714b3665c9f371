"""The files for timing, and how long each scanner takes for them."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Measured, measure

import modelfile_samples as make

if TYPE_CHECKING:
    from run import Bench

TENSORS, FLOATS = 300, 1_000_000
SMALL = 2_000


def _tensor(key: int) -> bytes:
    """A reference to a storage, rebuilt as torch writes it."""
    old = make.old_name
    storage = b"(" + make.text("storage") + old("torch", "FloatStorage") + make.text(str(key)) + make.text("cpu")
    storage += make.atom(FLOATS) + b"tQ"
    shape = b"(" + make.atom(FLOATS) + b"t" + b"(" + make.atom(1) + b"t\x89" + old("collections", "OrderedDict") + b")R"
    return old("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + make.atom(0) + shape + b"tR"


def torch_file(path: Path) -> Path:
    """A torch archive of 1.2 GB."""
    if not path.exists():
        raw = os.urandom(4 * FLOATS)
        items = b"".join(make.text(f"layer{n}.weight") + _tensor(n) for n in range(TENSORS))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("m/data.pkl", b"\x80\x02}(" + items + b"u.")
            archive.writestr("m/byteorder", "little")
            for n in range(TENSORS):
                archive.writestr(zipfile.ZipInfo(f"m/data/{n}"), raw)
            archive.writestr("m/version", "3\n")
    return path


def safetensors_file(path: Path) -> Path:
    """1.2 GB of tensors."""
    if not path.exists():
        size = 4 * FLOATS
        header = {
            f"layer{n}.weight": {"dtype": "F32", "shape": [FLOATS], "data_offsets": [n * size, (n + 1) * size]}
            for n in range(TENSORS)
        }
        raw = os.urandom(size)
        with path.open("wb") as out:
            out.write(make.safetensors(header))
            for _ in range(TENSORS):
                out.write(raw)
    return path


def opcode_file(path: Path) -> Path:
    """20 million opcodes."""
    if not path.exists():
        with path.open("wb") as out:
            out.write(b"\x80\x04]")
            for _ in range(10):
                out.write(b"(" + b"K\x01K\x02" * 1_000_000 + b"e")
            out.write(b".")
    return path


def small_files(folder: Path) -> Path:
    """2,000 models of three formats, some 4 kB each."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for n in range(SMALL):
            if n % 10 < 5:
                value = {"name": f"model {n}", "weights": [n / 7] * 200, "layers": {i: bytes(50) for i in range(20)}}
                (folder / f"m{n}.pkl").write_bytes(pickle.dumps(value, protocol=n % 5 + 1))
            elif n % 10 < 8:
                (folder / f"m{n}.pt").write_bytes(make.torch_zip(pickle.dumps({"epoch": n, "lr": [n / 7] * 50}, 2)))
            else:
                header = {"w": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}}
                (folder / f"m{n}.safetensors").write_bytes(make.safetensors(header, struct.pack("<f", n) * 1000))
    return folder


def small_honest(folder: Path) -> list[Path]:
    """What the libraries that are installed here write."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    value = {"words": ["os.system", "eval("], "n": [1, 2.5, None, 2**80], "raw": bytes(300), "set": {1, 2}, "t": (1,)}
    for protocol in range(6):
        files[f"values-{protocol}.pkl"] = pickle.dumps(value, protocol)
    try:
        import numpy as np

        array = np.arange(200, dtype="f8").reshape(20, 10)
        for protocol in range(6):
            files[f"array-{protocol}.pkl"] = pickle.dumps({"w": array, "d": array.dtype, "s": array[0, 0]}, protocol)
        for name, save in {
            "a.npy": lambda out: np.save(out, array),
            "a.npz": lambda out: np.savez(out, a=array),
        }.items():
            out = io.BytesIO()
            save(out)
            files[name] = out.getvalue()
        from safetensors.numpy import save as save_tensors

        files["a.safetensors"] = save_tensors({"w": array})
    except ImportError:
        pass
    try:
        import joblib

        for level in (0, 3):
            joblib.dump({"w": array, "x": value}, folder / f"a{level}.joblib", compress=level)
    except (ImportError, NameError):
        pass
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return sorted(folder.iterdir())


# Each with its own count of CPU seconds, without Python's start.
LIBRARY = """
import sys, time
from pathlib import Path
from shipworthy.modelfile import scan
paths = sorted(Path(sys.argv[1]).iterdir()) if Path(sys.argv[1]).is_dir() else [Path(sys.argv[1])]
began = time.process_time()
verdicts = {str(scan(path).verdict) for path in paths}
print(time.process_time() - began, verdicts)
"""
HASHED = """
import hashlib, sys, time
from shipworthy.modelfile import scan
def digest():
    with open(sys.argv[1], "rb") as stream:
        hashlib.file_digest(stream, "sha256")
digest()
alone, both = [], []
for _ in range(3):
    for times, look in ((alone, False), (both, True)):
        began = time.process_time()
        digest()
        if look:
            scan(sys.argv[1])
        times.append(time.process_time() - began)
print(min(both) / min(alone), min(alone))
"""


def _inside(bench: Bench, code: str, path: Path) -> tuple[float, str]:
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, env=bench.env, check=True
    )
    first, _, rest = done.stdout.strip().partition(" ")
    return float(first), rest


def run(bench: Bench) -> None:
    """All timings; CPU seconds of the whole process tree, and of the scan alone for the library."""
    files = {
        "1.2 GB torch zip": (torch_file(bench.work / "big.pt"), 0.05),
        "1.2 GB safetensors": (safetensors_file(bench.work / "big.safetensors"), 0.0),
        "20 million opcodes, 40 MB": (opcode_file(bench.work / "opcodes.pkl"), 1.5),
        "2,000 small models": (small_files(bench.work / "small"), 0.45),
    }
    one = bench.work / "one.pkl"
    one.write_bytes(pickle.dumps({"w": [1.0] * 100}))
    names = list(bench.commands)
    bench.say("## Speed", "", "CPU seconds and memory of the process tree, start included, one run each; in "
              "brackets the exit code where it is not 0. `library`: the scan alone, in a process that "
              "has started. Ratio: "
              "Shipworthy's command to the fastest peer whose exit code is 0 (ModelScan's 3 says that it "
              "looked at nothing).", "",
              "| file | library | " + " | ".join(names) + " | ratio | goal |",
              "|---|---|" + "---|" * len(names) + "---|---|")  # fmt: skip
    for title, (path, goal) in files.items():
        inside, _ = _inside(bench, LIBRARY, path)
        wanted = f"library {goal} s: {'met' if inside <= goal else 'MISSED'}" if goal else "-"
        _row(bench, title, path, f"{inside:.3f} s", wanted)
    _row(bench, "start and one small file", one, "-", "command 0.15 s")
    bench.say("")
    for title in ("1.2 GB torch zip", "1.2 GB safetensors"):
        ratio, alone = _inside(bench, HASHED, files[title][0])
        met = "met" if ratio <= 1.05 else "MISSED"
        bench.say(
            f"- sha256 and scan of the {title}: **{ratio:.3f} x** sha256 alone ({float(alone):.2f} s; goal 1.05: {met})"
        )
    bench.say("")


def _row(bench: Bench, title: str, path: Path, inside: str, goal: str) -> None:
    cells, times = [], {}
    for name, command in bench.commands.items():
        env = bench.env if name == "shipworthy" else {k: v for k, v in bench.env.items() if k != "PYTHONPATH"}
        done = _limited(bench, [*command, str(path)], env)
        if done is None:
            cells.append(f"> {bench.timeout} s")
            continue
        times[name] = done
        code = f" [{done.code}]" if done.code else ""
        cells.append(f"{done.cpu:.2f} s, {done.tree_mb:.0f} MB{code}")
    peers = [item.cpu for name, item in times.items() if name != "shipworthy" and item.code == 0]
    ratio = f"{times['shipworthy'].cpu / min(peers):.2f}" if peers and "shipworthy" in times else "-"
    bench.say(f"| {title} | {inside} | " + " | ".join(cells) + f" | {ratio} | {goal} |")


def _limited(bench: Bench, command: list[str], env: dict[str, str]) -> Measured | None:
    """Stopped after a while: such a tool has no time to compare."""
    clean = ["env", *(["-u", "PYTHONPATH"] if "PYTHONPATH" not in env else []), "timeout", str(bench.timeout), *command]
    done = measure(clean, cwd=bench.work, env=env, log=bench.work / "log.txt")
    return None if done.code == 124 else done
