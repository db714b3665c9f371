"""Container images as they lie on disk: OCI image layouts (image-spec 1.1), archives of them and of `docker save`."""

from __future__ import annotations

import hashlib
import io
import platform as machine
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipworthy.errors import UsageError
from shipworthy.images.documents import parse
from shipworthy.images.errors import DEFAULT, DigestError, ImageError, LimitError, Limits
from shipworthy.images.stores import Store, blob_name, open_store
from shipworthy.images.streams import LayerStream, Verified, algorithm_of
from shipworthy.images.tar import Reader

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
_DEPTH = 4
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True)
class Layer:
    """One layer. `digest` and `size` are those of the blob as it is kept, `diff_id` is the digest of the tar archive
    in it; `created_by` is what the history says of it."""

    index: int
    digest: str
    size: int
    media_type: str
    diff_id: str
    created_by: str = ""
    name: str = field(default="", repr=False)


@dataclass(frozen=True)
class Image:
    """One image of one platform. `digest` is that of the manifest (empty for archives of `docker save`, which have
    none), `config_digest` of the configuration, which is `config` as JSON values (image-spec, config.md); `reference`
    is the name that the layout gives it. `notes` tell what is odd without being wrong."""

    digest: str
    config_digest: str
    config: Mapping[str, Any] = field(repr=False)
    layers: tuple[Layer, ...] = field(repr=False)
    reference: str = ""
    media_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    limits: Limits = field(default=DEFAULT, repr=False)
    _store: Store | None = field(default=None, repr=False, compare=False)

    @property
    def platform(self) -> str:
        """Operating system, architecture and variant, as in `linux/arm64/v8`."""
        parts = (str(self.config.get(key, "")) for key in ("os", "architecture", "variant"))
        return "/".join(part for part in parts if part)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the image says about running it: the `config` object of the configuration."""
        return _mapping(self.config.get("config"))

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """What made the layers, oldest first."""
        return tuple(_mapping(item) for item in _listed(self.config.get("history")))

    @property
    def size(self) -> int:
        """Bytes of all layers as they are kept."""
        return sum(layer.size for layer in self.layers)

    @contextmanager
    def open_layer(self, layer: Layer) -> Iterator[LayerStream]:
        """The layer's tar archive, unpacked. What was read counts only when the block ends without an error: then the
        rest is read as well, and all digests are compared. Raises ImageError."""
        if self._store is None:
            raise UsageError("the image's layers are not on this machine")
        with self._store.open(layer.name) as opened:
            if layer.digest and layer.size != opened.size:
                raise DigestError(f"has {opened.size:,} bytes and not {layer.size:,}", where=layer.digest)
            blob = Verified(opened.stream, opened.size, layer.digest)
            try:
                stream = LayerStream(blob, layer.diff_id, self.limits, where=layer.digest or layer.diff_id)
                yield stream
                stream.finish()
            except LimitError:
                raise
            except ImageError:
                blob.finish()  # damage shows in many ways; that the bytes are not the right ones is the reason
                raise

    def verify(self) -> None:
        """Read every layer and compare all digests. Raises DigestError, ImageError."""
        for layer in self.layers:
            with self.open_layer(layer):
                pass


def open_image(path: Path, reference: str = "", *, platform: str = "", limits: Limits = DEFAULT) -> Image:
    """The image in a folder or archive.

    `reference` is the name or manifest digest of one among several; `platform` (`linux/arm64`) chooses in an index,
    by default this machine's. Manifests and configuration are verified here, layers when they are read. Raises
    ImageError, or UsageError when it is not clear which image is meant.
    """
    store = open_store(path, limits)
    if store.has("index.json"):
        return _from_layout(store, reference, platform, limits, path.name)
    if store.has("manifest.json"):
        return _from_docker(store, reference, limits, path.name)
    raise ImageError(
        "this is no container image",
        where=path.name,
        remedy="give a folder in the OCI image layout, or an archive made by `docker save` or `skopeo copy`",
    )


def looks_like_archive(head: bytes) -> bool:
    """Whether the first bytes of a tar archive (a few blocks) are those of an image: by its first file's name."""
    try:
        first = next((entry for entry in Reader(io.BytesIO(head)) if entry.kind != "dir"), None)
    except ImageError:
        return False
    name = first.name.removeprefix("./") if first else ""
    if name in ("oci-layout", "index.json", "manifest.json", "repositories") or name.startswith("blobs/"):
        return True
    folder, _, rest = name.partition("/")
    stem = folder.removesuffix(".json").removesuffix(".tar")
    return len(stem) == 64 and not stem.strip("0123456789abcdef") and rest in ("", "layer.tar", "VERSION", "json")


@dataclass(frozen=True)
class _Candidate:
    descriptor: Mapping[str, Any]
    names: tuple[str, ...]
    platform: str


