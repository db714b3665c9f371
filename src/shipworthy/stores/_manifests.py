"""Manifests: what a release looks like in a registry (OCI image specification 1.1, ModelPack model specification 1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from shipworthy.errors import EvidenceError
from shipworthy.patterns import regex

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPTED = f"{MANIFEST}, {INDEX}, {DOCKER_MANIFEST}, application/vnd.docker.distribution.manifest.list.v2+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
CYCLONEDX = "application/vnd.cyclonedx+json"
SPDX = "application/spdx+json"
SARIF = "application/sarif+json"
FOLDER = "application/vnd.shipworthy.folder.v1+json"
FILE = "application/vnd.shipworthy.file.v1"
RELEASE = "application/vnd.shipworthy.release.v1+json"
MODEL = "application/vnd.cncf.model.manifest.v1+json"
MODEL_CONFIG = "application/vnd.cncf.model.config.v1+json"
_MODEL_LAYER = "application/vnd.cncf.model.{}.v1.raw"
EMPTY = "application/vnd.oci.empty.v1+json"
EMPTY_BYTES = b"{}"
TITLE = "org.opencontainers.image.title"
NAME = "dev.shipworthy.name"
VERSION = "dev.shipworthy.version"

MANIFEST_LIMIT = 4 * 1024 * 1024
READ_LIMIT = 16 * 1024 * 1024
"""Bytes of a file that is looked into for what it is; larger ones are kept unseen."""
_SEPARATOR_LIMIT = 500_000
_LONGEST = 1024  # characters of an annotation that is taken from a file
_DIGEST = regex(r"sha256:[0-9a-f]{64}")
_DOC = (".md", ".rst", ".txt")
_DOC_NAMES = frozenset({"license", "licence", "notice", "readme", "license.txt", "readme.txt", "notice.txt"})
_CODE = (".py", ".ipynb", ".sh", ".jinja", ".js")
_CONFIG = (".json", ".yaml", ".yml", ".toml", ".ini", ".txt", ".model", ".vocab", ".merges")


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says of a thing: type, digest and size in bytes."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        value: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        return value


@dataclass(frozen=True)
class Looks:
    """What a file is, by its name and its text: for those who search in the registry, nothing is decided by it."""

    media_type: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    image: bool = False


def sha256(data: bytes) -> str:
    """The digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical(value: Any) -> bytes:
    """The one way we write JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def strict(raw: bytes, where: str) -> dict[str, Any]:
    """A JSON object from a registry. Raises EvidenceError for what two readers could see differently, or for what is
    made to exhaust one.
    """
    problem = ""
    if sum(raw.count(mark) for mark in (b",", b":", b"[", b"{")) > _SEPARATOR_LIMIT:
        problem = "has too many values"
    else:
        try:
            value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
            if isinstance(value, dict):
                return value
            problem = "is no object"
        except (ValueError, RecursionError):
            problem = "is not sound JSON"
    raise EvidenceError(f"what the registry sent {problem}", where=where)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not a JSON number")


def descriptor(value: Any, where: str) -> Descriptor:
    """Read a descriptor. Raises EvidenceError."""
    if isinstance(value, dict):
        kind, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
        notes, artifact = value.get("annotations") or {}, value.get("artifactType") or ""
        sound = is_digest(digest) and isinstance(artifact, str) and is_texts(notes)
        if sound and isinstance(kind, str) and isinstance(size, int) and 0 <= size < 2**63:
            return Descriptor(kind, str(digest), int(size), artifact, notes)
    raise EvidenceError("the registry's manifest lists something without type, digest and size", where=where)


def described(raw: bytes, where: str) -> Descriptor:
    """What a list says of a manifest: its type, what it is an artifact of, and its annotations."""
    value = strict(raw, where)
    kind, notes, config = value.get("artifactType"), value.get("annotations") or {}, value.get("config")
    kind = kind or _text(config, "mediaType")
    if not isinstance(kind, str) or not is_texts(notes):
        raise EvidenceError("the registry's manifest is not sound", where=where)
    return Descriptor(media_type(raw, where), sha256(raw), len(raw), kind, notes)


def media_type(raw: bytes, where: str = "the registry") -> str:
    """What a manifest says that it is; an OCI image manifest when it does not (image specification, `mediaType`)."""
    return _text(strict(raw, where), "mediaType") or MANIFEST


def image_blobs(raw: bytes, where: str) -> tuple[Descriptor, ...]:
    """The configuration and the layers of an image's manifest. Raises EvidenceError."""
    value = strict(raw, where)
    listed = value.get("layers")
    if not isinstance(listed, list):
        raise EvidenceError("this is no manifest of one image", where=where)
    return tuple(descriptor(one, where) for one in (value.get("config"), *listed))


def only_layer(raw: bytes, where: str) -> Descriptor:
    """The only layer of an artifact. Raises EvidenceError."""
    blobs = image_blobs(raw, where)
    if len(blobs) != 2:
        raise EvidenceError("the release's artifact does not have one layer", where=where)
    return blobs[1]


def subject(raw: bytes, where: str) -> Descriptor:
    """What an artifact refers to. Raises EvidenceError."""
    return descriptor(strict(raw, where).get("subject"), where)


