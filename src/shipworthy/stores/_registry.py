"""A client of the OCI distribution specification 1.1 for one repository of a registry that nobody vouches for.

What is asked for by digest is given only when it has that digest. Credentials go to the registry that they are for and
to the token service that belongs to it. What failed in the network is tried again; what was refused is not.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.stores import RegistryOptions, _uploads
from shipworthy.stores._asking import TRIES, Asker, wait
from shipworthy.stores._http import Answer, BrokenError, Origin
from shipworthy.stores._manifests import ACCEPTED, INDEX, MANIFEST, MANIFEST_LIMIT, sha256, strict
from shipworthy.stores._uploads import Source

PAGES = 200
TAGS_LIMIT = 100_000
UNSIZED_LIMIT = 1024**3
"""Bytes of a blob of which the registry does not say beforehand how long it is."""
_UNTRUSTED = "do not trust this registry; push the release again from where it was made"


class Registry:
    """One repository. Its methods raise EnvironmentFailure when the registry cannot be used, EvidenceError for bytes
    that are not what their digest says. Not for several threads.
    """

    def __init__(
        self,
        origin: Origin,
        repository: str,
        options: RegistryOptions | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.ask = Asker(origin, repository, options or RegistryOptions(), pause)

    def __str__(self) -> str:
        return str(self.ask)

    def close(self) -> None:
        """Close its connections."""
        self.ask.wire.close()

    def ping(self) -> None:
        """Raises EnvironmentFailure when this is no registry at all, or not for us."""
        if self.ask.call("GET", "/v2/", allowed=(200, 404)).status == 404:
            raise EnvironmentFailure("this is no OCI registry", where=str(self), remedy="check its host and port")

    def has_blob(self, digest: str) -> bool:
        """Whether the repository says that it has a blob."""
        return self.ask.call("HEAD", self.ask.path("blobs", digest), allowed=(200, 404)).status == 200

    def put_blob(self, digest: str, source: Source) -> None:
        """Send a blob, unless it is there. Raises EvidenceError when the bytes that were read have another digest."""
        if not self.has_blob(digest):
            _uploads.put_blob(self.ask, digest, source)

    def mount(self, digest: str, repository: str) -> bool:
        """Take a blob over from another repository of the registry; whether that could be done."""
        return _uploads.mount(self.ask, digest, repository)

    def check_writable(self) -> None:
        """Begin an upload, and call it off."""
        _uploads.check_writable(self.ask)

    def manifest(self, reference: str) -> bytes | None:
        """A manifest's bytes by tag or digest; None when it is not there. One that was asked for by digest has it."""
        reply = self.ask.call("GET", self.ask.path("manifests", reference), {"Accept": ACCEPTED}, allowed=(200, 404))
        if reply.status == 404:
            return None
        if ":" in reference and sha256(reply.body) != reference:
            raise EvidenceError(
                f"the registry sent another manifest than {reference}: {sha256(reply.body)}",
                where=str(self),
                remedy=_UNTRUSTED,
            )
        return reply.body

    def same_by_head(self, tag: str, digest: str) -> None:
        """Clusters ask for a tag's digest with HEAD, and fetch that. Raises EvidenceError when it is another one than
        GET gave out, or none."""
        path = self.ask.path("manifests", tag)
        reply = self.ask.call("HEAD", path, {"Accept": ACCEPTED}, allowed=(200, 404, 405))
        if reply.status == 404:
            raise EvidenceError(
                f"the registry says of the tag {tag} both that it is there and that it is not",
                where=str(self),
                remedy=_UNTRUSTED,
            )
        told = reply.headers.get("Docker-Content-Digest", "")
        if told.startswith("sha256:") and told != digest:
            raise EvidenceError(
                f"the registry tells others that {tag} is {told[:80]}, and what it sent is {digest}",
                where=str(self),
                remedy=_UNTRUSTED,
            )

    def put_manifest(self, reference: str, raw: bytes, media_type: str = MANIFEST) -> bool:
        """Keep a manifest under a tag or its digest; whether the registry says that it notes what it refers to."""
        if len(raw) > MANIFEST_LIMIT:
            raise UsageError(
                "these are more files than a registry's manifest can list",
                where=str(self),
                remedy="pack them into one archive, or keep them in a folder (local:)",
            )
        headers = {"Content-Type": media_type, "Content-Length": str(len(raw))}
        path = self.ask.path("manifests", reference)
        reply = self.ask.call("PUT", path, headers, lambda: [raw], allowed=(200, 201, 202))
        told = reply.headers.get("Docker-Content-Digest", "")
        if told and told != sha256(raw):
            raise EvidenceError(f"the registry keeps {sha256(raw)} under another digest", where=str(self))
        return bool(reply.headers.get("OCI-Subject"))

    def tags(self) -> tuple[str, ...]:
        """All tags, sorted as text; none when the repository is not known."""
        first = self.ask.call("GET", f"{self.ask.path('tags', 'list')}?n=1000", allowed=(200, 404))
        found: set[str] = set()
        for page in self.ask.pages(first, PAGES) if first.status == 200 else ():
            names = strict(page, str(self)).get("tags") or []
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise EnvironmentFailure("the registry sent no list of tags", where=str(self))
            found.update(names)
            if len(found) > TAGS_LIMIT:
                raise EnvironmentFailure(f"the registry has more than {TAGS_LIMIT} tags", where=str(self))
        return tuple(sorted(found))

    def referrers(self, digest: str) -> Iterator[bytes] | None:
        """The pages of the list of what refers to a manifest; None when the registry has no such list."""
        first = self.ask.call("GET", self.ask.path("referrers", digest), {"Accept": INDEX}, allowed=(200, 404))
        return self.ask.pages(first, PAGES) if first.status == 200 else None

    def blob(self, digest: str, limit: int) -> tuple[int | None, Iterator[bytes]] | None:
        """How many bytes a blob is said to have, and these, the last of which come only when all have the digest; None
        when it is not there. The iterator raises EvidenceError when they have not, or are more than `limit`.
        """
        for failures in range(1, TRIES + 1):
            try:
                answer, origin = self._open(digest, 0)
            except BrokenError as error:
                if failures == TRIES:
                    raise self.ask.given_up(error) from None
                self.ask.pause(wait(failures))
            else:
                return None if answer is None else (answer.length, self._checked(digest, limit, answer, origin))
        raise AssertionError("unreachable")

    def _open(self, digest: str, start: int) -> tuple[Answer | None, Origin]:
        headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        answer, origin = self.ask.answered("GET", self.ask.path("blobs", digest), headers, None, blob=True)
        if answer.status == 404:
            self.ask.wire.done(origin, answer)
            return None, origin
        if answer.status in {429, 502, 503, 504}:
            self.ask.wire.done(origin, answer)
            raise BrokenError(f"it answers {answer.status}")
        if answer.status != 200 and not (start and answer.status == 206):
            raise self.ask.refused("GET", self.ask.whole(answer, origin))
        return answer, origin

    def _checked(self, digest: str, limit: int, answer: Answer, origin: Origin) -> Iterator[bytes]:
        hasher, count, held = hashlib.sha256(), 0, b""
        total = answer.length
        limit = limit if total is not None else min(limit, UNSIZED_LIMIT)
        for block in self._blocks(digest, answer, origin):
            count += len(block)
            if count > limit or (total or 0) > limit:
                raise EvidenceError(f"{digest} is longer than {limit} bytes", where=str(self), remedy=_UNTRUSTED)
            hasher.update(block)
            if held:
                yield held
            held = block
        actual = f"sha256:{hasher.hexdigest()}"
        if actual != digest:
            raise EvidenceError(
                f"the registry sent other bytes than {digest}: {actual}", where=str(self), remedy=_UNTRUSTED
            )
        if held:
            yield held

    def _blocks(self, digest: str, first: Answer, origin: Origin) -> Iterator[bytes]:
        """The bytes of an answer; when it breaks off, the rest is asked for."""
        count, failures, skip, total = 0, 0, 0, first.length
        answer: Answer | None = first
        try:
            while True:
                try:
                    if answer is None:
                        answer, origin = self._open(digest, count)
                        if answer is None:
                            raise EnvironmentFailure(f"{digest} vanished while it was read", where=str(self))
                        skip = count if answer.status == 200 else 0
                    while block := answer.block():
                        block, skip = block[skip:], max(0, skip - len(block))
                        if block:
                            count, failures = count + len(block), 0
                            yield block
                    if total is not None and count < total:
                        raise BrokenError("the connection broke off")
                    self.ask.wire.done(origin, answer)
                    return
                except BrokenError as error:
                    self.ask.wire.drop(origin)
                    answer, failures = None, failures + 1
                    if failures >= TRIES:
                        raise self.ask.given_up(error) from None
                    self.ask.pause(wait(failures))
        except BaseException:  # whoever asked may also have lost interest
            self.ask.wire.drop(origin)
            raise
