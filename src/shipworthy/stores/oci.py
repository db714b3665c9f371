"""A store in an OCI registry: versions are tags, and evidence refers to what it is about.

In `oci://HOST[:PORT]/REPOSITORY`, a release has the tags

- VERSION, in a repository that is called as the release is, or else NAME-VERSION: the image itself, or the model as a
  ModelPack artifact (a layer for each file, as it is);
- `_release-NAME_.VERSION`: an artifact with the signed release as its only layer, whose subject is the above; put last,
  so that a release is either whole or not known;

and `_latest-NAME` is the `_release-` of the version that was put last. Every file of evidence is an artifact of its own
whose subject is the image or model, so that other clients find it (referrers API, or its fallback tag). Our own reader
needs none of these lists: the release names every file by digest, and by digest it is fetched into the user's cache.

What is put belongs to the release that `put_ref` makes known next.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.patterns import regex
from shipworthy.stores import Ref, RegistryOptions, TreeManifest
from shipworthy.stores import _manifests as forms
from shipworthy.stores._arranged import File, Folder, arrange, bare, release
from shipworthy.stores._http import BLOCK, split_url
from shipworthy.stores._manifests import Descriptor, sha256
from shipworthy.stores._referrers import attached, refer
from shipworthy.stores._registry import Registry
from shipworthy.stores._shared import REF_LIMIT, VERSION, check_digest, check_name, open_regular, reading
from shipworthy.stores._tags import latest_tag, name_of, plain_tag, release_tag, version_of
from shipworthy.stores._uploads import Source
from shipworthy.stores.local import LocalStore

LARGEST = 1024**4
"""Bytes of one blob: more is not fetched."""
_RESERVE = 256 * BLOCK
_URI = regex(r"oci://([^/?#]{1,300})/([^?#]{1,255})")
_REPOSITORY = regex(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


def open_oci(uri: str, options: RegistryOptions | None = None, cache: Path | None = None) -> OciStore:
    """The store that `oci://HOST[:PORT]/REPOSITORY` names; `cache` is where fetched bytes are kept, by default in the
    user's cache folder. Asks nothing. Raises UsageError.
    """
    match = _URI.fullmatch(uri)
    if not match or not _REPOSITORY.fullmatch(match[2]) or "@" in match[1]:
        raise UsageError(
            "this names no repository of a registry",
            where="the store",
            remedy="oci://HOST[:PORT]/REPOSITORY, in lower case, for example oci://registry.example.org/team/spam; "
            "credentials have a setting of their own",
        )
    options = options or RegistryOptions()
    host = _HUB.get(match[1].lower(), match[1])
    try:
        origin, _ = split_url(f"https://{host}/")
        if origin.loopback or options.plain_http:
            origin, _ = split_url(f"http://{host}/")
    except ValueError:
        raise UsageError("this is no host", where=f"oci://{match[1][:80]}") from None
    registry = Registry(origin, match[2], options)
    if cache is None:  # what is in it came from this repository, so that what another one has is not taken for stored
        from shipworthy.user_folders import cache_folder

        cache = cache_folder() / "oci" / sha256(str(registry).encode()).removeprefix("sha256:")[:32]
    return OciStore(registry, LocalStore(cache))


class OciStore:
    """A store in one repository of a registry. See `Store` for what its methods do. Not for several threads."""

    def __init__(self, registry: Registry, cache: LocalStore) -> None:
        self.registry, self.cache = registry, cache
        self._put: list[File | Folder] = []

    def __str__(self) -> str:
        return str(self.registry)

    # ------------------------------------------------------------- what is put

    def put_file(self, path: Path, expected: str = "") -> str:
        """Send a file, unless it is there. A link is not followed."""
        with open_regular(path) as stream:
            kept = self._send(stream, path, expected)
        self._put.append(kept)
        return kept.digest

    def put_bytes(self, data: bytes, expected: str = "") -> str:
        """Send bytes, unless they are there."""
        kept = self._send_bytes(data, expected)
        self._put.append(kept)
        return kept.digest

    def put_tree(self, root: Path, manifest: TreeManifest) -> str:
        """Send a folder's files, each of which must still have the digest that the manifest gives, then the manifest.
        One whose root is a file is that file.
        """
        single, files = root.is_file(), []
        for entry in manifest.entries:
            if not entry.path.endswith("/"):
                path = root if single else root / entry.path
                with open_regular(path) as stream:
                    kept = self._send(stream, path, entry.digest, look=False)
                files.append(forms.model_layer(entry.path, kept.digest, kept.size, entry.executable))
        kept = self._send_bytes(manifest.to_bytes())
        self._put.append(Folder(kept.digest, kept.size, tuple(files)))
        return kept.digest

    def put_image(self, layout: Path, digest: str, tag: str = "") -> Descriptor:
        """Push the image `digest` of an OCI layout as it is: configuration, layers, manifest; under a tag if one is
        given, which must not mean something else already.
        """
        place = layout / "blobs" / "sha256"
        if not forms.is_digest(digest):
            raise UsageError("this is no digest (sha256: and 64 hex digits)", where=digest[:80])
        with open_regular(place / digest.removeprefix("sha256:")) as stream, reading(place):
            raw = stream.read(forms.MANIFEST_LIMIT + 1)
        if sha256(raw) != digest or not forms.looks("", raw).image:
            raise EvidenceError(f"{digest} is no manifest of one image", where=str(layout))
        for blob in forms.image_blobs(raw, str(layout)):
            path = place / blob.digest.removeprefix("sha256:")
            with open_regular(path) as stream:
                self._send(stream, path, blob.digest, look=False)
        if tag:
            return self._put_tagged(tag, raw, "the image's tag")
        self.registry.put_manifest(digest, raw, forms.media_type(raw))
        return self._described(digest)

    def attach(self, subject: str, files: Sequence[Path], artifact_type: str = "") -> tuple[Descriptor, ...]:
        """Send files and let each refer to the image or artifact with the digest `subject`, which is there already. The
        type is what each file is (bundle, bill of materials, ...) unless it is given.
        """
        about = self._described(subject)
        kept = []
        for path in files:
            with open_regular(path) as stream:
                kept.append(self._send(stream, path, ""))
        self._send_bytes(forms.EMPTY_BYTES)
        return refer(self.registry, about, [file.artifact(about, artifact_type) for file in kept])

    def attached(self, subject: str, artifact_type: str = "") -> tuple[Descriptor, ...]:
        """What refers to the image or artifact with the digest `subject`, as the registry says; unverified."""
        return attached(self.registry, subject, artifact_type)

    def check_writable(self) -> None:
        """Begin an upload and call it off."""
        self.registry.ping()
        self.registry.check_writable()

    def put_ref(self, name: str, version: str, raw: bytes) -> Ref:
        """Put the image or model under its tag, let its evidence refer to it, then make the release known."""
        check_name(name, version)
        tag = release_tag(name, version)
        ref = Ref(name, version, raw, sha256(raw))
        known = self.registry.manifest(tag)
        if known is not None:
            if self._released(known, tag, name, version)[0].digest != ref.digest:
                raise UsageError(
                    f"{name} {version} is stored already, with other contents",
                    where=str(self),
                    remedy="a released version never changes: choose a new version",
                )
        else:
            known = self._put_release(ref, tag)
        self.registry.put_manifest(latest_tag(name), known)
        self._put.clear()
        return ref

    # ------------------------------------------------------------ what is read

    def get(self, digest: str) -> Path:
        """The checked path of a copy in the cache."""
        with self.open(digest):
            found = self.cache.locate(digest)
        if found is None:
            raise EnvironmentFailure(f"{digest} was removed from the cache", where=str(self), remedy="try again")
        return found

    def open(self, digest: str) -> BinaryIO:
        """The checked bytes of a copy in the cache, which is fetched anew when it was damaged."""
        path = self.locate(digest)
        if path is None:
            raise UsageError(f"the store does not have {digest}", where=str(self))
        try:
            return self.cache.open(digest)
        except EvidenceError:
            path.unlink(missing_ok=True)
            self._fetch(digest)
            return self.cache.open(digest)

    def read(self, digest: str, limit: int) -> bytes:
        """The checked bytes, at most `limit`."""
        if self.cache.locate(digest) is None and not self._fetch(digest, limit):
            raise UsageError(f"the store does not have {digest}", where=str(self))
        with self.open(digest) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise EvidenceError(f"{digest} is larger than {limit} bytes", where=str(self))
        return data

    def get_tree(self, manifest: TreeManifest, destination: Path) -> None:
        """Fetch a folder's files into the cache, then write the folder from there."""
        for digest in {entry.digest for entry in manifest.entries if not entry.path.endswith("/")}:
            self.open(digest).close()
        self.cache.get_tree(manifest, destination)

    def locate(self, digest: str) -> Path | None:
        """Where a copy lies in the cache, which is made when there is none; None when the registry has nothing. Raises
        EvidenceError when the registry sends other bytes, EnvironmentFailure when it cannot be asked.
        """
        found = self.cache.locate(digest)
        if found is None and self._fetch(digest):
            found = self.cache.locate(digest)
        return found

    def get_ref(self, name: str, version: str = "latest") -> Ref:
        """The release's bytes; its image or model must still be what its tag leads to."""
        check_name(name, "0" if version == "latest" else version)
        pointed = b""
        if version == "latest":
            pointed, version = self._latest(name)
        tag = release_tag(name, version)
        known = self.registry.manifest(tag)
        if known is None:
            if pointed:
                raise EvidenceError(
                    f"the release {version} is gone, and it is the latest of {name}",
                    where=str(self),
                    remedy="push it again from a copy of the store, or from the run's evidence",
                )
            names = ", ".join(self.versions(name)[-10:])
            raise UsageError(
                f"the store does not have {name} {version}",
                where=str(self),
                remedy=f"known versions: {names}" if names else "no version of this name was stored here",
            )
        if pointed and pointed != known:
            raise EvidenceError(
                f"the tag {latest_tag(name)} leads to another release {version} than {tag} does", where=str(self)
            )
        layer, subject = self._released(known, tag, name, version)
        self._tag_holds(name, version, subject)
        return Ref(name, version, self.read(layer.digest, REF_LIMIT), layer.digest)

    def names(self) -> tuple[str, ...]:
        """The names that have a latest release."""
        return tuple(sorted({name for tag in self.registry.tags() if (name := name_of(tag))}))

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of the name; none when it is not known."""
        check_name(name)
        return tuple(sorted(version for tag in self.registry.tags() if (version := version_of(tag, name))))

    def reference(self, name: str, version: str) -> str:
        """What other clients pull: `HOST[:PORT]/REPOSITORY:TAG`."""
        check_name(name, version)
        asker = self.registry.ask
        return f"{asker.origin}/{asker.repository}:{plain_tag(asker.repository, name, version)}"

    # --------------------------------------------------------------- in detail

    def _send(self, stream: BinaryIO, path: Path, expected: str, look: bool = True) -> File:
        hasher, size, start = hashlib.sha256(), 0, b""
        with reading(path):
            while block := stream.read(BLOCK):
                start = start or block[:1]
                hasher.update(block)
                size += len(block)
        digest = f"sha256:{hasher.hexdigest()}"
        check_digest(digest, expected, str(path))
        descriptor = stream.fileno()

        def blocks(at: int) -> Iterator[bytes]:
            with reading(path):
                while block := os.pread(descriptor, BLOCK, at):
                    yield block
                    at += len(block)

        self.registry.put_blob(digest, Source(size, blocks))
        data = b"".join(blocks(0)) if look and start == b"{" and size <= forms.READ_LIMIT else b""
        return File.of(digest, size, path.name, data if sha256(data) == digest else b"")

    def _send_bytes(self, data: bytes, expected: str = "") -> File:
        digest = sha256(data)
        check_digest(digest, expected, "the bytes")
        self.registry.put_blob(digest, Source(len(data), lambda at: iter((data[at:],))))
        return File.of(digest, len(data), "", data)

    def _put_release(self, ref: Ref, tag: str) -> bytes:
        self._send_bytes(ref.raw)
        self._send_bytes(forms.EMPTY_BYTES)
        arranged = arrange(ref, self._put)
        raw = arranged.main or (self.registry.manifest(arranged.subject) if arranged.subject else None) or bare(ref)
        if arranged.config:
            self._send_bytes(arranged.config)
        main = self._put_tagged(
            plain_tag(self.registry.ask.repository, ref.name, ref.version), raw, f"{ref.name} {ref.version}"
        )
        refer(self.registry, main, arranged.evidence(main))
        made = release(ref, main)
        refer(self.registry, main, [made], tag=tag)
        if self.registry.manifest(tag) != made:
            raise EvidenceError(
                f"another release {ref.version} was stored at the same moment",
                where=str(self),
                remedy="find out who stored it, and choose a new version",
            )
        return made

    def _put_tagged(self, tag: str, raw: bytes, what: str) -> Descriptor:
        there = self.registry.manifest(tag)
        if there is not None and there != raw:
            raise UsageError(
                f"{what} is taken: the tag {tag} leads to other contents",
                where=str(self),
                remedy="a released version never changes: choose a new version, or another repository",
            )
        if there is None:
            self.registry.put_manifest(tag, raw, forms.media_type(raw))
            if self.registry.manifest(tag) != raw:
                raise EvidenceError(f"the tag {tag} does not lead to what was put under it", where=str(self))
        return forms.described(raw, str(self))

    def _described(self, digest: str) -> Descriptor:
        raw = self.registry.manifest(digest)
        if raw is None:
            raise UsageError(f"the registry has no image or artifact {digest}", where=str(self))
        return forms.described(raw, str(self))

    def _released(self, raw: bytes, tag: str, name: str, version: str) -> tuple[Descriptor, Descriptor]:
        """The release in its artifact, and what it is of. Raises EvidenceError for that of another name or version."""
        notes = forms.described(raw, str(self)).annotations
        found = f"{notes.get(forms.NAME, '')[:60]} {notes.get(forms.VERSION, '')[:60]}"
        if found != f"{name} {version}":
            raise EvidenceError(
                f"the tag {tag} was moved: it leads to the release {found!r}",
                where=str(self),
                remedy="find out who may write to this repository; push the release again from where it was made",
            )
        return forms.only_layer(raw, str(self)), forms.subject(raw, str(self))

    def _tag_holds(self, name: str, version: str, subject: Descriptor) -> None:
        """Whoever pulls the version gets what was released. Raises EvidenceError."""
        tag = plain_tag(self.registry.ask.repository, name, version)
        raw = self.registry.manifest(tag)
        if raw is None or sha256(raw) != subject.digest:
            raise EvidenceError(
                f"the tag {tag} {'is gone' if raw is None else 'was moved: it does not lead to what was released'}",
                where=str(self),
                remedy=f"what was released is {subject.digest}; find out who may write to this repository",
            )
        self.registry.same_by_head(tag, subject.digest)

    def _latest(self, name: str) -> tuple[bytes, str]:
        raw = self.registry.manifest(latest_tag(name))
        if raw is None:
            if self.versions(name):
                raise EvidenceError(f"the tag {latest_tag(name)} is gone", where=str(self), remedy="name a version")
            raise UsageError(f"the store does not have {name}", where=str(self), remedy="store a release first")
        version = forms.described(raw, str(self)).annotations.get(forms.VERSION, "")
        if not VERSION.fullmatch(version):
            raise EvidenceError(
                f"the tag {latest_tag(name)} leads to no release", where=str(self), remedy="name a version"
            )
        return raw, version

    def _fetch(self, digest: str, limit: int = LARGEST) -> bool:
        """Bring bytes into the cache; whether the registry has them."""
        found = self.registry.blob(digest, limit)
        if found is None:
            raw = self.registry.manifest(digest)
            if raw is None:
                return False
            found = len(raw), iter((raw,))
        length, blocks = found
        place = next(place for place in (self.cache.root, *self.cache.root.absolute().parents) if place.is_dir())
        if shutil.disk_usage(place).free < (length or 0) + _RESERVE:
            raise EnvironmentFailure(
                f"there is no room for {length or 'some'} bytes", where=str(place), remedy="free space, then try again"
            )
        self.cache.put_blocks(blocks, digest)
        return True
