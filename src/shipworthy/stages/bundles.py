"""A stored release as one file, for a machine without a network: model or image, the whole chain, the public keys.

A tar file (POSIX ustar, PAX) of plain files in one order, the same bytes for the same release:

    bundle.json                    what it is: format, name, version, kind, digest
    trust.json                     the public keys of each role; its digest is the fingerprint that people compare
    revocations.sigstore.json      the list of revocations, if there is one
    refs/NAME/VERSION.json         the signed release (and that of the deployment)
    blobs/sha256/HEX               everything that they name and the store has

The keys in it prove nothing by themselves: whoever made the file chose them. They count when their fingerprint is
given.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from shipworthy.config import Settings
from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.evidence import envelope
from shipworthy.evidence.deployed import reference_of
from shipworthy.evidence.digest import MANIFEST_LIMIT, Manifest
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.files import read_bounded
from shipworthy.evidence.inner import IMAGE_MANIFEST_LIMIT, blobs_of
from shipworthy.evidence.links import ChainResult
from shipworthy.evidence.names import check_digest
from shipworthy.evidence.revocation import digests_in
from shipworthy.evidence.statement import Resource, parse
from shipworthy.evidence.strictjson import canonical, load
from shipworthy.files import new_folder, remove_folder, sync_folder
from shipworthy.keys import parse_public
from shipworthy.model.roles import ROLES
from shipworthy.patterns import regex
from shipworthy.stages.dev.fetched import write_layout
from shipworthy.stages.revocations import LIST_NAME, not_listed, policy_for
from shipworthy.stages.trust import Believed
from shipworthy.stages.verification import verify_stored
from shipworthy.stores import Ref, Store, open_store

FORMAT = "https://shipworthy.dev/bundle/v1"
MEMBERS_LIMIT = 200_000
_HEAD, _TRUST = "bundle.json", "trust.json"
_SMALL = 16 * 1024 * 1024
_BLOCK = 1024 * 1024
_BLOB = regex(r"blobs/sha256/([0-9a-f]{64})")
_REF = regex(r"refs/([a-z0-9][a-z0-9._-]{0,127})/([A-Za-z0-9][A-Za-z0-9._+-]{0,127})\.json")
Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


@dataclass(frozen=True)
class Bundle:
    """What a bundle says of itself, unpacked in `folder`: nothing of it is verified. `trust` are the keys in it."""

    name: str
    version: str
    kind: str
    digest: str
    fingerprint: str
    folder: Path
    trust: bytes

    @property
    def store(self) -> Store:
        """What was in it, as a store."""
        return open_store(f"local:{self.folder / 'store'}", self.folder)

    def believed(self, fingerprint: str, who: Believed | None) -> Believed:
        """Who is believed: `who`, if anybody is named, or the keys in it, if the fingerprint is theirs. Raises
        UsageError when neither is given, EvidenceError for another fingerprint.
        """
        folder = self.folder
        if fingerprint:
            if check_fingerprint(fingerprint) != self.fingerprint:
                raise EvidenceError(
                    f"the keys in the bundle are others: {self.fingerprint}",
                    where=self.name,
                    remedy=f"the fingerprint given is {fingerprint}: ask who made the bundle for the right one",
                )
            keys = {role: tuple(parse_public(pem.encode()) for pem in pems) for role, pems in self._keys().items()}
            return Believed(keys, Settings().trust, folder, known_as=f"bundles of {self.name}")
        if who is None:
            raise UsageError(
                "nobody says whose signatures to believe: the keys in a bundle are the choice of whoever made it",
                where=self.name,
                remedy=f"ask who made it for the fingerprint of the keys, by another way; if it is {self.fingerprint}, "
                f"give it: --fingerprint {self.fingerprint}. Or name keys or a policy of your own: --key, --policy",
            )
        if not who.trust.revocations:
            return replace(who, lists=folder, known_as=f"bundles of {self.name}")
        return who

    def _keys(self) -> dict[str, list[str]]:
        value = load(self.trust, _TRUST, limit=_SMALL)
        keys = value.get("keys") if isinstance(value, dict) else None
        if not isinstance(keys, dict) or not keys.keys() <= ROLES.keys():
            raise RefusedError("the bundle's keys are malformed", where=_TRUST)
        for pems in keys.values():
            if not isinstance(pems, list) or not all(isinstance(pem, str) for pem in pems):
                raise RefusedError("the bundle's keys are malformed", where=_TRUST)
        return keys


def check_fingerprint(text: str) -> str:
    """The fingerprint in its one form. Raises UsageError."""
    try:
        return check_digest(text if text.startswith("sha256:") else f"sha256:{text}", "the fingerprint")
    except RefusedError as error:
        raise UsageError(error.message, where=text[:80]) from None


# --- writing


def write_bundle(
    store: Store, ref: Ref, who: Believed, output: Path, progress: Progress | None = None
) -> tuple[str, int]:
    """Write the release as a bundle, whole or not at all: the fingerprint of the keys in it, and its size in bytes.

    What the store does not have (datasets, mostly) is not in it; of that, only the digest is attested. Raises
    EvidenceError when a blob is not what its digest says, EnvironmentFailure when it cannot be written.
    """
    statement = parse(envelope.read(ref.raw).payload, ref.name)
    target = statement.subjects[0]
    refs = [ref, *_deployment(store, ref, target)]
    blobs = sorted(_closure(store, refs, target))
    paths = {digest: path for digest in blobs if (path := store.locate(digest))}
    head = {
        "format": FORMAT,
        "name": ref.name,
        "version": ref.version,
        "kind": target.kind,
        "digest": target.digest,
    }
    keys = {role: [key.pem().decode() for key in keys] for role, keys in who.keys.items()}
    small: dict[str, bytes] = {_HEAD: canonical(head) + b"\n", _TRUST: canonical({"keys": keys}) + b"\n"}
    revoked = who.folder / (who.trust.revocations or LIST_NAME)
    if revoked.is_file():
        small[LIST_NAME] = read_bounded(revoked, _SMALL)
    small |= {f"refs/{one.name}/{one.version}.json": one.raw for one in refs}
    whole, done = sum(path.stat().st_size for path in paths.values()), 0
    with _written(output) as stream, tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, data in small.items():
            _add(archive, name, data)
        for digest in sorted(paths):
            done += _add_blob(archive, store, digest)
            if progress:
                progress(done, whole)
    return f"sha256:{hashlib.sha256(small[_TRUST]).hexdigest()}", output.stat().st_size


def _deployment(store: Store, ref: Ref, target: Resource) -> list[Ref]:
    try:
        return [store.get_ref(reference_of(ref.name), ref.version)] if target.kind == "image" else []
    except UsageError:
        return []


def _closure(store: Store, refs: list[Ref], target: Resource) -> set[str]:
    """Every digest that the references lead to: what their evidence names, what manifests list, an image's blobs."""
    found: set[str] = set()
    todo = {target.digest} | {digest for ref in refs for digest in digests_in(envelope.read(ref.raw).payload)}
    while todo:
        digest = todo.pop()
        if digest in found:
            continue
        found.add(digest)
        path = store.locate(digest)
        if path is not None:
            todo |= _named(path, digest == target.digest and target.kind == "image") - found
    return found


