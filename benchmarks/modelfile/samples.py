"""Writes what is timed, with the libraries themselves: run by the Python of the environment `honest`.

    PYTHON samples.py FOLDER

1.2 GB by torch and by safetensors in 300 tensors of 4 MB, 0.4 GB each by numpy, joblib and gguf, a pickle of 20 million
opcodes, and 2,000 small models: scikit-learn's by pickle, torch's, safetensors. What is there is kept.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

TENSORS, SIDE = 300, 1000


def matrices(count: int) -> dict[str, np.ndarray]:
    """Matrices of 4 MB."""
    random = np.random.default_rng(0)
    return {f"layer.{n}.weight": random.standard_normal((SIDE, SIDE), dtype="f4") for n in range(count)}


def torch_file(path: Path) -> None:
    """As torch saves a state."""
    import torch

    torch.save({name: torch.from_numpy(value) for name, value in matrices(TENSORS).items()}, path)


def safetensors_file(path: Path) -> None:
    """As safetensors saves one."""
    from safetensors.numpy import save_file

    save_file(matrices(TENSORS), path)


def npy_file(path: Path) -> None:
    """One array."""
    with path.open("wb") as out:
        np.save(out, np.concatenate(list(matrices(TENSORS // 3).values())))


def joblib_file(path: Path) -> None:
    """Arrays inside of a pickle, as joblib writes them."""
    import joblib

    joblib.dump(matrices(TENSORS // 3), path)


def gguf_file(path: Path) -> None:
    """Tensors of a language model's file."""
    import gguf

    writer = gguf.GGUFWriter(str(path), "llama")
    for name, value in matrices(TENSORS // 3).items():
        writer.add_tensor(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def opcode_file(path: Path) -> None:
    """62 MB of small objects, 20.4 million opcodes, hardly two of a kind in a row."""
    rows = [{"id": n, "name": f"node{n}", "kids": (n, n + 1, float(n)), "t": None} for n in range(1_200_000)]
    path.write_bytes(pickle.dumps(rows, protocol=4))


def small_files(folder: Path) -> None:
    """2,000 models."""
    import torch
    from safetensors.numpy import save_file
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    folder.mkdir()
    for n in range(1000):
        model = LogisticRegression().fit(random.normal(size=(20, 8)), np.arange(20) % 2)
        (folder / f"m{n}.pkl").write_bytes(pickle.dumps(model))
    for n in range(600):
        torch.save({"w": torch.randn(8, 8), "b": torch.randn(8)}, folder / f"t{n}.pt")
    for n in range(400):
        save_file({"w": random.standard_normal((8, 8), dtype="f4")}, folder / f"s{n}.safetensors")


WRITERS: dict[str, Callable[[Path], None]] = {
    "big.pt": torch_file,
    "big.safetensors": safetensors_file,
    "big.npy": npy_file,
    "big.joblib": joblib_file,
    "big.gguf": gguf_file,
    "opcodes.pkl": opcode_file,
    "small": small_files,
}


def main() -> None:
    """Command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in WRITERS.items():
        made = folder / name
        if made.exists():
            continue
        part = folder / f"part-{name}"  # so that a file that was cut is not kept
        try:
            write(part)
            part.rename(made)
        except ImportError as error:
            print(f"{name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
