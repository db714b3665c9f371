"""Every file of an image, laid out to be looked at, and whose it is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipworthy.artifacts import identify
from shipworthy.building.wheel_files import of_index
from shipworthy.config import Load
from shipworthy.images import Image, LayerFile, layer_files
from shipworthy.model import Artifact
from shipworthy.records import dataclass
from shipworthy.stages.dev.origins import Origins


@dataclass(frozen=True)
class Laid:
    """The files of an image as artifacts called `NAME: /PATH`, or `NAME: layer N: /PATH` if a later layer overwrites or
    deletes them; `layers` has for each the number of the layer that it is of, from 0; `links` has files by the further
    names that links give them."""

    files: tuple[Artifact, ...]
    layers: tuple[int, ...]
    links: Mapping[str, Artifact]


def lay_out(image: Image, name: str, folder: Path, load: Load) -> Laid:
    """Every file of every layer, in a folder that is made anew."""
    if folder.exists():
        shutil.rmtree(folder)
    found = tuple(layer_files(image, folder))
    files = tuple(identify(file.place, f"{name}: {_layer(file)}/{file.path.lstrip('/')}", load) for file in found)
    links = {f"{name}: /{other.lstrip('/')}": file for file, at in zip(files, found, strict=True) for other in at.also}
    return Laid(files, tuple(file.index for file in found), links)


def _layer(file: LayerFile) -> str:
    return f"layer {file.index + 1}: " if file.hidden else ""


def origins_of(laid: Laid, image: Image, name: str, build: Mapping[str, Any], context: Path) -> Origins:
    """Whose the files are, by what the build stage has told and by the wheels in its context: these are read again, and
    count if they are still what was fetched."""
    places = (context / "wheels" / wheel for wheel in build.get("wheels") or {})
    wheels = of_index([place for place in places if place.is_file()], build.get("wheels-of-index") or ())
    layers = [layer.diff_id for layer in image.layers]
    known = (build.get("base-layers") or {}).values()
    count = max((len(base) for base in known if layers[: len(base)] == list(base)), default=0)
    above = {file.uri for file, layer in zip(laid.files, laid.layers, strict=True) if layer >= count}
    base = frozenset(file.uri for file in laid.files) - above
    return Origins(name, laid.files, wheels, base, certain=count > 0 and not build.get("network"))