def _named(path: Path, image: bool) -> set[str]:
    if path.stat().st_size > MANIFEST_LIMIT:
        return set()
    with path.open("rb") as stream:
        start = stream.read(16)
    try:
        if image:
            return {digest for digest, _ in blobs_of(read_bounded(path, IMAGE_MANIFEST_LIMIT))}
        if start.startswith(b'{"dsseEnvelope"'):
            return digests_in(envelope.read(read_bounded(path, MANIFEST_LIMIT)).payload)
        if start.startswith(b'{"entries":['):
            return {entry.digest for entry in Manifest.parse(read_bounded(path, MANIFEST_LIMIT)).files}
    except RefusedError:
        pass  # it looks like one of ours, and is not: its bytes are in the bundle, and it names nothing
    return set()


@contextmanager
def _written(output: Path) -> Iterator[IO[bytes]]:
    """A new file beside the output, which takes its place when all is written and safe on the disk."""
    beside = output.with_name(f".{output.name}.{os.urandom(6).hex()}")
    try:
        with beside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(output)
        sync_folder(output.parent)
    except OSError as error:
        raise EnvironmentFailure(f"the bundle cannot be written: {error.strerror}", where=str(output)) from None
    finally:
        beside.unlink(missing_ok=True)


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    import io

    archive.addfile(_member(name, len(data)), io.BytesIO(data))


def _add_blob(archive: tarfile.TarFile, store: Store, digest: str) -> int:
    with store.open(digest) as stream:  # its digest is checked on the same open file
        size = os.fstat(stream.fileno()).st_size
        archive.addfile(_member(f"blobs/sha256/{digest.removeprefix('sha256:')}", size), stream)
    return size


# --- reading


