"""Whether an image holds the signed model, whole and as it was signed, and no other.

That the signed bytes are somewhere does not do: a copy that nobody loads would hide what is served. So every place in
which a part of the model lies must have nothing else under the model's own names. Model files of packages are told, not
refused, where it is proved that they came with the package (`origins`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shipworthy.evidence.digest import Manifest
from shipworthy.model import Artifact, Finding, Kind
from shipworthy.rules import MODEL_BESIDE, MODEL_MISSING
from shipworthy.stages.dev.foreign import foreign_models
from shipworthy.stages.dev.origins import Origins


def look(
    subject: Artifact,
    model: Path,
    files: Sequence[Artifact],
    links: Mapping[str, Artifact] | None = None,
    origins: Origins | None = None,
) -> Iterator[Finding]:
    """What is wrong with the models of the image `subject`, whose files these are (named `NAME: /PATH`; those that a
    later layer hides `NAME: layer N: /PATH`). `model` is the verified one, a folder or a file; `links` are the files by
    the further names that links give them."""
    signed = {entry.path if model.is_dir() else model.name: entry.digest for entry in Manifest.of(model).files}
    start = f"{subject.uri}: /"
    named = [(file.uri, file) for file in files] + list((links or {}).items())
    there = {uri.removeprefix(start): file for uri, file in named if uri.startswith(start)}
    yield from _changed(subject, signed, there, model.is_dir())
    ours = frozenset(signed.values())
    unsigned = [file for file in files if file.kind is Kind.MODEL and file.digest not in ours]
    yield from foreign_models(subject, unsigned, origins or Origins(subject.uri, files))


def _changed(
    subject: Artifact, signed: Mapping[str, str], there: Mapping[str, Artifact], is_folder: bool
) -> Iterator[Finding]:
    digests = {file.digest for file in there.values()}
    for path, digest in sorted(signed.items()):
        if digest not in digests:
            message = f"`{path}` of the signed model is not in the image, or not as it was signed"
            yield MODEL_MISSING.at(subject, evidence=path, message=message)
    for place in _places(signed, there, is_folder):
        yield from _beside(place, signed, there)


def _places(signed: Mapping[str, str], there: Mapping[str, Artifact], is_folder: bool) -> list[str]:
    """Where a part of the signed folder lies, under its own name."""
    places = {
        name.removesuffix(path)
        for name, file in there.items()
        for path, digest in signed.items()
        if is_folder and file.digest == digest and (name == path or name.endswith(f"/{path}"))
    }
    return sorted(places)


def _beside(place: str, signed: Mapping[str, str], there: Mapping[str, Artifact]) -> Iterator[Finding]:
    """What lies in that place and is not the model: other bytes under the name of a part, and files of other names,
    which a loader may read as its own (a configuration that names code, a vocabulary, an adapter)."""
    changed = [
        path for path, digest in sorted(signed.items()) if (at := there.get(place + path)) and at.digest != digest
    ]
    for path in changed:
        other = there[place + path]
        message = f"`{other.uri}` lies beside the signed model under the name of a part of it, and is not it"
        yield MODEL_MISSING.at(other, evidence=path, message=message)
    if changed or not all(place + path in there for path in signed):
        return  # a file that happens to be alike, or what is told already
    more = sorted(name for name in there if name.startswith(place) and name.removeprefix(place) not in signed)
    if more:
        first = there[more[0]]
        names = ", ".join(name.removeprefix(place) for name in more[:5]) + (" and others" if len(more) > 5 else "")
        message = f"beside the signed model in `/{place}` lie {len(more):,} files that nobody signed: {names}"
        yield MODEL_BESIDE.at(first, evidence=names[:300], key=place, message=message)
