"""Writes the honest Arrow, Parquet, Flax, Paddle and ExecuTorch files under tests/data/models, one kind per call.

python tests/make_other_models.py columnar    # pyarrow pandas
python tests/make_other_models.py flax        # flax jax
python tests/make_other_models.py paddle      # paddlepaddle; `pir` writes the JSON of version 3
python tests/make_other_models.py executorch  # executorch torch
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

MODELS = Path(__file__).parent / "data" / "models"


def columnar(folder: Path) -> str:
    """A frame of pandas, and nested columns with an extension type."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as parquet

    frame = pd.DataFrame({"a": np.arange(20.0), "b": list("xyzw") * 5, "c": pd.Categorical(list("uv") * 10)})
    table = pa.Table.from_pandas(frame)
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16] * 3, pa.binary(16)))
    lists, structs = pa.array([[1, 2], [3], []]), pa.array([{"x": 1}, {"x": 2}, None])
    nested = pa.table({"u": uuids, "l": lists, "s": structs, "v": pa.array(["a", "b", "cc"], pa.string_view())})
    for name, content in (("frame", table), ("nested", nested)):
        with pa.ipc.new_file(folder / f"{name}.arrow", content.schema) as writer:
            writer.write_table(content)
        with pa.ipc.new_stream(folder / f"{name}.arrows", content.schema) as writer:
            writer.write_table(content)
    feather.write_feather(table, folder / "lz4.feather", compression="lz4")
    parquet.write_table(table, folder / "frame.parquet", compression="snappy")
    parquet.write_table(nested.drop(["v"]), folder / "nested.parquet", compression="zstd", write_page_index=True)
    return "pyarrow"


def flax(folder: Path) -> str:
    """Parameters of several types."""
    import jax.numpy as jnp
    from flax import serialization

    dense = {"kernel": jnp.ones((3, 4)), "bias": jnp.zeros(4, jnp.bfloat16)}
    state = {"params": {"dense": dense, "steps": np.int64(3), "c": 1 + 2j, "name": "x"}}
    (folder / "params.msgpack").write_bytes(serialization.msgpack_serialize(serialization.to_state_dict(state)))
    return "flax"


def paddle(folder: Path) -> str:
    """Two dense layers, as a program of either kind, and a loop."""
    new = "pir" in sys.argv
    os.environ["FLAGS_enable_pir_api"] = "1" if new else "0"  # noqa: SIM112 - its name
    import paddle as pd

    net = pd.nn.Sequential(pd.nn.Linear(4, 3), pd.nn.ReLU(), pd.nn.Linear(3, 2))
    net.eval()
    inputs = [pd.static.InputSpec([None, 4], "float32")]
    pd.jit.save(net, str(folder / ("pir" if new else "dense")), input_spec=inputs)
    if not new:
        pd.save(net.state_dict(), str(folder / "state.pdparams"))
    else:
        pd.enable_static()
        main, start = pd.static.Program(), pd.static.Program()
        with pd.static.program_guard(main, start):
            x, turn, most = pd.static.data("x", [1], "float32"), pd.full([1], 0, "int64"), pd.full([1], 10, "int64")
            pd.static.nn.while_loop(lambda turn, _: turn < most, lambda turn, x: [turn + 1, x * 2.0], [turn, x])
        pd.base.core.serialize_pir_program(main, str(folder / "loop.json"), 1, True, False, True)
        (folder / "loop.json").write_text(
            json.dumps(json.loads((folder / "loop.json").read_text()), separators=(",", ":"))
        )
    return "paddlepaddle"


def executorch(folder: Path) -> str:
    """A dense layer, and a loop."""
    import torch
    from executorch.exir import to_edge

    class Net(torch.nn.Module):
        """Dense, ReLU, plus one."""

        def __init__(self) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Run."""
            return torch.relu(self.dense(x)) + 1

    program = to_edge(torch.export.export(Net().eval(), (torch.ones(1, 4),))).to_executorch()
    (folder / "dense.pte").write_bytes(program.buffer)

    class Each(torch.nn.Module):
        """The same for each row: a loop."""

        def forward(self, rows: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            """Run."""
            from functorch.experimental.control_flow import map as each

            return each(lambda row, y: row + y, rows, y)

    program = to_edge(torch.export.export(Each(), (torch.ones(7, 4), torch.ones(4)))).to_executorch()
    (folder / "loop.pte").write_bytes(program.buffer)
    return "executorch"


if __name__ == "__main__":
    target = MODELS / sys.argv[1]
    target.mkdir(parents=True, exist_ok=True)
    library = {"columnar": columnar, "flax": flax, "paddle": paddle, "executorch": executorch}[sys.argv[1]](target)
    (target / "versions.txt").write_text(f"{library} {version(library)}\n")
