"""Held-out attacks that only the real libraries can write: exported and scripted torch programs, packages, and others."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    CUSTOM,
    HIDDEN,
    NAME,
    OPERATOR,
    PATH,
    REMOTE,
    STATE,
    Attack,
    written,
)

NATIVE = CALL | HIDDEN | {"model-foreign-content"}
PT2 = "import torch; m = torch.export.load(F)"
JIT = "import torch; m = torch.jit.load(F); m(torch.ones(1))"
ANY = CALL | NAME | STATE | HIDDEN
GRAPH = CALL | NAME | OPERATOR | {"model-custom-operator", "model-keras-foreign-class"}


def programs() -> Iterator[Attack]:
    run = PT2 + "; import torch; m.module()(torch.ones(4, 3))"
    aoti = "import torch; from torch.export.pt2_archive._package import load_pt2; load_pt2(F)"
    ts, ex = "torch.jit.load, torch 2.13", "torch.export.load, torch 2.13"
    serve = "import torch.package as p, pickle; i = p.PackageImporter(F); "
    table = {
        "pt2/sample-inputs": ("the sample inputs are a pickle", PT2, CALL, ex),
        "pt2/pickled-weight": ("a weight is said to be a pickle", PT2, CALL, ex),
        "pt2/opaque-object": ("an opaque constant is a pickle", PT2, CALL, ex),
        "pt2/pickled-constant": ("a constant tensor is said to be a pickle", PT2, CALL, ex),
        "pt2/expression": ("a size's expression is evaluated by sympy", PT2, GRAPH, ex),
        "pt2/expression-hidden": ("the call hides in an expression that is right but for it", PT2, GRAPH, ex),
        "pt2/target-system": ("a node's target walks from torch to os.system", run, GRAPH, ex),
        "pt2/target-load": ("a node's target is torch.load", run, GRAPH, ex),
        "pt2/operator-call": ("a node's target is operator.methodcaller", run, GRAPH, ex),
        "pt2/inductor-library": ("a compiled library is loaded when the archive is", aoti, NATIVE, ex),
        "pt2/inductor-slip": ("the compiled library's name leads out of the folder it is unpacked to", aoti, NATIVE | PATH, ex),
        "pt2/extra-pickle": ("an extra file is a pickle", "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read([n for n in z.namelist() if n.endswith('.pkl')][0]))", CALL | HIDDEN, ex),
        "torchscript2/state-loop": ("__setstate__ never ends: while it is loaded", "import torch; torch.jit.load(F)", BOMB | OPERATOR, ts, "bomb"),
        "torchscript2/state-allocates": ("__setstate__ asks for 256 GB: while it is loaded", "import torch; torch.jit.load(F)", BOMB | OPERATOR, ts, "bomb"),
        "torchscript2/doubling": ("a list of tensors doubles in a loop without end", JIT, BOMB | OPERATOR, ts, "bomb"),
        "torchscript2/text-doubling": ("a text doubles 60 times", JIT, BOMB | OPERATOR, ts, "bomb"),
        "torchscript2/strided-clone": ("one number is viewed 2^40 times and copied", JIT, BOMB | OPERATOR, ts, "bomb"),
        "torchscript2/custom-operator": ("an operator of a library that is not torch's", JIT, CUSTOM | CALL, ts, "kept: needs the publisher's library"),
        "torchscript2/image-write": ("torchvision's operator writes a file", JIT, CUSTOM | PATH | CALL, ts, "kept: torchvision is not installed here"),
        "torchscript2/reads-file": ("the program maps a file outside and adds it to what it returns", JIT, PATH | OPERATOR, ts, "kept: the sum of the file's bytes is in the output"),
        "torchscript2/evil-data": ("data.pkl calls os.system; torch.jit does not, tools that unpickle it do", "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read([n for n in z.namelist() if n.endswith('data.pkl')][0]))", CALL, ts),
        "torchscript2/evil-constants": ("constants.pkl does", "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read([n for n in z.namelist() if n.endswith('constants.pkl')][0]))", CALL, ts),
        "torchscript2/debug-pickle": ("the debug information does", "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read([n for n in z.namelist() if n.endswith('.debug_pkl')][0]))", CALL, ts),
        "torchscript2/extra-library": ("an extra file is a native library", "import zipfile, ctypes; z = zipfile.ZipFile(F); open('w.so', 'wb').write(z.read('m/extra/w.so')); ctypes.CDLL('./w.so')", NATIVE, ts),
        "torchscript2/mobile-bytecode": ("the bytecode for mobile devices is a pickle that calls", "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read('m/bytecode.pkl'))", CALL, ts),
        "package2/extern": ("a binary of a package is a pickle, its source runs programs", serve + "pickle.loads(i.load_binary('model', 'data.pkl'))", ANY | REMOTE | {"model-foreign-content"}, "torch.package"),
        "package2/source-state": ("a class of the package acts when it is unpickled", serve + "i.load_pickle('model', 'model.pkl')", ANY | REMOTE | {"model-foreign-content"}, "torch.package"),
        "torch2/data-in-storage": ("a storage of a state_dict is a whole torch file with a payload, for loaders that nest", "import zipfile, io, torch; z = zipfile.ZipFile(F); torch.load(io.BytesIO(z.read([n for n in z.namelist() if n.endswith('data/0')][0])), weights_only=False)", CALL | HIDDEN, "torch.load"),
        "torch2/serialization-id": ("the member .data/serialization_id is a pickle", "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read([n for n in z.namelist() if n.endswith('serialization_id')][0]))", CALL | HIDDEN, "torch.load"),
        "torch2/checkpoint-callback": ("a training checkpoint holds a callback that acts", "import torch; torch.load(F, weights_only=False)", CALL, "torch.load"),
    }  # fmt: skip
    for what, (does, load, rules, loader, *proof) in table.items():
        rules = rules | BROKEN if proof == ["bomb"] else rules
        yield Attack(
            what, what.partition("/")[0], written(what), loader, load, does, rules, "main", *(proof or ["mark"])
        )


def attacks() -> Iterator[Attack]:
    yield from programs()