def _from_layout(store: Store, reference: str, platform: str, limits: Limits, where: str) -> Image:
    if store.has("oci-layout"):
        version = str(_json(store, "oci-layout", "", limits).get("imageLayoutVersion", ""))
        if version.split(".")[0] != "1":
            raise ImageError(f"the layout is of the unknown version {version[:20]!r}", where=where)
    index = _json(store, "index.json", "", limits)
    found = list(_candidates(store, index, (), limits, set()))
    chosen = _choose(found, reference, platform, where)
    descriptor = chosen.descriptor
    digest = str(descriptor.get("digest", ""))
    manifest = _json(store, blob_name(digest), digest, limits, _size(descriptor))
    told = manifest.get("mediaType")
    if told is not None and told != descriptor.get("mediaType"):
        raise ImageError("the manifest says that it is of another type than the index says", where=digest)
    config_is = _mapping(manifest.get("config"))
    if config_is.get("mediaType") not in _CONFIGS:
        raise ImageError("the manifest is not of a container image", where=digest)
    config_digest = str(config_is.get("digest", ""))
    config = _json(store, blob_name(config_digest), config_digest, limits, _size(config_is))
    described = [_mapping(item) for item in _listed(manifest.get("layers"))]
    diff_ids = _diff_ids(config, len(described), limits, where)
    made = _made_by(config, len(described))
    layers = []
    for number, item in enumerate(described):
        layer_digest, media_type = str(item.get("digest", "")), str(item.get("mediaType", ""))
        if not media_type.startswith(_LAYERS):
            raise ImageError(f"a layer is of the unknown type {media_type[:80]!r}", where=digest)
        name = blob_name(layer_digest)
        layers.append(Layer(number, layer_digest, _size(item), media_type, diff_ids[number], made[number], name))
    return Image(
        digest=digest,
        config_digest=config_digest,
        config=config,
        layers=tuple(layers),
        reference=chosen.names[0] if chosen.names else "",
        media_type=str(manifest.get("mediaType") or descriptor.get("mediaType") or ""),
        annotations=_texts(manifest.get("annotations")),
        limits=limits,
        _store=store,
    )


def _candidates(
    store: Store, index: Mapping[str, Any], names: tuple[str, ...], limits: Limits, seen: set[str], depth: int = 0
) -> Iterator[_Candidate]:
    """The manifests of images in an index and in the indexes that it lists; signatures and attestations are none."""
    if depth >= _DEPTH:
        raise ImageError("indexes list each other without end")
    listed = _listed(index.get("manifests"))
    if len(listed) > 1000 or len(seen) > 1000:
        raise ImageError("an index lists more than 1,000 manifests")
    for item in (_mapping(one) for one in listed):
        annotations = _texts(item.get("annotations"))
        own = tuple(annotations[key] for key in _NAMES if annotations.get(key)) or names
        digest = str(item.get("digest", ""))
        if item.get("mediaType") in _INDEXES:
            if f"{digest} {own}" not in seen:  # listed a thousand times, each level would multiply
                seen.add(f"{digest} {own}")
                inner = _json(store, blob_name(digest), digest, limits, _size(item))
                yield from _candidates(store, inner, own, limits, seen, depth + 1)
        elif item.get("mediaType") in _MANIFESTS:
            if "vnd.docker.reference.type" in annotations or _is_artifact(store, item, digest, limits):
                continue
            given = _mapping(item.get("platform"))
            parts = [str(given.get(key, "")) for key in ("os", "architecture", "variant")]
            yield _Candidate(item, own, "/".join(part for part in parts if part))


def _is_artifact(store: Store, item: Mapping[str, Any], digest: str, limits: Limits) -> bool:
    """Whether a manifest is of something else than an image, such as a signature. One that is not there may be one."""
    if item.get("artifactType") and item.get("artifactType") not in _CONFIGS:
        return True
    if item.get("platform") or not store.has(blob_name(digest)):
        return False
    manifest = _json(store, blob_name(digest), digest, limits, _size(item))
    return _mapping(manifest.get("config")).get("mediaType") not in _CONFIGS


def _choose(found: list[_Candidate], reference: str, platform: str, where: str) -> _Candidate:
    if not found:
        raise ImageError("the layout lists no image", where=where)
    if reference:
        wanted = [c for c in found if reference in c.names or reference == c.descriptor.get("digest")]
        if not wanted:  # `name:tag` where the layout has only the tag
            wanted = [c for c in found if reference.rpartition(":")[2] in c.names]
        if not wanted:
            raise UsageError(f"there is no image {reference[:200]!r}", where=where, remedy=_known(found))
        found = wanted
    distinct = {str(c.descriptor.get("digest")): c for c in found}
    if len(distinct) == 1:
        (only,) = distinct.values()
        if platform and only.platform and not _fits(only.platform, platform):
            raise UsageError(f"the image is for {only.platform[:60]} only", where=where)
        return only
    wished = platform or f"linux/{_ARCHITECTURES.get(machine.machine(), machine.machine())}"
    fitting = [c for c in distinct.values() if _fits(c.platform, wished)]
    if len(fitting) != 1:
        raise UsageError(
            f"there are {len(distinct)} images, and it is not clear which is meant", where=where, remedy=_known(found)
        )
    return fitting[0]


