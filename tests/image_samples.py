"""Images as the tests write them: every byte is in the tests' hands, which no builder allows."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def entry(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def folder(name: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.DIRTYPE, **fields)


def link(name: str, to: str, hard: bool = False) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.LNKTYPE if hard else tarfile.SYMTYPE, linkname=to)


def layer(*entries: tuple[tarfile.TarInfo, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format_) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data) if data else None)
    return out.getvalue()


def files(content: Mapping[str, bytes | str]) -> bytes:
    return layer(*(entry(n, d.encode() if isinstance(d, str) else d) for n, d in content.items()))


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """A folder in the OCI image layout."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "blobs" / "sha256").mkdir(parents=True)
        (place / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.manifests: list[dict[str, Any]] = []
        self.index()

    def blob(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        name = digest(data)
        self.path(name).write_bytes(data)
        return {"mediaType": media_type, "digest": name, "size": len(data), **more}

    def path(self, name: str) -> Path:
        return self.place / "blobs" / name.replace(":", "/")

    def index(self) -> None:
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}
        (self.place / "index.json").write_text(json.dumps(content))

    def image(
        self,
        layers: Sequence[bytes] = (),
        *,
        config: Mapping[str, Any] | None = None,
        history: Iterable[Mapping[str, Any]] = (),
        name: str = "",
        pack: bool = True,
        listed: bool = True,
        platform: tuple[str, str] | None = None,
        change: Mapping[str, Any] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        system, architecture = platform or ("linux", "amd64")
        content = {
            "architecture": architecture,
            "os": system,
            "config": dict(config or {}),
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]},
            "history": list(history),
            **(change or {}),
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(content).encode(), CONFIG),
            "layers": [
                self.blob(gzip.compress(data, mtime=0) if pack else data, LAYER + ("+gzip" if pack else ""))
                for data in layers
            ],
            **(more or {}),
        }
        described = self.blob(json.dumps(manifest).encode(), MANIFEST)
        if platform:
            described["platform"] = {"os": system, "architecture": architecture}
        if name:
            described["annotations"] = {"org.opencontainers.image.ref.name": name}
        if listed:
            self.manifests.append(described)
            self.index()
        return described


def image(place: Path, *layers: bytes, **options: Any) -> Path:
    """A layout with one image."""
    Layout(place).image(layers, **options)
    return place
