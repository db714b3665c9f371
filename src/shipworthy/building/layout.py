"""Write an OCI image layout, and read one as a base. Source: OCI image specification 1.1, image-layout, manifest,
config and layer."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from shipworthy.errors import EvidenceError, UsageError
from shipworthy.images.documents import parse

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_JSON_BYTES = 8 << 20
_DEPTH = 4


@dataclass(frozen=True)
class Layer:
    """A layer: its descriptor, and the digest of the tar that is compressed in it."""

    descriptor: Mapping[str, Any]
    diff_id: str


@dataclass(frozen=True)
class Base:
    """An image that others are built on. `config` is its whole configuration."""

    folder: Path
    digest: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...] = ()

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of what is in its layers."""
        return tuple(layer.diff_id for layer in self.layers)


@dataclass(frozen=True)
class Entry:
    """What one name in a layer is: `source` a file on disk, or `data`, for a plain file."""

    name: str
    kind: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    source: Path | None = None
    data: bytes = b""
    target: str = field(default="")


def blob(folder: Path, digest: str) -> Path:
    """Where a layout keeps what has this digest. Raises UsageError for what is no SHA-256 digest."""
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or any(one not in "0123456789abcdef" for one in value):
        raise UsageError(f'"{digest[:80]}" is no sha256 digest', where=str(folder))
    return folder / "blobs" / "sha256" / value


def write_blob(folder: Path, data: bytes) -> tuple[str, int]:
    """Keep bytes; returns digest and size."""
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    target = blob(folder, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return digest, len(data)


def canonical(value: object) -> bytes:
    """JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class _Counted:
    """Hands on what is written, and digests it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.digest, self.size = inner, hashlib.sha256(), 0

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self.inner.flush()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        self.inner.write(data)
        return len(data)


def write_layer(folder: Path, entries: Iterable[Entry], epoch: int) -> Layer:
    """A layer of these entries, in order of their names: the same entries give the same bytes."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    temporary = blobs / ".layer"
    with open(temporary, "wb") as raw:
        outer = _Counted(raw)
        with gzip.GzipFile("", "wb", 6, cast(Any, outer), mtime=0) as packed:
            inner = _Counted(packed)
            with tarfile.open(
                fileobj=cast(Any, inner), mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8"
            ) as archive:
                for entry in sorted(entries, key=lambda one: (one.kind == tarfile.LNKTYPE, one.name)):
                    _add(archive, entry, epoch)
    digest = outer.digest.hexdigest()
    os.replace(temporary, blobs / digest)
    descriptor = {"mediaType": LAYER, "digest": f"sha256:{digest}", "size": outer.size}
    return Layer(descriptor, f"sha256:{inner.digest.hexdigest()}")


def _add(archive: tarfile.TarFile, entry: Entry, epoch: int) -> None:
    info = tarfile.TarInfo(entry.name)
    info.type, info.mode, info.uid, info.gid, info.mtime = entry.kind, entry.mode, entry.uid, entry.gid, epoch
    info.linkname = entry.target
    if entry.kind != tarfile.REGTYPE:
        archive.addfile(info)
    elif entry.source is None:
        info.size = len(entry.data)
        archive.addfile(info, io.BytesIO(entry.data))
    else:
        with open(os.open(entry.source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UsageError("is no plain file any more", where=str(entry.source))
            info.size = status.st_size
            archive.addfile(info, stream)


def bring(source: Path, target: Path, layer: Layer) -> None:
    """Copy a layer that was verified from one layout to another."""
    digest = str(layer.descriptor["digest"])
    place = blob(target, digest)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(blob(source, digest), place)


def write_image(folder: Path, config: Mapping[str, Any], layers: Iterable[Layer], reference: str) -> str:
    """Complete a layout whose layers are there already; returns the manifest's digest."""
    config_digest, config_size = write_blob(folder, canonical(config))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config_digest, "size": config_size},
        "layers": [dict(layer.descriptor) for layer in layers],
    }
    digest, size = write_blob(folder, canonical(manifest))
    _write_index(folder, {"mediaType": MANIFEST, "digest": digest, "size": size}, reference)
    return digest


