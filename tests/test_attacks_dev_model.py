"""Attacks on what is served: an image in which the signed model is, and another one that is loaded."""

from __future__ import annotations

import base64
import hashlib
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipworthy.artifacts import identify
from shipworthy.building.layout import Entry
from shipworthy.config import Load
from shipworthy.images import layer_files, open_image
from shipworthy.model import Artifact, Kind
from shipworthy.stages.dev.image_model import look
from small_images import image


def matrix(number: float) -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<d", number)


def found(
    tmp_path: Path,
    image: Mapping[str, bytes],
    hidden: Mapping[str, bytes] | None = None,
    links: Mapping[str, str] | None = None,
) -> list[str]:
    """The rules that fire for an image of these files, and where. `links` are further names of files."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights.npy").write_bytes(matrix(1))
    (model / "config.json").write_text('{"threshold": 0.5}')
    files = []
    for number, (name, data) in enumerate([*image.items(), *(hidden or {}).items()]):
        place = tmp_path / "files" / str(number) / name.rpartition("/")[2]
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
        layer = "" if number < len(image) else "layer 2: "
        files.append(identify(place, f"svc: {layer}/{name}", Load()))
    subject = Artifact("svc", Kind.IMAGE, "sha256:" + "0" * 64, 0)
    by = {file.uri: file for file in files}
    named = {f"svc: /{name}": by[f"svc: /{to}"] for name, to in (links or {}).items()}
    return sorted(
        f"{one.rule.id} {one.artifact.uri} {one.evidence}".strip() for one in look(subject, model, tuple(files), named)
    )


CONFIG = b'{"threshold": 0.5}'


def record(**files: bytes) -> bytes:
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
        for name, data in files.items()
    ]
    return "\n".join(lines).encode()


def test_the_signed_model_as_it_is(tmp_path: Path) -> None:
    weights = matrix(1)
    assert found(tmp_path, {"srv/model/weights.npy": weights, "srv/model/config.json": CONFIG, "app.py": b"1"}) == []


def test_also_under_other_names(tmp_path: Path) -> None:
    assert found(tmp_path, {"w.npy": matrix(1), "etc/app/c.json": CONFIG}) == []


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("srv/model", "image-model-changed svc: /srv/model/config.json config.json"),
        ("usr/lib/model", "image-model-changed svc: /usr/lib/model/config.json config.json"),
        ("", "image-model-changed svc: /config.json config.json"),
    ],
)
def test_a_part_is_changed_and_a_whole_copy_lies_elsewhere(tmp_path: Path, place: str, rule: str) -> None:
    weights = matrix(1)
    start = f"{place}/" if place else ""
    image = {
        "opt/decoy/weights.npy": weights,
        "opt/decoy/config.json": CONFIG,
        f"{start}weights.npy": weights,
        f"{start}config.json": b'{"threshold": 0.0}',
    }
    assert found(tmp_path, image) == [rule]


@pytest.mark.parametrize(
    "place",
    [
        "srv/other.npy",
        "usr/lib/app/other.npy",
        "usr/share/other.npy",
        "srv/myusr/lib/other.npy",
        "usr/lib/python3/dist-packages/other.npy",
        "usr/local/lib/python3.13/site-packages/app/other.npy",
        "srv/node_modules/app/other.npy",
        "srv/: layer 2: /other.npy",
    ],
)
def test_another_model_is_found_wherever_it_lies(tmp_path: Path, place: str) -> None:
    image = {"m/weights.npy": matrix(1), "m/config.json": CONFIG, place: matrix(2)}
    assert found(tmp_path, image) == [f"image-model-unsigned svc: /{place}"]


def test_also_one_that_a_later_layer_hides(tmp_path: Path) -> None:
    image = {"m/weights.npy": matrix(1), "m/config.json": CONFIG}
    assert found(tmp_path, image, {"usr/lib/x.npy": matrix(2)}) == ["image-model-unsigned svc: layer 2: /usr/lib/x.npy"]


def test_what_the_image_says_of_its_models_is_told_and_proves_nothing(tmp_path: Path) -> None:
    whole = {"m/weights.npy": matrix(1), "m/config.json": CONFIG}
    theirs, other = matrix(2), matrix(3)
    site = "usr/lib/python3.13/site-packages"
    listed = {
        f"{site}/joblib-1.dist-info/RECORD": record(**{"joblib/a.npy": theirs}),
        "var/lib/dpkg/info/r.md5sums": f"{hashlib.md5(theirs).hexdigest()}  usr/share/r/b.npy\n".encode(),
        "lib/apk/db/installed": b"P:r\nF:usr/share/q\nR:c.npy\nZ:Q1" + base64.b64encode(hashlib.sha1(theirs).digest()),
    }
    places = (f"{site}/joblib/a.npy", "usr/share/r/b.npy", "usr/share/q/c.npy")
    honest = tmp_path / "honest"
    swapped = tmp_path / "swapped"
    for each in (honest, swapped):
        each.mkdir()
    unsigned = sorted(f"image-model-unsigned svc: /{place}" for place in places)
    assert found(honest, {**whole, **listed, **dict.fromkeys(places, theirs)}) == unsigned
    assert found(swapped, {**whole, **listed, **dict.fromkeys(places, other)}) == unsigned


def test_broken_lists_of_packages_excuse_nothing(tmp_path: Path) -> None:
    lists = {
        "a/site-packages/x.dist-info/RECORD": b'"\0,\xff\n../../../x.npy,sha256=' + b"!" * 43,
        "lib/apk/db/installed": b"Z:Q1###\nR:\nF:",
        "var/lib/dpkg/info/x.md5sums": b"x.npy",
    }
    image = {"m/weights.npy": matrix(1), "m/config.json": CONFIG, "x.npy": matrix(2), **lists}
    assert found(tmp_path, image) == ["image-model-unsigned svc: /x.npy"]


def test_further_files_in_the_folder_of_the_model_are_told(tmp_path: Path) -> None:
    image = {"m/weights.npy": matrix(1), "m/config.json": CONFIG, "app.py": b"1"}
    more = {"m/adapter_config.json": b'{"base": "elsewhere"}', "m/code/modeling_x.py": b"import os"}
    told = found(tmp_path, {**image, **more})
    assert told == ["image-model-extra-file svc: /m/adapter_config.json adapter_config.json, code/modeling_x.py"]


def test_a_file_that_only_looks_like_a_part_of_the_model_makes_no_folder_of_one(tmp_path: Path) -> None:
    image = {"m/weights.npy": matrix(1), "m/config.json": CONFIG, "etc/config.json": CONFIG, "etc/passwd": b"root"}
    assert found(tmp_path, image) == []


def test_a_model_that_is_put_together_of_links(tmp_path: Path) -> None:
    """The folder that is served has the signed weights and another configuration, both by links; a decoy is whole."""
    image = {
        "opt/decoy/weights.npy": matrix(1),
        "opt/decoy/config.json": CONFIG,
        "a/w": matrix(1),
        "a/c": b'{"threshold": 0.0}',
    }
    assert found(tmp_path, image) == []
    (tmp_path / "served").mkdir()
    links = {"srv/weights.npy": "a/w", "srv/config.json": "a/c"}
    assert found(tmp_path / "served", image, links=links) == ["image-model-changed svc: /a/c config.json"]


def test_every_kind_of_link_gives_a_name(tmp_path: Path) -> None:
    layers = [
        [
            Entry("a/w", tarfile.REGTYPE, data=b"weights"),
            Entry("a/c", tarfile.REGTYPE, data=b"config"),
            Entry("m/w", tarfile.SYMTYPE, target="../a/w"),
            Entry("m/gone", tarfile.SYMTYPE, target="/nowhere"),
            Entry("m/round", tarfile.SYMTYPE, target="round"),
            Entry("srv", tarfile.SYMTYPE, target="/m"),
            Entry("whole", tarfile.SYMTYPE, target="/"),
        ],
        [Entry("m/c", tarfile.LNKTYPE, target="a/c")],
    ]
    layout = image(tmp_path / "layout", layers, {})
    names = {file.path: set(file.also) for file in layer_files(open_image(layout), tmp_path / "files")}
    assert names["a/w"] >= {"m/w", "srv/w", "whole/m/w", "whole/a/w"}
    assert names["a/c"] >= {"m/c", "srv/c", "whole/m/c"}
    assert not any("gone" in name or "round" in name for also in names.values() for name in also)
