"""Stores: one file of this package is one kind of place where models and their evidence are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from shipworthy.errors import UsageError
from shipworthy.paths import inside


class TreeEntry(Protocol):
    """One file of a folder's manifest; an empty folder's path ends in `/`."""

    @property
    def path(self) -> str:
        """Relative, `/` between the parts."""
        ...

    @property
    def executable(self) -> bool:
        """Whether it may be run."""
        ...

    @property
    def digest(self) -> str:
        """`sha256:` and 64 hex digits."""
        ...


class TreeManifest(Protocol):
    """A folder's manifest, as the store needs it."""

    @property
    def entries(self) -> Sequence[TreeEntry]:
        """Every file."""
        ...

    def to_bytes(self) -> bytes:
        """Its canonical text; the digest of that is the folder's."""
        ...


@dataclass(frozen=True)
class Ref:
    """A stored release: `raw` are the bytes of its reference, whose SHA-256 is `digest`."""

    name: str
    version: str
    raw: bytes
    digest: str


class Store(Protocol):
    """A place that keeps bytes by their digest, and releases by name and version.

    Every method raises UsageError for what is not there or named wrongly, EvidenceError when stored bytes are not what
    their digest says, and EnvironmentFailure when the place cannot be read or written.
    """

    def put_file(self, path: Path, expected: str = "") -> str:
        """Keep a file's bytes; the digest of what was read. `expected` is the digest that they must have."""
        ...

    def put_bytes(self, data: bytes, expected: str = "") -> str:
        """Keep bytes; their digest."""
        ...

    def put_tree(self, root: Path, manifest: TreeManifest) -> str:
        """Keep a folder's files and its manifest; the manifest's digest."""
        ...

    def get(self, digest: str) -> Path:
        """Where the bytes lie, after their digest was checked. Read through `open` what must not change meanwhile."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """The bytes, for reading, after their digest was checked on the same open file."""
        ...

    def read(self, digest: str, limit: int) -> bytes:
        """At most `limit` bytes: the very ones whose digest was checked."""
        ...

    def get_tree(self, manifest: TreeManifest, destination: Path) -> None:
        """Write a kept folder to a new one; each file is checked while it is written."""
        ...

    def locate(self, digest: str) -> Path | None:
        """Where the bytes lie, unchecked (a verifier hashes them itself); None when they are not here."""
        ...

    def check_writable(self) -> None:
        """Raises EnvironmentFailure when nothing can be put. Leaves nothing behind but the store's folders."""
        ...

    def put_ref(self, name: str, version: str, raw: bytes) -> Ref:
        """Make a release known, for ever, and the latest of its name. Other bytes for a known version are refused."""
        ...

    def get_ref(self, name: str, version: str = "latest") -> Ref:
        """A release's reference, as it lies there; whether it is genuine is for the verifier of its signature."""
        ...

    def names(self) -> tuple[str, ...]:
        """The names of which releases are known, sorted."""
        ...

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions that are known, sorted as text."""
        ...


@dataclass(frozen=True)
class RegistryOptions:
    """How a registry is reached. `credentials` is a reference (`env:NAME`, `docker-config`), never a secret.

    `plain_http` allows http beyond this machine; `ca_file` is a PEM file; `redirect_to` are hosts to which the registry
    may send us for blobs, besides public ones with TLS; `token_hosts` are hosts that may be given the credentials for a
    token, besides the registry itself; `chunk` is the most that is sent of a blob in one request, in bytes.
    """

    credentials: str = ""
    plain_http: bool = False
    ca_file: str = ""
    redirect_to: tuple[str, ...] = ()
    token_hosts: tuple[str, ...] = ()
    chunk: int = 64 * 1024 * 1024


def open_store(uri: str, root: Path, registries: Mapping[str, RegistryOptions] | None = None) -> Store:
    """The store that a URI names: `local:path` or a plain path, relative to `root` (the workspace), or a repository of
    a registry, `oci://HOST[:PORT]/REPOSITORY`; `registries` says how to reach a registry, by `HOST[:PORT]`.

    Nothing is made and nobody is asked before something is put or got. Raises UsageError for an unknown kind of place.
    """
    scheme, separator, rest = uri.partition(":")
    if scheme == "oci" and separator:
        from shipworthy.stores.oci import open_oci

        return open_oci(uri, (registries or {}).get(rest.removeprefix("//").partition("/")[0]))
    from shipworthy.stores.local import LocalStore

    if not separator:
        rest = uri
    elif scheme == "file" and rest.startswith("//"):
        rest = rest[2:]
    elif scheme not in {"file", "local"} or rest.startswith("//"):
        raise UsageError(
            f"no store for {uri.partition(':')[0][:20]!r}",
            where="the store",
            remedy="known stores: local: (a folder), for example local:.shipworthy/store, and oci: (a registry), for "
            "example oci://registry.example.org/team/spam",
        )
    if not rest:
        raise UsageError("the store's folder is not named", where="the store", remedy="for example local:models")
    within = not Path(rest).is_absolute() and ".." not in Path(rest).parts
    return LocalStore(inside(root, rest, what="store") if within else root / rest)  # a repository can bring a link


__all__ = ["Ref", "RegistryOptions", "Store", "TreeEntry", "TreeManifest", "open_store"]