def _fits(has: str, wanted: str) -> bool:
    return has == wanted or has.startswith(wanted + "/")


def _known(found: list[_Candidate]) -> str:
    names = sorted({" ".join((*c.names[:1], c.platform, str(c.descriptor.get("digest"))[:19])).strip() for c in found})
    return "name one of: " + "; ".join(names[:10])


def _from_docker(store: Store, reference: str, limits: Limits, where: str) -> Image:
    """`docker save` before version 25, and `podman save`: `manifest.json` names a configuration and layers."""
    listed = [_mapping(item) for item in _listed(_loaded(store, "manifest.json", limits))]
    if reference:
        listed = [i for i in listed if reference in [*_listed(i.get("RepoTags")), str(i.get("Config", ""))]]
    if len(listed) != 1:
        tags = [str(tag) for item in listed for tag in _listed(item.get("RepoTags"))]
        raise UsageError(
            f"there are {len(listed)} images that could be meant", where=where, remedy="name one: " + "; ".join(tags)
        )
    (item,) = listed
    config_name = str(item.get("Config", ""))
    stem = config_name.rpartition("/")[2].removesuffix(".json")
    promised = f"sha256:{stem}" if len(stem) == 64 else ""
    data = _read(store, config_name, promised, limits)
    config = _mapping(parse(data, config_name))
    names = [str(name) for name in _listed(item.get("Layers"))]
    diff_ids = _diff_ids(config, len(names), limits, where)
    made = _made_by(config, len(names))
    layers = []
    for number, name in enumerate(names):
        with store.open(name) as opened:
            size = opened.size
        layers.append(Layer(number, "", size, _DOCKER_LAYER, diff_ids[number], made[number], name))
    tags = [str(tag) for tag in _listed(item.get("RepoTags"))]
    return Image(
        digest="",
        config_digest=promised or "sha256:" + hashlib.sha256(data).hexdigest(),
        config=config,
        layers=tuple(layers),
        reference=tags[0] if tags else "",
        media_type="application/vnd.docker.distribution.manifest.v1+json",
        notes=("the archive is of `docker save` and has no manifest with a digest",),
        limits=limits,
        _store=store,
    )


def _diff_ids(config: Mapping[str, Any], number: int, limits: Limits, where: str) -> list[str]:
    if number > limits.layers:
        raise ImageError(f"the image has more than {limits.layers} layers", where=where)
    diff_ids = [str(item) for item in _listed(_mapping(config.get("rootfs")).get("diff_ids"))]
    if len(diff_ids) != number:
        raise ImageError(
            f"the manifest lists {number} layers, the configuration {len(diff_ids)}: one is of another image",
            where=where,
        )
    for diff_id in diff_ids:
        algorithm_of(diff_id)
    return diff_ids


def _made_by(config: Mapping[str, Any], number: int) -> list[str]:
    """What the history says of each layer; nothing when it does not have as many."""
    history = [_mapping(item) for item in _listed(config.get("history"))]
    made = [str(item.get("created_by", ""))[:2000] for item in history if not item.get("empty_layer")]
    return made if len(made) == number else [""] * number


def _json(store: Store, name: str, digest: str, limits: Limits, size: int | None = None) -> Mapping[str, Any]:
    value = parse(_read(store, name, digest, limits, size), name)
    if not isinstance(value, dict):
        raise ImageError("is no JSON object", where=name)
    return value


def _loaded(store: Store, name: str, limits: Limits) -> Any:
    return parse(_read(store, name, "", limits), name)


def _read(store: Store, name: str, digest: str, limits: Limits, size: int | None = None) -> bytes:
    with store.open(name) as opened:
        if opened.size > limits.json:
            raise ImageError(f"is larger than {limits.json:,} bytes", where=name)
        if size is not None and size != opened.size:
            raise DigestError(f"has {opened.size:,} bytes and not {size:,}", where=name)
        verified = Verified(opened.stream, opened.size, digest)
        data = b"".join(iter(verified.read, b""))
        verified.finish()
    return data


def _size(descriptor: Mapping[str, Any]) -> int:
    size = descriptor.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ImageError("a descriptor gives no size", where=str(descriptor.get("digest", ""))[:80])
    return size


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> dict[str, str]:
    return {k: v for k, v in _mapping(value).items() if isinstance(v, str)}