def is_bundle_file(path: Path) -> bool:
    """Whether a file begins as a bundle does: a tar file whose first member is `bundle.json`."""
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError:
        return False
    return len(head) == 512 and head.startswith(_HEAD.encode() + b"\0") and head[257:262] == b"ustar"


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Unpack a bundle into a folder of its own, which goes afterwards. Every blob must be what its name says.

    Raises RefusedError for anything else than such a file, EnvironmentFailure when it cannot be read or unpacked.
    """
    folder = new_folder(None, "shipworthy-bundle-")
    try:
        yield _unpacked(path, folder)
    finally:
        remove_folder(folder)


def _unpacked(path: Path, folder: Path) -> Bundle:
    store = open_store(f"local:{folder / 'store'}", folder)
    small: dict[str, bytes] = {}
    refs: list[tuple[str, str, bytes]] = []
    seen: set[str] = set()
    try:
        with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|", errorlevel=2) as archive:
            for count, member in enumerate(archive):
                if count >= MEMBERS_LIMIT:
                    raise RefusedError(f"the bundle has more than {MEMBERS_LIMIT} members", where=path.name)
                _check(member, seen, path.name)
                stream = archive.extractfile(member)
                if stream is None:
                    raise RefusedError(f"{member.name[:80]} is no plain file", where=path.name)
                if blob := _BLOB.fullmatch(member.name):
                    _keep(store, stream, f"sha256:{blob[1]}", path.name)
                elif ref := _REF.fullmatch(member.name):
                    refs.append((ref[1], ref[2], _bounded(stream, member, path.name)))
                else:
                    small[member.name] = _bounded(stream, member, path.name)
    except (tarfile.TarError, EOFError) as error:
        raise RefusedError(f"the bundle is damaged: {error}", where=path.name) from None
    except OSError as error:
        raise EnvironmentFailure(f"the bundle cannot be unpacked: {error.strerror}", where=str(path)) from None
    for name, version, data in refs:
        store.put_ref(name, version, data)
    return _described(small, folder, path.name)


def _check(member: tarfile.TarInfo, seen: set[str], where: str) -> None:
    """Only what we write: plain files under names that we know, each once."""
    name = member.name
    known = name in (_HEAD, _TRUST, LIST_NAME) or _BLOB.fullmatch(name) or _REF.fullmatch(name)
    if not known or not member.isreg() or member.size < 0:
        raise RefusedError(f"the bundle has something that does not belong there: {name[:80]!r}", where=where)
    if name in seen:
        raise RefusedError(f"{name[:80]} is in the bundle twice", where=where)
    seen.add(name)


def _keep(store: Any, stream: IO[bytes], digest: str, where: str) -> None:
    def blocks() -> Iterator[bytes]:
        while block := stream.read(_BLOCK):
            yield block

    try:
        store.put_blocks(blocks(), digest)
    except RefusedError:
        raise
    except EvidenceError as error:
        raise RefusedError(f"a blob of the bundle was changed: {error.message}", where=where) from None


def _bounded(stream: IO[bytes], member: tarfile.TarInfo, where: str) -> bytes:
    if member.size > _SMALL:
        raise RefusedError(f"{member.name} is larger than {_SMALL} bytes", where=where)
    return stream.read(_SMALL + 1)


def _described(small: dict[str, bytes], folder: Path, where: str) -> Bundle:
    head = load(small.get(_HEAD, b""), _HEAD)
    texts = [head.get(key) if isinstance(head, dict) else None for key in ("name", "version", "kind", "digest")]
    if not isinstance(head, dict) or head.get("format") != FORMAT or not all(isinstance(t, str) for t in texts):
        raise RefusedError("this is no bundle of a known format", where=where)
    if _TRUST not in small:
        raise RefusedError("the bundle has no keys", where=where)
    if LIST_NAME in small:
        (folder / LIST_NAME).write_bytes(small[LIST_NAME])
    name, version, kind, digest = (str(text) for text in texts)
    fingerprint = f"sha256:{hashlib.sha256(small[_TRUST]).hexdigest()}"
    return Bundle(name, version, kind, check_digest(digest, "the bundle"), fingerprint, folder, small[_TRUST])


def verify_bundle(bundle: Bundle, who: Believed) -> ChainResult:
    """Verify what is in an opened bundle, as it was stored."""
    try:
        policy = policy_for(Settings(), who)
    except RefusedError as error:
        return not_listed(error)
    try:
        ref = bundle.store.get_ref(bundle.name, bundle.version)
    except UsageError:
        raise RefusedError("the bundle has no release", where=f"{bundle.name}@{bundle.version}") from None
    result = verify_stored(bundle.store, ref, policy)
    if result.ok and result.target != bundle.digest:
        raise RefusedError(
            "the bundle says that it holds another thing than its release does",
            where=bundle.name,
            expected=bundle.digest,
            actual=result.target,
        )
    return result


def extract(bundle: Bundle, destination: Path) -> None:
    """Write what was verified to a new place: the model's folder or file, or the image as an OCI layout. Raises
    UsageError when something is there.
    """
    if os.path.lexists(destination):
        raise UsageError("there is something already", where=str(destination), remedy="give a new name")
    if bundle.kind == "image":
        write_layout(bundle.store, bundle.digest, destination)
        return
    with bundle.store.open(bundle.digest) as stream:
        folder = stream.read(16).startswith(b'{"entries":[')
    if folder:
        manifest = Manifest.parse(bundle.store.read(bundle.digest, MANIFEST_LIMIT))
        bundle.store.get_tree(manifest, destination)
        return
    with bundle.store.open(bundle.digest) as stream, _written(destination) as sink:
        while block := stream.read(_BLOCK):
            sink.write(block)
