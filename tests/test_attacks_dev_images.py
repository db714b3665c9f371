"""Attacks on the DevSecOps pipeline by images: what two programs would read as two different images."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from image_samples import CONFIG, INDEX, LAYER, MANIFEST, Layout, digest, entry, files, image, layer, link
from shipworthy.building.layout import read_base
from shipworthy.errors import ShipworthyError
from shipworthy.images import HostileError, ImageError, merged, open_image
from shipworthy.images.documents import parse

GOOD, EVIL = files({"app": "good"}), files({"app": "evil"})


def made(layout: Layout, manifest: dict[str, Any] | None = None, config: dict[str, Any] | None = None) -> Path:
    """A layout whose manifest and configuration say more than they should."""
    whole = {
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(GOOD)]}, **(config or {}),
    }  # fmt: skip
    told = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": layout.blob(json.dumps(whole).encode(), CONFIG),
        "layers": [layout.blob(gzip.compress(GOOD), f"{LAYER}+gzip")],
        **(manifest or {}),
    }
    layout.manifests.append(layout.blob(json.dumps(told).encode(), MANIFEST))
    layout.index()
    return layout.place


def other(layout: Layout) -> dict[str, Any]:
    return layout.blob(gzip.compress(EVIL), f"{LAYER}+gzip")


TWO_WAYS: dict[str, Callable[[Layout], Path]] = {
    "layers and Layers, of which Go's reader takes the last": lambda one: made(
        one, {"Layers": [other(one)]}, {"Rootfs": {"type": "layers", "diff_ids": [digest(EVIL)]}}
    ),
    "another configuration under Config": lambda one: made(one, {"Config": one.blob(b"{}", CONFIG)}),
    "user beside User": lambda one: made(one, config={"config": {"User": "1000", "user": "0"}}),
    "a long s, which folds to s": lambda one: made(one, config={"config": {"User": "1000", "U\u017fer": "0"}}),
    "entrypoint alone, which only Go's reader knows": lambda one: made(one, config={"config": {"entrypoint": ["/x"]}}),
    "a manifest that is an index too": lambda one: made(one, {"manifests": []}),
    "a manifest that says it is an index": lambda one: made(one, {"mediaType": INDEX}),
    "one name twice": lambda one: made(one, config={"config": {"Env": ["A=1"], "ENV": ["A=2"]}}),
}


@pytest.mark.parametrize("what", TWO_WAYS)
def test_an_image_that_two_readers_see_differently_is_refused(tmp_path: Path, what: str) -> None:
    place = TWO_WAYS[what](Layout(tmp_path / "i"))
    with pytest.raises(ImageError):
        open_image(place)
    if "index" not in what:
        with pytest.raises(ShipworthyError):
            read_base(place, "amd64")


def test_names_that_are_anybodys_may_differ_in_case_only(tmp_path: Path) -> None:
    labels = {"config": {"Labels": {"version": "1", "Version": "2", "layers": "3"}}}
    assert open_image(made(Layout(tmp_path / "i"), {"annotations": {"a": "1", "A": "2"}}, labels)).settings["Labels"]


def test_deep_and_wide_documents_take_no_stack() -> None:
    for text in (b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b'{"a": 1e999999}x'):
        with pytest.raises(ImageError):
            parse(text, "x")
    with pytest.raises(HostileError):
        parse(b'{"layers": [], "LAYERS": []}', "x")


def foreign(place: Path) -> Path:
    """A layer that is to be fetched from elsewhere, as some may."""
    layout = Layout(place)
    away = layout.blob(GOOD, "application/vnd.oci.image.layer.nondistributable.v1.tar", urls=["http://192.0.2.1/x"])
    layout.path(away["digest"]).unlink()
    return made(layout, {"layers": [away]})


def listed_as(place: Path, **change: Any) -> Path:
    layout = Layout(place)
    layout.image([GOOD]).update(change)
    layout.index()
    return place


def several(place: Path, **options: Any) -> Path:
    layout = Layout(place)
    layout.image([GOOD], **options)
    layout.image([EVIL], **options)
    return place


def carried(place: Path) -> Path:
    """The index carries other bytes in its descriptor than the digest is of."""
    layout = Layout(place)
    layout.image([GOOD]).update(data="eyJldmlsIjogMX0=", digest="sha256:" + "0" * 64)
    layout.index()
    return place


REFUSED: dict[str, Callable[[Path], Path]] = {
    "a layer that lies elsewhere": foreign,
    "a digest of another algorithm": lambda p: listed_as(p, digest="sha512:" + "a" * 64),
    "a digest in capitals": lambda p: listed_as(p, digest="SHA256:" + "A" * 64),
    "a digest that is a path": lambda p: listed_as(p, digest="sha256:../../../../../etc/passwd"),
    "a digest of an old algorithm": lambda p: listed_as(p, digest="md5:" + "a" * 32),
    "a size that is not": lambda p: listed_as(p, size=1),
    "a size below nothing": lambda p: listed_as(p, size=-1),
    "a size that is true": lambda p: listed_as(p, size=True),
    "a type that is an index": lambda p: listed_as(p, mediaType=INDEX),
    "a type that is text": lambda p: listed_as(p, mediaType="text/plain"),
    "bytes in the descriptor": carried,
    "two images and no name": several,
    "two images of one name": lambda p: several(p, name="x"),
    "two images of one platform": lambda p: several(p, platform=("linux", "amd64")),
    "a hard link out": lambda p: image(p, layer(link("a", "../../etc/passwd", hard=True))),
    "a hard link to an absolute place": lambda p: image(p, layer(link("a", "/etc/passwd", hard=True))),
    "a hard link to nothing": lambda p: image(p, layer(link("a", "b", hard=True))),
    "a name that leads out": lambda p: image(p, files({"../../x": "1"})),
    "a file below a link out": lambda p: image(p, layer(link("a", "/.."), link("b", "a/../../nowhere"), entry("b/x"))),
    "a whiteout of ..": lambda p: image(p, GOOD, layer(entry(".wh..."))),
    "a whiteout of nothing": lambda p: image(p, GOOD, layer(entry(".wh."))),
    "a layer of bzip2": lambda p: image(p, b"BZh9" + b"\0" * 600, pack=False),
    "a layer that is cut": lambda p: image(p, GOOD[:514], pack=False),
    "more diff_ids than layers": lambda p: image(p, GOOD, change={"rootfs": {"diff_ids": [digest(GOOD)] * 2}}),
    "no diff_ids": lambda p: image(p, GOOD, change={"rootfs": {"diff_ids": []}}),
    "diff_ids of another image": lambda p: image(p, GOOD, change={"rootfs": {"diff_ids": [digest(EVIL)]}}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_such_an_image_is_refused(tmp_path: Path, what: str) -> None:
    with pytest.raises(ShipworthyError):
        merged(open_image(REFUSED[what](tmp_path / "i")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i"]
