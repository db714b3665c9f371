"""Write HDF5 files and a native library of the fourth blind set: `PYTHONPATH=tests python unseen4_write_others.py OUT`."""
# mypy: ignore-errors

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py

from corpora.unseen4_keras import constants

OUT = Path(sys.argv[1])
SOURCE = '#include <stdio.h>\n__attribute__((constructor)) static void go(void) { fclose(fopen("/tmp/x", "w")); }\n'


def to(name):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def library():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.c").write_text(SOURCE)
        target = to("native/library/lib.bin")
        subprocess.run(["gcc", "-shared", "-fPIC", "-Os", "-s", "-o", str(target), f"{folder}/a.c"], check=True)
    return target.read_bytes()


def keras2(native):
    kinds = {
        "write-file": constants("io.write_file", "/tmp/victim/keep.txt", contents="gone"),
        "rmtree": constants("io.gfile.rmtree", "/tmp/victim"),
        "read-file": constants("io.read_file", "/tmp/victim/secret.txt"),
        "library": constants("load_library", "/tmp/s/lib.bin"),
    }
    for name, text in kinds.items():
        with h5py.File(to(f"keras2/{name}/model.h5"), "w") as file:
            file.attrs["keras_version"] = "2.15.0"
            file.attrs["backend"] = "tensorflow"
            file.attrs["model_config"] = text
            file.create_group("model_weights").attrs["layer_names"] = []
        if name == "library":
            to(f"keras2/{name}/lib.bin").write_bytes(native)


R = r"""
act <- function(...) { system("touch /tmp/x"); invisible(1) }
environment(act) <- baseenv()
saveRDS(list(coef = c(1, 2), predict = act), "r/function-in-model/model.rds")
e <- new.env(parent = emptyenv()); makeActiveBinding("w", act, e)
saveRDS(structure(list(env = e, k = 1), class = "model"), "r/active-binding/model.rds")
predict <- act; fit <- structure(list(1), class = "lm"); save(fit, predict, file = "r/masks-predict/model.RData")
print.lm <- act; save(fit, print.lm, file = "r/masks-print/fit.rda")
p <- new.env(); delayedAssign("w", system("touch /tmp/x"), baseenv(), p); saveRDS(p, "r/delayed/model.rds", version = 3)
.Last <- act; save(.Last, file = "r/last/.RData")
saveRDS(quote(system("touch /tmp/x")), "r/call/lm.rds", compress = "xz")
saveRDS(data.frame(a = 1:3, b = c("x", "y", "z")), "honest/r-frame/d.rds", compress = "bzip2")
saveRDS(list(a = 1, b = "system('rm')"), "honest/r-text/l.rds")
"""


def r_models():
    names = ("function-in-model", "active-binding", "masks-predict", "masks-print", "call", "delayed", "last")
    for name in names:
        to(f"r/{name}/x")
    for name in ("r-frame", "r-text"):
        to(f"honest/{name}/x")
    subprocess.run(["R", "--vanilla", "-s"], input=R.encode(), cwd=OUT, check=True)


if __name__ == "__main__":
    keras2(library())
    r_models()