def add_to_config(folder: Path, name: str, value: object, reference: str) -> str:
    """Write one more entry into the `config` part of the one image of a layout; returns its new digest."""
    digest = manifest_digest(folder)
    manifest = _verified(folder, digest)
    before = str(manifest["config"]["digest"])
    config = _verified(folder, before)
    config["config"] = {**(config.get("config") or {}), name: value}
    for old in (digest, before):
        blob(folder, old).unlink()
    changed, size = write_blob(folder, canonical(config))
    manifest["config"] = {**manifest["config"], "digest": changed, "size": size}
    digest, size = write_blob(folder, canonical(manifest))
    _write_index(folder, {"mediaType": MANIFEST, "digest": digest, "size": size}, reference)
    return digest


def name_image(base: Base, folder: Path, reference: str) -> None:
    """A layout in `folder`, new, with the image of another one under a name; the bytes stay where they are."""
    folder.mkdir()
    (folder / "blobs").symlink_to((base.folder / "blobs").resolve())
    size = blob(base.folder, base.digest).stat().st_size
    _write_index(folder, {"mediaType": MANIFEST, "digest": base.digest, "size": size}, reference)


def _write_index(folder: Path, descriptor: dict[str, Any], reference: str) -> None:
    if reference:
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": reference}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]}
    (folder / "index.json").write_bytes(canonical(index))
    (folder / "oci-layout").write_bytes(canonical({"imageLayoutVersion": "1.0.0"}))


def manifest_digest(folder: Path, architecture: str = "") -> str:
    """The digest of the one manifest of a layout. Raises UsageError when there is none, or a choice."""
    value = _json(folder / "index.json")
    for _ in range(_DEPTH):
        found = [one for one in value.get("manifests", ()) if isinstance(one, dict)]
        if len(found) > 1 and architecture:
            found = [one for one in found if (one.get("platform") or {}).get("architecture") == architecture]
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} images to choose from", where=str(folder), remedy="use a layout that holds one image"
            )
        if found[0].get("mediaType") != INDEX:
            return str(found[0].get("digest"))
        value = _verified(folder, str(found[0].get("digest")))
    raise UsageError("indexes within indexes", where=str(folder))


def read_base(folder: Path, architecture: str) -> Base:
    """The image in a layout; the digests of manifest and configuration are verified here, those of layers when they
    are unpacked. Raises UsageError, EvidenceError."""
    digest = manifest_digest(folder, architecture)
    manifest = _verified(folder, digest)
    try:
        config = _verified(folder, str(manifest["config"]["digest"]))
        diff_ids = config["rootfs"]["diff_ids"]
        layers = [Layer(one, str(diff)) for one, diff in zip(manifest["layers"], diff_ids, strict=True)]
    except (KeyError, TypeError, ValueError):
        raise UsageError("is no complete image", where=str(folder), remedy="copy it again") from None
    if not isinstance(config.get("config", {}), dict | None):
        raise UsageError("the image's configuration is unreadable", where=str(folder))
    return Base(folder, digest, config, tuple(layers))


def _json(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            value = parse(stream.read(_JSON_BYTES), path.name)
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="name a folder with an OCI image layout"
        ) from None
    if not isinstance(value, dict):
        raise UsageError("is no JSON object", where=str(path))
    return value


def _verified(folder: Path, digest: str) -> dict[str, Any]:
    path = blob(folder, digest)
    value = _json(path)
    if path.stat().st_size > _JSON_BYTES or f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" != digest:
        raise EvidenceError("the bytes are not those of the digest", where=str(path), remedy="copy the image again")
    return value


def open_layer(folder: Path, layer: Layer) -> IO[bytes]:
    """The tar of a layer, verified as far as its compressed bytes go. Raises EvidenceError, UsageError."""
    path = blob(folder, str(layer.descriptor.get("digest")))
    try:
        stream = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    digest = hashlib.sha256()
    while data := stream.read(1 << 20):
        digest.update(data)
    stream.seek(0)
    if f"sha256:{digest.hexdigest()}" != layer.descriptor["digest"]:
        stream.close()
        raise EvidenceError("the bytes are not those of the digest", where=str(path), remedy="copy the image again")
    kind = str(layer.descriptor.get("mediaType"))
    if kind.endswith("gzip"):
        packed = gzip.GzipFile(fileobj=stream)
        packed.myfileobj = stream  # type: ignore[assignment]  # so that it is closed too
        return cast("IO[bytes]", packed)
    if kind.endswith(".tar"):
        return stream
    stream.close()
    raise UsageError(f"the layer's format is not supported here: {kind[:80]}", where=str(folder), remedy="use buildah")


__all__ = [
    "Base",
    "Entry",
    "Layer",
    "blob",
    "bring",
    "manifest_digest",
    "open_layer",
    "read_base",
    "write_image",
    "write_layer",
]