def is_digest(value: Any) -> bool:
    """Whether it is a SHA-256 digest."""
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))


def is_texts(value: Any) -> bool:
    """Whether it maps texts to texts."""
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def manifest(
    artifact_type: str,
    layers: Iterable[Descriptor],
    *,
    config: Descriptor | None = None,
    subject: Descriptor | None = None,
    annotations: Mapping[str, str] | None = None,
) -> bytes:
    """An artifact's manifest: the same bytes for the same arguments. Without `config` and layers, the empty blob stands
    in their place (image specification, guidelines for artifact usage).
    """
    empty = Descriptor(EMPTY, sha256(EMPTY_BYTES), len(EMPTY_BYTES))
    value: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": (config or empty).as_dict(),
        "layers": [layer.as_dict() for layer in layers] or [empty.as_dict()],
    }
    if subject:
        value["subject"] = Descriptor(subject.media_type, subject.digest, subject.size).as_dict()
    if annotations:
        value["annotations"] = dict(annotations)
    return canonical(value)


def model_layer(path: str, digest: str, size: int, executable: bool = False) -> Descriptor:
    """A file of a model as ModelPack has it: as it is, so that the layer's digest is the file's."""
    name, lower = path.rpartition("/")[2], path.rpartition("/")[2].lower()
    if lower in _DOC_NAMES or lower.endswith(".md"):
        kind = "doc"
    elif lower.endswith(_CODE):
        kind = "code"
    elif lower.endswith(_CONFIG):
        kind = "weight.config"
    else:
        kind = "weight"
    notes = {"org.cncf.model.filepath": path, TITLE: path}
    if executable:
        about = {"name": name, "mode": 0o755, "uid": 0, "gid": 0, "size": size, "typeflag": 48}
        notes["org.cncf.model.file.metadata+json"] = canonical({**about, "mtime": "1970-01-01T00:00:00Z"}).decode()
    return Descriptor(_MODEL_LAYER.format(kind), digest, size, annotations=notes)


def model_config(name: str, version: str, layers: Iterable[Descriptor]) -> bytes:
    """ModelPack's configuration: only what is known; no times, so that the same model has the same digest."""
    return canonical(
        {
            "descriptor": {"name": name, "version": version},
            "config": {},
            "modelfs": {"type": "layers", "diffIds": [layer.digest for layer in layers]},
        }
    )


def looks(name: str, data: bytes) -> Looks:
    """What a file is. Only the start of large ones is given, which say nothing then."""
    if data.lstrip()[:1] != b"{" or len(data) > READ_LIMIT:
        return Looks(FILE)
    try:
        value = strict(data, name)
    except EvidenceError:
        return Looks(FILE)
    kind = _text(value, "mediaType")
    if kind == BUNDLE:
        notes = {"dev.sigstore.bundle.content": "dsse-envelope" if "dsseEnvelope" in value else "message-signature"}
        if 0 < len(predicate := _text(statement(value), "predicateType")) < _LONGEST:
            notes["dev.sigstore.bundle.predicateType"] = predicate
        return Looks(BUNDLE, notes)
    if value.get("bomFormat") == "CycloneDX":
        return Looks(CYCLONEDX)
    if "spdxVersion" in value:
        return Looks(SPDX)
    if "runs" in value and "sarif" in str(value.get("$schema", "")).lower():
        return Looks(SARIF)
    described = value.get("schemaVersion") == 2 and kind in {"", MANIFEST, DOCKER_MANIFEST}
    image = described and isinstance(value.get("layers"), list) and isinstance(value.get("config"), dict)
    image = image and len(data) <= MANIFEST_LIMIT
    return Looks(kind or MANIFEST if image else "application/json", image=image)


def statement(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The unverified statement in a Sigstore bundle; an empty one when there is none that can be read."""
    envelope = bundle.get("dsseEnvelope")
    payload = _text(envelope, "payload")
    try:
        return strict(base64.b64decode(payload, validate=True), "a statement")
    except (EvidenceError, binascii.Error, ValueError):
        return {}


def subject_and_names(raw: bytes) -> tuple[str, dict[str, str]]:
    """What an unverified release says that it is of, and the names of its evidence by digest: how things are arranged
    in the registry rests on it, and nothing else. Empty when it says nothing that can be read.
    """
    try:
        said = statement(strict(raw, "the release"))
    except EvidenceError:
        return "", {}
    subjects, predicate = said.get("subject"), said.get("predicate")
    first = subjects[0] if isinstance(subjects, list) and len(subjects) == 1 else None
    listed = predicate.get("evidence") if isinstance(predicate, dict) else None
    names = {_sha256(item): _text(item, "name") for item in listed} if isinstance(listed, list) else {}
    return _sha256(first), {digest: name for digest, name in names.items() if digest and 0 < len(name) < _LONGEST}


def _sha256(item: Any) -> str:
    digest = f"sha256:{_text(item.get('digest'), 'sha256')}" if isinstance(item, dict) else ""
    return digest if is_digest(digest) else ""


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) and len(found) <= READ_LIMIT else ""
