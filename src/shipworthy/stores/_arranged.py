"""How what was put for a release lies in the registry: one image or model, and what refers to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shipworthy.stores import Ref
from shipworthy.stores import _manifests as forms
from shipworthy.stores._manifests import TITLE, Descriptor, Looks, manifest

_TOGETHER = 4000
"""Files of a folder that one manifest lists: 4 MiB is what every registry takes."""
TREE_MANIFEST = "application/vnd.shipworthy.manifest.v1+json"


@dataclass(frozen=True)
class File:
    """A file that was put. `data` are an image's manifest, and of other files nothing."""

    digest: str
    size: int
    name: str
    looks: Looks
    data: bytes = b""

    @classmethod
    def of(cls, digest: str, size: int, name: str, data: bytes) -> File:
        """`data` are all of its bytes, or none of them."""
        seen = forms.looks(name, data)
        return cls(digest, size, name, seen, data if seen.image else b"")

    def artifact(self, subject: Descriptor, artifact_type: str = "", name: str = "") -> bytes:
        """The manifest of an artifact with this file that refers to `subject`."""
        kind, title = artifact_type or self.looks.media_type, name or self.name
        layer = Descriptor(kind, self.digest, self.size, annotations={TITLE: title} if title else {})
        return manifest(kind, [layer], subject=subject, annotations=self.looks.annotations)


@dataclass(frozen=True)
class Folder:
    """A folder that was put: the digest and size of its manifest, and its files as layers of a model."""

    digest: str
    size: int
    files: tuple[Descriptor, ...]

    def artifacts(self, subject: Descriptor) -> Iterator[bytes]:
        """The manifests of artifacts with these files that refer to `subject`."""
        config = Descriptor(TREE_MANIFEST, self.digest, self.size)
        layers = [
            Descriptor(forms.FILE, one.digest, one.size, annotations={TITLE: one.annotations[TITLE]})
            for one in self.files
        ]
        for start in range(0, max(1, len(layers)), _TOGETHER):
            yield manifest(forms.FOLDER, layers[start : start + _TOGETHER], config=config, subject=subject)


@dataclass(frozen=True)
class Arranged:
    """What the release is of: the bytes of its manifest (none when that is in the registry already, or nowhere, by the
    digest `subject`), and of the configuration that goes with it; `rest` refers to it.
    """

    subject: str
    main: bytes
    config: bytes
    rest: tuple[File | Folder, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def evidence(self, subject: Descriptor) -> list[bytes]:
        """The manifests of everything that refers to the image or model, which `subject` describes now."""
        found: list[bytes] = []
        for one in self.rest:
            if isinstance(one, Folder):
                found += one.artifacts(subject)
            else:
                found.append(one.artifact(subject, name=self.names.get(one.digest, "")))
        return found


def arrange(ref: Ref, put: Iterable[File | Folder]) -> Arranged:
    """By what the release says that it is of; what it says decides on no more than this."""
    subject, names = forms.subject_and_names(ref.raw)
    things = {(one.digest, isinstance(one, Folder)): one for one in put}
    folder, file = things.get((subject, True)), things.get((subject, False))
    taken, main, config = {subject}, b"", b""
    if isinstance(folder, Folder):
        config, main = _model(ref, folder.files)
        taken = set()  # the folder's manifest is evidence
    elif isinstance(file, File) and file.looks.image:
        main = file.data
        taken |= {one.digest for one in forms.image_blobs(main, ref.name)}
    elif isinstance(file, File):
        config, main = _model(ref, (forms.model_layer(file.name or ref.name, file.digest, file.size),))
    rest = [one for one in things.values() if one is not folder and not (isinstance(one, File) and one.digest in taken)]
    if isinstance(folder, Folder) and file is None:
        rest.append(File(folder.digest, folder.size, "", Looks("application/json")))
    return Arranged(subject, main, config, tuple(rest), names)


def _model(ref: Ref, layers: tuple[Descriptor, ...]) -> tuple[bytes, bytes]:
    config = forms.model_config(ref.name, ref.version, layers)
    described = Descriptor(forms.MODEL_CONFIG, forms.sha256(config), len(config))
    return config, manifest(forms.MODEL, layers, config=described, annotations=_titles(ref))


def bare(ref: Ref) -> bytes:
    """The manifest that stands for a release of which nothing says what it is of."""
    return manifest(forms.RELEASE, (), annotations=_titles(ref))


def release(ref: Ref, subject: Descriptor) -> bytes:
    """The manifest of the artifact whose layer is the release's reference."""
    seen = forms.looks("", ref.raw)
    kind = seen.media_type if seen.media_type == forms.BUNDLE else forms.RELEASE
    layer = Descriptor(kind, ref.digest, len(ref.raw), annotations={TITLE: "release.sigstore.json"})
    return manifest(kind, [layer], subject=subject, annotations={**seen.annotations, **_titles(ref)})


def _titles(ref: Ref) -> dict[str, str]:
    return {forms.NAME: ref.name, forms.VERSION: ref.version}
