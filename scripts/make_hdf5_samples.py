"""Write honest HDF5 files with h5py and PyTables: `make_hdf5_samples.py FOLDER`; kept in tests/data/models/hdf5."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import tables


def groups(path: Path, version: str) -> None:
    """Every kind of group, attribute and layout that h5py writes in a version of the format."""
    with h5py.File(path, "w", libver=version) as file:
        for number in range(8):
            group = file.create_group(f"layer{number}/vars", track_order=bool(number % 2))
            group["0"] = np.arange(number, dtype="f4")
            group.attrs["name"] = "text"
        many = file.create_group("many", track_order=True)
        for number in range(40):
            many[f"link{number}"] = h5py.SoftLink("/layer1")
            many.attrs[f"attribute{number}"] = number
        file.attrs["names"] = ["kernel", "bias"] * 3
        data = np.arange(64, dtype="f4").reshape(8, 8)
        file.create_dataset("chunked", data=data, chunks=(4, 4))
        file.create_dataset("packed", data=data, chunks=(4, 4), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("single", data=data, chunks=(8, 8))
        file.create_dataset("growing", data=data, chunks=(8, 4), maxshape=(None, None))
        file["scalar"], file["texts"], file["null"] = 3.0, ["a", "b"], h5py.Empty("f4")
        file["table"] = np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8", (3,)), ("s", "S5")])
        file["type"] = np.dtype("f4")
        file.create_dataset("typed", (3,), dtype=file["type"])
        file["lists"] = file.create_dataset("varying", (2,), dtype=h5py.vlen_dtype("i4"))
        if version == "latest":
            file.attrs["huge"] = np.zeros(600)


def pytables(path: Path) -> None:
    """Pickles in an attribute and in the rows of an array of objects."""
    with tables.open_file(str(path), "w") as file:
        file.root._v_attrs.settings = {"rate": 1, "names": ["a", "b"]}
        rows = file.create_vlarray("/", "rows", tables.ObjectAtom(), expectedrows=1, chunkshape=1)
        rows.append({"a value that is long enough": [1, 2, 3], "another": "x" * 40})
        file.create_array("/", "numbers", np.arange(10))


def main(folder: Path) -> None:
    """Command line."""
    folder.mkdir(parents=True, exist_ok=True)
    groups(folder / "h5py-earliest.h5", "earliest")
    groups(folder / "h5py-latest.h5", "latest")
    pytables(folder / "pytables.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
